//! The targets of a target group that get no traffic, and why (aws.md §6.8).

use std::time::Duration;

use aws_sdk_elasticloadbalancingv2::types::TargetHealthStateEnum;

use super::super::account::Account;
use super::super::error::Error;
use super::super::operation::Operation;

/// How old an answer may be: shorter than a young rollout is looked at again, for targets come and go.
const AGE: Duration = Duration::from_secs(3);

/// What a load balancer says of a target that gets no traffic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TargetHealthFact {
    /// `initial`, `unhealthy`, `unused`, …
    pub state: String,
    /// Why, as a code; empty where there is none.
    pub reason: String,
    /// Why, in words; empty where there are none.
    pub description: String,
}

impl Account {
    /// The targets of this group that are not healthy, a moment old at most.
    pub async fn unhealthy_targets(&self, group: &str) -> Result<Vec<TargetHealthFact>, Error> {
        let key = group.to_owned();
        let answers = &self.inner.surroundings.target_health;
        answers.get(&key, AGE, || self.ask_target_health(group)).await
    }

    async fn ask_target_health(&self, group: &str) -> Result<Vec<TargetHealthFact>, Error> {
        let output = self
            .inner
            .connection
            .ask_typed(Operation::DescribeTargetHealth, group, |clients| {
                clients.load_balancing.describe_target_health().target_group_arn(group).send()
            })
            .await?;
        let text = |text: Option<&str>| text.unwrap_or_default().to_owned();
        let health =
            output.target_health_descriptions().iter().filter_map(|one| one.target_health());
        Ok(health
            .filter(|health| health.state() != Some(&TargetHealthStateEnum::Healthy))
            .map(|health| TargetHealthFact {
                state: text(health.state().map(TargetHealthStateEnum::as_str)),
                reason: text(
                    health
                        .reason()
                        .map(aws_sdk_elasticloadbalancingv2::types::TargetHealthReasonEnum::as_str),
                ),
                description: text(health.description()),
            })
            .collect())
    }
}
