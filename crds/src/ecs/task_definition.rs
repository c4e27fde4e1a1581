//! `RegisterTaskDefinition`'s input.

use super::container::ContainerDefinition;
use super::proxy::ProxyConfiguration;
use super::shape::Unit;
use super::table::{enumerations, shapes};
use super::tag::Tag;
use super::volume::Volume;

/// Members that ECS writes into a described task definition and does not take back (aws.md §2.2.1).
pub const SERVER_MEMBERS: &[&str] = &[
    "taskDefinitionArn",
    "revision",
    "status",
    "requiresAttributes",
    "compatibilities",
    "registeredAt",
    "registeredBy",
    "deregisteredAt",
    "deleteRequestedAt",
];

shapes! {
    /// What a task is made of: the input of `RegisterTaskDefinition`, name for name.
    pub struct TaskDefinition {
        /// The name under which revisions are counted: 1-255 letters, digits, `-` and `_`. Default: `<cluster>-<name>`.
        family as "family": Option<String>;
        /// The IAM role that the containers' own code acts with: its ARN, or its name in the same account.
        task_role_arn as "taskRoleArn": Option<String> => unit(Unit::RoleName);
        /// The IAM role that ECS itself uses to pull images, write logs and read secrets: its ARN, or its name.
        execution_role_arn as "executionRoleArn": Option<String> => unit(Unit::RoleName);
        /// How containers reach the network. Fargate needs `awsvpc`. Default: `bridge`.
        network_mode as "networkMode": Option<NetworkMode> => is_text("bridge");
        /// The containers, 1-10, at least one of them essential.
        container_definitions as "containerDefinitions": Vec<ContainerDefinition> => keyed_by(&["name"]);
        /// Storage that containers mount.
        volumes as "volumes": Option<Vec<Volume>> => keyed_by(&["name"]);
        /// Rules for the container instances that may run the task, at most 10. Not on Fargate.
        placement_constraints as "placementConstraints": Option<Vec<TaskDefinitionPlacementConstraint>> => set();
        /// The launch types whose rules the definition has to keep. ECS checks them when it registers.
        requires_compatibilities as "requiresCompatibilities": Option<Vec<Compatibility>> => set();
        /// CPU of the whole task in CPU units (`"1024"` is one vCPU) or as `"1 vCPU"`. Fargate needs it and takes 256,
        /// 512, 1024, 2048, 4096, 8192, 16384 or 32768.
        cpu as "cpu": Option<Quantity> => unit(Unit::CpuUnits);
        /// Memory of the whole task in MiB (`"2048"`) or as `"2 GB"`. On Fargate the cpu decides which sizes exist.
        memory as "memory": Option<Quantity> => unit(Unit::MemoryMib);
        /// Tags of the revision. Longshore adds its own.
        tags as "tags": Option<Vec<Tag>> => keyed_by(&["key"]);
        /// Whose process namespace the containers share. Default: each has its own. Fargate takes only `task`.
        pid_mode as "pidMode": Option<PidMode>;
        /// Whose inter-process communication the containers share. Not on Fargate.
        ipc_mode as "ipcMode": Option<IpcMode>;
        /// The App Mesh proxy of the task.
        proxy_configuration as "proxyConfiguration": Option<ProxyConfiguration>;
        /// Elastic Inference accelerators. AWS has ended the service; kept because old definitions carry it.
        inference_accelerators as "inferenceAccelerators": Option<Vec<InferenceAccelerator>>
            => keyed_by(&["deviceName"]);
        /// Scratch space of a Fargate task, beyond the 20 GiB that come with it.
        ephemeral_storage as "ephemeralStorage": Option<EphemeralStorage>;
        /// Processor and operating system. Default at launch: Linux on `X86_64`.
        runtime_platform as "runtimePlatform": Option<RuntimePlatform>;
        /// Lets AWS Fault Injection Service act from inside the task. Default: false.
        enable_fault_injection as "enableFaultInjection": Option<bool> => is_boolean(false);
        /// How the task is isolated from others on its instance. Managed Instances only.
        trusted_execution_configuration as "trustedExecutionConfiguration": Option<TrustedExecutionConfiguration>
            => is_defaults();
    }

    /// A rule for the container instances that may run the task.
    pub struct TaskDefinitionPlacementConstraint {
        /// The kind of rule: `memberOf`.
        r#type as "type": Option<TaskDefinitionPlacementConstraintType> => is_text("memberOf");
        /// An expression in ECS's cluster query language.
        expression as "expression": Option<String>;
    }

    /// An Elastic Inference accelerator of the task.
    pub struct InferenceAccelerator {
        /// The name by which a container's `resourceRequirements` ask for it.
        device_name as "deviceName": String;
        /// The accelerator's type, `eia2.medium` for instance.
        device_type as "deviceType": String;
    }

    /// The size of a Fargate task's scratch space.
    pub struct EphemeralStorage {
        /// The size in GiB, 21-200.
        size_in_gib as "sizeInGiB": i32 => limits(21.0, 200.0);
    }

    /// The processor and operating system that the images are built for.
    pub struct RuntimePlatform {
        /// The processor architecture.
        cpu_architecture as "cpuArchitecture": Option<CpuArchitecture>;
        /// The operating system; it has to match the service's platform.
        operating_system_family as "operatingSystemFamily": Option<OperatingSystemFamily>;
    }

    /// How a task is isolated from others on the same managed instance.
    pub struct TrustedExecutionConfiguration {
        /// Shared with other tasks, in a sandbox of its own, or in one that is attested. Default: `SHARED`.
        isolation_mode as "isolationMode": IsolationMode => is_text("SHARED");
        /// The attestation policy in base64; `CONFIDENTIAL_SANDBOX` needs it.
        attestation_policy as "attestationPolicy": Option<String>;
    }
}

enumerations! {
    /// How containers reach the network.
    pub enum NetworkMode { Bridge = "bridge", Host = "host", AwsVpc = "awsvpc", None = "none" }

    /// A launch type whose rules a task definition has to keep.
    pub enum Compatibility {
        Ec2 = "EC2",
        Fargate = "FARGATE",
        External = "EXTERNAL",
        ManagedInstances = "MANAGED_INSTANCES",
    }

    /// Whose process namespace is shared.
    pub enum PidMode { Host = "host", Task = "task" }

    /// Whose inter-process communication is shared.
    pub enum IpcMode { Host = "host", Task = "task", None = "none" }

    /// The kind of a task definition's placement constraint.
    pub enum TaskDefinitionPlacementConstraintType { MemberOf = "memberOf" }

    /// A processor architecture.
    pub enum CpuArchitecture { X86_64 = "X86_64", Arm64 = "ARM64" }

    /// An operating system.
    pub enum OperatingSystemFamily {
        Linux = "LINUX",
        WindowsServer2016Full = "WINDOWS_SERVER_2016_FULL",
        WindowsServer2019Core = "WINDOWS_SERVER_2019_CORE",
        WindowsServer2019Full = "WINDOWS_SERVER_2019_FULL",
        WindowsServer2004Core = "WINDOWS_SERVER_2004_CORE",
        WindowsServer20H2Core = "WINDOWS_SERVER_20H2_CORE",
        WindowsServer2022Core = "WINDOWS_SERVER_2022_CORE",
        WindowsServer2022Full = "WINDOWS_SERVER_2022_FULL",
        WindowsServer2025Core = "WINDOWS_SERVER_2025_CORE",
        WindowsServer2025Full = "WINDOWS_SERVER_2025_FULL",
    }

    /// How a task is isolated.
    pub enum IsolationMode {
        Shared = "SHARED",
        IsolatedSandbox = "ISOLATED_SANDBOX",
        ConfidentialSandbox = "CONFIDENTIAL_SANDBOX",
    }
}

/// An amount of CPU or memory: ECS takes a text, people also write a whole number.
#[derive(Debug, Clone, PartialEq, Eq, Hash, serde::Serialize)]
pub struct Quantity(String);

impl Quantity {
    /// The amount as text, as it was written.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl<'de> serde::Deserialize<'de> for Quantity {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct TextOrNumber;

        impl serde::de::Visitor<'_> for TextOrNumber {
            type Value = Quantity;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("a text or a whole number")
            }

            fn visit_str<E>(self, text: &str) -> Result<Quantity, E> {
                Ok(Quantity(text.to_owned()))
            }

            fn visit_u64<E>(self, number: u64) -> Result<Quantity, E> {
                Ok(Quantity(number.to_string()))
            }

            fn visit_i64<E>(self, number: i64) -> Result<Quantity, E> {
                Ok(Quantity(number.to_string()))
            }
        }

        deserializer.deserialize_any(TextOrNumber)
    }
}

impl schemars::JsonSchema for Quantity {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Quantity".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": ["string", "integer"] })
    }
}

impl super::table::Shaped for Quantity {
    const KIND: super::Kind = super::Kind::String;
}
