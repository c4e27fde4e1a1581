//! What Fargate does not have (aws.md §4.3).

use crds::ecs::ContainerDefinition;
use crds::ecs::linux::LinuxParameters;
use crds::ecs::logging::LogDriver;
use crds::ecs::resource::ResourceType;
use crds::ecs::task_definition::{NetworkMode, PidMode};

use super::finding::{Finding, error};
use super::subject::{Subject, TASK};
use super::words::{each, has_any, is_open};

/// A member of a structure, and when it counts as used.
type Use<T> = (&'static str, fn(&T) -> bool);

/// Members of a container that Fargate refuses.
const CONTAINER_MEMBERS: &[Use<ContainerDefinition>] = &[
    ("disableNetworking", |container| container.disable_networking == Some(true)),
    ("dnsSearchDomains", |container| has_any(container.dns_search_domains.as_deref())),
    ("dnsServers", |container| has_any(container.dns_servers.as_deref())),
    ("dockerSecurityOptions", |container| has_any(container.docker_security_options.as_deref())),
    ("extraHosts", |container| has_any(container.extra_hosts.as_deref())),
    ("links", |container| has_any(container.links.as_deref())),
    ("privileged", |container| container.privileged == Some(true)),
];

/// Members of `linuxParameters` that Fargate refuses.
const LINUX_MEMBERS: &[Use<LinuxParameters>] = &[
    ("devices", |linux| has_any(linux.devices.as_deref())),
    ("maxSwap", |linux| linux.max_swap.is_some()),
    ("sharedMemorySize", |linux| linux.shared_memory_size.is_some()),
    ("swappiness", |linux| linux.swappiness.is_some()),
    ("tmpfs", |linux| has_any(linux.tmpfs.as_deref())),
];

/// The one power that Fargate lets a container add.
const CAPABILITY: &str = "SYS_PTRACE";

pub(super) fn check(subject: &Subject<'_>, found: &mut Vec<Finding>) {
    if !subject.is_fargate {
        return;
    }
    network_mode(subject, found);
    task_members(subject, found);
    volumes(subject, found);
    for (at, container) in &subject.containers {
        container_members(at, container, found);
        capabilities(subject, at, container, found);
        devices(at, container, found);
        log_driver(at, container, found);
        log_router(at, container, found);
    }
}

fn refused(path: String) -> Finding {
    error(path, "is not possible on Fargate").hint("leave it out")
}

fn network_mode(subject: &Subject<'_>, found: &mut Vec<Finding>) {
    let given = subject.task.network_mode.as_ref();
    let path = format!("{TASK}.networkMode");
    match given {
        Some(NetworkMode::AwsVpc) => {}
        Some(mode) if is_open(mode.as_str()) => {}
        Some(mode) => found
            .push(error(path, format!("`{mode}` is not possible on Fargate")).hint("use `awsvpc`")),
        None => {
            found.push(error(path, "is missing, and Fargate needs `awsvpc`").hint("use `awsvpc`"));
        }
    }
}

fn task_members(subject: &Subject<'_>, found: &mut Vec<Finding>) {
    if has_any(subject.task.placement_constraints.as_deref()) {
        found.push(refused(format!("{TASK}.placementConstraints")));
    }
    if let Some(mode) = &subject.task.ipc_mode
        && !is_open(mode.as_str())
    {
        found.push(refused(format!("{TASK}.ipcMode")));
    }
    match &subject.task.pid_mode {
        None | Some(PidMode::Task) => {}
        Some(mode) if is_open(mode.as_str()) => {}
        Some(mode) => found.push(
            error(format!("{TASK}.pidMode"), format!("`{mode}` is not possible on Fargate"))
                .hint("use `task` or leave it out"),
        ),
    }
}

fn volumes(subject: &Subject<'_>, found: &mut Vec<Finding>) {
    for (at, volume) in each(TASK, "volumes", subject.task.volumes.as_deref()) {
        if volume.docker_volume_configuration.is_some() {
            found.push(refused(format!("{at}.dockerVolumeConfiguration")));
        }
        if volume.host.as_ref().is_some_and(|host| host.source_path.is_some()) {
            found.push(refused(format!("{at}.host.sourcePath")));
        }
    }
}

fn container_members(at: &str, container: &ContainerDefinition, found: &mut Vec<Finding>) {
    for (member, is_used) in CONTAINER_MEMBERS {
        if is_used(container) {
            found.push(refused(format!("{at}.{member}")));
        }
    }
    let Some(linux) = &container.linux_parameters else { return };
    for (member, is_used) in LINUX_MEMBERS {
        if is_used(linux) {
            found.push(refused(format!("{at}.linuxParameters.{member}")));
        }
    }
}

fn capabilities(
    subject: &Subject<'_>,
    at: &str,
    container: &ContainerDefinition,
    found: &mut Vec<Finding>,
) {
    let linux = container.linux_parameters.as_ref();
    let capabilities = linux.and_then(|linux| linux.capabilities.as_ref());
    let added = capabilities.and_then(|capabilities| capabilities.add.as_deref());
    for (path, power) in each(at, "linuxParameters.capabilities.add", added) {
        if is_open(power) {
            continue;
        }
        if power != CAPABILITY {
            found.push(
                error(path, format!("`{power}` cannot be added on Fargate"))
                    .hint(format!("Fargate adds only `{CAPABILITY}`")),
            );
        } else if let Some(version) = subject.older_platform() {
            found.push(
                error(path, format!("`{power}` cannot be added on Fargate {version}"))
                    .hint("use platformVersion `1.4.0` or `LATEST`"),
            );
        }
    }
}

fn devices(at: &str, container: &ContainerDefinition, found: &mut Vec<Finding>) {
    for (path, device) in
        each(at, "resourceRequirements", container.resource_requirements.as_deref())
    {
        match &device.r#type {
            kind @ (ResourceType::Gpu | ResourceType::NeuronDevice) => found.push(
                error(format!("{path}.type"), format!("`{kind}` is not possible on Fargate"))
                    .hint("run it on container instances that have the device"),
            ),
            ResourceType::InferenceAccelerator | ResourceType::Other(_) => {}
        }
    }
}

fn log_driver(at: &str, container: &ContainerDefinition, found: &mut Vec<Finding>) {
    let Some(driver) = container.log_configuration.as_ref().map(|log| &log.log_driver) else {
        return;
    };
    match driver {
        // What we do not know is reported as such.
        LogDriver::AwsLogs | LogDriver::Splunk | LogDriver::AwsFirelens | LogDriver::Other(_) => {}
        LogDriver::JsonFile
        | LogDriver::Syslog
        | LogDriver::Journald
        | LogDriver::Gelf
        | LogDriver::Fluentd => found.push(
            error(
                format!("{at}.logConfiguration.logDriver"),
                format!("`{driver}` is not possible on Fargate"),
            )
            .hint("use `awslogs`, `splunk` or `awsfirelens`"),
        ),
    }
}

fn log_router(at: &str, container: &ContainerDefinition, found: &mut Vec<Finding>) {
    let options =
        container.firelens_configuration.as_ref().and_then(|router| router.options.as_ref());
    let Some(kind) = options.and_then(|options| options.get("config-file-type")) else { return };
    if kind != "file" && !is_open(kind) {
        found.push(
            error(
                format!("{at}.firelensConfiguration.options.config-file-type"),
                format!("`{kind}` is not possible on Fargate"),
            )
            .hint("use `file`, a file in the image"),
        );
    }
}
