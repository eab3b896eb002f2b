//! Staying in step with a feed: what a run starts from, how a round is walked, what it leaves behind.
//!
//! A newcomer would give out the new delta link with the last page. It is given out after the `End` that closes the rows
//! it covers, and only when the round was whole: a link saved too early loses changes for ever.

mod feed;
mod fingerprint;
mod ledger;
mod plan;
mod sink;
mod tally;
mod watermark;

pub(crate) use feed::{Expect, unreadable, walk_pages};
pub use feed::{Feed, walk_delta, walk_list};
pub use fingerprint::fingerprint;
pub use ledger::Ledger;
pub(crate) use plan::expired;
pub use plan::{Plan, Start, Wanted, Warning, plan};
pub use sink::{RecordSink, SetWriter, set_id};
pub use tally::{Tally, TypeTotals};
pub use watermark::{Entry, Key, Watermark};
