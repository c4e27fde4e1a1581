//! Service registries, VPC Lattice and gateways (aws.md §4.5, §2.10).

use crds::ecs::load_balancing::ServiceRegistry;

use super::finding::{Finding, error, warning};
use super::load_balancing::container_port;
use super::service_connect::port_name;
use super::subject::{SERVICE, Subject};
use super::words::{each, is_open};

const MAX_REGISTRIES: usize = 1;
const MAX_GATEWAYS: usize = 1;

/// How many tasks a service in Cloud Map may have.
const MAX_REGISTERED_TASKS: i32 = 1000;

pub(super) fn check(subject: &Subject<'_>, found: &mut Vec<Finding>) {
    let registries = subject.service.service_registries.as_deref();
    if let Some(count) = registries.map(<[_]>::len).filter(|count| *count > MAX_REGISTRIES) {
        found.push(error(
            format!("{SERVICE}.serviceRegistries"),
            format!("has `{count}` registries; a service takes {MAX_REGISTRIES}"),
        ));
    }
    for (at, registry) in each(SERVICE, "serviceRegistries", registries) {
        arn(&at, registry, found);
        port(subject, &at, registry, found);
    }
    registered_tasks(subject, found);
    lattice(subject, found);
    gateways(subject, found);
}

fn arn(at: &str, registry: &ServiceRegistry, found: &mut Vec<Finding>) {
    let path = format!("{at}.registryArn");
    match registry.registry_arn.as_deref() {
        None => found.push(error(path, "is missing").hint("give the ARN of the Cloud Map service")),
        Some(arn)
            if is_open(arn) || (arn.starts_with("arn:") && arn.contains(":servicediscovery:")) => {}
        Some(arn) => found.push(
            error(path, format!("`{arn}` is not the ARN of a Cloud Map service"))
                .hint("it reads `arn:aws:servicediscovery:<region>:<account>:service/<id>`"),
        ),
    }
}

/// Nothing for A records; for SRV records a container and its port, or with `awsvpc` a port alone.
fn port(subject: &Subject<'_>, at: &str, registry: &ServiceRegistry, found: &mut Vec<Finding>) {
    match (registry.container_name.as_deref(), registry.container_port) {
        (Some(name), Some(port)) => container_port(subject, at, name, port, found),
        (Some(name), None) => found.push(
            error(
                format!("{at}.containerPort"),
                format!("is missing beside containerName `{name}`"),
            )
            .hint("give both or none"),
        ),
        (None, Some(port)) => found.push(
            error(format!("{at}.containerName"), format!("is missing beside containerPort {port}"))
                .hint("give both or none"),
        ),
        (None, None) => {}
    }
    let has_container = registry.container_name.is_some() || registry.container_port.is_some();
    if let Some(port) = registry.port.filter(|_| has_container) {
        found.push(
            error(
                format!("{at}.port"),
                format!("`{port}` stands beside containerName and containerPort"),
            )
            .hint("give either those two or port"),
        );
    }
}

fn registered_tasks(subject: &Subject<'_>, found: &mut Vec<Finding>) {
    let is_registered = super::words::has_any(subject.service.service_registries.as_deref());
    if let Some(count) = subject.service.desired_count.filter(|count| *count > MAX_REGISTERED_TASKS)
        && is_registered
    {
        found.push(
            warning(
                format!("{SERVICE}.desiredCount"),
                format!("`{count}` tasks are more than Cloud Map's quota for one service"),
            )
            .hint(format!("the quota is {MAX_REGISTERED_TASKS}")),
        );
    }
}

fn lattice(subject: &Subject<'_>, found: &mut Vec<Finding>) {
    let configurations = subject.service.vpc_lattice_configurations.as_deref();
    for (at, configuration) in each(SERVICE, "vpcLatticeConfigurations", configurations) {
        port_name(subject, &at, &configuration.port_name, found);
    }
}

fn gateways(subject: &Subject<'_>, found: &mut Vec<Finding>) {
    let connectors = subject.service.gateway_connectors.as_deref();
    if let Some(count) = connectors.map(<[_]>::len).filter(|count| *count > MAX_GATEWAYS) {
        found.push(error(
            format!("{SERVICE}.gatewayConnectors"),
            format!("has `{count}` gateways; a service takes {MAX_GATEWAYS}"),
        ));
    }
    for (at, connector) in each(SERVICE, "gatewayConnectors", connectors) {
        port_name(subject, &at, &connector.port_name, found);
    }
}
