//! One thing that is wrong with a document.

use crds::{InvalidObject, ObjectKey, Position};

use super::path::FieldPath;

/// The most characters of a value that a message quotes.
const QUOTED_MAX: usize = 60;

/// One thing that is wrong, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Problem {
    pub(super) position: Option<Position>,
    pub(super) path: FieldPath,
    pub(super) message: String,
    pub(super) hint: Option<String>,
}

impl Problem {
    pub(super) fn new(position: Position, path: FieldPath, message: impl Into<String>) -> Self {
        Self { position: Some(position), path, message: message.into(), hint: None }
    }

    pub(super) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    pub(super) fn into_invalid(self, file: &str, key: Option<ObjectKey>) -> InvalidObject {
        InvalidObject {
            source: String::new(),
            file: file.to_owned(),
            position: self.position,
            path: self.path.to_string(),
            message: self.message,
            hint: self.hint,
            key,
        }
    }
}

/// A value as a message shows it: in back-quotes, on one line, not too long.
pub(super) fn quoted(text: &str) -> String {
    let mut shown: String = text
        .chars()
        .take(QUOTED_MAX)
        .map(|letter| if letter.is_control() { ' ' } else { letter })
        .collect();
    if text.chars().nth(QUOTED_MAX).is_some() {
        shown.push('…');
    }
    format!("`{shown}`")
}
