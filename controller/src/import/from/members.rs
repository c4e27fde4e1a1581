//! A block of another tool's JSON: members that the API knows, values that fit them, and what is said of the rest.

use crds::ecs::{Kind, Shape};
use serde_json::{Map, Value};

use super::file::SourceText;
use super::template;

/// A block as it can be written, with what is said of it.
#[derive(Debug, Default)]
pub(super) struct Members {
    /// The values; texts still have marks in the places of templates.
    pub(super) said: Map<String, Value>,
    /// Fields of the file and messages about them.
    pub(super) remarks: Vec<(String, String)>,
}

/// Reads the block that stands at `at` in the file; `facts` are members that say how things are and are left out silently.
pub(super) fn read(
    text: &SourceText,
    at: &str,
    block: &Value,
    shape: &'static Shape,
    facts: &[&str],
) -> Members {
    let mut members = Members::default();
    for (name, value) in block.as_object().into_iter().flatten() {
        let path = below(at, name);
        match shape.member(name) {
            Some(member) => {
                let value = members.value(text, &path, member.kind, value);
                members.said.insert(name.clone(), value);
            }
            None if facts.contains(&name.as_str()) => {}
            None => members.unknown(&path, name, shape),
        }
    }
    members
}

impl Members {
    fn value(&mut self, text: &SourceText, path: &str, kind: Kind, value: &Value) -> Value {
        match (kind, value) {
            (Kind::Struct(shape), Value::Object(said)) => {
                let mut known = Map::new();
                for (name, value) in said {
                    let path = below(path, name);
                    match shape.member(name) {
                        Some(member) => {
                            known.insert(name.clone(), self.value(text, &path, member.kind, value));
                        }
                        None => self.unknown(&path, name, shape),
                    }
                }
                Value::Object(known)
            }
            (Kind::List { of, .. }, Value::Array(items)) => items
                .iter()
                .enumerate()
                .map(|(index, item)| self.value(text, &format!("{path}[{index}]"), *of, item))
                .collect(),
            (Kind::Integer | Kind::Number | Kind::Boolean, Value::String(written)) => {
                self.bare(text, path, written)
            }
            (_, Value::String(written)) => {
                self.remark_on_templates(text, path, written);
                value.clone()
            }
            _ => value.clone(),
        }
    }

    /// A number or truth value for which a template stands: only texts can hold references.
    fn bare(&mut self, text: &SourceText, path: &str, written: &str) -> Value {
        if template::used(written, &text.uses).is_empty() {
            return Value::String(written.to_owned());
        }
        let shown =
            template::whole(written, &text.uses).map_or(written, |one| one.written.as_str());
        let default = template::by_defaults(written, &text.uses);
        match default.as_deref().and_then(|text| serde_json::from_str::<Value>(text).ok()) {
            Some(value @ (Value::Number(_) | Value::Bool(_))) => {
                let message =
                    format!("`{shown}` is written as its default: only texts can hold references");
                self.remarks.push((path.to_owned(), message));
                value
            }
            Some(_) | None => {
                let message = format!("`{shown}` is left out: only texts can hold references");
                self.remarks.push((path.to_owned(), message));
                Value::Null
            }
        }
    }

    fn remark_on_templates(&mut self, text: &SourceText, path: &str, written: &str) {
        for used in template::used(written, &text.uses) {
            if used.reference.is_none() {
                let message = format!("`{}` has no counterpart: write the value", used.written);
                self.remarks.push((path.to_owned(), message));
            }
            if let Some(remark) = &used.remark {
                self.remarks.push((path.to_owned(), remark.clone()));
            }
        }
    }

    fn unknown(&mut self, path: &str, name: &str, shape: &Shape) {
        let alike = shape.members.iter().find(|member| member.name.eq_ignore_ascii_case(name));
        let message = match alike {
            Some(member) => format!("`{name}` is left out: the API spells it `{}`", member.name),
            None => format!("`{name}` is left out: {} has no such member", shape.name),
        };
        self.remarks.push((path.to_owned(), message));
    }
}

fn below(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") }
}
