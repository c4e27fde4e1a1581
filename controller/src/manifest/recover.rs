//! Which service a broken document means, so that only that one is held.
//!
//! Careful rather than clever: a wrong key would let the service that was meant look deleted. Where two answers are possible
//! there is none.

use std::str::FromStr;

use crds::schema::Kind;
use crds::{ObjectKey, TargetName};

use super::flow;
use super::path::{FieldPath, Step};
use super::problem::Problem;
use super::tree::Tree;

/// What of a key may stand where.
const PARTS: [(&str, &str); 3] = [("metadata", "name"), ("spec", "cluster"), ("spec", "target")];

/// The key of a document that cannot be used. Of a broken one the tree is only what was read before it broke, so the lines
/// are asked too, and both must agree.
pub(super) fn key(
    tree: &Tree,
    broken_text: Option<&str>,
    problems: &[Problem],
) -> Option<ObjectKey> {
    if problems.iter().any(is_about_identity) {
        return None;
    }
    let scanned = broken_text.map(scan).unwrap_or_default();
    let kind = tree.text_at(&["kind"]).map(str::to_owned).or_else(|| scanned.kind());
    if matches!(kind.as_deref(), Some("Controller" | "Release")) {
        return None;
    }
    let candidates = |(block, field): (&str, &str)| {
        let mut found: Vec<String> =
            tree.text_at(&[block, field]).map(str::to_owned).into_iter().collect();
        found.extend(scanned.part(block, field).map(str::to_owned));
        found
    };
    let [names, clusters, targets] = PARTS.map(candidates);
    let target = if targets.is_empty() { TargetName::default() } else { only(&targets)? };
    Some(ObjectKey { target, cluster: only(&clusters)?, name: only(&names)? })
}

/// The one valid name among the candidates; a text that cannot be a name is what the break has made of it.
fn only<N: FromStr + PartialEq>(candidates: &[String]) -> Option<N> {
    let mut names = candidates.iter().filter_map(|text| text.parse::<N>().ok());
    let first = names.next()?;
    names.all(|other| other == first).then_some(first)
}

/// Whether a field that makes the key is given twice.
fn is_about_identity(problem: &Problem) -> bool {
    problem.message.ends_with("is given twice") && is_identity(&problem.path)
}

/// Whether a field makes the key, or holds what does.
pub(super) fn is_identity(path: &FieldPath) -> bool {
    match path.steps() {
        [Step::Field(block)] => ["kind", "metadata", "spec"].contains(&block.as_str()),
        [Step::Field(block), Step::Field(field)] => PARTS.contains(&(block, field)),
        _ => false,
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

    /// Everything that a field of a block may be.
    pub(super) fn part(&self, block: &str, field: &str) -> impl Iterator<Item = &str> {
        self.at(FieldPath::new(vec![Step::Field(block.to_owned()), Step::Field(field.to_owned())]))
    }

    pub(super) fn kind(&self) -> Option<String> {
        self.at(FieldPath::parse("kind")).next().map(str::to_owned)
    }

    pub(super) fn api_version(&self) -> Option<String> {
        self.at(FieldPath::parse("apiVersion")).next().map(str::to_owned)
    }

    pub(super) fn has_our_kind(&self) -> bool {
        self.kind().is_some_and(|kind| Kind::ALL.iter().any(|known| known.as_str() == kind))
    }

    /// Whether it names a kind of ours and a cluster, whatever its version says.
    pub(super) fn has_our_shape(&self) -> bool {
        self.has_our_kind() && self.part("spec", "cluster").next().is_some()
    }

    fn at(&self, wanted: FieldPath) -> impl Iterator<Item = &str> {
        self.0.iter().filter(move |(path, _)| *path == wanted).map(|(_, value)| value.as_str())
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
        key(&Tree::default(), Some(text), &[]).map(|key| key.to_string())
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
