//! References in the strings of a spec: `${var:name}`.
//!
//! A reference is replaced by its value as text, once: what a value holds is never looked at again. `$${` is a literal `${`.

use serde_json::Value;

use crate::manifest::{FieldPath, Step};

/// One reference that was replaced.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResolvedReference {
    /// The field, as `spec.taskDefinition.containerDefinitions[0].image`.
    pub path: String,
    /// The reference, as `${var:image}`.
    pub reference: String,
    /// What it was replaced by.
    pub value: String,
}

/// Why a reference has no value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct ReferenceError {
    /// The field; set by [`resolve`].
    pub path: String,
    /// What is wrong, with the reference quoted.
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
}

impl ReferenceError {
    /// An error whose field is not known yet.
    pub fn new(message: impl Into<String>, hint: Option<String>) -> Self {
        Self { path: String::new(), message: message.into(), hint }
    }
}

/// Schemes that the documentation promises and this version does not have.
const LATER: [&str; 3] = ["release", "tfstate", "ssm"];
/// The most names that a hint lists.
const NAMES_MAX: usize = 10;

/// Replaces every reference in every string of a value. On an error the value is left half replaced and must not be used.
pub fn resolve(
    value: &mut Value,
    lookup: &dyn Fn(&str, &str) -> Result<String, ReferenceError>,
) -> Result<Vec<ResolvedReference>, Vec<ReferenceError>> {
    let mut walk =
        Walk { lookup, path: FieldPath::default(), resolved: Vec::new(), errors: Vec::new() };
    walk.value(value);
    if walk.errors.is_empty() { Ok(walk.resolved) } else { Err(walk.errors) }
}

/// The lookup of this version: `var` from the operator's configuration, no other scheme.
pub fn lookup<'a>(
    scheme: &str,
    argument: &str,
    variable: impl Fn(&str) -> Option<&'a str>,
    names: impl IntoIterator<Item = &'a str>,
) -> Result<String, ReferenceError> {
    if scheme == "var" {
        return variable(argument).map(str::to_owned).ok_or_else(|| {
            let message = format!("`${{var:{argument}}}` names a variable that is not configured");
            ReferenceError::new(message, Some(known_variables(names)))
        });
    }
    let message = if LATER.contains(&scheme) {
        format!("this version of Longshore does not know `${{{scheme}:…}}` yet")
    } else {
        format!("`${{{scheme}:…}}` is not a known kind of reference")
    };
    let hint = "known is `${var:name}`; write `$${` for a literal `${`";
    Err(ReferenceError::new(message, Some(hint.to_owned())))
}

fn known_variables<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    let mut names: Vec<&str> = names.into_iter().collect();
    names.sort_unstable();
    let more = names.len() > NAMES_MAX;
    names.truncate(NAMES_MAX);
    match (names.is_empty(), more) {
        (true, _) => "`spec.vars` of the Controller defines none".to_owned(),
        (false, false) => format!("defined are {}", names.join(", ")),
        (false, true) => format!("defined are {} and others", names.join(", ")),
    }
}

struct Walk<'a> {
    lookup: &'a dyn Fn(&str, &str) -> Result<String, ReferenceError>,
    path: FieldPath,
    resolved: Vec<ResolvedReference>,
    errors: Vec<ReferenceError>,
}

impl Walk<'_> {
    fn value(&mut self, value: &mut Value) {
        match value {
            Value::String(text) => {
                if text.contains("${")
                    && let Some(replaced) = self.text(text)
                {
                    *text = replaced;
                }
            }
            Value::Array(items) => {
                for (index, item) in items.iter_mut().enumerate() {
                    self.path.push(Step::Item(index));
                    self.value(item);
                    self.path.pop();
                }
            }
            Value::Object(fields) => {
                for (name, field) in fields {
                    self.path.push(Step::Field(name.clone()));
                    self.value(field);
                    self.path.pop();
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }

    /// The text with every reference replaced; `None` when one has no value.
    fn text(&mut self, text: &str) -> Option<String> {
        let mut replaced = String::with_capacity(text.len());
        let mut rest = text;
        let mut is_whole = true;
        while let Some((before, after)) = rest.split_once("${") {
            if let Some(literal) = before.strip_suffix('$') {
                replaced.push_str(literal);
                replaced.push_str("${");
                rest = after;
                continue;
            }
            replaced.push_str(before);
            let Some((inside, following)) = after.split_once('}') else {
                let message = format!("the reference `${{{}` is not closed", bounded(after));
                self.fail(ReferenceError::new(
                    message,
                    Some("close it with `}`; write `$${` for a literal `${`".to_owned()),
                ));
                return None;
            };
            match self.reference(inside) {
                Ok(value) => replaced.push_str(&value),
                Err(error) => {
                    self.fail(error);
                    is_whole = false;
                }
            }
            rest = following;
        }
        replaced.push_str(rest);
        is_whole.then_some(replaced)
    }

    fn reference(&mut self, inside: &str) -> Result<String, ReferenceError> {
        let Some((scheme, argument)) = inside.split_once(':') else {
            let message = format!("the reference `${{{}}}` has no kind", bounded(inside));
            let hint =
                format!("write `${{var:{}}}`, or `$${{` for a literal `${{`", bounded(inside));
            return Err(ReferenceError::new(message, Some(hint)));
        };
        let value = (self.lookup)(scheme, argument)?;
        self.resolved.push(ResolvedReference {
            path: self.path.to_string(),
            reference: format!("${{{inside}}}"),
            value: value.clone(),
        });
        Ok(value)
    }

    fn fail(&mut self, error: ReferenceError) {
        self.errors.push(ReferenceError { path: self.path.to_string(), ..error });
    }
}

fn bounded(text: &str) -> String {
    text.chars().filter(|letter| !letter.is_control()).take(60).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn vars(scheme: &str, argument: &str) -> Result<String, ReferenceError> {
        let value = |name: &str| match name {
            "image" => Some("web:v2"),
            "nested" => Some("${var:image}"),
            "empty" => Some(""),
            _ => None,
        };
        lookup(scheme, argument, value, ["image", "nested", "empty"])
    }

    fn one(text: &str) -> Result<String, Vec<ReferenceError>> {
        let mut value = json!({ "spec": { "list": [text] } });
        resolve(&mut value, &vars)?;
        Ok(value["spec"]["list"][0].as_str().unwrap().to_owned())
    }

    #[test]
    fn references_are_replaced_once_and_literals_kept() {
        for (text, expected) in [
            ("${var:image}", "web:v2"),
            ("a ${var:image} b ${var:image}", "a web:v2 b web:v2"),
            ("${var:nested}", "${var:image}"),
            ("$${var:image}", "${var:image}"),
            ("$$${var:image}", "$${var:image}"),
            ("x${var:empty}y", "xy"),
            ("$5 and $VAR and }", "$5 and $VAR and }"),
        ] {
            assert_eq!(one(text).unwrap(), expected, "{text}");
        }
    }

    #[test]
    fn what_was_replaced_is_told() {
        let mut value = json!({ "spec": { "image": "${var:image}" } });
        let resolved = resolve(&mut value, &vars).unwrap();
        assert_eq!(
            resolved,
            vec![ResolvedReference {
                path: "spec.image".to_owned(),
                reference: "${var:image}".to_owned(),
                value: "web:v2".to_owned()
            }]
        );
    }

    #[test]
    fn errors_name_the_field_and_what_is_known() {
        for (text, message, hint) in [
            (
                "${var:imgae}",
                "`${var:imgae}` names a variable that is not configured",
                "defined are empty, image, nested",
            ),
            (
                "${release:shop}",
                "this version of Longshore does not know `${release:…}` yet",
                "known is `${var:name}`; write `$${` for a literal `${`",
            ),
            (
                "${env:HOME}",
                "`${env:…}` is not a known kind of reference",
                "known is `${var:name}`; write `$${` for a literal `${`",
            ),
            (
                "${var:image",
                "the reference `${var:image` is not closed",
                "close it with `}`; write `$${` for a literal `${`",
            ),
            (
                "${HOME}",
                "the reference `${HOME}` has no kind",
                "write `${var:HOME}`, or `$${` for a literal `${`",
            ),
        ] {
            let errors = one(text).unwrap_err();
            assert_eq!(errors.len(), 1);
            assert_eq!(errors[0].path, "spec.list[0]");
            assert_eq!(errors[0].message, message);
            assert_eq!(errors[0].hint.as_deref(), Some(hint));
        }
    }

    #[test]
    fn every_error_of_a_spec_is_told_at_once() {
        let mut value = json!({ "a": "${x:1}${y:2}", "b": ["${z:3}"] });
        assert_eq!(resolve(&mut value, &vars).unwrap_err().len(), 3);
    }
}
