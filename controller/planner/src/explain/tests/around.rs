//! What records, alarms, targets and events say, in whole sentences (aws.md §3.7, §3.11, §6.8).

use serde_json::{Value, json};

use super::{OURS, deployment, stopped, with_events};
use crate::observed::{Alarm, Observed, ServiceDeployment, Target};

const REVISION: &str = "arn:aws:ecs:eu-west-1:111122223333:service-revision/shop/api/1";
const GROUP: &str =
    "arn:aws:elasticloadbalancing:eu-west-1:111122223333:targetgroup/web/0123456789abcdef";

/// ECS's record of the rollout, with these members beside.
fn record(special: &Value) -> ServiceDeployment {
    let mut record = json!({
        "serviceDeploymentArn": "arn:aws:ecs:eu-west-1:111122223333:service-deployment/shop/api/abc",
        "status": "ROLLBACK_SUCCESSFUL", "createdAt": 1_700_000_000.0,
        "targetServiceRevision": { "arn": REVISION, "requestedTaskCount": 2 },
        "alarms": { "status": "DISABLED", "alarmNames": [], "triggeredAlarmNames": [] },
    });
    for (name, value) in special.as_object().unwrap() {
        record[name] = value.clone();
    }
    ServiceDeployment::from_describe(&record)
}

fn ended(reason: &str) -> Observed {
    let record = record(&json!({ "statusReason": reason }));
    Observed { deployments: Some(vec![record]), ..Observed::default() }
}

fn said(observed: &Observed) -> Option<String> {
    deployment(observed, OURS).map(|explained| explained.to_string())
}

#[test]
fn every_reason_of_a_record_is_told_with_what_to_do() {
    let role = "arn:aws:iam::111122223333:role/shop-ecs-infrastructure";
    let networking = "because of invalid networking configuration.";
    let cases = [
        ("because the circuit breaker threshold was exceeded.".to_owned(), Some("too many of its tasks did not start or failed their health checks: read the log of its tasks")),
        ("because PRE_SCALE_UP lifecycle hook(s) failed. Lifecycle hook target arn:aws:lambda:eu-west-1:111122223333:function:check returned FAILED status.".to_owned(), Some("a lifecycle hook of the service said no, or did not answer: read the log of the hook's function")),
        ("because POST_TEST_TRAFFIC_SHIFT pause hook timed out.".to_owned(), Some("nobody let the rollout go on in time: approve or promote it sooner, or raise the hook's timeout (`gateTimeout`)")),
        (format!("{networking} Both targetGroup and alternateTargetGroup must be associated with the productionListenerRule or testListenerRule."), Some("the listener rule does not forward to both target groups of the service: let it forward to both, one with weight 1 and one with weight 0")),
        (format!("{networking} productionListenerRule {role} should have exactly one target group serving traffic but found 2 target groups which are serving traffic"), Some("both target groups of the service get traffic already: give all weight of the listener rule to the one that serves")),
        (format!("{networking} Production listener rule is forwarding traffic to unexpected target group {GROUP}. Expected another."), Some("the listener rule forwards to a target group that is none of the service's: let it forward to the service's two target groups only, or correct `loadBalancers`")),
        (format!("{networking} Something new."), Some("the service's load balancer is not as a shift of traffic needs it: check its listener rules and target groups")),
        (format!("because ECS was unable to manage the ELB resources due to missing permissions on ECS Infrastructure Role '{role}'."), Some("ECS may not change the load balancer's rules: let the infrastructure role manage them (AmazonECSInfrastructureRolePolicyForLoadBalancers)")),
        ("because of a StopServiceDeployment request.".to_owned(), None),
    ];
    for (reason, sentence) in cases {
        let told = said(&ended(&format!("Service deployment rolled back {reason}")));
        assert_eq!(told.as_deref(), sentence, "{reason}");
    }
    let first = said(&ended("No rollback candidate was found to run the rollback."));
    assert_eq!(
        first.unwrap(),
        "it failed, and no earlier deployment has ended well: mend the spec: a first deployment has nothing to go back to"
    );
}

/// The breaker only counts: its tasks say why. A hook's answer is the reason itself.
#[test]
fn a_breaker_is_explained_by_its_tasks_and_a_hook_by_itself() {
    let crash = stopped(
        "EssentialContainerExited",
        "Essential container in task exited",
        Some((Some(1), None)),
    );
    let breaker =
        "Service deployment rolled back because the circuit breaker threshold was exceeded.";
    let with_task = |reason| Observed { stopped: Some(vec![crash.clone()]), ..ended(reason) };
    let told = said(&with_task(breaker)).unwrap();
    assert_eq!(
        told,
        "1 task stopped: container app exited with 1: read the container's log [ECS: Essential container in task exited]"
    );
    let hook = "Service deployment rolled back because PRE_SCALE_UP lifecycle hook(s) failed.";
    assert!(said(&with_task(hook)).unwrap().starts_with("a lifecycle hook of the service said no"));
}

#[test]
fn the_alarm_that_rang_is_named() {
    let alarm = |name: &str, rings, reason: &str| Alarm {
        name: name.to_owned(),
        rings,
        reason: reason.to_owned(),
    };
    let watched = |triggered: &[&str]| {
        let alarms = json!({ "status": "TRIGGERED", "alarmNames": ["5xx", "slow"], "triggeredAlarmNames": triggered });
        record(
            &json!({ "alarms": alarms, "statusReason": "Service deployment rolled back because of alarm(s)." }),
        )
    };
    let crossed = "Threshold Crossed: 1 datapoint [9.0] was greater than the threshold (1.0).";
    let remedy = "look at what it measures; the new tasks may be the cause";
    let ringing = vec![alarm("5xx", true, crossed), alarm("slow", false, "quiet")];
    let cases = [
        (
            watched(&["5xx"]),
            ringing.clone(),
            format!("the alarm `5xx` rang: {remedy} [CloudWatch: {crossed}]"),
        ),
        (
            watched(&["5xx"]),
            vec![alarm("5xx", false, "quiet again")],
            format!("the alarm `5xx` rang: {remedy}"),
        ),
        (watched(&["5xx"]), vec![], format!("the alarm `5xx` rang: {remedy}")),
        (watched(&["5xx", "slow"]), vec![], format!("the alarms `5xx` and `slow` rang: {remedy}")),
        (watched(&[]), ringing, format!("the alarm `5xx` rang: {remedy} [CloudWatch: {crossed}]")),
        (watched(&[]), vec![], format!("one of the alarms `5xx`, `slow` rang: {remedy}")),
    ];
    for (record, alarms, sentence) in cases {
        let observed = Observed { deployments: Some(vec![record]), alarms, ..Observed::default() };
        assert_eq!(said(&observed).unwrap(), sentence);
    }
    let quiet = json!({ "alarms": { "status": "MONITORING_COMPLETE", "alarmNames": ["5xx"], "triggeredAlarmNames": [] } });
    let observed = Observed { deployments: Some(vec![record(&quiet)]), ..Observed::default() };
    assert_eq!(said(&observed), None);
}

fn target(state: &str, reason: &str, description: &str) -> Target {
    Target {
        group: GROUP.to_owned(),
        state: state.to_owned(),
        reason: reason.to_owned(),
        description: description.to_owned(),
    }
}

#[test]
fn what_the_load_balancer_says_of_targets() {
    let cases = [
        (
            "unhealthy",
            "Target.Timeout",
            "Request timed out",
            "the health check gets no answer in time: check that the program listens on the port, that the tasks' security group lets the load balancer in, and how long the check waits",
        ),
        (
            "unhealthy",
            "Target.ResponseCodeMismatch",
            "Health checks failed with these codes: [503]",
            "the health check is answered with a code that it does not take: correct the check's path or codes, or what the program answers there",
        ),
        (
            "unhealthy",
            "Target.FailedHealthChecks",
            "Health checks failed",
            "the health check cannot connect, or its answer is broken: check the port, the protocol and the security groups, and that the program runs by then (`healthCheckGracePeriodSeconds`)",
        ),
        (
            "unused",
            "Target.NotInUse",
            "Target group is not configured to receive traffic from the load balancer",
            "no listener forwards to it, or the load balancer is not in their zones: let a listener rule forward to the target group, and give the load balancer a subnet in each zone of the tasks",
        ),
        (
            "unused",
            "Target.IpUnusable",
            "IP address is in use by a load balancer",
            "their addresses belong to a load balancer: give tasks and load balancers subnets of their own",
        ),
        (
            "unused",
            "Target.InvalidState",
            "Target is in the stopped state",
            "their instances do not run: check the container instances",
        ),
        (
            "unavailable",
            "Target.HealthCheckDisabled",
            "Health checks are disabled",
            "the target group makes no health checks: turn them on",
        ),
        (
            "unhealthy",
            "Elb.InternalError",
            "Internal error",
            "the load balancer has a problem of its own: wait; if it goes on, ask AWS",
        ),
        (
            "initial",
            "Elb.InitialHealthChecking",
            "Initial health checks in progress",
            "they have not passed their first health checks yet: check how long the program takes to start",
        ),
        (
            "initial",
            "Elb.RegistrationInProgress",
            "Target registration is in progress",
            "they are still being registered: wait; if it goes on, look at the load balancer",
        ),
        ("unhealthy", "Target.Unheard", "Something new", "the load balancer says Target.Unheard"),
    ];
    for (state, reason, description, sentence) in cases {
        let targets = vec![target(state, reason, description); 2];
        let told = said(&Observed { targets, ..Observed::default() });
        let expected = format!(
            "2 targets of target group `web` get no traffic: {sentence} [Elastic Load Balancing: {description}]"
        );
        assert_eq!(told, Some(expected));
    }
    for leaving in [
        target(
            "draining",
            "Target.DeregistrationInProgress",
            "Target deregistration is in progress",
        ),
        target("unused", "Target.NotRegistered", "Target is not registered"),
    ] {
        assert_eq!(said(&Observed { targets: vec![leaving], ..Observed::default() }), None);
    }
}

#[test]
fn tasks_that_fail_the_check_of_their_target_group_are_told_with_what_it_measured() {
    let reason = format!("Task failed ELB health checks in (target-group {GROUP})");
    let task = stopped("ServiceSchedulerInitiated", &reason, Some((Some(143), None)));
    let targets = vec![target("unhealthy", "Target.Timeout", "Request timed out")];
    let observed = Observed { stopped: Some(vec![task]), targets, ..Observed::default() };
    assert_eq!(
        said(&observed).unwrap(),
        "1 task stopped: tasks fail the health check of their target group; 1 target of target group `web` gets no traffic: the health check gets no answer in time: check that the program listens on the port, that the tasks' security group lets the load balancer in, and how long the check waits [Elastic Load Balancing: Request timed out]"
    );
}

#[test]
fn tasks_that_could_not_be_launched_are_told_from_events() {
    let cases = [
        (
            "(service api) could not launch 2 tasks for deployment ecs-svc/1. Reason: Capacity is unavailable at this time. Please try again later or in a different availability zone.",
            "AWS has no capacity for the task in these zones now: wait, add zones, or add FARGATE beside FARGATE_SPOT",
        ),
        (
            "(service api) could not launch 2 tasks for deployment ecs-svc/1.",
            "ECS cannot place a task: look at the closest match that ECS names",
        ),
        (
            "(service api) was unable to place a task. Reason: You've reached the limit on the number of vCPUs you can run concurrently.",
            "the account's quota for running tasks is used up: raise the Fargate vCPU quota, or free tasks",
        ),
        (
            "(service api) was unable to place a task. Reason: Unexpected EC2 error while attempting to Create Network Interface: RequestLimitExceeded.",
            "AWS throttles the making of network interfaces: ECS tries again",
        ),
        (
            "(service api) was unable to place a task. Reason: ResourceInitializationError: unable to pull secrets or registry auth: unable to retrieve ecr registry auth: i/o timeout.",
            "the task cannot reach the image's registry: give its subnets a NAT gateway, a public IP address, or VPC endpoints for ecr.api, ecr.dkr and s3",
        ),
    ];
    for (event, sentence) in cases {
        assert_eq!(said(&with_events(&[event])).unwrap(), format!("{sentence} [ECS: {event}]"));
    }
}
