//! From the outcomes of the object types to the one ending of the run.
//!
//! When several hold, their order is part of the contract: cancelled, then token and configuration errors, then an
//! expired watermark, then too many deletes, then partial, then the end. An error that cost an object type alone makes
//! the run partial, unless no type is left that was delivered.

use super::stream::Ending;
use crate::error::{Error, Kind};

/// How a run's object types ended.
#[derive(Debug, Default)]
pub(super) struct Ended {
    /// Of the types that failed, in the order of object types.
    pub(super) errors: Vec<Error>,
    /// At least one type was delivered whole.
    pub(super) some_complete: bool,
    /// Scopes or rows are missing from types that were delivered.
    pub(super) lacking: bool,
}

fn rank(kind: Kind) -> u8 {
    match kind {
        Kind::Cancelled => 0,
        Kind::Auth | Kind::InvalidConfig => 1,
        Kind::Internal | Kind::OutOfMemory => 2,
        Kind::WatermarkExpired => 3,
        Kind::TooManyDeletes => 4,
        _ => 5,
    }
}

/// The ending.
pub(super) fn ending(ended: Ended, watermark: String) -> Ending {
    // `min_by_key` keeps the first of equals: the order of object types.
    match ended.errors.into_iter().min_by_key(|e| rank(e.kind)) {
        Some(error) if rank(error.kind) < 5 || !ended.some_complete => Ending::Failed(error),
        Some(_) => Ending::EndPartial(Some(watermark)),
        None if ended.lacking => Ending::EndPartial(Some(watermark)),
        None => Ending::End(Some(watermark)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(kinds: &[Kind], some_complete: bool) -> Option<Kind> {
        let errors = kinds.iter().map(|k| Error::new(*k, "x")).collect();
        match ending(Ended { errors, some_complete, lacking: false }, "w".into()) {
            Ending::Failed(e) => Some(e.kind),
            _ => None,
        }
    }

    #[test]
    fn the_order_of_errors_is_the_contracts() {
        for some_complete in [false, true] {
            let of = |kinds: &[Kind]| of(kinds, some_complete);
            assert_eq!(of(&[Kind::Forbidden, Kind::WatermarkExpired]), Some(Kind::WatermarkExpired));
            assert_eq!(of(&[Kind::WatermarkExpired, Kind::Auth, Kind::Network]), Some(Kind::Auth));
            assert_eq!(of(&[Kind::Auth, Kind::Cancelled]), Some(Kind::Cancelled));
            assert_eq!(of(&[Kind::TooManyDeletes, Kind::WatermarkExpired]), Some(Kind::WatermarkExpired));
            assert_eq!(of(&[Kind::Service, Kind::TooManyDeletes]), Some(Kind::TooManyDeletes));
        }
        assert_eq!(of(&[Kind::Throttled, Kind::Forbidden], false), Some(Kind::Throttled));
    }

    #[test]
    fn a_type_that_failed_alone_makes_the_run_partial() {
        let ended = Ended { errors: vec![Error::new(Kind::Forbidden, "x")], some_complete: true, lacking: false };
        assert!(matches!(ending(ended, "w".into()), Ending::EndPartial(Some(w)) if w == "w"));
        let ended = Ended { lacking: true, some_complete: true, ..Ended::default() };
        assert!(matches!(ending(ended, "w".into()), Ending::EndPartial(Some(_))));
        let ended = Ended { some_complete: true, ..Ended::default() };
        assert!(matches!(ending(ended, "w".into()), Ending::End(Some(w)) if w == "w"));
    }
}
