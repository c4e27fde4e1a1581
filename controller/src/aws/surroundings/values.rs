//! What plain parameters hold: the only values that are ever asked for, and never decrypted ones (aws.md §6.1).
//!
//! Callers ask for names only that `DescribeParameters` has called plain. Should one have become a `SecureString` since
//! then, its answer is ciphertext, because decryption is not asked for, and is dropped here unread.

use std::collections::HashMap;
use std::time::Duration;

use serde_json::{Value, json};

use super::super::account::Account;
use super::super::answer::{array, text, texts};
use super::super::batch::{BatchLimits, Batcher};
use super::super::connection::SharedConnection;
use super::super::error::Error;
use super::super::operation::Operation;
use super::{json_send, own};

/// Ten names a call.
const GET: BatchLimits = BatchLimits { keys: 10, window: Duration::from_millis(50), in_flight: 2 };

/// A parameter that was asked for as a plain one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PlainParameter {
    /// It is one.
    Plain {
        /// What it holds.
        value: String,
        /// The number of its version.
        version: i64,
    },
    /// It is none any more; what it holds was dropped.
    Secret,
}

/// Whether parameters of this type hold no secret. A type that nobody knows yet might.
pub(super) fn is_plain(kind: &str) -> bool {
    matches!(kind, "String" | "StringList")
}

impl Account {
    /// The plain parameter of this name, `/shop/url`, or one version of it, `/shop/url:3` or `/shop/url:label`; `None` if
    /// Parameter Store knows none.
    pub async fn plain_parameter(&self, name: &str) -> Result<Option<PlainParameter>, Error> {
        let batcher = &self.inner.surroundings.plain_parameters;
        let answer = batcher.get((), name.to_owned()).await;
        answer.map(Option::flatten).map_err(|error| error.about(name))
    }
}

pub(super) fn batcher(
    connection: &SharedConnection,
) -> Batcher<(), String, Option<PlainParameter>> {
    let connection = own(connection);
    Batcher::new(GET, move |(), names: Vec<String>| {
        let connection = own(&connection);
        async move {
            let (operation, subject) = (Operation::GetParameters, names.join(","));
            let body = json!({ "Names": names, "WithDecryption": false });
            let send = json_send!(ssm.get_parameters);
            let mut answer = connection.ask_json(operation, &subject, &body, send).await?;
            let mut found = HashMap::new();
            for row in array(&mut answer, "Parameters") {
                let name = text(&row, "Name").unwrap_or_default();
                let name = format!("{name}{}", text(&row, "Selector").unwrap_or_default());
                found.insert(name, Ok(Some(parameter(row, &subject)?)));
            }
            for name in texts(&mut answer, "InvalidParameters") {
                found.insert(name, Ok(None));
            }
            let unanswered = || Error::unexpected(operation, &subject, "the answer lacks a name");
            for name in names {
                found.entry(name).or_insert_with(|| Err(unanswered()));
            }
            Ok(found)
        }
    })
}

fn parameter(mut row: Value, subject: &str) -> Result<PlainParameter, Error> {
    if !text(&row, "Type").is_some_and(is_plain) {
        return Ok(PlainParameter::Secret);
    }
    let version = row.get("Version").and_then(Value::as_i64);
    if let (Some(Value::String(value)), Some(version)) =
        (row.get_mut("Value").map(Value::take), version)
    {
        Ok(PlainParameter::Plain { value, version })
    } else {
        let message = "the answer has a parameter without value or version";
        Err(Error::unexpected(Operation::GetParameters, subject, message))
    }
}
