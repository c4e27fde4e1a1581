//! A task definition as GitHub's actions `amazon-ecs-render-task-definition` and `amazon-ecs-deploy-task-definition` take it,
//! with the settings of the service that it is deployed to.

use std::path::Path;

use crds::ServiceName;
use crds::ecs::TaskDefinition;
use crds::ecs::task_definition::SERVER_MEMBERS;
use jiff::Timestamp;
use serde_json::Value;

use super::super::document::Node;
use super::super::draft::Draft;
use super::super::read::{self, Obstacle};
use super::super::verdict::{self, Verdict};
use super::super::{Adopt, Options, Report, service, settle, tidy};
use super::file::SourceText;
use super::{FromError, members, template};
use crate::aws::Account;

/// Imports a task definition beside its running service. Where there is none yet the spec has to be completed.
pub async fn task_definition(
    path: &Path,
    account: &Account,
    options: &Options,
    now: Timestamp,
) -> Result<Report, FromError> {
    let text = SourceText::read(path)?;
    let (_, block) = block(&text);
    let name = name(&text, block, options)?;
    let mut draft = match read::service(account, options.cluster.as_str(), name.as_str()).await {
        Ok(found) => {
            let whole = service::Whole::default();
            let mut draft = service::draft(&found, options, account.region(), &whole);
            let file = path.file_name().unwrap_or_default().display().to_string();
            draft.head(&format!("The task definition is that of {file}."));
            put_definition(&mut draft, &text, &name, options);
            let observed = service::observed(&found);
            let judged = verdict::of(&draft.text(), &draft.file, options, &observed, now);
            for (path, message) in judged.findings.into_iter().chain(judged.verdict.remarks()) {
                draft.note(&path, &message);
            }
            return Ok(report(draft, judged.verdict, &text));
        }
        Err(Obstacle::Missing(_)) => skeleton(block, &name, options),
        Err(Obstacle::Foreign(why) | Obstacle::Unread(why)) => {
            return Err(FromError::Unread { name: name.to_string(), why });
        }
    };
    put_definition(&mut draft, &text, &name, options);
    draft.note(
        "spec.service",
        &format!(
            "the cluster {} has no service {name}: say here how it is to run",
            options.cluster
        ),
    );
    Ok(report(draft, Verdict::Unplanned, &text))
}

/// The definition itself, which some keep as `aws ecs describe-task-definition` prints it.
pub(super) fn block(text: &SourceText) -> (&'static str, &Value) {
    match text.value().get("taskDefinition") {
        Some(inner @ Value::Object(_)) => ("taskDefinition", inner),
        Some(_) | None => ("", text.value()),
    }
}

/// The service's name: as asked for, or the family's.
fn name(text: &SourceText, block: &Value, options: &Options) -> Result<ServiceName, FromError> {
    if let Some(name) = options.services.first() {
        return Ok(name.clone());
    }
    let family = block.get("family").and_then(Value::as_str).unwrap_or_default();
    family.parse().map_err(|_| {
        FromError::unusable(text.place("family"), "the service's name is not known: give --service")
    })
}

fn skeleton(block: &Value, name: &ServiceName, options: &Options) -> Draft {
    let mut spec = service::spec_of(options);
    spec.set("taskDefinition", Node::Mapping(Vec::new()));
    let on_fargate = block
        .get("requiresCompatibilities")
        .and_then(Value::as_array)
        .is_some_and(|all| all.iter().any(|one| one.as_str() == Some("FARGATE")));
    let launch = on_fargate.then(|| ("launchType", Node::text("FARGATE")));
    spec.set("service", Node::mapping(launch));
    if options.adopt == Adopt::InService {
        spec.set("sync", Node::mapping([("adopt", Node::Scalar(Value::Bool(true)))]));
    }
    Draft::new(options.key(name), Vec::new(), spec)
}

/// Writes the file's definition into the spec, with what does not map.
pub(super) fn put_definition(
    draft: &mut Draft,
    text: &SourceText,
    name: &ServiceName,
    options: &Options,
) {
    let (at, block) = block(text);
    let read = members::read(text, at, block, TaskDefinition::SHAPE, SERVER_MEMBERS);
    let family = format!("{}-{name}", options.cluster);
    let settled = settle::task_definition(&Value::Object(read.said), &family);
    let mut node = tidy::block(TaskDefinition::SHAPE, &settled, &std::collections::BTreeSet::new());
    template::fill(&mut node, &text.uses);
    draft.set("taskDefinition", node);
    for (path, message) in read.remarks {
        let inner = path.strip_prefix(at).unwrap_or(&path).trim_start_matches('.');
        draft.note_from(&text.place(&path), &format!("spec.taskDefinition.{inner}"), &message);
    }
}

fn report(draft: Draft, verdict: Verdict, text: &SourceText) -> Report {
    let mut report = Report::default();
    super::note_variables(&text.uses, &mut report.vars);
    report.services.push(draft.finish(verdict));
    report
}
