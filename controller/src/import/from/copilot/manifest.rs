//! Reading a manifest so that nothing in it is passed over: what no reader took is told of at the end.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::super::FromError;
use super::super::file::SourceText;

/// Fields that need no word.
const SILENT: &[&str] = &["name", "type"];

/// A manifest with the overrides of one environment.
pub(super) struct Manifest<'a> {
    text: &'a SourceText,
    value: Value,
    /// `environments.test`, where overrides stand.
    overrides: Option<String>,
    taken: BTreeSet<String>,
    said: Vec<(String, &'static str, String)>,
    /// What Copilot made and a person has to name, as `${var:…}`.
    pub(super) variables: BTreeSet<String>,
}

/// Something about a field, for the file and beside it.
pub(super) struct Remark {
    /// The place in the manifest.
    pub(super) place: String,
    /// The field of the spec that it concerns; empty for the whole.
    pub(super) at: &'static str,
    /// What.
    pub(super) message: String,
}

impl<'a> Manifest<'a> {
    /// A manifest, with the overrides of an environment laid over it.
    pub(super) fn of(text: &'a SourceText, environment: Option<&str>) -> Result<Self, FromError> {
        let mut value = text.value().clone();
        let all = value.as_object_mut().and_then(|members| members.remove("environments"));
        let mut overrides = None;
        if let Some(environment) = environment {
            match all.as_ref().and_then(|all| all.get(environment)) {
                Some(own) => {
                    lay_over(&mut value, own);
                    overrides = Some(format!("environments.{environment}"));
                }
                None if all.is_none() => {}
                None => {
                    let message = format!("there is no environment `{environment}` in it");
                    return Err(FromError::unusable(text.place("environments"), message));
                }
            }
        }
        let mut variables = BTreeSet::new();
        interpolate(&mut value, &mut variables);
        let mut manifest =
            Self { text, value, overrides, taken: BTreeSet::new(), said: Vec::new(), variables };
        if all.is_some() && environment.is_none() {
            let message =
                "the overrides of environments are left out: give --environment for one of them";
            manifest.say("environments", "", message);
        }
        Ok(manifest)
    }

    /// A field, which thereby counts as understood with all that is in it.
    pub(super) fn take(&mut self, path: &str) -> Option<Value> {
        let value = self.peek(path)?.clone();
        self.taken.insert(path.to_owned());
        Some(value)
    }

    /// A field that others will take, or parts of it.
    pub(super) fn peek(&self, path: &str) -> Option<&Value> {
        let found = path.split('.').try_fold(&self.value, |value, name| value.get(name))?;
        (!found.is_null()).then_some(found)
    }

    /// A text; numbers are texts that somebody wrote without quotes.
    pub(super) fn text(&mut self, path: &str) -> Option<String> {
        let value = self.peek(path)?;
        if value.is_object() || value.is_array() {
            return None;
        }
        Some(plain(&self.take(path)?))
    }

    /// A whole number.
    pub(super) fn number(&mut self, path: &str) -> Option<i64> {
        let value = self.peek(path)?;
        let number = value.as_i64().or_else(|| value.as_str()?.parse().ok())?;
        self.taken.insert(path.to_owned());
        Some(number)
    }

    /// A truth value.
    pub(super) fn boolean(&mut self, path: &str) -> Option<bool> {
        let value = self.peek(path)?.as_bool()?;
        self.taken.insert(path.to_owned());
        Some(value)
    }

    /// The names of the members of a field.
    pub(super) fn names(&self, path: &str) -> Vec<String> {
        let members = self.peek(path).and_then(Value::as_object);
        members.map(|members| members.keys().cloned().collect()).unwrap_or_default()
    }

    /// A duration in seconds: `10s`, `1m30s`.
    pub(super) fn seconds(&mut self, path: &str) -> Option<i64> {
        let parsed: crds::HumanDuration = self.peek(path)?.as_str()?.parse().ok()?;
        self.taken.insert(path.to_owned());
        i64::try_from(parsed.get().as_secs()).ok()
    }

    /// A reference to something that Copilot made.
    pub(super) fn variable(&mut self, name: impl Into<String>) -> String {
        let name = name.into();
        let reference = format!("${{var:{name}}}");
        self.variables.insert(name);
        reference
    }

    /// Says something of a field, and where in the spec it belongs.
    pub(super) fn say(&mut self, path: &str, at: &'static str, message: impl Into<String>) {
        self.taken.insert(path.to_owned());
        self.said.push((path.to_owned(), at, message.into()));
    }

    /// The place of a field: where it is overridden, if it is.
    pub(super) fn place(&self, path: &str) -> String {
        match &self.overrides {
            Some(overrides) if has(self.text.value(), &format!("{overrides}.{path}")) => {
                self.text.place(&format!("{overrides}.{path}"))
            }
            Some(_) | None => self.text.place(path),
        }
    }

    /// What was said, and every field that nobody took.
    pub(super) fn remarks(&self) -> Vec<Remark> {
        let mut left = Vec::new();
        if let Value::Object(members) = &self.value {
            self.left("", members, &mut left);
        }
        let said = self.said.iter().map(|(path, at, message)| (path, *at, message.clone()));
        let left = left.iter().map(|path| {
            let message = format!("`{path}` is left out: it has no counterpart here");
            (path, "", message)
        });
        said.chain(left)
            .map(|(path, at, message)| Remark { place: self.place(path), at, message })
            .collect()
    }

    fn left(&self, prefix: &str, members: &Map<String, Value>, found: &mut Vec<String>) {
        for (name, value) in members {
            let path = if prefix.is_empty() { name.clone() } else { format!("{prefix}.{name}") };
            if value.is_null() || self.taken.contains(&path) || SILENT.contains(&path.as_str()) {
                continue;
            }
            let inside = format!("{path}.");
            let is_half_taken = self.taken.iter().any(|taken| taken.starts_with(&inside));
            // Where parts were understood the others are told one by one.
            match value.as_object().filter(|_| is_half_taken) {
                Some(members) => self.left(&path, members, found),
                None => found.push(path),
            }
        }
    }
}

/// A scalar as text.
pub(super) fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// A command: a list of words, or a line that is cut at spaces outside quotes.
pub(super) fn words(value: &Value) -> Vec<String> {
    match value.as_array() {
        Some(words) => words.iter().map(plain).collect(),
        None => split(&plain(value)),
    }
}

fn split(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    let (mut word, mut quote, mut has_word) = (String::new(), None, false);
    let mut letters = line.chars();
    while let Some(letter) = letters.next() {
        match (quote, letter) {
            (Some(open), _) if letter == open => quote = None,
            (None, '"' | '\'') => (quote, has_word) = (Some(letter), true),
            (None | Some('"'), '\\') => word.extend(letters.next()),
            (None, _) if letter.is_whitespace() => {
                if has_word || !word.is_empty() {
                    words.push(std::mem::take(&mut word));
                }
                has_word = false;
            }
            _ => word.push(letter),
        }
    }
    if has_word || !word.is_empty() {
        words.push(word);
    }
    words
}

fn has(value: &Value, path: &str) -> bool {
    path.split('.').try_fold(value, |value, name| value.get(name)).is_some()
}

/// Copilot merges mappings and replaces everything else.
fn lay_over(value: &mut Value, own: &Value) {
    match (value, own) {
        (Value::Object(members), Value::Object(own)) => {
            for (name, own) in own {
                lay_over(members.entry(name.clone()).or_insert(Value::Null), own);
            }
        }
        (value, own) => *value = own.clone(),
    }
}

/// `${TAG}`, which Copilot takes from its own environment, is a variable here; `\${TAG}` is meant literally.
fn interpolate(value: &mut Value, variables: &mut BTreeSet<String>) {
    match value {
        Value::String(text) if text.contains("${") => *text = interpolated(text, variables),
        Value::Array(items) => items.iter_mut().for_each(|item| interpolate(item, variables)),
        Value::Object(members) => {
            members.values_mut().for_each(|member| interpolate(member, variables));
        }
        Value::String(_) | Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

fn interpolated(text: &str, variables: &mut BTreeSet<String>) -> String {
    let mut filled = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("${") {
        let name = after.split_once('}').map(|(name, _)| name).filter(|name| {
            !name.is_empty()
                && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        });
        match (before.strip_suffix('\\'), name) {
            (Some(before), _) => filled.extend([before, "$${"]),
            (None, Some(name)) => {
                variables.insert(name.to_owned());
                filled.extend([before, "${var:"]);
            }
            (None, None) => filled.extend([before, "$${"]),
        }
        rest = after;
    }
    filled.push_str(rest);
    filled
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn commands_are_cut_as_a_shell_would() {
        assert_eq!(
            words(&json!("sh -c 'a b' \"c \\\" d\" e\\ f ''")),
            ["sh", "-c", "a b", "c \" d", "e f", ""]
        );
        assert_eq!(words(&json!(["sh", 1])), ["sh", "1"]);
    }

    #[test]
    fn what_copilot_takes_from_its_environment_is_a_variable() {
        let mut variables = BTreeSet::new();
        for (text, expected) in [
            ("web:${TAG}", "web:${var:TAG}"),
            ("echo \\${HOME} ${A}${B}", "echo $${HOME} ${var:A}${var:B}"),
            ("${A:-b} ${", "$${A:-b} $${"),
        ] {
            assert_eq!(interpolated(text, &mut variables), expected);
        }
        assert_eq!(variables.into_iter().collect::<Vec<_>>(), ["A", "B", "TAG"]);
    }

    #[test]
    fn overrides_are_laid_over_mappings_and_replace_lists() {
        let mut value = json!({"a": {"b": 1, "c": [1, 2]}, "d": 1});
        lay_over(&mut value, &json!({"a": {"c": [3]}, "e": {"f": true}, "d": {"g": 1}}));
        assert_eq!(value, json!({"a": {"b": 1, "c": [3]}, "d": {"g": 1}, "e": {"f": true}}));
    }
}
