//! References in the strings of a spec: `${var:name}`, `${ssm:name}`, `${tfstate:address}`, `${release:name}`.
//!
//! A reference is replaced by its value as text, once: what a value holds is never looked at again. `$${` is a literal `${`.
//! Values are taken from [`Referents`], which is plain data; [`Outside`] reads what lies outside and puts it in there.

mod name;
mod outside;
mod parameters;
mod referents;
mod states;
pub mod tfstate;

use std::collections::BTreeSet;
use std::fmt;

use crds::{Reason, TargetName, shown};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use self::name::Reference;
use self::referents::Looked;
use crate::manifest::{FieldPath, Step};

pub use name::{Origin, Referent};
pub use outside::{Outside, follow, heed_parameters, read_once};
pub use referents::{Answer, Found, News, Referents};
pub use states::StateReader;
pub use tfstate::Address;

/// The field whose value names everything that was registered before: from outside it must not change.
const FAMILY: &str = "spec.taskDefinition.family";

/// The most errors that are told of one object.
const ERRORS_MAX: usize = 20;

/// One reference that was replaced.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResolvedReference {
    /// The field, as `spec.taskDefinition.containerDefinitions[0].image`.
    pub path: String,
    /// The reference, as `${var:image}`.
    pub reference: String,
    /// What it was replaced by.
    pub value: String,
    /// The value outside that it names; `None` for a variable.
    pub referent: Option<Referent>,
}

/// One reference as people see it: what it was replaced by, and where that comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ToldReference {
    /// The field, as `spec.taskDefinition.containerDefinitions[0].image`.
    pub path: String,
    /// The reference, as `${var:image}`.
    pub reference: String,
    /// What it was replaced by.
    pub value: String,
    /// Where the value lies, as `s3://acme-terraform/shop.tfstate`.
    pub from: String,
    /// Which version of it was read, as `serial 12`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// Why it could not be read the last time; the value is the one that was read before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unread: Option<String>,
}

impl fmt::Display for ToldReference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A value may have several lines; a line has one.
        let value = Value::String(self.value.clone());
        write!(f, "{} is {value} ({}", self.reference, self.from)?;
        if let Some(version) = &self.version {
            write!(f, ", {version}")?;
        }
        f.write_str(")")?;
        match &self.unread {
            Some(why) => write!(f, ", not read again: {why}"),
            None => Ok(()),
        }
    }
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
    pub fn new(message: impl AsRef<str>, hint: Option<String>) -> Self {
        let (message, hint) = (shown(message.as_ref()), hint.map(|hint| shown(&hint)));
        Self { path: String::new(), message, hint }
    }
}

/// What came of the references of one object.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Resolution {
    /// Those that were replaced.
    pub resolved: Vec<ResolvedReference>,
    /// Every value outside that the object names, whatever came of it.
    pub uses: BTreeSet<Referent>,
    /// Those that cannot be replaced, the first of them.
    pub errors: Vec<ReferenceError>,
    /// Those whose value is not known, though it may be there: they were left as they stand.
    pub unknown: Vec<Unknown>,
}

/// A reference whose value is not known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unknown {
    /// Why, for programs.
    pub reason: Reason,
    /// Why, for people.
    pub message: String,
}

/// Replaces every reference in every string of an object of a target. With errors or unknown values the object is only
/// partly replaced.
pub fn resolve(value: &mut Value, target: &TargetName, referents: &Referents) -> Resolution {
    let (path, told) = (FieldPath::default(), Resolution::default());
    let mut walk = Walk { target, referents, path, told };
    walk.value(value);
    walk.told
}

struct Walk<'a> {
    target: &'a TargetName,
    referents: &'a Referents,
    path: FieldPath,
    told: Resolution,
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

    /// The text with every reference replaced whose value is known; `None` when one is wrong.
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
            let Some((inside, following)) = closed(after) else {
                let message = format!("the reference `${{{}` is not closed", bounded(after));
                self.fail(ReferenceError::new(
                    message,
                    Some("close it with `}`; write `$${` for a literal `${`".to_owned()),
                ));
                return None;
            };
            match self.reference(inside) {
                Ok(Some(value)) => replaced.push_str(&value),
                Ok(None) => {
                    replaced.push_str("${");
                    replaced.push_str(inside);
                    replaced.push('}');
                }
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

    /// The value of a reference; `None` while it is not known.
    fn reference(&mut self, inside: &str) -> Result<Option<String>, ReferenceError> {
        let Some((scheme, argument)) = inside.split_once(':') else {
            let message = format!("the reference `${{{}}}` has no kind", bounded(inside));
            let hint =
                format!("write `${{var:{}}}`, or `$${{` for a literal `${{`", bounded(inside));
            return Err(ReferenceError::new(message, Some(hint)));
        };
        let reference = Reference::parse(scheme, argument, self.target)?;
        let referent = match &reference {
            Reference::Variable(_) => None,
            Reference::Outside(referent) => Some(self.outside(referent)?),
        };
        let value = match self.referents.look(&reference)? {
            Looked::Value(value) => value.to_owned(),
            Looked::Unknown(unknown) => {
                self.told.unknown.push(unknown);
                return Ok(None);
            }
        };
        self.told.resolved.push(ResolvedReference {
            path: self.path.to_string(),
            reference: format!("${{{inside}}}"),
            value: value.clone(),
            referent,
        });
        Ok(Some(value))
    }

    /// Notes that the object uses a value outside, if it may here.
    fn outside(&mut self, referent: &Referent) -> Result<Referent, ReferenceError> {
        if self.path.to_string() == FAMILY {
            let message = format!("`{referent}` cannot name the family: it may change by itself");
            let hint = "another family would leave every earlier revision behind; write it out, or use `${var:NAME}`";
            return Err(ReferenceError::new(message, Some(hint.to_owned())));
        }
        self.told.uses.insert(referent.clone());
        Ok(referent.clone())
    }

    fn fail(&mut self, error: ReferenceError) {
        if self.told.errors.len() == ERRORS_MAX {
            return;
        }
        self.told.errors.push(ReferenceError { path: self.path.to_string(), ..error });
    }
}

/// What stands before the closing `}`, and what follows it. The keys in a Terraform address may hold a `}` in quotes.
fn closed(after: &str) -> Option<(&str, &str)> {
    if !after.starts_with("tfstate:") {
        return after.split_once('}');
    }
    let (mut is_quoted, mut is_escaped) = (false, false);
    for (at, letter) in after.char_indices() {
        match letter {
            _ if is_escaped => is_escaped = false,
            '\\' if is_quoted => is_escaped = true,
            '"' => is_quoted = !is_quoted,
            '}' if !is_quoted => return Some((after.get(..at)?, after.get(at + 1..)?)),
            _ => {}
        }
    }
    None
}

fn bounded(text: &str) -> String {
    text.chars().filter(|letter| !letter.is_control()).take(60).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn vars() -> Referents {
        let vars = [("image", "web:v2"), ("nested", "${var:image}"), ("empty", "")];
        let vars = vars.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned()));
        Referents::from(vars.collect::<indexmap::IndexMap<_, _>>())
    }

    fn resolved(value: &mut Value) -> Resolution {
        resolve(value, &TargetName::default(), &vars())
    }

    fn one(text: &str) -> Result<String, Vec<ReferenceError>> {
        let mut value = json!({ "spec": { "list": [text] } });
        let told = resolved(&mut value);
        if !told.errors.is_empty() {
            return Err(told.errors);
        }
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
        assert_eq!(
            resolved(&mut value).resolved,
            vec![ResolvedReference {
                path: "spec.image".to_owned(),
                reference: "${var:image}".to_owned(),
                value: "web:v2".to_owned(),
                referent: None,
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
            ("${env:HOME}", "`${env:…}` is not a known kind of reference", name::KINDS),
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
    fn errors_are_few_and_short_whatever_a_reference_holds() {
        let endless = format!("${{var:{}\n\u{1b}[2J}}", "x".repeat(100_000));
        for text in [endless.as_str(), "${release:a\nb}", "${ssm:a\nb}", "${a\nb:c}", "${a\nb"] {
            let errors = one(&text.repeat(100)).unwrap_err();
            assert!(errors.len() <= ERRORS_MAX, "{}", errors.len());
            for part in errors.iter().flat_map(|error| [Some(&error.message), error.hint.as_ref()])
            {
                let part = part.map_or("", String::as_str);
                assert!(part.chars().count() <= 1_000 && !part.contains(char::is_control));
            }
        }
    }

    #[test]
    fn every_error_of_a_spec_is_told_at_once() {
        let mut value = json!({ "a": "${x:1}${y:2}", "b": ["${z:3}"] });
        assert_eq!(resolved(&mut value).errors.len(), 3);
    }
}
