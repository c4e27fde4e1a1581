//! The offline rules: what ECS would refuse, or what would make a rollout hopeless, known from the spec alone.
//!
//! In comes a spec whose references are resolved; out come findings, in the order of the rules. Nothing is read and nothing
//! fails. A text that still holds a `${…}` reference is not judged, because its value is not known. Facts come from
//! aws.md §4 and §2.10; what AWS itself contradicts or nobody has confirmed is a warning.

mod bulk;
mod check;
mod container;
mod dependency;
mod deployment;
mod environment;
mod fargate;
mod finding;
mod gate;
mod health;
mod hook;
mod image;
mod limits;
mod linux;
mod load_balancing;
mod logging;
mod memory;
mod name;
mod network;
mod order;
mod placement;
mod platform;
mod port;
mod registry;
mod role;
mod rollout_hook;
mod scaling;
mod secret;
mod service;
mod service_connect;
mod service_volume;
mod size;
mod strategy;
mod subject;
mod tag;
mod volume;
mod words;

use crds::Service;

pub use finding::{Finding, Severity};
use subject::Subject;

/// A rule, or a file of them: looks at one spec and adds what it finds.
type Rule = fn(&Subject<'_>, &mut Vec<Finding>);

/// All rules: first what concerns the task definition, then the service.
const RULES: &[Rule] = &[
    name::check,
    limits::check,
    size::check,
    platform::check,
    fargate::check,
    role::check,
    container::check,
    image::check,
    memory::check,
    environment::check,
    secret::check,
    health::check,
    dependency::check,
    linux::check,
    network::check,
    port::check,
    logging::check,
    volume::check,
    service::check,
    strategy::check,
    placement::check,
    deployment::check,
    hook::check,
    gate::check,
    load_balancing::check,
    registry::check,
    service_connect::check,
    service_volume::check,
    scaling::check,
    rollout_hook::check,
    check::check,
    tag::check,
    order::check,
];

/// Everything that is wrong or doubtful with one spec, in a stable order. One that is far too large is told nothing else: rules
/// compare members with each other, so what they cost grows faster than a spec.
pub fn check(service: &Service) -> Vec<Finding> {
    let mut found = Vec::new();
    subject::with(service, &mut found, |subject, found| {
        if bulk::check(subject, found) {
            return;
        }
        for rule in RULES {
            rule(subject, found);
        }
    });
    found
}

#[cfg(test)]
mod tests;
