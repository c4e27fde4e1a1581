//! What is wrong with an object that cannot be used, told so that a person can mend it.

use serde::{Deserialize, Serialize};
use std::fmt;

use crate::ObjectKey;

/// A place in a file, both counted from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Position {
    /// The line, from 1.
    pub line: u32,
    /// The column in characters, from 1.
    pub column: u32,
}

/// One thing wrong with one document of one file.
///
/// It harms only its own object: `key` says which service it holds. Where not even the name could be read `key` is `None`,
/// and then nothing of that source is pruned, because the document might be any of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct InvalidObject {
    /// The source the file came from, empty before it is known.
    #[serde(default)]
    pub source: String,
    /// The file, relative to the source's root.
    pub file: String,
    /// Where in the file; `None` for what concerns the file as a whole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub position: Option<Position>,
    /// The field, as `spec.taskDefinition.cpu`; empty for the document as a whole.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub path: String,
    /// What is wrong, with the offending value quoted.
    pub message: String,
    /// What to do about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
    /// The service this holds, where its name could be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<ObjectKey>,
}

impl fmt::Display for InvalidObject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&shown(&self.file))?;
        if let Some(Position { line, column }) = self.position {
            write!(f, ":{line}:{column}")?;
        }
        f.write_str(": ")?;
        if !self.path.is_empty() {
            write!(f, "{}: ", self.path)?;
        }
        f.write_str(&self.message)?;
        if let Some(hint) = &self.hint {
            write!(f, "; {hint}")?;
        }
        Ok(())
    }
}

/// The most characters of a message.
const SHOWN_MAX: usize = 1_000;
/// How many of them are its end, where it is longer.
const END: usize = 300;

/// A message as people see it: on one line, and not too long.
///
/// What makes a message long is what it quotes in its middle, so its beginning and its end are kept.
pub fn shown(message: &str) -> String {
    let on_one_line = |letter: char| if letter.is_control() { ' ' } else { letter };
    let count = message.chars().count();
    if count <= SHOWN_MAX {
        return message.chars().map(on_one_line).collect();
    }
    let beginning = message.chars().take(SHOWN_MAX - END - 1);
    let end = message.chars().skip(count - END);
    beginning.chain(['…']).chain(end).map(on_one_line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_one_line_and_keeps_its_beginning_and_its_end() {
        assert_eq!(shown("`a\nb\u{1b}[2J` is no name"), "`a b [2J` is no name");
        let exact = "ä".repeat(SHOWN_MAX);
        assert_eq!(shown(&exact), exact);
        let long = shown(&format!("`{}` is no name", "ä".repeat(SHOWN_MAX)));
        assert_eq!(long.chars().count(), SHOWN_MAX);
        assert!(long.starts_with("`ä") && long.contains("ä…ä") && long.ends_with("ä` is no name"));
    }

    #[test]
    fn it_reads_like_a_compiler_error() {
        let invalid = InvalidObject {
            source: "fleet".into(),
            file: "shop/web.yaml".into(),
            position: Some(Position { line: 14, column: 10 }),
            path: "spec.taskDefinition.cpu".into(),
            message: "`0.3 vCPU` is not a Fargate size".into(),
            hint: Some("nearest are 256 and 512".into()),
            key: None,
        };
        assert_eq!(
            invalid.to_string(),
            "shop/web.yaml:14:10: spec.taskDefinition.cpu: `0.3 vCPU` is not a Fargate size; nearest are 256 and 512"
        );
    }
}
