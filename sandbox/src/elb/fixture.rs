//! Building load balancers and target groups from fixtures.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::{
    Balancer, Elb, FixtureForward, FixtureLoadBalancer, FixtureTargetGroup, Forward, Group,
    Listener, Rule,
};
use crate::{ApiError, derived};

impl Elb {
    /// Adds a target group that exists from the start.
    pub(crate) fn load_target_group(
        &mut self,
        fixture: &FixtureTargetGroup,
    ) -> Result<(), ApiError> {
        validate_name(&fixture.name)?;
        if !["HTTP", "HTTPS", "TCP", "TLS", "UDP"].contains(&fixture.protocol.as_str()) {
            return Err(invalid(format!("Protocol '{}' is not supported.", fixture.protocol)));
        }
        if !["ip", "instance"].contains(&fixture.target_type.as_str()) {
            return Err(invalid(format!(
                "Target type '{}' is not supported.",
                fixture.target_type
            )));
        }
        let group = Group { fixture: fixture.clone(), targets: BTreeMap::new() };
        self.groups.insert(self.group_arn(&fixture.name), group);
        Ok(())
    }

    /// Adds a load balancer that exists from the start; the target groups of its rules must exist already.
    pub(crate) fn load(
        &mut self,
        fixture: &FixtureLoadBalancer,
        now: Timestamp,
    ) -> Result<(), ApiError> {
        validate_name(&fixture.name)?;
        let short = match fixture.kind.as_str() {
            "application" => "app",
            "network" => "net",
            kind => return Err(invalid(format!("Load balancer type '{kind}' is not supported."))),
        };
        let path = format!("{short}/{}/{}", fixture.name, self.tail(&fixture.name));
        let balancer_arn = self.arn(&format!("loadbalancer/{path}"));
        let balancer =
            Balancer { name: fixture.name.clone(), kind: fixture.kind.clone(), created: now };
        self.balancers.insert(balancer_arn.clone(), balancer);
        for listener in &fixture.listeners {
            let path = format!("{path}/{}", self.tail(&format!("{path}/{}", listener.port)));
            let listener_arn = self.arn(&format!("listener/{path}"));
            self.listeners.insert(
                listener_arn.clone(),
                Listener {
                    balancer: balancer_arn.clone(),
                    port: listener.port,
                    protocol: listener.protocol.clone(),
                },
            );
            let forward = self.forward(&listener.forward)?;
            let arn = self.add_rule(&listener_arn, &path, None, forward);
            if let Some(added) = self.rules.get_mut(&arn) {
                added.requests = listener.requests_per_minute;
            }
            for rule in &listener.rules {
                let forward = self.forward(&rule.forward)?;
                let arn = self.add_rule(&listener_arn, &path, Some(rule.priority), forward);
                if let Some(added) = self.rules.get_mut(&arn) {
                    (added.paths, added.hosts) = (rule.paths.clone(), rule.hosts.clone());
                    added.requests = rule.requests_per_minute;
                }
            }
        }
        Ok(())
    }

    /// The ARN of a target group of this name.
    pub(crate) fn group_arn(&self, name: &str) -> String {
        self.arn(&format!("targetgroup/{name}/{}", self.tail(name)))
    }

    /// The ARN of a rule of a load balancer's listener, of the default one without a priority; none if there is no such rule.
    pub(crate) fn rule_arn(
        &self,
        balancer: &str,
        port: u16,
        priority: Option<u32>,
    ) -> Option<&str> {
        let (balancer, _) = self.balancers.iter().find(|(_, one)| one.name == balancer)?;
        let is_of = |one: &Listener| one.balancer == *balancer && one.port == port;
        let (listener, _) = self.listeners.iter().find(|(_, one)| is_of(one))?;
        let is_it = |rule: &Rule| rule.listener == *listener && rule.priority == priority;
        self.rules.iter().find(|(_, rule)| is_it(rule)).map(|(arn, _)| arn.as_str())
    }

    fn add_rule(
        &mut self,
        listener: &str,
        path: &str,
        priority: Option<u32>,
        forward: Vec<Forward>,
    ) -> String {
        let place = priority.map_or("default".to_owned(), |priority| priority.to_string());
        let arn =
            self.arn(&format!("listener-rule/{path}/{}", self.tail(&format!("{path}/{place}"))));
        let rule = Rule {
            listener: listener.to_owned(),
            priority,
            paths: Vec::new(),
            hosts: Vec::new(),
            forward,
            requests: 0,
        };
        self.rules.insert(arn.clone(), rule);
        arn
    }

    fn forward(&self, forward: &[FixtureForward]) -> Result<Vec<Forward>, ApiError> {
        if forward.is_empty() {
            return Err(invalid("a rule must forward to at least one target group"));
        }
        forward
            .iter()
            .map(|to| {
                let group = self.group_arn(&to.target_group);
                if !self.groups.contains_key(&group) {
                    return Err(ApiError::refused(
                        "TargetGroupNotFound",
                        format!("Target group '{}' not found", to.target_group),
                    ));
                }
                Ok(Forward { group, weight: to.weight })
            })
            .collect()
    }

    fn arn(&self, resource: &str) -> String {
        format!("arn:aws:elasticloadbalancing:{}:{}:{resource}", self.region, self.account)
    }

    fn tail(&self, seed: &str) -> String {
        derived::hexadecimal(&format!("{}/{}/{seed}", self.account, self.region), 16)
    }
}

fn validate_name(name: &str) -> Result<(), ApiError> {
    let allowed = |letter: char| letter.is_ascii_alphanumeric() || letter == '-';
    let is_valid = (1..=32).contains(&name.len())
        && name.chars().all(allowed)
        && !name.starts_with('-')
        && !name.ends_with('-');
    if is_valid { Ok(()) } else { Err(invalid(format!("The name '{name}' is not valid."))) }
}

fn invalid(message: impl Into<String>) -> ApiError {
    ApiError::refused("ValidationError", message)
}
