//! Elastic Load Balancing, version 2.

use serde::Deserialize;

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
