//! `longshore render`: specs as they are used, with the place of each and the origin of each value that was put in.

use std::fmt::Write as _;
use std::process::ExitCode;
use std::sync::Arc;

use clap::Args;
use serde_json::{Value, json};

use super::client::NameArgument;
use super::output::{json as print_json, say};
use super::{Output, SourceArguments, connect, validate};
use crate::inventory::{Entry, Wanted};

/// Arguments of `render`.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Only these services: NAME, CLUSTER/NAME or TARGET:CLUSTER/NAME. Default: all.
    #[arg(value_name = "NAME")]
    names: Vec<NameArgument>,
    #[command(flatten)]
    source: SourceArguments,
    /// How to print it.
    #[arg(long, value_enum, default_value_t = Output::Text)]
    output: Output,
}

pub(super) async fn run(arguments: Arguments) -> anyhow::Result<ExitCode> {
    let config = arguments.source.config()?;
    let mut inventory = connect::inventory(&config);
    connect::read_sources_offline(&config, &mut inventory).await?;
    let invalid = validate::problems(&config, &inventory);
    let mut entries: Vec<Arc<Entry>> = Vec::new();
    for key in inventory.keys() {
        if let Wanted::Spec { entry, .. } = inventory.wanted(&key) {
            entries.push(entry);
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
            let services: Vec<Value> = entries.iter().map(|entry| with_origin(entry)).collect();
            print_json(&json!({ "services": services, "invalid": invalid }))?;
        }
        Output::Text => {
            for entry in &entries {
                say!("{}", document(entry)?.trim_end());
            }
            for error in &invalid {
                eprintln!("error: {}", super::output::visible(&error.to_string()));
            }
        }
    }
    Ok(if invalid.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
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
fn with_origin(entry: &Entry) -> Value {
    let references: Vec<Value> = entry
        .references
        .iter()
        .map(|it| json!({ "path": it.path, "reference": it.reference, "value": it.value }))
        .collect();
    let mut object = object(entry);
    if let Some(members) = object.as_object_mut() {
        members.insert("key".into(), json!(entry.desired.key));
        members.insert("provenance".into(), json!(entry.desired.provenance));
        members.insert("references".into(), Value::Array(references));
    }
    object
}

/// A YAML document under comments that say where it comes from.
fn document(entry: &Entry) -> anyhow::Result<String> {
    let from = &entry.desired.provenance;
    let mut text = String::from("---\n");
    writeln!(text, "# {}:{} in source {}", from.file, from.line, from.source)?;
    for it in &entry.references {
        // A value may have several lines; a comment has one.
        let value = Value::String(it.value.clone());
        writeln!(text, "# {}: {} is {value}", it.path, it.reference)?;
    }
    text.push_str(&serde_saphyr::to_string(&object(entry))?);
    Ok(text)
}
