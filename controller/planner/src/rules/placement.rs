//! Where tasks are placed on container instances (aws.md §4.3, §4.5).

use crds::ecs::placement::{
    PlacementConstraint, PlacementConstraintType, PlacementStrategy, PlacementStrategyType,
};
use crds::ecs::task_definition::TaskDefinitionPlacementConstraintType;

use super::finding::{Finding, error, warning};
use super::subject::{SERVICE, Subject, TASK};
use super::words::{each, has_any, is_open};

const MAX_CONSTRAINTS: usize = 10;
const MAX_STRATEGIES: usize = 5;
/// How many the guide allows, one less than the API (aws.md §8).
const DISPUTED_STRATEGIES: usize = 4;

pub(super) fn check(subject: &Subject<'_>, found: &mut Vec<Finding>) {
    task_constraints(subject, found);
    on_fargate(subject, found);
    let constraints = subject.service.placement_constraints.as_deref();
    count(format!("{SERVICE}.placementConstraints"), constraints.map_or(0, <[_]>::len), found);
    for (at, constraint) in each(SERVICE, "placementConstraints", constraints) {
        self::constraint(&at, constraint, found);
    }
    strategies(subject, found);
}

fn count(path: String, count: usize, found: &mut Vec<Finding>) {
    if count > MAX_CONSTRAINTS {
        found.push(error(path, format!("has `{count}` constraints; ECS takes {MAX_CONSTRAINTS}")));
    }
}

fn task_constraints(subject: &Subject<'_>, found: &mut Vec<Finding>) {
    let constraints = subject.task.placement_constraints.as_deref();
    count(format!("{TASK}.placementConstraints"), constraints.map_or(0, <[_]>::len), found);
    if subject.is_fargate {
        return;
    }
    for (at, constraint) in each(TASK, "placementConstraints", constraints) {
        if let Some(TaskDefinitionPlacementConstraintType::Other(kind)) = &constraint.r#type
            && !is_open(kind)
        {
            found.push(
                error(
                    format!("{at}.type"),
                    format!("`{kind}` is not possible in a task definition"),
                )
                .hint(
                    "use `memberOf`, or put the constraint into spec.service.placementConstraints",
                ),
            );
        } else if constraint.expression.as_deref().unwrap_or_default().is_empty() {
            found.push(error(format!("{at}.expression"), "is missing, and `memberOf` needs it"));
        }
    }
}

fn on_fargate(subject: &Subject<'_>, found: &mut Vec<Finding>) {
    if !subject.launches_on_fargate {
        return;
    }
    for (member, is_given) in [
        ("placementConstraints", has_any(subject.service.placement_constraints.as_deref())),
        ("placementStrategy", has_any(subject.service.placement_strategy.as_deref())),
    ] {
        if is_given {
            let path = format!("{SERVICE}.{member}");
            found.push(error(path, "is not possible on Fargate").hint("leave it out"));
        }
    }
}

fn constraint(at: &str, constraint: &PlacementConstraint, found: &mut Vec<Finding>) {
    let expression = constraint.expression.as_deref().filter(|expression| !expression.is_empty());
    match (&constraint.r#type, expression) {
        (None, _) => found.push(
            error(format!("{at}.type"), "is missing").hint("use `memberOf` or `distinctInstance`"),
        ),
        (Some(PlacementConstraintType::DistinctInstance), Some(expression)) => found.push(
            error(
                format!("{at}.expression"),
                format!("`{expression}` is not possible for `distinctInstance`"),
            )
            .hint("leave it out, or use `memberOf`"),
        ),
        (Some(PlacementConstraintType::MemberOf), None) => {
            found.push(error(format!("{at}.expression"), "is missing, and `memberOf` needs it"));
        }
        (Some(PlacementConstraintType::DistinctInstance), None)
        | (Some(PlacementConstraintType::MemberOf), Some(_))
        | (Some(PlacementConstraintType::Other(_)), _) => {}
    }
}

fn strategies(subject: &Subject<'_>, found: &mut Vec<Finding>) {
    let strategies = subject.service.placement_strategy.as_deref();
    let count = strategies.map_or(0, <[_]>::len);
    let path = format!("{SERVICE}.placementStrategy");
    if count > MAX_STRATEGIES {
        found.push(error(path, format!("has `{count}` strategies; ECS takes {MAX_STRATEGIES}")));
    } else if count > DISPUTED_STRATEGIES {
        found.push(warning(
            path,
            format!("has `{count}` strategies; AWS's pages disagree on whether ECS takes more than {DISPUTED_STRATEGIES}"),
        ));
    }
    for (at, strategy) in each(SERVICE, "placementStrategy", strategies) {
        self::strategy(&at, strategy, found);
    }
}

fn strategy(at: &str, strategy: &PlacementStrategy, found: &mut Vec<Finding>) {
    let path = format!("{at}.field");
    let field = strategy.field.as_deref().filter(|field| !field.is_empty());
    if field.is_some_and(is_open) {
        return;
    }
    match (&strategy.r#type, field) {
        (None, _) => found.push(
            error(format!("{at}.type"), "is missing").hint("use `spread`, `binpack` or `random`"),
        ),
        (Some(PlacementStrategyType::Random), Some(field)) => found.push(
            error(path, format!("`{field}` is not possible for `random`")).hint("leave it out"),
        ),
        (Some(PlacementStrategyType::Spread), field) => {
            let is_field = |field: &str| {
                field.eq_ignore_ascii_case("instanceId")
                    || field.eq_ignore_ascii_case("host")
                    || field.strip_prefix("attribute:").is_some_and(|name| !name.is_empty())
            };
            wanted_field(
                path,
                "spread",
                field,
                is_field,
                "`instanceId`, `host` or `attribute:<name>`",
                found,
            );
        }
        (Some(PlacementStrategyType::Binpack), field) => {
            let is_field = |field: &str| {
                field.eq_ignore_ascii_case("cpu") || field.eq_ignore_ascii_case("memory")
            };
            wanted_field(path, "binpack", field, is_field, "`cpu` or `memory`", found);
        }
        (Some(PlacementStrategyType::Random), None)
        | (Some(PlacementStrategyType::Other(_)), _) => {}
    }
}

fn wanted_field(
    path: String,
    kind: &str,
    field: Option<&str>,
    is_field: impl Fn(&str) -> bool,
    fields: &str,
    found: &mut Vec<Finding>,
) {
    let hint = format!("use {fields}");
    match field {
        None => found.push(error(path, format!("is missing, and `{kind}` needs it")).hint(hint)),
        Some(field) if is_field(field) => {}
        Some(field) => {
            found.push(error(path, format!("`{field}` is not a field for `{kind}`")).hint(hint));
        }
    }
}
