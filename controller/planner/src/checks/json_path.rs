//! Where in a JSON document a value is: `$.models[0].accuracy`, `$['a.b']`. Names and places only; there are no searches.

use serde_json::Value;

/// One step into a document.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Step {
    Name(String),
    Place(usize),
}

/// Whether a text is a path, or why not.
pub(super) fn check(path: &str) -> Result<(), String> {
    steps(path).map(|_| ())
}

/// The value at a path.
pub(super) fn find<'a>(document: &'a Value, path: &str) -> Option<&'a Value> {
    steps(path).ok()?.iter().try_fold(document, |value, step| match step {
        Step::Name(name) => value.get(name),
        Step::Place(place) => value.get(place),
    })
}

fn steps(path: &str) -> Result<Vec<Step>, String> {
    let wrong = || format!("`{path}` is no path; write it as `$.models[0].accuracy` or `$['a.b']`");
    let mut rest = path.strip_prefix('$').ok_or_else(wrong)?;
    let mut steps = Vec::new();
    while !rest.is_empty() {
        let (step, after) =
            name(rest).or_else(|| quoted(rest)).or_else(|| place(rest)).ok_or_else(wrong)?;
        steps.push(step);
        rest = after;
    }
    Ok(steps)
}

fn name(text: &str) -> Option<(Step, &str)> {
    let text = text.strip_prefix('.')?;
    let end = text.find(['.', '[']).unwrap_or(text.len());
    let (name, rest) = text.split_at(end);
    let is_plain = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-');
    (!name.is_empty() && name.chars().all(is_plain)).then(|| (Step::Name(name.to_owned()), rest))
}

fn quoted(text: &str) -> Option<(Step, &str)> {
    let (name, rest) = text.strip_prefix("['")?.split_once("']")?;
    Some((Step::Name(name.to_owned()), rest))
}

fn place(text: &str) -> Option<(Step, &str)> {
    let (place, rest) = text.strip_prefix('[')?.split_once(']')?;
    Some((Step::Place(place.parse().ok()?), rest))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn paths_lead_to_values() {
        let document = json!({"a": {"b-c": [1, {"x.y": "deep"}]}, "": 0});
        for (path, expected) in [
            ("$.a.b-c[0]", Some(json!(1))),
            ("$.a['b-c'][1]['x.y']", Some(json!("deep"))),
            ("$", Some(document.clone())),
            ("$.a.b-c[2]", None),
            ("$.a[0]", None),
        ] {
            assert_eq!(find(&document, path).cloned(), expected, "{path}");
        }
    }

    #[test]
    fn what_is_no_path_is_refused() {
        for path in ["", "a.b", "$.", "$..a", "$.a[", "$.a[*]", "$[-1]", "$.a b", "$['a"] {
            assert!(check(path).is_err(), "{path}");
        }
    }
}
