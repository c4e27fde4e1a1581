//! What was probably meant: the nearest known name, or the place where a name is known.

use std::collections::HashMap;
use std::sync::LazyLock;

use crds::schema::{Kind, json_schema};
use serde_json::Value;

use super::path::{FieldPath, Step};

/// The most places that a hint names.
const PLACES_MAX: usize = 3;
/// The most names that a hint lists.
const NAMES_MAX: usize = 10;
/// How deep the schema is searched.
const DEPTH_MAX: usize = 16;

/// What to do about an unknown field.
pub(super) fn unknown_field(
    kind: Kind,
    path: &FieldPath,
    name: &str,
    known: &[&'static str],
) -> Option<String> {
    if let Some(alike) = known.iter().find(|known| folded(known) == folded(name)) {
        return Some(format!("did you mean `{alike}`?"));
    }
    if let Some(places) = places(kind, name) {
        return Some(format!("it belongs in {places}"));
    }
    if let Some(nearest) = nearest(name, known) {
        return Some(format!("did you mean `{nearest}`?"));
    }
    if let Some(block) = passthrough(path) {
        return Some(format!(
            "if ECS knows it and this Longshore does not, give it below `spec.passthrough.{block}`"
        ));
    }
    (1..=NAMES_MAX).contains(&known.len()).then(|| format!("known here: {}", known.join(", ")))
}

/// The nearest of the known names, if one is near enough to be a slip.
pub(crate) fn nearest<'a>(name: &str, known: &[&'a str]) -> Option<&'a str> {
    let allowed = (name.chars().count() / 3).clamp(1, 3);
    known
        .iter()
        .map(|known| (distance(&folded(name), &folded(known)), *known))
        .filter(|(distance, _)| *distance <= allowed)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, known)| known)
}

/// How many letters must be added, removed, changed or swapped with their neighbour.
pub(super) fn distance(one: &str, other: &str) -> usize {
    let (one, other): (Vec<char>, Vec<char>) =
        (one.chars().take(64).collect(), other.chars().take(64).collect());
    let mut earlier: Vec<usize> = Vec::new();
    let mut above: Vec<usize> = (0..=other.len()).collect();
    for (row, letter) in one.iter().enumerate() {
        let mut current = vec![row + 1];
        for (column, against) in other.iter().enumerate() {
            let at =
                |cells: &[usize], index: usize| cells.get(index).copied().unwrap_or(usize::MAX - 1);
            let changed = at(&above, column) + usize::from(letter != against);
            let mut cost = changed.min(at(&above, column + 1) + 1).min(at(&current, column) + 1);
            let is_swapped = row > 0
                && column > 0
                && one.get(row - 1) == Some(against)
                && other.get(column - 1) == Some(letter);
            if is_swapped {
                cost = cost.min(at(&earlier, column - 1) + 1);
            }
            current.push(cost);
        }
        earlier = std::mem::replace(&mut above, current);
    }
    above.last().copied().unwrap_or(0)
}

fn folded(name: &str) -> String {
    name.chars()
        .filter(|letter| !matches!(letter, '_' | '-'))
        .flat_map(char::to_lowercase)
        .collect()
}

/// The block beside which unknown members of the API may be given.
fn passthrough(path: &FieldPath) -> Option<&'static str> {
    let mut steps = path.steps().iter();
    match (steps.next(), steps.next()) {
        (Some(Step::Field(spec)), Some(Step::Field(block))) if spec == "spec" => {
            ["taskDefinition", "service"].into_iter().find(|known| known == block)
        }
        _ => None,
    }
}

/// Where a field of this name is known, if in few places.
fn places(kind: Kind, name: &str) -> Option<String> {
    let index = match kind {
        Kind::Service => &*SERVICE,
        Kind::Release => &*RELEASE,
        Kind::Controller => &*CONTROLLER,
    };
    let places = index.get(name)?;
    // Hooks and checks have members with common names; whoever misplaces one rarely meant those.
    let places = places.iter().filter(|place| {
        ["spec.rollout.hooks.", "spec.rollout.checks["].iter().all(|part| !place.starts_with(part))
    });
    let places: Vec<&String> = places.collect();
    (1..=PLACES_MAX)
        .contains(&places.len())
        .then(|| places.iter().map(|place| format!("`{place}`")).collect::<Vec<_>>().join(" or "))
}

/// Where each name is known: `cpu` in `spec.taskDefinition`.
type Index = HashMap<String, Vec<String>>;

static SERVICE: LazyLock<Index> = LazyLock::new(|| index(Kind::Service));
static RELEASE: LazyLock<Index> = LazyLock::new(|| index(Kind::Release));
static CONTROLLER: LazyLock<Index> = LazyLock::new(|| index(Kind::Controller));

fn index(kind: Kind) -> Index {
    let mut index = Index::new();
    collect(&json_schema(kind), "", 0, &mut index);
    index
}

fn collect(schema: &Value, path: &str, depth: usize, index: &mut Index) {
    if depth > DEPTH_MAX {
        return;
    }
    if let Some(properties) = schema.get("properties").and_then(Value::as_object) {
        for (name, child) in properties {
            if !path.is_empty() {
                index.entry(name.clone()).or_default().push(path.to_owned());
            }
            let below = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
            collect(child, &below, depth + 1, index);
        }
    }
    if let Some(items) = schema.get("items") {
        collect(items, &format!("{path}[]"), depth + 1, index);
    }
    for alternative in schema.get("anyOf").and_then(Value::as_array).into_iter().flatten() {
        collect(alternative, path, depth + 1, index);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_of_the_finger_are_near() {
        assert_eq!(distance("executionRoleArn", "exectionRoleArn"), 1);
        assert_eq!(distance("form", "from"), 1);
        assert_eq!(distance("", "abc"), 3);
        assert_eq!(
            nearest("contianerDefinitions", &["containerDefinitions", "cpu"]),
            Some("containerDefinitions")
        );
        assert_eq!(nearest("x", &["containerDefinitions", "cpu"]), None);
    }

    #[test]
    fn a_name_is_known_where_it_belongs() {
        assert_eq!(
            places(Kind::Service, "executionRoleArn"),
            Some("`spec.taskDefinition`".to_owned())
        );
        assert_eq!(
            places(Kind::Controller, "knownHostsFile"),
            Some(
                "`spec.repositories[].ssh` or `spec.sources[].git.push.ssh` or `spec.sources[].git.ssh`"
                    .to_owned()
            )
        );
        assert_eq!(places(Kind::Service, "replicas"), None);
    }
}
