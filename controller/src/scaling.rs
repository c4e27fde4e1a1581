//! A service's scaling: read for the plan, taken away before the service, and told about.

use crds::scaling::{ScalingActivity, ScalingStatus};
use crds::{ObjectKey, ServiceStatus};
use jiff::Timestamp;
use planner::observed::ObservedService;
use planner::ownership::Tags;
use planner::scaling::{self, ObservedScaling, SCALING, alarm_prefix, resource_id};
use planner::{Desired, Observed, Plan, deletion};
use serde_json::Value;

use crate::aws::{Account, Error};

/// How many activities a status shows.
const ACTIVITIES: usize = 5;

/// How new a reading has to be.
#[derive(Debug, Clone, Copy)]
enum Age {
    /// As the last listing for all services had it.
    Kept,
    /// Read a moment ago at the most.
    Newest,
}

/// Reads the scaling that a plan depends on: from the listing for all services, and anew when the plan would act on it.
pub async fn observe(
    account: &Account,
    desired: &Desired,
    observed: &Observed,
) -> Result<ObservedScaling, Error> {
    let wants_alarms = desired.scaling.as_ref().is_some_and(scaling::DesiredScaling::has_alarms);
    let kept = read(account, &desired.key, wants_alarms, Age::Kept).await?;
    if !scaling::would_act(desired, observed.service.as_ref(), &kept) {
        return Ok(kept);
    }
    read(account, &desired.key, wants_alarms, Age::Newest).await
}

/// Everything that there is for a service, as the last listing for all services had it.
pub async fn listed(account: &Account, key: &ObjectKey) -> Result<ObservedScaling, Error> {
    read(account, key, false, Age::Kept).await
}

async fn read(
    account: &Account,
    key: &ObjectKey,
    wants_alarms: bool,
    age: Age,
) -> Result<ObservedScaling, Error> {
    let resource = resource_id(key);
    let lists = match age {
        Age::Kept => account.scaling(&resource).await?,
        Age::Newest => account.scaling_now(&resource).await?,
    };
    let mut found = ObservedScaling::from_lists(&lists);
    if wants_alarms || found.has_step_policies() {
        let prefix = alarm_prefix(key);
        let alarms = match age {
            Age::Kept => account.scaling_alarms(&prefix).await?,
            Age::Newest => account.scaling_alarms_now(&prefix).await?,
        };
        let alarms = alarms.get("MetricAlarms").and_then(Value::as_array);
        found.alarms = alarms.cloned().unwrap_or_default();
    }
    Ok(found)
}

/// The plan for a service without a spec, with its scaling taken away before the service is.
pub async fn removed_first(
    account: &Account,
    key: &ObjectKey,
    service: &ObservedService,
    plan: Plan,
) -> Result<Plan, Error> {
    if !deletion::takes_away(&plan) || !is_ours(&service.tags) {
        return Ok(plan);
    }
    let found = read(account, key, false, Age::Newest).await?;
    Ok(scaling::before_deletion(key, &found, plan))
}

fn is_ours(tags: &Tags) -> bool {
    tags.contains_key(SCALING)
}

/// The status with what Application Auto Scaling did last. It is asked when the count moved; else what was said last time
/// is still so. What cannot be read only explains, and is left out.
pub async fn with_activities(
    account: &Account,
    key: &ObjectKey,
    mut status: ServiceStatus,
    previous: Option<&ServiceStatus>,
) -> ServiceStatus {
    let Some(now) = &mut status.scaling else { return status };
    let before = previous.and_then(|previous| previous.scaling.as_ref());
    now.activities = match before {
        Some(before) if before.current == now.current => before.activities.clone(),
        Some(_) | None => last_activities(account, key, before).await,
    };
    status
}

async fn last_activities(
    account: &Account,
    key: &ObjectKey,
    before: Option<&ScalingStatus>,
) -> Vec<ScalingActivity> {
    let known = || before.map(|before| before.activities.clone()).unwrap_or_default();
    let Ok(all) = account.scaling_activities().await else { return known() };
    let resource = resource_id(key);
    let of_service = all.iter().filter(|one| text(one, "ResourceId") == resource);
    let mut activities: Vec<_> = of_service.filter_map(activity).take(ACTIVITIES).collect();
    for older in known() {
        if activities.len() < ACTIVITIES && !activities.contains(&older) {
            activities.push(older);
        }
    }
    activities
}

fn activity(one: &Value) -> Option<ScalingActivity> {
    #[allow(clippy::cast_possible_truncation, reason = "milliseconds since 1970 fit an i64")]
    let began = (one.get("StartTime")?.as_f64()? * 1000.0).round() as i64;
    Some(ScalingActivity {
        time: Timestamp::from_millisecond(began).ok()?,
        status: text(one, "StatusCode").to_owned(),
        description: text(one, "Description").to_owned(),
        cause: text(one, "Cause").to_owned(),
    })
}

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value.get(name).and_then(Value::as_str).unwrap_or_default()
}
