//! Staying in step with a feed: what a run starts from, how a round is walked, what it leaves behind.
//!
//! ```text
//! plan        from watermark and configuration to where each type starts       fingerprint
//! round       one round of a feed, restarts included        pages   following links   ahead   one page asked for ahead
//! sink        the writer of sets      hold   MaxDeletes      pace   when a checkpoint is due      tally   counts
//! ledger      the watermark as it grows     watermark  mark  lists  restored   what it holds      notes   warnings
//! watermark_text  mark_text  packed   how it is written
//! ```
//!
//! The new delta link is not handed out with the last page. It is handed out after the `End` that closes the rows
//! it covers, and only when the round was whole: a link saved too early loses changes for ever.

mod ahead;
mod fingerprint;
mod hold;
mod ledger;
mod lists;
mod mark;
mod mark_text;
mod notes;
mod pace;
mod packed;
mod pages;
mod plan;
mod restored;
mod round;
mod sink;
mod tally;
mod watermark;
mod watermark_text;

pub use fingerprint::fingerprint;
pub use hold::Hold;
pub use ledger::Ledger;
pub(crate) use lists::OVERDUE;
pub use lists::{Lists, Repair, Sign};
pub(crate) use mark::has_room_for;
pub use mark::{FollowUp, Position, Stage, TypeMark};
pub use notes::{Notes, Warning};
pub use pace::Pace;
pub(crate) use pages::{Expect, RESTARTS, WalkError, WalkStart, Walked, unreadable, walk_again, walk_pages};
pub use plan::{Asked, FullPlace, Keeps, NEXT_RUN_RECONCILES, Plan, Start, Wanted, plan};
pub use restored::{Gone, Look, Restored, RestoredObjects};
pub use round::{Feed, OnExpired};
pub(crate) use round::{Rounds, walk_round};
pub use sink::{RecordSink, Set, SetWriter, Turn, set_id};
pub use tally::{Tally, TypeTotals};
pub use watermark::Watermark;
