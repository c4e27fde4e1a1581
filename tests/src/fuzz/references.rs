//! References in the texts of a spec: what is known, a line each, an empty line, and the texts, a line each.
//!
//! ```text
//! var image = web:v2
//! found ${ssm:/shop/url} = https://shop.acme.io
//! missing ${ssm:/shop/old}
//! unread ${tfstate:output.vpc}
//!
//! ${var:image} of ${ssm:/shop/url}
//! ```

use std::collections::{BTreeMap, BTreeSet};

use controller::references::{
    Answer, Found, News, ReferenceError, Referent, Referents, Resolution, resolve,
};
use crds::{TargetName, TfstateName};
use indexmap::IndexMap;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::assert_tellable;

/// The most lines of each part.
const LINES_MAX: usize = 40;
/// The most errors of one object.
const ERRORS_MAX: usize = 20;
/// Stands in the corpus wherever a value is that no message may repeat.
const SECRET: &str = "never-shown";

/// Replacing references.
///
/// Each is replaced by its value, once, and everything else stays as it is. What is not known stays as it stands, and a value
/// that cannot be read again stays what it was. A text in which every `${` is doubled comes out as it was. No message repeats
/// a value.
pub fn references(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let (head, body) = text.split_once("\n\n").unwrap_or(("", text));
    let mut world = World::read(head);
    let texts: Vec<&str> = body.split('\n').take(LINES_MAX).collect();
    let before: Vec<(String, Resolution)> = texts.iter().map(|text| world.one(text)).collect();
    for (text, (replaced, told)) in texts.iter().zip(&before) {
        world.assert_told(told, !body.contains(SECRET));
        World::assert_replaced(text, replaced, told);
        world.assert_literal(text);
        world.assert_no_family(text);
        for referent in &told.uses {
            assert_eq!(world.one(&referent.to_string()).1.uses, BTreeSet::from([referent.clone()]));
        }
    }
    world.assert_together(&texts, &before);
    world.read_again();
    let after: Vec<(String, Resolution)> = texts.iter().map(|text| world.one(text)).collect();
    for (before, after) in before.iter().zip(&after) {
        assert_eq!((&before.0, &before.1.resolved), (&after.0, &after.1.resolved));
    }
}

/// What references stand for.
struct World {
    vars: IndexMap<String, String>,
    answers: BTreeMap<Referent, Answer>,
    referents: Referents,
}

impl World {
    fn read(head: &str) -> Self {
        let states = || [TfstateName::default(), "net".parse().unwrap()];
        let bare = Referents::new(IndexMap::new(), states());
        let (mut vars, mut answers) = (IndexMap::new(), BTreeMap::new());
        for line in head.lines().take(LINES_MAX) {
            let (kind, rest) = line.split_once(' ').unwrap_or((line, ""));
            let (name, value) = rest.split_once(" = ").unwrap_or((rest, ""));
            if kind == "var" {
                if is_plain(name) {
                    vars.insert(name.to_owned(), value.to_owned());
                }
                continue;
            }
            let uses = replaced(&bare, name).1.uses;
            let Some(referent) = uses.into_iter().next() else { continue };
            answers.insert(referent, answer(kind, value));
        }
        let mut referents = Referents::new(vars.clone(), states());
        let now = Timestamp::UNIX_EPOCH;
        let all: Vec<(Referent, Answer)> =
            answers.iter().map(|(referent, answer)| (referent.clone(), answer.clone())).collect();
        let news = referents.learn(all.clone(), now);
        assert_eq!(referents.learn(all, now), News::default(), "told twice after {news:?}");
        Self { vars, answers, referents }
    }

    /// The values cannot be read any more.
    fn read_again(&mut self) {
        let unread = || Answer::Unread { why: "nobody answers".to_owned() };
        let unread = self.answers.keys().map(|referent| (referent.clone(), unread())).collect();
        let news = self.referents.learn(unread, Timestamp::UNIX_EPOCH);
        assert_eq!(news.changed, BTreeSet::new());
    }

    fn one(&self, text: &str) -> (String, Resolution) {
        replaced(&self.referents, text)
    }

    fn assert_told(&self, told: &Resolution, is_discreet: bool) {
        let assert_said = |text: &str| {
            assert_tellable(text);
            assert!(!is_discreet || !text.contains(SECRET), "{text}");
        };
        assert!(told.errors.len() <= ERRORS_MAX, "{} errors", told.errors.len());
        for ReferenceError { path, message, hint } in &told.errors {
            assert_eq!(path, "spec.text");
            assert_said(message);
            if let Some(hint) = hint {
                assert_said(hint);
            }
        }
        told.unknown.iter().for_each(|unknown| assert_said(&unknown.message));
        for resolved in &told.resolved {
            let value = match &resolved.referent {
                None => self.vars.get(resolved.reference.split_at(6).1.trim_end_matches('}')),
                Some(referent) => match self.answers.get(referent) {
                    Some(Answer::Found(found)) => Some(&found.text),
                    Some(Answer::Missing { .. } | Answer::Unread { .. }) | None => None,
                },
            };
            assert_eq!(value, Some(&resolved.value), "{resolved:?}");
        }
    }

    /// What came out is the text with the values in the places of the references.
    fn assert_replaced(text: &str, replaced: &str, told: &Resolution) {
        if !told.errors.is_empty() {
            assert_eq!(replaced, text, "{:?}", told.errors);
            return;
        }
        if !told.unknown.is_empty() {
            return;
        }
        let (mut expected, mut rest) = (String::new(), text);
        for resolved in &told.resolved {
            let at = open(rest).unwrap_or_else(|| panic!("no reference in {rest:?}"));
            let (before, after) = rest.split_at(at);
            expected.push_str(&before.replace("$${", "${"));
            expected.push_str(&resolved.value);
            rest = after.strip_prefix(resolved.reference.as_str()).unwrap_or_else(|| {
                panic!("{} is not where {rest:?} has one", resolved.reference);
            });
        }
        assert_eq!(open(rest), None, "{rest:?} has another reference");
        expected.push_str(&rest.replace("$${", "${"));
        assert_eq!(replaced, expected);
    }

    fn assert_literal(&self, text: &str) {
        let (replaced, told) = self.one(&text.replace("${", "$${"));
        assert_eq!((replaced.as_str(), told), (text, Resolution::default()));
    }

    /// What names everything that was registered before takes no value from outside.
    fn assert_no_family(&self, text: &str) {
        let mut object = json!({ "spec": { "taskDefinition": { "family": text } } });
        let told = resolve(&mut object, &TargetName::default(), &self.referents);
        assert_eq!(told.uses, BTreeSet::new());
        assert!(told.resolved.iter().all(|resolved| resolved.referent.is_none()), "{told:?}");
        assert_eq!(told.unknown, []);
    }

    /// Texts of one object do not touch each other.
    fn assert_together(&self, texts: &[&str], each: &[(String, Resolution)]) {
        let mut object = json!({ "spec": { "texts": texts } });
        let told = resolve(&mut object, &TargetName::default(), &self.referents);
        let replaced: Vec<&String> = each.iter().map(|(replaced, _)| replaced).collect();
        assert_eq!(object["spec"]["texts"], json!(replaced));
        let uses = each.iter().flat_map(|(_, told)| told.uses.iter().cloned()).collect();
        assert_eq!(told.uses, uses);
        let errors: usize = each.iter().map(|(_, told)| told.errors.len()).sum();
        assert_eq!(told.errors.len(), errors.min(ERRORS_MAX));
    }
}

fn replaced(referents: &Referents, text: &str) -> (String, Resolution) {
    let mut object = json!({ "spec": { "text": text } });
    let told = resolve(&mut object, &TargetName::default(), referents);
    let Value::String(replaced) = object["spec"]["text"].take() else { panic!("{object}") };
    (replaced, told)
}

/// Where the first `${` is that is no literal.
fn open(text: &str) -> Option<usize> {
    text.match_indices("${").map(|(at, _)| at).find(|at| !text[..*at].ends_with('$'))
}

/// The configuration is the operator's own, and its names are.
fn is_plain(name: &str) -> bool {
    (1..=60).contains(&name.len())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

fn answer(kind: &str, value: &str) -> Answer {
    match kind {
        "missing" => Answer::Missing { why: "it is not there".to_owned(), hint: None },
        "unread" => Answer::Unread { why: "nobody answers".to_owned() },
        _ => {
            let (text, from) = (value.to_owned(), "somewhere".to_owned());
            Answer::Found(Found { text, from, version: None })
        }
    }
}
