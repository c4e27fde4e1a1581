//! Log groups.

use serde_json::json;

use super::super::account::Account;
use super::super::answer::{array, text};
use super::super::error::Error;
use super::super::operation::Operation;
use super::{FRESH, json_send};

impl Account {
    /// Whether there is a log group of this name.
    pub async fn has_log_group(&self, name: &str) -> Result<bool, Error> {
        let recent = &self.inner.surroundings.log_groups;
        let ask = || async {
            let operation = Operation::DescribeLogGroups;
            // Groups come in the order of their names: the one that is no longer than its prefix is the first.
            let body = json!({ "logGroupNamePrefix": name, "limit": 1 });
            let send = json_send!(logs.describe_log_groups);
            let mut answer = self.inner.connection.ask_json(operation, name, &body, send).await?;
            let groups = array(&mut answer, "logGroups");
            Ok(groups.iter().any(|group| text(group, "logGroupName") == Some(name)))
        };
        recent.get(&name.to_owned(), FRESH, ask).await
    }
}
