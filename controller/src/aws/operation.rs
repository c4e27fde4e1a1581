//! The calls that exist, and what each of them is to the rest of this folder.
//!
//! No call that can answer with a secret's value is in this list, and none may be added. `GetParameters` is asked without
//! decryption, and only for parameters that `DescribeParameters` says are no secrets (`surroundings/values.rs`).

/// One AWS API call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(missing_docs, reason = "the variants are AWS's own names")]
pub enum Operation {
    DescribeServices,
    ListServices,
    ListClusters,
    CreateService,
    UpdateService,
    DeleteService,
    DescribeTaskDefinition,
    ListTaskDefinitions,
    RegisterTaskDefinition,
    DeregisterTaskDefinition,
    ListServiceDeployments,
    DescribeServiceDeployments,
    DescribeServiceRevisions,
    StopServiceDeployment,
    ContinueServiceDeployment,
    RunTask,
    StopTask,
    ListTasks,
    DescribeTasks,
    TagResource,
    UntagResource,
    GetCallerIdentity,
    ListObjectsV2,
    GetObject,
    DescribeClusters,
    DescribeParameters,
    GetParameters,
    DescribeSecret,
    DescribeImages,
    BatchGetImage,
    ListImages,
    DescribeTargetGroups,
    DescribeAlarms,
    GetMetricData,
    DescribeLogGroups,
    GetRole,
    RegisterScalableTarget,
    DeregisterScalableTarget,
    DescribeScalableTargets,
    PutScalingPolicy,
    DeleteScalingPolicy,
    DescribeScalingPolicies,
    PutScheduledAction,
    DeleteScheduledAction,
    DescribeScheduledActions,
    DescribeScalingActivities,
    PutMetricAlarm,
    DeleteAlarms,
    PutObject,
    DeleteObject,
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
    /// `DescribeImages`, `ListImages`, `BatchGetImage`.
    ImageRead,
    /// `DescribeTargetGroups`.
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

impl Operation {
    /// AWS's name of the operation, `DescribeServices`.
    pub fn name(self) -> &'static str {
        match self {
            Self::DescribeServices => "DescribeServices",
            Self::ListServices => "ListServices",
            Self::ListClusters => "ListClusters",
            Self::CreateService => "CreateService",
            Self::UpdateService => "UpdateService",
            Self::DeleteService => "DeleteService",
            Self::DescribeTaskDefinition => "DescribeTaskDefinition",
            Self::ListTaskDefinitions => "ListTaskDefinitions",
            Self::RegisterTaskDefinition => "RegisterTaskDefinition",
            Self::DeregisterTaskDefinition => "DeregisterTaskDefinition",
            Self::ListServiceDeployments => "ListServiceDeployments",
            Self::DescribeServiceDeployments => "DescribeServiceDeployments",
            Self::DescribeServiceRevisions => "DescribeServiceRevisions",
            Self::StopServiceDeployment => "StopServiceDeployment",
            Self::ContinueServiceDeployment => "ContinueServiceDeployment",
            Self::RunTask => "RunTask",
            Self::StopTask => "StopTask",
            Self::ListTasks => "ListTasks",
            Self::DescribeTasks => "DescribeTasks",
            Self::TagResource => "TagResource",
            Self::UntagResource => "UntagResource",
            Self::GetCallerIdentity => "GetCallerIdentity",
            Self::ListObjectsV2 => "ListObjectsV2",
            Self::GetObject => "GetObject",
            Self::DescribeClusters => "DescribeClusters",
            Self::DescribeParameters => "DescribeParameters",
            Self::GetParameters => "GetParameters",
            Self::DescribeSecret => "DescribeSecret",
            Self::DescribeImages => "DescribeImages",
            Self::BatchGetImage => "BatchGetImage",
            Self::ListImages => "ListImages",
            Self::DescribeTargetGroups => "DescribeTargetGroups",
            Self::DescribeAlarms => "DescribeAlarms",
            Self::GetMetricData => "GetMetricData",
            Self::DescribeLogGroups => "DescribeLogGroups",
            Self::GetRole => "GetRole",
            Self::RegisterScalableTarget => "RegisterScalableTarget",
            Self::DeregisterScalableTarget => "DeregisterScalableTarget",
            Self::DescribeScalableTargets => "DescribeScalableTargets",
            Self::PutScalingPolicy => "PutScalingPolicy",
            Self::DeleteScalingPolicy => "DeleteScalingPolicy",
            Self::DescribeScalingPolicies => "DescribeScalingPolicies",
            Self::PutScheduledAction => "PutScheduledAction",
            Self::DeleteScheduledAction => "DeleteScheduledAction",
            Self::DescribeScheduledActions => "DescribeScheduledActions",
            Self::DescribeScalingActivities => "DescribeScalingActivities",
            Self::PutMetricAlarm => "PutMetricAlarm",
            Self::DeleteAlarms => "DeleteAlarms",
            Self::PutObject => "PutObject",
            Self::DeleteObject => "DeleteObject",
        }
    }

    /// What the operation does, as it reads after "cannot": `describe service`.
    pub fn phrase(self) -> &'static str {
        match self {
            Self::DescribeServices => "describe service",
            Self::ListServices => "list services of cluster",
            Self::ListClusters => "list clusters of target",
            Self::CreateService => "create service",
            Self::UpdateService => "update service",
            Self::DeleteService => "delete service",
            Self::DescribeTaskDefinition => "describe task definition",
            Self::ListTaskDefinitions => "list revisions of task definition",
            Self::RegisterTaskDefinition => "register task definition",
            Self::DeregisterTaskDefinition => "deregister task definition",
            Self::ListServiceDeployments => "list deployments of service",
            Self::DescribeServiceDeployments => "describe service deployment",
            Self::DescribeServiceRevisions => "describe service revision",
            Self::StopServiceDeployment => "stop service deployment",
            Self::ContinueServiceDeployment => "continue service deployment",
            Self::RunTask => "run a task of",
            Self::StopTask => "stop task",
            Self::ListTasks => "list tasks of",
            Self::DescribeTasks => "describe task",
            Self::TagResource => "tag",
            Self::UntagResource => "untag",
            Self::GetCallerIdentity => "identify the caller for target",
            Self::ListObjectsV2 => "list objects of",
            Self::GetObject => "read object",
            Self::DescribeClusters => "describe cluster",
            Self::DescribeParameters => "describe parameter",
            Self::GetParameters => "read parameter",
            Self::DescribeSecret => "describe secret",
            Self::DescribeImages => "describe images of",
            Self::BatchGetImage => "read the manifest of",
            Self::ListImages => "list images of",
            Self::DescribeTargetGroups => "describe target group",
            Self::DescribeAlarms => "describe alarm",
            Self::GetMetricData => "read metrics of",
            Self::DescribeLogGroups => "describe log group",
            Self::GetRole => "read role",
            Self::RegisterScalableTarget => "register scalable target",
            Self::DeregisterScalableTarget => "deregister scalable target",
            Self::DescribeScalableTargets => "describe scalable targets of",
            Self::PutScalingPolicy => "put scaling policy",
            Self::DeleteScalingPolicy => "delete scaling policy",
            Self::DescribeScalingPolicies => "describe scaling policies of",
            Self::PutScheduledAction => "put scheduled action",
            Self::DeleteScheduledAction => "delete scheduled action",
            Self::DescribeScheduledActions => "describe scheduled actions of",
            Self::DescribeScalingActivities => "describe scaling activities of",
            Self::PutMetricAlarm => "put alarm",
            Self::DeleteAlarms => "delete alarms",
            Self::PutObject => "write object",
            Self::DeleteObject => "delete object",
        }
    }

    /// The service that is called, as metrics name it.
    pub fn service(self) -> &'static str {
        match self {
            Self::GetCallerIdentity => "sts",
            Self::ListObjectsV2 | Self::GetObject | Self::PutObject | Self::DeleteObject => "s3",
            Self::DescribeParameters | Self::GetParameters => "ssm",
            Self::DescribeSecret => "secretsmanager",
            Self::DescribeImages | Self::BatchGetImage | Self::ListImages => "ecr",
            Self::DescribeTargetGroups => "elasticloadbalancing",
            Self::DescribeLogGroups => "logs",
            Self::GetRole => "iam",
            Self::RegisterScalableTarget
            | Self::DeregisterScalableTarget
            | Self::DescribeScalableTargets
            | Self::PutScalingPolicy
            | Self::DeleteScalingPolicy
            | Self::DescribeScalingPolicies
            | Self::PutScheduledAction
            | Self::DeleteScheduledAction
            | Self::DescribeScheduledActions
            | Self::DescribeScalingActivities => "application-autoscaling",
            Self::DescribeAlarms
            | Self::GetMetricData
            | Self::PutMetricAlarm
            | Self::DeleteAlarms => "monitoring",
            Self::DescribeServices
            | Self::DescribeClusters
            | Self::ListServices
            | Self::ListClusters
            | Self::CreateService
            | Self::UpdateService
            | Self::DeleteService
            | Self::DescribeTaskDefinition
            | Self::ListTaskDefinitions
            | Self::RegisterTaskDefinition
            | Self::DeregisterTaskDefinition
            | Self::ListServiceDeployments
            | Self::DescribeServiceDeployments
            | Self::DescribeServiceRevisions
            | Self::StopServiceDeployment
            | Self::ContinueServiceDeployment
            | Self::RunTask
            | Self::StopTask
            | Self::ListTasks
            | Self::DescribeTasks
            | Self::TagResource
            | Self::UntagResource => "ecs",
        }
    }

    /// The token bucket that the operation draws on. Without one the rate is far above what Longshore asks for.
    pub fn family(self) -> Option<Family> {
        match self {
            Self::DescribeServices | Self::ListServices => Some(Family::ServiceRead),
            Self::ListClusters | Self::DescribeClusters => Some(Family::ClusterRead),
            Self::DescribeParameters => Some(Family::ParameterRead),
            Self::GetParameters => Some(Family::ParameterValueRead),
            Self::DescribeSecret => Some(Family::SecretRead),
            Self::DescribeImages | Self::BatchGetImage | Self::ListImages => {
                Some(Family::ImageRead)
            }
            Self::DescribeTargetGroups => Some(Family::LoadBalancerRead),
            Self::DescribeAlarms => Some(Family::AlarmRead),
            Self::GetMetricData => Some(Family::MetricRead),
            Self::DescribeLogGroups => Some(Family::LogRead),
            Self::GetRole => Some(Family::RoleRead),
            // Where stop and continue count is not published; the tightest likely bucket is the safe one (aws.md §1.1).
            Self::CreateService
            | Self::UpdateService
            | Self::DeleteService
            | Self::StopServiceDeployment
            | Self::ContinueServiceDeployment => Some(Family::ServiceModify),
            Self::DescribeTaskDefinition | Self::ListTaskDefinitions => {
                Some(Family::TaskDefinitionRead)
            }
            Self::RegisterTaskDefinition | Self::DeregisterTaskDefinition => {
                Some(Family::TaskDefinitionModify)
            }
            Self::ListServiceDeployments | Self::DescribeServiceDeployments => {
                Some(Family::ServiceDeployment)
            }
            Self::DescribeServiceRevisions => Some(Family::ServiceRevision),
            Self::ListTasks | Self::DescribeTasks => Some(Family::ClusterResourceRead),
            Self::RunTask | Self::StopTask => Some(Family::ClusterResourceModify),
            Self::TagResource | Self::UntagResource => Some(Family::TagModify),
            Self::DescribeScalableTargets
            | Self::DescribeScalingPolicies
            | Self::DescribeScheduledActions
            | Self::DescribeScalingActivities => Some(Family::ScalingRead),
            Self::RegisterScalableTarget
            | Self::DeregisterScalableTarget
            | Self::PutScalingPolicy
            | Self::DeleteScalingPolicy
            | Self::PutScheduledAction
            | Self::DeleteScheduledAction => Some(Family::ScalingModify),
            Self::PutMetricAlarm | Self::DeleteAlarms => Some(Family::AlarmModify),
            Self::GetCallerIdentity
            | Self::ListObjectsV2
            | Self::GetObject
            | Self::PutObject
            | Self::DeleteObject => None,
        }
    }

    /// Whether the call changes anything at AWS: such a call is never repeated blindly.
    pub fn is_mutating(self) -> bool {
        match self {
            Self::CreateService
            | Self::UpdateService
            | Self::DeleteService
            | Self::RegisterTaskDefinition
            | Self::DeregisterTaskDefinition
            | Self::StopServiceDeployment
            | Self::ContinueServiceDeployment
            | Self::RunTask
            | Self::StopTask
            | Self::TagResource
            | Self::UntagResource
            | Self::RegisterScalableTarget
            | Self::DeregisterScalableTarget
            | Self::PutScalingPolicy
            | Self::DeleteScalingPolicy
            | Self::PutScheduledAction
            | Self::DeleteScheduledAction
            | Self::PutMetricAlarm
            | Self::DeleteAlarms
            | Self::PutObject
            | Self::DeleteObject => true,
            Self::DescribeServices
            | Self::ListServices
            | Self::ListClusters
            | Self::DescribeTaskDefinition
            | Self::ListTaskDefinitions
            | Self::ListServiceDeployments
            | Self::DescribeServiceDeployments
            | Self::DescribeServiceRevisions
            | Self::ListTasks
            | Self::DescribeTasks
            | Self::GetCallerIdentity
            | Self::ListObjectsV2
            | Self::GetObject
            | Self::DescribeClusters
            | Self::DescribeParameters
            | Self::GetParameters
            | Self::DescribeSecret
            | Self::DescribeImages
            | Self::BatchGetImage
            | Self::ListImages
            | Self::DescribeTargetGroups
            | Self::DescribeAlarms
            | Self::GetMetricData
            | Self::DescribeLogGroups
            | Self::GetRole
            | Self::DescribeScalableTargets
            | Self::DescribeScalingPolicies
            | Self::DescribeScheduledActions
            | Self::DescribeScalingActivities => false,
        }
    }
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
