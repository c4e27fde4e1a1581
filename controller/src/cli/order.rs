//! Verbs that ask a running operator to do something: a POST each.
//!
//! The order is recorded when the operator answers and carried out from then on; what comes of it is told by the status.

pub(super) mod abort;
pub(super) mod approve;
pub(super) mod hold;
pub(super) mod promote;
pub(super) mod release;
pub(super) mod restart;
pub(super) mod resume;
pub(super) mod rollback;
pub(super) mod suspend;
pub(super) mod sync;

use std::process::ExitCode;

use clap::Args;
use serde_json::{Map, Value};

use super::Output;
use super::client::{NameArgument, ServerArguments, service_path};
use super::output::{json as print_json, say};

/// What every order takes.
#[derive(Debug, Args)]
struct Subject {
    /// NAME where one cluster has it, else CLUSTER/NAME or TARGET:CLUSTER/NAME.
    name: NameArgument,
    #[command(flatten)]
    server: ServerArguments,
    /// How to print it.
    #[arg(long, value_enum, default_value_t = Output::Text)]
    output: Output,
}

/// Posts the order and says that it is recorded.
async fn give(subject: &Subject, verb: &str, body: Body) -> anyhow::Result<ExitCode> {
    let client = subject.server.client()?;
    let key = subject.name.find(&client).await?;
    let (path, query) =
        (service_path(&key, &format!("/{verb}")), [("target", key.target.as_str())]);
    let order = client.post(&path, &query, &Value::Object(body.0)).await?;
    match subject.output {
        Output::Json => print_json(&order)?,
        Output::Text => {
            let text = |name: &str| order.get(name).and_then(Value::as_str);
            let actor = text("actor").map(|actor| format!(" by {actor}")).unwrap_or_default();
            let until = text("expiresAt").map(|at| format!(", until {at}")).unwrap_or_default();
            say!(
                "{verb} of {key} is recorded{actor}{until}; `longshore status {key}` tells what comes of it"
            );
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// The members of an order that were given.
#[derive(Debug, Default)]
struct Body(Map<String, Value>);

impl Body {
    fn text(mut self, name: &str, value: Option<impl Into<String>>) -> Self {
        if let Some(value) = value {
            self.0.insert(name.to_owned(), Value::String(value.into()));
        }
        self
    }

    fn flag(mut self, name: &str, is_set: bool) -> Self {
        if is_set {
            self.0.insert(name.to_owned(), Value::Bool(true));
        }
        self
    }
}
