//! Parameter Store (aws.md §6.1).

mod filters;
mod names;
mod read;
#[cfg(test)]
mod tests;
mod write;

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;

use crate::{ApiError, json};

/// The parameters of one account in one region.
#[derive(Debug)]
pub(crate) struct Ssm {
    account: String,
    region: String,
    parameters: BTreeMap<String, Parameter>,
}

#[derive(Debug)]
struct Parameter {
    kind: Kind,
    key_id: Option<String>,
    description: Option<String>,
    tier: String,
    data_type: String,
    tags: BTreeMap<String, String>,
    /// Oldest first, never empty; the last one is the current one.
    versions: Vec<Version>,
}

#[derive(Debug, Clone)]
struct Version {
    number: u64,
    value: String,
    modified: Timestamp,
    labels: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    String,
    StringList,
    SecureString,
}

impl Kind {
    fn parse(name: &str) -> Option<Self> {
        [Self::String, Self::StringList, Self::SecureString]
            .into_iter()
            .find(|kind| kind.name() == name)
    }

    fn name(self) -> &'static str {
        match self {
            Self::String => "String",
            Self::StringList => "StringList",
            Self::SecureString => "SecureString",
        }
    }
}

impl Ssm {
    /// An empty Parameter Store.
    pub(crate) fn new(account: &str, region: &str) -> Self {
        Self { account: account.to_owned(), region: region.to_owned(), parameters: BTreeMap::new() }
    }

    /// Answers one call.
    pub(crate) fn call(
        &mut self,
        operation: &str,
        input: &Value,
        now: Timestamp,
    ) -> Result<Value, ApiError> {
        match operation {
            "GetParameter" => self.get_parameter(input),
            "GetParameters" => self.get_parameters(input),
            "GetParametersByPath" => self.get_parameters_by_path(input),
            "GetParameterHistory" => self.get_parameter_history(input),
            "DescribeParameters" => self.describe_parameters(input),
            "PutParameter" => self.put_parameter(input, now),
            "DeleteParameter" => self.delete_parameter(input),
            "DeleteParameters" => self.delete_parameters(input),
            "LabelParameterVersion" => self.label_parameter_version(input),
            "AddTagsToResource" => self.add_tags(input),
            "RemoveTagsFromResource" => self.remove_tags(input),
            "ListTagsForResource" => self.list_tags(input),
            operation => Err(json::unknown_operation(operation)),
        }
    }

    /// The token bucket that pays for an operation: name, capacity, tokens a second (aws.md §1.3).
    pub(crate) fn bucket(operation: &str) -> Option<(&'static str, u32, u32)> {
        let (name, rate) = match operation {
            "GetParameter" | "GetParameters" | "GetParametersByPath" => ("parameter read", 40),
            "DescribeParameters" => ("DescribeParameters", 3),
            "GetParameterHistory" => ("GetParameterHistory", 3),
            "PutParameter" => ("PutParameter", 3),
            "LabelParameterVersion" => ("LabelParameterVersion", 3),
            "DeleteParameter" => ("DeleteParameter", 3),
            "DeleteParameters" => ("DeleteParameters", 3),
            _ => return None,
        };
        Some((name, rate, rate))
    }

    /// Adds a parameter that exists from the start.
    pub(crate) fn load(
        &mut self,
        fixture: &FixtureParameter,
        now: Timestamp,
    ) -> Result<(), ApiError> {
        let kind = Kind::parse(&fixture.kind).ok_or_else(|| write::unsupported(&fixture.kind))?;
        names::validate(&fixture.name)?;
        let first = fixture.version.saturating_sub(write::VERSIONS_KEPT - 1).max(1);
        let version = |number: u64| Version {
            number,
            value: fixture.value.clone(),
            modified: now,
            labels: if number == fixture.version { fixture.labels.clone() } else { Vec::new() },
        };
        let parameter = Parameter {
            kind,
            key_id: (kind == Kind::SecureString).then(|| "alias/aws/ssm".to_owned()),
            description: fixture.description.clone(),
            tier: "Standard".to_owned(),
            data_type: "text".to_owned(),
            tags: fixture.tags.clone(),
            versions: (first..=fixture.version.max(1)).map(version).collect(),
        };
        self.parameters.insert(fixture.name.clone(), parameter);
        Ok(())
    }

    /// The number of the version that a task definition's `valueFrom` names now, or what the agent reports when there is none.
    pub(crate) fn resolve(&self, value_from: &str) -> Option<u64> {
        self.find(value_from).ok().map(|found| found.version.number)
    }

    fn arn(&self, name: &str) -> String {
        names::arn(&self.region, &self.account, name)
    }
}

impl Parameter {
    fn current(&self) -> Option<&Version> {
        self.versions.last()
    }
}

/// A parameter that exists when the sandbox starts.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct FixtureParameter {
    /// The full name, with its leading `/` when it is hierarchical.
    pub name: String,
    /// `String`, `StringList` or `SecureString`.
    #[serde(rename = "type", default = "FixtureParameter::default_kind")]
    pub kind: String,
    /// What every version holds.
    pub value: String,
    /// How many versions exist; the newest has this number.
    #[serde(default = "FixtureParameter::default_version")]
    pub version: u64,
    /// Labels of the newest version.
    #[serde(default)]
    pub labels: Vec<String>,
    /// Text for people.
    #[serde(default)]
    pub description: Option<String>,
    /// Tags of the parameter.
    #[serde(default)]
    pub tags: BTreeMap<String, String>,
}

impl FixtureParameter {
    fn default_kind() -> String {
        "String".to_owned()
    }

    fn default_version() -> u64 {
        1
    }
}
