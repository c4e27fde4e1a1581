//! Port mappings (aws.md §4.3).

use std::collections::{BTreeMap, BTreeSet};

use crds::ecs::ContainerDefinition;
use crds::ecs::port::{PortMapping, TransportProtocol};
use crds::ecs::task_definition::NetworkMode;

use super::finding::{Finding, error, warning};
use super::subject::Subject;
use super::words::{each, has_any, is_open};

const MAX_RANGES: usize = 100;

/// The port that Fargate keeps for itself in Windows tasks.
const WINDOWS_RESERVED_PORT: i32 = 3150;

pub(super) fn check(subject: &Subject<'_>, found: &mut Vec<Finding>) {
    for (at, container) in &subject.containers {
        without_network(subject, at, container, found);
        for (at, port) in each(at, "portMappings", container.port_mappings.as_deref()) {
            port_or_range(&at, port, found);
            host_port(subject, &at, port, found);
            reserved(subject, &at, port, found);
            range(subject, &at, port, found);
        }
        ranges(at, container, found);
    }
    unique_ports(subject, found);
    unique_names(subject, found);
}

/// The first and the last port of a range, where both are ports and in order.
fn bounds(range: &str) -> Option<(i32, i32)> {
    let (first, last) = range.split_once('-')?;
    let port = |text: &str| text.parse::<u16>().ok().filter(|port| *port > 0).map(i32::from);
    let (first, last) = (port(first)?, port(last)?);
    (first <= last).then_some((first, last))
}

/// Whether a container maps a port, by itself or in a range. References are taken for any port.
pub(super) fn maps(container: &ContainerDefinition, wanted: i32) -> bool {
    let ports = container.port_mappings.as_deref().unwrap_or_default();
    ports.iter().any(|port| {
        let range = port.container_port_range.as_deref();
        port.container_port == Some(wanted)
            || range.is_some_and(|range| {
                is_open(range)
                    || bounds(range).is_some_and(|(first, last)| (first..=last).contains(&wanted))
            })
    })
}

/// The ports that a container maps, as people write them.
pub(super) fn mapped(container: &ContainerDefinition) -> impl Iterator<Item = String> {
    let ports = container.port_mappings.as_deref().unwrap_or_default().iter();
    ports.filter_map(|port| {
        port.container_port
            .map(|port| port.to_string())
            .or_else(|| port.container_port_range.clone())
    })
}

fn without_network(
    subject: &Subject<'_>,
    at: &str,
    container: &ContainerDefinition,
    found: &mut Vec<Finding>,
) {
    let has_ports = has_any(container.port_mappings.as_deref());
    if has_ports && subject.network_mode() == Some(NetworkMode::None) {
        found.push(
            error(
                format!("{at}.portMappings"),
                "needs a network, and the task's network mode is `none`",
            )
            .hint("leave it out"),
        );
    }
}

fn port_or_range(at: &str, port: &PortMapping, found: &mut Vec<Finding>) {
    match (port.container_port, &port.container_port_range) {
        (None, None) => found.push(
            error(format!("{at}.containerPort"), "is missing, and so is containerPortRange")
                .hint("give one of the two"),
        ),
        (Some(number), Some(range)) => found.push(
            error(
                format!("{at}.containerPortRange"),
                format!("`{range}` stands beside containerPort {number}"),
            )
            .hint("give one of the two"),
        ),
        (Some(_), None) | (None, Some(_)) => {}
    }
}

fn host_port(subject: &Subject<'_>, at: &str, port: &PortMapping, found: &mut Vec<Finding>) {
    let (Some(host), Some(container)) = (port.host_port, port.container_port) else { return };
    let Some(mode @ (NetworkMode::AwsVpc | NetworkMode::Host)) = subject.network_mode() else {
        return;
    };
    if host == container {
        return;
    }
    let path = format!("{at}.hostPort");
    let hint = format!("leave it out or use {container}");
    let message = format!(
        "`{host}` is not the containerPort {container}, and network mode `{mode}` has one port for both"
    );
    // Zero is also how clients write an absent number; that ECS refuses it is not confirmed.
    let finding = if host == 0 { warning } else { error };
    found.push(finding(path, message).hint(hint));
}

fn reserved(subject: &Subject<'_>, at: &str, port: &PortMapping, found: &mut Vec<Finding>) {
    let is_windows_fargate = subject.is_windows && subject.is_fargate;
    if is_windows_fargate && port.container_port == Some(WINDOWS_RESERVED_PORT) {
        found.push(error(
            format!("{at}.containerPort"),
            format!("`{WINDOWS_RESERVED_PORT}` is taken by Fargate in Windows tasks"),
        ));
    }
}

fn range(subject: &Subject<'_>, at: &str, port: &PortMapping, found: &mut Vec<Finding>) {
    let Some(range) = port.container_port_range.as_deref().filter(|range| !is_open(range)) else {
        return;
    };
    let path = format!("{at}.containerPortRange");
    if bounds(range).is_none() {
        found.push(
            error(path.clone(), format!("`{range}` is not a range of ports within 1 to 65535"))
                .hint("write the lower port first: `8000-8010`"),
        );
    }
    if let Some(mode @ NetworkMode::Host) = subject.network_mode() {
        found.push(
            error(path, format!("`{range}` is not possible with network mode `{mode}`"))
                .hint("use network mode `bridge` or `awsvpc`"),
        );
    }
    if let Some(host) = port.host_port {
        found.push(
            error(
                format!("{at}.hostPort"),
                format!(
                    "`{host}` stands beside containerPortRange, which chooses host ports itself"
                ),
            )
            .hint("leave it out"),
        );
    }
}

/// How many ranges a container has, and that none of their ports is in another mapping too.
fn ranges(at: &str, container: &ContainerDefinition, found: &mut Vec<Finding>) {
    let ports = container.port_mappings.as_deref().unwrap_or_default();
    let count = ports.iter().filter(|port| port.container_port_range.is_some()).count();
    if count > MAX_RANGES {
        found.push(error(
            format!("{at}.portMappings"),
            format!("has `{count}` ranges of ports; a container takes {MAX_RANGES}"),
        ));
    }
    if count > 0 {
        overlaps(at, ports, found);
    }
}

/// The ports of one mapping. Sorting puts those of one transport together, lowest first.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Span {
    protocol: &'static str,
    first: i32,
    last: i32,
    index: usize,
    is_range: bool,
}

fn overlaps(at: &str, ports: &[PortMapping], found: &mut Vec<Finding>) {
    let spans = ports.iter().enumerate().filter_map(|(index, port)| {
        let (first, last) = span(port)?;
        let is_range = port.container_port.is_none();
        Some(Span { protocol: protocol(port), first, last, index, is_range })
    });
    let mut spans: Vec<Span> = spans.collect();
    spans.sort();
    let mut widest: Option<&Span> = None;
    for span in &spans {
        let before = widest.filter(|before| before.protocol == span.protocol);
        if let Some(before) = before
            && span.first <= before.last
            && (span.is_range || before.is_range)
        {
            let (earlier, later) =
                if before.index < span.index { (before, span) } else { (span, before) };
            let member = if later.is_range { "containerPortRange" } else { "containerPort" };
            let [given, other] = [later, earlier].map(|span| written(span.first, span.last));
            found.push(error(
                format!("{at}.portMappings[{}].{member}", later.index),
                format!("`{given}` overlaps the mapping of `{other}`"),
            ));
        }
        if before.is_none_or(|before| before.last < span.last) {
            widest = Some(span);
        }
    }
}

fn written(first: i32, last: i32) -> String {
    if first == last { first.to_string() } else { format!("{first}-{last}") }
}

fn span(port: &PortMapping) -> Option<(i32, i32)> {
    match (port.container_port, port.container_port_range.as_deref()) {
        (Some(port), _) => Some((port, port)),
        (None, Some(range)) => bounds(range),
        (None, None) => None,
    }
}

/// The transport that counts: ECS takes any value it does not know for `tcp`.
fn protocol(port: &PortMapping) -> &'static str {
    match port.protocol {
        Some(TransportProtocol::Udp) => "udp",
        Some(TransportProtocol::Tcp | TransportProtocol::Other(_)) | None => "tcp",
    }
}

/// Containers that share a network cannot listen on the same port.
fn unique_ports(subject: &Subject<'_>, found: &mut Vec<Finding>) {
    let mode = subject.network_mode();
    let mut taken: BTreeMap<(i32, &str), &str> = BTreeMap::new();
    for (at, container) in &subject.containers {
        for (at, port) in each(at, "portMappings", container.port_mappings.as_deref()) {
            let shared = match mode {
                Some(NetworkMode::AwsVpc | NetworkMode::Host) => port.container_port,
                Some(NetworkMode::Bridge) => port.host_port.filter(|port| *port != 0),
                Some(NetworkMode::None | NetworkMode::Other(_)) | None => None,
            };
            let Some(shared) = shared else { continue };
            let name = container.name.as_str();
            let holder = *taken.entry((shared, protocol(port))).or_insert(name);
            if holder != name {
                let member =
                    if port.host_port == Some(shared) { "hostPort" } else { "containerPort" };
                found.push(warning(
                    format!("{at}.{member}"),
                    format!("`{shared}` is also a port of container `{holder}`, and only one can listen on it"),
                ));
            }
        }
    }
}

fn unique_names(subject: &Subject<'_>, found: &mut Vec<Finding>) {
    let mut seen = BTreeSet::new();
    for (at, container) in &subject.containers {
        for (at, port) in each(at, "portMappings", container.port_mappings.as_deref()) {
            let Some(name) = port.name.as_deref().filter(|name| !is_open(name)) else { continue };
            if !seen.insert(name) {
                found.push(warning(
                    format!("{at}.name"),
                    format!("`{name}` is already the name of another port mapping of the task"),
                ));
            }
        }
    }
}
