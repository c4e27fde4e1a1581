//! `longshore render`: specs as they are used, with the place of each and the origin of each value that was put in.

use std::fmt::Write as _;
use std::process::ExitCode;
use std::sync::Arc;

use clap::Args;
use serde_json::{Value, json};

use super::client::NameArgument;
use super::output::{json as print_json, say};
use super::{AwsArguments, Output, SourceArguments, connect, validate};
use crate::config::Config;
use crate::inventory::{Entry, Inventory, Wanted};
use crate::references;

/// Arguments of `render`.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Only these services: NAME, CLUSTER/NAME or TARGET:CLUSTER/NAME. Default: all.
    #[arg(value_name = "NAME")]
    names: Vec<NameArgument>,
    #[command(flatten)]
    source: SourceArguments,
    #[command(flatten)]
    aws: AwsArguments,
    /// Leave references to parameters, Terraform states and releases as they stand; needs no credentials.
    #[arg(long, conflicts_with = "sandbox")]
    offline: bool,
    /// How to print it.
    #[arg(long, value_enum, default_value_t = Output::Text)]
    output: Output,
}

pub(super) async fn run(arguments: Arguments) -> anyhow::Result<ExitCode> {
    let config = arguments.source.config()?;
    let inventory = read(&config, &arguments).await?;
    let invalid = validate::problems(&config, &inventory);
    let mut unread = Vec::new();
    let mut entries: Vec<Arc<Entry>> = Vec::new();
    for key in inventory.keys() {
        match inventory.wanted(&key) {
            Wanted::Spec { entry, .. } => entries.push(entry),
            Wanted::Blocked { message, invalid, .. } if invalid.is_empty() => {
                unread.push(format!("{key}: {message}"));
            }
            Wanted::Blocked { .. } | Wanted::Gone => {}
        }
    }
    for name in &arguments.names {
        let is_there = entries.iter().any(|entry| name.names(&entry.desired.key));
        anyhow::ensure!(is_there, "no usable spec is called `{name}`{}", first(&invalid));
    }
    if !arguments.names.is_empty() {
        entries.retain(|entry| arguments.names.iter().any(|name| name.names(&entry.desired.key)));
    }
    match arguments.output {
        Output::Json => {
            let services: Vec<Value> =
                entries.iter().map(|entry| with_origin(entry, &inventory)).collect();
            print_json(&json!({ "services": services, "invalid": invalid, "unread": unread }))?;
        }
        Output::Text => {
            for entry in &entries {
                say!("{}", document(entry, &inventory)?.trim_end());
            }
            for error in invalid.iter().map(ToString::to_string).chain(unread.iter().cloned()) {
                eprintln!("error: {}", super::output::visible(&error));
            }
        }
    }
    Ok(if invalid.is_empty() && unread.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// The specs, with the values outside that they refer to unless nobody wants these.
async fn read(config: &Config, arguments: &Arguments) -> anyhow::Result<Inventory> {
    let mut inventory = if arguments.offline {
        connect::inventory_offline(config)
    } else {
        connect::inventory(config)
    };
    connect::read_sources_offline(config, &mut inventory).await?;
    if arguments.offline || inventory.referents_in_use().is_empty() {
        return Ok(inventory);
    }
    let connection = connect::aws(config, &arguments.aws).await?;
    let context = connect::context(config, &connection)?;
    *context.inventory() = inventory;
    Box::pin(references::read_once(&context)).await;
    let read = std::mem::replace(&mut *context.inventory(), connect::inventory(config));
    Ok(read)
}

fn first(invalid: &[crds::InvalidObject]) -> String {
    invalid.first().map(|error| format!(": {error}")).unwrap_or_default()
}

/// The object as somebody could have written it.
fn object(entry: &Entry) -> Value {
    json!({
        "apiVersion": crds::API_VERSION, "kind": "Service",
        "metadata": entry.metadata, "spec": *entry.spec,
    })
}

/// The object with where it comes from.
fn with_origin(entry: &Entry, inventory: &Inventory) -> Value {
    let references = inventory.told_references(entry);
    let mut object = object(entry);
    if let Some(members) = object.as_object_mut() {
        members.insert("key".into(), json!(entry.desired.key));
        members.insert("provenance".into(), json!(entry.desired.provenance));
        members.insert("references".into(), json!(references));
    }
    object
}

/// A YAML document under comments that say where it comes from.
fn document(entry: &Entry, inventory: &Inventory) -> anyhow::Result<String> {
    let from = &entry.desired.provenance;
    let mut text = String::from("---\n");
    writeln!(text, "# {}:{} in source {}", from.file, from.line, from.source)?;
    for it in inventory.told_references(entry) {
        writeln!(text, "# {}: {it}", it.path)?;
    }
    text.push_str(&serde_saphyr::to_string(&object(entry))?);
    Ok(text)
}
