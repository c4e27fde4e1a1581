//! A file in the making: the object, and what is said of it.

use crds::{API_VERSION, ObjectKey};

use super::document::Node;
use super::verdict::Verdict;
use super::{ImportedService, Note, file_of, yaml};
use crate::manifest::{FieldPath, plain};

/// A file that is not finished.
#[derive(Debug)]
pub(super) struct Draft {
    /// The service that it describes.
    pub(super) key: ObjectKey,
    /// Its name, relative to the directory that is written.
    pub(super) file: String,
    head: Vec<String>,
    object: Node,
    notes: Vec<Said>,
}

/// A note, and where it comes from if that is another file.
#[derive(Debug, PartialEq)]
struct Said {
    place: Option<String>,
    path: FieldPath,
    message: String,
}

impl Draft {
    /// A Service with this spec, and comments at the head of its file.
    pub(super) fn new(key: ObjectKey, head: Vec<String>, spec: Node) -> Self {
        let object = Node::mapping([
            ("apiVersion", Node::text(API_VERSION)),
            ("kind", Node::text("Service")),
            ("metadata", Node::mapping([("name", Node::text(key.name.to_string()))])),
            ("spec", spec),
        ]);
        let file = file_of(&key);
        Self { key, file, head, object, notes: Vec::new() }
    }

    /// The file as it is now.
    pub(super) fn text(&self) -> String {
        yaml::emit(&self.head, &self.object)
    }

    /// Adds a comment at the head.
    pub(super) fn head(&mut self, comment: &str) {
        self.head.push(comment.to_owned());
    }

    /// Sets a field of the spec.
    pub(super) fn set(&mut self, name: &str, node: Node) {
        if let Some(spec) = self.object.member("spec") {
            spec.node.set(name, node);
        }
    }

    /// Says something of a field, in the file and beside it. What is said of the whole stands at the head.
    pub(super) fn note(&mut self, path: &str, message: &str) {
        self.say(Said { place: None, path: FieldPath::parse(path), message: message.to_owned() });
    }

    /// The same about something that stands at a place of another file.
    pub(super) fn note_from(&mut self, place: &str, path: &str, message: &str) {
        let (path, message) = (FieldPath::parse(path), message.to_owned());
        self.say(Said { place: Some(place.to_owned()), path, message });
    }

    fn say(&mut self, said: Said) {
        if self.notes.contains(&said) {
            return;
        }
        let comment = match &said.place {
            Some(place) => format!("{}: {}", file_name(place), said.message),
            None => said.message.clone(),
        };
        let is_whole = said.path.steps().len() < 2;
        if is_whole || !self.object.comment(&said.path, &comment) {
            self.head.push(comment);
        }
        self.notes.push(said);
    }

    /// The finished file, with the place of each note in it.
    pub(super) fn finish(self, verdict: Verdict) -> ImportedService {
        let text = self.text();
        let written = plain::read(&text).ok();
        let place = |path: &FieldPath| match written.as_ref().and_then(|file| file.locate(path)) {
            Some(position) => format!("{}:{}", self.file, position.line),
            None => self.file.clone(),
        };
        let notes = self.notes.iter().map(|said| Note {
            place: said.place.clone().unwrap_or_else(|| place(&said.path)),
            path: said.path.to_string(),
            message: said.message.clone(),
        });
        let notes = notes.collect();
        ImportedService { notes, key: self.key, file: self.file.clone(), text, verdict }
    }
}

/// The last part of a path, so that no comment tells of the machine on which it was written.
fn file_name(place: &str) -> &str {
    place.rsplit(['/', '\\']).next().unwrap_or(place)
}
