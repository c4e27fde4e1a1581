//! The forms of names (aws.md §4.1).

use crds::{Family, ServiceName};

use super::finding::{Finding, error};
use super::subject::{SERVICE, Subject, TASK};
use super::words::{each, is_open};

/// One form of names.
struct Form {
    max: usize,
    accepts: fn(char) -> bool,
    may_start_with_hyphen: bool,
    rule: &'static str,
}

/// Containers, volumes, families and services.
const ECS_NAME: Form = Form {
    max: 255,
    accepts: |letter| letter.is_ascii_alphanumeric() || matches!(letter, '-' | '_'),
    may_start_with_hyphen: true,
    rule: "1 to 255 letters, digits, `-` and `_`",
};

/// Port mappings and their discovery names.
const PORT_NAME: Form = Form {
    max: 64,
    accepts: |letter| {
        letter.is_ascii_lowercase() || letter.is_ascii_digit() || matches!(letter, '-' | '_')
    },
    may_start_with_hyphen: false,
    rule: "1 to 64 lower-case letters, digits, `-` and `_`, not `-` first",
};

/// The host names of client aliases.
const DNS_NAME: Form = Form {
    max: 127,
    accepts: |letter| {
        letter.is_ascii_lowercase() || letter.is_ascii_digit() || matches!(letter, '-' | '_' | '.')
    },
    may_start_with_hyphen: false,
    rule: "1 to 127 lower-case letters, digits, `-`, `_` and `.`, not `-` first",
};

impl Form {
    fn takes(&self, name: &str) -> bool {
        (1..=self.max).contains(&name.chars().count())
            && name.chars().all(self.accepts)
            && (self.may_start_with_hyphen || !name.starts_with('-'))
    }

    /// The name that comes closest; `None` if nothing is left of it.
    fn nearest(&self, name: &str) -> Option<String> {
        let lower = (self.accepts)('A');
        let fitted: String = name
            .chars()
            .map(|letter| if lower { letter } else { letter.to_ascii_lowercase() })
            .map(|letter| if (self.accepts)(letter) { letter } else { '-' })
            .skip_while(|letter| !self.may_start_with_hyphen && *letter == '-')
            .take(self.max)
            .collect();
        (!fitted.is_empty()).then_some(fitted)
    }

    fn check(&self, path: String, what: &str, name: &str, found: &mut Vec<Finding>) {
        if is_open(name) || self.takes(name) {
            return;
        }
        let finding =
            error(path, format!("`{name}` cannot be the name of a {what}: it takes {}", self.rule));
        found.push(match self.nearest(name) {
            Some(nearest) => finding.hint(format!("use `{nearest}`")),
            None => finding,
        });
    }
}

pub(super) fn check(subject: &Subject<'_>, found: &mut Vec<Finding>) {
    ECS_NAME.check("metadata.name".to_owned(), "service", &subject.object.metadata.name, found);
    family(subject, found);
    for (at, container) in &subject.containers {
        ECS_NAME.check(format!("{at}.name"), "container", &container.name, found);
        for (at, port) in each(at, "portMappings", container.port_mappings.as_deref()) {
            if let Some(name) = &port.name {
                PORT_NAME.check(format!("{at}.name"), "port mapping", name, found);
            }
        }
    }
    for (at, volume) in each(TASK, "volumes", subject.task.volumes.as_deref()) {
        ECS_NAME.check(format!("{at}.name"), "volume", &volume.name, found);
    }
    service_connect(subject, found);
}

/// A family of its own, or the one that cluster and service make.
fn family(subject: &Subject<'_>, found: &mut Vec<Finding>) {
    let path = format!("{TASK}.family");
    if let Some(family) = &subject.task.family {
        ECS_NAME.check(path, "task-definition family", family, found);
        return;
    }
    let name = &subject.object.metadata.name;
    let default = format!("{}-{name}", subject.object.spec.cluster);
    if name.parse::<ServiceName>().is_ok() && default.parse::<Family>().is_err() {
        let length = default.len();
        found.push(
            error(
                path,
                format!("is missing, and the default `{default}` has {length} characters of 255"),
            )
            .hint("give the task definition a family"),
        );
    }
}

fn service_connect(subject: &Subject<'_>, found: &mut Vec<Finding>) {
    let Some(connect) = &subject.service.service_connect_configuration else { return };
    let at = format!("{SERVICE}.serviceConnectConfiguration");
    for (at, service) in each(&at, "services", connect.services.as_deref()) {
        if let Some(name) = &service.discovery_name {
            PORT_NAME.check(format!("{at}.discoveryName"), "Service Connect service", name, found);
        }
        for (at, alias) in each(&at, "clientAliases", service.client_aliases.as_deref()) {
            if let Some(name) = &alias.dns_name {
                DNS_NAME.check(format!("{at}.dnsName"), "host", name, found);
            }
        }
    }
}
