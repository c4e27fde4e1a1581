//! The rules of aws.md §6.8.

use jiff::SignedDuration;
use serde_json::json;

use super::*;
use crate::xml::{elements, value};

const NOW: Timestamp = Timestamp::UNIX_EPOCH;

fn balancing() -> Elb {
    let mut elb = Elb::new("123456789012", "eu-west-1");
    for name in ["blue", "green", "lonely"] {
        let group = json!({"name": name, "port": 8080, "deregistrationDelaySeconds": 30});
        elb.load_target_group(&serde_json::from_value(group).unwrap()).unwrap();
    }
    let balancer = json!({"name": "web", "listeners": [{"port": 443, "protocol": "HTTPS",
        "forward": [{"targetGroup": "blue", "weight": 100}, {"targetGroup": "green", "weight": 0}],
        "rules": [{"priority": 10, "paths": ["/api/*"], "forward": [{"targetGroup": "green"}]}]}]});
    elb.load(&serde_json::from_value(balancer).unwrap(), NOW).unwrap();
    elb
}

fn call(
    elb: &mut Elb,
    operation: &str,
    params: &[(&str, &str)],
    now: Timestamp,
) -> Result<String, ApiError> {
    let params =
        params.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    elb.call(operation, &params, now)
}

fn health(
    elb: &mut Elb,
    group: &str,
    more: &[(&str, &str)],
    now: Timestamp,
) -> Vec<(String, String)> {
    let arn = elb.group_arn(group);
    let mut params = vec![("TargetGroupArn", arn.as_str())];
    params.extend(more);
    let answer = call(elb, "DescribeTargetHealth", &params, now).unwrap();
    let states = elements(&answer, "TargetHealth");
    states
        .iter()
        .map(|state| (value(state, "State").unwrap(), value(state, "Reason").unwrap_or_default()))
        .collect()
}

fn pair(state: &str, reason: &str) -> Vec<(String, String)> {
    vec![(state.to_owned(), reason.to_owned())]
}

#[test]
fn a_target_s_life() {
    let mut elb = balancing();
    let arn = elb.group_arn("blue");
    assert!(health(&mut elb, "blue", &[], NOW).is_empty());
    elb.register(&arn, "10.0.0.1", 8080);
    assert_eq!(health(&mut elb, "blue", &[], NOW), pair("initial", "Elb.RegistrationInProgress"));
    elb.set_health(&arn, "10.0.0.1", 8080, TargetState::Healthy);
    assert_eq!(health(&mut elb, "blue", &[], NOW), pair("healthy", ""));
    elb.set_health(&arn, "10.0.0.1", 8080, TargetState::Unhealthy);
    assert_eq!(health(&mut elb, "blue", &[], NOW), pair("unhealthy", "Target.FailedHealthChecks"));
    elb.deregister(&arn, "10.0.0.1", 8080, NOW);
    let later = NOW + SignedDuration::from_secs(29);
    assert_eq!(
        health(&mut elb, "blue", &[], later),
        pair("draining", "Target.DeregistrationInProgress")
    );
    assert_eq!(elb.health(&arn, "10.0.0.1", 8080, later), Some("draining"));
    let gone = NOW + SignedDuration::from_secs(30);
    assert_eq!(elb.health(&arn, "10.0.0.1", 8080, gone), None);
    assert!(health(&mut elb, "blue", &[], gone).is_empty());
}

#[test]
fn unregistered_targets_and_unused_groups() {
    let mut elb = balancing();
    let asked = [("Targets.member.1.Id", "10.0.0.9"), ("Targets.member.1.Port", "8080")];
    assert_eq!(health(&mut elb, "blue", &asked, NOW), pair("unused", "Target.NotRegistered"));
    let arn = elb.group_arn("lonely");
    elb.register(&arn, "10.0.0.1", 8080);
    elb.set_health(&arn, "10.0.0.1", 8080, TargetState::Healthy);
    assert_eq!(health(&mut elb, "lonely", &[], NOW), pair("unused", "Target.NotInUse"));
}

#[test]
fn groups_name_their_load_balancers() {
    let mut elb = balancing();
    let answer =
        call(&mut elb, "DescribeTargetGroups", &[("Names.member.1", "green")], NOW).unwrap();
    let balancer = value(elements(&answer, "LoadBalancerArns")[0], "member").unwrap();
    assert!(
        balancer.starts_with(
            "arn:aws:elasticloadbalancing:eu-west-1:123456789012:loadbalancer/app/web/"
        ),
        "{balancer}"
    );
    assert_eq!(value(&answer, "TargetType").unwrap(), "ip");
    let of_balancer =
        call(&mut elb, "DescribeTargetGroups", &[("LoadBalancerArn", &balancer)], NOW).unwrap();
    assert_eq!(elements(&of_balancer, "TargetGroupName"), ["blue", "green"]);
    let first = call(&mut elb, "DescribeTargetGroups", &[("PageSize", "2")], NOW).unwrap();
    let marker = value(&first, "NextMarker").unwrap();
    let second =
        call(&mut elb, "DescribeTargetGroups", &[("PageSize", "2"), ("Marker", &marker)], NOW)
            .unwrap();
    assert_eq!(
        (elements(&first, "TargetGroupName").len(), elements(&second, "TargetGroupName").len()),
        (2, 1)
    );
}

#[test]
fn rules_have_weights() {
    let mut elb = balancing();
    let listeners = call(&mut elb, "DescribeListeners", &[], NOW).unwrap();
    assert_eq!(elements(&listeners, "Weight"), ["100", "0"]);
    let listener = value(&listeners, "ListenerArn").unwrap();
    let rules = call(&mut elb, "DescribeRules", &[("ListenerArn", &listener)], NOW).unwrap();
    assert_eq!(elements(&rules, "Priority"), ["10", "default"]);
    assert_eq!(value(&rules, "Field").unwrap(), "path-pattern");
    let balancers = call(&mut elb, "DescribeLoadBalancers", &[], NOW).unwrap();
    assert_eq!(value(&balancers, "Code").unwrap(), "active");
}

#[test]
fn what_is_unknown_is_refused() {
    let mut elb = balancing();
    for (operation, name, expected) in [
        ("DescribeTargetGroups", "Names.member.1", "TargetGroupNotFound"),
        ("DescribeTargetGroups", "TargetGroupArns.member.1", "TargetGroupNotFound"),
        ("DescribeTargetGroups", "LoadBalancerArn", "LoadBalancerNotFound"),
        ("DescribeTargetHealth", "TargetGroupArn", "TargetGroupNotFound"),
        ("DescribeListeners", "LoadBalancerArn", "LoadBalancerNotFound"),
        ("DescribeListeners", "ListenerArns.member.1", "ListenerNotFound"),
        ("DescribeRules", "ListenerArn", "ListenerNotFound"),
        ("DescribeRules", "RuleArns.member.1", "RuleNotFound"),
        ("DescribeLoadBalancers", "Names.member.1", "LoadBalancerNotFound"),
        ("DescribeTargetGroups", "PageSize", "ValidationError"),
        ("DescribeTargetGroups", "Marker", "ValidationError"),
        ("CreateListener", "Port", "InvalidAction"),
    ] {
        assert_eq!(
            call(&mut elb, operation, &[(name, "none")], NOW).unwrap_err().code,
            expected,
            "{operation} {name}"
        );
    }
}

#[test]
fn fixtures_are_checked() {
    let mut elb = balancing();
    let dangling =
        json!({"name": "x", "listeners": [{"port": 80, "forward": [{"targetGroup": "none"}]}]});
    assert_eq!(
        elb.load(&serde_json::from_value(dangling).unwrap(), NOW).unwrap_err().code,
        "TargetGroupNotFound"
    );
    for group in [
        json!({"name": "a b"}),
        json!({"name": "a", "protocol": "SMTP"}),
        json!({"name": "a", "targetType": "lambda"}),
    ] {
        let fixture: FixtureTargetGroup = serde_json::from_value(group).unwrap();
        assert_eq!(elb.load_target_group(&fixture).unwrap_err().code, "ValidationError");
    }
    assert!(
        serde_json::from_value::<FixtureTargetGroup>(json!({"name": "a", "colour": "red"}))
            .is_err()
    );
}
