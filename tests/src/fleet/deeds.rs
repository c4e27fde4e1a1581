//! What people do to a fleet: commits, edits at the console, bad images.

use std::path::PathBuf;
use std::time::Duration;

use bytes::Bytes;
use controller::inventory::Wanted;
use controller::orders::{Ask, Refusal};
use crds::{Order, Verb};
use planner::{Action, Observed, Orders, TaskDefinitionRef};
use sandbox::{Fault, FaultKind, ImageBehaviour, ImageRule};
use serde_json::{Value, json};

use super::{
    BUCKET, Fleet, Keep, PREFIX, Place, STATE_BUCKET, STATE_FOLDER, STATE_KEY, STATE_PREFIX,
};

impl Fleet {
    /// Writes files and lets the operator see them; an empty text removes the file.
    pub async fn commit_files(&mut self, files: &[(&str, &str)]) {
        self.write(files);
        self.fetch().await.unwrap();
    }

    /// Writes files that the operator does not see yet; an empty text removes the file.
    pub fn write(&self, files: &[(&str, &str)]) {
        for (name, text) in files {
            match self.options.place {
                Place::Directory => self.write_file(name, text),
                Place::Bucket => self.write_object(name, text),
            }
        }
    }

    fn write_file(&self, name: &str, text: &str) {
        let path: PathBuf = self.directory.path().join(name);
        if text.is_empty() {
            std::fs::remove_file(path).unwrap();
        } else {
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
    }

    fn write_object(&self, name: &str, text: &str) {
        let method = if text.is_empty() { "DELETE" } else { "PUT" };
        self.s3(method, &format!("/{BUCKET}/{PREFIX}{name}"), text);
    }

    fn s3(&self, method: &str, path: &str, text: &str) {
        let request = http::Request::builder()
            .method(method)
            .uri(path)
            .body(Bytes::copy_from_slice(text.as_bytes()))
            .unwrap();
        let answer = self.sandbox.handle(self.now(), &request);
        assert!(answer.status().is_success(), "{answer:?}");
    }

    /// Lets Terraform write its state, a version that nobody has seen yet.
    pub fn apply_terraform(&self, state: &Value) {
        self.s3("PUT", &format!("/{STATE_BUCKET}/{STATE_KEY}"), &state.to_string());
    }

    /// Refuses every reading of objects until the faults are cleared.
    pub fn lose_buckets(&self) {
        let kind = FaultKind::Error {
            code: "AccessDenied".to_owned(),
            message: "Access Denied".to_owned(),
            status: 403,
        };
        self.sandbox.inject(Fault { times: None, ..Fault::once("s3", "GetObject", kind) });
    }

    /// Writes each spec into a file of its name.
    pub async fn commit(&mut self, specs: &[Value]) {
        let files: Vec<(String, String)> = specs
            .iter()
            .map(|spec| {
                let name = spec["metadata"]["name"].as_str().unwrap();
                (format!("{name}.json"), serde_json::to_string_pretty(spec).unwrap())
            })
            .collect();
        let files: Vec<(&str, &str)> =
            files.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
        self.commit_files(&files).await;
    }

    /// Removes the files of these specs.
    pub async fn remove(&mut self, names: &[&str]) {
        let files: Vec<String> = names.iter().map(|name| format!("{name}.json")).collect();
        let files: Vec<(&str, &str)> = files.iter().map(|name| (name.as_str(), "")).collect();
        self.commit_files(&files).await;
    }

    /// Lets the world go on.
    pub async fn pass(&self, time: Duration) {
        tokio::time::sleep(time).await;
    }

    /// The clock of the operator's machine is set forwards or backwards; AWS's is not.
    pub fn jump(&self, by: jiff::SignedDuration) {
        self.context.clock.set_by(by);
    }

    /// Gives an order about a service of the cluster `shop`, as `ci`.
    pub async fn try_order(&self, name: &str, verb: Verb, ask: &Ask) -> Result<Order, Refusal> {
        self.intake().take(&self.key_of(name), verb, ask, "ci").await
    }

    /// Gives an order that is taken.
    pub async fn order(&self, name: &str, verb: Verb, ask: &Ask) -> Order {
        let taken = self.try_order(name, verb, ask).await;
        taken.unwrap_or_else(|why| panic!("{verb}: {why}\n{}", self.describe()))
    }

    /// Loses everything that the operator has written down.
    pub fn lose_state(&self) {
        match self.options.keep {
            Keep::Memory => {}
            Keep::Directory => {
                let _ = std::fs::remove_dir_all(self.directory.path().join(STATE_FOLDER));
            }
            Keep::Bucket => {
                let key = format!("/{BUCKET}/{STATE_PREFIX}default/shop/web.json");
                self.s3("DELETE", &key, "");
            }
        }
    }

    /// Puts something else in the place of what is written down about a service.
    pub fn spoil_state(&self, name: &str, text: &str) {
        let file = format!("default/shop/{name}.json");
        match self.options.keep {
            Keep::Memory => {}
            Keep::Directory => {
                self.write_file(&format!("{STATE_FOLDER}/{file}"), text);
            }
            Keep::Bucket => self.s3("PUT", &format!("/{BUCKET}/{STATE_PREFIX}{file}"), text),
        }
    }

    /// Keeps the operator from changing anything, as if other services' changes took all the places, until it is dropped.
    pub fn busy(&self) -> Vec<controller::admission::Permit> {
        let mut number = 0;
        std::iter::from_fn(|| {
            number += 1;
            self.context.admission.enter(&Self::key(&format!("other{number}")), None)
        })
        .collect()
    }

    /// Calls ECS as somebody at the console would.
    pub fn console(&self, operation: &str, input: Value) -> Value {
        self.sandbox
            .call(self.now(), "ecs", operation, input)
            .unwrap_or_else(|error| panic!("{operation}: {error:?}"))
    }

    /// Calls any service as somebody at the console would.
    pub fn console_of(&self, api: &str, operation: &str, input: Value) -> Value {
        self.sandbox
            .call(self.now(), api, operation, input)
            .unwrap_or_else(|error| panic!("{operation}: {error:?}"))
    }

    /// What lets the operator look sooner.
    pub fn triggers(&self) -> &controller::triggers::Triggers {
        &self.context.triggers
    }

    /// Lets the containers of an image, `*` for any text, behave in a way from now on.
    pub fn image_behaves(&self, pattern: &str, behaviour: ImageBehaviour) {
        self.sandbox
            .edit(self.now(), |region| region.set_image(ImageRule::new(pattern, behaviour)));
    }

    /// Lets the containers of an image end with exit code 1 at once.
    pub fn image_exits(&self, pattern: &str) {
        let exits = ImageBehaviour::Exits { code: 1, after: Duration::ZERO, oom: false };
        self.image_behaves(pattern, exits);
    }

    /// Lets the next call of an ECS operation take effect and its answer be lost.
    pub fn lose_reply(&self, operation: &str) {
        self.sandbox.inject(Fault::once("ecs", operation, FaultKind::DropReply));
    }

    /// Refuses an ECS operation for want of a permission until the faults are cleared.
    pub fn deny(&self, operation: &str) {
        let kind = FaultKind::Error {
            code: "AccessDeniedException".to_owned(),
            message: format!("User: longshore is not authorized to perform: ecs:{operation}"),
            status: 400,
        };
        self.sandbox.inject(Fault { times: None, ..Fault::once("ecs", operation, kind) });
    }

    /// Creates what every spec asks for at once and in the operator's name, without its reads and its pace. For stories
    /// about fleets that have long been there.
    pub fn settle_by_hand(&self) {
        let keys = self.context.inventory().keys();
        for key in keys {
            let wanted = self.context.inventory().wanted(&key);
            let Wanted::Spec { entry, .. } = wanted else { panic!("{key} has no spec") };
            let plan =
                planner::plan(&entry.desired, &Observed::default(), &Orders::default(), self.now());
            let mut registered = Value::Null;
            for action in plan.actions {
                match action {
                    Action::RegisterTaskDefinition { input, .. } => {
                        let answer = self.console("RegisterTaskDefinition", input);
                        registered = answer["taskDefinition"]["taskDefinitionArn"].clone();
                    }
                    Action::CreateService { mut input, task_definition, .. } => {
                        input["taskDefinition"] = match task_definition {
                            TaskDefinitionRef::Existing(arn) => json!(arn),
                            TaskDefinitionRef::Registered => registered.clone(),
                        };
                        self.console("CreateService", input);
                    }
                    other @ (Action::UpdateService { .. }
                    | Action::TagResource { .. }
                    | Action::UntagResource { .. }
                    | Action::Scaling { .. }
                    | Action::RunTask { .. }
                    | Action::StopTask { .. }
                    | Action::StopServiceDeployment { .. }
                    | Action::ContinueServiceDeployment { .. }
                    | Action::DeleteService { .. }) => panic!("{key}: {}", other.operation()),
                }
            }
        }
    }
}
