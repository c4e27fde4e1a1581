//! What a Region tells EventBridge, in the queue that the fixtures name: changes of state, and calls as CloudTrail has them.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::Region;
use crate::{ApiError, clock::after, derived};

/// Who made a call, as far as CloudTrail would know it.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Caller<'a> {
    /// Somebody at the console.
    Console,
    /// A program with an access key, by its user agent.
    Program(&'a str),
}

impl Region {
    /// Lets events be told or not, as rules of EventBridge are turned on and off.
    pub fn set_events(&mut self, told: bool) {
        self.events_off = !told;
    }

    /// Passes on what ECS has told.
    pub(super) fn tell_events(&mut self) {
        for notice in self.ecs.drain_notices() {
            let resources = [notice.resource];
            self.put_event("aws.ecs", notice.kind, &resources, &notice.detail, notice.when);
        }
    }

    /// Puts an event into the queue that the fixtures name, to be seen from `when` on.
    fn put_event(
        &mut self,
        source: &str,
        kind: &str,
        resources: &[String],
        detail: &Value,
        when: Timestamp,
    ) {
        let Some(events) = self.events.as_ref().filter(|_| !self.events_off) else { return };
        self.events_told += 1;
        let id =
            derived::uuid(&format!("{}/{}/event/{}", self.account, self.name, self.events_told));
        let body = json!({
            "version": "0", "id": id, "detail-type": kind, "source": source, "account": self.account,
            "time": when.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(), "region": self.name,
            "resources": resources, "detail": detail,
        });
        let queue = events.queue.clone();
        self.sqs.put(&queue, &body.to_string(), when);
    }

    /// Tells of a call: what other services say of it themselves, and CloudTrail a little later.
    pub(crate) fn tell_call(
        &mut self,
        (api, operation): (&str, &str),
        input: &Value,
        outcome: Result<(), &ApiError>,
        caller: Caller<'_>,
        now: Timestamp,
    ) {
        let Some(events) = &self.events else { return };
        let is_told = matches!(api, "ecs" | "application-autoscaling" | "secretsmanager");
        let reads = ["Describe", "List", "Get", "BatchGet"];
        let later = after(now, events.cloud_trail_delay);
        if is_told && !reads.iter().any(|verb| operation.starts_with(verb)) {
            let detail = self.trail(api, operation, input, outcome, caller, now);
            let source = format!("aws.{api}");
            self.put_event(&source, "AWS API Call via CloudTrail", &[], &detail, later);
        }
        if outcome.is_err() {
            return;
        }
        let text = |name: &str| input.get(name).and_then(Value::as_str).unwrap_or_default();
        match (api, operation) {
            ("ssm", "PutParameter" | "DeleteParameter") => {
                let done = if operation == "PutParameter" { "Update" } else { "Delete" };
                let name = text("Name");
                let detail = json!({"operation": done, "name": name, "type": "String"});
                let place = format!("arn:aws:ssm:{}:{}:parameter/", self.name, self.account);
                let arn = format!("{place}{}", name.trim_start_matches('/'));
                self.put_event("aws.ssm", "Parameter Store Change", &[arn], &detail, now);
            }
            ("ecr", "PutImage") => {
                self.tell_push(text("repositoryName"), text("imageTag"), now);
            }
            _ => {}
        }
    }

    /// Tells of an image that was pushed with a tag.
    pub(super) fn tell_push(&mut self, repository: &str, tag: &str, now: Timestamp) {
        let detail = json!({
            "result": "SUCCESS", "action-type": "PUSH", "repository-name": repository, "image-tag": tag,
        });
        self.put_event("aws.ecr", "ECR Image Action", &[], &detail, now);
    }

    /// Tells of an object that was written or deleted.
    pub(crate) fn tell_object(&mut self, operation: &str, path: &str, now: Timestamp) {
        let Some((bucket, key)) = path.trim_start_matches('/').split_once('/') else { return };
        let kind = match operation {
            "PutObject" => "Object Created",
            "DeleteObject" => "Object Deleted",
            _ => return,
        };
        let key = percent_encoding::percent_decode_str(key).decode_utf8_lossy();
        let detail = json!({
            "version": "0", "bucket": {"name": bucket}, "object": {"key": key}, "reason": operation,
            "requester": self.account,
        });
        let arn = format!("arn:aws:s3:::{bucket}");
        self.put_event("aws.s3", kind, &[arn], &detail, now);
    }

    fn trail(
        &self,
        api: &str,
        operation: &str,
        input: &Value,
        outcome: Result<(), &ApiError>,
        caller: Caller<'_>,
        now: Timestamp,
    ) -> Value {
        let account = &self.account;
        let (identity, agent) = match caller {
            Caller::Console => (
                json!({
                    "type": "AssumedRole", "accountId": account, "principalId": "AROAADMIN:ada",
                    "arn": format!("arn:aws:sts::{account}:assumed-role/Admin/ada"),
                }),
                "Mozilla/5.0 (X11; Linux x86_64)",
            ),
            Caller::Program(agent) => (
                json!({
                    "type": "IAMUser", "accountId": account, "principalId": "AIDASANDBOXSANDBOX00",
                    "arn": format!("arn:aws:iam::{account}:user/sandbox"), "userName": "sandbox",
                }),
                agent,
            ),
        };
        let at = SignedDuration::from_secs(now.as_second());
        let time = Timestamp::from_duration(at).unwrap_or(now);
        let mut record = json!({
            "eventVersion": "1.11", "eventTime": time.to_string(), "eventName": operation,
            "eventSource": format!("{}.amazonaws.com", if api == "application-autoscaling" { "autoscaling" } else { api }),
            "awsRegion": self.name, "sourceIPAddress": "192.0.2.1", "userAgent": agent, "userIdentity": identity,
            "requestParameters": lower(input), "responseElements": null, "readOnly": false,
            "eventID": derived::uuid(&format!("{account}/{}/trail/{}", self.name, self.events_told)),
            "eventType": "AwsApiCall", "recipientAccountId": account,
        });
        if let Some(members) = record.as_object_mut() {
            if let Err(error) = outcome {
                members.insert("errorCode".to_owned(), json!(error.code));
                members.insert("errorMessage".to_owned(), json!(error.message));
            }
            if matches!(caller, Caller::Console) {
                members.insert("sessionCredentialFromConsole".to_owned(), json!("true"));
            }
        }
        record
    }
}

/// The input with names as CloudTrail writes them, and without values that are secret.
fn lower(input: &Value) -> Value {
    let Value::Object(members) = input else { return Value::Null };
    let lowered =
        members.iter().filter(|(name, _)| name.as_str() != "SecretString").map(|(name, value)| {
            let mut letters = name.chars();
            let first = letters.next().map(|letter| letter.to_ascii_lowercase());
            (first.into_iter().chain(letters).collect::<String>(), value.clone())
        });
    Value::Object(lowered.collect())
}
