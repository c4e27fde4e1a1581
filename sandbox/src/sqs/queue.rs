//! One queue and its messages.

use std::time::Duration;

use jiff::Timestamp;
use md5::{Digest as _, Md5};
use serde_json::{Value, json};

use crate::{clock::after, ids};

/// A standard queue.
#[derive(Debug)]
pub(super) struct Queue {
    created: Timestamp,
    pub(super) visibility: Duration,
    duplicates: bool,
    messages: Vec<Message>,
}

#[derive(Debug)]
struct Message {
    id: String,
    body: String,
    sent: Timestamp,
    /// From when on it can be received.
    visible: Timestamp,
    receives: u32,
    first_received: Option<Timestamp>,
    /// What the last receive gave to delete it with.
    receipt: Option<String>,
}

impl Queue {
    pub(super) fn new(created: Timestamp, visibility: Duration, duplicates: bool) -> Self {
        Self { created, visibility, duplicates, messages: Vec::new() }
    }

    /// Adds a message that can be received from `when` on; its id.
    pub(super) fn send(&mut self, body: &str, when: Timestamp, rng: &mut fastrand::Rng) -> String {
        let id = ids::uuid(rng);
        for _ in 0..if self.duplicates { 2 } else { 1 } {
            self.messages.push(Message {
                id: id.clone(),
                body: body.to_owned(),
                sent: when,
                visible: when,
                receives: 0,
                first_received: None,
                receipt: None,
            });
        }
        id
    }

    pub(super) fn has_visible(&self, now: Timestamp) -> bool {
        self.messages.iter().any(|message| message.visible <= now)
    }

    /// Hands out up to `most` messages in any order and hides them.
    pub(super) fn receive(
        &mut self,
        most: usize,
        hidden_for: Duration,
        now: Timestamp,
        rng: &mut fastrand::Rng,
    ) -> Vec<Value> {
        let mut visible: Vec<&mut Message> =
            self.messages.iter_mut().filter(|message| message.visible <= now).collect();
        rng.shuffle(&mut visible);
        let handed = visible.into_iter().take(most).map(|message| {
            let receipt = format!("{}#{}", message.id, ids::hex32(rng));
            message.visible = after(now, hidden_for);
            message.receives += 1;
            message.first_received.get_or_insert(now);
            message.receipt = Some(receipt.clone());
            json!({
                "MessageId": message.id,
                "ReceiptHandle": receipt,
                "MD5OfBody": md5(&message.body),
                "Body": message.body,
                "Attributes": {
                    "SentTimestamp": message.sent.as_millisecond().to_string(),
                    "ApproximateReceiveCount": message.receives.to_string(),
                    "ApproximateFirstReceiveTimestamp":
                        message.first_received.unwrap_or(now).as_millisecond().to_string(),
                },
            })
        });
        handed.collect()
    }

    /// Deletes what a receipt stands for; that of an older receive deletes nothing.
    pub(super) fn delete(&mut self, receipt: &str) {
        self.messages.retain(|message| message.receipt.as_deref() != Some(receipt));
    }

    /// Hides a message for so long from now; whether the receipt stands for one that is hidden.
    pub(super) fn hide(&mut self, receipt: &str, hidden_for: Duration, now: Timestamp) -> bool {
        let message = self
            .messages
            .iter_mut()
            .find(|message| message.receipt.as_deref() == Some(receipt) && message.visible > now);
        let Some(message) = message else { return false };
        message.visible = after(now, hidden_for);
        true
    }

    pub(super) fn purge(&mut self) {
        self.messages.clear();
    }

    /// The attributes by name, all of them texts.
    pub(super) fn attributes(&self, now: Timestamp) -> Vec<(&'static str, String)> {
        let count = |is_one: &dyn Fn(&Message) -> bool| {
            self.messages.iter().filter(|message| is_one(message)).count().to_string()
        };
        vec![
            ("ApproximateNumberOfMessages", count(&|message| message.visible <= now)),
            (
                "ApproximateNumberOfMessagesNotVisible",
                count(&|message| message.visible > now && message.receives > 0),
            ),
            (
                "ApproximateNumberOfMessagesDelayed",
                count(&|message| message.visible > now && message.receives == 0),
            ),
            ("CreatedTimestamp", self.created.as_second().to_string()),
            ("LastModifiedTimestamp", self.created.as_second().to_string()),
            ("VisibilityTimeout", self.visibility.as_secs().to_string()),
        ]
    }
}

/// The MD5 of a body, in hexadecimal digits.
pub(super) fn md5(body: &str) -> String {
    hex::encode(Md5::digest(body))
}
