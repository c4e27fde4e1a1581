//! From the bytes of a file to objects, and to errors that a person can mend.
//!
//! What comes in: one file. What leaves: every object in it that can be used, with the place of each of its fields, and for
//! every document that cannot be used what is wrong, where, and what to do. Guarantees: a broken document harms only its own
//! object, whose key is recovered wherever its name can still be read; documents of other tools are left alone; time and
//! memory are bounded for any input.

mod class;
mod describe;
mod documents;
mod flow;
mod hint;
mod path;
pub(crate) mod plain;
mod problem;
mod read;
mod recover;
mod scalar;
mod semantic;
mod syntax;
mod tree;

use std::cell::OnceCell;

use bytes::Bytes;
use crds::schema::Kind;
use crds::{Controller, InvalidObject, ObjectKey, Position, Release, Service};

use self::class::Class;
use self::documents::Document;
use self::problem::Problem;
use self::tree::{Reading, Tree};
use crate::source::{Refusal, SourceFile};

pub(crate) use hint::nearest;
pub use path::{FieldPath, Step};

/// The most errors that are told of one document.
pub(crate) const PROBLEMS_MAX: usize = 20;

/// What one file holds.
#[derive(Debug, Default)]
pub struct ParsedFile {
    /// The objects that can be used, in the order of the file.
    pub objects: Vec<Located<Object>>,
    /// What is wrong with the documents that cannot.
    pub invalid: Vec<InvalidObject>,
    /// Documents that cannot be read and in which nothing speaks for us: templates of other tools, usually. They concern us
    /// only where one of our objects stood before.
    pub unrecognised: Vec<InvalidObject>,
}

/// An object of any kind.
#[derive(Debug, Clone, PartialEq)]
pub enum Object {
    /// One ECS service.
    Service(Box<Service>),
    /// Which version of an image runs.
    Release(Box<Release>),
    /// The operator's configuration.
    Controller(Box<Controller>),
}

/// Something read from a file, with the places of its parts.
#[derive(Debug, Clone)]
pub struct Located<T> {
    /// What was read.
    pub object: T,
    /// Where its document starts.
    pub position: Position,
    positions: Positions,
}

/// Where the fields of a document are. Nothing is kept for it but the document itself: places are only asked for when
/// something is wrong. Then it is read once, however much is wrong.
#[derive(Debug, Clone)]
struct Positions {
    document: Bytes,
    first_line: u32,
}

impl<T> Located<T> {
    /// What was read, and its places without it.
    pub fn apart(self) -> (T, Located<()>) {
        let Self { object, position, positions } = self;
        (object, Located { object: (), position, positions })
    }

    /// Where its fields are; nothing is read before the first is asked for.
    pub fn places(&self) -> Places<'_> {
        Places { positions: &self.positions, tree: OnceCell::new() }
    }
}

/// Where the fields of an object are.
#[derive(Debug)]
pub struct Places<'a> {
    positions: &'a Positions,
    tree: OnceCell<Option<Tree>>,
}

impl Places<'_> {
    /// Where a field is, as `spec.taskDefinition.containerDefinitions[0].image`; for one that is not written, where the
    /// nearest field around it is.
    pub fn locate(&self, path: &str) -> Option<Position> {
        let tree = self.tree.get_or_init(|| {
            let text = std::str::from_utf8(&self.positions.document).ok()?;
            Some(tree::read(text, self.positions.first_line).tree)
        });
        tree.as_ref()?.locate(&FieldPath::parse(path))
    }
}

/// Reads a file.
pub fn parse(file: &SourceFile) -> ParsedFile {
    let mut parsed = ParsedFile::default();
    if let Some(refusal) = file.refusal() {
        parsed.invalid.push(whole_file(file, refusal.to_string(), refusal.hint()));
        return parsed;
    }
    if file.path().contains(char::is_control) {
        parsed.invalid.push(whole_file(file, Refusal::Path.to_string(), Refusal::Path.hint()));
        return parsed;
    }
    let documents = match documents::split(file.bytes()) {
        Ok(documents) => documents,
        Err(unreadable) if unreadable.may_be_ours() => {
            let hint = unreadable.hint();
            parsed.invalid.push(whole_file(file, unreadable.to_string(), hint));
            return parsed;
        }
        Err(unreadable) => {
            let hint = unreadable.hint();
            parsed.unrecognised.push(whole_file(file, unreadable.to_string(), hint));
            return parsed;
        }
    };
    for document in documents {
        match object(&document) {
            Outcome::Object(object) => parsed.objects.push(Located {
                object,
                position: document.position(),
                positions: Positions {
                    document: file.bytes().slice_ref(document.text.as_bytes()),
                    first_line: document.first_line,
                },
            }),
            Outcome::Invalid { problems, key } => parsed.invalid.extend(
                problems.into_iter().map(|problem| problem.into_invalid(file.path(), key.clone())),
            ),
            Outcome::OfAnotherTool(broken) => parsed
                .unrecognised
                .extend(broken.map(|problem| problem.into_invalid(file.path(), None))),
        }
    }
    parsed
}

enum Outcome {
    Object(Object),
    Invalid {
        problems: Vec<Problem>,
        key: Option<ObjectKey>,
    },
    /// With what is wrong if it cannot be read.
    OfAnotherTool(Option<Problem>),
}

fn object(document: &Document<'_>) -> Outcome {
    let Reading { tree, mut problems, broken } = tree::read(document.text, document.first_line);
    let class = class::of(&tree, document, broken.is_some());
    if matches!(class, Class::OfAnotherTool) {
        return Outcome::OfAnotherTool(broken);
    }
    let is_broken = broken.is_some();
    problems.extend(broken);
    let object = match class {
        Class::OfAnotherTool => return Outcome::OfAnotherTool(None),
        Class::Unclear(problem) => {
            if !is_broken {
                problems.push(problem);
            }
            None
        }
        Class::Ours(_) if is_broken => None,
        Class::Ours(Kind::Service) => read::object::<Service>(&tree, Kind::Service, &mut problems)
            .map(|service| Object::Service(Box::new(service))),
        Class::Ours(Kind::Release) => read::object::<Release>(&tree, Kind::Release, &mut problems)
            .map(|release| Object::Release(Box::new(release))),
        Class::Ours(Kind::Controller) => {
            read::object::<Controller>(&tree, Kind::Controller, &mut problems)
                .map(|controller| Object::Controller(Box::new(controller)))
        }
    };
    if let Some(object) = &object {
        semantic::check(object, &tree, &mut problems);
    }
    match object {
        Some(object) if problems.is_empty() => Outcome::Object(object),
        Some(_) | None => {
            let key = recover::key(&tree, is_broken.then_some(document.text), &problems);
            problems.sort_by_key(|problem| problem.position);
            problems.truncate(PROBLEMS_MAX);
            Outcome::Invalid { problems, key }
        }
    }
}

fn whole_file(file: &SourceFile, message: String, hint: &str) -> InvalidObject {
    InvalidObject {
        source: String::new(),
        file: file.path().to_owned(),
        position: None,
        path: String::new(),
        message,
        hint: Some(hint.to_owned()),
        key: None,
    }
}

#[cfg(test)]
mod tests;
