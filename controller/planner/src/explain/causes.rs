//! The causes that ECS's words can be brought down to, a row each; the first row that matches is the cause.
//!
//! ECS changes its wording now and then and cuts long texts, so a row asks for a few telling words in lower case, not for a
//! whole text (aws.md §3.10, §3.11).

use super::Outlook::{self, Capacity, Hopeless, Passing, Unclear};
use crate::observed::StoppedTask;

/// What ECS's words come down to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Cause {
    pub(super) outlook: Outlook,
    /// What happened, as it reads after "2 tasks stopped:".
    pub(super) says: String,
    pub(super) remedy: &'static str,
}

/// Words that tell a cause.
struct Row {
    /// All of these have to be there; the empty list asks for nothing.
    all: &'static [&'static str],
    /// At least one of these has to be there; the empty list asks for nothing.
    any: &'static [&'static str],
    outlook: Outlook,
    says: &'static str,
    remedy: &'static str,
}

macro_rules! rows {
    ($name:ident: $($outlook:ident [$($all:literal),*] [$($any:literal),*] $says:literal => $remedy:literal;)+) => {
        const $name: &[Row] = &[$(
            Row { all: &[$($all),*], any: &[$($any),*], outlook: $outlook, says: $says, remedy: $remedy },
        )+];
    };
}

rows! { IMAGES:
    Passing ["pull"] ["toomanyrequests", "rate limit", "rate exceeded"]
        "the registry limits how often images may be pulled"
        => "pull through an ECR pull-through cache, or set `repositoryCredentials`";
    Hopeless ["pull"] ["no matching manifest", "does not match the specified platform", "matching platform", "image operating system"]
        "the image has no variant for the task's platform"
        => "build the image for that platform, or change `runtimePlatform`";
    Hopeless ["pull"] ["invalid reference format", "invalidparameterexception"]
        "the image's name cannot be read"
        => "correct `image`";
    Hopeless ["pull"] ["access denied", "accessdenied", "no basic auth", "not authorized", "authorization failed", "unauthorized", "forbidden"]
        "the registry does not let the task pull the image"
        => "let the execution role call ecr:GetAuthorizationToken, ecr:BatchGetImage and ecr:GetDownloadUrlForLayer, or set `repositoryCredentials`";
    Unclear ["pull"] ["no space left"]
        "there is no room left for the image on the task's disk"
        => "raise `ephemeralStorage`, or free the instance's disk";
    Unclear ["pull image"] ["timeout", "timed out", "deadline exceeded", "connection refused", "no route to host", "unreachable", "request canceled", "network configuration", "no such host"]
        "the task cannot reach the image's registry"
        => "give its subnets a NAT gateway, a public IP address, or VPC endpoints for ecr.api, ecr.dkr and s3";
    Unclear ["cannotpull"] ["timeout", "timed out", "deadline exceeded", "connection refused", "no route to host", "unreachable", "request canceled", "network configuration", "no such host"]
        "the task cannot reach the image's registry"
        => "give its subnets a NAT gateway, a public IP address, or VPC endpoints for ecr.api, ecr.dkr and s3";
    Hopeless ["pull"] ["not found", "manifest unknown", "name unknown", "does not exist", "notfound"]
        "the image is not in its registry"
        => "push it, or correct its name or tag";
}

rows! { SECRETS:
    Hopeless ["secret"] ["did not contain json key", "does not contain json key"]
        "a secret has no such key"
        => "correct the key in `valueFrom`, or add it to the secret";
    Hopeless ["secret"] ["marked for deletion", "scheduled for deletion", "marked deleted"]
        "a secret is scheduled for deletion"
        => "restore it, or name another one in `valueFrom`";
    Hopeless ["secret"] ["resourcenotfound", "invalid parameters", "can't find the specified secret", "parameternotfound", "not found"]
        "a secret or parameter that the task needs does not exist"
        => "create it, or correct `valueFrom`";
    Hopeless ["secret"] ["kms", "decrypt"]
        "the key of a secret may not be used by the task"
        => "let the execution role call kms:Decrypt for the secret's key";
    Hopeless ["secret"] ["accessdenied", "access denied", "not authorized"]
        "the task may not read one of its secrets"
        => "let the execution role call ssm:GetParameters or secretsmanager:GetSecretValue, and kms:Decrypt for its key";
    Hopeless ["registry auth"] ["accessdenied", "access denied", "not authorized"]
        "the task may not sign in to the image's registry"
        => "let the execution role call ecr:GetAuthorizationToken";
    Unclear ["secret"] ["timeout", "timed out", "deadline exceeded", "request canceled", "connection", "network configuration", "no such host"]
        "the task cannot reach SSM or Secrets Manager"
        => "give its subnets a NAT gateway, a public IP address, or VPC endpoints for ssm, secretsmanager and kms";
    Unclear ["registry auth"] ["timeout", "timed out", "deadline exceeded", "request canceled", "connection", "network configuration"]
        "the task cannot reach the image's registry"
        => "give its subnets a NAT gateway, a public IP address, or VPC endpoints for ecr.api, ecr.dkr and s3";
}

rows! { RESOURCES:
    Hopeless ["log group"] ["does not exist", "notfound"]
        "the log group does not exist"
        => "create it, or set `awslogs-create-group`";
    Hopeless ["not authorized"] ["logs:"]
        "the task may not write its log"
        => "let the execution role call logs:CreateLogStream and logs:PutLogEvents, and logs:CreateLogGroup with `awslogs-create-group`";
    Hopeless ["accessdenied"] ["logs:", "log stream", "logging driver"]
        "the task may not write its log"
        => "let the execution role call logs:CreateLogStream and logs:PutLogEvents, and logs:CreateLogGroup with `awslogs-create-group`";
    Unclear [] ["failed to validate logger args", "failed to initialize logging driver", "failed to create log stream"]
        "the log driver cannot be started"
        => "check `logConfiguration` and the way to the log's endpoint";
    Hopeless ["env file"] ["accessdenied", "access denied", "forbidden", "notfound", "not found", "nosuchkey", "nosuchbucket"]
        "an environment file cannot be read from S3"
        => "check its ARN, and let the execution role call s3:GetObject and s3:GetBucketLocation";
    Unclear ["env file"] []
        "an environment file cannot be read from S3"
        => "check its ARN, the execution role, and the way to S3";
    Hopeless ["efs"] ["access denied", "accessdenied", "not authorized"]
        "the EFS file system refuses the mount"
        => "check its policy, the access point and the task role's elasticfilesystem:ClientMount";
    Unclear ["efs"] ["timed out", "timeout", "failed to resolve", "connection"]
        "the task cannot reach its EFS file system"
        => "give each zone a mount target, and let its security group take TCP 2049 from the task's";
    Unclear [] ["efs utils", "mount.nfs", "efs"]
        "an EFS volume cannot be mounted"
        => "check the file system, its mount targets and its access point";
    Hopeless ["fsx"] ["accessdenied", "not authorized", "notfound", "does not exist"]
        "an FSx volume cannot be mounted"
        => "check the file system and its credentials";
    Capacity ["network interface"] ["insufficientfreeaddresses", "free addresses", "not have enough free"]
        "the subnets have no free IP addresses"
        => "add subnets, or free addresses";
    Capacity ["network interface"] ["limitexceeded", "limit exceeded", "limit"]
        "the account has no network interface left"
        => "raise the quota for network interfaces per region";
    Hopeless ["network interface"] ["invalidsubnet", "invalidgroup", "invalidsecuritygroup", "does not exist", "notfound"]
        "a subnet or security group of the service does not exist"
        => "correct `networkConfiguration`";
    Hopeless ["network interface"] ["unauthorizedoperation", "not authorized"]
        "ECS may not create network interfaces"
        => "check the service-linked role AWSServiceRoleForECS and the organisation's policies";
    Passing ["network interface"] []
        "a network interface could not be created"
        => "ECS tries again; if it goes on, look at the subnets";
    Hopeless ["assume"] ["role"]
        "ECS cannot assume a role of the task"
        => "check that the role exists and trusts ecs-tasks.amazonaws.com";
    Hopeless ["volume"] ["infrastructure role", "not authorized", "unauthorizedoperation"]
        "ECS may not create or attach the service's EBS volume"
        => "let the infrastructure role manage volumes (AmazonECSInfrastructureRolePolicyForVolumes)";
    Capacity ["volume"] ["limitexceeded", "insufficient"]
        "the account has no room for another EBS volume"
        => "raise the quota for EBS volumes";
    Unclear ["volume", "attach"] []
        "an EBS volume could not be attached"
        => "check the zone and the state of the volume or its snapshot";
}

rows! { PLACES:
    Capacity [] ["capacity is unavailable", "resource:fargate", "insufficient capacity", "insufficientinstancecapacity"]
        "AWS has no capacity for the task in these zones now"
        => "wait, add zones, or add FARGATE beside FARGATE_SPOT";
    Capacity [] ["reached the limit on the number of", "vcpu limit", "above your limit", "concurrently running"]
        "the account's quota for running tasks is used up"
        => "raise the Fargate vCPU quota, or free tasks";
    Capacity ["resource:"] ["cpu"]
        "no container instance has the CPU that a task asks for"
        => "add instances, or lower `cpu`";
    Capacity ["resource:"] ["memory"]
        "no container instance has the memory that a task asks for"
        => "add instances, or lower `memory`";
    Capacity ["resource:"] ["port"]
        "the host ports that a task asks for are taken on every instance"
        => "use dynamic ports (`hostPort` 0), or add instances";
    Capacity ["resource:"] ["eni"]
        "no container instance has a network interface left"
        => "turn on ENI trunking (awsvpcTrunking), or add instances";
    Capacity ["resource:"] ["gpu"]
        "no container instance has the GPUs that a task asks for"
        => "add instances with GPUs";
    Capacity [] ["insufficient cpu"]
        "no container instance has the CPU that a task asks for"
        => "add instances, or lower `cpu`";
    Capacity [] ["insufficient memory"]
        "no container instance has the memory that a task asks for"
        => "add instances, or lower `memory`";
    Capacity [] ["already using a port", "port is already allocated", "address already in use"]
        "the host ports that a task asks for are taken"
        => "use dynamic ports (`hostPort` 0), or add instances";
    Capacity [] ["no active instances", "no container instances were found", "empty capacity provider"]
        "the cluster has no container instance for the task"
        => "add instances, or check the capacity provider's Auto Scaling group";
    Unclear [] ["placement constraint unsatisfied", "didn't match the placement constraint", "did not match the placement constraint"]
        "no container instance satisfies the placement constraints"
        => "check `placementConstraints` and the instances' attributes";
    Unclear [] ["missing an attribute", "taskfailedtostart attribute"]
        "no container instance has an attribute that the task requires"
        => "update the ECS agents, or check launch type, network mode and log driver";
    Capacity [] ["agent is disconnected", "agent disconnected", "taskfailedtostart agent"]
        "the ECS agents of the container instances are not connected"
        => "check the agent on the instances";
}

rows! { CONTAINERS:
    Hopeless [] ["exec format error"]
        "the image was built for another processor"
        => "build the image for the task's platform, or change `runtimePlatform`";
    Hopeless ["cannotstart"] ["executable file not found", "no such file or directory"]
        "the container's command is not in its image"
        => "correct `entryPoint` or `command`";
    Hopeless ["cannotstart"] ["permission denied"]
        "the container's command is not executable"
        => "set the execute bit in the image, or correct `entryPoint`, `command` or `user`";
    Unclear [] ["outofmemory", "out of memory"]
        "a container ran out of memory"
        => "raise `memory` of the container or the task";
    Unclear ["cannotstart"] []
        "a container cannot be started"
        => "check `command`, `user`, `linuxParameters` and the mount points";
    Unclear ["cannotcreatecontainer"] ["volume", "mount"]
        "a container's volume cannot be mounted"
        => "check `volumes` and `mountPoints`";
    Unclear ["cannotcreatecontainer"] []
        "a container cannot be created"
        => "check its definition, and the instance's disk";
    Unclear ["cannotcreatevolume"] []
        "a volume cannot be created"
        => "check `volumes` and the volume's driver";
    Passing [] ["containerruntime", "dockertimeout", "cannotinspectcontainer", "cannotstopcontainer"]
        "the container runtime of the host did not answer"
        => "ECS starts another task";
    Unclear [] ["failed elb health checks", "is unhealthy in (target-group", "failed health checks in (target-group"]
        "tasks fail the health check of their target group"
        => "check its path, port and codes, the security groups, and `healthCheckGracePeriodSeconds`";
    Unclear [] ["failed container health checks", "failed container health"]
        "tasks fail their container health check"
        => "check `healthCheck.command`, and `startPeriod`";
    Unclear ["health check"] []
        "tasks fail a health check"
        => "check what it asks for, and how long the program takes to start";
}

rows! { HOSTS:
    Passing [] ["spotinterruption"]
        "AWS took Spot capacity back"
        => "ECS starts another task; FARGATE beside FARGATE_SPOT keeps a base";
    Passing [] ["terminationnotice", "host ec2", "retire", "maintenance"]
        "AWS retired the task's host"
        => "ECS starts another task";
    Passing [] ["infrastructurehealth"]
        "the task's host failed"
        => "ECS starts another task";
    Passing [] ["internalerror", "internal error", "throttl", "rate exceeded", "server exception"]
        "AWS had a problem of its own"
        => "ECS tries again";
}

rows! { STATES:
    Unclear [] ["because of the service deployment configuration"]
        "ECS can neither start nor stop a task under the service's percentages"
        => "raise `maximumPercent`, lower `minimumHealthyPercent`, or raise `desiredCount`";
    Unclear [] ["protected tasks"]
        "tasks are protected from being stopped"
        => "wait for the end of their protection, or remove it";
    Passing [] ["operations are being throttled"]
        "AWS throttles ECS's own calls"
        => "ECS tries again";
    Unclear [] ["unable to consistently start tasks"]
        "tasks fail again and again, and ECS waits ever longer before the next one"
        => "look at the reasons of the stopped tasks";
}

/// What a stopped task's words come down to.
pub(super) fn of_task(task: &StoppedTask) -> Cause {
    if let Some(cause) = of_exit(task) {
        return cause;
    }
    let container = task.container.as_ref();
    let words = container.and_then(|container| container.reason.as_deref()).unwrap_or(&task.reason);
    let text = format!("{} {}", task.stop_code, words).to_lowercase();
    let known = [SECRETS, IMAGES, RESOURCES, CONTAINERS, PLACES, HOSTS];
    find(&known, &text).unwrap_or_else(|| Cause {
        outlook: Unclear,
        says: match container {
            Some(container) if container.reason.is_some() => {
                format!("container {}: {words}", container.name)
            }
            Some(_) | None => words.to_owned(),
        },
        remedy: "",
    })
}

/// What one line of the service's log says against its tasks, if anything.
pub(super) fn of_event(message: &str) -> Option<Cause> {
    let text = message.to_lowercase();
    if text.contains("unable to place a task") || text.contains("could not launch") {
        let known = [SECRETS, IMAGES, RESOURCES, PLACES, HOSTS];
        return Some(find(&known, &text).unwrap_or_else(|| Cause {
            outlook: Capacity,
            says: "ECS cannot place a task".to_owned(),
            remedy: "look at the closest match that ECS names",
        }));
    }
    if text.contains("is unhealthy in") || text.contains("health check") {
        return find(&[CONTAINERS], &text);
    }
    find(&[STATES], &text)
}

fn find(known: &[&[Row]], text: &str) -> Option<Cause> {
    known
        .iter()
        .flat_map(|rows| rows.iter())
        .find(|row| {
            row.all.iter().all(|word| text.contains(word))
                && (row.any.is_empty() || row.any.iter().any(|word| text.contains(word)))
        })
        .map(|row| Cause { outlook: row.outlook, says: row.says.to_owned(), remedy: row.remedy })
}

/// What an exit code says, where ECS adds nothing that says more.
fn of_exit(task: &StoppedTask) -> Option<Cause> {
    let container = task.container.as_ref()?;
    let code = container.exit_code?;
    let name = &container.name;
    if container.reason.as_deref().is_some_and(|reason| reason.contains("OutOfMemory")) {
        return Some(Cause {
            outlook: Unclear,
            says: format!("container {name} exited with {code}: it ran out of memory"),
            remedy: "raise `memory` of the container or the task",
        });
    }
    let (meaning, remedy) = match code {
        0 => (
            "its program ended by itself",
            "a service's essential container has to go on running; mark it `essential: false` if it may end",
        ),
        126 => ("its command is not executable", "correct `entryPoint` or `command`"),
        127 => ("its command was not found", "correct `entryPoint` or `command`"),
        134 => ("its program aborted", "read the container's log"),
        137 => (
            "it was killed",
            "look for memory that ran out, and for a `stopTimeout` that is too short",
        ),
        139 => ("its program crashed with a memory fault", "read the container's log"),
        143 => ("it was asked to end", "find out who sent the signal"),
        _ => ("", "read the container's log"),
    };
    let says = if meaning.is_empty() {
        format!("container {name} exited with {code}")
    } else {
        format!("container {name} exited with {code}: {meaning}")
    };
    Some(Cause { outlook: Unclear, says, remedy })
}
