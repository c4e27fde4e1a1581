//! Capacity provider strategies (aws.md §4.5, §2.9).

use std::collections::BTreeSet;

use crds::ecs::capacity::CapacityProviderStrategyItem;

use super::finding::{Finding, error, warning};
use super::subject::{SERVICE, Subject, is_fargate_provider};
use super::words::{each, is_open};

const MAX_ITEMS: usize = 20;

pub(super) fn check(subject: &Subject<'_>, found: &mut Vec<Finding>) {
    let items = subject.service.capacity_provider_strategy.as_deref().unwrap_or_default();
    count(items, found);
    one_base(items, found);
    some_weight(items, found);
    one_kind(items, found);
    unique(items, found);
}

const PATH: &str = "spec.service.capacityProviderStrategy";

fn count(items: &[CapacityProviderStrategyItem], found: &mut Vec<Finding>) {
    if items.len() > MAX_ITEMS {
        found.push(error(
            PATH,
            format!("has `{}` capacity providers; a strategy takes {MAX_ITEMS}", items.len()),
        ));
    }
}

fn one_base(items: &[CapacityProviderStrategyItem], found: &mut Vec<Finding>) {
    let with_base = each(SERVICE, "capacityProviderStrategy", Some(items))
        .filter(|(_, item)| item.base.is_some_and(|base| base > 0));
    for (at, item) in with_base.skip(1) {
        let base = item.base.unwrap_or_default();
        found.push(
            error(
                format!("{at}.base"),
                format!("`{base}` is the second base; a strategy takes one"),
            )
            .hint("leave it out"),
        );
    }
}

/// Several providers without any weight leave nothing to start tasks on.
fn some_weight(items: &[CapacityProviderStrategyItem], found: &mut Vec<Finding>) {
    if items.len() > 1 && items.iter().all(|item| item.weight.unwrap_or(0) <= 0) {
        found.push(
            error(PATH, "gives every capacity provider weight 0, so that no task can be started")
                .hint("give one of them a weight of at least 1"),
        );
    }
}

fn one_kind(items: &[CapacityProviderStrategyItem], found: &mut Vec<Finding>) {
    let known = || items.iter().filter(|item| !is_open(&item.capacity_provider));
    let has_fargate = known().any(|item| is_fargate_provider(&item.capacity_provider));
    let other = known().find(|item| !is_fargate_provider(&item.capacity_provider));
    if let Some(other) = other
        && has_fargate
    {
        let name = &other.capacity_provider;
        found.push(
            warning(PATH, format!("mixes Fargate with `{name}`, which ECS is said to refuse"))
                .hint("use either Fargate's capacity providers or your own"),
        );
    }
}

fn unique(items: &[CapacityProviderStrategyItem], found: &mut Vec<Finding>) {
    let mut seen = BTreeSet::new();
    for (at, item) in each(SERVICE, "capacityProviderStrategy", Some(items)) {
        let name = item.capacity_provider.as_str();
        if !is_open(name) && !seen.insert(name) {
            found.push(warning(
                format!("{at}.capacityProvider"),
                format!("`{name}` is already in the strategy"),
            ));
        }
    }
}
