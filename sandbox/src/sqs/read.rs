//! The operations on messages and what is told of queues.

use std::{collections::BTreeSet, time::Duration};

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::{Sqs, absent, queue::md5, refused};
use crate::{ApiError, clock::after, json};

/// The largest body, in bytes.
const BODY_MOST: usize = 1024 * 1024;
/// The most entries of a batch.
const ENTRIES_MOST: usize = 10;

impl Sqs {
    pub(super) fn get_queue_url(&self, input: &Value) -> Result<Value, ApiError> {
        let name = json::required_text(input, "QueueName")?;
        if !self.queues.contains_key(name) {
            return Err(absent());
        }
        Ok(json!({ "QueueUrl": self.url(name) }))
    }

    pub(super) fn list_queues(&self, input: &Value) -> Result<Value, ApiError> {
        let prefix = json::text(input, "QueueNamePrefix")?.unwrap_or_default();
        let names = self.queues.keys().filter(|name| name.starts_with(prefix));
        let urls: Vec<String> = names.map(|name| self.url(name)).collect();
        Ok(if urls.is_empty() { json!({}) } else { json!({ "QueueUrls": urls }) })
    }

    pub(super) fn get_queue_attributes(
        &self,
        input: &Value,
        now: Timestamp,
    ) -> Result<Value, ApiError> {
        let name = self.name_of(input)?;
        let wanted = json::texts(input, "AttributeNames")?;
        let mut all = self.named(input)?.attributes(now);
        all.push(("QueueArn", self.arn(&name)));
        let is_wanted = |name: &str| wanted.contains(&"All") || wanted.contains(&name);
        let attributes: Map<String, Value> = all
            .into_iter()
            .filter(|(name, _)| is_wanted(name))
            .map(|(name, value)| (name.to_owned(), json!(value)))
            .collect();
        Ok(if attributes.is_empty() { json!({}) } else { json!({ "Attributes": attributes }) })
    }

    pub(super) fn send_message(
        &mut self,
        input: &Value,
        now: Timestamp,
    ) -> Result<Value, ApiError> {
        let (queue, rng) = self.named_mut(input)?;
        let (body, delay) = message(input)?;
        let sum = md5(body);
        let id = queue.send(body, after(now, delay), rng);
        Ok(json!({ "MessageId": id, "MD5OfMessageBody": sum }))
    }

    pub(super) fn send_message_batch(
        &mut self,
        input: &Value,
        now: Timestamp,
    ) -> Result<Value, ApiError> {
        let (queue, rng) = self.named_mut(input)?;
        let (mut sent, mut failed) = (Vec::new(), Vec::new());
        for (id, entry) in entries(input)? {
            match message(entry) {
                Ok((body, delay)) => {
                    let sum = md5(body);
                    let number = queue.send(body, after(now, delay), rng);
                    sent.push(json!({ "Id": id, "MessageId": number, "MD5OfMessageBody": sum }));
                }
                Err(error) => failed.push(failure(id, &error)),
            }
        }
        Ok(json!({ "Successful": sent, "Failed": failed }))
    }

    pub(super) fn receive_message(
        &mut self,
        input: &Value,
        now: Timestamp,
    ) -> Result<Value, ApiError> {
        let most = within(input, "MaxNumberOfMessages", (1, 10), 1)?;
        within(input, "WaitTimeSeconds", (0, 20), 0)?;
        let hidden_for = match json::number(input, "VisibilityTimeout")? {
            Some(_) => Some(seconds(input, "VisibilityTimeout", 43_200)?),
            None => None,
        };
        let wanted: BTreeSet<String> = ["AttributeNames", "MessageSystemAttributeNames"]
            .into_iter()
            .map(|name| json::texts(input, name))
            .collect::<Result<Vec<_>, _>>()?
            .concat()
            .into_iter()
            .map(str::to_owned)
            .collect();
        let (queue, rng) = self.named_mut(input)?;
        let hidden_for = hidden_for.unwrap_or(queue.visibility);
        let most = usize::try_from(most).unwrap_or(1);
        let mut messages = queue.receive(most, hidden_for, now, rng);
        for message in &mut messages {
            keep_attributes(message, &wanted);
        }
        // An answer without messages has no member of that name.
        Ok(if messages.is_empty() { json!({}) } else { json!({ "Messages": messages }) })
    }

    pub(super) fn delete_message(&mut self, input: &Value) -> Result<Value, ApiError> {
        let (queue, _) = self.named_mut(input)?;
        queue.delete(receipt(input)?);
        Ok(json!({}))
    }

    pub(super) fn delete_message_batch(&mut self, input: &Value) -> Result<Value, ApiError> {
        let (queue, _) = self.named_mut(input)?;
        let (mut deleted, mut failed) = (Vec::new(), Vec::new());
        for (id, entry) in entries(input)? {
            match receipt(entry) {
                Ok(receipt) => {
                    queue.delete(receipt);
                    deleted.push(json!({ "Id": id }));
                }
                Err(error) => failed.push(failure(id, &error)),
            }
        }
        Ok(json!({ "Successful": deleted, "Failed": failed }))
    }

    pub(super) fn change_message_visibility(
        &mut self,
        input: &Value,
        now: Timestamp,
    ) -> Result<Value, ApiError> {
        let hidden_for = seconds(input, "VisibilityTimeout", 43_200)?;
        let (queue, _) = self.named_mut(input)?;
        if queue.hide(receipt(input)?, hidden_for, now) {
            return Ok(json!({}));
        }
        Err(refused("MessageNotInflight", "The specified message isn't in flight."))
    }
}

/// The body and the delay of a message.
fn message(input: &Value) -> Result<(&str, Duration), ApiError> {
    let body = json::required_text(input, "MessageBody")?;
    if body.is_empty() || body.len() > BODY_MOST {
        return Err(refused(
            "InvalidParameterValue",
            format!(
                "One or more parameters are invalid. Reason: Message must be 1 to {BODY_MOST} bytes."
            ),
        ));
    }
    if json::structure(input, "MessageAttributes")?.is_some_and(|given| !given.is_empty()) {
        return Err(refused("UnsupportedOperation", "The sandbox keeps no message attributes."));
    }
    Ok((body, seconds(input, "DelaySeconds", 900)?))
}

/// The entries of a batch with their ids.
fn entries(input: &Value) -> Result<Vec<(&str, &Value)>, ApiError> {
    let entries = json::list(input, "Entries")?.unwrap_or_default();
    if entries.is_empty() {
        return Err(refused("EmptyBatchRequest", "There should be at least one entry."));
    }
    if entries.len() > ENTRIES_MOST {
        return Err(refused(
            "TooManyEntriesInBatchRequest",
            format!(
                "Maximum number of entries per request are {ENTRIES_MOST}. You have sent {}.",
                entries.len()
            ),
        ));
    }
    let mut known = BTreeSet::new();
    entries
        .iter()
        .map(|entry| {
            let id = json::required_text(entry, "Id")?;
            if known.insert(id) {
                return Ok((id, entry));
            }
            Err(refused("BatchEntryIdsNotDistinct", format!("Id {id} repeated.")))
        })
        .collect()
}

fn receipt(input: &Value) -> Result<&str, ApiError> {
    let receipt = json::required_text(input, "ReceiptHandle")?;
    let parts = receipt.split_once('#').map(|(id, rest)| (id.len(), rest.len()));
    if parts == Some((36, 32)) {
        return Ok(receipt);
    }
    Err(refused(
        "ReceiptHandleIsInvalid",
        format!("The input receipt handle \"{receipt}\" is not a valid receipt handle."),
    ))
}

fn failure(id: &str, error: &ApiError) -> Value {
    json!({ "Id": id, "SenderFault": true, "Code": error.code, "Message": error.message })
}

fn within(
    input: &Value,
    name: &str,
    (least, most): (i64, i64),
    default: i64,
) -> Result<i64, ApiError> {
    let value = json::number(input, name)?.unwrap_or(default);
    if (least..=most).contains(&value) {
        return Ok(value);
    }
    Err(refused(
        "InvalidParameterValue",
        format!(
            "Value {value} for parameter {name} is invalid. Reason: Must be between {least} and {most}, if provided."
        ),
    ))
}

fn seconds(input: &Value, name: &str, most: i64) -> Result<Duration, ApiError> {
    let seconds = within(input, name, (0, most), 0)?;
    Ok(Duration::from_secs(u64::try_from(seconds).unwrap_or_default()))
}

/// Attributes are told to those who ask for them.
fn keep_attributes(message: &mut Value, wanted: &BTreeSet<String>) {
    let Some(members) = message.as_object_mut() else { return };
    if let Some(Value::Object(attributes)) = members.get_mut("Attributes") {
        attributes.retain(|name, _| wanted.contains("All") || wanted.contains(name));
        if attributes.is_empty() {
            members.remove("Attributes");
        }
    }
}
