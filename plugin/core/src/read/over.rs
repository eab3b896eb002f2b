//! When an object type is over in this run, for the types that must wait for it.
//!
//! A type that is not imported is over from the beginning. Every type must be reported, whether it was read, failed or
//! panicked: others wait for it.

use crate::cancel::Cancel;
use crate::error::Error;
use crate::latch::Latch;
use crate::types::ObjectType;

/// The object types of a run.
#[derive(Debug)]
pub struct Over {
    types: Vec<(&'static str, Latch)>,
}

impl Over {
    /// A run that imports these.
    pub fn new(names: impl IntoIterator<Item = &'static str>) -> Over {
        Over { types: names.into_iter().map(|name| (name, Latch::default())).collect() }
    }

    /// Nothing more comes of the object type in this run.
    pub fn report(&self, name: &str) {
        self.types.iter().filter(|(other, _)| *other == name).for_each(|(_, latch)| latch.open());
    }

    /// Nothing more comes of any.
    pub fn report_all(&self) {
        self.types.iter().for_each(|(_, latch)| latch.open());
    }

    /// Waits until nothing more comes of the object type. A cancel ends the wait.
    pub fn wait(&self, object_type: &ObjectType, cancel: &Cancel) -> Result<(), Error> {
        let latch = self.types.iter().find(|(name, _)| *name == object_type.name);
        latch.map_or(Ok(()), |(_, latch)| latch.wait(cancel))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::{GROUP, USER};

    #[test]
    fn reported_type_is_waited_for_no_longer_and_one_that_is_not_imported_never() {
        let (over, cancel) = (Over::new([USER.name]), Cancel::new());
        assert!(over.wait(&GROUP, &cancel).is_ok());
        over.report(USER.name);
        assert!(over.wait(&USER, &cancel).is_ok());
        cancel.cancel();
        assert!(Over::new([USER.name]).wait(&USER, &cancel).is_err());
    }
}
