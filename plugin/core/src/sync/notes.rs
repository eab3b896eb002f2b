//! What the operator should know after a run that was no failure: the result's `Warnings`.

use std::sync::{Mutex, PoisonError};

use crate::code::{Carrier, Code};
use crate::error::Error;
use crate::types::ObjectType;

/// Something for the result's `Warnings`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Warning {
    /// What it is about.
    pub code: Code,
    /// The object type it concerns.
    pub object_type: Option<&'static str>,
    /// For the operator.
    pub message: String,
}

/// Warnings of a run, from all its threads.
#[derive(Debug, Default)]
pub struct Notes {
    warnings: Mutex<Vec<Warning>>,
}

impl Notes {
    /// Adds one.
    pub fn add(&self, warning: Warning) {
        debug_assert_eq!(warning.code.carrier(), Carrier::Warning, "a code of records in the Result");
        self.warnings.lock().unwrap_or_else(PoisonError::into_inner).push(warning);
    }

    /// A walk began again from its first page. `what` names what was walked, where that is not the object type itself.
    pub fn begun_again(&self, object_type: &ObjectType, what: &str, error: &Error) {
        self.add(Warning {
            code: Code::RoundRestarted,
            object_type: Some(object_type.name),
            message: format!("{what}begun again from its first page: {}", error.message),
        });
    }

    /// Takes all.
    pub fn take(&self) -> Vec<Warning> {
        std::mem::take(&mut *self.warnings.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
