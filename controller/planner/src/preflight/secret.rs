//! Parameters and secrets: whether they are there and which version is in force, never what they hold (aws.md §4.4, §6.1,
//! §6.2).

use crds::{SecretStatus, SpecHash};
use jiff::Timestamp;
use serde_json::{Value, json};

use super::fact::{Fact, Mention, Verdict};
use super::nearest;
use super::{Facts, Mentions};
use crate::desired::Desired;

/// The stage of a secret that a task reads when the spec names none.
const CURRENT: &str = "AWSCURRENT";

/// Where a value is kept.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum StoredName {
    /// A parameter of the task's own account and region, by its name.
    Parameter(String),
    /// A secret, by its ARN, or by its name in the task's own account and region.
    Secret(String),
    /// Something in another account or region: its ARN, the account, the region.
    Elsewhere {
        /// The ARN as the spec writes it.
        arn: String,
        /// The account in it.
        account: String,
        /// The region in it.
        region: String,
        /// What it is without account and region.
        local: Box<StoredName>,
    },
}

/// Which version of a secret is meant, and which part of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Selector {
    /// The container, or what else reads the value.
    pub container: String,
    /// The variable or option that takes it.
    pub variable: String,
    /// The text of `valueFrom`.
    pub from: String,
    /// The staging label; nothing means `AWSCURRENT`.
    pub stage: Option<String>,
    /// The version's id; then neither label nor rotation matters.
    pub version: Option<String>,
}

/// What is known of a parameter or a secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stored {
    /// A parameter.
    Parameter(Parameter),
    /// A secret.
    Secret(Secret),
}

/// What Parameter Store says of a parameter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parameter {
    /// The number of its newest version.
    pub version: i64,
    /// When that was written.
    pub changed_at: Option<Timestamp>,
}

/// What Secrets Manager says of a secret.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Secret {
    /// The version that holds each staging label.
    pub stages: std::collections::BTreeMap<String, String>,
    /// When anything of it was last changed: never earlier than the newest version.
    pub changed_at: Option<Timestamp>,
    /// Whether its deletion is scheduled: then no task can read it.
    pub is_being_deleted: bool,
}

/// The version of one value that tasks started now would read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecretVersion {
    /// The container that reads it.
    pub container: String,
    /// The variable or option that takes it.
    pub name: String,
    /// The text of `valueFrom`.
    pub from: String,
    /// The number of a parameter's version, or the id of a secret's.
    pub version: String,
    /// Not before this time was it put in force; `None` where AWS does not say.
    pub changed_at: Option<Timestamp>,
}

impl From<&SecretVersion> for SecretStatus {
    fn from(version: &SecretVersion) -> Self {
        Self {
            container: version.container.clone(),
            name: version.name.clone(),
            from: version.from.clone(),
            version: version.version.clone(),
        }
    }
}

impl StoredName {
    /// Reads `valueFrom`, with what it selects. Nothing for a text that is no such name; the offline rules say why.
    pub fn parse(text: &str) -> Option<(Self, Selector)> {
        let selector = Selector { from: text.to_owned(), ..Selector::default() };
        let parts: Vec<&str> = text.split(':').collect();
        match parts.as_slice() {
            ["arn", _, "ssm", region, account, resource, ..] => {
                let name = resource.strip_prefix("parameter/")?;
                // The ARN of `/a/b` and of `a/b` read alike; names with a slash begin with one.
                let name = if name.contains('/') { format!("/{name}") } else { name.to_owned() };
                let arn = parts.iter().take(6).copied().collect::<Vec<_>>().join(":");
                let local = Box::new(Self::Parameter(name));
                let (account, region) = ((*account).to_owned(), (*region).to_owned());
                Some((Self::Elsewhere { arn, account, region, local }, selector))
            }
            ["arn", _, "secretsmanager", region, account, "secret", _, rest @ ..] => {
                let arn = parts.iter().take(7).copied().collect::<Vec<_>>().join(":");
                let part = |at: usize| {
                    rest.get(at).filter(|part| !part.is_empty()).map(|part| (*part).to_owned())
                };
                let selector = Selector { stage: part(1), version: part(2), ..selector };
                let local = Box::new(Self::Secret(arn.clone()));
                let (account, region) = ((*account).to_owned(), (*region).to_owned());
                Some((Self::Elsewhere { arn, account, region, local }, selector))
            }
            ["arn", ..] | [""] => None,
            [name, ..] => Some((Self::Parameter((*name).to_owned()), selector)),
            [] => None,
        }
    }

    /// How a person would call it.
    fn shown(&self) -> String {
        match self {
            Self::Parameter(name) => format!("parameter `{name}`"),
            Self::Secret(name) => format!("secret `{name}`"),
            Self::Elsewhere { arn, local, .. } => match **local {
                Self::Parameter(_) => format!("parameter `{arn}`"),
                Self::Secret(_) | Self::Elsewhere { .. } => format!("secret `{arn}`"),
            },
        }
    }
}

pub(super) fn mentions(desired: &Desired) -> Vec<Mention<StoredName, Selector>> {
    let mut found = Vec::new();
    for (at, container) in super::task::containers(desired) {
        let name = container.get("name").and_then(Value::as_str).unwrap_or_default();
        values(&at, name, container, "secrets", &mut found);
        let log = container.get("logConfiguration").unwrap_or(&Value::Null);
        values(&format!("{at}.logConfiguration"), name, log, "secretOptions", &mut found);
        let credentials = container.pointer("/repositoryCredentials/credentialsParameter");
        if let Some(text) = credentials.and_then(Value::as_str) {
            let (stored, selector) = match StoredName::parse(text) {
                Some((StoredName::Parameter(name), selector)) => {
                    (StoredName::Secret(name), selector)
                }
                Some(other) => other,
                None => continue,
            };
            let variable = "repositoryCredentials".to_owned();
            found.push(Mention {
                path: format!("{at}.repositoryCredentials.credentialsParameter"),
                name: stored,
                wanted: Selector { container: name.to_owned(), variable, ..selector },
            });
        }
    }
    let log = "/serviceConnectConfiguration/logConfiguration";
    let log = desired.service.input.pointer(log).unwrap_or(&Value::Null);
    let at = "spec.service.serviceConnectConfiguration.logConfiguration";
    values(at, "service-connect", log, "secretOptions", &mut found);
    found
}

fn values(
    at: &str,
    container: &str,
    block: &Value,
    member: &str,
    found: &mut Vec<Mention<StoredName, Selector>>,
) {
    let entries = block.get(member).and_then(Value::as_array).into_iter().flatten().enumerate();
    for (index, entry) in entries {
        let Some(text) = entry.get("valueFrom").and_then(Value::as_str) else { continue };
        let Some((name, selector)) = StoredName::parse(text) else { continue };
        let variable = entry.get("name").and_then(Value::as_str).unwrap_or_default().to_owned();
        found.push(Mention {
            path: format!("{at}.{member}[{index}].valueFrom"),
            name,
            wanted: Selector { container: container.to_owned(), variable, ..selector },
        });
    }
}

pub(super) fn judge(mentions: &Mentions, facts: &Facts, verdict: &mut Verdict) {
    for mention in &mentions.stored {
        let shown = mention.name.shown();
        match facts.stored.get(&mention.name) {
            Some(Fact::Present(stored)) => one(mention, stored, &shown, verdict),
            Some(Fact::Absent(absence)) => {
                let hint = match &mention.name {
                    StoredName::Parameter(name) => nearest::hint(name, &absence.known),
                    StoredName::Secret(_) | StoredName::Elsewhere { .. } => None,
                };
                let hint = hint.unwrap_or_else(|| "create it, or correct the name".to_owned());
                verdict.find(&mention.path, format!("{shown} does not exist"), hint);
            }
            Some(Fact::NotChecked(why)) => verdict.pass_by(shown, why),
            None => {}
        }
    }
}

fn one(
    mention: &Mention<StoredName, Selector>,
    stored: &Stored,
    shown: &str,
    verdict: &mut Verdict,
) {
    let Stored::Secret(secret) = stored else { return };
    if secret.is_being_deleted {
        verdict.find(
            &mention.path,
            format!("{shown} is scheduled for deletion, and tasks cannot read it"),
            "restore it, or use another".to_owned(),
        );
        return;
    }
    if mention.wanted.version.is_some() {
        // Versions without a label are not shown, and can be read nevertheless.
        return;
    }
    let stage = mention.wanted.stage.as_deref().unwrap_or(CURRENT);
    if !secret.stages.contains_key(stage) {
        let known: Vec<String> = secret.stages.keys().cloned().collect();
        verdict.find(
            &mention.path,
            format!("{shown} has no version with the label `{stage}`"),
            nearest::hint(stage, &known).or_else(|| Some("it has no value yet".to_owned())),
        );
    }
}

/// The version of every value that the spec names; `None` unless all of them are known.
pub fn versions(mentions: &Mentions, facts: &Facts) -> Option<Vec<SecretVersion>> {
    mentions
        .stored
        .iter()
        .map(|mention| {
            let Selector { container, variable, from, stage, version } = &mention.wanted;
            let Some(Fact::Present(stored)) = facts.stored.get(&mention.name) else { return None };
            let (version, changed_at) = match stored {
                Stored::Parameter(parameter) => {
                    (parameter.version.to_string(), parameter.changed_at)
                }
                Stored::Secret(secret) => {
                    let stage = stage.as_deref().unwrap_or(CURRENT);
                    let current = || secret.stages.get(stage).cloned();
                    (version.clone().or_else(current)?, secret.changed_at)
                }
            };
            Some(SecretVersion {
                container: container.clone(),
                name: variable.clone(),
                from: from.clone(),
                version,
                changed_at,
            })
        })
        .collect()
}

/// A short name for these versions together, whatever their order: equal only if no value has another version.
pub fn hash(versions: &[SecretVersion]) -> String {
    let mut pairs: Vec<Value> =
        versions.iter().map(|version| json!([version.from, version.version])).collect();
    pairs.sort_by_key(ToString::to_string);
    pairs.dedup();
    SpecHash::of(&Value::Array(pairs)).as_str().get(..16).unwrap_or_default().to_owned()
}
