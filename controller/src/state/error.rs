//! Why the state store could not be used.

use std::fmt;

/// A document of the state store that could not be read or written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StateError {
    verb: &'static str,
    subject: String,
    why: String,
}

impl StateError {
    pub(super) fn read(key: &impl fmt::Display, why: impl fmt::Display) -> Self {
        Self { verb: "read", subject: key.to_string(), why: why.to_string() }
    }

    pub(super) fn write(key: &impl fmt::Display, why: impl fmt::Display) -> Self {
        Self { verb: "write", subject: key.to_string(), why: why.to_string() }
    }
}

impl fmt::Display for StateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cannot {} the state of {}: {}", self.verb, self.subject, self.why)
    }
}

impl std::error::Error for StateError {}
