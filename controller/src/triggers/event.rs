//! From an event of EventBridge to what should be looked at (aws.md §3.12).
//!
//! What comes in: the body of a message, whatever anybody has put there. What leaves: wakes, which name things and say
//! nothing about them; or that it is no event. Pure, and it never fails in another way. Events come twice, late, in any
//! order or not at all, so nothing is concluded from one.

#[cfg(test)]
mod tests;
mod trail;

use planner::outside::OutsideCall;
use serde_json::Value;

/// What should be looked at.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Wake {
    /// A service.
    Service(ServiceWake),
    /// Whatever uses images of a repository of ECR.
    Repository {
        /// Where it is.
        place: Place,
        /// Its name, `shop/web`.
        name: String,
    },
    /// Whatever reads a parameter.
    Parameter {
        /// Where it is.
        place: Place,
        /// Its name, with the leading `/` that hierarchical names have.
        name: String,
    },
    /// Whatever reads a secret.
    Secret {
        /// Where it is.
        place: Place,
        /// Its name or its ARN.
        id: String,
    },
    /// The services whose rollouts an alarm watches.
    Alarm {
        /// Where it is.
        place: Place,
        /// Its name.
        name: String,
    },
    /// The sources that an object is part of.
    Object {
        /// Its bucket.
        bucket: String,
        /// Its key.
        key: String,
    },
}

/// A service that something happened to.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ServiceWake {
    /// Where it is.
    pub place: Place,
    /// Its cluster's name; `None` where the event does not say, as with ARNs of the old form.
    pub cluster: Option<String>,
    /// Its name.
    pub name: String,
    /// Whether it is about the service's scaling.
    pub is_scaling: bool,
    /// The call that did it, where it was one.
    pub call: Option<Box<Caller>>,
}

/// A call and who made it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Caller {
    /// What people are told.
    pub call: OutsideCall,
    /// The ARN that CloudTrail gives the caller, if it does.
    pub arn: Option<String>,
    /// The whole user agent.
    pub agent: String,
}

/// An account and a region.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The account's twelve digits.
    pub account: String,
    /// The region.
    pub region: String,
}

/// A message that is no event.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("cannot read event: {0}")]
pub struct Malformed(String);

/// What an event asks to look at; nothing for events that are of no concern.
pub fn parse(body: &str) -> Result<Vec<Wake>, Malformed> {
    let event: Value =
        serde_json::from_str(body).map_err(|error| Malformed(format!("no JSON: {error}")))?;
    let member =
        |name: &str| text(&event, name).ok_or_else(|| Malformed(format!("no text `{name}` in it")));
    let (source, kind) = (member("source")?, member("detail-type")?);
    let place =
        Place { account: member("account")?.to_owned(), region: member("region")?.to_owned() };
    let Some(detail) = event.get("detail").filter(|detail| detail.is_object()) else {
        return Err(Malformed("no object `detail` in it".to_owned()));
    };
    let wake = match (source, kind) {
        ("aws.ecs", "ECS Task State Change") => task(place, detail),
        (
            "aws.ecs",
            "ECS Deployment State Change" | "ECS Service Action" | "ECS Hook State Change",
        ) => service(place, &event, detail),
        (
            "aws.ecr",
            "ECR Image Action" | "ECR Replication Action" | "ECR Pull Through Cache Action",
        ) => repository(place, detail),
        ("aws.ssm", "Parameter Store Change") => {
            text(detail, "name").map(|name| Wake::Parameter { place, name: name.to_owned() })
        }
        ("aws.s3", "Object Created" | "Object Deleted") => object(detail),
        ("aws.cloudwatch", "CloudWatch Alarm State Change") => alarm(place, detail),
        (
            "aws.application-autoscaling",
            "Application Auto Scaling Scaling Activity State Change",
        ) => scaled(place, detail),
        // Anybody may send events under a name of their own; nobody but AWS under one that begins so.
        (source, "AWS API Call via CloudTrail" | "AWS Service Event via CloudTrail")
            if source.starts_with("aws.") =>
        {
            trail::wake(place, detail)
        }
        _ => None,
    };
    Ok(wake.into_iter().collect())
}

/// A task that runs or has stopped changes what a service has; the steps in between do not.
fn task(place: Place, detail: &Value) -> Option<Wake> {
    if !matches!(text(detail, "lastStatus")?, "RUNNING" | "STOPPED") {
        return None;
    }
    let name = text(detail, "group")?.strip_prefix("service:")?.to_owned();
    let cluster = text(detail, "clusterArn").and_then(last_part).map(str::to_owned);
    Some(of_service(place, cluster, name))
}

/// The service is named by its ARN, in the detail or as the only resource.
fn service(place: Place, event: &Value, detail: &Value) -> Option<Wake> {
    let arn = text(detail, "serviceArn")
        .or_else(|| event.get("resources")?.as_array()?.first()?.as_str())?;
    let (cluster, name) = service_of(arn)?;
    let cluster = cluster.or_else(|| text(detail, "clusterArn").and_then(last_part));
    Some(of_service(place, cluster.map(str::to_owned), name.to_owned()))
}

fn of_service(place: Place, cluster: Option<String>, name: String) -> Wake {
    Wake::Service(ServiceWake { place, cluster, name, is_scaling: false, call: None })
}

fn repository(place: Place, detail: &Value) -> Option<Wake> {
    if text(detail, "result") == Some("FAILURE") {
        return None;
    }
    let name = text(detail, "repository-name")?.to_owned();
    Some(Wake::Repository { place, name })
}

fn object(detail: &Value) -> Option<Wake> {
    let bucket = text(detail.get("bucket")?, "name")?.to_owned();
    let key = text(detail.get("object")?, "key")?.to_owned();
    Some(Wake::Object { bucket, key })
}

/// The alarms of target tracking and those of ours carry their service in their names.
fn alarm(place: Place, detail: &Value) -> Option<Wake> {
    let name = text(detail, "alarmName")?;
    if let Some(tracked) = name.strip_prefix("TargetTracking-service/") {
        let end = tracked.rfind("-AlarmHigh-").or_else(|| tracked.rfind("-AlarmLow-"))?;
        return scaling_of(place, &format!("service/{}", tracked.get(..end)?), None);
    }
    if let Some((cluster, rest)) = name.strip_prefix("longshore/").and_then(|it| it.split_once('/'))
        && let Some((service, _policy)) = rest.split_once('/')
    {
        return scaling_of(place, &format!("service/{cluster}/{service}"), None);
    }
    Some(Wake::Alarm { place, name: name.to_owned() })
}

fn scaled(place: Place, detail: &Value) -> Option<Wake> {
    let resource = text(detail, "resourceId").filter(|_| is_of_ecs(detail))?;
    scaling_of(place, resource, None)
}

fn is_of_ecs(members: &Value) -> bool {
    text(members, "serviceNamespace") == Some("ecs")
}

/// The service of `service/<cluster>/<name>`, the resource of a scalable target.
fn scaling_of(place: Place, resource: &str, call: Option<Box<Caller>>) -> Option<Wake> {
    let (cluster, name) = resource.strip_prefix("service/")?.split_once('/')?;
    let (cluster, name) = (Some(cluster.to_owned()), name.to_owned());
    Some(Wake::Service(ServiceWake { place, cluster, name, is_scaling: true, call }))
}

/// Cluster and name out of a service's ARN; those of the old form name no cluster.
fn service_of(arn: &str) -> Option<(Option<&str>, &str)> {
    let (_, rest) = arn.split_once(":service/")?;
    Some(match rest.split_once('/') {
        Some((cluster, name)) => (Some(cluster), name),
        None => (None, rest),
    })
}

/// `shop` out of `shop` and of `arn:aws:ecs:…:cluster/shop`.
fn last_part(text: &str) -> Option<&str> {
    text.rsplit('/').next().filter(|part| !part.is_empty())
}

fn text<'a>(value: &'a Value, name: &str) -> Option<&'a str> {
    value.get(name)?.as_str()
}
