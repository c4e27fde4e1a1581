//! The order in which people read the members of a block. What is not named here follows in the order of the API.

use crds::ecs::{ContainerDefinition, Member, ServiceDefinition, Shape, TaskDefinition};

const TASK_DEFINITION: &[&str] = &[
    "family",
    "requiresCompatibilities",
    "networkMode",
    "cpu",
    "memory",
    "runtimePlatform",
    "ephemeralStorage",
    "executionRoleArn",
    "taskRoleArn",
    "containerDefinitions",
];

const CONTAINER: &[&str] = &[
    "name",
    "image",
    "repositoryCredentials",
    "essential",
    "cpu",
    "memory",
    "memoryReservation",
    "entryPoint",
    "command",
    "portMappings",
    "environment",
    "environmentFiles",
    "secrets",
    "mountPoints",
    "volumesFrom",
    "dependsOn",
    "healthCheck",
    "logConfiguration",
    "firelensConfiguration",
];

const SERVICE: &[&str] = &[
    "schedulingStrategy",
    "launchType",
    "capacityProviderStrategy",
    "platformVersion",
    "desiredCount",
    "networkConfiguration",
    "loadBalancers",
    "healthCheckGracePeriodSeconds",
    "serviceRegistries",
    "serviceConnectConfiguration",
    "deploymentController",
    "deploymentConfiguration",
];

/// The members of a structure in the order in which they are written.
pub(super) fn members(shape: &'static Shape) -> Vec<&'static Member> {
    let first: &[&str] = if shape == TaskDefinition::SHAPE {
        TASK_DEFINITION
    } else if shape == ContainerDefinition::SHAPE {
        CONTAINER
    } else if shape == ServiceDefinition::SHAPE {
        SERVICE
    } else {
        &[]
    };
    let named = first.iter().filter_map(|name| shape.member(name));
    let others = shape.members.iter().filter(|member| !first.contains(&member.name));
    let (tags, others): (Vec<_>, Vec<_>) = others.partition(|member| member.name == "tags");
    named.chain(others).chain(tags).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_member_is_written_once() {
        for (shape, first) in [
            (TaskDefinition::SHAPE, TASK_DEFINITION),
            (ContainerDefinition::SHAPE, CONTAINER),
            (ServiceDefinition::SHAPE, SERVICE),
        ] {
            for name in first {
                assert!(shape.member(name).is_some(), "{} has no {name}", shape.name);
            }
            let mut names: Vec<&str> = members(shape).iter().map(|member| member.name).collect();
            assert_eq!(names.len(), shape.members.len());
            names.sort_unstable();
            names.dedup();
            assert_eq!(names.len(), shape.members.len());
        }
    }
}
