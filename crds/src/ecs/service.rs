//! `CreateService`'s and `UpdateService`'s input.

use super::capacity::CapacityProviderStrategyItem;
use super::deployment::{DeploymentConfiguration, DeploymentController};
use super::gateway::GatewayConnector;
use super::load_balancing::{LoadBalancer, ServiceRegistry, VpcLatticeConfiguration};
use super::monitoring::MonitoringConfiguration;
use super::network::NetworkConfiguration;
use super::placement::{PlacementConstraint, PlacementStrategy};
use super::service_connect::ServiceConnectConfiguration;
use super::service_volume::ServiceVolumeConfiguration;
use super::shape::{Absent, Effect, Unit};
use super::table::{enumerations, shapes};
use super::tag::Tag;
use super::volume::Switch;

shapes! {
    /// How tasks are kept running: the input of `CreateService`, name for name, without `cluster`, `serviceName`,
    /// `taskDefinition` and `clientToken`, which the object's other fields say.
    pub struct ServiceDefinition {
        /// Spreads tasks evenly over Availability Zones. ECS's own default for new services: `ENABLED` where possible.
        availability_zone_rebalancing as "availabilityZoneRebalancing": Option<Switch>
            => absent(Absent::Server), effect(Effect::InPlace);
        /// The target groups that tasks are registered with, at most 5.
        load_balancers as "loadBalancers": Option<Vec<LoadBalancer>>
            => keyed_by(&["targetGroupArn", "loadBalancerName", "containerName", "containerPort"]),
               effect(Effect::RollsTasks);
        /// The Cloud Map service that tasks are registered in, at most one.
        service_registries as "serviceRegistries": Option<Vec<ServiceRegistry>>
            => keyed_by(&["registryArn"]), effect(Effect::RollsTasks);
        /// How many tasks, 0-5000. Leave it out where `scaling` or another party decides. Not for `DAEMON`.
        desired_count as "desiredCount": Option<i32>
            => absent(Absent::Server), effect(Effect::InPlace), limits(0.0, 5000.0);
        /// What tasks run on. Without it and without `capacityProviderStrategy` the cluster's default counts.
        launch_type as "launchType": Option<LaunchType>
            => absent(Absent::Server), effect(Effect::Replacement), yields_to("capacityProviderStrategy");
        /// Capacity providers and their shares, instead of `launchType`. `FARGATE_SPOT` and Managed Instances need it.
        capacity_provider_strategy as "capacityProviderStrategy": Option<Vec<CapacityProviderStrategyItem>>
            => keyed_by(&["capacityProvider"]), absent(Absent::Server), effect(Effect::NeedsForce);
        /// The version of Fargate. Default: `LATEST`.
        platform_version as "platformVersion": Option<String> => is_text("LATEST"), effect(Effect::RollsTasks);
        /// The role by which ECS calls a load balancer where the service-linked role is not used. Not with `awsvpc`.
        role as "role": Option<String>
            => unit(Unit::RoleName), absent(Absent::Server), effect(Effect::Replacement);
        /// How ECS carries out a deployment. A spec without it leaves the running service's alone.
        deployment_configuration as "deploymentConfiguration": Option<DeploymentConfiguration>
            => absent(Absent::Server), effect(Effect::InPlace);
        /// Rules for the container instances that may run tasks, at most 10. Not on Fargate.
        placement_constraints as "placementConstraints": Option<Vec<PlacementConstraint>>
            => set(), effect(Effect::InPlace);
        /// How tasks are spread over container instances, first rule first, at most 5. Not on Fargate, not for `DAEMON`.
        placement_strategy as "placementStrategy": Option<Vec<PlacementStrategy>> => effect(Effect::InPlace);
        /// Subnets and security groups of `awsvpc` tasks, which need it.
        network_configuration as "networkConfiguration": Option<NetworkConfiguration>
            => absent(Absent::Server), effect(Effect::RollsTasks);
        /// Seconds after a task's start in which failing health checks do not stop it. Default: 0.
        health_check_grace_period_seconds as "healthCheckGracePeriodSeconds": Option<i32>
            => is_integer(0), effect(Effect::InPlace), limits(0.0, 2_147_483_647.0);
        /// `REPLICA`: so many tasks; `DAEMON`: one task on each container instance. Default: `REPLICA`.
        scheduling_strategy as "schedulingStrategy": Option<SchedulingStrategy>
            => is_text("REPLICA"), effect(Effect::Replacement);
        /// Who carries out deployments. Default: ECS.
        deployment_controller as "deploymentController": Option<DeploymentController>
            => is_defaults(), effect(Effect::Replacement);
        /// Tags of the service. Longshore adds its own.
        tags as "tags": Option<Vec<Tag>> => keyed_by(&["key"]), effect(Effect::InPlace);
        /// Tags tasks with the cluster's and the service's names. Default: false.
        enable_ecs_managed_tags as "enableECSManagedTags": Option<bool>
            => is_boolean(false), effect(Effect::NewTasksOnly);
        /// From where tasks take their tags. Default: `NONE`.
        propagate_tags as "propagateTags": Option<PropagateTags>
            => is_text("NONE"), effect(Effect::NewTasksOnly);
        /// Lets `aws ecs execute-command` into the containers. Default: false.
        enable_execute_command as "enableExecuteCommand": Option<bool>
            => is_boolean(false), effect(Effect::NewTasksOnly);
        /// The service's part in Service Connect.
        service_connect_configuration as "serviceConnectConfiguration": Option<ServiceConnectConfiguration>
            => is_defaults(), effect(Effect::RollsTasks);
        /// EBS storage for the volume that the task definition leaves to launch. `REPLICA` only.
        volume_configurations as "volumeConfigurations": Option<Vec<ServiceVolumeConfiguration>>
            => keyed_by(&["name"]), effect(Effect::RollsTasks);
        /// The VPC Lattice target groups that tasks are registered with.
        vpc_lattice_configurations as "vpcLatticeConfigurations": Option<Vec<VpcLatticeConfiguration>>
            => keyed_by(&["targetGroupArn", "portName"]), effect(Effect::RollsTasks);
        /// The gateway that sends traffic to the service, at most one.
        gateway_connectors as "gatewayConnectors": Option<Vec<GatewayConnector>>
            => keyed_by(&["portName"]), absent(Absent::InputOnly), effect(Effect::RollsTasks);
        /// How often metrics of the service are taken.
        monitoring as "monitoring": Option<MonitoringConfiguration>
            => absent(Absent::InputOnly), effect(Effect::InPlace);
    }
}

enumerations! {
    /// What tasks run on.
    pub enum LaunchType {
        Ec2 = "EC2",
        Fargate = "FARGATE",
        External = "EXTERNAL",
        ManagedInstances = "MANAGED_INSTANCES",
    }

    /// How many tasks there are.
    pub enum SchedulingStrategy { Replica = "REPLICA", Daemon = "DAEMON" }

    /// From where tags are taken.
    pub enum PropagateTags { TaskDefinition = "TASK_DEFINITION", Service = "SERVICE", None = "NONE" }
}
