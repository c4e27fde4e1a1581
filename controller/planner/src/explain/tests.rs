//! Recorded shapes of failure (aws.md §3.10, §3.11) and the sentence that each comes down to.

mod around;
mod shapes;

use super::*;
use crate::observed::{Deployment, ObservedService};
use jiff::Timestamp;
use serde_json::json;

const OURS: &str = "ecs-svc/1";

fn stopped(
    code: &str,
    reason: &str,
    container: Option<(Option<i64>, Option<&str>)>,
) -> StoppedTask {
    let containers: Vec<Value> = container
        .map(|(exit_code, reason)| {
            let mut shown = json!({ "name": "app" });
            if let Some(code) = exit_code {
                shown["exitCode"] = json!(code);
            }
            if let Some(reason) = reason {
                shown["reason"] = json!(reason);
            }
            shown
        })
        .into_iter()
        .collect();
    StoppedTask::from_describe(&json!({
        "startedBy": OURS, "stopCode": code, "stoppedReason": reason, "containers": containers,
    }))
}

fn explain(tasks: Vec<StoppedTask>) -> Option<Explanation> {
    deployment(&Observed { stopped: Some(tasks), ..Observed::default() }, OURS)
}

/// `TaskFailedToStart` with these words: outlook, words of the sentence, words of the remedy.
const FAILED_TO_START: &[(&str, Outlook, &str, &str)] = &[
    (
        "CannotPullContainerError: pull image manifest has been retried 5 time(s): failed to resolve ref docker.io/library/nope:1: docker.io/library/nope:1: not found",
        Outlook::Hopeless,
        "not in its registry",
        "push it",
    ),
    (
        "CannotPullContainerError: Error response from daemon: manifest for repo/app:v9 not found: manifest unknown",
        Outlook::Hopeless,
        "not in its registry",
        "push it",
    ),
    (
        "CannotPullContainerError: Error response from daemon: manifest unknown: Requested image not found",
        Outlook::Hopeless,
        "not in its registry",
        "push it",
    ),
    (
        "CannotPullContainerError: The repository with name 'app' does not exist in the registry with id '111122223333'",
        Outlook::Hopeless,
        "not in its registry",
        "name or tag",
    ),
    (
        "CannotPullContainerError: pull access denied for app, repository does not exist or may require 'docker login'",
        Outlook::Hopeless,
        "does not let the task pull",
        "ecr:BatchGetImage",
    ),
    (
        "CannotPullContainerError: pull image manifest has been retried 1 time(s): failed to resolve ref 1.dkr.ecr.eu-west-1.amazonaws.com/app:1: unexpected status from HEAD request: 403 Forbidden",
        Outlook::Hopeless,
        "does not let the task pull",
        "execution role",
    ),
    (
        "CannotPullContainerError: User is not authorized to perform: ecr:BatchGetImage on resource: arn:aws:ecr:eu-west-1:1:repository/app",
        Outlook::Hopeless,
        "does not let the task pull",
        "ecr:BatchGetImage",
    ),
    (
        "CannotPullContainerError: inspect image has been retried 1 time(s): pull access denied: no basic auth credentials",
        Outlook::Hopeless,
        "does not let the task pull",
        "repositoryCredentials",
    ),
    (
        "CannotPullContainerError: pull image manifest has been retried 5 time(s): toomanyrequests: You have reached your pull rate limit.",
        Outlook::Passing,
        "limits how often",
        "pull-through cache",
    ),
    (
        "CannotPullContainerError: failed to extract layer: write /var/lib: no space left on device: failed to pull",
        Outlook::Unclear,
        "no room left",
        "ephemeralStorage",
    ),
    (
        "CannotPullContainerError: Error response from daemon: Get https://1.dkr.ecr.eu-west-1.amazonaws.com/v2/: net/http: request canceled while waiting for connection",
        Outlook::Unclear,
        "cannot reach the image's registry",
        "ecr.dkr",
    ),
    (
        "CannotPullContainerError: pull image manifest has been retried 5 time(s): dial tcp 52.46.1.1:443: i/o timeout",
        Outlook::Unclear,
        "cannot reach the image's registry",
        "NAT gateway",
    ),
    (
        "CannotPullContainerError: The task cannot pull image 1.dkr.ecr.eu-west-1.amazonaws.com/app:1. Check your task network configuration.",
        Outlook::Unclear,
        "cannot reach the image's registry",
        "VPC endpoints",
    ),
    (
        "CannotPullContainerError: pull image manifest has been retried 1 time(s): no matching manifest for linux/arm64/v8 in the manifest list entries",
        Outlook::Hopeless,
        "no variant",
        "runtimePlatform",
    ),
    (
        "CannotPullContainerError: image Manifest does not contain descriptor matching platform 'linux/amd64'",
        Outlook::Hopeless,
        "no variant",
        "build the image",
    ),
    (
        "CannotPullContainerError: invalid reference format: repository name must be lowercase",
        Outlook::Hopeless,
        "name cannot be read",
        "`image`",
    ),
    (
        "CannotPullECRContainerError: AccessDeniedException: not authorized to perform ecr:GetAuthorizationToken",
        Outlook::Hopeless,
        "may not sign in",
        "GetAuthorizationToken",
    ),
    (
        "ResourceInitializationError: unable to pull secrets or registry auth: execution resource retrieval failed: unable to retrieve secret from asm: failed to fetch secret arn:aws:secretsmanager:eu-west-1:1:secret:db-AbCdEf from secrets manager: ResourceNotFoundException: Secrets Manager can't find the specified secret.",
        Outlook::Hopeless,
        "does not exist",
        "valueFrom",
    ),
    (
        "ResourceInitializationError: unable to pull secrets or registry auth: execution resource retrieval failed: unable to retrieve secrets from ssm: service call has been retried 1 time(s): invalid parameters: /shop/api/database-url",
        Outlook::Hopeless,
        "does not exist",
        "create it",
    ),
    (
        "ResourceInitializationError: unable to pull secrets or registry auth: unable to retrieve secrets from ssm: AccessDeniedException: User is not authorized to perform: ssm:GetParameters",
        Outlook::Hopeless,
        "may not read one of its secrets",
        "ssm:GetParameters",
    ),
    (
        "ResourceInitializationError: unable to pull secrets or registry auth: unable to retrieve secret from asm: AccessDeniedException: Access to KMS is not allowed",
        Outlook::Hopeless,
        "key of a secret",
        "kms:Decrypt",
    ),
    (
        "ResourceInitializationError: unable to pull secrets or registry auth: retrieved secret from Secrets Manager did not contain json key password",
        Outlook::Hopeless,
        "no such key",
        "valueFrom",
    ),
    (
        "ResourceInitializationError: unable to pull secrets or registry auth: InvalidRequestException: You can't perform this operation on the secret because it was marked for deletion.",
        Outlook::Hopeless,
        "scheduled for deletion",
        "restore",
    ),
    (
        "ResourceInitializationError: unable to pull secrets or registry auth: RequestError: send request failed caused by: Post \"https://ssm.eu-west-1.amazonaws.com/\": dial tcp: i/o timeout",
        Outlook::Unclear,
        "cannot reach SSM or Secrets Manager",
        "VPC endpoints",
    ),
    (
        "ResourceInitializationError: unable to pull registry auth from Amazon ECR: AccessDeniedException: not authorized to perform: ecr:GetAuthorizationToken; registry auth failed",
        Outlook::Hopeless,
        "may not sign in",
        "GetAuthorizationToken",
    ),
    (
        "ResourceInitializationError: failed to validate logger args: create stream has been retried 1 times: failed to create Cloudwatch log stream: ResourceNotFoundException: The specified log group does not exist.",
        Outlook::Hopeless,
        "log group does not exist",
        "awslogs-create-group",
    ),
    (
        "ResourceInitializationError: failed to validate logger args: AccessDeniedException: User is not authorized to perform: logs:CreateLogStream",
        Outlook::Hopeless,
        "may not write its log",
        "logs:PutLogEvents",
    ),
    (
        "ResourceInitializationError: failed to validate logger args: signal: killed",
        Outlook::Unclear,
        "log driver cannot be started",
        "logConfiguration",
    ),
    (
        "ResourceInitializationError: failed to initialize logging driver: Options required",
        Outlook::Unclear,
        "log driver",
        "logConfiguration",
    ),
    (
        "ResourceInitializationError: failed to download env files: file download command: non empty error stream: AccessDenied: Access Denied env file",
        Outlook::Hopeless,
        "environment file cannot be read",
        "s3:GetObject",
    ),
    (
        "ResourceInitializationError: failed to download env files: context ended",
        Outlook::Unclear,
        "environment file cannot be read",
        "way to S3",
    ),
    (
        "ResourceInitializationError: failed to invoke EFS utils commands to set up EFS volumes: stderr: mount.nfs4: Connection timed out",
        Outlook::Unclear,
        "cannot reach its EFS",
        "2049",
    ),
    (
        "ResourceInitializationError: failed to invoke EFS utils commands to set up EFS volumes: stderr: mount.nfs4: access denied by server while mounting",
        Outlook::Hopeless,
        "refuses the mount",
        "ClientMount",
    ),
    (
        "ResourceInitializationError: failed to invoke EFS utils commands to set up EFS volumes: stderr: Failed to resolve \"fs-1.efs.eu-west-1.amazonaws.com\"",
        Outlook::Unclear,
        "cannot reach its EFS",
        "mount target",
    ),
    (
        "ResourceInitializationError: failed to invoke EFS utils commands: unsuccessful EFS utils command execution; code: 32",
        Outlook::Unclear,
        "EFS volume cannot be mounted",
        "access point",
    ),
    (
        "Unexpected EC2 error while attempting to Create Network Interface with public IP assignment enabled in subnet 'subnet-1': InsufficientFreeAddressesInSubnet",
        Outlook::Capacity,
        "no free IP addresses",
        "add subnets",
    ),
    (
        "Unexpected EC2 error while attempting to Create Network Interface in subnet 'subnet-1': NetworkInterfaceLimitExceeded",
        Outlook::Capacity,
        "no network interface left",
        "quota",
    ),
    (
        "Unexpected EC2 error while attempting to Create Network Interface in subnet 'subnet-1': InvalidSubnetID.NotFound",
        Outlook::Hopeless,
        "subnet or security group",
        "networkConfiguration",
    ),
    (
        "Unexpected EC2 error while attempting to Create Network Interface: UnauthorizedOperation",
        Outlook::Hopeless,
        "may not create network interfaces",
        "AWSServiceRoleForECS",
    ),
    (
        "Unexpected EC2 error while attempting to Create Network Interface: RequestLimitExceeded",
        Outlook::Passing,
        "throttles",
        "tries again",
    ),
    (
        "Unexpected EC2 error while attempting to Create Network Interface: Unavailable",
        Outlook::Passing,
        "could not be created",
        "tries again",
    ),
    (
        "ECS was unable to assume the role 'arn:aws:iam::1:role/shop-task' that was provided for this task.",
        Outlook::Hopeless,
        "cannot assume a role",
        "ecs-tasks.amazonaws.com",
    ),
    ("InternalError: Internal error", Outlook::Passing, "problem of its own", "tries again"),
    ("RESOURCE:CPU", Outlook::Capacity, "CPU that a task asks for", "add instances"),
    ("RESOURCE:MEMORY", Outlook::Capacity, "memory that a task asks for", "lower `memory`"),
    ("RESOURCE:PORTS", Outlook::Capacity, "host ports", "dynamic ports"),
    ("RESOURCE:ENI", Outlook::Capacity, "network interface left", "awsvpcTrunking"),
    ("RESOURCE:GPU", Outlook::Capacity, "GPUs", "instances"),
    ("RESOURCE:FARGATE", Outlook::Capacity, "no capacity", "zones"),
    ("ATTRIBUTE", Outlook::Unclear, "attribute", "agents"),
    ("AGENT", Outlook::Capacity, "not connected", "agent"),
    ("NO ACTIVE INSTANCES", Outlook::Capacity, "no container instance", "add instances"),
    ("EMPTY CAPACITY PROVIDER", Outlook::Capacity, "no container instance", "Auto Scaling group"),
    (
        "MemberOf placement constraint unsatisfied.",
        Outlook::Unclear,
        "placement constraints",
        "placementConstraints",
    ),
    (
        "CannotStartContainerError: Error response from daemon: failed to create task: exec: \"./server\": stat ./server: no such file or directory: unknown",
        Outlook::Hopeless,
        "not in its image",
        "entryPoint",
    ),
    (
        "CannotStartContainerError: OCI runtime create failed: exec: \"npm\": executable file not found in $PATH: unknown",
        Outlook::Hopeless,
        "not in its image",
        "command",
    ),
    (
        "CannotStartContainerError: OCI runtime create failed: exec: \"/run.sh\": permission denied: unknown",
        Outlook::Hopeless,
        "not executable",
        "execute bit",
    ),
    (
        "CannotStartContainerError: standard_init_linux.go:228: exec user process caused: exec format error",
        Outlook::Hopeless,
        "another processor",
        "runtimePlatform",
    ),
    (
        "CannotStartContainerError: driver failed programming external connectivity: Bind for 0.0.0.0:80 failed: port is already allocated",
        Outlook::Unclear,
        "cannot be started",
        "command",
    ),
    (
        "CannotCreateContainerError: Error response from daemon: invalid volume specification",
        Outlook::Unclear,
        "volume cannot be mounted",
        "mountPoints",
    ),
    (
        "CannotCreateContainerError: API error (500): devmapper: Thin Pool has 1 free data blocks",
        Outlook::Unclear,
        "cannot be created",
        "disk",
    ),
    (
        "CannotCreateVolumeError: driver rexray not found",
        Outlook::Unclear,
        "volume cannot be created",
        "driver",
    ),
    (
        "ContainerRuntimeTimeoutError: Could not transition to running; timed out after waiting 3m0s",
        Outlook::Passing,
        "runtime of the host",
        "another task",
    ),
    (
        "CannotInspectContainerError: Could not inspect container",
        Outlook::Passing,
        "runtime of the host",
        "another task",
    ),
    (
        "Something that nobody has seen before",
        Outlook::Unclear,
        "Something that nobody has seen before",
        "",
    ),
];

#[test]
fn why_a_task_failed_to_start() {
    for (reason, outlook, says, remedy) in FAILED_TO_START {
        let explained = explain(vec![stopped("TaskFailedToStart", reason, None)]).unwrap();
        assert_eq!(explained.outlook, *outlook, "{reason}\n{explained}");
        assert!(explained.what.contains(says), "{reason}\n{explained}");
        assert!(explained.remedy.contains(remedy), "{reason}\n{explained}");
        let told = explained.to_string();
        assert!(told.contains(&shortened(reason)), "ECS's own words are told: {told}");
    }
}

#[test]
fn why_a_container_ended() {
    let cases: &[(Option<i64>, Option<&str>, &str, &str)] = &[
        (Some(1), None, "container app exited with 1", "log"),
        (Some(0), None, "ended by itself", "essential"),
        (Some(126), None, "not executable", "entryPoint"),
        (Some(127), None, "not found", "command"),
        (Some(134), None, "aborted", "log"),
        (Some(137), None, "killed", "memory"),
        (
            Some(137),
            Some("OutOfMemoryError: Container killed due to memory usage"),
            "ran out of memory",
            "memory",
        ),
        (Some(139), None, "memory fault", "log"),
        (Some(143), None, "asked to end", "signal"),
        (Some(255), None, "exited with 255", "log"),
        (
            None,
            Some("OutOfMemoryError: Container killed due to memory usage"),
            "ran out of memory",
            "memory",
        ),
        (
            None,
            Some("CannotPullContainerError: manifest unknown: not found"),
            "not in its registry",
            "push",
        ),
    ];
    for (code, reason, says, remedy) in cases {
        let task = stopped(
            "EssentialContainerExited",
            "Essential container in task exited",
            Some((*code, *reason)),
        );
        let explained = explain(vec![task]).unwrap();
        assert!(explained.what.contains(says), "{code:?} {reason:?}\n{explained}");
        assert!(explained.remedy.contains(remedy), "{code:?} {reason:?}\n{explained}");
    }
}

#[test]
fn why_the_scheduler_or_aws_stopped_a_task() {
    let cases = [
        (
            "ServiceSchedulerInitiated",
            "Task failed ELB health checks in (target-group arn:aws:elasticloadbalancing:eu-west-1:1:targetgroup/api/1)",
            Outlook::Unclear,
            "health check of their target group",
        ),
        (
            "ServiceSchedulerInitiated",
            "Task failed container health checks",
            Outlook::Unclear,
            "container health check",
        ),
        ("SpotInterruption", "Your Spot Task was interrupted.", Outlook::Passing, "Spot capacity"),
        (
            "TerminationNotice",
            "Your task was stopped due to task retirement.",
            Outlook::Passing,
            "retired",
        ),
        (
            "InfrastructureHealth",
            "Fargate infrastructure degraded",
            Outlook::Passing,
            "host failed",
        ),
    ];
    for (code, reason, outlook, says) in cases {
        let explained = explain(vec![stopped(code, reason, None)]).unwrap();
        assert_eq!(explained.outlook, outlook, "{explained}");
        assert!(explained.what.contains(says), "{explained}");
    }
    for (code, reason) in [
        ("ServiceSchedulerInitiated", "Scaling activity initiated by (deployment ecs-svc/2)"),
        ("UserInitiated", "Task stopped by user"),
    ] {
        assert_eq!(explain(vec![stopped(code, reason, None)]), None);
    }
}

#[test]
fn the_commonest_cause_is_told_with_its_count() {
    let crash = || {
        stopped(
            "EssentialContainerExited",
            "Essential container in task exited",
            Some((Some(1), None)),
        )
    };
    let elsewhere = StoppedTask { started_by: "ecs-svc/9".into(), ..crash() };
    let ordinary = stopped(
        "ServiceSchedulerInitiated",
        "Scaling activity initiated by (deployment ecs-svc/2)",
        None,
    );
    let spot = stopped("SpotInterruption", "Your Spot Task was interrupted.", None);
    let explained = explain(vec![crash(), spot, crash(), elsewhere, ordinary]).unwrap();
    assert_eq!(explained.what, "2 of 3 tasks stopped: container app exited with 1");
    assert_eq!(explained.count, 2);
}

#[test]
fn what_no_waiting_mends_comes_first_and_order_means_nothing() {
    let crash = || stopped("EssentialContainerExited", "x", Some((Some(1), None)));
    let missing = stopped("TaskFailedToStart", "CannotPullContainerError: x:1: not found", None);
    let forwards = explain(vec![crash(), crash(), missing.clone()]).unwrap();
    let backwards = explain(vec![missing, crash(), crash()]).unwrap();
    assert_eq!(forwards, backwards);
    assert_eq!(forwards.outlook, Outlook::Hopeless);
    assert_eq!(forwards.what, "1 of 3 tasks stopped: the image is not in its registry");
}

#[test]
fn long_words_are_cut() {
    let words = format!("CannotPullContainerError: not found {}", "ü".repeat(5_000));
    let told = explain(vec![stopped("TaskFailedToStart", &words, None)]).unwrap();
    assert!(told.words.chars().count() <= WORDS_MAX + 1);
}

/// A service whose deployment began at 10:00 and that has these events, newest first, a minute apart from 10:10 down.
fn with_events(events: &[&str]) -> Observed {
    let describe = json!({
        "serviceArn": "arn:aws:ecs:eu-west-1:111122223333:service/shop/api",
        "serviceName": "api", "status": "ACTIVE", "desiredCount": 2,
        "events": events.iter().enumerate().map(|(age, message)| {
            json!({ "message": message, "createdAt": 1_700_000_600.0 - 60.0 * f64::from(u32::try_from(age).unwrap()) })
        }).collect::<Vec<_>>(),
    });
    let mut service = ObservedService::from_describe(&describe);
    service.deployments = vec![Deployment {
        id: OURS.into(),
        is_primary: true,
        task_definition: String::new(),
        desired: 2,
        pending: 0,
        running: 0,
        failed: 0,
        rollout_state: Some("IN_PROGRESS".into()),
        rollout_reason: None,
        created_at: Some(Timestamp::from_second(1_700_000_000).unwrap()),
        updated_at: None,
    }];
    Observed { service: Some(service), ..Observed::default() }
}

#[test]
fn events_tell_what_no_task_lived_to_tell() {
    let cases = [
        (
            "(service api) was unable to place a task because no container instance met all of its requirements. The closest matching (container-instance 1) has insufficient CPU units available.",
            Outlook::Capacity,
            "CPU",
        ),
        (
            "(service api) was unable to place a task because no container instance met all of its requirements. The closest matching (container-instance 1) has insufficient memory available.",
            Outlook::Capacity,
            "memory",
        ),
        (
            "(service api) was unable to place a task because no container instance met all of its requirements. The closest matching (container-instance 1) is already using a port required by your task.",
            Outlook::Capacity,
            "host ports",
        ),
        (
            "(service api) was unable to place a task because no container instance met all of its requirements. The closest matching (container-instance 1) is missing an attribute required by your task.",
            Outlook::Unclear,
            "attribute",
        ),
        (
            "(service api) was unable to place a task because no container instance met all of its requirements. Reason: No Container Instances were found in your cluster.",
            Outlook::Capacity,
            "no container instance",
        ),
        (
            "(service api) was unable to place a task. Reason: Capacity is unavailable at this time. Please try again later or in a different availability zone.",
            Outlook::Capacity,
            "no capacity",
        ),
        (
            "(service api) was unable to place a task. Reason: You've reached the limit on the number of vCPUs you can run concurrently.",
            Outlook::Capacity,
            "quota",
        ),
        (
            "(service api) was unable to place a task. Reason: The requested CPU configuration is above your limit.",
            Outlook::Capacity,
            "quota",
        ),
        (
            "(service api) was unable to place a task. Reason: Internal error.",
            Outlook::Passing,
            "problem of its own",
        ),
        (
            "(service api) was unable to place a task. Reason: ResourceInitializationError: unable to pull secrets or registry auth: invalid parameters: /a.",
            Outlook::Hopeless,
            "does not exist",
        ),
        (
            "(service api) was unable to place a task. Reason: something new.",
            Outlook::Capacity,
            "cannot place a task",
        ),
        (
            "(service api) was unable to stop or start tasks during a deployment because of the service deployment configuration. Update the minimumHealthyPercent or maximumPercent value and try again.",
            Outlook::Unclear,
            "percentages",
        ),
        (
            "(service api) is unable to consistently start tasks successfully.",
            Outlook::Unclear,
            "again and again",
        ),
        (
            "(service api) operations are being throttled. Will try again later.",
            Outlook::Passing,
            "throttles",
        ),
        (
            "(service api) (port 8080) is unhealthy in (target-group arn:aws:x) due to (reason Health checks failed with these codes: [500])",
            Outlook::Unclear,
            "health check of their target group",
        ),
        (
            "(service api) (task 1) failed container health checks.",
            Outlook::Unclear,
            "container health check",
        ),
        (
            "(service api) was unable to reach steady state because task set (taskSet ecs-svc/1) was unable to scale in due to (reason 2 tasks under protection). protected tasks",
            Outlook::Unclear,
            "protected",
        ),
    ];
    for (event, outlook, says) in cases {
        let observed =
            with_events(&["(service api) registered 1 targets in (target-group a).", event]);
        let explained = deployment(&observed, OURS).unwrap_or_else(|| panic!("{event}"));
        assert_eq!(explained.outlook, outlook, "{event}\n{explained}");
        assert!(explained.what.contains(says), "{event}\n{explained}");
    }
}

#[test]
fn what_a_steady_state_or_an_older_rollout_left_behind_is_not_told() {
    let place = "(service api) was unable to place a task. Reason: Internal error.";
    let steady = with_events(&["(service api) has reached a steady state.", place]);
    assert_eq!(deployment(&steady, OURS), None);
    let mut events = vec!["(service api) has started 1 tasks: (task 1)."; 11];
    events.push(place);
    assert_eq!(deployment(&with_events(&events), OURS), None, "it is older than the deployment");
    assert_eq!(deployment(&with_events(&[]), OURS), None);
}

#[test]
fn a_rollout_that_moves_is_not_stuck_on_its_percentages() {
    let stuck = "(service api) was unable to stop or start tasks during a deployment because of the service deployment configuration. Update the minimumHealthyPercent or maximumPercent value and try again.";
    let place = "(service api) was unable to place a task. Reason: Internal error.";
    for moved in [
        "(service api) has started 1 tasks: (task 1).",
        "(service api) has stopped 1 running tasks: (task 1).",
    ] {
        assert_eq!(deployment(&with_events(&[moved, stuck]), OURS), None);
        // Of several tasks one has found a place.
        assert!(deployment(&with_events(&[moved, place]), OURS).is_some());
        let explained = deployment(&with_events(&[stuck, moved]), OURS).unwrap();
        assert!(explained.what.contains("percentages"), "{explained}");
    }
}

#[test]
fn a_container_that_says_something_new_is_named() {
    for (reason, says) in [
        (
            Some("SomethingError: never seen before"),
            "container app: SomethingError: never seen before",
        ),
        (None, "words of the task"),
    ] {
        let task = stopped("TaskFailedToStart", "words of the task", Some((None, reason)));
        let explained = explain(vec![task]).unwrap();
        assert_eq!(explained.what, format!("1 task stopped: {says}"));
    }
}

#[test]
fn what_people_named_things_is_no_cause() {
    for (event, says) in [
        (
            "(service user-prefs) was unable to place a task. Reason: Capacity is unavailable at this time.",
            "has no capacity",
        ),
        (
            "(service volume-api) was unable to place a task because no container instance met all of its requirements. The closest matching (container-instance 1) has insufficient CPU units available.",
            "has the CPU",
        ),
    ] {
        let explained = deployment(&with_events(&[event]), OURS).unwrap();
        assert!(explained.what.contains(says), "{event}\n{explained}");
    }
    for (reason, says) in [
        (
            "Task failed ELB health checks in (target-group arn:aws:elasticloadbalancing:eu-west-1:111122223333:targetgroup/user-prefs/1)",
            "health check of their target group",
        ),
        (
            "CannotPullContainerError: 111122223333.dkr.ecr.eu-west-1.amazonaws.com/shop/secret-api:v3: not found",
            "is not in its registry",
        ),
    ] {
        let explained = explain(vec![stopped("TaskFailedToStart", reason, None)]).unwrap();
        assert!(explained.what.contains(says), "{reason}\n{explained}");
    }
}
