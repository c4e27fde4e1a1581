//! A document as a tree in which every node knows its place.
//!
//! Aliases share the node they name, so that nothing is copied however often it is used; how large the document would be
//! with everything written out is counted and bounded.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

use crds::Position;
use granit_parser::{Event, Parser, ScalarStyle, Span, Tag};

use super::path::{FieldPath, Step};
use super::problem::{Problem, quoted};
use super::{recover, syntax};

/// The most values that a document may hold, aliases written out.
pub(super) const NODES_MAX: u32 = 50_000;
/// How many repeated fields are told; those that make the key always are.
const REPEATED_MAX: usize = 100;
/// How deep values may be nested.
pub(super) const DEPTH_MAX: u32 = 64;

/// The place of a node in its tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct NodeId(u32);

/// A document.
#[derive(Debug, Default)]
pub(super) struct Tree {
    nodes: Vec<Node>,
    root: Option<NodeId>,
}

/// One value.
#[derive(Debug)]
pub(super) struct Node {
    pub(super) position: Position,
    pub(super) content: Content,
    /// How many values it holds with itself, aliases written out.
    weight: u32,
    /// How many levels of values it has.
    height: u32,
}

/// What a value is.
#[derive(Debug)]
pub(super) enum Content {
    Scalar { text: String, is_plain: bool },
    Sequence(Vec<NodeId>),
    Mapping(Vec<Entry>),
}

/// One field of a mapping.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    pub(super) key: String,
    pub(super) key_position: Position,
    pub(super) value: NodeId,
}

/// What came of reading a document.
#[derive(Debug, Default)]
pub(super) struct Reading {
    /// The whole document, or what could be read of it.
    pub(super) tree: Tree,
    /// What is wrong and left the tree whole.
    pub(super) problems: Vec<Problem>,
    /// What ended the reading too early.
    pub(super) broken: Option<Problem>,
}

impl Tree {
    pub(super) fn root(&self) -> Option<NodeId> {
        self.root
    }

    pub(super) fn node(&self, id: NodeId) -> Option<&Node> {
        self.nodes.get(id.0 as usize)
    }

    pub(super) fn entries(&self, id: NodeId) -> &[Entry] {
        match self.node(id).map(|node| &node.content) {
            Some(Content::Mapping(entries)) => entries,
            Some(Content::Scalar { .. } | Content::Sequence(_)) | None => &[],
        }
    }

    pub(super) fn items(&self, id: NodeId) -> &[NodeId] {
        match self.node(id).map(|node| &node.content) {
            Some(Content::Sequence(items)) => items,
            Some(Content::Scalar { .. } | Content::Mapping(_)) | None => &[],
        }
    }

    pub(super) fn text(&self, id: NodeId) -> Option<&str> {
        match self.node(id).map(|node| &node.content) {
            Some(Content::Scalar { text, .. }) => Some(text),
            Some(Content::Sequence(_) | Content::Mapping(_)) | None => None,
        }
    }

    pub(super) fn field(&self, id: NodeId, name: &str) -> Option<&Entry> {
        self.entries(id).iter().find(|entry| entry.key == name)
    }

    /// The text of a field of the root, or of a field of a field.
    pub(super) fn text_at(&self, names: &[&str]) -> Option<&str> {
        let mut at = self.root?;
        for name in names {
            at = self.field(at, name)?.value;
        }
        self.text(at)
    }

    /// Where a field is: at its value if that is on the field's own line, else at its name.
    pub(super) fn place(&self, entry: &Entry) -> Position {
        match self.node(entry.value) {
            Some(Node { position, content: Content::Scalar { .. }, .. })
                if position.line >= entry.key_position.line =>
            {
                *position
            }
            Some(_) | None => entry.key_position,
        }
    }

    /// Where a field is, or the nearest one around it.
    pub(super) fn locate(&self, path: &FieldPath) -> Option<Position> {
        let mut at = self.root?;
        let mut position = self.node(at)?.position;
        for step in path.steps() {
            match step {
                Step::Field(name) => {
                    let Some(entry) = self.field(at, name) else { break };
                    position = self.place(entry);
                    at = entry.value;
                }
                Step::Item(index) => {
                    let Some(item) = self.items(at).get(*index) else { break };
                    at = *item;
                    position = self.node(at)?.position;
                }
            }
        }
        Some(position)
    }
}

/// Reads a document that starts on this line of its file.
pub(super) fn read(text: &str, first_line: u32) -> Reading {
    let mut builder = Builder {
        reading: Reading::default(),
        frames: Vec::new(),
        anchors: HashMap::new(),
        first_line,
        total: 0,
        is_done: false,
    };
    let options = granit_parser::options! {
        emit_comments: false,
        flow_nesting_limit: DEPTH_MAX as usize + 8,
        block_nesting_limit: DEPTH_MAX as usize + 8,
    };
    for event in Parser::new_from_str_with_options(text, options) {
        let step = match event {
            Ok((event, span)) => builder
                .take(event, span)
                .map_err(|problem| Box::new(syntax::or_template(*problem, text, first_line))),
            Err(error) => Err(Box::new(syntax::problem(&error, text, first_line))),
        };
        if let Err(problem) = step {
            builder.reading.broken = Some(*problem);
            break;
        }
    }
    builder.finish()
}

struct Builder {
    reading: Reading,
    frames: Vec<Frame>,
    anchors: HashMap<usize, NodeId>,
    first_line: u32,
    total: u32,
    is_done: bool,
}

/// A sequence or mapping that is still open.
struct Frame {
    position: Position,
    anchor: usize,
    inside: Inside,
}

enum Inside {
    Sequence(Vec<NodeId>),
    Mapping { entries: Vec<Entry>, key: Option<(String, Position)> },
}

impl Builder {
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "comments, names of anchors and the edges of the stream carry no values; later kinds cannot either"
    )]
    fn take(&mut self, event: Event<'_>, span: Span) -> Result<(), Box<Problem>> {
        let position = syntax::position(&span.start, self.first_line);
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                let is_plain = style == ScalarStyle::Plain && !is_text(tag.as_ref());
                self.check_tag(tag.as_ref(), position)?;
                self.scalar(text, is_plain, anchor, position)
            }
            Event::SequenceStart(_, anchor, tag) => {
                self.check_tag(tag.as_ref(), position)?;
                self.open(position, anchor, Inside::Sequence(Vec::new()))
            }
            Event::MappingStart(_, anchor, tag) => {
                self.check_tag(tag.as_ref(), position)?;
                self.open(position, anchor, Inside::Mapping { entries: Vec::new(), key: None })
            }
            Event::SequenceEnd | Event::MappingEnd => self.close(),
            Event::Alias(anchor) => self.alias(anchor, position),
            Event::DocumentStart(..) if self.is_done => Err(Box::new(Problem::new(
                position,
                FieldPath::default(),
                "a second document starts here without a line `---`",
            ))),
            Event::DocumentEnd => {
                self.is_done = true;
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn scalar(
        &mut self,
        text: Cow<'_, str>,
        is_plain: bool,
        anchor: usize,
        position: Position,
    ) -> Result<(), Box<Problem>> {
        if let Some(Frame { inside: Inside::Mapping { key: key @ None, .. }, .. }) =
            self.frames.last_mut()
        {
            *key = Some((text.into_owned(), position));
            return Ok(());
        }
        let content = Content::Scalar { text: text.into_owned(), is_plain };
        let id = self.add(Node { position, content, weight: 1, height: 1 })?;
        self.place(id, anchor);
        Ok(())
    }

    fn open(
        &mut self,
        position: Position,
        anchor: usize,
        inside: Inside,
    ) -> Result<(), Box<Problem>> {
        if self.awaits_key() {
            let message = "a list or mapping cannot be the name of a field";
            let hint = "references are text, quote them: \"${var:name}\"";
            return Err(Box::new(Problem::new(position, self.path(), message).hint(hint)));
        }
        self.check_depth(position, 1)?;
        self.frames.push(Frame { position, anchor, inside });
        Ok(())
    }

    fn close(&mut self) -> Result<(), Box<Problem>> {
        let Some(Frame { position, anchor, inside }) = self.frames.pop() else { return Ok(()) };
        let content = match inside {
            Inside::Sequence(items) => Content::Sequence(items),
            Inside::Mapping { entries, .. } => {
                let entries = self.without_duplicates(entries);
                Content::Mapping(self.merged(entries)?)
            }
        };
        let (weight, height) = self.measure(&content);
        let id = self.add(Node { position, content, weight, height })?;
        self.place(id, anchor);
        Ok(())
    }

    fn alias(&mut self, anchor: usize, position: Position) -> Result<(), Box<Problem>> {
        if self.awaits_key() {
            let message = "an alias cannot be the name of a field";
            return Err(Box::new(Problem::new(position, self.path(), message)));
        }
        let Some(id) = self.anchors.get(&anchor).copied() else {
            let message = "the alias names something that contains it";
            return Err(Box::new(Problem::new(position, self.path(), message)));
        };
        let (weight, height) =
            self.reading.tree.node(id).map_or((1, 1), |node| (node.weight, node.height));
        self.check_depth(position, height)?;
        self.count(weight, position)?;
        self.place(id, 0);
        Ok(())
    }

    /// Puts a finished value where it belongs.
    fn place(&mut self, id: NodeId, anchor: usize) {
        if anchor != 0 {
            self.anchors.insert(anchor, id);
        }
        match self.frames.last_mut().map(|frame| &mut frame.inside) {
            None => self.reading.tree.root = Some(id),
            Some(Inside::Sequence(items)) => items.push(id),
            Some(Inside::Mapping { entries, key }) => {
                if let Some((key, key_position)) = key.take() {
                    entries.push(Entry { key, key_position, value: id });
                }
            }
        }
    }

    fn awaits_key(&self) -> bool {
        matches!(self.frames.last(), Some(Frame { inside: Inside::Mapping { key: None, .. }, .. }))
    }

    fn add(&mut self, node: Node) -> Result<NodeId, Box<Problem>> {
        self.count(1, node.position)?;
        let id = NodeId(u32::try_from(self.reading.tree.nodes.len()).unwrap_or(u32::MAX));
        self.reading.tree.nodes.push(node);
        Ok(id)
    }

    fn count(&mut self, weight: u32, position: Position) -> Result<(), Box<Problem>> {
        self.total = self.total.saturating_add(weight);
        if self.total <= NODES_MAX {
            return Ok(());
        }
        let message =
            format!("the document holds more than {NODES_MAX} values, aliases written out");
        Err(Box::new(Problem::new(position, self.path(), message)))
    }

    fn check_depth(&self, position: Position, more: u32) -> Result<(), Box<Problem>> {
        let depth = u32::try_from(self.frames.len()).unwrap_or(u32::MAX).saturating_add(more);
        if depth <= DEPTH_MAX {
            return Ok(());
        }
        let message = format!("values are nested deeper than {DEPTH_MAX} levels");
        Err(Box::new(Problem::new(position, FieldPath::default(), message)))
    }

    /// Tags are how YAML asks for types that we do not have. What looks like one may be a password, and is not repeated.
    fn check_tag(
        &self,
        tag: Option<&Cow<'_, Tag>>,
        position: Position,
    ) -> Result<(), Box<Problem>> {
        if !tag.is_some_and(|tag| tag.is_custom()) {
            return Ok(());
        }
        let message = "a word that starts with `!` is a tag, and tags have no meaning here";
        let hint = "write the value itself, in quotes if it starts so";
        Err(Box::new(Problem::new(position, self.path(), message).hint(hint)))
    }

    fn measure(&self, content: &Content) -> (u32, u32) {
        let children: Vec<NodeId> = match content {
            Content::Scalar { .. } => Vec::new(),
            Content::Sequence(items) => items.clone(),
            Content::Mapping(entries) => entries.iter().map(|entry| entry.value).collect(),
        };
        let nodes = children.iter().filter_map(|id| self.reading.tree.node(*id));
        nodes.fold((1, 1), |(weight, height): (u32, u32), node| {
            (weight.saturating_add(node.weight), height.max(node.height.saturating_add(1)))
        })
    }

    /// Keeps the first of several fields of one name and reports the others.
    fn without_duplicates(&mut self, entries: Vec<Entry>) -> Vec<Entry> {
        let mut first: HashMap<&str, Position> = HashMap::with_capacity(entries.len());
        let mut repeated = HashSet::new();
        let mut problems = Vec::new();
        for (index, entry) in entries.iter().enumerate() {
            let known = *first.entry(&entry.key).or_insert(entry.key_position);
            if known == entry.key_position {
                continue;
            }
            repeated.insert(index);
            let known_problems = self.reading.problems.len() + problems.len();
            let mut path = self.path();
            path.push(Step::Field(entry.key.clone()));
            if known_problems >= REPEATED_MAX && !recover::is_identity(&path) {
                continue;
            }
            let message = format!("the field {} is given twice", quoted(&entry.key));
            let hint = format!("it is first given on line {}; keep one of them", known.line);
            problems.push(Problem::new(entry.key_position, path, message).hint(hint));
        }
        if repeated.is_empty() {
            return entries;
        }
        self.reading.problems.append(&mut problems);
        let kept = entries.into_iter().enumerate().filter(|(index, _)| !repeated.contains(index));
        kept.map(|(_, entry)| entry).collect()
    }

    /// Writes `<<: *defaults` out: its fields count where the mapping has none of that name.
    fn merged(&mut self, entries: Vec<Entry>) -> Result<Vec<Entry>, Box<Problem>> {
        if !entries.iter().any(|entry| entry.key == "<<") {
            return Ok(entries);
        }
        let (merges, mut entries): (Vec<Entry>, Vec<Entry>) =
            entries.into_iter().partition(|entry| entry.key == "<<");
        let mut known: HashSet<String> = entries.iter().map(|entry| entry.key.clone()).collect();
        for merge in merges {
            let tree = &self.reading.tree;
            let sources = match tree.node(merge.value).map(|node| &node.content) {
                Some(Content::Sequence(items)) => items.clone(),
                Some(Content::Mapping(_) | Content::Scalar { .. }) | None => vec![merge.value],
            };
            let mut added = Vec::new();
            for source in sources {
                let Some(Content::Mapping(fields)) = tree.node(source).map(|node| &node.content)
                else {
                    let message = "`<<` takes a mapping or a list of mappings";
                    return Err(Box::new(Problem::new(merge.key_position, self.path(), message)));
                };
                added
                    .extend(fields.iter().filter(|field| known.insert(field.key.clone())).cloned());
            }
            for entry in added {
                let weight = self.reading.tree.node(entry.value).map_or(1, |node| node.weight);
                self.count(weight, merge.key_position)?;
                entries.push(entry);
            }
        }
        Ok(entries)
    }

    /// Where the next value goes.
    fn path(&self) -> FieldPath {
        let steps = self.frames.iter().filter_map(|frame| match &frame.inside {
            Inside::Sequence(items) => Some(Step::Item(items.len())),
            Inside::Mapping { key, .. } => key.as_ref().map(|(key, _)| Step::Field(key.clone())),
        });
        FieldPath::new(steps.collect())
    }

    /// Closes what a broken document has left open, so that what was read of it can be looked at.
    fn finish(mut self) -> Reading {
        while !self.frames.is_empty() {
            if self.close().is_err() {
                break;
            }
        }
        self.reading
    }
}

fn is_text(tag: Option<&Cow<'_, Tag>>) -> bool {
    tag.is_some_and(|tag| tag.is_yaml_core_schema_tag("str"))
}
