//! The token buckets of aws.md §1.1, per account and Region.

use std::collections::HashMap;

use jiff::Timestamp;

use crate::{ApiError, cloudwatch::CloudWatch, ecr::Ecr, secrets::Secrets, ssm::Ssm};

/// A bucket: its capacity and its refill a second.
type Size = (u32, u32);

/// The buckets of one account in one Region.
#[derive(Debug, Default)]
pub(crate) struct Buckets {
    levels: HashMap<&'static str, Level>,
    /// Tokens a second that other callers take, by family.
    others: HashMap<String, f64>,
}

#[derive(Debug)]
struct Level {
    tokens: f64,
    since: Timestamp,
}

impl Buckets {
    /// Takes one token, or refuses the call.
    pub(crate) fn take(
        &mut self,
        api: &str,
        operation: &str,
        now: Timestamp,
    ) -> Result<(), ApiError> {
        let Some((family, (capacity, refill))) = bucket(api, operation) else { return Ok(()) };
        let capacity = f64::from(capacity);
        let others = self.others.get(family).copied().unwrap_or(0.0);
        let level = self.levels.entry(family).or_insert(Level { tokens: capacity, since: now });
        let passed = now.duration_since(level.since).as_secs_f64().max(0.0);
        let gained = passed * (f64::from(refill) - others);
        level.tokens = (level.tokens + gained).clamp(0.0, capacity);
        level.since = level.since.max(now);
        if level.tokens < 1.0 {
            return Err(ApiError::refused("ThrottlingException", "Rate exceeded"));
        }
        level.tokens -= 1.0;
        Ok(())
    }

    /// Lets others take this many tokens a second from a family's bucket.
    pub(crate) fn other_callers(&mut self, family: &str, tokens_per_second: f64) {
        self.others.insert(family.to_owned(), tokens_per_second);
    }
}

/// The family of an operation and its bucket; operations without a published rate have none.
fn bucket(api: &str, operation: &str) -> Option<(&'static str, Size)> {
    match api {
        "ecs" => Some(ecs_bucket(operation)),
        "ssm" => sized(Ssm::bucket(operation)),
        "secretsmanager" => sized(Secrets::bucket(operation)),
        "ecr" => sized(Ecr::bucket(operation)),
        "monitoring" => sized(CloudWatch::bucket(operation)),
        _ => None,
    }
}

fn sized(bucket: Option<(&'static str, u32, u32)>) -> Option<(&'static str, Size)> {
    bucket.map(|(family, capacity, refill)| (family, (capacity, refill)))
}

fn ecs_bucket(operation: &str) -> (&'static str, Size) {
    match operation {
        "CreateCluster"
        | "DeleteCluster"
        | "PutClusterCapacityProviders"
        | "UpdateCluster"
        | "UpdateClusterSettings" => ("cluster modify", (20, 1)),
        "DescribeClusters" | "ListClusters" => ("cluster read", (50, 20)),
        "RegisterTaskDefinition" | "DeregisterTaskDefinition" => {
            ("task-definition modify", (20, 1))
        }
        "DescribeTaskDefinition" | "ListTaskDefinitions" | "ListTaskDefinitionFamilies" => {
            ("task-definition read", (50, 20))
        }
        "DeleteTaskDefinitions" => ("task-definition deletion", (5, 1)),
        "DescribeCapacityProviders" => ("capacity-provider read", (50, 20)),
        "TagResource" | "UntagResource" => ("tag modify", (20, 10)),
        "ListTagsForResource" => ("tag read", (50, 20)),
        "RunTask" | "StartTask" | "StopTask" | "ExecuteCommand" => {
            ("cluster-resource modify", (100, 40))
        }
        "DescribeTasks" | "ListTasks" | "DescribeContainerInstances" | "ListContainerInstances" => {
            ("cluster-resource read", (100, 20))
        }
        "DescribeServices" | "ListServices" => ("service read", (100, 20)),
        "DescribeServiceDeployments" | "ListServiceDeployments" => ("service deployment", (50, 20)),
        "DescribeServiceRevisions" => ("service revision", (50, 20)),
        // What is in no published table is assumed to sit with the changes of services.
        _ => ("service modify", (50, 5)),
    }
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;

    use super::*;

    fn taken(buckets: &mut Buckets, operation: &str, count: usize, now: Timestamp) -> usize {
        (0..count).filter(|_| buckets.take("ecs", operation, now).is_ok()).count()
    }

    #[test]
    fn a_bucket_starts_full_and_refills() {
        let mut buckets = Buckets::default();
        let start = Timestamp::UNIX_EPOCH;
        assert_eq!(taken(&mut buckets, "RegisterTaskDefinition", 30, start), 20);
        let later = start + SignedDuration::from_secs(3);
        assert_eq!(taken(&mut buckets, "DeregisterTaskDefinition", 30, later), 3);
        let much_later = start + SignedDuration::from_secs(3600);
        assert_eq!(taken(&mut buckets, "RegisterTaskDefinition", 30, much_later), 20);
    }

    #[test]
    fn families_are_apart_and_others_drain_theirs() {
        let mut buckets = Buckets::default();
        let start = Timestamp::UNIX_EPOCH;
        assert_eq!(taken(&mut buckets, "UpdateService", 60, start), 50);
        assert_eq!(taken(&mut buckets, "DescribeServices", 60, start), 60);
        buckets.other_callers("service modify", 4.0);
        let later = start + SignedDuration::from_secs(10);
        assert_eq!(taken(&mut buckets, "UpdateService", 60, later), 10);
        let error = buckets.take("ecs", "UpdateService", later).unwrap_err();
        assert_eq!(
            (error.code.as_str(), error.message.as_str()),
            ("ThrottlingException", "Rate exceeded")
        );
        assert_eq!(error.http_status, 400);
    }
}
