//! What must never happen.

use std::collections::{HashMap, HashSet};

use jiff::Timestamp;
use sandbox::ServiceView;
use serde_json::{Value, json};

use super::{TURN, World};

impl World {
    /// Everything that can be seen at any time.
    pub(super) fn check(&mut self) {
        let foreign = self.fleet.service("foreign").unwrap();
        assert_eq!(ServiceView { events: Vec::new(), ..foreign }, self.foreign, "foreign service");
        let calls = self.fleet.calls_that_change(self.checked);
        self.checked = self.fleet.sandbox.call_count();
        for call in &calls {
            let name = service_of(&call.request);
            assert_ne!(name.as_deref(), Some("foreign"), "{call:?}");
            assert_ne!(call.operation, "DeregisterTaskDefinition");
            let Some(name) = name else { continue };
            for since in [self.suspended.get(name.as_str()), self.frozen.get(name.as_str())] {
                let late = since.map(|since| call.time.duration_since(*since)).unwrap_or_default();
                assert!(late < TURN, "{name} has been suspended or held for {late}: {call:?}");
            }
            // No spec here asks for no tasks: who is scaled in to none is to be deleted.
            let is_scaled_in =
                call.operation == "UpdateService" && call.request["desiredCount"] == 0;
            if call.operation == "DeleteService" || is_scaled_in {
                self.check_deletion(&name, call.time);
            }
        }
        self.carried_out.extend(calls.into_iter().filter(|call| call.status == 200));
        self.check_counts_of_others();
        self.check_that_tasks_run_once();
        self.check_that_no_version_goes_back();
        if !self.lost_replies {
            self.check_that_nothing_is_doubled();
        }
    }

    fn check_deletion(&self, name: &str, time: Timestamp) {
        // A turn may have begun when the spec was still absent, or everything was still readable.
        if let Some(since) = self.nameless {
            let late = time.duration_since(since);
            assert!(late < TURN, "{name} was deleted while a file had no readable name for {late}");
        }
        let is_absent = self.absent.contains_key(name);
        assert!(is_absent, "{name} was deleted and its spec stands in the source");
    }

    /// Within one life of the process no content is registered twice, and no revision is sent twice for the same spec:
    /// neither because reads are stale, nor because a rollout failed, nor because a call after it was refused.
    fn check_that_nothing_is_doubled(&self) {
        let mut registered: HashSet<(usize, String)> = HashSet::new();
        let mut sent: HashSet<(usize, usize, String, String)> = HashSet::new();
        for call in &self.carried_out {
            let life = self.lives.iter().filter(|began| **began <= call.time).count();
            if call.operation == "RegisterTaskDefinition" {
                let content = call.request.to_string();
                assert!(registered.insert((life, content)), "registered twice: {call:?}");
            }
            let sends = ["CreateService", "UpdateService"].contains(&call.operation.as_str());
            let arn = call.request.get("taskDefinition").and_then(Value::as_str).filter(|_| sends);
            if let (Some(arn), Some(name)) = (arn, service_of(&call.request)) {
                let changes = self.changed.get(name.as_str()).into_iter().flatten();
                let changes = changes.filter(|change| **change <= call.time).count();
                let is_new = sent.insert((life, changes, name, arn.to_owned()));
                assert!(is_new, "sent twice: {call:?}");
            }
        }
    }

    /// How many tasks a scaled service has is not for the operator to say, except while it deletes it.
    fn check_counts_of_others(&self) {
        for call in &self.carried_out {
            let Some(name) = service_of(&call.request) else { continue };
            let count = call.request["desiredCount"].as_i64().unwrap_or_default();
            let is_ours = call.operation != "UpdateService" || count == 0;
            let is_scaled = self.shape.of_service(&name).is_scaled;
            assert!(is_ours || !is_scaled, "the count of {name} is not ours: {call:?}");
        }
    }

    /// A task before a version runs once for each spec and revision, also when the process dies or an answer is lost: another
    /// RunTask has the token of the first.
    fn check_that_tasks_run_once(&self) {
        let mut tokens: HashMap<(usize, String, String), &Value> = HashMap::new();
        for call in self.carried_out.iter().filter(|call| call.operation == "RunTask") {
            let name = service_of(&call.request).unwrap();
            let changes = self.changed.get(name.as_str()).into_iter().flatten();
            let changes = changes.filter(|change| **change <= call.time).count();
            let revision = call.request["taskDefinition"].as_str().unwrap().to_owned();
            let token = &call.request["clientToken"];
            let first = *tokens.entry((changes, name, revision)).or_insert(token);
            assert_eq!(token, first, "a second task: {call:?}");
        }
    }

    /// A service that follows the release gets no lower version than before, unless the one before fails or a person took a
    /// service back.
    fn check_that_no_version_goes_back(&self) {
        if self.taken_back.iter().any(|name| self.shape.of_service(name).follows) {
            return;
        }
        let mut last: HashMap<String, usize> = HashMap::new();
        for call in &self.carried_out {
            let (Some(name), Some(arn)) =
                (service_of(&call.request), call.request["taskDefinition"].as_str())
            else {
                continue;
            };
            let sends = ["CreateService", "UpdateService"].contains(&call.operation.as_str());
            if !sends || !self.shape.of_service(&name).follows {
                continue;
            }
            let answer =
                self.fleet.console("DescribeTaskDefinition", json!({ "taskDefinition": arn }));
            let image = answer["taskDefinition"]["containerDefinitions"][0]["image"].clone();
            let place =
                self.pushed.iter().position(|(tag, _)| image == self.fleet.pinned(tag)).unwrap();
            let before = last.insert(name.clone(), place).unwrap_or_default();
            let was_bad = !self.pushed[before].1;
            assert!(
                place >= before || was_bad,
                "{name} goes back from {before} to {place}: {call:?}"
            );
        }
    }
}

/// The service that a call is about.
fn service_of(request: &Value) -> Option<String> {
    let text = |name: &str| request.get(name).and_then(Value::as_str);
    let last = |text: &str| text.rsplit('/').next().map(str::to_owned);
    if let Some(name) = text("serviceName").or_else(|| text("service")) {
        return Some(name.to_owned());
    }
    // arn:…:service-deployment/CLUSTER/SERVICE/ID
    if let Some(arn) = text("serviceDeploymentArn") {
        return arn.rsplit('/').nth(1).map(str::to_owned);
    }
    if request.get("count").is_some() || request.get("overrides").is_some() {
        let tags = request["tags"].as_array()?;
        let tag = tags.iter().find(|tag| tag["key"] == "longshore.dev/service")?;
        return tag["value"].as_str().map(str::to_owned);
    }
    text("resourceArn").or_else(|| text("ResourceId")).and_then(last)
}
