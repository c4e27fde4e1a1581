//! EBS storage that a service gives to its tasks.

use super::service::PropagateTags;
use super::shape::{Absent, Unit};
use super::table::{enumerations, shapes};
use super::tag::Tag;

shapes! {
    /// The storage of a volume that the task definition leaves to launch.
    pub struct ServiceVolumeConfiguration {
        /// The volume's name in the task definition.
        name as "name": String;
        /// The EBS volume that each task has.
        managed_ebs_volume as "managedEBSVolume": Option<ServiceManagedEbsVolumeConfiguration>;
    }

    /// An EBS volume that ECS makes for each task.
    pub struct ServiceManagedEbsVolumeConfiguration {
        /// Whether it is encrypted. Default: the account's setting.
        encrypted as "encrypted": Option<bool> => absent(Absent::Server);
        /// The KMS key, its identifier or ARN. Default: the account's key for EBS.
        kms_key_id as "kmsKeyId": Option<String> => unit(Unit::ArnOrName), absent(Absent::Server);
        /// The type of volume: `gp3`, `gp2`, `io1`, `io2`, `st1`, `sc1`, `standard`. Default: `gp3`.
        volume_type as "volumeType": Option<String> => is_text("gp3");
        /// The size in GiB; needed without a snapshot. 1-16384 for `gp3`.
        size_in_gib as "sizeInGiB": Option<i32> => absent(Absent::Server), limits(1.0, 16384.0);
        /// The snapshot from which the volume is made.
        snapshot_id as "snapshotId": Option<String>;
        /// MiB a second at which a volume is filled from its snapshot.
        volume_initialization_rate as "volumeInitializationRate": Option<i32> => limits(100.0, 300.0);
        /// I/O operations a second; `io1` and `io2` need it. Default for `gp3`: 3000.
        iops as "iops": Option<i32> => absent(Absent::Server);
        /// MiB a second, for `gp3` only. Default: 125.
        throughput as "throughput": Option<i32> => absent(Absent::Server), limits(125.0, 2000.0);
        /// Tags of the volume.
        tag_specifications as "tagSpecifications": Option<Vec<EbsTagSpecification>> => keyed_by(&["resourceType"]);
        /// The role by which ECS makes the volume.
        role_arn as "roleArn": String => unit(Unit::RoleName);
        /// The file system. Default: `xfs` on Linux, `ntfs` on Windows.
        filesystem_type as "filesystemType": Option<FilesystemType> => absent(Absent::Server);
    }

    /// Tags of the volumes that ECS makes.
    pub struct EbsTagSpecification {
        /// What is tagged: `volume`.
        resource_type as "resourceType": EbsResourceType => is_text("volume");
        /// The tags, at most 48.
        tags as "tags": Option<Vec<Tag>> => keyed_by(&["key"]);
        /// From where further tags are taken. Default: `NONE`.
        propagate_tags as "propagateTags": Option<PropagateTags> => is_text("NONE");
    }
}

enumerations! {
    /// What is tagged.
    pub enum EbsResourceType { Volume = "volume" }

    /// A file system.
    pub enum FilesystemType { Ext3 = "ext3", Ext4 = "ext4", Xfs = "xfs", Ntfs = "ntfs" }
}
