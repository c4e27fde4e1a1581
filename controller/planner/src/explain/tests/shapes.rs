//! Tasks as DescribeTasks shows them, and the whole sentence that each comes down to (aws.md §3.10).

use serde_json::{Value, json};

use super::{OURS, deployment};
use crate::observed::{Observed, ObservedTaskDefinition, StoppedTask};

const DEFINITION: &str = "arn:aws:ecs:eu-west-1:111122223333:task-definition/shop-web:7";
const EXITED: &str = "Essential container in task exited";
const SIGNALLED: &str = "find out who sent the signal";
const LOG: &str = "read the container's log";
const MEMORY: &str = "OutOfMemoryError: Container killed due to memory usage";
const AUTH: &str = "ResourceInitializationError: unable to pull secrets or registry auth";
const RETRIEVAL: &str = "execution resource retrieval failed";
const ASM_ARN: &str = "arn:aws:secretsmanager:eu-west-1:111122223333:secret:shop/db-AbCdEf";
const ECR_WAYS: &str = "give its subnets a NAT gateway, a public IP address, or VPC endpoints for ecr.api, ecr.dkr and s3";
const SECRET_WAYS: &str = "give its subnets a NAT gateway, a public IP address, or VPC endpoints for ssm, secretsmanager and kms";

/// A task as DescribeTasks shows it, with these members of its containers.
fn task(stop_code: &str, stopped_reason: &str, containers: &[Value]) -> Value {
    let id = "0123456789abcdef0123456789abcdef";
    let containers: Vec<Value> = containers
        .iter()
        .map(|special| {
            let mut shown = json!({
                "containerArn": format!("arn:aws:ecs:eu-west-1:111122223333:container/shop/{id}/c"),
                "taskArn": format!("arn:aws:ecs:eu-west-1:111122223333:task/shop/{id}"),
                "image": "web:v1", "lastStatus": "STOPPED", "networkInterfaces": [],
                "healthStatus": "UNKNOWN", "cpu": "0",
            });
            for (name, value) in special.as_object().unwrap() {
                shown[name] = value.clone();
            }
            shown
        })
        .collect();
    json!({
        "taskArn": format!("arn:aws:ecs:eu-west-1:111122223333:task/shop/{id}"),
        "clusterArn": "arn:aws:ecs:eu-west-1:111122223333:cluster/shop",
        "taskDefinitionArn": DEFINITION, "group": "service:web", "startedBy": OURS,
        "lastStatus": "STOPPED", "desiredStatus": "STOPPED", "launchType": "FARGATE",
        "createdAt": 1_700_000_000.1, "stoppingAt": 1_700_000_060.2, "stoppedAt": 1_700_000_090.3,
        "stopCode": stop_code, "stoppedReason": stopped_reason,
        "containers": containers, "attachments": [], "version": 6, "healthStatus": "UNKNOWN",
    })
}

fn container(name: &str, exit_code: i64) -> Value {
    json!({ "name": name, "exitCode": exit_code })
}

/// Tasks of a revision whose containers `app` and `proxy` are essential, and `logs` is not.
fn observed(tasks: &[Value]) -> Observed {
    let definition = json!({ "taskDefinition": {
        "taskDefinitionArn": DEFINITION, "family": "shop-web", "status": "ACTIVE",
        "containerDefinitions": [
            { "name": "logs", "image": "logs:v1", "essential": false },
            { "name": "app", "image": "web:v1", "essential": true },
            { "name": "proxy", "image": "proxy:v1", "essential": true },
        ],
    }});
    Observed {
        task_definition: Some(ObservedTaskDefinition::from_describe(&definition)),
        stopped: Some(tasks.iter().map(StoppedTask::from_describe).collect()),
        ..Observed::default()
    }
}

fn said(task: Value) -> Option<String> {
    deployment(&observed(&[task]), OURS).map(|explained| explained.to_string())
}

#[test]
fn the_container_that_ended_the_task_is_told_of_and_not_those_that_ended_with_it() {
    let by_itself = "1 task stopped: container app exited with 0: its program ended by itself: a service's essential container has to go on running; mark it `essential: false` if it may end [ECS: Essential container in task exited]";
    let with_3 = format!("1 task stopped: container app exited with 3: {LOG} [ECS: {EXITED}]");
    let killed = format!(
        "1 task stopped: container app exited with 137: it was killed: look for memory that ran out, and for a `stopTimeout` that is too short [ECS: {EXITED}]"
    );
    let terminated = format!(
        "1 task stopped: container proxy exited with 143: it was asked to end: {SIGNALLED} [ECS: {EXITED}]"
    );
    let memory = format!(
        "1 task stopped: container proxy exited with 137: it ran out of memory: raise `memory` of the container or the task [ECS: {MEMORY}]"
    );
    let cases: &[(&str, Vec<Value>, &str)] = &[
        ("alone", vec![container("app", 3)], &with_3),
        ("it ends by itself", vec![container("app", 0)], by_itself),
        (
            "others are ended with it",
            vec![container("logs", 137), container("proxy", 143), container("app", 3)],
            &with_3,
        ),
        (
            "a well-behaved one ends with 0",
            vec![container("proxy", 0), container("app", 3), container("logs", 0)],
            &with_3,
        ),
        (
            "what may end has failed before",
            vec![container("logs", 1), container("app", 0), container("proxy", 143)],
            by_itself,
        ),
        (
            "killed, and the rest asked to end",
            vec![container("proxy", 143), container("app", 137)],
            &killed,
        ),
        ("asked to end", vec![container("logs", 1), container("proxy", 143)], &terminated),
        (
            "want of memory says most",
            vec![
                container("app", 3),
                json!({ "name": "proxy", "exitCode": 137, "reason": MEMORY }),
            ],
            &memory,
        ),
    ];
    for (name, containers, sentence) in cases {
        let told = said(task("EssentialContainerExited", EXITED, containers));
        assert_eq!(told.as_deref(), Some(*sentence), "{name}");
    }
    let unshown = said(task("EssentialContainerExited", EXITED, &[json!({ "name": "app" })]));
    assert_eq!(
        unshown.unwrap(),
        "1 task stopped: an essential container ended, and ECS shows no exit code: read its log [ECS: Essential container in task exited]"
    );
}

/// Without the revision nobody knows which container is essential: one that ended well is told of last.
#[test]
fn without_the_revision_a_container_that_ended_well_is_no_cause() {
    let task =
        task("EssentialContainerExited", EXITED, &[container("init", 0), container("app", 137)]);
    let observed = Observed { task_definition: None, ..observed(&[task]) };
    let told = deployment(&observed, OURS).unwrap();
    assert_eq!(told.what, "1 task stopped: container app exited with 137: it was killed");
}

#[test]
fn who_stopped_a_task_comes_before_the_exit_codes_that_follow_from_it() {
    let group =
        "arn:aws:elasticloadbalancing:eu-west-1:111122223333:targetgroup/web/0123456789abcdef";
    let elb = format!("Task failed ELB health checks in (target-group {group})");
    let cases = [
        (
            "ServiceSchedulerInitiated",
            elb.clone(),
            Some(format!(
                "1 task stopped: tasks fail the health check of their target group: check its path, port and codes, the security groups, and `healthCheckGracePeriodSeconds` [ECS: {elb}]"
            )),
        ),
        (
            "ServiceSchedulerInitiated",
            "Task failed container health checks".to_owned(),
            Some("1 task stopped: tasks fail their container health check: check `healthCheck.command`, and `startPeriod` [ECS: Task failed container health checks]".to_owned()),
        ),
        (
            "SpotInterruption",
            "Your Spot Task was interrupted.".to_owned(),
            Some("1 task stopped: AWS took Spot capacity back: ECS starts another task; FARGATE beside FARGATE_SPOT keeps a base [ECS: Your Spot Task was interrupted.]".to_owned()),
        ),
        (
            "TerminationNotice",
            "Your task was stopped due to task retirement.".to_owned(),
            Some("1 task stopped: AWS retired the task's host: ECS starts another task [ECS: Your task was stopped due to task retirement.]".to_owned()),
        ),
        (
            "InfrastructureHealth",
            "Fargate infrastructure degraded".to_owned(),
            Some("1 task stopped: the task's host failed: ECS starts another task [ECS: Fargate infrastructure degraded]".to_owned()),
        ),
        (
            "ServiceSchedulerInitiated",
            "Scaling activity initiated by (deployment ecs-svc/2)".to_owned(),
            None,
        ),
        ("UserInitiated", "Task stopped by user".to_owned(), None),
    ];
    for (code, reason, sentence) in cases {
        for exit in [0, 1, 137, 143] {
            let stopped = task(code, &reason, &[container("app", exit), container("proxy", 143)]);
            assert_eq!(said(stopped), sentence, "{code} {exit}");
        }
    }
}

/// What a task that could not be started says, with the container's own words where ECS gives some.
#[test]
fn signing_in_to_the_registry_reading_secrets_and_their_keys_are_told_apart() {
    let user = "User: arn:aws:sts::111122223333:assumed-role/shop-execution/0123 is not authorized to perform";
    let sign_in = "the task may not sign in to the image's registry: let the execution role call ecr:GetAuthorizationToken".to_owned();
    let registry = format!("the task cannot reach the image's registry: {ECR_WAYS}");
    let read = "the task may not read one of its secrets: let the execution role call ssm:GetParameters or secretsmanager:GetSecretValue, and kms:Decrypt for its key";
    let missing = "a secret or parameter that the task needs does not exist: create it, or correct `valueFrom`";
    let key = "the key of a secret may not be used by the task: let the execution role call kms:Decrypt for the secret's key";
    let reach = format!("the task cannot reach SSM or Secrets Manager: {SECRET_WAYS}");
    let cases = [
        (format!("{RETRIEVAL}: unable to retrieve ecr registry auth: service call has been retried 3 time(s): RequestError: send request failed caused by: Post \"https://api.ecr.eu-west-1.amazonaws.com/\": dial tcp 10.0.0.7:443: i/o timeout"), registry.clone()),
        ("The task cannot pull registry auth from Amazon ECR: There is a connection issue between the task and Amazon ECR. Check your task network configuration.".to_owned(), registry),
        (format!("{RETRIEVAL}: unable to retrieve ecr registry auth: service call has been retried 1 time(s): AccessDeniedException: {user}: ecr:GetAuthorizationToken on resource: * because no identity-based policy allows the ecr:GetAuthorizationToken action"), sign_in.clone()),
        (format!("The task cannot pull registry auth from Amazon ECR: AccessDeniedException: {user}"), sign_in),
        (format!("{RETRIEVAL}: unable to retrieve secrets from ssm: service call has been retried 5 time(s): RequestCanceled: request context canceled caused by: context deadline exceeded"), reach.clone()),
        (format!("{RETRIEVAL}: unable to retrieve secret from asm: service call has been retried 1 time(s): failed to fetch secret {ASM_ARN} from secrets manager: RequestCanceled: request context canceled caused by: context deadline exceeded"), reach.clone()),
        ("unable to retrieve secret from asm: There is a connection issue between the task and AWS Secrets Manager. Check your task network configuration.".to_owned(), reach),
        (format!("{RETRIEVAL}: unable to retrieve secret from asm: service call has been retried 1 time(s): failed to fetch secret {ASM_ARN} from secrets manager: AccessDeniedException: {user}: secretsmanager:GetSecretValue on resource: {ASM_ARN}"), read.to_owned()),
        (format!("{RETRIEVAL}: unable to retrieve secrets from ssm: service call has been retried 1 time(s): AccessDeniedException: {user}: ssm:GetParameters on resource: arn:aws:ssm:eu-west-1:111122223333:parameter/shop/kms-url"), read.to_owned()),
        (format!("{RETRIEVAL}: unable to retrieve secrets from ssm: service call has been retried 1 time(s): invalid parameters: /shop/db/connection"), missing.to_owned()),
        (format!("{RETRIEVAL}: unable to retrieve secret from asm: failed to fetch secret {ASM_ARN} from secrets manager: ResourceNotFoundException: Secrets Manager can't find the specified secret."), missing.to_owned()),
        (format!("{RETRIEVAL}: unable to retrieve secret from asm: failed to fetch secret {ASM_ARN} from secrets manager: AccessDeniedException: Access to KMS is not allowed"), key.to_owned()),
        (format!("{RETRIEVAL}: unable to retrieve secrets from ssm: AccessDeniedException: {user}: kms:Decrypt on resource: arn:aws:kms:eu-west-1:111122223333:key/1"), key.to_owned()),
        (format!("{RETRIEVAL}: unable to retrieve secrets from ssm: service call has been retried 5 time(s): ThrottlingException: Rate exceeded"), "AWS limits how often secrets and parameters may be read: ECS tries again; raise the throughput of Parameter Store, or start fewer tasks at once".to_owned()),
        (format!("{RETRIEVAL}: unable to get registry auth from asm: service call has been retried 1 time(s): asm fetching secret from the service for {ASM_ARN}: ResourceNotFoundException: Secrets Manager can't find the specified secret."), "the secret with the registry's credentials does not exist: create it, or correct `repositoryCredentials`".to_owned()),
        (format!("{RETRIEVAL}: unable to get registry auth from asm: AccessDeniedException: {user}: secretsmanager:GetSecretValue"), "the task may not read the registry's credentials: let the execution role call secretsmanager:GetSecretValue for the secret of `repositoryCredentials`".to_owned()),
        ("RequestError: send request failed: i/o timeout".to_owned(), "the task cannot reach ECR, SSM or Secrets Manager: give its subnets a NAT gateway, a public IP address, or VPC endpoints for ecr.api, ecr.dkr, s3, ssm, secretsmanager and kms".to_owned()),
    ];
    for (words, sentence) in cases {
        let reason = format!("{AUTH}: {words}");
        let told = said(task("TaskFailedToStart", &reason, &[json!({ "name": "app" })])).unwrap();
        let shown = super::shortened(&reason);
        assert_eq!(told, format!("1 task stopped: {sentence} [ECS: {shown}]"));
    }
}

#[test]
fn volumes_and_what_ec2_refuses() {
    let cases = [
        (
            "ResourceInitializationError: ECS was unable to create the EBS volume: UnauthorizedOperation: You are not authorized to perform this operation.",
            "ECS may not create or attach the service's EBS volume: let the infrastructure role manage volumes (AmazonECSInfrastructureRolePolicyForVolumes)",
        ),
        (
            "ResourceInitializationError: ECS was unable to create the EBS volume: VolumeLimitExceeded: You have exceeded your maximum volume storage.",
            "the account has no room for another EBS volume: raise the quota for EBS volumes",
        ),
        (
            "ResourceInitializationError: ECS was unable to create the EBS volume: RequestLimitExceeded: Request limit exceeded.",
            "AWS throttles the making of EBS volumes: ECS tries again",
        ),
        (
            "ResourceInitializationError: ECS timed out while attempting to attach the EBS volume to the task.",
            "an EBS volume could not be attached: check the zone and the state of the volume or its snapshot",
        ),
        (
            "ECS was unable to assume the configured ECS Infrastructure Role 'arn:aws:iam::111122223333:role/shop-volumes'. Please verify that the role being passed has the proper trust relationship with Amazon ECS.",
            "ECS cannot assume the infrastructure role: check that the role exists and trusts ecs.amazonaws.com",
        ),
        (
            "ResourceInitializationError: failed to mount FSx for Windows File Server volume: AccessDeniedException: not authorized to perform: fsx:DescribeFileSystems",
            "an FSx volume cannot be mounted: check the file system and its credentials",
        ),
        (
            "ResourceInitializationError: failed to mount FSx for Windows File Server volume: network path was not reached",
            "an FSx volume cannot be mounted: check the file system, its directory service and the way to it",
        ),
        (
            "ResourceInitializationError: failed to invoke EFS utils commands to set up EFS volumes: stderr: b'mount.nfs4: access denied by server while mounting 127.0.0.1:/' : unsuccessful EFS utils command execution; code: 32",
            "the EFS file system refuses the mount: check its policy, the access point and the task role's elasticfilesystem:ClientMount",
        ),
        (
            "ResourceInitializationError: failed to invoke EFS utils commands to set up EFS volumes: stderr: Failed to resolve \"fs-01234567.efs.eu-west-1.amazonaws.com\" - check that your file system ID is correct",
            "the task cannot reach its EFS file system: give each zone a mount target, and let its security group take TCP 2049 from the task's",
        ),
        (
            "Unexpected EC2 error while attempting to Create Network Interface with public IP assignment disabled in subnet 'subnet-1': RequestLimitExceeded",
            "AWS throttles the making of network interfaces: ECS tries again",
        ),
        (
            "Unexpected EC2 error while attempting to Create Network Interface with public IP assignment disabled in subnet 'subnet-1': NetworkInterfaceLimitExceeded",
            "the account has no network interface left: raise the quota for network interfaces per region",
        ),
    ];
    for (reason, sentence) in cases {
        let told = said(task("TaskFailedToStart", reason, &[json!({ "name": "app" })])).unwrap();
        assert_eq!(told, format!("1 task stopped: {sentence} [ECS: {reason}]"));
    }
}

/// The container that could not be pulled says why, and not one that was never started.
#[test]
fn a_container_that_cannot_be_started_says_why() {
    let reason = "CannotPullContainerError: pull image manifest has been retried 5 time(s): failed to resolve ref web:v9: web:v9: not found";
    let containers = [
        json!({ "name": "proxy" }),
        json!({ "name": "logs", "reason": reason }),
        container("app", 0),
    ];
    assert_eq!(
        said(task("TaskFailedToStart", "Task failed to start", &containers)).unwrap(),
        format!(
            "1 task stopped: the image is not in its registry: push it, or correct its name or tag [ECS: {reason}]"
        )
    );
}
