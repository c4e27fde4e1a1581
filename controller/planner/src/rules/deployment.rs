//! How deployments are carried out (aws.md §4.5, §2.10, §3.3).

use crds::ecs::deployment::{
    DeploymentConfiguration, DeploymentControllerType, DeploymentStrategy, ThresholdType,
};

use super::finding::{Finding, error, warning};
use super::service::is_daemon;
use super::subject::{SERVICE, Subject};

const CONFIGURATION: &str = "spec.service.deploymentConfiguration";

pub(super) fn check(subject: &Subject<'_>, found: &mut Vec<Finding>) {
    controller_and_strategy(subject, found);
    no_breaker(subject, found);
    standstill(subject, found);
    let Some(configuration) = &subject.service.deployment_configuration else { return };
    percents(configuration, found);
    bake_time(subject, configuration, found);
    steps(subject, configuration, found);
    tenths(configuration, found);
    early_success(subject, configuration, found);
    alarms(configuration, found);
    threshold(configuration, found);
}

/// Who carries out the service's deployments.
pub(super) fn controller(subject: &Subject<'_>) -> DeploymentControllerType {
    let controller = subject.service.deployment_controller.as_ref();
    controller.map_or(DeploymentControllerType::Ecs, |controller| controller.r#type.clone())
}

/// How tasks and traffic move to the new revision.
pub(super) fn strategy(subject: &Subject<'_>) -> DeploymentStrategy {
    let configuration = subject.service.deployment_configuration.as_ref();
    let strategy = configuration.and_then(|configuration| configuration.strategy.clone());
    strategy.unwrap_or(DeploymentStrategy::Rolling)
}

/// Whether tasks are replaced a few at a time. What we do not know is taken for it, because less can be said of it.
pub(super) fn is_rolling(subject: &Subject<'_>) -> bool {
    match strategy(subject) {
        DeploymentStrategy::Rolling | DeploymentStrategy::Other(_) => true,
        DeploymentStrategy::BlueGreen | DeploymentStrategy::Linear | DeploymentStrategy::Canary => {
            false
        }
    }
}

fn controller_and_strategy(subject: &Subject<'_>, found: &mut Vec<Finding>) {
    let controller = controller(subject);
    if !matches!(
        controller,
        DeploymentControllerType::CodeDeploy | DeploymentControllerType::External
    ) {
        return;
    }
    found.push(
        warning(
            format!("{SERVICE}.deploymentController.type"),
            format!("`{controller}` makes ECS refuse a new task definition for the service"),
        )
        .hint("use `ECS` with strategy `BLUE_GREEN`, `LINEAR` or `CANARY`"),
    );
    if !is_rolling(subject) {
        let strategy = strategy(subject);
        found.push(
            error(
                format!("{CONFIGURATION}.strategy"),
                format!("`{strategy}` needs deployment controller `ECS`, and it is `{controller}`"),
            )
            .hint("leave deploymentController out"),
        );
    }
}

/// Without a circuit breaker a rolling deployment whose tasks fail goes on for ever.
fn no_breaker(subject: &Subject<'_>, found: &mut Vec<Finding>) {
    let configuration = subject.service.deployment_configuration.as_ref();
    let is_ours = controller(subject) == DeploymentControllerType::Ecs
        && strategy(subject) == DeploymentStrategy::Rolling;
    let breaker =
        configuration.and_then(|configuration| configuration.deployment_circuit_breaker.as_ref());
    if is_ours && breaker.is_none_or(|breaker| !breaker.enable) {
        let path = format!("{CONFIGURATION}.deploymentCircuitBreaker");
        found.push(
            warning(path, "is off, so that a rollout whose tasks fail goes on for ever")
                .hint("set `{enable: true, rollback: true}`"),
        );
    }
}

fn percents(configuration: &DeploymentConfiguration, found: &mut Vec<Finding>) {
    if let Some(maximum) = configuration.maximum_percent
        && !(100..=200).contains(&maximum)
    {
        let path = format!("{CONFIGURATION}.maximumPercent");
        let message = format!("`{maximum}` is not within 100 to 200");
        // Whether ECS takes more is disputed (aws.md §4.5).
        found.push(if maximum > 200 { warning(path, message) } else { error(path, message) });
    }
    let (Some(minimum), Some(maximum)) =
        (configuration.minimum_healthy_percent, configuration.maximum_percent)
    else {
        return;
    };
    // Either alone may be outside its limits, which is reported as such.
    if minimum > maximum && (0..=100).contains(&minimum) && maximum >= 100 {
        found.push(error(
            format!("{CONFIGURATION}.minimumHealthyPercent"),
            format!("`{minimum}` is more than maximumPercent {maximum}"),
        ));
    }
}

/// Percents with which ECS can neither start a new task nor stop an old one (aws.md §3.3).
fn standstill(subject: &Subject<'_>, found: &mut Vec<Finding>) {
    if strategy(subject) != DeploymentStrategy::Rolling
        || controller(subject) != DeploymentControllerType::Ecs
    {
        return;
    }
    let configuration = subject.service.deployment_configuration.as_ref();
    let minimum = configuration.and_then(|configuration| configuration.minimum_healthy_percent);
    let maximum = configuration.and_then(|configuration| configuration.maximum_percent);
    if is_daemon(subject) {
        if minimum.is_some_and(|minimum| minimum >= 100) {
            found.push(
                error(
                    format!("{CONFIGURATION}.minimumHealthyPercent"),
                    "`100` lets ECS stop no task of a `DAEMON`, and it starts none before",
                )
                .hint("use 0, or less than 100 where there are many instances"),
            );
        }
        return;
    }
    let (minimum, maximum) = (i64::from(minimum.unwrap_or(100)), i64::from(maximum.unwrap_or(200)));
    // How many tasks there will be may be another's to decide; then one stands for any number.
    let count = i64::from(subject.service.desired_count.unwrap_or(0));
    let all = count < 1;
    let desired = count.max(1);
    let stays = if all { minimum < 100 } else { (desired * minimum + 99) / 100 < desired };
    let grows = if all { maximum > 100 } else { desired * maximum / 100 > desired };
    if stays || grows || maximum < 100 {
        return;
    }
    let of = if all {
        "any number of tasks".to_owned()
    } else {
        format!("{desired} task{}", if desired == 1 { "" } else { "s" })
    };
    let least = (100 * (desired + 1) + desired - 1) / desired;
    found.push(
        error(
            format!("{CONFIGURATION}.maximumPercent"),
            format!("`{maximum}` with minimumHealthyPercent {minimum} lets ECS neither start nor stop a task where it should run {of}"),
        )
        .hint(if all { "use 200".to_owned() } else { format!("use at least {least}") }),
    );
}

fn bake_time(
    subject: &Subject<'_>,
    configuration: &DeploymentConfiguration,
    found: &mut Vec<Finding>,
) {
    let is_blue_green = strategy(subject) == DeploymentStrategy::BlueGreen;
    if is_blue_green && configuration.bake_time_in_minutes.is_none() {
        found.push(
            error(
                format!("{CONFIGURATION}.bakeTimeInMinutes"),
                "is missing, and `BLUE_GREEN` needs it",
            )
            .hint("say for how many minutes the old tasks stay, 0 for none"),
        );
    }
}

/// Steps that the strategy does not take.
fn steps(subject: &Subject<'_>, configuration: &DeploymentConfiguration, found: &mut Vec<Finding>) {
    let strategy = strategy(subject);
    let blocks = [
        (
            "linearConfiguration",
            configuration.linear_configuration.is_some(),
            DeploymentStrategy::Linear,
        ),
        (
            "canaryConfiguration",
            configuration.canary_configuration.is_some(),
            DeploymentStrategy::Canary,
        ),
    ];
    for (member, is_given, of) in blocks {
        if is_given && strategy != of {
            found.push(
                warning(
                    format!("{CONFIGURATION}.{member}"),
                    format!("is for strategy `{of}`, and the strategy is `{strategy}`"),
                )
                .hint(format!("set strategy to `{of}` or leave it out")),
            );
        }
    }
}

/// Percentages of traffic go by tenths.
fn tenths(configuration: &DeploymentConfiguration, found: &mut Vec<Finding>) {
    let linear = configuration.linear_configuration.as_ref();
    let canary = configuration.canary_configuration.as_ref();
    let percents = [
        ("linearConfiguration.stepPercent", linear.and_then(|linear| linear.step_percent)),
        ("canaryConfiguration.canaryPercent", canary.and_then(|canary| canary.canary_percent)),
    ];
    for (member, percent) in percents {
        let Some(percent) = percent.filter(|percent| (0.1..=100.0).contains(percent)) else {
            continue;
        };
        let rounded = (percent * 10.0).round() / 10.0;
        if (percent - rounded).abs() > 1e-9 {
            found.push(
                error(
                    format!("{CONFIGURATION}.{member}"),
                    format!("`{percent}` is finer than tenths of a percent"),
                )
                .hint(format!("the nearest is {rounded}")),
            );
        }
    }
}

fn early_success(
    subject: &Subject<'_>,
    configuration: &DeploymentConfiguration,
    found: &mut Vec<Finding>,
) {
    let Some(criteria) =
        configuration.early_success_criteria.as_ref().filter(|criteria| criteria.enable)
    else {
        return;
    };
    let at = format!("{CONFIGURATION}.earlySuccessCriteria");
    if !is_rolling(subject) {
        let strategy = strategy(subject);
        found.push(
            error(
                at.clone(),
                format!("is for strategy `ROLLING`, and the strategy is `{strategy}`"),
            )
            .hint("leave it out"),
        );
    }
    let minimum =
        configuration.minimum_healthy_percent.unwrap_or(if is_daemon(subject) { 0 } else { 100 });
    if let Some(percent) = criteria.healthy_percent.filter(|percent| *percent < minimum) {
        found.push(
            error(
                format!("{at}.healthyPercent"),
                format!("`{percent}` is less than minimumHealthyPercent {minimum}"),
            )
            .hint(format!("use at least {minimum}")),
        );
    }
}

fn alarms(configuration: &DeploymentConfiguration, found: &mut Vec<Finding>) {
    let Some(alarms) = &configuration.alarms else { return };
    if alarms.enable && alarms.alarm_names.is_empty() {
        found.push(
            error(format!("{CONFIGURATION}.alarms.alarmNames"), "is empty, and alarms are enabled")
                .hint("name an alarm or set enable to false"),
        );
    }
}

/// Counts are at least one, percentages at most a hundred.
fn threshold(configuration: &DeploymentConfiguration, found: &mut Vec<Finding>) {
    let breaker = configuration.deployment_circuit_breaker.as_ref();
    let Some(threshold) = breaker.and_then(|breaker| breaker.threshold_configuration.as_ref())
    else {
        return;
    };
    let most = match threshold.r#type {
        ThresholdType::BoundedPercent | ThresholdType::UnboundedPercent => Some(100),
        ThresholdType::Count | ThresholdType::Other(_) => None,
    };
    let value = threshold.value;
    if value >= 1 && most.is_none_or(|most| value <= most) {
        return;
    }
    let kind = &threshold.r#type;
    let rule = most.map_or("at least 1".to_owned(), |most| format!("1 to {most}"));
    found.push(
        error(
            format!("{CONFIGURATION}.deploymentCircuitBreaker.thresholdConfiguration.value"),
            format!("`{value}` is not a threshold of type `{kind}`, which takes {rule}"),
        )
        .hint(format!("the nearest is {}", value.clamp(1, most.unwrap_or(i32::MAX)))),
    );
}
