//! The causes that ECS's words can be brought down to, a row each; the first row that matches is the cause.
//!
//! ECS changes its wording now and then and cuts long texts, so a row asks for a few telling words in lower case, not for a
//! whole text (aws.md §3.10, §3.11).

use super::row::{Cause, Row, find, rows};
use super::{Outlook, exits};
use crate::observed::{StoppedContainer, StoppedTask};

rows! { REGISTRIES:
    Hopeless ["ecr:getauthorizationtoken"] ["accessdenied", "access denied", "not authorized"]
        "the task may not sign in to the image's registry"
        => "let the execution role call ecr:GetAuthorizationToken";
    Hopeless ["ecr registry auth"] ["accessdenied", "access denied", "not authorized"]
        "the task may not sign in to the image's registry"
        => "let the execution role call ecr:GetAuthorizationToken";
    Hopeless ["registry auth from amazon ecr"] ["accessdenied", "access denied", "not authorized"]
        "the task may not sign in to the image's registry"
        => "let the execution role call ecr:GetAuthorizationToken";
    Unclear ["ecr registry auth"] ["timeout", "timed out", "deadline exceeded", "request canceled", "connection", "network configuration", "no such host"]
        "the task cannot reach the image's registry"
        => "give its subnets a NAT gateway, a public IP address, or VPC endpoints for ecr.api, ecr.dkr and s3";
    Unclear ["registry auth from amazon ecr"] ["timeout", "timed out", "deadline exceeded", "request canceled", "connection", "network configuration", "no such host"]
        "the task cannot reach the image's registry"
        => "give its subnets a NAT gateway, a public IP address, or VPC endpoints for ecr.api, ecr.dkr and s3";
    Unclear ["//api.ecr"] ["timeout", "timed out", "deadline exceeded", "request canceled", "connection", "no such host"]
        "the task cannot reach the image's registry"
        => "give its subnets a NAT gateway, a public IP address, or VPC endpoints for ecr.api, ecr.dkr and s3";
    Hopeless ["registry auth from asm"] ["resourcenotfound", "can't find the specified secret", "not found"]
        "the secret with the registry's credentials does not exist"
        => "create it, or correct `repositoryCredentials`";
    Hopeless ["registry auth from asm"] ["accessdenied", "access denied", "not authorized"]
        "the task may not read the registry's credentials"
        => "let the execution role call secretsmanager:GetSecretValue for the secret of `repositoryCredentials`";
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
    Hopeless ["secret"] ["access to kms", "kms:decrypt", "kms key", "kmsaccessdenied"]
        "the key of a secret may not be used by the task"
        => "let the execution role call kms:Decrypt for the secret's key";
    Hopeless ["secret"] ["accessdenied", "access denied", "not authorized"]
        "the task may not read one of its secrets"
        => "let the execution role call ssm:GetParameters or secretsmanager:GetSecretValue, and kms:Decrypt for its key";
    Passing ["secret"] ["throttl", "rate exceeded", "too many requests"]
        "AWS limits how often secrets and parameters may be read"
        => "ECS tries again; raise the throughput of Parameter Store, or start fewer tasks at once";
    Unclear ["secret", "ssm"] ["timeout", "timed out", "deadline exceeded", "request canceled", "connection", "network configuration", "no such host"]
        "the task cannot reach SSM or Secrets Manager"
        => "give its subnets a NAT gateway, a public IP address, or VPC endpoints for ssm, secretsmanager and kms";
    Unclear ["secret", "from asm"] ["timeout", "timed out", "deadline exceeded", "request canceled", "connection", "network configuration", "no such host"]
        "the task cannot reach SSM or Secrets Manager"
        => "give its subnets a NAT gateway, a public IP address, or VPC endpoints for ssm, secretsmanager and kms";
    Unclear ["secret", "secrets manager"] ["timeout", "timed out", "deadline exceeded", "request canceled", "connection", "network configuration", "no such host"]
        "the task cannot reach SSM or Secrets Manager"
        => "give its subnets a NAT gateway, a public IP address, or VPC endpoints for ssm, secretsmanager and kms";
    Unclear ["secret", "//secretsmanager"] ["timeout", "timed out", "deadline exceeded", "request canceled", "connection", "network configuration", "no such host"]
        "the task cannot reach SSM or Secrets Manager"
        => "give its subnets a NAT gateway, a public IP address, or VPC endpoints for ssm, secretsmanager and kms";
    Unclear ["registry auth"] ["timeout", "timed out", "deadline exceeded", "request canceled", "connection", "network configuration", "no such host"]
        "the task cannot reach ECR, SSM or Secrets Manager"
        => "give its subnets a NAT gateway, a public IP address, or VPC endpoints for ecr.api, ecr.dkr, s3, ssm, secretsmanager and kms";
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
    Hopeless ["fsx"] ["accessdenied", "access denied", "not authorized", "notfound", "does not exist"]
        "an FSx volume cannot be mounted"
        => "check the file system and its credentials";
    Unclear ["fsx"] []
        "an FSx volume cannot be mounted"
        => "check the file system, its directory service and the way to it";
    Passing ["network interface"] ["requestlimit", "throttl", "rate exceeded"]
        "AWS throttles the making of network interfaces"
        => "ECS tries again";
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
    Hopeless ["assume"] ["infrastructure role"]
        "ECS cannot assume the infrastructure role"
        => "check that the role exists and trusts ecs.amazonaws.com";
    Hopeless ["assume"] ["role"]
        "ECS cannot assume a role of the task"
        => "check that the role exists and trusts ecs-tasks.amazonaws.com";
    Hopeless ["volume"] ["infrastructure role", "not authorized", "unauthorizedoperation"]
        "ECS may not create or attach the service's EBS volume"
        => "let the infrastructure role manage volumes (AmazonECSInfrastructureRolePolicyForVolumes)";
    Passing ["volume"] ["requestlimit", "throttl", "rate exceeded"]
        "AWS throttles the making of EBS volumes"
        => "ECS tries again";
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
    Unclear ["essential container in task exited"] []
        "an essential container ended, and ECS shows no exit code"
        => "read its log";
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

/// What a stopped task comes down to, by the container that is told of, if one is.
pub(super) fn of_task(task: &StoppedTask, container: Option<&StoppedContainer>) -> Cause {
    let known = |words: &str| {
        let text = without_names(&format!("{} {words}", task.stop_code).to_lowercase());
        // An image's name may have the words of all the others.
        let is_pull = text.contains("cannotpull");
        let known: &[&[Row]] = if is_pull { &[REGISTRIES, IMAGES] } else { &[REGISTRIES, SECRETS] };
        find(known, &text).or_else(|| find(&[IMAGES, RESOURCES, CONTAINERS, PLACES, HOSTS], &text))
    };
    let reason = container.and_then(|container| container.reason.as_deref());
    let of_container = container.and_then(|container| {
        exits::out_of_memory(container)
            .or_else(|| reason.and_then(known))
            .or_else(|| exits::of(container))
    });
    of_container.or_else(|| known(&task.reason)).unwrap_or_else(|| Cause {
        outlook: Outlook::Unclear,
        says: match (container, reason) {
            (Some(container), Some(reason)) => format!("container {}: {reason}", container.name),
            (Some(_) | None, _) => task.reason.clone(),
        },
        remedy: "",
    })
}

/// What one line of the service's log says against its tasks, if anything.
pub(super) fn of_event(message: &str) -> Option<Cause> {
    let text = without_names(&message.to_lowercase());
    if text.contains("unable to place a task") || text.contains("could not launch") {
        let known: [&[Row]; 6] = [REGISTRIES, SECRETS, IMAGES, RESOURCES, PLACES, HOSTS];
        return Some(find(&known, &text).unwrap_or_else(|| Cause {
            outlook: Outlook::Capacity,
            says: "ECS cannot place a task".to_owned(),
            remedy: "look at the closest match that ECS names",
        }));
    }
    if text.contains("is unhealthy in") || text.contains("health check") {
        return find(&[CONTAINERS], &text);
    }
    find(&[STATES], &text)
}

/// The text without the names that people gave: what is in round brackets at its start, and every ARN. `user-prefs` is no file
/// system, and `volume-api` no volume.
fn without_names(text: &str) -> String {
    let text = match text.strip_prefix('(').and_then(|rest| rest.split_once(')')) {
        Some((_, rest)) => rest,
        None => text,
    };
    let words = text.split(' ').map(|word| match word.find("arn:aws") {
        Some(at) => word.get(..at).unwrap_or_default(),
        None => word,
    });
    words.collect::<Vec<_>>().join(" ")
}
