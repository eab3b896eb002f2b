//! From the outcomes of the object types to the one ending of the run.
//!
//! When several errors hold, their order is part of the contract: cancelled, then token and configuration errors, then an
//! expired watermark, then the rest in the order of object types.

use super::stream::Ending;
use crate::error::{Error, Kind};

/// An error that ends the whole run, not only its object type.
pub(super) fn is_fatal(error: &Error) -> bool {
    matches!(error.kind, Kind::Cancelled | Kind::Auth | Kind::InvalidConfig | Kind::Internal | Kind::OutOfMemory)
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

/// The ending: the first error by rank, or the new watermark.
pub(super) fn ending(errors: Vec<Error>, watermark: String) -> Ending {
    // `min_by_key` keeps the first of equals: the order of object types.
    match errors.into_iter().min_by_key(|e| rank(e.kind)) {
        Some(error) => Ending::Failed(error),
        None => Ending::End(Some(watermark)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(kinds: &[Kind]) -> Kind {
        let errors = kinds.iter().map(|k| Error::new(*k, "x")).collect();
        match ending(errors, "w".into()) {
            Ending::Failed(e) => e.kind,
            _ => unreachable!(),
        }
    }

    #[test]
    fn the_order_of_errors_is_the_contracts() {
        assert_eq!(of(&[Kind::Forbidden, Kind::WatermarkExpired]), Kind::WatermarkExpired);
        assert_eq!(of(&[Kind::WatermarkExpired, Kind::Auth, Kind::Network]), Kind::Auth);
        assert_eq!(of(&[Kind::Auth, Kind::Cancelled]), Kind::Cancelled);
        assert_eq!(of(&[Kind::Throttled, Kind::Forbidden]), Kind::Throttled);
    }

    #[test]
    fn without_an_error_the_watermark_is_given_out() {
        assert!(matches!(ending(Vec::new(), "w".into()), Ending::End(Some(w)) if w == "w"));
    }
}
