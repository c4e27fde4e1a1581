//! What installs the operator beside its code asks for what the code understands, and allows what it does.

use std::collections::BTreeSet;

use serde_json::Value;

use super::text;

/// Calls that need no permission.
const FREE: [&str; 1] = ["sts:GetCallerIdentity"];
/// What is allowed and is no call of ours: roles are handed on, assumed by the SDK, and made by AWS on the way.
const BESIDE_CALLS: [&str; 3] = ["iam:PassRole", "sts:AssumeRole", "iam:CreateServiceLinkedRole"];
/// Calls of which `Parameter Store Change` tells too: where CloudTrail tells of them they are understood, and no rule asks.
const TOLD_OTHERWISE: [&str; 3] = ["PutParameter", "DeleteParameter", "LabelParameterVersion"];

/// A template of `CloudFormation`, with the arguments of its functions in the place of the functions.
fn template() -> Value {
    let mut plain = text("manifests/events.yaml");
    for function in ["Ref", "GetAtt", "Sub", "Not", "Equals", "Join"] {
        plain = plain.replace(&format!("!{function} "), "");
    }
    serde_saphyr::from_str(&plain).unwrap()
}

/// The patterns of all rules, each with the alternatives of its `$or` taken apart.
fn patterns() -> Vec<Value> {
    let template = template();
    let resources = template["Resources"].as_object().unwrap().values();
    let rules = resources.filter(|resource| resource["Type"] == "AWS::Events::Rule");
    let mut patterns = Vec::new();
    for rule in rules {
        let pattern = rule["Properties"]["EventPattern"].as_object().unwrap();
        let Some(several) = pattern.get("$or") else {
            patterns.push(Value::Object(pattern.clone()));
            continue;
        };
        for one in several.as_array().unwrap() {
            let mut whole = pattern.clone();
            whole.remove("$or");
            whole.extend(one.as_object().unwrap().clone());
            patterns.push(Value::Object(whole));
        }
    }
    patterns
}

/// The texts of a list of a pattern; filters of other kinds are left out.
fn texts(pattern: &Value, pointer: &str) -> BTreeSet<String> {
    let list = pattern.pointer(pointer).and_then(Value::as_array).cloned().unwrap_or_default();
    list.iter().filter_map(Value::as_str).map(str::to_owned).collect()
}

/// The texts in quotes.
fn quoted(text: &str) -> Vec<String> {
    text.split('"').skip(1).step_by(2).map(str::to_owned).collect()
}

#[test]
fn the_rules_ask_for_what_is_understood_and_for_all_of_it() {
    let patterns = patterns();
    let all = |pointer: &str| -> BTreeSet<String> {
        patterns.iter().flat_map(|pattern| texts(pattern, pointer)).collect()
    };
    let asked: BTreeSet<String> =
        [all("/source"), all("/detail-type")].into_iter().flatten().collect();
    let arms = text("controller/src/triggers/event.rs");
    let (_, arms) = arms.split_once("let wake = match (source, kind) {").unwrap();
    let (arms, _) = arms.split_once("_ => None,").unwrap();
    // The names of members that an arm reads are of one word in small letters.
    let is_of_aws = |text: &String| {
        text.strip_prefix("aws.").is_some_and(|rest| !rest.is_empty()) || text.contains(' ')
    };
    let understood: BTreeSet<String> = quoted(arms).into_iter().filter(is_of_aws).collect();
    assert_eq!(asked, understood);

    let calls = text("controller/src/triggers/event/trail.rs");
    let (_, calls) = calls.split_once("match operation {").unwrap();
    let (calls, _) = calls.split_once("_ => None,").unwrap();
    let is_call = |text: &String| text.starts_with(char::is_uppercase);
    let understood: BTreeSet<String> = quoted(calls).into_iter().filter(is_call).collect();
    let mut asked = all("/detail/eventName");
    asked.extend(TOLD_OTHERWISE.map(str::to_owned));
    assert_eq!(asked, understood);
}

/// A pattern is no use whose events are thrown away: each pair of source and kind that a rule lets through wakes something.
#[test]
fn every_rule_wakes_something() {
    for pattern in patterns() {
        let kinds = texts(&pattern, "/detail-type");
        assert!(!kinds.is_empty(), "{pattern}");
        for kind in kinds.iter().filter(|kind| !kind.ends_with("via CloudTrail")) {
            let sources = texts(&pattern, "/source");
            assert_eq!(sources.len(), 1, "{pattern}");
            let arn = "arn:aws:ecs:eu-west-1:111122223333:service/shop/web";
            // Everything that an event of any kind may carry.
            let event = serde_json::json!({
                "source": sources.first(), "detail-type": kind, "account": "111122223333", "region": "eu-west-1",
                "resources": [arn],
                "detail": {
                    "group": "service:web", "lastStatus": "STOPPED", "serviceArn": arn, "repository-name": "web",
                    "name": "/shop/url", "bucket": {"name": "specs"}, "object": {"key": "a.yaml"}, "alarmName": "5xx",
                    "serviceNamespace": "ecs", "resourceId": "service/shop/web",
                },
            });
            let wakes = controller::triggers::event::parse(&event.to_string()).unwrap();
            assert_eq!(wakes.len(), 1, "{kind}");
        }
        for operation in texts(&pattern, "/detail/eventName") {
            let event = serde_json::json!({
                "source": "aws.ecs", "detail-type": "AWS API Call via CloudTrail", "account": "111122223333",
                "region": "eu-west-1",
                "detail": {
                    "eventName": operation, "eventID": "e", "eventTime": "2026-03-01T00:09:58Z", "userIdentity": {},
                    "requestParameters": {
                        "cluster": "shop", "service": "web", "serviceName": "web", "serviceNamespace": "ecs",
                        "resourceId": "service/shop/web", "secretId": "shop/db",
                        "resourceArn": "arn:aws:ecs:eu-west-1:111122223333:service/shop/web",
                        "serviceDeploymentArn": "arn:aws:ecs:eu-west-1:111122223333:service-deployment/shop/web/x",
                    },
                },
            });
            let wakes = controller::triggers::event::parse(&event.to_string()).unwrap();
            assert_eq!(wakes.len(), 1, "{operation}");
        }
    }
}

#[test]
fn the_queue_has_the_name_that_the_policy_and_the_examples_say() {
    let name = &template()["Parameters"]["QueueName"]["Default"];
    let queue = format!(":{}", name.as_str().unwrap());
    let policy = policy();
    let statements = policy["Statement"].as_array().unwrap();
    let events = statements.iter().find(|statement| statement["Sid"] == "Events").unwrap();
    assert!(events["Resource"].as_str().unwrap().ends_with(&queue), "{events}");
    let example = text("examples/fansite/controller.yaml");
    let (_, url) = example.split_once("sqsQueueUrl: \"").unwrap();
    let queue = url.split('"').next().unwrap().rsplit('/').next().unwrap();
    assert!(example.contains(&format!("QueueName={queue}")), "{queue}");
}

fn policy() -> Value {
    serde_json::from_str(&text("manifests/iam-policy.json")).unwrap()
}

/// The action that allows a call.
fn action(service: &str, operation: &str) -> String {
    match (service, operation) {
        ("monitoring", other) => format!("cloudwatch:{other}"),
        ("s3", "ListObjectsV2") => "s3:ListBucket".to_owned(),
        ("sqs", "DeleteMessageBatch") => "sqs:DeleteMessage".to_owned(),
        (service, operation) => format!("{service}:{operation}"),
    }
}

#[test]
fn the_policy_allows_every_call_and_nothing_else() {
    let source = text("controller/src/aws/operation.rs");
    let (_, rows) = source.split_once("\noperations! {\n").unwrap();
    let (rows, _) = rows.split_once("\n}\n").unwrap();
    let calls: BTreeSet<String> = rows
        .lines()
        .map(|row| {
            let (operation, rest) = row.trim().split_once(": ").unwrap();
            action(&quoted(rest)[0], operation)
        })
        .collect();
    assert!(calls.len() > 50, "the rows are not read as they are written: {calls:?}");
    let policy = policy();
    let actions = policy["Statement"].as_array().unwrap().iter().flat_map(|statement| {
        match statement["Action"].as_array() {
            Some(actions) => actions.clone(),
            None => vec![statement["Action"].clone()],
        }
    });
    let actions: BTreeSet<String> =
        actions.map(|action| action.as_str().unwrap().to_owned()).collect();
    let set = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    let (free, beside): (BTreeSet<String>, BTreeSet<String>) = (set(&FREE), set(&BESIDE_CALLS));
    let needed: BTreeSet<String> = calls.difference(&free).cloned().collect();
    let allowed: BTreeSet<String> = actions.difference(&beside).cloned().collect();
    assert_eq!(allowed, needed);
}
