//! How traffic and names reach a service's tasks.

use super::shape::Unit;
use super::table::shapes;

shapes! {
    /// A target group or Classic Load Balancer that tasks are registered with.
    pub struct LoadBalancer {
        /// The target group; its target type is `ip` for `awsvpc` tasks and `instance` for others.
        target_group_arn as "targetGroupArn": Option<String>;
        /// The Classic Load Balancer, instead of a target group.
        load_balancer_name as "loadBalancerName": Option<String>;
        /// The container that receives the traffic.
        container_name as "containerName": Option<String>;
        /// Its port, which a port mapping has to name.
        container_port as "containerPort": Option<i32> => limits(0.0, 65535.0);
        /// What ECS needs to shift traffic itself: for `BLUE_GREEN`, `CANARY` and `LINEAR`.
        advanced_configuration as "advancedConfiguration": Option<AdvancedConfiguration>;
    }

    /// What ECS needs to shift traffic between two target groups.
    pub struct AdvancedConfiguration {
        /// The second target group.
        alternate_target_group_arn as "alternateTargetGroupArn": Option<String>;
        /// The listener rule (Application Load Balancer) or listener (Network Load Balancer) of production traffic.
        production_listener_rule as "productionListenerRule": Option<String>;
        /// The listener rule or listener of test traffic.
        test_listener_rule as "testListenerRule": Option<String>;
        /// The role by which ECS changes the load balancer.
        role_arn as "roleArn": Option<String> => unit(Unit::RoleName);
    }

    /// A Cloud Map service that tasks are registered in.
    pub struct ServiceRegistry {
        /// The Cloud Map service's ARN.
        registry_arn as "registryArn": Option<String>;
        /// The port for SRV records, where no container port is given.
        port as "port": Option<i32> => limits(0.0, 65535.0);
        /// The container for SRV records.
        container_name as "containerName": Option<String>;
        /// The container's port for SRV records.
        container_port as "containerPort": Option<i32> => limits(0.0, 65535.0);
    }

    /// A VPC Lattice target group that tasks are registered with.
    pub struct VpcLatticeConfiguration {
        /// The role by which ECS calls VPC Lattice.
        role_arn as "roleArn": String => unit(Unit::RoleName);
        /// The target group.
        target_group_arn as "targetGroupArn": String;
        /// The name of the port mapping that receives the traffic.
        port_name as "portName": String;
        /// What ECS needs to shift traffic itself.
        advanced_configuration as "advancedConfiguration": Option<VpcLatticeAdvancedConfiguration>;
    }

    /// What ECS needs to shift traffic between two Lattice target groups.
    pub struct VpcLatticeAdvancedConfiguration {
        /// The second target group.
        alternate_target_group_arn as "alternateTargetGroupArn": Option<String>;
        /// The listener rule of production traffic.
        production_listener_rule as "productionListenerRule": Option<String>;
        /// The listener rule of test traffic.
        test_listener_rule as "testListenerRule": Option<String>;
    }
}
