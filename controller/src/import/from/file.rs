//! A file of another tool: its JSON, with every value's line and with its templates made into references.

use std::path::Path;

use crds::InvalidObject;
use serde_json::Value;

use super::FromError;
use super::template::{self, Use};
use crate::manifest::FieldPath;
use crate::manifest::plain::{self, PlainDocument};
use crate::source::FILE_BYTES_MAX;

/// A file that was read.
#[derive(Debug)]
pub(super) struct SourceText {
    name: String,
    value: Value,
    /// Where values are; missing for JSON that YAML cannot read.
    places: Option<PlainDocument>,
    /// What the marks in texts stand for.
    pub(super) uses: Vec<Use>,
}

impl SourceText {
    /// Reads a file as JSON or YAML, by its name.
    pub(super) fn read(path: &Path) -> Result<Self, FromError> {
        let name = path.display().to_string();
        let io = |source| FromError::Read { path: path.to_owned(), source };
        let extension = path.extension().and_then(|extension| extension.to_str());
        if extension == Some("jsonnet") {
            let message = "Jsonnet is not evaluated here; write what it evaluates to into a .json file and import that";
            return Err(FromError::unusable(name, message));
        }
        if std::fs::metadata(path).map_err(io)?.len() > FILE_BYTES_MAX {
            let message = format!("it holds more than {FILE_BYTES_MAX} bytes");
            return Err(FromError::unusable(name, message));
        }
        let bytes = std::fs::read(path).map_err(io)?;
        let Ok(text) = String::from_utf8(bytes) else {
            return Err(FromError::unusable(name, "it is not UTF-8"));
        };
        Self::parse(name, &text, extension == Some("json"))
    }

    /// Reads a small file of YAML whose name does not say that it is one.
    pub(super) fn read_as_yaml(path: &Path) -> Result<Self, FromError> {
        let text = std::fs::read_to_string(path)
            .map_err(|source| FromError::Read { path: path.to_owned(), source })?;
        Self::parse(path.display().to_string(), &text, false)
    }

    fn parse(name: String, text: &str, is_json: bool) -> Result<Self, FromError> {
        let at = |line: u32| format!("{name}:{line}");
        let expanded = template::expand(text, is_json)
            .map_err(|(line, message)| FromError::unusable(at(line), message))?;
        if is_json {
            let value = serde_json::from_str(&expanded.text).map_err(|error| {
                let place = format!("{name}:{}:{}", error.line(), error.column());
                FromError::unusable(place, without_place(&error))
            })?;
            // For YAML a tab is no space; in JSON it is one, and in no text.
            let places = plain::read(&expanded.text.replace('\t', " ")).ok();
            return Ok(Self { name, value, places, uses: expanded.uses });
        }
        let document = plain::read(&expanded.text).map_err(|error| unreadable(&name, *error))?;
        let value = document.value().clone();
        Ok(Self { name, value, places: Some(document), uses: expanded.uses })
    }

    /// The whole document.
    pub(super) fn value(&self) -> &Value {
        &self.value
    }

    /// The place of a field, or of the nearest one around it: `file:line`.
    pub(super) fn place(&self, path: &str) -> String {
        let places = self.places.as_ref();
        match places.and_then(|places| places.locate(&FieldPath::parse(path))) {
            Some(position) => format!("{}:{}", self.name, position.line),
            None => self.name.clone(),
        }
    }
}

fn unreadable(name: &str, error: InvalidObject) -> FromError {
    let place = match error.position {
        Some(position) => format!("{name}:{}:{}", position.line, position.column),
        None => name.to_owned(),
    };
    FromError::Unusable { place, message: error.message }
}

/// The parser's words; the place is said before them.
fn without_place(error: &serde_json::Error) -> String {
    let text = error.to_string();
    text.split(" at line ").next().unwrap_or(&text).to_owned()
}
