//! ecspresso: its configuration, with the service and task definitions that it names.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use crds::ecs::ServiceDefinition;
use crds::{ClusterName, HumanDuration, ServiceName};
use serde_json::{Map, Value};

use super::super::document::Node;
use super::super::draft::Draft;
use super::super::verdict::Verdict;
use super::super::{Adopt, Options, Report, notes, service, settle, tidy};
use super::file::SourceText;
use super::{FromError, Wanted, checks, members, note_variables, task_definition, template};

/// Settings that need no word: they are read, or say how the program itself runs.
const UNDERSTOOD: &[&str] = &[
    "region",
    "cluster",
    "service",
    "service_definition",
    "task_definition",
    "timeout",
    "required_version",
];

/// What becomes of the other settings.
const OTHERS: &[(&str, &str)] = &[
    (
        "plugins",
        "plugins are not run: references take their place, Terraform state is named where it is read",
    ),
    (
        "codedeploy",
        "CodeDeploy is not called: set `deploymentController: {type: ECS}` and one of ECS's own strategies",
    ),
    (
        "appspec",
        "hooks of CodeDeploy have no counterpart: ECS's own are `deploymentConfiguration.lifecycleHooks`",
    ),
    ("ignore", "tags that only AWS has are left alone anyway"),
    ("filter_command", "is a setting of ecspresso's own prompts"),
];

/// The cluster that a configuration names; ecspresso's default is ECS's.
pub(super) fn cluster(path: &Path) -> Result<ClusterName, FromError> {
    let config = SourceText::read(path)?;
    let written = config.value().get("cluster").and_then(Value::as_str).unwrap_or("default");
    known(&config, "cluster", written, "--cluster")?.parse().map_err(|error: crds::InvalidName| {
        FromError::unusable(config.place("cluster"), error.to_string())
    })
}

/// Imports the service of a configuration.
pub(super) fn import(path: &Path, options: &Options, wanted: &Wanted) -> Result<Report, FromError> {
    let config = SourceText::read(path)?;
    let name = name(&config, wanted)?;
    let folder = path.parent().unwrap_or(Path::new("."));
    let definition = SourceText::read(&named_file(&config, folder, "task_definition")?)?;
    let service = SourceText::read(&named_file(&config, folder, "service_definition")?)?;
    let mut draft = Draft::new(
        options.key(&name),
        vec![format!("Imported from the ecspresso configuration of {name}.")],
        service::spec_of(options),
    );
    task_definition::put_definition(&mut draft, &definition, &name, options);
    put_service(&mut draft, &service);
    put_timeout(&mut draft, &config);
    if options.adopt == Adopt::InService {
        draft.set("sync", Node::mapping([("adopt", Node::Scalar(Value::Bool(true)))]));
    }
    remark_on_settings(&mut draft, &config);
    let mut report = Report {
        region: config
            .value()
            .get("region")
            .and_then(Value::as_str)
            .and_then(|region| template::by_defaults(region, &config.uses)),
        ..Report::default()
    };
    for text in [&config, &definition, &service] {
        note_variables(&text.uses, &mut report.vars);
    }
    checks::note(&mut draft, &|path| place(path, &definition, &service));
    report.services.push(draft.finish(Verdict::Unplanned));
    Ok(report)
}

/// The place in the files of a field of the spec.
fn place(path: &str, definition: &SourceText, service: &SourceText) -> Option<String> {
    if let Some(inner) = path.strip_prefix("spec.taskDefinition") {
        let (at, _) = task_definition::block(definition);
        return Some(definition.place(&format!("{at}{inner}")));
    }
    let inner = path.strip_prefix("spec.service")?;
    Some(service.place(inner.trim_start_matches('.')))
}

fn name(config: &SourceText, wanted: &Wanted) -> Result<ServiceName, FromError> {
    if let Some(name) = wanted.services.first() {
        return Ok(name.clone());
    }
    let Some(written) = config.value().get("service").and_then(Value::as_str) else {
        let message = "it names no service: tasks without one are not managed";
        return Err(FromError::unusable(config.place("service"), message));
    };
    known(config, "service", written, "--service")?.parse().map_err(|error: crds::InvalidName| {
        FromError::unusable(config.place("service"), error.to_string())
    })
}

/// A text that has to be known now: templates count with their defaults.
fn known(
    config: &SourceText,
    field: &str,
    written: &str,
    option: &str,
) -> Result<String, FromError> {
    template::by_defaults(written, &config.uses).ok_or_else(|| {
        let shown = template::filled(written, &config.uses);
        let message = format!("`{shown}` is not known before it is rendered: give {option}");
        FromError::unusable(config.place(field), message)
    })
}

fn named_file(config: &SourceText, folder: &Path, field: &str) -> Result<PathBuf, FromError> {
    let Some(written) = config.value().get(field).and_then(Value::as_str) else {
        let message = format!("`{field}` names no file");
        return Err(FromError::unusable(config.place(field), message));
    };
    let Some(name) = template::by_defaults(written, &config.uses) else {
        let message = format!("`{field}` has a template: write the file's name");
        return Err(FromError::unusable(config.place(field), message));
    };
    let file = folder.join(name);
    if file.is_file() {
        return Ok(file);
    }
    let message = format!("`{field}` names {}, which is not there", file.display());
    Err(FromError::unusable(config.place(field), message))
}

fn put_service(draft: &mut Draft, text: &SourceText) {
    let shape = ServiceDefinition::SHAPE;
    let read = members::read(text, "", text.value(), shape, notes::SERVICE_FACTS);
    let settled: Map<String, Value> = settle::service(&Value::Object(read.said));
    let mut node = tidy::block(shape, &settled, &BTreeSet::new());
    template::fill(&mut node, &text.uses);
    draft.set("service", node);
    for (path, message) in read.remarks {
        draft.note_from(&text.place(&path), &format!("spec.service.{path}"), &message);
    }
}

/// How long ecspresso waits is how long a rollout may take.
fn put_timeout(draft: &mut Draft, config: &SourceText) {
    let Some(written) = config.value().get("timeout").and_then(Value::as_str) else { return };
    let known = template::by_defaults(written, &config.uses);
    match known.and_then(|known| known.parse::<HumanDuration>().ok()) {
        Some(timeout) => {
            let timeout = Node::text(timeout.to_string().replace(' ', ""));
            draft.set("rollout", Node::mapping([("timeout", timeout)]));
        }
        None => draft.note_from(
            &config.place("timeout"),
            "spec.rollout",
            &format!(
                "`timeout: {}` is left out: it is no duration",
                template::filled(written, &config.uses)
            ),
        ),
    }
}

fn remark_on_settings(draft: &mut Draft, config: &SourceText) {
    for name in config.value().as_object().into_iter().flat_map(Map::keys) {
        if UNDERSTOOD.contains(&name.as_str()) {
            continue;
        }
        let known = OTHERS.iter().find(|(known, _)| known == name);
        let why = known.map_or("has no counterpart", |(_, why)| *why);
        draft.note_from(&config.place(name), "", &format!("`{name}` is left out: {why}"));
    }
}
