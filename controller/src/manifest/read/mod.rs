//! From a tree to a typed object, with every error at its place.
//!
//! serde stops at the first error. Reading therefore goes in rounds: what was wrong is reported, left out, and the rest is
//! read again, so that a person sees all errors at once.

mod access;
mod error;
mod value;

use std::collections::HashSet;

use crds::schema::Kind;
use serde::de::DeserializeOwned;

use self::error::{Fault, ReadError};
use self::value::ValueReader;
use super::describe::{self, Expected, discreet_mismatch, mismatch};
use super::hint::{nearest, unknown_field};
use super::path::{FieldPath, Step};
use super::problem::{Problem, quoted};
use super::tree::{NodeId, Tree};

/// The most errors that are reported of one document.
const ERRORS_MAX: usize = 20;

/// What is left out in a round: fields of mappings and items of lists, by their place in them.
type Skipped = HashSet<(NodeId, usize)>;

/// Reads the whole tree as a `T`; what is wrong is added to the problems.
pub(super) fn object<T: DeserializeOwned>(
    tree: &Tree,
    kind: Kind,
    problems: &mut Vec<Problem>,
) -> Option<T> {
    let root = tree.root()?;
    let mut skipped = Skipped::new();
    let mut read = None;
    for _ in 0..ERRORS_MAX {
        let error = match T::deserialize(ValueReader { tree, skipped: &skipped, node: root }) {
            Ok(object) => {
                read = Some(object);
                break;
            }
            Err(error) => ReadError::from(error),
        };
        let culprit = error.culprit;
        if !follows_from_skipped(&error, tree, &skipped) {
            problems.push(problem(error, tree, kind, root));
        }
        match culprit {
            Some(culprit) if skipped.insert(culprit) => {}
            Some(_) | None => break,
        }
    }
    read.filter(|_| skipped.is_empty())
}

/// Whether a field is only missing because an error in it, or in the spelling of its name, was reported before.
fn follows_from_skipped(error: &ReadError, tree: &Tree, skipped: &Skipped) -> bool {
    let (Fault::Missing(name), Some(mapping)) = (&error.fault, error.mapping) else { return false };
    let mut entries = tree.entries(mapping).iter().enumerate();
    entries.any(|(index, entry)| {
        skipped.contains(&(mapping, index)) && nearest(&entry.key, &[*name]).is_some()
    })
}

fn problem(error: ReadError, tree: &Tree, kind: Kind, root: NodeId) -> Problem {
    let mut path = error.path();
    let position = error
        .position
        .or_else(|| tree.node(error.mapping.unwrap_or(root)).map(|node| node.position));
    let (message, hint) = match error.fault {
        Fault::Mismatch { node, expected } if may_be_secret(&path, expected) => {
            discreet_mismatch(tree, node, expected)
        }
        Fault::Mismatch { node, expected } => mismatch(tree, node, expected),
        Fault::UnknownField { name, known } => {
            let hint = unknown_field(kind, &path.parent(), &name, known);
            (format!("unknown field {}", quoted(&name)), hint)
        }
        Fault::UnknownWord { word, known } => {
            let hint = match nearest(&word, known) {
                Some(nearest) => format!("did you mean `{nearest}`?"),
                None => format!("write one of {}", known.join(", ")),
            };
            (format!("{} is not one of the known words", quoted(&word)), Some(hint))
        }
        Fault::Missing(name) => {
            path.push(Step::Field(name.to_owned()));
            (format!("the field `{name}` is missing"), None)
        }
        Fault::OutOfRange { expected } => {
            let found = error.node.map_or_else(String::new, |node| describe::value(tree, node));
            (format!("{found} is out of range"), range(&expected))
        }
        Fault::Other(message) => (message, None),
    };
    Problem { position, path, message, hint }
}

/// Whether a value at this place is not repeated in a message, because it may be a secret: that of a variable, or one that
/// stands where a mapping says from where to read it (`token: ghp_…` instead of `token: {env: …}`).
fn may_be_secret(path: &FieldPath, expected: Expected) -> bool {
    let is =
        |step: Option<&Step>, name: &str| matches!(step, Some(Step::Field(field)) if field == name);
    let mut upwards = path.steps().iter().rev();
    let is_value = is(upwards.next(), "value");
    expected == Expected::Mapping || (is_value && is(upwards.nth(1), "environment"))
}

/// The range of an integer type in words.
fn range(expected: &str) -> Option<String> {
    let (least, most) = match expected {
        "i32" => (i64::from(i32::MIN), i64::from(i32::MAX)),
        "u32" => (0, i64::from(u32::MAX)),
        "u16" => (0, i64::from(u16::MAX)),
        "u8" => (0, i64::from(u8::MAX)),
        "u64" | "usize" => return Some("it must not be negative".to_owned()),
        _ => return None,
    };
    Some(format!("it must be from {least} to {most}"))
}
