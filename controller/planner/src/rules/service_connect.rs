//! Service Connect (aws.md §4.5).

use std::collections::BTreeSet;

use crds::ecs::deployment::DeploymentControllerType;
use crds::ecs::port::{PortMapping, TransportProtocol};
use crds::ecs::service_connect::{ServiceConnectConfiguration, ServiceConnectService};
use crds::ecs::task_definition::NetworkMode;

use super::deployment::controller;
use super::finding::{Finding, error, warning};
use super::subject::{SERVICE, Subject};
use super::words::{available, each, is_open};

const MAX_ALIASES: usize = 1;

pub(super) fn check(subject: &Subject<'_>, found: &mut Vec<Finding>) {
    let Some(connect) = subject.service.service_connect_configuration.as_ref() else { return };
    if !connect.enabled {
        return;
    }
    let at = format!("{SERVICE}.serviceConnectConfiguration");
    possible(subject, &at, found);
    for (at, service) in each(&at, "services", connect.services.as_deref()) {
        port_name(subject, &at, &service.port_name, found);
        transport(subject, &at, service, found);
        request_timeout(subject, &at, service, found);
        aliases(&at, service, found);
    }
    unique_discovery_names(&at, connect, found);
    unique_aliases(&at, connect, found);
}

fn possible(subject: &Subject<'_>, at: &str, found: &mut Vec<Finding>) {
    if let Some(mode @ (NetworkMode::Host | NetworkMode::None)) = subject.network_mode() {
        found.push(
            error(at, format!("is not possible with network mode `{mode}`"))
                .hint("use network mode `awsvpc` or `bridge`"),
        );
    }
    if controller(subject) == DeploymentControllerType::External {
        found.push(error(at, "is not possible with deployment controller `EXTERNAL`"));
    }
}

/// The port mappings of the task that have a name.
fn named<'a>(subject: &Subject<'a>) -> impl Iterator<Item = (&'a str, &'a PortMapping)> {
    let ports = subject
        .containers
        .iter()
        .flat_map(|(_, container)| container.port_mappings.as_deref().unwrap_or_default());
    ports.filter_map(|port| Some((port.name.as_deref()?, port)))
}

fn mapping<'a>(subject: &Subject<'a>, name: &str) -> Option<&'a PortMapping> {
    named(subject).find(|(given, _)| *given == name).map(|(_, port)| port)
}

/// Reports the name of a port that no port mapping of the task has.
pub(super) fn port_name(subject: &Subject<'_>, at: &str, name: &str, found: &mut Vec<Finding>) {
    let is_unknown = is_open(name) || named(subject).any(|(given, _)| is_open(given));
    if is_unknown || mapping(subject, name).is_some() {
        return;
    }
    found.push(
        error(
            format!("{at}.portName"),
            format!("`{name}` is not the name of a port mapping of the task"),
        )
        .hint(available("named port mappings", named(subject).map(|(name, _)| name))),
    );
}

fn transport(
    subject: &Subject<'_>,
    at: &str,
    service: &ServiceConnectService,
    found: &mut Vec<Finding>,
) {
    let port = mapping(subject, &service.port_name);
    if port.is_some_and(|port| port.protocol == Some(TransportProtocol::Udp)) {
        found.push(error(
            format!("{at}.portName"),
            format!(
                "`{}` is a port of protocol `udp`, and Service Connect takes only `tcp`",
                service.port_name
            ),
        ));
    }
}

/// Where nothing is known of the protocol there are no requests that could time out.
fn request_timeout(
    subject: &Subject<'_>,
    at: &str,
    service: &ServiceConnectService,
    found: &mut Vec<Finding>,
) {
    let timeout = service.timeout.as_ref().and_then(|timeout| timeout.per_request_timeout_seconds);
    let is_plain_tcp =
        mapping(subject, &service.port_name).is_some_and(|port| port.app_protocol.is_none());
    if let Some(seconds) = timeout
        && is_plain_tcp
    {
        found.push(
            warning(
                format!("{at}.timeout.perRequestTimeoutSeconds"),
                format!(
                    "`{seconds}` seconds a request, and port mapping `{}` has no appProtocol",
                    service.port_name
                ),
            )
            .hint("give the port mapping appProtocol `http`, `http2` or `grpc`"),
        );
    }
}

fn aliases(at: &str, service: &ServiceConnectService, found: &mut Vec<Finding>) {
    let count = service.client_aliases.as_ref().map_or(0, Vec::len);
    if count > MAX_ALIASES {
        found.push(error(
            format!("{at}.clientAliases"),
            format!("has `{count}` aliases; a service takes {MAX_ALIASES}"),
        ));
    }
}

fn unique_discovery_names(
    at: &str,
    connect: &ServiceConnectConfiguration,
    found: &mut Vec<Finding>,
) {
    let mut seen = BTreeSet::new();
    for (at, service) in each(at, "services", connect.services.as_deref()) {
        let name = service.discovery_name.as_deref().unwrap_or(&service.port_name);
        if !is_open(name) && !seen.insert(name) {
            found.push(
                error(
                    format!("{at}.discoveryName"),
                    format!("`{name}` is already the name of another entry"),
                )
                .hint("give each entry a discoveryName of its own"),
            );
        }
    }
}

fn unique_aliases(at: &str, connect: &ServiceConnectConfiguration, found: &mut Vec<Finding>) {
    let mut seen = BTreeSet::new();
    for (at, service) in each(at, "services", connect.services.as_deref()) {
        for (at, alias) in each(&at, "clientAliases", service.client_aliases.as_deref()) {
            let Some(name) = alias.dns_name.as_deref().filter(|name| !is_open(name)) else {
                continue;
            };
            if !seen.insert((name, alias.port)) {
                found.push(error(
                    format!("{at}.dnsName"),
                    format!("`{name}` with port {} is already another entry's", alias.port),
                ));
            }
        }
    }
}
