//! A message of the queue of AWS's events: whatever body somebody has put there.

use controller::triggers::event::{Caller, Place, ServiceWake, Wake, parse};
use serde_json::Value;

use super::assert_tellable;

/// Members whose values nothing needs; `null` says that a member is not given.
const NOT_NEEDED: [&str; 9] = [
    "value",
    "values",
    "secretString",
    "secretBinary",
    "sourceIPAddress",
    "description",
    "containerOverrides",
    "environment",
    "reason",
];
/// Stands for them.
const ANOTHER: &str = "another";

/// Reading an event.
///
/// It names at most one thing, in its own words and where it says itself that it is. It names the same however its JSON is
/// written and whatever values it holds beside the names. A call that failed or only read names nothing. What is told of a
/// caller has one line.
pub fn events(data: &[u8]) {
    let Ok(body) = std::str::from_utf8(data) else { return };
    let wakes = match parse(body) {
        Ok(wakes) => wakes,
        Err(malformed) => return assert_tellable(&malformed.to_string()),
    };
    let event: Value = serde_json::from_str(body).unwrap();
    assert_eq!(read(&event), wakes, "written again");
    let mut other = event.clone();
    replace(&mut other);
    assert_eq!(read(&other), wakes, "with other values in {other}");

    assert!(wakes.len() <= 1, "{wakes:?}");
    let Some(wake) = wakes.first() else { return };
    assert_from_aws(&event, wake);
    match wake {
        Wake::Service(service) => assert_service(&event, service),
        Wake::Repository { place, name }
        | Wake::Parameter { place, name }
        | Wake::Alarm { place, name } => {
            assert_place(&event, place);
            assert!(says(&event["detail"], &|text| text == name), "{name}");
        }
        Wake::Secret { place, id } => {
            assert_place(&event, place);
            assert!(says(&event["detail"], &|text| text == id), "{id}");
        }
        Wake::Object { bucket, key } => {
            assert_eq!(event["detail"]["bucket"]["name"], *bucket);
            assert_eq!(event["detail"]["object"]["key"], *key);
        }
    }
}

fn read(event: &Value) -> Vec<Wake> {
    parse(&event.to_string()).unwrap()
}

/// Puts other values where none is needed.
fn replace(value: &mut Value) {
    match value {
        Value::Object(members) => {
            for (name, value) in members {
                if NOT_NEEDED.contains(&name.as_str()) && !value.is_null() {
                    *value = Value::from(ANOTHER);
                } else {
                    replace(value);
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(replace),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// Anybody may put events on a bus of their own, and calls count only once they were made.
fn assert_from_aws(event: &Value, wake: &Wake) {
    let source = event["source"].as_str().unwrap();
    let kind = event["detail-type"].as_str().unwrap();
    assert!(source.starts_with("aws."), "{source} wakes {wake:?}");
    let is_call = kind.ends_with("via CloudTrail");
    let caller = match wake {
        Wake::Service(service) => service.call.is_some(),
        Wake::Repository { .. }
        | Wake::Parameter { .. }
        | Wake::Alarm { .. }
        | Wake::Secret { .. }
        | Wake::Object { .. } => false,
    };
    assert!(is_call || !caller, "{kind} tells of no call");
    if is_call {
        for (name, value) in [("errorCode", Value::from("x")), ("readOnly", Value::from(true))] {
            let mut in_vain = event.clone();
            in_vain["detail"][name] = value;
            assert_eq!(read(&in_vain), [], "{name}");
        }
    }
}

/// It is where the event says that it happened.
fn assert_place(event: &Value, place: &Place) {
    assert_eq!((event["account"].as_str(), event["region"].as_str()), told(place));
}

fn told(place: &Place) -> (Option<&str>, Option<&str>) {
    (Some(&place.account), Some(&place.region))
}

/// A service has the name that the event gives it, alone, in an ARN or in the name of a group.
fn assert_service(event: &Value, service: &ServiceWake) {
    let ServiceWake { place, cluster, name, is_scaling: _, call } = service;
    assert_place(event, place);
    let ends = [format!("service:{name}"), format!("/{name}")];
    let is_named = |text: &str| {
        text == name
            || ends.iter().any(|end| text.ends_with(end.as_str()))
            || text.contains(&format!("/{name}/"))
    };
    assert!(says(event, &is_named), "{name}");
    if let Some(cluster) = cluster.as_ref().filter(|cluster| *cluster != "default") {
        let ending = format!("/{cluster}");
        let is_named = |text: &str| {
            text == cluster
                || text.ends_with(&ending)
                || text.contains(&format!("/{cluster}/{name}"))
        };
        assert!(says(event, &is_named), "{cluster}");
    }
    if let Some(call) = call {
        assert_caller(event, call);
    }
}

/// Whoever calls chooses most of what is told of the call.
fn assert_caller(event: &Value, caller: &Caller) {
    let Caller { call, arn, agent } = caller;
    assert_tellable(&call.actor);
    assert_tellable(&call.id);
    assert_tellable(agent);
    arn.as_deref().into_iter().chain(call.tool.as_deref()).for_each(assert_tellable);
    call.members.iter().for_each(|member| assert_tellable(member));
    assert_tellable(&call.to_string());
    assert_eq!(event["detail"]["eventName"], call.operation);
    let given = event["detail"]["eventTime"].as_str().unwrap();
    assert_eq!(given.parse().ok(), Some(call.time));
}

/// Whether a text of it, however deep, is one of these.
fn says(value: &Value, is_one: &dyn Fn(&str) -> bool) -> bool {
    match value {
        Value::String(text) => is_one(text),
        Value::Array(items) => items.iter().any(|item| says(item, is_one)),
        Value::Object(members) => members.values().any(|member| says(member, is_one)),
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}
