//! `longshore schema`: the JSON Schema and CRDs of every kind.

use std::path::PathBuf;
use std::process::ExitCode;

use super::output::say;
use anyhow::Context as _;
use clap::Args;
use crds::schema::{Kind, custom_resource_definition, json_schema};

/// Arguments of `schema`.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Write `<plural>.schema.json` and `<plural>.crd.yaml` into this directory instead of printing the JSON Schemas.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

#[allow(clippy::needless_pass_by_value, reason = "every verb has this form")]
pub(super) fn run(arguments: Arguments) -> anyhow::Result<ExitCode> {
    match arguments.out {
        None => {
            let schemas: serde_json::Map<String, serde_json::Value> = Kind::ALL
                .iter()
                .map(|kind| (kind.as_str().to_owned(), json_schema(*kind)))
                .collect();
            say!("{}", serde_json::to_string_pretty(&schemas)?);
        }
        Some(directory) => {
            std::fs::create_dir_all(&directory)
                .with_context(|| format!("cannot create directory {}", directory.display()))?;
            for (name, text) in files()? {
                let path = directory.join(name);
                std::fs::write(&path, text)
                    .with_context(|| format!("cannot write {}", path.display()))?;
                say!("{}", path.display());
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// The generated files: name and content.
pub fn files() -> anyhow::Result<Vec<(String, String)>> {
    let mut files = Vec::new();
    for kind in Kind::ALL {
        let schema = serde_json::to_string_pretty(&json_schema(kind))? + "\n";
        files.push((format!("{}.schema.json", kind.plural()), schema));
        let crd = serde_saphyr::to_string(&custom_resource_definition(kind))?;
        files.push((format!("{}.crd.yaml", kind.plural()), crd));
    }
    Ok(files)
}
