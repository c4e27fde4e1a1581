//! One narrow call per change of scaling.

use planner::scaling::{Call, PolicyRef};
use serde_json::{Value, json};

use crate::aws::{Account, Error};

/// Makes the call. `policy` is the ARN of the policy that was put last.
pub(super) async fn one(
    account: &Account,
    call: &Call,
    policy: &mut Option<String>,
) -> Result<(), Error> {
    match call {
        Call::RegisterScalableTarget { input } => account.register_scalable_target(input).await,
        Call::DeregisterScalableTarget { input } => account.deregister_scalable_target(input).await,
        Call::PutScalingPolicy { input } => {
            *policy = Some(account.put_scaling_policy(input).await?);
            Ok(())
        }
        Call::DeleteScalingPolicy { input } => account.delete_scaling_policy(input).await,
        Call::PutScheduledAction { input } => account.put_scheduled_action(input).await,
        Call::DeleteScheduledAction { input } => account.delete_scheduled_action(input).await,
        Call::PutMetricAlarm { input, policy: reference } => {
            let arn = match reference {
                PolicyRef::Existing(arn) => Some(arn.as_str()),
                PolicyRef::Put => policy.as_deref(),
            };
            account.put_metric_alarm(&with_policy(input, arn)).await
        }
        Call::DeleteAlarms { names } => account.delete_alarms(names).await,
    }
}

fn with_policy(input: &Value, arn: Option<&str>) -> Value {
    let mut body = input.clone();
    if let (Some(members), Some(arn)) = (body.as_object_mut(), arn)
        && let Value::Array(actions) = members.entry("AlarmActions").or_insert_with(|| json!([]))
    {
        actions.insert(0, json!(arn));
    }
    body
}
