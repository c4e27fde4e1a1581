//! Whose document it is: ours, another tool's, or ours with a wrong label.

use crds::schema::Kind;
use crds::{API_VERSION, Position};

use super::documents::Document;
use super::hint::{distance, nearest};
use super::path::{FieldPath, Step};
use super::problem::{Problem, quoted};
use super::recover;
use super::tree::{Content, Entry, NodeId, Tree};

/// The group of our API.
const GROUP: &str = "longshore.dev";

/// Whose document it is.
#[derive(Debug)]
pub(super) enum Class {
    /// One of our objects.
    Ours(Kind),
    /// It seems to be ours, but not which kind; what is wrong with its label.
    Unclear(Problem),
    /// Another tool's, or nobody's.
    OfAnotherTool,
}

/// Whether a text may hold one of our objects.
pub(super) fn mentions_us(text: &str) -> bool {
    text.contains(GROUP)
}

/// Whose document this is. A broken one counts as ours as soon as something speaks for it, because one that was ours
/// yesterday must not look like a deletion.
pub(super) fn of(tree: &Tree, document: &Document<'_>, is_broken: bool) -> Class {
    let Some(root) = tree.root() else {
        return if is_broken { of_broken(document) } else { Class::OfAnotherTool };
    };
    match tree.node(root).map(|node| &node.content) {
        Some(Content::Mapping(_)) => {}
        Some(Content::Sequence(_)) => return of_list(tree, root, document, is_broken),
        Some(Content::Scalar { text, .. }) if !is_broken && !mentions_us(text) => {
            return Class::OfAnotherTool;
        }
        Some(Content::Scalar { .. }) if !is_broken => {
            let message = "the document is a text, not a mapping";
            let problem = Problem::new(document.position(), FieldPath::default(), message)
                .hint("a field is written `name: value`, with a space after the colon");
            return Class::Unclear(problem);
        }
        Some(Content::Scalar { .. }) | None => return of_broken(document),
    }
    match tree.text_at(&["apiVersion"]) {
        Some(API_VERSION) => of_kind(tree, root),
        Some(version) => of_version(tree, root, version),
        None => of_unversioned(tree, root, document, is_broken),
    }
}

fn of_kind(tree: &Tree, root: NodeId) -> Class {
    let known: Vec<&str> = Kind::ALL.iter().map(|kind| kind.as_str()).collect();
    let list = known.join(", ");
    let Some(entry) = tree.field(root, "kind") else {
        let position = tree.field(root, "apiVersion").map(|entry| entry.key_position);
        let problem = Problem { position, ..missing("kind") };
        return Class::Unclear(problem.hint(format!("write one of {list}")));
    };
    let kind = tree.text(entry.value).unwrap_or_default();
    if let Some(kind) = Kind::ALL.into_iter().find(|known| known.as_str() == kind) {
        return Class::Ours(kind);
    }
    let problem = Problem::new(
        tree.place(entry),
        FieldPath::new(vec![Step::Field("kind".to_owned())]),
        format!("{} is not a kind of {API_VERSION}", quoted(kind)),
    );
    Class::Unclear(match nearest(kind, &known) {
        Some(nearest) => problem.hint(format!("did you mean `{nearest}`?")),
        None => problem.hint(format!("kinds are {list}")),
    })
}

fn of_version(tree: &Tree, root: NodeId, version: &str) -> Class {
    let group = version.split('/').next().unwrap_or_default();
    if distance(&group.to_lowercase(), GROUP) > 2 && !has_our_shape(tree, root) {
        return Class::OfAnotherTool;
    }
    let position = tree.field(root, "apiVersion").map(|entry| tree.place(entry));
    Class::Unclear(Problem {
        position,
        path: FieldPath::new(vec![Step::Field("apiVersion".to_owned())]),
        message: format!("{} is not a version that this Longshore knows", quoted(version)),
        hint: Some(format!("write `{API_VERSION}`")),
    })
}

/// No `apiVersion`: ours if it looks like ours.
fn of_unversioned(tree: &Tree, root: NodeId, document: &Document<'_>, is_broken: bool) -> Class {
    let misspelt = tree
        .entries(root)
        .iter()
        .find(|entry| tree.text(entry.value).is_some_and(|text| text.starts_with(GROUP)));
    if let Some(entry) = misspelt {
        let path = FieldPath::new(vec![Step::Field(entry.key.clone())]);
        let message = format!("unknown field {}", quoted(&entry.key));
        let problem = Problem::new(entry.key_position, path, message);
        return Class::Unclear(problem.hint("did you mean `apiVersion`?"));
    }
    let is_our_kind = tree
        .text_at(&["kind"])
        .is_some_and(|kind| Kind::ALL.iter().any(|known| known.as_str() == kind));
    if is_our_kind || has_our_shape(tree, root) {
        let problem = Problem { position: Some(document.position()), ..missing("apiVersion") };
        return Class::Unclear(problem.hint(format!("write `apiVersion: {API_VERSION}`")));
    }
    if is_broken { of_broken(document) } else { Class::OfAnotherTool }
}

/// No other tool is known to have a cluster beside a task definition that is written out.
fn has_our_shape(tree: &Tree, root: NodeId) -> bool {
    let Some(spec) = tree.field(root, "spec") else { return false };
    let is_mapping = |entry: &Entry| {
        matches!(tree.node(entry.value).map(|node| &node.content), Some(Content::Mapping(_)))
    };
    tree.field(spec.value, "cluster").is_some()
        && tree.field(spec.value, "taskDefinition").is_some_and(is_mapping)
}

fn of_list(tree: &Tree, root: NodeId, document: &Document<'_>, is_broken: bool) -> Class {
    let is_ours = |item: &NodeId| {
        let version = tree.field(*item, "apiVersion").and_then(|entry| tree.text(entry.value));
        version.is_some_and(mentions_us)
    };
    if tree.items(root).iter().any(is_ours) {
        let message = "the document is a list of objects";
        let problem = Problem::new(document.position(), FieldPath::default(), message);
        return Class::Unclear(
            problem.hint("write each object as a document, with a line `---` between"),
        );
    }
    if is_broken { of_broken(document) } else { Class::OfAnotherTool }
}

/// Too broken to have a label that the parser could read.
fn of_broken(document: &Document<'_>) -> Class {
    let found = recover::scan(document.text);
    let version = found.api_version();
    let is_ours = match &version {
        Some(version) => mentions_us(version) || distance(version, API_VERSION) <= 2,
        None => mentions_us(document.text) || found.has_our_kind(),
    };
    if is_ours {
        Class::Unclear(Problem::new(document.position(), FieldPath::default(), "cannot be read"))
    } else {
        Class::OfAnotherTool
    }
}

fn missing(name: &str) -> Problem {
    Problem::new(
        Position { line: 1, column: 1 },
        FieldPath::new(vec![Step::Field(name.to_owned())]),
        format!("the field `{name}` is missing"),
    )
}
