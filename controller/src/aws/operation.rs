//! The calls that exist, and what each of them is to the rest of this folder.
//!
//! No call that can answer with a secret's value is in this list, and none may be added. `GetParameters` is asked without
//! decryption, and only for parameters that `DescribeParameters` says are no secrets (`surroundings/values.rs`).

/// Who pays for a row's calls: a token bucket, or nobody where the rate is far above what Longshore asks for.
macro_rules! bucket {
    (unpaced) => {
        None
    };
    ($family:ident) => {
        Some(Family::$family)
    };
}

/// What a row's calls do.
macro_rules! is_mutating {
    (changes) => {
        true
    };
    (reads) => {
        false
    };
}

/// A row for each call: AWS's name; the service, as metrics name it; the token bucket; whether it changes anything; and what it
/// does, as it reads after "cannot".
macro_rules! operations {
    ($($name:ident: $service:literal $bucket:ident $kind:ident, $phrase:literal;)+) => {
        /// One AWS API call.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[expect(missing_docs, reason = "the variants are AWS's own names")]
        pub enum Operation {
            $($name,)+
        }

        impl Operation {
            /// AWS's name of the operation, `DescribeServices`.
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$name => stringify!($name),)+
                }
            }

            /// What the operation does, as it reads after "cannot": `describe service`.
            pub fn phrase(self) -> &'static str {
                match self {
                    $(Self::$name => $phrase,)+
                }
            }

            /// The service that is called, as metrics name it.
            pub fn service(self) -> &'static str {
                match self {
                    $(Self::$name => $service,)+
                }
            }

            /// The token bucket that the operation draws on. Without one the rate is far above what Longshore asks for.
            pub fn family(self) -> Option<Family> {
                match self {
                    $(Self::$name => bucket!($bucket),)+
                }
            }

            /// Whether the call changes anything at AWS: such a call is never repeated blindly.
            pub fn is_mutating(self) -> bool {
                match self {
                    $(Self::$name => is_mutating!($kind),)+
                }
            }
        }
    };
}

// Where stop and continue of a service deployment count is not published; the tightest likely bucket is the safe one
// (aws.md §1.1).
operations! {
    DescribeServices: "ecs" ServiceRead reads, "describe service";
    ListServices: "ecs" ServiceRead reads, "list services of cluster";
    ListClusters: "ecs" ClusterRead reads, "list clusters of target";
    CreateService: "ecs" ServiceModify changes, "create service";
    UpdateService: "ecs" ServiceModify changes, "update service";
    DeleteService: "ecs" ServiceModify changes, "delete service";
    DescribeTaskDefinition: "ecs" TaskDefinitionRead reads, "describe task definition";
    ListTaskDefinitions: "ecs" TaskDefinitionRead reads, "list revisions of task definition";
    RegisterTaskDefinition: "ecs" TaskDefinitionModify changes, "register task definition";
    DeregisterTaskDefinition: "ecs" TaskDefinitionModify changes, "deregister task definition";
    ListServiceDeployments: "ecs" ServiceDeployment reads, "list deployments of service";
    DescribeServiceDeployments: "ecs" ServiceDeployment reads, "describe service deployment";
    DescribeServiceRevisions: "ecs" ServiceRevision reads, "describe service revision";
    StopServiceDeployment: "ecs" ServiceModify changes, "stop service deployment";
    ContinueServiceDeployment: "ecs" ServiceModify changes, "continue service deployment";
    RunTask: "ecs" ClusterResourceModify changes, "run a task of";
    StopTask: "ecs" ClusterResourceModify changes, "stop task";
    ListTasks: "ecs" ClusterResourceRead reads, "list tasks of";
    DescribeTasks: "ecs" ClusterResourceRead reads, "describe task";
    TagResource: "ecs" TagModify changes, "tag";
    UntagResource: "ecs" TagModify changes, "untag";
    GetCallerIdentity: "sts" unpaced reads, "identify the caller for target";
    ListObjectsV2: "s3" unpaced reads, "list objects of";
    GetObject: "s3" unpaced reads, "read object";
    DescribeClusters: "ecs" ClusterRead reads, "describe cluster";
    DescribeParameters: "ssm" ParameterRead reads, "describe parameter";
    GetParameters: "ssm" ParameterValueRead reads, "read parameter";
    DescribeSecret: "secretsmanager" SecretRead reads, "describe secret";
    DescribeImages: "ecr" ImageRead reads, "describe images of";
    BatchGetImage: "ecr" ImageRead reads, "read the manifest of";
    GetDownloadUrlForLayer: "ecr" ImageRead reads, "find a layer of";
    ListImages: "ecr" ImageRead reads, "list images of";
    DescribeImageScanFindings: "ecr" ImageRead reads, "read the scan of an image of";
    DescribeTargetGroups: "elasticloadbalancing" LoadBalancerRead reads, "describe target group";
    DescribeTargetHealth: "elasticloadbalancing" LoadBalancerRead reads, "describe health of targets of";
    DescribeAlarms: "monitoring" AlarmRead reads, "describe alarm";
    GetMetricData: "monitoring" MetricRead reads, "read metrics of";
    DescribeLogGroups: "logs" LogRead reads, "describe log group";
    GetRole: "iam" RoleRead reads, "read role";
    RegisterScalableTarget: "application-autoscaling" ScalingModify changes, "register scalable target";
    DeregisterScalableTarget: "application-autoscaling" ScalingModify changes, "deregister scalable target";
    DescribeScalableTargets: "application-autoscaling" ScalingRead reads, "describe scalable targets of";
    PutScalingPolicy: "application-autoscaling" ScalingModify changes, "put scaling policy";
    DeleteScalingPolicy: "application-autoscaling" ScalingModify changes, "delete scaling policy";
    DescribeScalingPolicies: "application-autoscaling" ScalingRead reads, "describe scaling policies of";
    PutScheduledAction: "application-autoscaling" ScalingModify changes, "put scheduled action";
    DeleteScheduledAction: "application-autoscaling" ScalingModify changes, "delete scheduled action";
    DescribeScheduledActions: "application-autoscaling" ScalingRead reads, "describe scheduled actions of";
    DescribeScalingActivities: "application-autoscaling" ScalingRead reads, "describe scaling activities of";
    PutMetricAlarm: "monitoring" AlarmModify changes, "put alarm";
    DeleteAlarms: "monitoring" AlarmModify changes, "delete alarms";
    PutObject: "s3" unpaced changes, "write object";
    DeleteObject: "s3" unpaced changes, "delete object";
    ReceiveMessage: "sqs" unpaced reads, "receive messages of";
    DeleteMessageBatch: "sqs" unpaced changes, "delete messages of";
}

/// Operations that share one of AWS's token buckets (aws.md §1.1, §1.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Family {
    /// `ListClusters`.
    ClusterRead,
    /// `RegisterTaskDefinition` and its like.
    TaskDefinitionModify,
    /// `DescribeTaskDefinition`, `ListTaskDefinitions`.
    TaskDefinitionRead,
    /// `TagResource`, `UntagResource`.
    TagModify,
    /// `DescribeTasks`, `ListTasks`.
    ClusterResourceRead,
    /// `RunTask`, `StopTask`.
    ClusterResourceModify,
    /// `CreateService`, `UpdateService`, `DeleteService`, and the calls that steer a service deployment.
    ServiceModify,
    /// `DescribeServices`, `ListServices`.
    ServiceRead,
    /// `DescribeServiceDeployments`, `ListServiceDeployments`.
    ServiceDeployment,
    /// `DescribeServiceRevisions`.
    ServiceRevision,
    /// `DescribeParameters`.
    ParameterRead,
    /// `GetParameters`.
    ParameterValueRead,
    /// `DescribeSecret`.
    SecretRead,
    /// `DescribeImages`, `ListImages`, `BatchGetImage`, `GetDownloadUrlForLayer`, `DescribeImageScanFindings`.
    ImageRead,
    /// `DescribeTargetGroups`, `DescribeTargetHealth`.
    LoadBalancerRead,
    /// `DescribeAlarms`.
    AlarmRead,
    /// `GetMetricData`.
    MetricRead,
    /// `DescribeLogGroups`.
    LogRead,
    /// `GetRole`.
    RoleRead,
    /// What Application Auto Scaling describes.
    ScalingRead,
    /// What Application Auto Scaling changes.
    ScalingModify,
    /// `PutMetricAlarm`, `DeleteAlarms`.
    AlarmModify,
}

/// The size of a documented token bucket.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Quota {
    /// Tokens in a full bucket.
    pub capacity: f64,
    /// Tokens added a second.
    pub refill: f64,
}

impl Family {
    /// What AWS documents for an account and region, all callers together (aws.md §1.1, §1.3).
    pub fn documented(self) -> Quota {
        let (capacity, refill) = match self {
            Self::TaskDefinitionModify => (20.0, 1.0),
            Self::TagModify => (20.0, 10.0),
            Self::ClusterResourceRead | Self::ServiceRead => (100.0, 20.0),
            // Fargate starts no more than 5 tasks a second in some regions (aws.md §1.1).
            Self::ClusterResourceModify => (25.0, 5.0),
            // No rate is published; more than a few calls a second are refused (aws.md §1.3).
            Self::ScalingRead => (20.0, 8.0),
            Self::ScalingModify => (20.0, 4.0),
            Self::ServiceModify => (50.0, 5.0),
            Self::ClusterRead
            | Self::TaskDefinitionRead
            | Self::ServiceDeployment
            | Self::ServiceRevision => (50.0, 20.0),
            // Those below are other services' (aws.md §1.3); where AWS publishes nothing they are our own limit.
            Self::ParameterRead | Self::AlarmModify => (3.0, 3.0),
            Self::ParameterValueRead => (40.0, 40.0),
            Self::AlarmRead => (9.0, 9.0),
            Self::ImageRead | Self::LoadBalancerRead => (20.0, 20.0),
            Self::LogRead | Self::RoleRead => (10.0, 10.0),
            // AWS documents 40,000 a second; nobody needs that many.
            Self::SecretRead => (100.0, 100.0),
            // AWS documents 500; checks need few, and each query costs.
            Self::MetricRead => (50.0, 50.0),
        };
        Quota { capacity, refill }
    }

    /// The family's name in metrics.
    pub fn name(self) -> &'static str {
        match self {
            Self::ClusterRead => "cluster-read",
            Self::TaskDefinitionModify => "task-definition-modify",
            Self::TaskDefinitionRead => "task-definition-read",
            Self::TagModify => "tag-modify",
            Self::ClusterResourceRead => "cluster-resource-read",
            Self::ClusterResourceModify => "cluster-resource-modify",
            Self::ServiceModify => "service-modify",
            Self::ServiceRead => "service-read",
            Self::ServiceDeployment => "service-deployment",
            Self::ServiceRevision => "service-revision",
            Self::ParameterRead => "parameter-read",
            Self::ParameterValueRead => "parameter-value-read",
            Self::SecretRead => "secret-read",
            Self::ImageRead => "image-read",
            Self::LoadBalancerRead => "load-balancer-read",
            Self::AlarmRead => "alarm-read",
            Self::MetricRead => "metric-read",
            Self::LogRead => "log-read",
            Self::RoleRead => "role-read",
            Self::ScalingRead => "scaling-read",
            Self::ScalingModify => "scaling-modify",
            Self::AlarmModify => "alarm-modify",
        }
    }
}

impl std::fmt::Display for Operation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}
