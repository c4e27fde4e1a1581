//! Differences by the names of their fields, for people. Their values stay out: what AWS has may be a secret.

use super::FieldDrift;

/// How many fields are named.
const NAMED_MAX: usize = 3;

/// `service.desiredCount, service.tags[team]`, or the first of many `and 4 more`; nothing for no differences.
pub fn named<'a>(changes: impl IntoIterator<Item = &'a FieldDrift>) -> String {
    let mut paths: Vec<&str> = Vec::new();
    for change in changes {
        if !paths.contains(&change.path.as_str()) {
            paths.push(&change.path);
        }
    }
    let more = paths.len().saturating_sub(NAMED_MAX);
    paths.truncate(NAMED_MAX);
    match more {
        0 => paths.join(", "),
        more => format!("{} and {more} more", paths.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use crds::ecs::Effect;
    use serde_json::json;

    use super::*;

    #[test]
    fn a_few_fields_are_named_and_the_rest_is_counted() {
        let told = |paths: &[&str]| {
            let changes: Vec<FieldDrift> = paths
                .iter()
                .map(|path| FieldDrift {
                    path: (*path).to_owned(),
                    desired: Some(json!("hunter2")),
                    observed: Some(json!("hunter3")),
                    effect: Effect::InPlace,
                })
                .collect();
            named(&changes)
        };
        assert_eq!(told(&[]), "");
        assert_eq!(told(&["service.desiredCount"]), "service.desiredCount");
        assert_eq!(told(&["a", "b", "a", "c"]), "a, b, c");
        assert_eq!(told(&["a", "b", "c", "d", "e"]), "a, b, c and 2 more");
    }
}
