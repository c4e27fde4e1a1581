//! Copilot manifests, as far as they map.
//!
//! A manifest leaves to Copilot what it creates beside the service: roles, target groups, networks, images. These become
//! variables with telling names, which a person fills in. A service that still runs is better imported from its cluster.

mod container;
mod manifest;
mod service;

use std::path::{Path, PathBuf};

use crds::ServiceName;
use serde_json::{Value, json};

use super::super::document::Node;
use super::super::draft::Draft;
use super::super::verdict::Verdict;
use super::super::{Adopt, Options, Report, service as spec};
use super::file::SourceText;
use super::{FromError, Wanted, checks};
use manifest::Manifest;

/// The types that are ECS services.
const TYPES: [&str; 3] = ["Load Balanced Web Service", "Backend Service", "Worker Service"];

/// Imports each manifest; those of other types are skipped.
pub(super) fn import(
    manifests: &[PathBuf],
    options: &Options,
    wanted: &Wanted,
) -> Result<Report, FromError> {
    let mut report = Report::default();
    for path in manifests {
        let text = SourceText::read(path)?;
        let mut manifest = Manifest::of(&text, wanted.environment.as_deref())?;
        let name = name(&mut manifest, manifests, wanted)?;
        if !wanted.services.is_empty() && !wanted.services.contains(&name) {
            continue;
        }
        let kind = manifest.text("type").unwrap_or_default();
        if !TYPES.contains(&kind.as_str()) {
            let why = format!("`type: {kind}` is not an ECS service of its own");
            let why = format!("{}: {why}", manifest.place("type"));
            report.skipped.push(super::super::Skipped {
                name: name.to_string(),
                why,
                is_failure: false,
            });
            continue;
        }
        let draft = draft(&mut manifest, path, &name, &kind, options, wanted);
        report.vars.extend(manifest.variables.iter().map(|name| (name.clone(), None)));
        report.services.push(draft.finish(Verdict::Unplanned));
    }
    Ok(report)
}

fn name(
    manifest: &mut Manifest<'_>,
    manifests: &[PathBuf],
    wanted: &Wanted,
) -> Result<ServiceName, FromError> {
    let written = manifest.text("name");
    if let ([only], 1) = (wanted.services.as_slice(), manifests.len()) {
        return Ok(only.clone());
    }
    let Some(written) = written else {
        return Err(FromError::unusable(
            manifest.place("name"),
            "the service has no name: give --service",
        ));
    };
    written.parse().map_err(|error: crds::InvalidName| {
        FromError::unusable(manifest.place("name"), error.to_string())
    })
}

fn draft(
    manifest: &mut Manifest<'_>,
    path: &Path,
    name: &ServiceName,
    kind: &str,
    options: &Options,
    wanted: &Wanted,
) -> Draft {
    let place = Place { name: name.to_string(), logs: log_group(path, name, wanted) };
    let definition = container::task_definition(manifest, &place);
    let service = service::service(manifest, &place, kind);
    let environment = match &wanted.environment {
        Some(environment) => format!(", environment {environment}"),
        None => String::new(),
    };
    let head = format!("Imported from the Copilot manifest of {name}{environment}.");
    let mut draft = Draft::new(options.key(name), vec![head], spec::spec_of(options));
    draft.set("taskDefinition", definition);
    draft.set("service", service);
    if options.adopt == Adopt::InService {
        draft.set("sync", Node::mapping([("adopt", Node::Scalar(Value::Bool(true)))]));
    }
    for remark in manifest.remarks() {
        draft.note_from(&remark.place, remark.at, &remark.message);
    }
    if !manifest.variables.is_empty() {
        let names: Vec<&str> = manifest.variables.iter().map(String::as_str).collect();
        draft.note(
            "",
            &format!(
                "what Copilot made beside the service is named by variables: {}",
                names.join(", ")
            ),
        );
    }
    checks::note(&mut draft, &|_| None);
    draft
}

/// What the parts of a service share.
struct Place {
    name: String,
    /// The log group that Copilot made, where the application and the environment are known.
    logs: Option<String>,
}

/// `/copilot/<application>-<environment>-<service>`; the application stands beside the manifests.
fn log_group(path: &Path, name: &ServiceName, wanted: &Wanted) -> Option<String> {
    let workspace = path.parent()?.parent()?.join(".workspace");
    let text = SourceText::read_as_yaml(&workspace).ok()?;
    let application = text.value().get("application")?.as_str()?.to_owned();
    let environment = wanted.environment.as_deref()?;
    Some(format!("/copilot/{application}-{environment}-{name}"))
}

/// Members that are there, in this order.
fn mapping<'a>(members: impl IntoIterator<Item = (&'a str, Option<Node>)>) -> Node {
    Node::mapping(members.into_iter().filter_map(|(name, node)| Some((name, node?))))
}

fn list(items: impl IntoIterator<Item = Node>) -> Option<Node> {
    let items: Vec<_> = items.into_iter().map(Into::into).collect();
    (!items.is_empty()).then_some(Node::List(items))
}

fn number(number: i64) -> Node {
    Node::Scalar(json!(number))
}

fn boolean(value: bool) -> Node {
    Node::Scalar(json!(value))
}
