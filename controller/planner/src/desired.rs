//! What is wanted of one service: the spec with every default filled, in the form that AWS takes it.

#[cfg(test)]
mod tests;

use std::time::Duration;

use crds::ecs::{Effect, ServiceDefinition, TaskDefinition};
use crds::{
    ClusterName, EffectiveSync, Family, ObjectKey, OwnerName, Provenance, ReleaseName, Service,
    ServiceName, SpecHash, SyncPolicy,
};
use serde_json::{Map, Value, json};

use crate::checks::{self, DesiredCheck};
use crate::drift::{self, FieldDrift};
use crate::gate::{self, Gates};
use crate::hook::{self, DesiredHook};
use crate::normal::{self, Normal};
use crate::observed::{ObservedTaskDefinition, ServiceDeployment};
use crate::ownership::{self, Tags};
use crate::scaling::DesiredScaling;
use crate::waiting::Windows;

/// How long a rollout may take when the spec does not say.
const DEFAULT_TIMEOUT: Duration = Duration::from_mins(15);

/// Settings that a service revision captures and that a rollback brings back (aws.md §2.7, §3.7).
pub(crate) const CAPTURED: &[&str] = &[
    "networkConfiguration",
    "loadBalancers",
    "serviceRegistries",
    "serviceConnectConfiguration",
    "volumeConfigurations",
    "vpcLatticeConfigurations",
];

/// Settings that a service revision shows as ECS resolved them: they tell one attempt from another where the spec names them.
const RESOLVED: &[&str] = &["capacityProviderStrategy", "platformVersion"];

/// What is wanted of one service.
#[derive(Debug, Clone, PartialEq)]
pub struct Desired {
    /// Where it runs and what it is called.
    pub key: ObjectKey,
    /// The operator that manages it.
    pub owner: OwnerName,
    /// Where its spec came from.
    pub provenance: Provenance,
    /// The hash of the resolved spec.
    pub spec_hash: SpecHash,
    /// The task definition it should run.
    pub task_definition: DesiredTaskDefinition,
    /// Its configuration.
    pub service: DesiredService,
    /// Its Application Auto Scaling; `None` leaves the number of tasks to `service`.
    pub scaling: Option<DesiredScaling>,
    /// When and how far differences are acted on.
    pub sync: EffectiveSync,
    /// How long a rollout may take before it is called stalled.
    pub timeout: Duration,
    /// Whether a new version of a secret replaces the tasks.
    pub reload_on_secret_change: bool,
    /// Its hooks, those before the rollout first.
    pub hooks: Vec<DesiredHook>,
    /// What its rollouts wait for, and what is done about those that must not go on.
    pub gates: Gates,
    /// The services that have to be ready before a change of this one rolls tasks.
    pub depends_on: Vec<ObjectKey>,
    /// When changes may roll tasks.
    pub windows: Windows,
    /// Whether the service must not be deleted.
    pub is_protected: bool,
    /// What judges a rollout.
    pub checks: Vec<DesiredCheck>,
    /// The versions that stand behind its images, where releases chose them. Names for people: no part of the spec's hash.
    pub versions: Vec<Version>,
}

/// A version that a release has chosen.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version {
    /// The release.
    pub release: ReleaseName,
    /// The version's tag.
    pub tag: String,
    /// The image, `repository@sha256:…`.
    pub image: String,
}

/// The task definition that a service should run.
#[derive(Debug, Clone, PartialEq)]
pub struct DesiredTaskDefinition {
    /// Its family.
    pub family: Family,
    /// RegisterTaskDefinition's input, without our tags.
    pub input: Value,
    /// The same in normal form.
    pub normal: Normal,
    /// The hash of the normal form.
    pub content_hash: String,
    /// The user's tags for it.
    pub tags: Tags,
    /// Members that this version does not know; part of `input`.
    pub passthrough: Map<String, Value>,
    /// JSON pointers into it that are left alone.
    pub ignore: Vec<String>,
}

/// The configuration that a service should have.
#[derive(Debug, Clone, PartialEq)]
pub struct DesiredService {
    /// CreateService's input without cluster, name, task definition, token and tags.
    pub input: Value,
    /// The same in normal form.
    pub normal: Normal,
    /// The user's tags for it.
    pub tags: Tags,
    /// Members that this version does not know; part of `input`.
    pub passthrough: Map<String, Value>,
    /// JSON pointers into it that are left alone.
    pub ignore: Vec<String>,
}

/// What is wrong with a spec that parsed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvalidSpec {
    /// The field, as `metadata.name`.
    pub path: String,
    /// What is wrong, with the value quoted.
    pub message: String,
}

impl Desired {
    /// Fills a spec's defaults. `spec` is the service with its references resolved.
    pub fn resolve(
        service: &Service,
        owner: &OwnerName,
        provenance: Provenance,
        source_policy: &SyncPolicy,
    ) -> Result<Self, InvalidSpec> {
        let invalid = |path: &str, message: String| InvalidSpec { path: path.to_owned(), message };
        let name: ServiceName = service
            .metadata
            .name
            .parse()
            .map_err(|error: crds::InvalidName| invalid("metadata.name", error.to_string()))?;
        let is_protected = service
            .metadata
            .annotations
            .get(ownership::PROTECT)
            .is_some_and(|value| value == "true");
        let spec = &service.spec;
        let sync = spec.sync.clone().unwrap_or_default().over(source_policy);
        let key = ObjectKey {
            target: spec.target.clone().unwrap_or_default(),
            cluster: spec.cluster.clone(),
            name,
        };
        let passthrough = spec.passthrough.clone().unwrap_or_default();
        let task_definition = DesiredTaskDefinition::resolve(
            to_json(&spec.task_definition),
            passthrough.task_definition,
            &key.cluster,
            &key.name,
            &sync.ignore,
        )
        .map_err(|error| invalid("spec.taskDefinition.family", error))?;
        let scaling = spec.scaling.as_ref().map(|scaling| {
            let ignore = pointers_into("scaling", &sync.ignore);
            DesiredScaling::resolve(scaling, spec.service.desired_count, ignore)
        });
        let (mut block, mut more) = (to_json(&spec.service), passthrough.service);
        if scaling.is_some() {
            // From the creation on the count is Application Auto Scaling's.
            more.remove("desiredCount");
            if let Some(members) = block.as_object_mut() {
                members.remove("desiredCount");
            }
        }
        let gates = Gates::resolve(spec.rollout.as_ref(), &block);
        if !gates.at.is_empty()
            && let Some(pointer) = sync.ignore.iter().find(|pointer| leaves_hooks_alone(pointer))
        {
            let message = format!("a gate is a pause hook, and `sync.ignore` has `{pointer}`");
            return Err(invalid("spec.rollout", message));
        }
        gates.add_hook(&mut block);
        let has_stages = gate::has_stages(&block);
        let service = DesiredService::resolve(block, more, &sync.ignore);
        let timeout = spec
            .rollout
            .as_ref()
            .and_then(|rollout| rollout.timeout)
            .map_or(DEFAULT_TIMEOUT, crds::HumanDuration::get);
        let reload_on_secret_change =
            spec.rollout.as_ref().and_then(|rollout| rollout.reload_on_secret_change) == Some(true);
        let hooks = spec.rollout.as_ref().and_then(|rollout| rollout.hooks.as_ref());
        let rollout = spec.rollout.as_ref();
        let mut depends_on: Vec<ObjectKey> = rollout
            .iter()
            .flat_map(|rollout| &rollout.depends_on)
            .map(|dependency| dependency.key(&key))
            .collect();
        depends_on.sort();
        depends_on.dedup();
        let windows =
            Windows::of(rollout.map(|rollout| rollout.windows.as_slice()).unwrap_or_default());
        let checks = spec.rollout.as_ref().map_or(&[][..], |rollout| rollout.checks.as_slice());
        let checks = checks::resolve(checks, has_stages)
            .map_err(|(path, why)| invalid(&format!("spec.rollout.checks{path}"), why))?;
        let mut content = json!({
            "cluster": key.cluster, "name": key.name,
            "taskDefinition": task_definition.normal.value(), "taskDefinitionTags": task_definition.tags,
            "service": service.normal.value(), "serviceTags": service.tags,
            "passthrough": [task_definition.passthrough, service.passthrough],
        });
        // Absent where it is not used, so that the hashes which services carry stay theirs.
        if let (Some(scaling), Some(members)) = (&scaling, content.as_object_mut()) {
            members.insert("scaling".to_owned(), scaling.normal.value().clone());
        }
        if let (Some(hooks), Some(members)) = (hooks, content.as_object_mut()) {
            members.insert("hooks".to_owned(), to_json(hooks));
        }
        let hooks = hooks.map(|hooks| hook::resolve(hooks, &task_definition.input));
        let spec_hash = SpecHash::of(&content);
        Ok(Self {
            key,
            owner: owner.clone(),
            provenance,
            spec_hash,
            task_definition,
            service,
            scaling,
            sync,
            timeout,
            reload_on_secret_change,
            hooks: hooks.unwrap_or_default(),
            gates,
            depends_on,
            windows,
            is_protected,
            checks,
            versions: Vec::new(),
        })
    }

    /// Whether a registered revision has the wanted content. The hash it was registered with is proof; where it has none, or
    /// an older one, the content itself is compared, so that a new version of Longshore rolls nothing by itself.
    pub fn is_content_of(&self, revision: &ObservedTaskDefinition) -> bool {
        let wanted = &self.task_definition;
        if revision.content_hash.as_ref() == Some(&wanted.content_hash_beside(revision)) {
            return true;
        }
        wanted.drift_from(revision).is_empty()
    }

    /// Whether a rollout was an attempt of this very spec: its task definition, and the settings that a service revision
    /// captures with it.
    pub fn is_attempt(&self, record: &ServiceDeployment) -> bool {
        let content =
            record.task_definition.as_ref().is_some_and(|revision| self.is_content_of(revision));
        content && record.captured.as_ref().is_none_or(|captured| self.has_settings_of(captured))
    }

    fn has_settings_of(&self, captured: &Value) -> bool {
        let settings = normal::observed_service(captured);
        let wanted = &self.service;
        let named =
            |member: &str| wanted.normal.value().get(member).is_some_and(|value| value != "LATEST");
        let counts =
            |member| CAPTURED.contains(&member) || RESOLVED.contains(&member) && named(member);
        drift::compare(ServiceDefinition::SHAPE, &wanted.normal, &settings, &wanted.ignore)
            .iter()
            .filter_map(|drift| drift.path.split(['.', '[']).next())
            .all(|member| !counts(member) || captured.get(member).is_none())
    }

    /// The tags that name the versions behind the images.
    pub fn version_tags(&self) -> Tags {
        let tag =
            |version: &Version| (ownership::version_tag(&version.release), version.tag.clone());
        self.versions.iter().map(tag).collect()
    }

    /// The tag that an image was chosen by, as a task definition of this service says.
    pub fn version_of(&self, repository: &str, tags: &Tags) -> Option<String> {
        let of_repository = |version: &&Version| {
            crate::image::ImageReference::parse(&version.image).repository == repository
        };
        let mut versions = self.versions.iter().filter(of_repository);
        versions.find_map(|version| tags.get(&ownership::version_tag(&version.release)).cloned())
    }

    /// The tags that the service should carry: ours, and the user's.
    pub fn service_tags(&self) -> Tags {
        let mut tags = self.service.tags.clone();
        tags.extend(self.version_tags());
        tags.extend(ownership::service_tags(
            &self.owner,
            &self.provenance,
            &self.spec_hash,
            self.sync.deletion_policy,
        ));
        tags.extend(self.gates.as_tag().map(|stages| (ownership::GATES.to_owned(), stages)));
        if !self.depends_on.is_empty() {
            let value = ownership::depends_on_value(&self.depends_on);
            tags.insert(ownership::DEPENDS_ON.to_owned(), value);
        }
        if self.is_protected {
            tags.insert(ownership::PROTECT.to_owned(), "true".to_owned());
        }
        tags
    }
}

impl DesiredTaskDefinition {
    fn resolve(
        mut input: Value,
        passthrough: Map<String, Value>,
        cluster: &ClusterName,
        name: &ServiceName,
        ignore: &[String],
    ) -> Result<Self, String> {
        let tags = take_tags(&mut input);
        let given = input.get("family").and_then(Value::as_str).map(str::to_owned);
        let family: Family = given
            .unwrap_or_else(|| format!("{cluster}-{name}"))
            .parse()
            .map_err(|error: crds::InvalidName| error.to_string())?;
        if let Some(members) = input.as_object_mut() {
            members.insert("family".to_owned(), Value::String(family.to_string()));
        }
        let input = with_passthrough(input, &passthrough);
        let normal = normal::task_definition(&input);
        let content_hash = content_hash(&normal, &passthrough);
        let ignore = pointers_into("taskDefinition", ignore);
        Ok(Self { family, input, normal, content_hash, tags, passthrough, ignore })
    }

    /// The hash of what would be registered beside a revision, whose values stand in for the members that are left alone.
    fn content_hash_beside(&self, revision: &ObservedTaskDefinition) -> String {
        if self.ignore.is_empty() {
            return self.content_hash.clone();
        }
        let input =
            drift::apply_ignore(TaskDefinition::SHAPE, &self.input, &revision.raw, &self.ignore);
        content_hash(&normal::task_definition(&input), &self.passthrough)
    }

    /// What differs in a registered revision.
    pub fn drift_from(&self, revision: &ObservedTaskDefinition) -> Vec<FieldDrift> {
        let mut drift =
            drift::compare(TaskDefinition::SHAPE, &self.normal, &revision.normal, &self.ignore);
        // What AWS does not show cannot be compared; for what we registered ourselves the hash decides.
        let shown =
            self.passthrough.iter().filter(|(member, _)| revision.raw.get(*member).is_some());
        let shown = shown.map(|(member, value)| (member.clone(), value.clone())).collect();
        drift.extend(passthrough_drift(&shown, &revision.raw));
        drift
    }
}

impl DesiredService {
    fn resolve(mut input: Value, passthrough: Map<String, Value>, ignore: &[String]) -> Self {
        let tags = take_tags(&mut input);
        let normal = normal::service(&input);
        let input = with_passthrough(input, &passthrough);
        Self { input, normal, tags, passthrough, ignore: pointers_into("service", ignore) }
    }
}

/// The hash of everything that a registered revision is made of.
pub fn content_hash(normal: &Normal, passthrough: &Map<String, Value>) -> String {
    if passthrough.is_empty() {
        return normal::content_hash(normal);
    }
    SpecHash::of(&json!([normal::content_hash(normal), passthrough])).as_str().to_owned()
}

/// Members that no table has: what AWS shows has to hold what is wanted, whatever AWS added to it.
pub fn passthrough_drift(passthrough: &Map<String, Value>, observed: &Value) -> Vec<FieldDrift> {
    passthrough
        .iter()
        .filter(|(member, value)| !observed.get(*member).is_some_and(|shown| holds(shown, value)))
        .map(|(member, value)| FieldDrift {
            path: member.clone(),
            desired: Some(value.clone()),
            observed: observed.get(member).cloned(),
            effect: Effect::RollsTasks,
        })
        .collect()
}

/// Whether a value holds another: every member of its objects, every item of its lists in order.
fn holds(shown: &Value, wanted: &Value) -> bool {
    match (shown, wanted) {
        (Value::Object(shown), Value::Object(wanted)) => wanted
            .iter()
            .all(|(name, value)| shown.get(name).is_some_and(|shown| holds(shown, value))),
        (Value::Array(shown), Value::Array(wanted)) => {
            shown.len() == wanted.len()
                && shown.iter().zip(wanted).all(|(shown, wanted)| holds(shown, wanted))
        }
        (shown, wanted) => shown == wanted,
    }
}

/// Whether a pointer into `spec` leaves the hooks of deployments to others.
fn leaves_hooks_alone(pointer: &str) -> bool {
    const HOOKS: &str = "/service/deploymentConfiguration/lifecycleHooks";
    let pointer = pointer.trim_end_matches('/');
    pointer == HOOKS
        || HOOKS.strip_prefix(pointer).is_some_and(|rest| rest.starts_with('/'))
        || pointer.strip_prefix(HOOKS).is_some_and(|rest| rest.starts_with('/'))
}

/// A typed block as the JSON that AWS takes.
fn to_json(block: &impl serde::Serialize) -> Value {
    serde_json::to_value(block).unwrap_or_else(|_| Value::Object(Map::new()))
}

fn with_passthrough(mut input: Value, passthrough: &Map<String, Value>) -> Value {
    if let Some(members) = input.as_object_mut() {
        members.extend(passthrough.clone());
    }
    input
}

fn take_tags(input: &mut Value) -> Tags {
    let tags = crate::observed::tags(input);
    if let Some(members) = input.as_object_mut() {
        members.remove("tags");
    }
    tags
}

/// The pointers that lead into one block of the spec, without that block's name.
fn pointers_into(block: &str, ignore: &[String]) -> Vec<String> {
    ignore
        .iter()
        .filter_map(|pointer| pointer.strip_prefix('/')?.strip_prefix(block))
        .filter(|rest| rest.starts_with('/'))
        .map(str::to_owned)
        .collect()
}
