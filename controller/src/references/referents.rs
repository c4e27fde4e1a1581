//! What references stand for now: plain data, filled by whoever reads it.

use std::collections::{BTreeMap, BTreeSet};

use crds::{Reason, TfstateName, shown};
use indexmap::IndexMap;
use jiff::Timestamp;

use super::name::{Reference, Referent};
use super::{ReferenceError, ResolvedReference, ToldReference, Unknown};

/// The most names that a hint lists.
const NAMES_MAX: usize = 10;

/// The values that references stand for, and what is known of those that have none.
#[derive(Debug, Clone, Default)]
pub struct Referents {
    vars: IndexMap<String, String>,
    states: BTreeSet<TfstateName>,
    known: BTreeMap<Referent, Known>,
    is_offline: bool,
}

/// What a reader found out about a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// It is this.
    Found(Found),
    /// It is not there, or must not be used. Nobody could read it better by trying again.
    Missing {
        /// Why, with the reference's argument quoted.
        why: String,
        /// What to do about it.
        hint: Option<String>,
    },
    /// It could not be read: nothing is known but that.
    Unread {
        /// Why.
        why: String,
    },
}

/// A value with its origin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// The value as text.
    pub text: String,
    /// Where it lies, as `s3://acme-terraform/shop.tfstate`.
    pub from: String,
    /// Which version was read, as `serial 12`.
    pub version: Option<String>,
}

/// Everything that is known of one value.
#[derive(Debug, Clone, Default)]
struct Known {
    /// What was found out when it was last read.
    settled: Option<Result<Found, Absence>>,
    read_at: Option<Timestamp>,
    /// Why it could not be read since then.
    unread: Option<Unread>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Absence {
    why: String,
    hint: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Unread {
    why: String,
    since: Timestamp,
}

/// What a reference stands for.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Looked<'a> {
    /// This text.
    Value(&'a str),
    /// Nobody knows, for this reason.
    Unknown(Unknown),
}

/// What answers have changed.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct News {
    /// Values that stand for something else now.
    pub changed: BTreeSet<Referent>,
    /// Values that are the same, of which something else has to be said.
    pub retold: BTreeSet<Referent>,
}

impl Referents {
    /// The variables and the Terraform states of a configuration; nothing outside is known yet.
    pub fn new(
        vars: IndexMap<String, String>,
        states: impl IntoIterator<Item = TfstateName>,
    ) -> Self {
        Self { vars, states: states.into_iter().collect(), ..Self::default() }
    }

    /// The same where nothing outside will be read: references to it are left as they stand.
    #[must_use]
    pub fn offline(self) -> Self {
        Self { is_offline: true, ..self }
    }

    /// Whether nothing outside will be read.
    pub(crate) fn is_offline(&self) -> bool {
        self.is_offline
    }

    /// Takes answers in, and says what they change.
    pub fn learn(&mut self, answers: Vec<(Referent, Answer)>, now: Timestamp) -> News {
        let mut news = News::default();
        for (referent, answer) in answers {
            let known = self.known.entry(referent.clone()).or_default();
            let before = known.clone();
            known.take(answer, now);
            let is_renamed =
                matches!(referent, Referent::Release(_)) && known.version() != before.version();
            if is_renamed || known.meaning() != before.meaning() {
                news.changed.insert(referent);
            } else if known.trouble() != before.trouble() {
                news.retold.insert(referent);
            }
        }
        news
    }

    /// Whether anything has been found out about a value.
    pub(crate) fn is_known(&self, referent: &Referent) -> bool {
        self.known.contains_key(referent)
    }

    /// Forgets what nobody refers to any more.
    pub(crate) fn keep_only(&mut self, used: &BTreeSet<Referent>) {
        self.known.retain(|referent, _| used.contains(referent));
    }

    /// What a reference stands for.
    pub(super) fn look(&self, reference: &Reference) -> Result<Looked<'_>, ReferenceError> {
        match reference {
            Reference::Variable(name) => self.variable(name).map(Looked::Value),
            Reference::Outside(referent) => self.outside(referent),
        }
    }

    fn variable(&self, name: &str) -> Result<&str, ReferenceError> {
        self.vars.get(name).map(String::as_str).ok_or_else(|| {
            let message = format!("`${{var:{name}}}` names a variable that is not configured");
            let hint = defined("spec.vars", self.vars.keys().map(String::as_str));
            ReferenceError::new(message, Some(hint))
        })
    }

    fn outside(&self, referent: &Referent) -> Result<Looked<'_>, ReferenceError> {
        if let Referent::Terraform { state, .. } = referent
            && !self.states.contains(state)
        {
            let message = format!("`{referent}` names a state that is not configured: `{state}`");
            let hint = defined("spec.tfstate", self.states.iter().map(TfstateName::as_str));
            return Err(ReferenceError::new(message, Some(hint)));
        }
        let known = self.known.get(referent);
        match known.and_then(|known| known.settled.as_ref()) {
            Some(Ok(found)) => return Ok(Looked::Value(&found.text)),
            Some(Err(Absence { why, hint })) => {
                let message = format!("`{referent}` has no value: {why}");
                return Err(ReferenceError::new(message, hint.clone()));
            }
            None => {}
        }
        Ok(Looked::Unknown(match known.and_then(|known| known.unread.as_ref()) {
            Some(unread) => Unknown {
                reason: match referent {
                    Referent::Release(_) => Reason::ReleaseUnresolved,
                    Referent::Parameter { .. } | Referent::Terraform { .. } => {
                        Reason::ReferenceUnread
                    }
                },
                message: shown(&format!("`{referent}` is not known: {}", unread.why)),
            },
            None => Unknown {
                reason: Reason::NotYetObserved,
                message: shown(&format!("`{referent}` has not been read yet")),
            },
        }))
    }

    /// Says which of the values in use could not be read lately, if any.
    pub(crate) fn stale<'a>(&self, used: impl IntoIterator<Item = &'a Referent>) -> Option<String> {
        used.into_iter().find_map(|referent| {
            let known = self.known.get(referent)?;
            let (unread, read_at) = (known.unread.as_ref()?, known.read_at?);
            Some(shown(&format!(
                "`{referent}` could not be read since {}; the value that was read at {read_at} stays in force: {}",
                unread.since, unread.why
            )))
        })
    }

    /// A value with its version, where both are known.
    pub(crate) fn version_of(&self, referent: &Referent) -> Option<(&str, &str)> {
        let found = self.known.get(referent)?.settled.as_ref()?.as_ref().ok()?;
        Some((&found.text, found.version.as_deref()?))
    }

    /// References as people see them.
    pub(crate) fn tell(&self, references: &[ResolvedReference]) -> Vec<ToldReference> {
        references.iter().map(|reference| self.tell_one(reference)).collect()
    }

    fn tell_one(&self, resolved: &ResolvedReference) -> ToldReference {
        let known = resolved.referent.as_ref().and_then(|referent| self.known.get(referent));
        let settled = known.and_then(|known| known.settled.as_ref());
        let found = settled.and_then(|settled| settled.as_ref().ok());
        let from = match (&resolved.referent, found) {
            (_, Some(found)) => found.from.clone(),
            (Some(_), None) => "a value that is not there any more".to_owned(),
            (None, None) => "spec.vars".to_owned(),
        };
        // A last good spec may hold an older value than the newest one.
        let current = found.filter(|found| found.text == resolved.value);
        ToldReference {
            path: resolved.path.clone(),
            reference: resolved.reference.clone(),
            value: resolved.value.clone(),
            from,
            version: current.and_then(|found| found.version.clone()),
            unread: known.and_then(|known| Some(known.unread.as_ref()?.why.clone())),
        }
    }
}

impl From<IndexMap<String, String>> for Referents {
    /// Variables only.
    fn from(vars: IndexMap<String, String>) -> Self {
        Self::new(vars, [])
    }
}

impl Known {
    fn take(&mut self, answer: Answer, now: Timestamp) {
        match answer {
            Answer::Found(found) => self.settle(Ok(found), now),
            Answer::Missing { why, hint } => self.settle(Err(Absence { why, hint }), now),
            Answer::Unread { why } => {
                let since = self.unread.as_ref().map_or(now, |unread| unread.since);
                self.unread = Some(Unread { why, since });
            }
        }
    }

    fn settle(&mut self, settled: Result<Found, Absence>, now: Timestamp) {
        *self = Self { settled: Some(settled), read_at: Some(now), unread: None };
    }

    /// What a spec gets from it.
    fn meaning(&self) -> Option<Result<&str, &Absence>> {
        self.settled.as_ref().map(|settled| settled.as_ref().map(|found| found.text.as_str()))
    }

    /// The version of a value that is known.
    fn version(&self) -> Option<&str> {
        self.settled.as_ref()?.as_ref().ok()?.version.as_deref()
    }

    /// What a status says beside that. A trouble that goes on in other words is the same trouble, unless it is all that is
    /// known.
    fn trouble(&self) -> Option<&str> {
        let unread = self.unread.as_ref()?;
        Some(if self.settled.is_none() { &unread.why } else { "" })
    }
}

fn defined<'a>(place: &str, names: impl IntoIterator<Item = &'a str>) -> String {
    let mut names: Vec<&str> = names.into_iter().collect();
    names.sort_unstable();
    let more = names.len() > NAMES_MAX;
    names.truncate(NAMES_MAX);
    match (names.is_empty(), more) {
        (true, _) => format!("`{place}` of the Controller defines none"),
        (false, false) => format!("defined are {}", names.join(", ")),
        (false, true) => format!("defined are {} and others", names.join(", ")),
    }
}
