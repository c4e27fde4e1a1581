//! One container of a task.

use std::collections::BTreeMap;

use super::environment::{EnvironmentFile, KeyValuePair, Secret};
use super::health::{ContainerDependency, ContainerRestartPolicy, HealthCheck};
use super::linux::{LinuxParameters, SystemControl, Ulimit};
use super::logging::{FirelensConfiguration, LogConfiguration};
use super::port::{HostEntry, PORT_KEY, PortMapping};
use super::resource::ResourceRequirement;
use super::table::{enumerations, shapes};
use super::volume::{MountPoint, VolumeFrom};

shapes! {
    /// One container of a task.
    pub struct ContainerDefinition {
        /// The container's name, unique in the task: 1-255 letters, digits, `-` and `_`.
        name as "name": String;
        /// The image with tag or digest, at most 255 characters.
        image as "image": String;
        /// Credentials of a private registry outside ECR.
        repository_credentials as "repositoryCredentials": Option<RepositoryCredentials>;
        /// CPU units kept for this container, 1024 a vCPU. Default: 0, no share of its own.
        cpu as "cpu": Option<i32> => is_integer(0);
        /// The limit in MiB at which the container is killed; at least 6.
        memory as "memory": Option<i32>;
        /// MiB kept for the container; it may use more while there is some. Less than `memory`.
        memory_reservation as "memoryReservation": Option<i32>;
        /// Containers reached by name without port mappings. Network mode `bridge` only.
        links as "links": Option<Vec<String>> => set();
        /// The ports that are reachable from outside the container.
        port_mappings as "portMappings": Option<Vec<PortMapping>>
            => keyed_by(PORT_KEY);
        /// Whether the task stops when this container stops. Default: true.
        essential as "essential": Option<bool> => is_boolean(true);
        /// Restarts the container inside the running task.
        restart_policy as "restartPolicy": Option<ContainerRestartPolicy>;
        /// Replaces the image's entry point.
        entry_point as "entryPoint": Option<Vec<String>>;
        /// Replaces the image's command.
        command as "command": Option<Vec<String>>;
        /// Environment variables, readable by all who may describe the task definition.
        environment as "environment": Option<Vec<KeyValuePair>> => keyed_by(&["name"]);
        /// Files of environment variables in S3, at most 10; `environment` wins over them.
        environment_files as "environmentFiles": Option<Vec<EnvironmentFile>>;
        /// Where the task's volumes appear in this container.
        mount_points as "mountPoints": Option<Vec<MountPoint>> => keyed_by(&["containerPath"]);
        /// Containers whose mount points this one takes over.
        volumes_from as "volumesFrom": Option<Vec<VolumeFrom>> => keyed_by(&["sourceContainer"]);
        /// Settings of the Linux kernel for this container.
        linux_parameters as "linuxParameters": Option<LinuxParameters> => is_defaults();
        /// Environment variables whose values ECS reads from SSM or Secrets Manager when the task starts.
        secrets as "secrets": Option<Vec<Secret>> => keyed_by(&["name"]);
        /// Containers that have to reach a condition before this one starts; they stop after it.
        depends_on as "dependsOn": Option<Vec<ContainerDependency>> => keyed_by(&["containerName"]);
        /// Seconds to wait for the containers this one depends on. At most 120 on Fargate.
        start_timeout as "startTimeout": Option<i32>;
        /// Seconds from the stop signal to the kill. At most 120 on Fargate. Default: 30.
        stop_timeout as "stopTimeout": Option<i32>;
        /// Whether all tasks of a deployment run the digest that its first task found. Default: `enabled`.
        version_consistency as "versionConsistency": Option<VersionConsistency> => is_text("enabled");
        /// The host name in the container. Not with `awsvpc`.
        hostname as "hostname": Option<String>;
        /// The user, `uid`, `user:group` and so on. Default: the image's.
        user as "user": Option<String>;
        /// The directory in which the command runs. Default: the image's.
        working_directory as "workingDirectory": Option<String>;
        /// Takes the network from the container. Not on Fargate. Default: false.
        disable_networking as "disableNetworking": Option<bool> => is_boolean(false);
        /// Gives the container root's powers over its host. Not on Fargate. Default: false.
        privileged as "privileged": Option<bool> => is_boolean(false);
        /// Makes the root file system read-only. Default: false.
        readonly_root_filesystem as "readonlyRootFilesystem": Option<bool> => is_boolean(false);
        /// DNS servers. Not on Fargate.
        dns_servers as "dnsServers": Option<Vec<String>>;
        /// Domains to search for short host names. Not on Fargate.
        dns_search_domains as "dnsSearchDomains": Option<Vec<String>>;
        /// Lines for `/etc/hosts`. Not with `awsvpc`.
        extra_hosts as "extraHosts": Option<Vec<HostEntry>> => set();
        /// Labels of the host's security modules, or a credential spec. Not on Fargate.
        docker_security_options as "dockerSecurityOptions": Option<Vec<String>> => set();
        /// Keeps standard input open. Default: false.
        interactive as "interactive": Option<bool> => is_boolean(false);
        /// Allocates a terminal. Default: false.
        pseudo_terminal as "pseudoTerminal": Option<bool> => is_boolean(false);
        /// Docker labels.
        docker_labels as "dockerLabels": Option<BTreeMap<String, String>>;
        /// Limits of the process. Fargate honours only `nofile`.
        ulimits as "ulimits": Option<Vec<Ulimit>> => keyed_by(&["name"]);
        /// Where the output goes. Default: nowhere that outlives the container.
        log_configuration as "logConfiguration": Option<LogConfiguration>;
        /// A command that tells whether the container works. The image's own check is not used.
        health_check as "healthCheck": Option<HealthCheck>;
        /// Kernel parameters (`sysctl`) of the container.
        system_controls as "systemControls": Option<Vec<SystemControl>> => keyed_by(&["namespace"]);
        /// GPUs and other devices.
        resource_requirements as "resourceRequirements": Option<Vec<ResourceRequirement>> => keyed_by(&["type"]);
        /// Makes this container the log router of the task.
        firelens_configuration as "firelensConfiguration": Option<FirelensConfiguration>;
        /// A credential spec for Active Directory, `credentialspec:<ARN>` or `credentialspecdomainless:<ARN>`; one.
        credential_specs as "credentialSpecs": Option<Vec<String>> => set();
    }

    /// Credentials of a private registry.
    pub struct RepositoryCredentials {
        /// The ARN of the secret that holds user name and password.
        credentials_parameter as "credentialsParameter": String;
    }
}

enumerations! {
    /// Whether image tags are resolved once a deployment.
    pub enum VersionConsistency { Enabled = "enabled", Disabled = "disabled" }
}
