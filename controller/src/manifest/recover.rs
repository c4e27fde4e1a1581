//! Which service a broken document means, so that only that one is held.
//!
//! Careful rather than clever: a wrong key would let the service that was meant look deleted. Where two answers are possible
//! there is none.

use crds::{ObjectKey, TargetName};

use super::flow;
use super::path::{FieldPath, Step};
use super::problem::Problem;
use super::tree::Tree;

/// What of a key may stand where.
const PARTS: [(&str, &str); 3] = [("metadata", "name"), ("spec", "cluster"), ("spec", "target")];

/// The key of a document that cannot be used.
pub(super) fn key(tree: &Tree, text: &str, problems: &[Problem]) -> Option<ObjectKey> {
    if problems.iter().any(is_about_identity) {
        return None;
    }
    let scanned = scan(text);
    let part = |(block, field): (&str, &str)| match tree.text_at(&[block, field]) {
        Some(text) => Part::One(text.to_owned()),
        None => scanned.part(block, field),
    };
    let [name, cluster, target] = PARTS.map(part);
    let kind = tree.text_at(&["kind"]).map(str::to_owned).or_else(|| scanned.kind());
    if kind.as_deref() == Some("Controller") {
        return None;
    }
    let target = match target {
        Part::One(target) => target.parse().ok()?,
        Part::None => TargetName::default(),
        Part::Several => return None,
    };
    Some(ObjectKey {
        target,
        cluster: cluster.only()?.parse().ok()?,
        name: name.only()?.parse().ok()?,
    })
}

/// Whether a field that makes the key is given twice.
fn is_about_identity(problem: &Problem) -> bool {
    let is_twice = problem.message.ends_with("is given twice");
    is_twice
        && match problem.path.steps() {
            [Step::Field(_)] => true,
            [Step::Field(block), Step::Field(field)] => PARTS.contains(&(block, field)),
            _ => false,
        }
}

/// What was found of one part of the key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Part {
    None,
    One(String),
    Several,
}

impl Part {
    fn only(self) -> Option<String> {
        match self {
            Self::One(text) => Some(text),
            Self::None | Self::Several => None,
        }
    }
}

/// Scalars of the first two levels, found without a parser.
#[derive(Debug, Default)]
pub(super) struct Scanned(Vec<(FieldPath, String)>);

impl Scanned {
    pub(super) fn push(&mut self, path: Vec<&str>, value: &str) {
        let steps = path.into_iter().map(|name| Step::Field(name.to_owned())).collect();
        self.0.push((FieldPath::new(steps), value.to_owned()));
    }

    pub(super) fn part(&self, block: &str, field: &str) -> Part {
        self.at(&FieldPath::new(vec![Step::Field(block.to_owned()), Step::Field(field.to_owned())]))
    }

    pub(super) fn kind(&self) -> Option<String> {
        self.at(&FieldPath::parse("kind")).only()
    }

    pub(super) fn api_version(&self) -> Option<String> {
        self.at(&FieldPath::parse("apiVersion")).only()
    }

    pub(super) fn has_our_kind(&self) -> bool {
        self.kind().is_some_and(|kind| kind == "Service" || kind == "Controller")
    }

    fn at(&self, wanted: &FieldPath) -> Part {
        let mut found = self.0.iter().filter(|(path, _)| path == wanted).map(|(_, value)| value);
        match (found.next(), found.next()) {
            (None, _) => Part::None,
            (Some(value), None) => Part::One(value.clone()),
            (Some(_), Some(_)) => Part::Several,
        }
    }
}

/// Finds the label and the key of a document line by line.
pub(super) fn scan(text: &str) -> Scanned {
    let body = text.strip_prefix("---").unwrap_or(text);
    let first = body.lines().map(str::trim).find(|line| !line.is_empty() && !line.starts_with('#'));
    if first.is_some_and(|line| line.starts_with('{')) {
        return flow::scan(body);
    }
    let mut scanned = Scanned::default();
    let mut block: Option<&str> = None;
    let mut indentation_inside: Option<usize> = None;
    for line in body.lines() {
        let content = line.trim_start_matches([' ', '\t']);
        let Some((name, value)) = field(content) else { continue };
        let indentation = line.len() - content.len();
        if indentation == 0 {
            block = Some(name);
            indentation_inside = None;
            if let Some(value) = value {
                scanned.push(vec![name], value);
            }
        } else if let Some(block) = block {
            let inside = *indentation_inside.get_or_insert(indentation);
            if let (true, Some(value)) = (indentation == inside, value) {
                scanned.push(vec![block, name], value);
            }
        }
    }
    scanned
}

/// `name: value`, with the quotes taken off; also without the space, which is what may have broken the document.
fn field(line: &str) -> Option<(&str, Option<&str>)> {
    if line.starts_with(['#', '-']) {
        return None;
    }
    let (name, value) = line.split_once(':')?;
    let name = name.trim().trim_matches(['"', '\'']);
    let is_name = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric());
    if !is_name {
        return None;
    }
    let value = value.split(" #").next().unwrap_or_default().trim();
    let value = value.trim_matches(['"', '\'']);
    Some((name, (!value.is_empty()).then_some(value)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key_of(text: &str) -> Option<String> {
        key(&Tree::default(), text, &[]).map(|key| key.to_string())
    }

    #[test]
    fn a_key_is_found_in_the_lines() {
        let text = "kind: Service\nmetadata:\n  name: \"web\n  labels:\n    name: other\nspec:\n\
                    \x20   cluster: shop # here\n    target: eu\n    taskDefinition:\n      cluster: no\n";
        assert_eq!(key_of(text), Some("eu:shop/web".to_owned()));
        assert_eq!(
            key_of("metadata:\n  name:web\nspec:\n  cluster: shop\n"),
            Some("shop/web".to_owned())
        );
    }

    #[test]
    fn where_two_answers_are_possible_there_is_none() {
        assert_eq!(key_of("metadata:\n  name: a\n  name: b\nspec:\n  cluster: shop\n"), None);
        assert_eq!(key_of("metadata:\n  name: ${var:x}\nspec:\n  cluster: shop\n"), None);
        assert_eq!(key_of("metadata:\n  name: a\nspec:\n"), None);
        assert_eq!(key_of("kind: Controller\nmetadata:\n  name: a\nspec:\n  cluster: b\n"), None);
    }

    #[test]
    fn a_key_is_found_in_json_too() {
        let text = r#"{"kind": "Service", "metadata": {"name": "web", "labels": {"name": "x"}},
            "spec": {"taskDefinition": {"cluster": "no"}, "cluster": "shop", "oops": }"#;
        assert_eq!(key_of(text), Some("shop/web".to_owned()));
    }
}
