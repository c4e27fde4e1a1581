//! How a task reaches the network (aws.md §4.3, §4.5).

use crds::ecs::ContainerDefinition;
use crds::ecs::deployment::DeploymentControllerType;
use crds::ecs::network::AwsVpcConfiguration;
use crds::ecs::service::LaunchType;
use crds::ecs::task_definition::NetworkMode;
use crds::ecs::volume::Switch;

use super::finding::{Finding, error, warning};
use super::subject::{SERVICE, Subject};
use super::words::{available, each, has_any, is_open};

const MAX_SUBNETS: usize = 16;
const MAX_SECURITY_GROUPS: usize = 5;

pub(super) fn check(subject: &Subject<'_>, found: &mut Vec<Finding>) {
    configuration(subject, found);
    if let Some(network) = &subject.service.network_configuration
        && let Some(awsvpc) = &network.awsvpc_configuration
    {
        subnets(awsvpc, found);
        security_groups(awsvpc, found);
        public_address(subject, awsvpc, found);
    }
    for (at, container) in &subject.containers {
        links(subject, at, container, found);
        hostname(subject, at, container, found);
        extra_hosts(subject, at, container, found);
    }
}

const AWSVPC: &str = "spec.service.networkConfiguration.awsvpcConfiguration";

/// Tasks of `awsvpc` need a network, others cannot have one.
fn configuration(subject: &Subject<'_>, found: &mut Vec<Finding>) {
    let configuration = subject.service.network_configuration.as_ref();
    let is_given = configuration.is_some_and(|network| network.awsvpc_configuration.is_some());
    let controller =
        subject.service.deployment_controller.as_ref().map(|controller| &controller.r#type);
    let is_on_task_sets = controller == Some(&DeploymentControllerType::External);
    match subject.network_mode() {
        Some(NetworkMode::AwsVpc) if !is_given && !is_on_task_sets => found.push(
            error(
                format!("{SERVICE}.networkConfiguration"),
                "is missing, and tasks of network mode `awsvpc` need it",
            )
            .hint("give awsvpcConfiguration with subnets and securityGroups"),
        ),
        Some(mode @ (NetworkMode::Bridge | NetworkMode::Host | NetworkMode::None)) if is_given => {
            found.push(
                error(
                    format!("{SERVICE}.networkConfiguration"),
                    format!("is for network mode `awsvpc`, and the task's is `{mode}`"),
                )
                .hint("leave it out, or set networkMode to `awsvpc`"),
            );
        }
        Some(_) | None => {}
    }
}

fn subnets(awsvpc: &AwsVpcConfiguration, found: &mut Vec<Finding>) {
    let count = awsvpc.subnets.len();
    if !(1..=MAX_SUBNETS).contains(&count) {
        found.push(error(
            format!("{AWSVPC}.subnets"),
            format!("has `{count}` subnets; ECS takes 1 to {MAX_SUBNETS}"),
        ));
    }
    identifiers("subnets", "subnet-", &awsvpc.subnets, found);
}

fn security_groups(awsvpc: &AwsVpcConfiguration, found: &mut Vec<Finding>) {
    let groups = awsvpc.security_groups.as_deref().unwrap_or_default();
    if groups.len() > MAX_SECURITY_GROUPS {
        found.push(error(
            format!("{AWSVPC}.securityGroups"),
            format!("has `{}` security groups; ECS takes {MAX_SECURITY_GROUPS}", groups.len()),
        ));
    }
    identifiers("securityGroups", "sg-", groups, found);
}

/// Names in place of identifiers are a common slip.
fn identifiers(member: &str, prefix: &str, given: &[String], found: &mut Vec<Finding>) {
    for (path, identifier) in each(AWSVPC, member, Some(given)) {
        if !identifier.starts_with(prefix) && !is_open(identifier) {
            found.push(
                warning(path, format!("`{identifier}` does not look like an identifier"))
                    .hint(format!("identifiers start with `{prefix}`")),
            );
        }
    }
}

fn public_address(subject: &Subject<'_>, awsvpc: &AwsVpcConfiguration, found: &mut Vec<Finding>) {
    let is_on_instances = subject.service.launch_type == Some(LaunchType::Ec2);
    if is_on_instances && awsvpc.assign_public_ip == Some(Switch::Enabled) {
        found.push(
            error(
                format!("{AWSVPC}.assignPublicIp"),
                "`ENABLED` is not possible with launch type `EC2`",
            )
            .hint("use `DISABLED` and a NAT gateway"),
        );
    }
}

fn links(
    subject: &Subject<'_>,
    at: &str,
    container: &ContainerDefinition,
    found: &mut Vec<Finding>,
) {
    if !has_any(container.links.as_deref()) || subject.is_fargate {
        return;
    }
    let mode = subject.network_mode();
    if let Some(mode @ (NetworkMode::AwsVpc | NetworkMode::Host | NetworkMode::None)) = mode {
        let hint = if mode == NetworkMode::AwsVpc {
            "leave it out: containers of the task reach each other on `localhost`"
        } else {
            "leave it out"
        };
        let message = format!("need network mode `bridge`, and the task's is `{mode}`");
        found.push(error(format!("{at}.links"), message).hint(hint));
        return;
    }
    for (path, link) in each(at, "links", container.links.as_deref()) {
        let name = link.split(':').next().unwrap_or(link);
        let is_known = subject.container(name).is_some() && name != container.name;
        if !is_known && !is_open(link) && !subject.has_open_names() {
            let others = subject.container_names().filter(|other| *other != container.name);
            found.push(
                error(path, format!("`{link}` does not name another container of the task"))
                    .hint(available("other containers", others)),
            );
        }
    }
}

fn hostname(
    subject: &Subject<'_>,
    at: &str,
    container: &ContainerDefinition,
    found: &mut Vec<Finding>,
) {
    if let Some(hostname) = &container.hostname
        && subject.is_awsvpc()
    {
        found.push(
            error(
                format!("{at}.hostname"),
                format!("`{hostname}` is not possible with network mode `awsvpc`"),
            )
            .hint("leave it out"),
        );
    }
}

fn extra_hosts(
    subject: &Subject<'_>,
    at: &str,
    container: &ContainerDefinition,
    found: &mut Vec<Finding>,
) {
    if has_any(container.extra_hosts.as_deref()) && subject.is_awsvpc() && !subject.is_fargate {
        found.push(
            error(format!("{at}.extraHosts"), "is not possible with network mode `awsvpc`")
                .hint("leave it out"),
        );
    }
}
