//! Graph's JSON → records. Pure: no request, no clock, no state.
//!
//! A row that cannot be mapped becomes an Issue and the page goes on: one odd user never ends an import of a million.

mod edge;
mod identifier;
mod kinds;
mod object;
mod record;
mod value;

pub use edge::{edge, removed_edge};
pub use identifier::{ObjectId, directory_id};
pub use kinds::{Begin, Counts, Issue, Mode, Reason, Written};
pub use object::{Selection, map_row, object, removed_object, row_without_id};
pub use record::{Event, Records};
