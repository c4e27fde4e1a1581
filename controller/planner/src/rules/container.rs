//! The containers of a task, and what each of them says of itself (aws.md §4.3).

use std::collections::BTreeSet;

use crds::ecs::ContainerDefinition;

use super::finding::{Finding, error, warning};
use super::subject::{Subject, TASK, is_essential};
use super::words::{available, each, is_open};

const MAX_CONTAINERS: usize = 10;
const MAX_IGNORED_EXIT_CODES: usize = 50;
const MAX_CREDENTIAL_SPECS: usize = 1;

/// Fargate's longest wait, in seconds.
const MAX_TIMEOUT: i32 = 120;
/// The shortest start timeout, in seconds; not confirmed.
const MIN_START_TIMEOUT: i32 = 2;

pub(super) fn check(subject: &Subject<'_>, found: &mut Vec<Finding>) {
    count(subject, found);
    essential(subject, found);
    unique_names(subject, found);
    log_routers(subject, found);
    proxy(subject, found);
    for (at, container) in &subject.containers {
        start_timeout(subject, at, container, found);
        stop_timeout(subject, at, container, found);
        ignored_exit_codes(at, container, found);
        credential_specs(at, container, found);
    }
}

fn count(subject: &Subject<'_>, found: &mut Vec<Finding>) {
    let count = subject.containers.len();
    if !(1..=MAX_CONTAINERS).contains(&count) {
        found.push(error(
            format!("{TASK}.containerDefinitions"),
            format!("has `{count}` containers; a task takes 1 to {MAX_CONTAINERS}"),
        ));
    }
}

fn essential(subject: &Subject<'_>, found: &mut Vec<Finding>) {
    let has_essential = subject.containers.iter().any(|(_, container)| is_essential(container));
    if !has_essential && !subject.containers.is_empty() {
        found.push(
            error(
                format!("{TASK}.containerDefinitions"),
                "has no essential container, and a task needs one to know when it ends",
            )
            .hint("remove `essential: false` from the main container"),
        );
    }
}

fn unique_names(subject: &Subject<'_>, found: &mut Vec<Finding>) {
    let mut seen = BTreeSet::new();
    for (at, container) in &subject.containers {
        if !is_open(&container.name) && !seen.insert(container.name.as_str()) {
            found.push(error(
                format!("{at}.name"),
                format!("`{}` is already the name of another container", container.name),
            ));
        }
    }
}

/// A task has at most one log router.
fn log_routers(subject: &Subject<'_>, found: &mut Vec<Finding>) {
    let routers = subject
        .containers
        .iter()
        .filter(|(_, container)| container.firelens_configuration.is_some());
    for (at, _) in routers.skip(1) {
        found.push(error(
            format!("{at}.firelensConfiguration"),
            "is the second log router; a task takes one",
        ));
    }
}

fn proxy(subject: &Subject<'_>, found: &mut Vec<Finding>) {
    let Some(proxy) = &subject.task.proxy_configuration else { return };
    let name = &proxy.container_name;
    if is_open(name) || subject.has_open_names() || subject.container(name).is_some() {
        return;
    }
    found.push(
        error(
            format!("{TASK}.proxyConfiguration.containerName"),
            format!("`{name}` is not a container of the task"),
        )
        .hint(available("containers", subject.container_names())),
    );
}

fn start_timeout(
    subject: &Subject<'_>,
    at: &str,
    container: &ContainerDefinition,
    found: &mut Vec<Finding>,
) {
    let Some(seconds) = container.start_timeout else { return };
    let path = format!("{at}.startTimeout");
    if subject.is_fargate && seconds > MAX_TIMEOUT {
        found.push(too_long(path, seconds));
    } else if seconds < MIN_START_TIMEOUT {
        found.push(
            warning(path, format!("`{seconds}` seconds are less than ECS is said to take"))
                .hint(format!("the least is {MIN_START_TIMEOUT}")),
        );
    }
}

fn stop_timeout(
    subject: &Subject<'_>,
    at: &str,
    container: &ContainerDefinition,
    found: &mut Vec<Finding>,
) {
    let Some(seconds) = container.stop_timeout else { return };
    let path = format!("{at}.stopTimeout");
    if subject.is_fargate && seconds > MAX_TIMEOUT {
        found.push(too_long(path, seconds));
    } else if seconds < 0 {
        found.push(error(path, format!("`{seconds}` seconds are less than none")));
    }
}

fn too_long(path: String, seconds: i32) -> Finding {
    error(path, format!("`{seconds}` seconds are more than Fargate waits"))
        .hint(format!("the most is {MAX_TIMEOUT}"))
}

fn ignored_exit_codes(at: &str, container: &ContainerDefinition, found: &mut Vec<Finding>) {
    let policy = container.restart_policy.as_ref();
    let codes = policy.and_then(|policy| policy.ignored_exit_codes.as_deref()).unwrap_or_default();
    if codes.len() > MAX_IGNORED_EXIT_CODES {
        found.push(error(
            format!("{at}.restartPolicy.ignoredExitCodes"),
            format!("has `{}` exit codes; ECS takes {MAX_IGNORED_EXIT_CODES}", codes.len()),
        ));
    }
}

fn credential_specs(at: &str, container: &ContainerDefinition, found: &mut Vec<Finding>) {
    for (path, _) in each(at, "credentialSpecs", container.credential_specs.as_deref())
        .skip(MAX_CREDENTIAL_SPECS)
    {
        found.push(error(path, "is the second credential spec; a container takes one"));
    }
}
