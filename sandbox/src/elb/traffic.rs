//! Where requests go: the weights of rules, and what a minute of requests comes to.

use std::collections::BTreeMap;

use super::{Elb, Forward, Rule, targets::TargetState};

/// What a target group of a load balancer gets in a minute.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct GroupTraffic {
    /// The load balancer's ARN.
    pub(crate) balancer: String,
    /// The target group's ARN.
    pub(crate) group: String,
    /// How many requests a minute it gets, of all rules together.
    pub(crate) requests: f64,
    /// The addresses of its healthy targets.
    pub(crate) healthy: Vec<String>,
    /// How many targets are registered and not healthy.
    pub(crate) unhealthy: usize,
}

impl Elb {
    /// The target groups and weights of a rule, or of the default rule of a listener; none if there is neither.
    pub(crate) fn weights(&self, rule_or_listener: &str) -> Option<Vec<(String, u32)>> {
        let rule = self
            .rules
            .get(rule_or_listener)
            .or_else(|| self.rules.values().find(|rule| is_default_of(rule, rule_or_listener)))?;
        Some(rule.forward.iter().map(|to| (to.group.clone(), to.weight)).collect())
    }

    /// Sets the target groups and weights of a rule, or of the default rule of a listener.
    pub(crate) fn set_weights(&mut self, rule_or_listener: &str, weights: &[(String, u32)]) {
        let forward: Vec<Forward> = weights
            .iter()
            .map(|(group, weight)| Forward { group: group.clone(), weight: *weight })
            .collect();
        for (arn, rule) in &mut self.rules {
            if arn == rule_or_listener || is_default_of(rule, rule_or_listener) {
                rule.forward.clone_from(&forward);
            }
        }
    }

    /// Whether any rule gets requests.
    pub(crate) fn has_traffic(&self) -> bool {
        self.rules.values().any(|rule| rule.requests > 0)
    }

    /// What each target group of the load balancers with requests gets in a minute, as their rules and targets are now.
    pub(crate) fn traffic(&self) -> Vec<GroupTraffic> {
        let mut requests: BTreeMap<(&str, &str), f64> = BTreeMap::new();
        for rule in self.rules.values() {
            let Some(listener) = self.listeners.get(&rule.listener) else { continue };
            let total: u32 = rule.forward.iter().map(|to| to.weight).sum();
            for to in &rule.forward {
                let share = if total == 0 { 0.0 } else { f64::from(to.weight) / f64::from(total) };
                *requests.entry((&listener.balancer, &to.group)).or_default() +=
                    f64::from(rule.requests) * share;
            }
        }
        let busy: Vec<&str> = requests
            .iter()
            .filter(|(_, requests)| **requests > 0.0)
            .map(|((balancer, _), _)| *balancer)
            .collect();
        requests
            .iter()
            .filter(|((balancer, _), _)| busy.contains(balancer))
            .filter_map(|((balancer, arn), requests)| {
                let targets = &self.groups.get(*arn)?.targets;
                let registered = targets.iter().filter(|(_, target)| target.removed.is_none());
                let (healthy, rest): (Vec<_>, Vec<_>) =
                    registered.partition(|(_, target)| target.state == TargetState::Healthy);
                Some(GroupTraffic {
                    balancer: (*balancer).to_owned(),
                    group: (*arn).to_owned(),
                    requests: *requests,
                    healthy: healthy.into_iter().map(|((address, _), _)| address.clone()).collect(),
                    unhealthy: rest.len(),
                })
            })
            .collect()
    }
}

fn is_default_of(rule: &Rule, listener: &str) -> bool {
    rule.priority.is_none() && rule.listener == listener
}
