//! Graph's JSON → records. Pure: no request, no clock, no state.
//!
//! A row that cannot be mapped becomes an Issue and the page goes on: one odd user never ends an import of a million.

mod edge;
mod identifier;
mod object;
mod record;
mod value;

pub use edge::{edge, member_type};
pub use identifier::directory_id;
pub use object::{Counted, Selection, map_row};
pub use record::{Begin, Counts, Issue, Mode, Reason, Records, Severity};
