//! An error on its way up: each level that it passes adds its step to the path.

use std::fmt;

use crds::Position;
use serde::de::{Expected as SerdeExpected, Unexpected};

use crate::manifest::describe::Expected;
use crate::manifest::path::{FieldPath, Step};
use crate::manifest::tree::NodeId;

/// What is wrong, and where.
#[derive(Debug)]
pub(super) struct ReadError {
    pub(super) fault: Fault,
    /// The place, once a level has added it.
    pub(super) position: Option<Position>,
    /// The value that was being read.
    pub(super) node: Option<NodeId>,
    /// The mapping in which a field is missing.
    pub(super) mapping: Option<NodeId>,
    /// What to leave out so that the rest can be read.
    pub(super) culprit: Option<(NodeId, usize)>,
    steps: Vec<Step>,
}

/// What is wrong.
#[derive(Debug)]
pub(super) enum Fault {
    Mismatch { node: NodeId, expected: Expected },
    UnknownField { name: String, known: &'static [&'static str] },
    UnknownWord { word: String, known: &'static [&'static str] },
    Missing(&'static str),
    OutOfRange { expected: String },
    Other(String),
}

/// serde's errors are moved through every level; a box keeps that cheap.
#[derive(Debug)]
pub(super) struct Boxed(Box<ReadError>);

impl std::ops::Deref for Boxed {
    type Target = ReadError;
    fn deref(&self) -> &ReadError {
        &self.0
    }
}

impl From<Boxed> for ReadError {
    fn from(boxed: Boxed) -> Self {
        *boxed.0
    }
}

impl Boxed {
    pub(super) fn new(fault: Fault) -> Self {
        Self(Box::new(ReadError {
            fault,
            position: None,
            node: None,
            mapping: None,
            culprit: None,
            steps: Vec::new(),
        }))
    }

    /// Adds the step that led to the error; the innermost level also says where and what to leave out.
    pub(super) fn below(
        mut self,
        step: Step,
        position: Option<Position>,
        node: NodeId,
        culprit: (NodeId, usize),
    ) -> Self {
        let error = &mut *self.0;
        error.steps.push(step);
        error.position = error.position.or(position);
        error.node = error.node.or(Some(node));
        error.culprit = error.culprit.or(Some(culprit));
        self
    }

    /// Notes the mapping that was being read.
    pub(super) fn inside(mut self, mapping: NodeId) -> Self {
        self.0.mapping = self.0.mapping.or(Some(mapping));
        self
    }
}

impl ReadError {
    pub(super) fn path(&self) -> FieldPath {
        FieldPath::new(self.steps.iter().rev().cloned().collect())
    }
}

impl fmt::Display for Boxed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.0.fault)
    }
}

impl std::error::Error for Boxed {}

impl serde::de::Error for Boxed {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self::new(Fault::Other(message.to_string()))
    }

    fn invalid_type(found: Unexpected<'_>, expected: &dyn SerdeExpected) -> Self {
        Self::new(Fault::Other(format!("expected {expected}, found {found}")))
    }

    fn invalid_value(_found: Unexpected<'_>, expected: &dyn SerdeExpected) -> Self {
        Self::new(Fault::OutOfRange { expected: expected.to_string() })
    }

    fn unknown_variant(word: &str, known: &'static [&'static str]) -> Self {
        Self::new(Fault::UnknownWord { word: word.to_owned(), known })
    }

    fn unknown_field(name: &str, known: &'static [&'static str]) -> Self {
        Self::new(Fault::UnknownField { name: name.to_owned(), known })
    }

    fn missing_field(name: &'static str) -> Self {
        Self::new(Fault::Missing(name))
    }
}
