//! The service's own members (aws.md §4.5).

use crds::ecs::deployment::DeploymentControllerType;
use crds::ecs::load_balancing::LoadBalancer;
use crds::ecs::placement::PlacementStrategyType;
use crds::ecs::service::{LaunchType, SchedulingStrategy};
use crds::ecs::volume::Switch;

use super::deployment::controller;
use super::finding::{Finding, error, warning};
use super::subject::{SERVICE, Subject};
use super::words::{each, has_any, is_open, quoted};

/// The attribute of an instance that is its Availability Zone.
const ZONE: &str = "attribute:ecs.availability-zone";

/// The resolutions that a metric can have, in seconds.
const RESOLUTIONS: [i32; 2] = [20, 60];

const LINUX_PLATFORMS: &[&str] = &["LATEST", "1.4.0", "1.3.0"];
const WINDOWS_PLATFORMS: &[&str] = &["LATEST", "1.0.0"];

pub(super) fn check(subject: &Subject<'_>, found: &mut Vec<Finding>) {
    desired_count(subject, found);
    launch_type(subject, found);
    platform_version(subject, found);
    daemon(subject, found);
    zone_rebalancing(subject, found);
    monitoring(subject, found);
}

/// Whether there is one task on each instance.
pub(super) fn is_daemon(subject: &Subject<'_>) -> bool {
    subject.service.scheduling_strategy == Some(SchedulingStrategy::Daemon)
}

/// ECS creates no `REPLICA` service without a count; an existing one may have it from elsewhere.
fn desired_count(subject: &Subject<'_>, found: &mut Vec<Finding>) {
    let is_replica = match &subject.service.scheduling_strategy {
        None | Some(SchedulingStrategy::Replica) => true,
        Some(SchedulingStrategy::Daemon | SchedulingStrategy::Other(_)) => false,
    };
    let is_scaled = subject.object.spec.scaling.is_some();
    if is_replica && !is_scaled && subject.service.desired_count.is_none() {
        found.push(
            warning(
                format!("{SERVICE}.desiredCount"),
                "is missing, and ECS does not create the service without it",
            )
            .hint("say how many tasks there should be; 0 is possible"),
        );
    }
}

fn launch_type(subject: &Subject<'_>, found: &mut Vec<Finding>) {
    let Some(launch_type) = &subject.service.launch_type else { return };
    let text = launch_type.as_str();
    let path = format!("{SERVICE}.launchType");
    let is_provider_only = *launch_type == LaunchType::ManagedInstances || text == "FARGATE_SPOT";
    if is_provider_only {
        found.push(
            error(path, format!("`{text}` is possible only through capacityProviderStrategy"))
                .hint("leave launchType out and name the capacity provider there"),
        );
    } else if matches!(launch_type, LaunchType::Other(_)) && !is_open(text) {
        found.push(
            warning(path, format!("`{text}` is not a value that Longshore knows here"))
                .hint(format!("known are {}", quoted(LaunchType::KNOWN))),
        );
    }
    if has_any(subject.service.capacity_provider_strategy.as_deref()) {
        found.push(
            error(
                format!("{SERVICE}.capacityProviderStrategy"),
                format!("stands beside launchType `{text}`"),
            )
            .hint("give one of the two"),
        );
    }
}

fn platform_version(subject: &Subject<'_>, found: &mut Vec<Finding>) {
    let Some(version) =
        subject.service.platform_version.as_deref().filter(|version| !is_open(version))
    else {
        return;
    };
    let path = format!("{SERVICE}.platformVersion");
    if !subject.is_fargate {
        if version != "LATEST" {
            found.push(
                warning(
                    path,
                    format!("`{version}` is a version of Fargate, and the tasks do not run there"),
                )
                .hint("leave it out"),
            );
        }
        return;
    }
    let (own, other, system) = if subject.is_windows {
        (WINDOWS_PLATFORMS, LINUX_PLATFORMS, "Windows")
    } else {
        (LINUX_PLATFORMS, WINDOWS_PLATFORMS, "Linux")
    };
    if own.contains(&version) {
        return;
    }
    let hint = format!("versions for {system} are {}", quoted(own));
    let finding = if other.contains(&version) {
        error(path, format!("`{version}` is not a version of Fargate for {system}"))
    } else {
        warning(path, format!("`{version}` is not a version of Fargate that Longshore knows"))
    };
    found.push(finding.hint(hint));
}

/// What a service with one task on each instance cannot have.
fn daemon(subject: &Subject<'_>, found: &mut Vec<Finding>) {
    if !is_daemon(subject) {
        return;
    }
    let path = format!("{SERVICE}.schedulingStrategy");
    if subject.launches_on_fargate {
        found
            .push(error(path.clone(), "`DAEMON` is not possible on Fargate").hint("use `REPLICA`"));
    }
    let controller = controller(subject);
    if matches!(
        controller,
        DeploymentControllerType::CodeDeploy | DeploymentControllerType::External
    ) {
        found.push(error(
            path,
            format!("`DAEMON` is not possible with deployment controller `{controller}`"),
        ));
    }
    if let Some(count) = subject.service.desired_count {
        found.push(
            error(
                format!("{SERVICE}.desiredCount"),
                format!(
                    "`{count}` cannot be chosen for `DAEMON`, which runs one task on each instance"
                ),
            )
            .hint("leave it out"),
        );
    }
    if has_any(subject.service.placement_strategy.as_deref()) {
        found.push(
            error(format!("{SERVICE}.placementStrategy"), "is not possible for `DAEMON`")
                .hint("leave it out"),
        );
    }
    let configuration = subject.service.deployment_configuration.as_ref();
    if let Some(maximum) = configuration.and_then(|configuration| configuration.maximum_percent)
        && maximum > 100
    {
        found.push(
            error(
                format!("{SERVICE}.deploymentConfiguration.maximumPercent"),
                format!("`{maximum}` is not possible for `DAEMON`, which takes 100"),
            )
            .hint("use 100 or leave it out"),
        );
    }
}

/// When ECS can keep tasks even over Availability Zones.
fn zone_rebalancing(subject: &Subject<'_>, found: &mut Vec<Finding>) {
    if subject.service.availability_zone_rebalancing != Some(Switch::Enabled) {
        return;
    }
    let mut refuse = |reason: String| {
        found.push(
            error(
                format!("{SERVICE}.availabilityZoneRebalancing"),
                format!("`ENABLED` is not possible {reason}"),
            )
            .hint("use `DISABLED`"),
        );
    };
    let configuration = subject.service.deployment_configuration.as_ref();
    let maximum = configuration.and_then(|configuration| configuration.maximum_percent);
    if is_daemon(subject) {
        refuse("for `DAEMON`".to_owned());
    } else if let Some(maximum) = maximum.filter(|maximum| *maximum <= 100) {
        refuse(format!("with maximumPercent {maximum}; it takes more than 100"));
    }
    let balancers = subject.service.load_balancers.as_deref().unwrap_or_default();
    if balancers.iter().any(|balancer: &LoadBalancer| balancer.load_balancer_name.is_some()) {
        refuse("with a Classic Load Balancer".to_owned());
    }
    let constraints = subject.service.placement_constraints.as_deref().unwrap_or_default();
    let names_zone = |expression: &Option<String>| {
        expression.as_deref().is_some_and(|expression| expression.contains(ZONE))
    };
    if constraints.iter().any(|constraint| names_zone(&constraint.expression)) {
        refuse(format!("with a placement constraint on `{ZONE}`"));
    }
    let first = subject.service.placement_strategy.as_deref().and_then(<[_]>::first);
    let spreads_zones =
        |field: Option<&str>| field.is_some_and(|field| field == ZONE || is_open(field));
    if let Some(first) = first
        && !(first.r#type == Some(PlacementStrategyType::Spread)
            && spreads_zones(first.field.as_deref()))
    {
        refuse(format!("unless the first placement strategy is to spread by `{ZONE}`"));
    }
}

fn monitoring(subject: &Subject<'_>, found: &mut Vec<Finding>) {
    let Some(monitoring) = &subject.service.monitoring else { return };
    let configurations = monitoring.metric_configurations.as_deref();
    for (at, configuration) in
        each("spec.service.monitoring", "metricConfigurations", configurations)
    {
        let seconds = configuration.resolution_seconds;
        // What is outside 20 to 60 is reported by the limits.
        if (20..=60).contains(&seconds) && !RESOLUTIONS.contains(&seconds) {
            found.push(
                error(
                    format!("{at}.resolutionSeconds"),
                    format!("`{seconds}` is not a resolution that metrics have"),
                )
                .hint("use 20 or 60"),
            );
        }
    }
}
