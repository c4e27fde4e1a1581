//! Storage: what a task definition declares, and where containers see it.

use std::collections::BTreeMap;

use super::table::{enumerations, shapes};

shapes! {
    /// Storage that containers mount. At most one kind of configuration; none is a directory that ends with the task.
    pub struct Volume {
        /// The name by which mount points refer to it.
        name as "name": String;
        /// A directory of the host.
        host as "host": Option<HostVolumeProperties>;
        /// A Docker volume. Not on Fargate.
        docker_volume_configuration as "dockerVolumeConfiguration": Option<DockerVolumeConfiguration>;
        /// An EFS file system.
        efs_volume_configuration as "efsVolumeConfiguration": Option<EfsVolumeConfiguration>;
        /// An S3 Files file system.
        s3files_volume_configuration as "s3filesVolumeConfiguration": Option<S3FilesVolumeConfiguration>;
        /// A Windows file server of Amazon's `FSx`.
        fsx_windows_file_server_volume_configuration as "fsxWindowsFileServerVolumeConfiguration":
            Option<FsxWindowsFileServerVolumeConfiguration>;
        /// The service's `volumeConfigurations` give the volume its EBS storage. One a definition. Default: false.
        configured_at_launch as "configuredAtLaunch": Option<bool> => is_boolean(false);
    }

    /// A directory of the host.
    pub struct HostVolumeProperties {
        /// The directory. Default: one that Docker makes. Not on Fargate.
        source_path as "sourcePath": Option<String>;
    }

    /// A Docker volume.
    pub struct DockerVolumeConfiguration {
        /// `task`: it ends with the task; `shared`: it stays. Default: `task`.
        scope as "scope": Option<VolumeScope> => is_text("task");
        /// Creates a shared volume where there is none. Default: false.
        autoprovision as "autoprovision": Option<bool> => is_boolean(false);
        /// The volume driver. Default: `local`.
        driver as "driver": Option<String> => is_text("local");
        /// Options of the driver.
        driver_opts as "driverOpts": Option<BTreeMap<String, String>>;
        /// Labels of the volume.
        labels as "labels": Option<BTreeMap<String, String>>;
    }

    /// An EFS file system.
    pub struct EfsVolumeConfiguration {
        /// The file system's identifier.
        file_system_id as "fileSystemId": String;
        /// The directory to mount. Absent or `/` with an access point. Default: `/`.
        root_directory as "rootDirectory": Option<String> => is_text("/");
        /// Encrypts the way to EFS; access points and IAM need it. Default: `DISABLED`.
        transit_encryption as "transitEncryption": Option<Switch> => is_text("DISABLED");
        /// The port for encrypted traffic. Default: the mount helper's choice.
        transit_encryption_port as "transitEncryptionPort": Option<i32> => limits(0.0, 65535.0);
        /// Who the task is for EFS.
        authorization_config as "authorizationConfig": Option<EfsAuthorizationConfig> => is_defaults();
    }

    /// Who a task is for EFS.
    pub struct EfsAuthorizationConfig {
        /// The access point; it decides the directory and the user.
        access_point_id as "accessPointId": Option<String>;
        /// Whether the task role is shown to EFS. Default: `DISABLED`.
        iam as "iam": Option<Switch> => is_text("DISABLED");
    }

    /// An S3 Files file system.
    pub struct S3FilesVolumeConfiguration {
        /// The file system's ARN.
        file_system_arn as "fileSystemArn": String;
        /// The directory to mount. Absent or `/` with an access point. Default: `/`.
        root_directory as "rootDirectory": Option<String> => is_text("/");
        /// The port for encrypted traffic. Default: the mount helper's choice.
        transit_encryption_port as "transitEncryptionPort": Option<i32> => limits(0.0, 65535.0);
        /// The access point's ARN.
        access_point_arn as "accessPointArn": Option<String>;
    }

    /// A Windows file server of Amazon's `FSx`.
    pub struct FsxWindowsFileServerVolumeConfiguration {
        /// The file system's identifier.
        file_system_id as "fileSystemId": String;
        /// The directory to mount.
        root_directory as "rootDirectory": String;
        /// Who the task is for the file system.
        authorization_config as "authorizationConfig": FsxWindowsFileServerAuthorizationConfig;
    }

    /// Who a task is for a Windows file server.
    pub struct FsxWindowsFileServerAuthorizationConfig {
        /// The ARN of the secret or parameter with the credentials.
        credentials_parameter as "credentialsParameter": String;
        /// The Active Directory domain.
        domain as "domain": String;
    }

    /// Where a volume appears in a container.
    pub struct MountPoint {
        /// The volume's name.
        source_volume as "sourceVolume": Option<String>;
        /// The path in the container.
        container_path as "containerPath": Option<String>;
        /// Whether the container may only read. Default: false.
        read_only as "readOnly": Option<bool> => is_boolean(false);
    }

    /// A container whose mount points another one takes over.
    pub struct VolumeFrom {
        /// The other container.
        source_container as "sourceContainer": Option<String>;
        /// Whether this container may only read. Default: false.
        read_only as "readOnly": Option<bool> => is_boolean(false);
    }
}

enumerations! {
    /// How long a Docker volume lives.
    pub enum VolumeScope { Task = "task", Shared = "shared" }

    /// Something that is on or off.
    pub enum Switch { Enabled = "ENABLED", Disabled = "DISABLED" }
}
