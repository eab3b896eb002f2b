//! Graph's JSON, as Graph spells it: shapes only, borrowed from the answer's bytes, no logic.
//!
//! There is no struct with a string for each attribute of a user. Attributes stay raw JSON: most of them
//! go into a record unchanged, so they are neither decoded nor encoded, and one odd value never costs its page.

mod member;
mod page;
mod row;
mod text;
mod values;

pub use member::Member;
pub use page::{Entries, Links, Page, next_link};
pub use row::{MemberChange, Removed, Row, RowSeed};
pub use text::Text;
pub use values::Values;
