//! Task definitions: register, describe, list.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::Instant;

use super::account::Account;
use super::answer::{Paging, require, text, texts};
use super::connection::ecs_call;
use super::error::{Error, Kind};
use super::operation::Operation;

/// How long a list may be older than our own last registration.
const LISTED_WITHIN: Duration = Duration::from_mins(1);

impl Account {
    /// The revision as `{taskDefinition, tags}`; `None` if ECS knows none by this name.
    ///
    /// The content of a revision never changes, so it is kept under its full ARN. Its `status` and `tags` may have changed
    /// since: [`Account::reread_task_definition`] where that matters.
    pub async fn describe_task_definition(&self, name: &str) -> Result<Option<Arc<Value>>, Error> {
        match self.inner.task_definitions.get(name) {
            Some(definition) => Ok(Some(Arc::new(definition))),
            None => self.reread_task_definition(name).await,
        }
    }

    /// As [`Account::describe_task_definition`], always asked of ECS. `name` may also be a family: its newest ACTIVE one.
    pub async fn reread_task_definition(&self, name: &str) -> Result<Option<Arc<Value>>, Error> {
        let operation = Operation::DescribeTaskDefinition;
        let body = json!({ "taskDefinition": name, "include": ["TAGS"] });
        let send = ecs_call!(describe_task_definition);
        match self.inner.connection.read(operation, name, &body, send).await {
            Ok(answer) => {
                self.keep_task_definition(&answer, name)?;
                Ok(Some(Arc::new(answer)))
            }
            Err(error) if says_absent(&error) => {
                self.inner.task_definitions.forget(name);
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    fn keep_task_definition(&self, answer: &Value, name: &str) -> Result<(), Error> {
        let arn = answer.get("taskDefinition").and_then(|found| text(found, "taskDefinitionArn"));
        let Some(arn) = arn else {
            let message = "the answer has no `taskDefinition`";
            return Err(Error::unexpected(Operation::DescribeTaskDefinition, name, message));
        };
        self.inner.task_definitions.put(arn, answer);
        Ok(())
    }

    /// ARNs of the family's newest ACTIVE revisions, newest first, at most `newest`. What was registered through this account
    /// a moment ago is among them, even where the list is older than that.
    pub async fn list_task_definitions(
        &self,
        family: &str,
        newest: usize,
    ) -> Result<Vec<String>, Error> {
        // `familyPrefix` is the exact family here (aws.md §2.2).
        let body = json!({
            "familyPrefix": family,
            "status": "ACTIVE",
            "sort": "DESC",
            "maxResults": newest.clamp(1, 100),
        });
        let mut arns = Vec::new();
        let take = |mut page: Value| {
            arns.extend(texts(&mut page, "taskDefinitionArns"));
            if arns.len() < newest { Paging::More } else { Paging::Enough }
        };
        let send = ecs_call!(list_task_definitions);
        self.pages(Operation::ListTaskDefinitions, family, body, send, take).await?;
        let mut known = self.inner.registered.of(family);
        known.retain(|arn| !arns.contains(arn));
        known.append(&mut arns);
        known.truncate(newest);
        Ok(known)
    }

    /// Registers a revision from `RegisterTaskDefinition`'s input and answers with `{taskDefinition, tags}`.
    ///
    /// There is no idempotency token (aws.md §2.2): after [`Kind::Ambiguous`] look for the revision before the next try.
    pub async fn register_task_definition(&self, body: &Value) -> Result<Value, Error> {
        let operation = Operation::RegisterTaskDefinition;
        let family = text(body, "family").unwrap_or_default();
        let send = ecs_call!(register_task_definition);
        let answer = self.inner.connection.change(operation, family, body, send).await?;
        let answer = require(answer, operation, family, "taskDefinition")?;
        if let Some(arn) =
            answer.pointer("/taskDefinition/taskDefinitionArn").and_then(Value::as_str)
        {
            self.inner.task_definitions.put(arn, &answer);
            self.inner.registered.add(family, arn);
        }
        Ok(answer)
    }

    /// Deregisters a revision: what runs on it goes on, nothing new can use it, and there is no way back (aws.md §2.2).
    pub async fn deregister_task_definition(&self, arn: &str) -> Result<(), Error> {
        let operation = Operation::DeregisterTaskDefinition;
        let body = json!({ "taskDefinition": arn });
        let send = ecs_call!(deregister_task_definition);
        self.inner.connection.change(operation, arn, &body, send).await?;
        self.inner.task_definitions.forget(arn);
        Ok(())
    }

    /// Whether a revision can be deregistered without keeping a registration waiting: both draw on one bucket (aws.md §1.1).
    pub async fn has_room_to_deregister(&self) -> Result<bool, Error> {
        self.inner.connection.has_room(Operation::DeregisterTaskDefinition).await
    }

    /// The families in which revisions were registered through this account since this was last asked.
    pub fn take_grown_families(&self) -> BTreeSet<String> {
        self.inner.registered.take_grown()
    }
}

/// Our own last registrations, which lists may not show yet (aws.md §0: reads are eventually consistent).
#[derive(Debug, Default)]
pub(super) struct Registered {
    last: Mutex<Vec<Registration>>,
    grown: Mutex<BTreeSet<String>>,
}

#[derive(Debug)]
struct Registration {
    family: String,
    arn: String,
    at: Instant,
}

impl Registered {
    fn add(&self, family: &str, arn: &str) {
        let mut grown = self.grown.lock().unwrap_or_else(PoisonError::into_inner);
        grown.insert(family.to_owned());
        let mut all = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        all.retain(|one| one.at.elapsed() < LISTED_WITHIN);
        all.push(Registration {
            family: family.to_owned(),
            arn: arn.to_owned(),
            at: Instant::now(),
        });
    }

    fn take_grown(&self) -> BTreeSet<String> {
        std::mem::take(&mut self.grown.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Newest first.
    fn of(&self, family: &str) -> Vec<String> {
        let all = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        all.iter()
            .rev()
            .filter(|one| one.family == family && one.at.elapsed() < LISTED_WITHIN)
            .map(|one| one.arn.clone())
            .collect()
    }
}

/// ECS has no code of its own for an unknown revision (aws.md §2.2).
fn says_absent(error: &Error) -> bool {
    error.kind == Kind::Refused
        && error.code.as_deref() == Some("ClientException")
        && error.message.starts_with("Unable to describe task definition")
}
