//! The describing operations.

use std::collections::BTreeMap;

use super::{
    Balancer, Elb, Forward, Group, Listener, Rule,
    members::{page, texts},
};
use crate::{ApiError, xml::Xml};

const VPC: &str = "vpc-0sandbox000000000";

impl Elb {
    pub(super) fn describe_load_balancers(
        &self,
        params: &BTreeMap<String, String>,
    ) -> Result<String, ApiError> {
        let arns = texts(params, "LoadBalancerArns");
        let names = texts(params, "Names");
        let rows: Vec<(&String, &Balancer)> = self
            .balancers
            .iter()
            .filter(|(arn, _)| arns.is_empty() || arns.contains(&arn.as_str()))
            .filter(|(_, balancer)| names.is_empty() || names.contains(&balancer.name.as_str()))
            .collect();
        if rows.len() < arns.len().max(names.len()) {
            return Err(balancer_not_found());
        }
        let page = page(rows, params, |(arn, _)| (*arn).clone())?;
        Ok(members("LoadBalancers", page.rows, page.next, |xml, (arn, balancer)| {
            xml.element("LoadBalancerArn", arn)
                .element("DNSName", format!("{}.{}.elb.amazonaws.com", balancer.name, self.region))
                .element("CreatedTime", balancer.created.strftime("%Y-%m-%dT%H:%M:%SZ"))
                .element("LoadBalancerName", &balancer.name)
                .element("Scheme", "internet-facing")
                .element("VpcId", VPC)
                .element("Type", &balancer.kind);
            xml.within("State", |xml| {
                xml.element("Code", "active");
            });
        }))
    }

    pub(super) fn describe_listeners(
        &self,
        params: &BTreeMap<String, String>,
    ) -> Result<String, ApiError> {
        let arns = texts(params, "ListenerArns");
        let balancer = params.get("LoadBalancerArn");
        if balancer.is_some_and(|arn| !self.balancers.contains_key(arn)) {
            return Err(balancer_not_found());
        }
        let rows: Vec<(&String, &Listener)> = self
            .listeners
            .iter()
            .filter(|(arn, _)| arns.is_empty() || arns.contains(&arn.as_str()))
            .filter(|(_, listener)| balancer.is_none_or(|arn| listener.balancer == *arn))
            .collect();
        if rows.len() < arns.len() {
            return Err(listener_not_found());
        }
        let page = page(rows, params, |(arn, _)| (*arn).clone())?;
        Ok(members("Listeners", page.rows, page.next, |xml, (arn, listener)| {
            xml.element("ListenerArn", arn)
                .element("LoadBalancerArn", &listener.balancer)
                .element("Port", listener.port)
                .element("Protocol", &listener.protocol);
            let is_default = |rule: &&Rule| rule.listener == *arn && rule.priority.is_none();
            if let Some(rule) = self.rules.values().find(is_default) {
                actions(xml, "DefaultActions", &rule.forward);
            }
        }))
    }

    /// In the order of their priorities, the default rule last.
    pub(super) fn describe_rules(
        &self,
        params: &BTreeMap<String, String>,
    ) -> Result<String, ApiError> {
        let arns = texts(params, "RuleArns");
        let listener = params.get("ListenerArn");
        if listener.is_some_and(|arn| !self.listeners.contains_key(arn)) {
            return Err(listener_not_found());
        }
        let mut rows: Vec<(&String, &Rule)> = self
            .rules
            .iter()
            .filter(|(arn, _)| arns.is_empty() || arns.contains(&arn.as_str()))
            .filter(|(_, rule)| listener.is_none_or(|arn| rule.listener == *arn))
            .collect();
        if rows.len() < arns.len() {
            return Err(ApiError::refused("RuleNotFound", "One or more rules not found"));
        }
        let order = |(arn, rule): &(&String, &Rule)| {
            format!("{} {:010} {arn}", rule.listener, rule.priority.unwrap_or(u32::MAX))
        };
        rows.sort_by_key(order);
        let page = page(rows, params, order)?;
        Ok(members("Rules", page.rows, page.next, |xml, (arn, rule)| show_rule(xml, arn, rule)))
    }

    pub(super) fn describe_target_groups(
        &self,
        params: &BTreeMap<String, String>,
    ) -> Result<String, ApiError> {
        let arns = texts(params, "TargetGroupArns");
        let names = texts(params, "Names");
        let balancer = params.get("LoadBalancerArn").map(String::as_str);
        if balancer.is_some_and(|arn| !self.balancers.contains_key(arn)) {
            return Err(balancer_not_found());
        }
        let rows: Vec<(&String, &Group)> = self
            .groups
            .iter()
            .filter(|(arn, _)| arns.is_empty() || arns.contains(&arn.as_str()))
            .filter(|(_, group)| names.is_empty() || names.contains(&group.fixture.name.as_str()))
            .filter(|(arn, _)| {
                balancer.is_none_or(|balancer| self.balancers_of(arn).contains(&balancer))
            })
            .collect();
        if rows.len() < arns.len().max(names.len()) {
            return Err(group_not_found(if arns.is_empty() { &names } else { &arns }));
        }
        let page = page(rows, params, |(arn, _)| (*arn).clone())?;
        Ok(members("TargetGroups", page.rows, page.next, |xml, (arn, group)| {
            show_group(xml, arn, group, &self.balancers_of(arn));
        }))
    }
}

fn show_rule(xml: &mut Xml, arn: &str, rule: &Rule) {
    xml.element("RuleArn", arn)
        .element(
            "Priority",
            rule.priority.map_or("default".to_owned(), |priority| priority.to_string()),
        )
        .element("IsDefault", rule.priority.is_none());
    xml.within("Conditions", |xml| {
        condition(xml, "path-pattern", "PathPatternConfig", &rule.paths);
        condition(xml, "host-header", "HostHeaderConfig", &rule.hosts);
    });
    actions(xml, "Actions", &rule.forward);
}

fn show_group(xml: &mut Xml, arn: &str, group: &Group, balancers: &[&str]) {
    let fixture = &group.fixture;
    xml.element("TargetGroupArn", arn)
        .element("TargetGroupName", &fixture.name)
        .element("Protocol", &fixture.protocol)
        .element("Port", fixture.port)
        .element("VpcId", VPC)
        .element("HealthCheckProtocol", &fixture.protocol)
        .element("HealthCheckPort", "traffic-port")
        .element("HealthCheckEnabled", true)
        .element("HealthCheckIntervalSeconds", fixture.health_check_interval_seconds)
        .element("HealthCheckTimeoutSeconds", 5)
        .element("HealthyThresholdCount", fixture.healthy_threshold)
        .element("UnhealthyThresholdCount", fixture.unhealthy_threshold)
        .element("TargetType", &fixture.target_type)
        .element("IpAddressType", "ipv4");
    if fixture.protocol.starts_with("HTTP") {
        xml.element("HealthCheckPath", &fixture.health_check_path)
            .element("ProtocolVersion", "HTTP1");
        xml.within("Matcher", |xml| {
            xml.element("HttpCode", "200");
        });
    }
    xml.within("LoadBalancerArns", |xml| {
        for balancer in balancers {
            xml.element("member", balancer);
        }
    });
}

fn condition(xml: &mut Xml, field: &str, config: &str, values: &[String]) {
    if values.is_empty() {
        return;
    }
    let list = |xml: &mut Xml| {
        xml.within("Values", |xml| {
            for value in values {
                xml.element("member", value);
            }
        });
    };
    xml.within("member", |xml| {
        xml.element("Field", field);
        list(xml);
        xml.within(config, list);
    });
}

/// One target group is named twice: in the action and in its configuration.
fn actions(xml: &mut Xml, name: &str, forward: &[Forward]) {
    xml.within(name, |xml| {
        xml.within("member", |xml| {
            xml.element("Type", "forward").element("Order", 1);
            if let [only] = forward {
                xml.element("TargetGroupArn", &only.group);
            }
            xml.within("ForwardConfig", |xml| {
                xml.within("TargetGroups", |xml| {
                    for to in forward {
                        xml.within("member", |xml| {
                            xml.element("TargetGroupArn", &to.group).element("Weight", to.weight);
                        });
                    }
                });
                xml.within("TargetGroupStickinessConfig", |xml| {
                    xml.element("Enabled", false);
                });
            });
        });
    });
}

fn members<T>(
    name: &str,
    rows: Vec<T>,
    next: Option<String>,
    show: impl Fn(&mut Xml, T),
) -> String {
    let mut xml = Xml::new();
    xml.within(name, |xml| {
        for row in rows {
            xml.within("member", |xml| show(xml, row));
        }
    });
    xml.optional("NextMarker", next);
    xml.finish()
}

pub(super) fn group_not_found(names: &[&str]) -> ApiError {
    let message = format!("One or more target groups not found: {}", names.join(", "));
    ApiError::refused("TargetGroupNotFound", message)
}

fn balancer_not_found() -> ApiError {
    ApiError::refused("LoadBalancerNotFound", "One or more load balancers not found")
}

fn listener_not_found() -> ApiError {
    ApiError::refused("ListenerNotFound", "One or more listeners not found")
}
