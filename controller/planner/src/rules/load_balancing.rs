//! Load balancers in front of a service (aws.md §4.5, §2.10, §2.11).

use std::collections::BTreeSet;

use crds::ecs::deployment::{DeploymentControllerType, DeploymentStrategy};
use crds::ecs::load_balancing::{AdvancedConfiguration, LoadBalancer};

use super::deployment::{controller, is_rolling, strategy};
use super::finding::{Finding, error, warning};
use super::port;
use super::subject::{SERVICE, Subject};
use super::words::{available, each, is_open};

const MAX_TARGET_GROUPS: usize = 5;
const MAX_CLASSIC: usize = 1;

pub(super) fn check(subject: &Subject<'_>, found: &mut Vec<Finding>) {
    count(subject, found);
    one_kind(subject, found);
    for (at, balancer) in load_balancers(subject) {
        target(&at, balancer, found);
        classic(subject, &at, balancer, found);
        container(subject, &at, balancer, found);
        if let Some(advanced) = &balancer.advanced_configuration {
            advanced_configuration(subject, &at, balancer, advanced, found);
        }
    }
    advanced_on_all(subject, found);
    duplicate_target_groups(subject, found);
    code_deploy(subject, found);
    role(subject, found);
}

fn load_balancers<'a>(subject: &Subject<'a>) -> impl Iterator<Item = (String, &'a LoadBalancer)> {
    each(SERVICE, "loadBalancers", subject.service.load_balancers.as_deref())
}

fn count(subject: &Subject<'_>, found: &mut Vec<Finding>) {
    let (mut groups, mut classic) = (0, 0);
    for (_, balancer) in load_balancers(subject) {
        groups += usize::from(balancer.target_group_arn.is_some());
        classic += usize::from(balancer.load_balancer_name.is_some());
    }
    let path = format!("{SERVICE}.loadBalancers");
    if groups > MAX_TARGET_GROUPS {
        found.push(error(
            path,
            format!("has `{groups}` target groups; a service takes {MAX_TARGET_GROUPS}"),
        ));
    } else if classic > MAX_CLASSIC {
        found.push(error(
            path,
            format!("has `{classic}` Classic Load Balancers; a service takes {MAX_CLASSIC}"),
        ));
    }
}

/// A service has target groups or Classic Load Balancers, not both.
fn one_kind(subject: &Subject<'_>, found: &mut Vec<Finding>) {
    let has_classic =
        load_balancers(subject).any(|(_, balancer)| balancer.load_balancer_name.is_some());
    let has_group = load_balancers(subject).any(|(_, balancer)| {
        balancer.target_group_arn.is_some() && balancer.load_balancer_name.is_none()
    });
    if has_classic && has_group {
        found.push(
            error(
                format!("{SERVICE}.loadBalancers"),
                "has both target groups and Classic Load Balancers; a service takes one kind",
            )
            .hint("use targetGroupArn in all of them"),
        );
    }
}

/// Exactly one of target group and Classic Load Balancer, and the former by its ARN.
fn target(at: &str, balancer: &LoadBalancer, found: &mut Vec<Finding>) {
    let path = format!("{at}.targetGroupArn");
    match (&balancer.target_group_arn, &balancer.load_balancer_name) {
        (None, None) => found.push(error(path, "is missing").hint("give the target group's ARN")),
        (Some(_), Some(name)) => found.push(
            error(path, format!("stands beside loadBalancerName `{name}`"))
                .hint("give one of the two"),
        ),
        (Some(arn), None) => target_group_arn(path, arn, found),
        (None, Some(_)) => {}
    }
}

fn target_group_arn(path: String, arn: &str, found: &mut Vec<Finding>) {
    let is_arn = arn.starts_with("arn:") && arn.contains(":targetgroup/");
    if !is_arn && !is_open(arn) {
        found.push(error(path, format!("`{arn}` is not the ARN of a target group")).hint(
            "it reads `arn:aws:elasticloadbalancing:<region>:<account>:targetgroup/<name>/<id>`",
        ));
    }
}

fn classic(subject: &Subject<'_>, at: &str, balancer: &LoadBalancer, found: &mut Vec<Finding>) {
    if let Some(name) = &balancer.load_balancer_name
        && subject.is_awsvpc()
    {
        found.push(
            error(
                format!("{at}.loadBalancerName"),
                format!("`{name}` is a Classic Load Balancer, which does not reach tasks of network mode `awsvpc`"),
            )
            .hint("use targetGroupArn with a target group of target type `ip`"),
        );
    }
}

/// The container and the port that get the traffic have to be in the task definition.
fn container(subject: &Subject<'_>, at: &str, balancer: &LoadBalancer, found: &mut Vec<Finding>) {
    let Some(name) = balancer.container_name.as_deref() else {
        found.push(
            error(format!("{at}.containerName"), "is missing")
                .hint(available("containers", subject.container_names())),
        );
        return;
    };
    let Some(wanted) = balancer.container_port else {
        found.push(
            error(format!("{at}.containerPort"), "is missing")
                .hint("give the port of the container that gets the traffic"),
        );
        return;
    };
    container_port(subject, at, name, wanted, found);
}

/// Reports a container that is not in the task definition, or a port that it does not map.
pub(super) fn container_port(
    subject: &Subject<'_>,
    at: &str,
    name: &str,
    wanted: i32,
    found: &mut Vec<Finding>,
) {
    if is_open(name) {
        return;
    }
    let Some(container) = subject.container(name) else {
        if !subject.has_open_names() {
            found.push(
                error(
                    format!("{at}.containerName"),
                    format!("`{name}` is not a container of the task"),
                )
                .hint(available("containers", subject.container_names())),
            );
        }
        return;
    };
    if !port::maps(container, wanted) {
        found.push(
            error(
                format!("{at}.containerPort"),
                format!("`{wanted}` is not a port that container `{name}` maps"),
            )
            .hint(available("mapped ports", port::mapped(container))),
        );
    }
}

/// What ECS needs where it shifts traffic itself.
fn advanced_configuration(
    subject: &Subject<'_>,
    at: &str,
    balancer: &LoadBalancer,
    advanced: &AdvancedConfiguration,
    found: &mut Vec<Finding>,
) {
    let at = format!("{at}.advancedConfiguration");
    if !is_rolling(subject) {
        for (member, value) in [
            ("alternateTargetGroupArn", &advanced.alternate_target_group_arn),
            ("productionListenerRule", &advanced.production_listener_rule),
            ("roleArn", &advanced.role_arn),
        ] {
            if value.is_none() {
                let strategy = strategy(subject);
                found.push(error(
                    format!("{at}.{member}"),
                    format!("is missing, and `{strategy}` needs it"),
                ));
            }
        }
    }
    if let Some(alternate) = &advanced.alternate_target_group_arn {
        let path = format!("{at}.alternateTargetGroupArn");
        if balancer.target_group_arn.as_ref() == Some(alternate) && !is_open(alternate) {
            found.push(
                error(
                    path,
                    format!("`{alternate}` is targetGroupArn too; ECS shifts traffic between two"),
                )
                .hint("give a second target group"),
            );
        } else {
            target_group_arn(path, alternate, found);
        }
    }
    listeners(subject, &at, advanced, found);
}

fn listeners(
    subject: &Subject<'_>,
    at: &str,
    advanced: &AdvancedConfiguration,
    found: &mut Vec<Finding>,
) {
    let rules = [
        ("productionListenerRule", &advanced.production_listener_rule),
        ("testListenerRule", &advanced.test_listener_rule),
    ];
    for (member, rule) in rules {
        let Some(rule) = rule.as_deref().filter(|rule| !is_open(rule)) else { continue };
        let is_network = rule.contains(":listener/net/");
        if !rule.starts_with("arn:") || !(is_network || rule.contains(":listener-rule/app/")) {
            found.push(
                error(format!("{at}.{member}"), format!("`{rule}` is not the ARN of a listener rule"))
                    .hint("give the listener rule of an Application Load Balancer or the listener of a Network Load Balancer"),
            );
        } else if is_network
            && matches!(strategy(subject), DeploymentStrategy::Linear | DeploymentStrategy::Canary)
        {
            let strategy = strategy(subject);
            found.push(warning(
                format!("{at}.{member}"),
                format!("`{rule}` is a Network Load Balancer's; AWS's pages disagree on whether `{strategy}` takes one"),
            ));
        }
    }
    if let (Some(production), Some(test)) =
        (&advanced.production_listener_rule, &advanced.test_listener_rule)
        && production == test
        && !is_open(test)
    {
        found.push(
            error(
                format!("{at}.testListenerRule"),
                format!("`{test}` is productionListenerRule too"),
            )
            .hint("give test traffic a rule of its own"),
        );
    }
}

/// All entries or none; with a strategy that shifts traffic, all.
fn advanced_on_all(subject: &Subject<'_>, found: &mut Vec<Finding>) {
    let some =
        load_balancers(subject).any(|(_, balancer)| balancer.advanced_configuration.is_some());
    let is_needed = !is_rolling(subject);
    if !some && !is_needed {
        return;
    }
    for (at, balancer) in load_balancers(subject) {
        if balancer.advanced_configuration.is_some() {
            continue;
        }
        let message = if is_needed {
            format!("is missing, and `{}` needs it on every load balancer", strategy(subject))
        } else {
            "is missing, and another load balancer has it; either all have it or none".to_owned()
        };
        found.push(
            error(format!("{at}.advancedConfiguration"), message)
                .hint("give alternateTargetGroupArn, productionListenerRule and roleArn"),
        );
    }
}

/// Where ECS shifts traffic it has to know each target group by one entry.
fn duplicate_target_groups(subject: &Subject<'_>, found: &mut Vec<Finding>) {
    if is_rolling(subject) {
        return;
    }
    let mut seen = BTreeSet::new();
    for (at, balancer) in load_balancers(subject) {
        let Some(arn) = balancer.target_group_arn.as_deref().filter(|arn| !is_open(arn)) else {
            continue;
        };
        if !seen.insert(arn) {
            found.push(error(
                format!("{at}.targetGroupArn"),
                format!(
                    "`{arn}` is already in another entry, and `{}` takes each once",
                    strategy(subject)
                ),
            ));
        }
    }
}

fn code_deploy(subject: &Subject<'_>, found: &mut Vec<Finding>) {
    if controller(subject) != DeploymentControllerType::CodeDeploy {
        return;
    }
    let count = load_balancers(subject).count();
    let has_classic =
        load_balancers(subject).any(|(_, balancer)| balancer.load_balancer_name.is_some());
    if count != 1 || has_classic {
        found.push(error(
            format!("{SERVICE}.loadBalancers"),
            "has to be one target group of an Application or Network Load Balancer for deployment controller `CODE_DEPLOY`",
        ));
    }
}

/// A role of one's own is for what the service-linked role does elsewhere.
fn role(subject: &Subject<'_>, found: &mut Vec<Finding>) {
    let Some(role) = &subject.service.role else { return };
    let path = format!("{SERVICE}.role");
    if subject.is_awsvpc() {
        found.push(
            error(path, format!("`{role}` is not possible with network mode `awsvpc`"))
                .hint("leave it out: ECS uses its service-linked role"),
        );
    } else if load_balancers(subject).count() != 1 {
        found.push(
            error(path, format!("`{role}` is for a service with exactly one load balancer"))
                .hint("leave it out: ECS uses its service-linked role"),
        );
    }
}
