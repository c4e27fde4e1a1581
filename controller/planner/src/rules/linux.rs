//! The kernel's settings for a container (aws.md §4.3).

use crds::ecs::ContainerDefinition;
use crds::ecs::linux::{SystemControl, Ulimit, UlimitName};
use crds::ecs::task_definition::{IpcMode, NetworkMode};

use super::finding::{Finding, error, warning};
use super::subject::Subject;
use super::words::{each, has_any, is_open};

/// Kernel parameters of inter-process communication, which a container has for itself.
const IPC_CONTROLS: &[&str] = &[
    "kernel.msgmax",
    "kernel.msgmnb",
    "kernel.msgmni",
    "kernel.sem",
    "kernel.shmall",
    "kernel.shmmax",
    "kernel.shmmni",
    "kernel.shm_rmid_forced",
];

/// How many files a process on Fargate may have open.
const MAX_OPEN_FILES: i32 = 1_048_576;

/// How a limit says that there is none.
const UNLIMITED: i32 = -1;

pub(super) fn check(subject: &Subject<'_>, found: &mut Vec<Finding>) {
    for (at, container) in &subject.containers {
        on_windows(subject, at, container, found);
        for (at, ulimit) in each(at, "ulimits", container.ulimits.as_deref()) {
            self::ulimit(subject, &at, ulimit, found);
        }
        for (at, control) in each(at, "systemControls", container.system_controls.as_deref()) {
            system_control(subject, &at, control, found);
        }
        swappiness(subject, at, container, found);
    }
}

fn on_windows(
    subject: &Subject<'_>,
    at: &str,
    container: &ContainerDefinition,
    found: &mut Vec<Finding>,
) {
    if subject.is_windows && has_any(container.ulimits.as_deref()) {
        found.push(
            error(format!("{at}.ulimits"), "is not possible for Windows").hint("leave it out"),
        );
    }
}

fn ulimit(subject: &Subject<'_>, at: &str, ulimit: &Ulimit, found: &mut Vec<Finding>) {
    let Ulimit { name, soft_limit, hard_limit } = ulimit;
    let is_above =
        *hard_limit != UNLIMITED && (soft_limit > hard_limit || *soft_limit == UNLIMITED);
    if is_above {
        found.push(
            error(
                format!("{at}.softLimit"),
                format!("`{soft_limit}` is more than hardLimit {hard_limit}"),
            )
            .hint(format!("use at most {hard_limit}")),
        );
    }
    if !subject.is_fargate || subject.is_windows {
        return;
    }
    if *name != UlimitName::Nofile {
        found.push(
            warning(
                format!("{at}.name"),
                format!("`{name}` has no effect on Fargate, which honours only `nofile`"),
            )
            .hint("leave it out"),
        );
    } else if *hard_limit > MAX_OPEN_FILES || *hard_limit == UNLIMITED {
        found.push(
            error(
                format!("{at}.hardLimit"),
                format!("`{hard_limit}` open files are more than Fargate allows"),
            )
            .hint(format!("the most is {MAX_OPEN_FILES}")),
        );
    }
}

fn system_control(
    subject: &Subject<'_>,
    at: &str,
    control: &SystemControl,
    found: &mut Vec<Finding>,
) {
    let Some(name) = control.namespace.as_deref() else {
        found.push(error(format!("{at}.namespace"), "is missing"));
        return;
    };
    if control.value.is_none() {
        found.push(error(format!("{at}.value"), "is missing"));
    }
    if is_open(name) {
        return;
    }
    let path = format!("{at}.namespace");
    let is_ipc = IPC_CONTROLS.contains(&name) || name.starts_with("fs.mqueue.");
    let is_network = name.starts_with("net.");
    if !is_ipc && !is_network {
        found.push(
            error(
                path,
                format!("`{name}` is not a kernel parameter that a container has for itself"),
            )
            .hint("use `net.*`, `fs.mqueue.*` or those of System V IPC"),
        );
    } else if is_network && subject.network_mode() == Some(NetworkMode::Host) {
        found.push(error(path, format!("`{name}` is the host's with network mode `host`")));
    } else if is_ipc && subject.task.ipc_mode == Some(IpcMode::Host) {
        found.push(error(path, format!("`{name}` is the host's with ipcMode `host`")));
    } else if let Some(version) = subject.older_platform() {
        found.push(
            error(path, format!("`{name}` cannot be set on Fargate {version}"))
                .hint("use platformVersion `1.4.0` or `LATEST`"),
        );
    }
}

fn swappiness(
    subject: &Subject<'_>,
    at: &str,
    container: &ContainerDefinition,
    found: &mut Vec<Finding>,
) {
    let Some(linux) = container.linux_parameters.as_ref() else { return };
    if let Some(swappiness) = linux.swappiness
        && linux.max_swap.is_none()
        && !subject.is_fargate
    {
        found.push(
            warning(
                format!("{at}.linuxParameters.swappiness"),
                format!("`{swappiness}` has no effect without maxSwap"),
            )
            .hint("give maxSwap too"),
        );
    }
}
