//! In which order containers start (aws.md §4.3).

use std::collections::BTreeMap;

use crds::ecs::ContainerDefinition;
use crds::ecs::health::{ContainerCondition, ContainerDependency};

use super::finding::{Finding, error};
use super::subject::{Subject, is_essential};
use super::words::{available, each, is_open};

pub(super) fn check(subject: &Subject<'_>, found: &mut Vec<Finding>) {
    for (at, container) in &subject.containers {
        for (at, dependency) in each(at, "dependsOn", container.depends_on.as_deref()) {
            match subject.container(&dependency.container_name) {
                Some(target) => condition(&at, dependency, target, found),
                None => unknown(subject, &at, &dependency.container_name, found),
            }
        }
    }
    cycle(subject, found);
}

fn unknown(subject: &Subject<'_>, at: &str, name: &str, found: &mut Vec<Finding>) {
    if !is_open(name) && !subject.has_open_names() {
        found.push(
            error(
                format!("{at}.containerName"),
                format!("`{name}` is not a container of the task"),
            )
            .hint(available("containers", subject.container_names())),
        );
    }
}

fn condition(
    at: &str,
    dependency: &ContainerDependency,
    target: &ContainerDefinition,
    found: &mut Vec<Finding>,
) {
    let condition = &dependency.condition;
    let name = &target.name;
    let path = format!("{at}.condition");
    match condition {
        ContainerCondition::Complete | ContainerCondition::Success if is_essential(target) => found.push(
            error(path, format!("`{condition}` waits for the end of `{name}`, which is essential, so that its end is the task's"))
                .hint(format!("set essential to false on `{name}`")),
        ),
        ContainerCondition::Healthy if target.health_check.is_none() => found.push(
            error(path, format!("`HEALTHY` needs a health check, and `{name}` has none"))
                .hint(format!("give `{name}` a healthCheck, or use `START`")),
        ),
        ContainerCondition::Start
        | ContainerCondition::Complete
        | ContainerCondition::Success
        | ContainerCondition::Healthy
        | ContainerCondition::Other(_) => {}
    }
}

/// Containers that wait for each other never start.
fn cycle(subject: &Subject<'_>, found: &mut Vec<Finding>) {
    let Some(names) = first_cycle(subject) else { return };
    let Some(first) = names.first() else { return };
    let at = subject.containers.iter().find(|(_, container)| container.name == **first);
    if let Some((at, _)) = at {
        let way = names.join("` -> `");
        found.push(error(
            format!("{at}.dependsOn"),
            format!("`{way}` -> `{first}` is a circle, in which no container can start"),
        ));
    }
}

/// The names along a circle, if there is one.
///
/// Containers that wait for nothing are taken away until none is left or each one left waits for another that is left; from
/// any of those, following what it waits for leads around a circle.
fn first_cycle<'a>(subject: &Subject<'a>) -> Option<Vec<&'a str>> {
    let mut waits: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (_, container) in &subject.containers {
        let dependencies = container.depends_on.as_deref().unwrap_or_default();
        let targets = dependencies.iter().map(|dependency| dependency.container_name.as_str());
        waits.entry(container.name.as_str()).or_default().extend(targets);
    }
    loop {
        let before = waits.len();
        let names: Vec<&str> = waits.keys().copied().collect();
        for targets in waits.values_mut() {
            targets.retain(|target| names.binary_search(target).is_ok());
        }
        waits.retain(|_, targets| !targets.is_empty());
        if waits.len() == before {
            break;
        }
    }
    let start = subject.container_names().find(|name| waits.contains_key(name))?;
    let mut way = vec![start];
    loop {
        let next = *waits.get(way.last()?)?.first()?;
        if let Some(entry) = way.iter().position(|name| *name == next) {
            return Some(way.split_off(entry));
        }
        way.push(next);
    }
}
