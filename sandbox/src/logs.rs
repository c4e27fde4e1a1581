//! CloudWatch Logs, as far as somebody asks whether a log group is there.

use serde::Deserialize;
use serde_json::{Value, json};

use crate::{
    ApiError,
    json::{bounded, text, unknown_operation},
};

/// The log groups of one account in one region.
#[derive(Debug)]
pub(crate) struct Logs {
    account: String,
    region: String,
    /// In order; none while nobody said which there are: then nobody may look either.
    groups: Option<Vec<String>>,
}

/// A log group that exists when the sandbox starts.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct FixtureLogGroup {
    /// Its name, `/shop/web`.
    pub name: String,
}

impl Logs {
    pub(crate) fn new(account: &str, region: &str, fixtures: Option<&[FixtureLogGroup]>) -> Self {
        let groups = fixtures.map(|groups| {
            let mut names: Vec<String> = groups.iter().map(|group| group.name.clone()).collect();
            names.sort();
            names
        });
        Self { account: account.to_owned(), region: region.to_owned(), groups }
    }

    /// Answers one call.
    pub(crate) fn call(&self, operation: &str, input: &Value) -> Result<Value, ApiError> {
        match operation {
            "DescribeLogGroups" => self.describe_log_groups(input),
            operation => Err(unknown_operation(operation)),
        }
    }

    fn describe_log_groups(&self, input: &Value) -> Result<Value, ApiError> {
        let Some(groups) = &self.groups else {
            return Err(ApiError::denied(&self.account, "logs:DescribeLogGroups"));
        };
        let prefix = text(input, "logGroupNamePrefix")?.unwrap_or_default();
        let most = bounded(input, "limit", (1, 50), 50)?;
        let rows = groups.iter().filter(|name| name.starts_with(prefix)).take(most).map(|name| {
            let arn = format!("arn:aws:logs:{}:{}:log-group:{name}:*", self.region, self.account);
            json!({ "logGroupName": name, "arn": arn, "storedBytes": 0, "metricFilterCount": 0 })
        });
        Ok(json!({ "logGroups": rows.collect::<Vec<_>>() }))
    }
}
