//! Documents that are not ours, as JSON in which every value can be found again: what other tools' files are imported from.

use crds::{InvalidObject, Position};
use serde_json::{Map, Number, Value};

use super::documents;
use super::path::FieldPath;
use super::scalar::{Meaning, meaning};
use super::tree::{self, Content, NodeId, Tree};

/// A document and the places of its values.
#[derive(Debug)]
pub(crate) struct PlainDocument {
    tree: Tree,
    value: Value,
}

/// Reads the first document of a YAML text. Fields given twice are errors, as everywhere.
pub(crate) fn read(text: &str) -> Result<PlainDocument, Box<InvalidObject>> {
    let whole = |message: String| {
        Box::new(InvalidObject {
            source: String::new(),
            file: String::new(),
            position: None,
            path: String::new(),
            message,
            hint: None,
            key: None,
        })
    };
    let documents = documents::split(text.as_bytes()).map_err(|error| whole(error.to_string()))?;
    let Some(document) = documents.first() else {
        return Ok(PlainDocument { tree: Tree::default(), value: Value::Null });
    };
    let reading = tree::read(document.text, document.first_line);
    if let Some(problem) = reading.broken.into_iter().chain(reading.problems).next() {
        return Err(Box::new(problem.into_invalid("", None)));
    }
    let value = reading.tree.root().map_or(Value::Null, |root| value(&reading.tree, root));
    Ok(PlainDocument { tree: reading.tree, value })
}

impl PlainDocument {
    /// The document as JSON.
    pub(crate) fn value(&self) -> &Value {
        &self.value
    }

    /// Where a field is, or the nearest one around it.
    pub(crate) fn locate(&self, path: &FieldPath) -> Option<Position> {
        self.tree.locate(path)
    }
}

/// A node with its aliases written out; how large that becomes is bounded by the reading of the tree.
fn value(tree: &Tree, id: NodeId) -> Value {
    match tree.node(id).map(|node| &node.content) {
        None => Value::Null,
        Some(Content::Scalar { text, is_plain: false }) => Value::String(text.clone()),
        Some(Content::Scalar { text, is_plain: true }) => match meaning(text) {
            Meaning::Null => Value::Null,
            Meaning::Bool(value) => Value::Bool(value),
            Meaning::Whole(number) => match (i64::try_from(number), u64::try_from(number)) {
                (Ok(number), _) => Value::from(number),
                (Err(_), Ok(number)) => Value::from(number),
                (Err(_), Err(_)) => Value::String(text.clone()),
            },
            Meaning::Fraction(number) => {
                Number::from_f64(number).map_or_else(|| Value::String(text.clone()), Value::Number)
            }
            Meaning::Text => Value::String(text.clone()),
        },
        Some(Content::Sequence(items)) => items.iter().map(|item| value(tree, *item)).collect(),
        Some(Content::Mapping(entries)) => entries
            .iter()
            .map(|entry| (entry.key.clone(), value(tree, entry.value)))
            .collect::<Map<_, _>>()
            .into(),
    }
}
