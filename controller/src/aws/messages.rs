//! Messages of a queue of SQS (aws.md §6.7).

use std::time::Duration;

use aws_config::timeout::TimeoutConfig;
use aws_config::{Region, SdkConfig};
use aws_sdk_sqs::Client;
use aws_sdk_sqs::config::Builder;
use serde_json::{Value, json};

use super::account::Account;
use super::answer::{array, text};
use super::error::Error;
use super::json_call::json_call;
use super::operation::Operation;

/// How many messages an answer has at most, and how many are deleted at once.
pub const MESSAGES_MAX: usize = 10;
/// How long SQS waits for a message, in seconds: the longest that it takes.
const WAIT_SECONDS: u32 = 20;
/// How long an answer may take that SQS itself keeps back for so long.
const TIMEOUT: Duration = Duration::from_secs(30);

/// A message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// Its text.
    pub body: String,
    /// What it is deleted with.
    pub receipt: String,
}

/// A client whose calls may take as long as SQS waits.
pub(super) fn client(settings: &SdkConfig) -> Client {
    let timeouts = TimeoutConfig::builder()
        .connect_timeout(Duration::from_secs(3))
        .read_timeout(TIMEOUT)
        .operation_attempt_timeout(TIMEOUT);
    let config = Builder::from(settings).timeout_config(timeouts.build());
    Client::from_conf(config.build())
}

impl Account {
    /// Messages of a queue, up to ten; waits up to twenty seconds for the first. They come again if they are not deleted.
    pub async fn receive_messages(&self, url: &str) -> Result<Vec<Message>, Error> {
        self.receive(url, WAIT_SECONDS).await
    }

    /// The same without waiting.
    pub async fn receive_messages_at_once(&self, url: &str) -> Result<Vec<Message>, Error> {
        self.receive(url, 0).await
    }

    async fn receive(&self, url: &str, wait_seconds: u32) -> Result<Vec<Message>, Error> {
        let operation = Operation::ReceiveMessage;
        let body = json!({
            "QueueUrl": url, "MaxNumberOfMessages": MESSAGES_MAX, "WaitTimeSeconds": wait_seconds,
        });
        let connection = &self.inner.connection;
        let attempt = json_call(operation, url, &body, |exchange| {
            let call = connection.sqs.receive_message().customize();
            call.interceptor(exchange).config_override(at(url)).send()
        });
        let mut answer = connection.calls.once(operation, None, Box::pin(attempt)).await?;
        let messages = array(&mut answer, "Messages").into_iter();
        Ok(messages.filter_map(|message| read(&message)).collect())
    }

    /// Deletes messages; the error names the first that is still there.
    pub async fn delete_messages(&self, url: &str, receipts: Vec<String>) -> Result<(), Error> {
        for some in receipts.chunks(MESSAGES_MAX) {
            self.delete(url, some).await?;
        }
        Ok(())
    }

    async fn delete(&self, url: &str, receipts: &[String]) -> Result<(), Error> {
        let operation = Operation::DeleteMessageBatch;
        let entries: Vec<Value> = receipts
            .iter()
            .enumerate()
            .map(|(number, receipt)| json!({ "Id": number.to_string(), "ReceiptHandle": receipt }))
            .collect();
        let body = json!({ "QueueUrl": url, "Entries": entries });
        let connection = &self.inner.connection;
        let attempt = json_call(operation, url, &body, |exchange| {
            let call = connection.sqs.delete_message_batch().customize();
            call.interceptor(exchange).config_override(at(url)).send()
        });
        let mut answer = connection.calls.once(operation, None, Box::pin(attempt)).await?;
        match array(&mut answer, "Failed").first() {
            None => Ok(()),
            Some(failed) => {
                let (code, told) = (text(failed, "Code"), text(failed, "Message"));
                Err(Error::refused(operation, url, 400, code, told.unwrap_or_default()))
            }
        }
    }
}

fn read(message: &Value) -> Option<Message> {
    let member = |name: &str| text(message, name).map(str::to_owned);
    Some(Message { body: member("Body")?, receipt: member("ReceiptHandle")? })
}

/// The queue's own region, which its URL names, in the place of the target's.
fn at(url: &str) -> Builder {
    match region_of(url) {
        Some(region) => Builder::new().region(Region::new(region.to_owned())),
        None => Builder::new(),
    }
}

/// `eu-west-1` out of `https://sqs.eu-west-1.amazonaws.com/…`.
fn region_of(url: &str) -> Option<&str> {
    let (_, rest) = url.split_once("://")?;
    let (host, _) = rest.split_once('/')?;
    let (region, domain) = host.strip_prefix("sqs.")?.split_once('.')?;
    domain.starts_with("amazonaws.com").then_some(region)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_url_of_a_queue_names_its_region() {
        for (url, region) in [
            ("https://sqs.eu-west-1.amazonaws.com/111122223333/events", Some("eu-west-1")),
            ("https://sqs.cn-north-1.amazonaws.com.cn/111122223333/events", Some("cn-north-1")),
            ("http://127.0.0.1:4566/111122223333/events", None),
            ("https://sqs.eu-west-1.example.com/1/x", None),
            ("events", None),
        ] {
            assert_eq!(region_of(url), region, "{url}");
        }
    }
}
