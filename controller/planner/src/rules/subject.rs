//! One spec, and what several rules have to know of it.

use std::borrow::Cow;

use crds::ecs::service::LaunchType;
use crds::ecs::task_definition::{Compatibility, NetworkMode, OperatingSystemFamily};
use crds::ecs::{ContainerDefinition, ServiceDefinition, Shape, TaskDefinition};
use crds::{Passthrough, Service};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::finding::{Finding, warning};
use super::words::{each, is_open};

/// Where the task definition stands in the file.
pub(super) const TASK: &str = "spec.taskDefinition";
/// Where the service's own block stands in the file.
pub(super) const SERVICE: &str = "spec.service";

/// One spec, and what several rules have to know of it.
pub(super) struct Subject<'a> {
    /// The object as it was written.
    pub(super) object: &'a Service,
    /// The task definition, with what was passed through.
    pub(super) task: &'a TaskDefinition,
    /// The service's own block, with what was passed through.
    pub(super) service: &'a ServiceDefinition,
    /// The containers with their paths.
    pub(super) containers: Vec<(String, &'a ContainerDefinition)>,
    /// Whether the task definition has to keep Fargate's rules.
    pub(super) is_fargate: bool,
    /// Whether the service itself starts its tasks on Fargate.
    pub(super) launches_on_fargate: bool,
    /// Whether the containers are Windows'.
    pub(super) is_windows: bool,
}

/// Looks at a spec as ECS will see it: members passed through win over those of the blocks.
pub(super) fn with(
    object: &Service,
    found: &mut Vec<Finding>,
    look: impl FnOnce(&Subject<'_>, &mut Vec<Finding>),
) {
    let nothing = Passthrough::default();
    let passthrough = object.spec.passthrough.as_ref().unwrap_or(&nothing);
    let task = overlaid(
        &object.spec.task_definition,
        TaskDefinition::SHAPE,
        ("taskDefinition", &passthrough.task_definition),
        found,
    );
    let service = overlaid(
        &object.spec.service,
        ServiceDefinition::SHAPE,
        ("service", &passthrough.service),
        found,
    );
    look(&Subject::of(object, &task, &service), found);
}

impl<'a> Subject<'a> {
    fn of(object: &'a Service, task: &'a TaskDefinition, service: &'a ServiceDefinition) -> Self {
        let launches_on_fargate = launches_on_fargate(task, service);
        Self {
            object,
            task,
            service,
            containers: each(TASK, "containerDefinitions", Some(&task.container_definitions))
                .collect(),
            is_fargate: launches_on_fargate || requires(task, &Compatibility::Fargate),
            launches_on_fargate,
            is_windows: is_windows(task),
        }
    }

    /// The network mode that counts; `None` where it is one that we do not know or a reference.
    pub(super) fn network_mode(&self) -> Option<NetworkMode> {
        match &self.task.network_mode {
            _ if self.is_fargate => Some(NetworkMode::AwsVpc),
            Some(NetworkMode::Other(_)) => None,
            Some(mode) => Some(mode.clone()),
            None if self.is_windows => None,
            None => Some(NetworkMode::Bridge),
        }
    }

    /// Whether each task has a network interface of its own.
    pub(super) fn is_awsvpc(&self) -> bool {
        self.network_mode() == Some(NetworkMode::AwsVpc)
    }

    /// The service's version of Fargate, if it is a Linux one from before 1.4.0.
    pub(super) fn older_platform(&self) -> Option<&'a str> {
        let version = self.service.platform_version.as_deref()?;
        let is_older = matches!(version, "1.0.0" | "1.1.0" | "1.2.0" | "1.3.0");
        (is_older && self.is_fargate && !self.is_windows).then_some(version)
    }

    /// The container of this name.
    pub(super) fn container(&self, name: &str) -> Option<&'a ContainerDefinition> {
        self.containers
            .iter()
            .map(|(_, container)| *container)
            .find(|container| container.name == name)
    }

    /// The containers' names.
    pub(super) fn container_names(&self) -> impl Iterator<Item = &'a str> {
        self.containers.iter().map(|(_, container)| container.name.as_str())
    }

    /// Whether a container's name is not known yet, so that no name can be called unknown.
    pub(super) fn has_open_names(&self) -> bool {
        self.container_names().any(is_open)
    }
}

/// Whether a container's end is the task's end.
pub(super) fn is_essential(container: &ContainerDefinition) -> bool {
    container.essential != Some(false)
}

/// Whether the definition is registered for this launch type.
pub(super) fn requires(task: &TaskDefinition, compatibility: &Compatibility) -> bool {
    task.requires_compatibilities.as_deref().unwrap_or_default().contains(compatibility)
}

/// Whether a capacity provider is one of AWS's own two.
pub(super) fn is_fargate_provider(name: &str) -> bool {
    matches!(name, "FARGATE" | "FARGATE_SPOT")
}

fn launches_on_fargate(task: &TaskDefinition, service: &ServiceDefinition) -> bool {
    let strategy = service.capacity_provider_strategy.as_deref().unwrap_or_default();
    match &service.launch_type {
        Some(launch_type) => *launch_type == LaunchType::Fargate,
        None if strategy.is_empty() => {
            task.requires_compatibilities.as_deref() == Some(&[Compatibility::Fargate])
        }
        None => strategy.iter().any(|item| is_fargate_provider(&item.capacity_provider)),
    }
}

fn is_windows(task: &TaskDefinition) -> bool {
    let family = task
        .runtime_platform
        .as_ref()
        .and_then(|platform| platform.operating_system_family.as_ref());
    family.map(OperatingSystemFamily::as_str).is_some_and(|family| family.starts_with("WINDOWS"))
}

/// A block with the members that were passed through, where it still can be read with them.
fn overlaid<'a, T: Clone + Serialize + DeserializeOwned>(
    block: &'a T,
    shape: &Shape,
    (name, passthrough): (&str, &Map<String, Value>),
    found: &mut Vec<Finding>,
) -> Cow<'a, T> {
    let known: Vec<_> =
        passthrough.iter().filter(|(member, _)| shape.member(member).is_some()).collect();
    if known.is_empty() {
        return Cow::Borrowed(block);
    }
    for (member, _) in &known {
        found.push(
            warning(
                format!("spec.passthrough.{name}.{member}"),
                format!("`{member}` is a member that Longshore knows; passed through, it hides the block's own"),
            )
            .hint(format!("write it as spec.{name}.{member}")),
        );
    }
    let Ok(Value::Object(mut members)) = serde_json::to_value(block) else {
        return Cow::Borrowed(block);
    };
    members.extend(known.into_iter().map(|(member, value)| (member.clone(), value.clone())));
    serde_json::from_value(Value::Object(members)).map_or(Cow::Borrowed(block), Cow::Owned)
}
