//! The calls that exist, and what each of them is to the rest of this folder.
//!
//! No call that can answer with a secret's value is in this list, and none may be added.

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
    ListServiceDeployments,
    DescribeServiceDeployments,
    DescribeServiceRevisions,
    StopServiceDeployment,
    ContinueServiceDeployment,
    ListTasks,
    DescribeTasks,
    TagResource,
    UntagResource,
    GetCallerIdentity,
    ListObjectsV2,
    GetObject,
    PutObject,
    DeleteObject,
}

/// Operations that share one of ECS's token buckets (aws.md §1.1).
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
    /// `CreateService`, `UpdateService`, `DeleteService`, and the calls that steer a service deployment.
    ServiceModify,
    /// `DescribeServices`, `ListServices`.
    ServiceRead,
    /// `DescribeServiceDeployments`, `ListServiceDeployments`.
    ServiceDeployment,
    /// `DescribeServiceRevisions`.
    ServiceRevision,
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
            Self::ListServiceDeployments => "ListServiceDeployments",
            Self::DescribeServiceDeployments => "DescribeServiceDeployments",
            Self::DescribeServiceRevisions => "DescribeServiceRevisions",
            Self::StopServiceDeployment => "StopServiceDeployment",
            Self::ContinueServiceDeployment => "ContinueServiceDeployment",
            Self::ListTasks => "ListTasks",
            Self::DescribeTasks => "DescribeTasks",
            Self::TagResource => "TagResource",
            Self::UntagResource => "UntagResource",
            Self::GetCallerIdentity => "GetCallerIdentity",
            Self::ListObjectsV2 => "ListObjectsV2",
            Self::GetObject => "GetObject",
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
            Self::ListServiceDeployments => "list deployments of service",
            Self::DescribeServiceDeployments => "describe service deployment",
            Self::DescribeServiceRevisions => "describe service revision",
            Self::StopServiceDeployment => "stop service deployment",
            Self::ContinueServiceDeployment => "continue service deployment",
            Self::ListTasks => "list tasks of service",
            Self::DescribeTasks => "describe task",
            Self::TagResource => "tag",
            Self::UntagResource => "untag",
            Self::GetCallerIdentity => "identify the caller for target",
            Self::ListObjectsV2 => "list objects of",
            Self::GetObject => "read object",
            Self::PutObject => "write object",
            Self::DeleteObject => "delete object",
        }
    }

    /// The service that is called, as metrics name it.
    pub fn service(self) -> &'static str {
        match self {
            Self::GetCallerIdentity => "sts",
            Self::ListObjectsV2 | Self::GetObject | Self::PutObject | Self::DeleteObject => "s3",
            Self::DescribeServices
            | Self::ListServices
            | Self::ListClusters
            | Self::CreateService
            | Self::UpdateService
            | Self::DeleteService
            | Self::DescribeTaskDefinition
            | Self::ListTaskDefinitions
            | Self::RegisterTaskDefinition
            | Self::ListServiceDeployments
            | Self::DescribeServiceDeployments
            | Self::DescribeServiceRevisions
            | Self::StopServiceDeployment
            | Self::ContinueServiceDeployment
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
            Self::ListClusters => Some(Family::ClusterRead),
            // Where stop and continue count is not published; the tightest likely bucket is the safe one (aws.md §1.1).
            Self::CreateService
            | Self::UpdateService
            | Self::DeleteService
            | Self::StopServiceDeployment
            | Self::ContinueServiceDeployment => Some(Family::ServiceModify),
            Self::DescribeTaskDefinition | Self::ListTaskDefinitions => {
                Some(Family::TaskDefinitionRead)
            }
            Self::RegisterTaskDefinition => Some(Family::TaskDefinitionModify),
            Self::ListServiceDeployments | Self::DescribeServiceDeployments => {
                Some(Family::ServiceDeployment)
            }
            Self::DescribeServiceRevisions => Some(Family::ServiceRevision),
            Self::ListTasks | Self::DescribeTasks => Some(Family::ClusterResourceRead),
            Self::TagResource | Self::UntagResource => Some(Family::TagModify),
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
            | Self::StopServiceDeployment
            | Self::ContinueServiceDeployment
            | Self::TagResource
            | Self::UntagResource
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
            | Self::GetObject => false,
        }
    }
}

impl Family {
    /// What AWS documents for an account and region, all callers together (aws.md §1.1).
    pub fn documented(self) -> Quota {
        let (capacity, refill) = match self {
            Self::TaskDefinitionModify => (20.0, 1.0),
            Self::TagModify => (20.0, 10.0),
            Self::ClusterResourceRead | Self::ServiceRead => (100.0, 20.0),
            Self::ServiceModify => (50.0, 5.0),
            Self::ClusterRead
            | Self::TaskDefinitionRead
            | Self::ServiceDeployment
            | Self::ServiceRevision => (50.0, 20.0),
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
            Self::ServiceModify => "service-modify",
            Self::ServiceRead => "service-read",
            Self::ServiceDeployment => "service-deployment",
            Self::ServiceRevision => "service-revision",
        }
    }
}

impl std::fmt::Display for Operation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}
