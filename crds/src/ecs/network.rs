//! The network of `awsvpc` tasks.

use super::shape::Absent;
use super::table::shapes;
use super::volume::Switch;

shapes! {
    /// The network of a service's tasks.
    pub struct NetworkConfiguration {
        /// Subnets, security groups and public address.
        awsvpc_configuration as "awsvpcConfiguration": Option<AwsVpcConfiguration>;
    }

    /// The network interface that each task has.
    pub struct AwsVpcConfiguration {
        /// Subnets of one VPC, 1-16.
        subnets as "subnets": Vec<String> => set();
        /// Security groups, at most 5. Default: the VPC's default group.
        security_groups as "securityGroups": Option<Vec<String>> => set(), absent(Absent::Kept);
        /// Whether tasks have a public address. Default: `DISABLED`.
        assign_public_ip as "assignPublicIp": Option<Switch> => is_text("DISABLED");
    }
}
