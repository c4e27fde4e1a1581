//! One running service as a spec: drafted, planned against what was read, and written out in full where the tidy form would
//! change something.

use std::collections::BTreeSet;

use crds::ecs::{ServiceDefinition, Shape, TaskDefinition};
use crds::{Scaling, TargetName};
use jiff::Timestamp;
use planner::normal;
use planner::observed::{ObservedService, ObservedTaskDefinition};
use planner::{Observed, ownership};
use serde_json::{Map, Value};

use super::document::Node;
use super::draft::Draft;
use super::read::Found;
use super::scaling::Scaled;
use super::verdict;
use super::{Adopt, ImportedService, Options, notes, settle, tidy};

/// Members that are shown in service revisions only (aws.md §2.6).
const IN_REVISION: &[&str] = &["gatewayConnectors", "monitoring"];

/// Members of each block that are written with all they have.
#[derive(Debug, Default)]
pub(super) struct Whole {
    task_definition: BTreeSet<String>,
    service: BTreeSet<String>,
    scaling: BTreeSet<String>,
}

/// The file of a service, and what a plan of it does.
pub(super) fn import(
    found: &Found,
    options: &Options,
    region: &str,
    now: Timestamp,
) -> ImportedService {
    let observed = observed(found);
    let mut whole = Whole::default();
    let mut draft = draft(found, options, region, &whole);
    let mut judged = verdict::of(&draft.text(), &draft.file, options, &observed, now);
    let doubtful = judged.verdict.paths();
    if !doubtful.is_empty() {
        for path in doubtful {
            whole.add(&path);
        }
        draft = self::draft(found, options, region, &whole);
        judged = verdict::of(&draft.text(), &draft.file, options, &observed, now);
    }
    for (path, message) in notes::about(found).into_iter().chain(judged.findings) {
        draft.note(&path, &message);
    }
    for (path, message) in judged.verdict.remarks() {
        draft.note(&path, &message);
    }
    draft.finish(judged.verdict)
}

impl Whole {
    /// Writes out the member that a difference is in.
    fn add(&mut self, path: &str) {
        let mut steps = path.split(['.', '[']);
        let block = match steps.next() {
            Some("taskDefinition") => &mut self.task_definition,
            Some("service") => &mut self.service,
            Some("scaling") => &mut self.scaling,
            Some(_) | None => return,
        };
        block.extend(steps.next().map(str::to_owned));
    }
}

/// What was read, as the planner takes it.
pub(super) fn observed(found: &Found) -> Observed {
    Observed {
        service: Some(ObservedService::from_describe(&found.service)),
        task_definition: Some(ObservedTaskDefinition::from_describe(&found.definition)),
        scaling: Some(found.scaling.clone()),
        ..Observed::default()
    }
}

/// A block of the spec: its name, its table, what AWS says, and the members that are written out in full.
type Block<'a> = (&'a str, &'static Shape, &'a Map<String, Value>, &'a BTreeSet<String>);

/// The spec of a running service, tidy but for what is written out.
pub(super) fn draft(found: &Found, options: &Options, region: &str, whole: &Whole) -> Draft {
    let name = &found.name;
    let cluster = &options.cluster;
    let definition = found.definition.get("taskDefinition").unwrap_or(&Value::Null);
    let mut task_definition = settle::task_definition(definition, &format!("{cluster}-{name}"));
    put_tags(&mut task_definition, found.definition.get("tags"));
    let mut service = settle::service(&service_block(found));
    put_tags(&mut service, found.service.get("tags"));
    let scaled = Scaled::of(found, options);
    if scaled.is_some() {
        // The count is Application Auto Scaling's.
        service.remove("desiredCount");
    }
    let mut spec = spec_of(options);
    let mut blocks: Vec<Block<'_>> = vec![
        ("taskDefinition", TaskDefinition::SHAPE, &task_definition, &whole.task_definition),
        ("service", ServiceDefinition::SHAPE, &service, &whole.service),
    ];
    if let Some(scaled) = &scaled {
        blocks.push(("scaling", Scaling::SHAPE, &scaled.block, &whole.scaling));
    }
    for (block, shape, said, whole) in blocks {
        let mut node = tidy::block(shape, said, whole);
        // What AWS shows is the value itself, never a reference.
        node.change_texts(&mut |text| *text = text.replace("${", "$${"));
        spec.set(block, node);
    }
    let adopt =
        (options.adopt == Adopt::InService).then_some(("adopt", Node::Scalar(Value::Bool(true))));
    let ignore = scaled.as_ref().and_then(Scaled::ignored).map(|ignore| ("ignore", ignore));
    let sync = Node::mapping(adopt.into_iter().chain(ignore));
    if !sync.is_empty() {
        spec.set("sync", sync);
    }
    let revision = text(definition, "taskDefinitionArn").rsplit('/').next().unwrap_or_default();
    let head = format!(
        "Imported from the ECS service {cluster}/{name} in {region}, task definition {revision}."
    );
    let mut draft = Draft::new(options.key(name), vec![head], spec);
    for (path, message) in scaled.iter().flat_map(Scaled::notes) {
        draft.note(&path, &message);
    }
    draft
}

/// The beginning of every spec.
pub(super) fn spec_of(options: &Options) -> Node {
    let mut spec = Node::mapping([("cluster", Node::text(options.cluster.to_string()))]);
    if options.target != TargetName::default() {
        spec.set("target", Node::text(options.target.to_string()));
    }
    spec
}

/// All settings of the service, wherever AWS shows them.
fn service_block(found: &Found) -> Value {
    let mut block = normal::service_block(&found.service);
    if let (Some(members), Some(revision)) = (block.as_object_mut(), &found.revision) {
        for name in IN_REVISION {
            if let Some(value) = revision.get(*name) {
                members.entry(*name).or_insert_with(|| value.clone());
            }
        }
    }
    block
}

/// The tags that people gave: ours are no part of a spec, and AWS's own cannot be set.
fn put_tags(members: &mut Map<String, Value>, tags: Option<&Value>) {
    let given: Vec<Value> = tags
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter(|tag| {
            let key = text(tag, "key");
            !key.starts_with(ownership::PREFIX) && !key.starts_with("aws:")
        })
        .cloned()
        .collect();
    members.insert("tags".to_owned(), Value::Array(given));
}

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value.get(name).and_then(Value::as_str).unwrap_or_default()
}
