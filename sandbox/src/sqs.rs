//! Simple Queue Service: standard queues (aws.md §6.7). Messages come in no order, at least once, and again when they are not
//! deleted in time.

mod queue;
mod read;
#[cfg(test)]
mod tests;
mod wait;

use std::{collections::BTreeMap, time::Duration};

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};

use self::queue::Queue;
pub(crate) use self::wait::wait;
use crate::{ApiError, fixtures, json};

/// The queues of one account in one Region.
#[derive(Debug)]
pub(crate) struct Sqs {
    account: String,
    region: String,
    queues: BTreeMap<String, Queue>,
    rng: fastrand::Rng,
}

impl Sqs {
    /// No queue at all.
    pub(crate) fn new(account: &str, region: &str, seed: u64) -> Self {
        let rng = fastrand::Rng::with_seed(seed);
        let (account, region) = (account.to_owned(), region.to_owned());
        Self { account, region, queues: BTreeMap::new(), rng }
    }

    /// Adds a queue that exists from the start.
    pub(crate) fn load(&mut self, fixture: &FixtureQueue, now: Timestamp) {
        let queue = Queue::new(now, fixture.visibility_timeout, fixture.duplicates);
        self.queues.insert(fixture.name.clone(), queue);
    }

    /// Puts a message into a queue, to be seen from `when` on; nothing if there is no such queue.
    pub(crate) fn put(&mut self, name: &str, body: &str, when: Timestamp) {
        if let Some(queue) = self.queues.get_mut(name) {
            queue.send(body, when, &mut self.rng);
        }
    }

    /// Whether a receive would find a message now, or be refused.
    pub(crate) fn is_answered_at_once(&self, input: &Value, now: Timestamp) -> bool {
        match self.named(input) {
            Ok(queue) => queue.has_visible(now),
            Err(_) => true,
        }
    }

    /// Answers one call.
    pub(crate) fn call(
        &mut self,
        operation: &str,
        input: &Value,
        now: Timestamp,
    ) -> Result<Value, ApiError> {
        match operation {
            "CreateQueue" => self.create_queue(input, now),
            "DeleteQueue" => {
                let name = self.name_of(input)?;
                self.queues.remove(&name);
                Ok(json!({}))
            }
            "GetQueueUrl" => self.get_queue_url(input),
            "ListQueues" => self.list_queues(input),
            "GetQueueAttributes" => self.get_queue_attributes(input, now),
            "PurgeQueue" => {
                self.named_mut(input)?.0.purge();
                Ok(json!({}))
            }
            "SendMessage" => self.send_message(input, now),
            "SendMessageBatch" => self.send_message_batch(input, now),
            "ReceiveMessage" => self.receive_message(input, now),
            "DeleteMessage" => self.delete_message(input),
            "DeleteMessageBatch" => self.delete_message_batch(input),
            "ChangeMessageVisibility" => self.change_message_visibility(input, now),
            operation => Err(json::unknown_operation(operation)),
        }
    }

    fn create_queue(&mut self, input: &Value, now: Timestamp) -> Result<Value, ApiError> {
        let name = json::required_text(input, "QueueName")?.to_owned();
        let allowed = |letter: char| letter.is_ascii_alphanumeric() || "-_".contains(letter);
        if name.is_empty() || name.len() > 80 || !name.chars().all(allowed) {
            return Err(refused(
                "InvalidParameterValue",
                "Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length",
            ));
        }
        let timeout = json::structure(input, "Attributes")?
            .and_then(|attributes| attributes.get("VisibilityTimeout")?.as_str()?.parse().ok())
            .map_or(DEFAULT_VISIBILITY, Duration::from_secs);
        self.queues.entry(name.clone()).or_insert_with(|| Queue::new(now, timeout, false));
        Ok(json!({ "QueueUrl": self.url(&name) }))
    }

    fn url(&self, name: &str) -> String {
        format!("https://sqs.{}.amazonaws.com/{}/{name}", self.region, self.account)
    }

    fn arn(&self, name: &str) -> String {
        format!("arn:aws:sqs:{}:{}:{name}", self.region, self.account)
    }

    /// The name of the queue that a call is about; whatever host its URL has.
    fn name_of(&self, input: &Value) -> Result<String, ApiError> {
        let url = json::required_text(input, "QueueUrl")?;
        let mut parts = url.rsplit('/');
        let (name, account) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
        if account != self.account || !self.queues.contains_key(name) {
            return Err(absent());
        }
        Ok(name.to_owned())
    }

    fn named(&self, input: &Value) -> Result<&Queue, ApiError> {
        let name = self.name_of(input)?;
        self.queues.get(&name).ok_or_else(absent)
    }

    fn named_mut(&mut self, input: &Value) -> Result<(&mut Queue, &mut fastrand::Rng), ApiError> {
        let name = self.name_of(input)?;
        let queue = self.queues.get_mut(&name).ok_or_else(absent)?;
        Ok((queue, &mut self.rng))
    }
}

fn absent() -> ApiError {
    refused("QueueDoesNotExist", "The specified queue does not exist.")
}

fn refused(code: &str, message: impl Into<String>) -> ApiError {
    ApiError::refused(code, message)
}

/// The code that callers of the older query API know, for the header `x-amzn-query-error`.
pub(crate) fn legacy_code(code: &str) -> String {
    let legacy = match code {
        "QueueDoesNotExist" => "AWS.SimpleQueueService.NonExistentQueue",
        "EmptyBatchRequest" => "AWS.SimpleQueueService.EmptyBatchRequest",
        "TooManyEntriesInBatchRequest" => "AWS.SimpleQueueService.TooManyEntriesInBatchRequest",
        "BatchEntryIdsNotDistinct" => "AWS.SimpleQueueService.BatchEntryIdsNotDistinct",
        "UnsupportedOperation" => "AWS.SimpleQueueService.UnsupportedOperation",
        other => other,
    };
    format!("{legacy};Sender")
}

/// For how long a message that was received is hidden, unless the queue or the call says otherwise.
const DEFAULT_VISIBILITY: Duration = Duration::from_secs(30);

/// A queue that exists when the sandbox starts.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct FixtureQueue {
    /// Its name.
    pub name: String,
    /// For how long a message that was received is hidden.
    #[serde(default = "FixtureQueue::default_visibility", deserialize_with = "fixtures::duration")]
    pub visibility_timeout: Duration,
    /// Whether every message is there twice.
    #[serde(default)]
    pub duplicates: bool,
}

impl FixtureQueue {
    fn default_visibility() -> Duration {
        DEFAULT_VISIBILITY
    }
}
