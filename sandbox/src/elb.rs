//! Elastic Load Balancing, version 2 (aws.md §6.8).

mod fixture;
mod members;
mod show;
mod targets;
#[cfg(test)]
mod tests;
mod traffic;

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Deserialize;

use crate::ApiError;

pub(crate) use targets::TargetState;
use targets::{Target, TargetId};
pub(crate) use traffic::GroupTraffic;

/// The load balancers of one account in one region.
#[derive(Debug)]
pub(crate) struct Elb {
    account: String,
    region: String,
    /// By ARN, as all that follow.
    balancers: BTreeMap<String, Balancer>,
    listeners: BTreeMap<String, Listener>,
    rules: BTreeMap<String, Rule>,
    groups: BTreeMap<String, Group>,
}

#[derive(Debug)]
struct Balancer {
    name: String,
    kind: String,
    created: Timestamp,
}

#[derive(Debug)]
struct Listener {
    balancer: String,
    port: u16,
    protocol: String,
}

#[derive(Debug)]
struct Rule {
    listener: String,
    /// None for the default rule.
    priority: Option<u32>,
    paths: Vec<String>,
    hosts: Vec<String>,
    forward: Vec<Forward>,
    /// How many requests a minute it matches.
    requests: u32,
}

/// A target group's ARN and its share of a rule's requests.
#[derive(Debug, Clone, PartialEq)]
struct Forward {
    group: String,
    weight: u32,
}

#[derive(Debug)]
struct Group {
    fixture: FixtureTargetGroup,
    targets: BTreeMap<TargetId, Target>,
}

impl Elb {
    /// No load balancers yet.
    pub(crate) fn new(account: &str, region: &str) -> Self {
        Self {
            account: account.to_owned(),
            region: region.to_owned(),
            balancers: BTreeMap::new(),
            listeners: BTreeMap::new(),
            rules: BTreeMap::new(),
            groups: BTreeMap::new(),
        }
    }

    /// Answers one call with what stands inside `<OperationResult>`.
    pub(crate) fn call(
        &mut self,
        operation: &str,
        params: &BTreeMap<String, String>,
        now: Timestamp,
    ) -> Result<String, ApiError> {
        match operation {
            "DescribeLoadBalancers" => self.describe_load_balancers(params),
            "DescribeListeners" => self.describe_listeners(params),
            "DescribeRules" => self.describe_rules(params),
            "DescribeTargetGroups" => self.describe_target_groups(params),
            "DescribeTargetHealth" => self.describe_target_health(params, now),
            operation => Err(ApiError::refused(
                "InvalidAction",
                format!("Could not find operation {operation} for version 2015-12-01"),
            )),
        }
    }

    /// The load balancers whose rules forward to a target group.
    fn balancers_of(&self, group: &str) -> Vec<&str> {
        let rules =
            self.rules.values().filter(|rule| rule.forward.iter().any(|to| to.group == group));
        let mut arns: Vec<&str> = rules
            .filter_map(|rule| self.listeners.get(&rule.listener))
            .map(|listener| listener.balancer.as_str())
            .collect();
        arns.sort_unstable();
        arns.dedup();
        arns
    }
}

/// A load balancer that exists when the sandbox starts.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct FixtureLoadBalancer {
    /// The load balancer's name.
    pub name: String,
    /// `application` or `network`.
    #[serde(rename = "type", default = "FixtureLoadBalancer::default_kind")]
    pub kind: String,
    /// Where it listens.
    #[serde(default)]
    pub listeners: Vec<FixtureListener>,
}

/// A listener of a load balancer.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct FixtureListener {
    /// The port, 443.
    pub port: u16,
    /// `HTTP`, `HTTPS` or `TCP`.
    #[serde(default = "FixtureTargetGroup::default_protocol")]
    pub protocol: String,
    /// Where the default rule sends requests.
    pub forward: Vec<FixtureForward>,
    /// How many requests a minute the default rule gets.
    #[serde(default)]
    pub requests_per_minute: u32,
    /// Rules before the default one.
    #[serde(default)]
    pub rules: Vec<FixtureRule>,
}

/// A rule of a listener.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct FixtureRule {
    /// The order of evaluation, smallest first.
    pub priority: u32,
    /// Path patterns, any of which must match.
    #[serde(default)]
    pub paths: Vec<String>,
    /// Host patterns, any of which must match.
    #[serde(default)]
    pub hosts: Vec<String>,
    /// How many requests a minute the rule gets.
    #[serde(default)]
    pub requests_per_minute: u32,
    /// Where requests go.
    pub forward: Vec<FixtureForward>,
}

/// A target group that a rule forwards to, and its share.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct FixtureForward {
    /// The target group's name.
    pub target_group: String,
    /// Its share, 0 to 999.
    #[serde(default = "FixtureForward::default_weight")]
    pub weight: u32,
}

/// A target group that exists when the sandbox starts.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct FixtureTargetGroup {
    /// The target group's name.
    pub name: String,
    /// The port of the targets.
    #[serde(default = "FixtureTargetGroup::default_port")]
    pub port: u16,
    /// `HTTP`, `HTTPS` or `TCP`.
    #[serde(default = "FixtureTargetGroup::default_protocol")]
    pub protocol: String,
    /// `ip` or `instance`.
    #[serde(default = "FixtureTargetGroup::default_target_type")]
    pub target_type: String,
    /// Path that the health checks ask for.
    #[serde(default = "FixtureTargetGroup::default_path")]
    pub health_check_path: String,
    /// Seconds between two health checks of a target.
    #[serde(default = "FixtureTargetGroup::default_interval")]
    pub health_check_interval_seconds: i64,
    /// Passed checks that make an unhealthy target healthy.
    #[serde(default = "FixtureTargetGroup::default_healthy_threshold")]
    pub healthy_threshold: i64,
    /// Failed checks that make a healthy target unhealthy.
    #[serde(default = "FixtureTargetGroup::default_unhealthy_threshold")]
    pub unhealthy_threshold: i64,
    /// Seconds for which a removed target drains.
    #[serde(default = "FixtureTargetGroup::default_deregistration_delay")]
    pub deregistration_delay_seconds: i64,
}

impl FixtureLoadBalancer {
    fn default_kind() -> String {
        "application".to_owned()
    }
}

impl FixtureForward {
    fn default_weight() -> u32 {
        1
    }
}

impl FixtureTargetGroup {
    fn default_port() -> u16 {
        80
    }

    fn default_protocol() -> String {
        "HTTP".to_owned()
    }

    fn default_target_type() -> String {
        "ip".to_owned()
    }

    fn default_path() -> String {
        "/".to_owned()
    }

    fn default_interval() -> i64 {
        30
    }

    fn default_healthy_threshold() -> i64 {
        5
    }

    fn default_unhealthy_threshold() -> i64 {
        2
    }

    fn default_deregistration_delay() -> i64 {
        300
    }
}
