//! `longshore validate`: everything that can be known of specs without AWS.

use std::process::ExitCode;

use clap::Args;
use crds::InvalidObject;
use serde_json::json;

use super::output::say;
use super::{Output, SourceArguments, connect};
use crate::inventory::{Inventory, Wanted};

/// Arguments of `validate`.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    source: SourceArguments,
    /// How to print it.
    #[arg(long, value_enum, default_value_t = Output::Text)]
    output: Output,
}

pub(super) async fn run(arguments: Arguments) -> anyhow::Result<ExitCode> {
    let config = arguments.source.config()?;
    let mut inventory = connect::inventory_offline(&config);
    connect::read_sources_offline(&config, &mut inventory).await?;
    let invalid = problems(&config, &inventory);
    let mut warnings: Vec<InvalidObject> =
        config.sources.iter().flat_map(|source| inventory.warnings(&source.name)).collect();
    warnings.extend(inventory.missing_dependencies());
    let valid = inventory.keys().len()
        - inventory.keys().iter().filter(|key| is_bad(&inventory, key)).count();
    match arguments.output {
        Output::Json => say!(
            "{}",
            serde_json::to_string_pretty(
                &json!({ "valid": valid, "invalid": invalid, "warnings": warnings })
            )?
        ),
        Output::Text => {
            for error in &invalid {
                say!("error: {error}");
            }
            for warning in &warnings {
                say!("warning: {warning}");
            }
            say!("{valid} valid, {} invalid, {} warnings", invalid.len(), warnings.len());
        }
    }
    Ok(if invalid.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn is_bad(inventory: &Inventory, key: &crds::ObjectKey) -> bool {
    match inventory.wanted(key) {
        Wanted::Spec { invalid, .. } => !invalid.is_empty() || inventory.cycle(key).is_some(),
        Wanted::Blocked { .. } | Wanted::Gone => true,
    }
}

/// Everything wrong: in documents, and between them.
pub(super) fn problems(
    config: &crate::config::Config,
    inventory: &Inventory,
) -> Vec<InvalidObject> {
    let mut problems: Vec<InvalidObject> =
        config.sources.iter().flat_map(|source| inventory.invalid(&source.name)).collect();
    problems.extend(inventory.cycles());
    for key in inventory.keys() {
        if let Wanted::Blocked { reason: crds::Reason::DuplicateSpec, message, .. } =
            inventory.wanted(&key)
        {
            problems.push(InvalidObject {
                source: String::new(),
                file: key.to_string(),
                position: None,
                path: String::new(),
                message,
                hint: Some("keep one of them".to_owned()),
                key: Some(key),
            });
        }
    }
    problems
}
