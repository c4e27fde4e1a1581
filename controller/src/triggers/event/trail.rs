//! Calls that CloudTrail tells of: to which service, by whom, with what.
//!
//! Only calls that changed something are of concern, and of those only the ones that concern a service, its scaling, a
//! parameter or a secret. Nothing of the call's input is kept but the names of its members.

use std::collections::BTreeSet;

use planner::outside::OutsideCall;
use serde_json::Value;

use super::{Caller, Place, ServiceWake, Wake, is_of_ecs, last_part, scaling_of, service_of, text};

/// The longest text that is taken over from a caller: user agents and names of sessions are chosen by whoever calls.
const TEXT_MAX: usize = 200;
/// The longest name of a tool.
const TOOL_MAX: usize = 60;
/// How many members are named.
const MEMBERS_MAX: usize = 20;

/// Members that say what is changed and not how.
const ADDRESSES: &[&str] = &["cluster", "service", "serviceName", "clientToken", "resourceArn"];

/// What the call asks to look at.
pub(super) fn wake(place: Place, detail: &Value) -> Option<Wake> {
    let operation = text(detail, "eventName")?;
    let failed = detail.get("errorCode").is_some_and(|code| !code.is_null());
    if failed || detail.get("readOnly").and_then(Value::as_bool) == Some(true) {
        return None;
    }
    let null = Value::Null;
    let input = detail.get("requestParameters").unwrap_or(&null);
    let call = || caller(operation, input, detail);
    match operation {
        "CreateService" | "UpdateService" | "DeleteService" => {
            let (cluster, name) = addressed(input)?;
            let (is_scaling, call) = (false, call());
            Some(Wake::Service(ServiceWake { place, cluster, name, is_scaling, call }))
        }
        "TagResource" | "UntagResource" => of_arn(place, text(input, "resourceArn")?, call()),
        "StopServiceDeployment" | "ContinueServiceDeployment" => {
            of_deployment(place, text(input, "serviceDeploymentArn")?, call())
        }
        "RegisterScalableTarget"
        | "DeregisterScalableTarget"
        | "PutScalingPolicy"
        | "DeleteScalingPolicy"
        | "PutScheduledAction"
        | "DeleteScheduledAction" => {
            let resource = text(input, "resourceId").filter(|_| is_of_ecs(input))?;
            scaling_of(place, resource, call())
        }
        "PutSecretValue"
        | "UpdateSecret"
        | "UpdateSecretVersionStage"
        | "RotateSecret"
        | "DeleteSecret"
        | "RestoreSecret"
        | "CreateSecret"
        | "RotationSucceeded" => secret(place, input, detail),
        "PutParameter" | "DeleteParameter" | "LabelParameterVersion" => {
            let name = text(input, "name")?.to_owned();
            Some(Wake::Parameter { place, name })
        }
        _ => None,
    }
}

/// The cluster and the service that a call of ECS names, each by name or by ARN.
fn addressed(input: &Value) -> Option<(Option<String>, String)> {
    let named = text(input, "service").or_else(|| text(input, "serviceName"))?;
    let given = text(input, "cluster").and_then(last_part);
    let (cluster, name) = match service_of(named) {
        Some((cluster, name)) => (cluster.or(given), name),
        None => (Some(given.unwrap_or("default")), named),
    };
    Some((cluster.map(str::to_owned), name.to_owned()))
}

fn of_arn(place: Place, arn: &str, call: Option<Box<Caller>>) -> Option<Wake> {
    let (cluster, name) = service_of(arn)?;
    let (cluster, name) = (cluster.map(str::to_owned), name.to_owned());
    Some(Wake::Service(ServiceWake { place, cluster, name, is_scaling: false, call }))
}

/// `arn:aws:ecs:…:service-deployment/<cluster>/<service>/<id>`.
fn of_deployment(place: Place, arn: &str, call: Option<Box<Caller>>) -> Option<Wake> {
    let (_, rest) = arn.split_once(":service-deployment/")?;
    let mut parts = rest.split('/');
    let (cluster, name) = (Some(parts.next()?.to_owned()), parts.next()?.to_owned());
    Some(Wake::Service(ServiceWake { place, cluster, name, is_scaling: false, call }))
}

/// The secret is named in the call, in its answer, or beside both when Secrets Manager itself has rotated it.
fn secret(place: Place, input: &Value, detail: &Value) -> Option<Wake> {
    let beside = |member: &str, name: &str| detail.get(member).and_then(|found| text(found, name));
    let id = text(input, "secretId")
        .or_else(|| text(input, "name"))
        .or_else(|| beside("additionalEventData", "SecretId"))
        .or_else(|| beside("responseElements", "arn"))?;
    Some(Wake::Secret { place, id: id.to_owned() })
}

fn caller(operation: &str, input: &Value, detail: &Value) -> Option<Box<Caller>> {
    let identity = detail.get("userIdentity")?;
    let agent = clean(text(detail, "userAgent").unwrap_or_default());
    let call = OutsideCall {
        id: clean(text(detail, "eventID")?),
        time: text(detail, "eventTime")?.parse().ok()?,
        operation: operation.to_owned(),
        members: members(operation, input),
        actor: actor(identity),
        tool: tool(&agent, detail),
    };
    Some(Box::new(Caller { call, arn: text(identity, "arn").map(clean), agent }))
}

/// What the call set: for tags their keys, else the members of its input.
fn members(operation: &str, input: &Value) -> BTreeSet<String> {
    let names: Vec<&str> = match operation {
        "TagResource" => {
            let tags = input.get("tags").and_then(Value::as_array);
            tags.into_iter().flatten().filter_map(|tag| text(tag, "key")).collect()
        }
        "UntagResource" => {
            let keys = input.get("tagKeys").and_then(Value::as_array);
            keys.into_iter().flatten().filter_map(Value::as_str).collect()
        }
        "UpdateService" | "RegisterScalableTarget" => {
            let all = input.as_object().into_iter().flatten();
            let set = all.filter(|(_, value)| !value.is_null()).map(|(name, _)| name.as_str());
            set.filter(|name| !ADDRESSES.contains(name) && !is_address_of_scaling(name)).collect()
        }
        _ => Vec::new(),
    };
    names.into_iter().take(MEMBERS_MAX).map(clean).collect()
}

fn is_address_of_scaling(name: &str) -> bool {
    matches!(name, "serviceNamespace" | "resourceId" | "scalableDimension" | "tags")
}

/// Who it was: the ARN, or the service of AWS, or the most that is known.
fn actor(identity: &Value) -> String {
    let first = |names: &[&str]| names.iter().find_map(|name| text(identity, name));
    match first(&["arn", "invokedBy", "userName", "principalId", "accountId", "type"]) {
        Some(name) => clean(name),
        None => "somebody whom CloudTrail does not name".to_owned(),
    }
}

/// What it was made with, in a word: the console, or the product that leads the user agent.
fn tool(agent: &str, detail: &Value) -> Option<String> {
    let from_console = detail.get("sessionCredentialFromConsole");
    if from_console.is_some_and(|yes| yes == "true" || yes == &Value::Bool(true)) {
        return Some("the console".to_owned());
    }
    let agent = agent.trim_matches(['[', ']']);
    // Terraform and its like put themselves behind the library that they use.
    let known = ["Terraform/", "Pulumi/", "aws-cdk/", "ecspresso/", "longshore/"];
    let mut words = agent.split_whitespace();
    let named = words.clone().find(|word| known.iter().any(|known| word.starts_with(known)));
    let word = named.or_else(|| words.next())?;
    Some(word.chars().take(TOOL_MAX).collect())
}

/// A text of a stranger, fit to be shown: printable, of one line, not long.
fn clean(text: &str) -> String {
    text.chars().filter(|letter| !letter.is_control()).take(TEXT_MAX).collect()
}
