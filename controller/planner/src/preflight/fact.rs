//! What a spec says of a thing outside, and what AWS says of it.

use std::collections::BTreeMap;

use crate::rules::{Finding, Severity};

/// A place in a spec that names a thing outside, and what the spec needs of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mention<N, W = ()> {
    /// The member, `spec.taskDefinition.containerDefinitions[0].image`.
    pub path: String,
    /// The thing.
    pub name: N,
    /// What is needed of it.
    pub wanted: W,
}

impl<N> Mention<N> {
    /// A mention of a thing that only has to be there.
    pub fn new(path: impl Into<String>, name: N) -> Self {
        Self { path: path.into(), name, wanted: () }
    }
}

/// What AWS says of one thing. That it could not be read never means that it is not there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fact<T> {
    /// It is there, and this is known of it.
    Present(T),
    /// AWS says that it is not there.
    Absent(Absence),
    /// It could not be looked at, for this reason.
    NotChecked(String),
}

/// What AWS says instead of the thing that is not there.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Absence {
    /// What around it is missing as well: ``repository `shop/web` ``.
    pub around: Option<String>,
    /// The names that are there.
    pub known: Vec<String>,
}

/// What stands in the way, and what could not be looked at.
#[derive(Debug, Default)]
pub(super) struct Verdict {
    findings: Vec<Finding>,
    /// Things that could not be looked at, by the reason.
    not_checked: BTreeMap<String, Vec<String>>,
}

impl Verdict {
    /// Adds something that stands in the way.
    pub(super) fn find(
        &mut self,
        path: &str,
        message: impl Into<String>,
        hint: impl Into<Option<String>>,
    ) {
        let finding = Finding {
            path: path.to_owned(),
            message: message.into(),
            hint: hint.into(),
            severity: Severity::Error,
        };
        if !self.findings.contains(&finding) {
            self.findings.push(finding);
        }
    }

    /// Notes that a thing was not looked at.
    pub(super) fn pass_by(&mut self, thing: String, why: &str) {
        let things = self.not_checked.entry(why.to_owned()).or_default();
        if !things.contains(&thing) {
            things.push(thing);
        }
    }

    /// The findings, and one sentence for each reason why something was not looked at.
    pub(super) fn finish(self) -> (Vec<Finding>, Vec<String>) {
        let sentences =
            self.not_checked.into_iter().map(|(why, things)| format!("{}: {why}", list(&things)));
        (self.findings, sentences.collect())
    }
}

/// The first few of several things.
fn list(things: &[String]) -> String {
    const SHOWN: usize = 3;
    let shown = things.iter().take(SHOWN).cloned().collect::<Vec<_>>().join(", ");
    match things.len().saturating_sub(SHOWN) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}
