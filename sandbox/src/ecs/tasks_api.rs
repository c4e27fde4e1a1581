//! `ListTasks`, `DescribeTasks`, `RunTask` and `StopTask` (aws.md §2.8).

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::{
    Ecs, arn,
    cluster::with_token,
    launch::launch_of,
    placement::Place,
    refusal,
    task::{Container, Health, Launch, Stop, StopCode, Task, TaskId, TaskStatus},
};
use crate::{
    ApiError,
    clock::{after, epoch},
    input,
    page::page,
};

/// An answer to `RunTask`, kept for its client token.
pub(super) struct TokenAnswer {
    request: Value,
    tasks: Vec<TaskId>,
    until: Timestamp,
}

impl Ecs {
    pub(super) fn list_tasks(&self, request: &Value) -> Result<Value, ApiError> {
        let cluster = self.cluster_of(request)?;
        let others = ["family", "serviceName", "containerInstance", "launchType", "desiredStatus"];
        let started_by = input::text(request, "startedBy");
        if started_by.is_some() && others.iter().any(|one| input::text(request, one).is_some()) {
            return Err(refusal::invalid(
                "When startedBy is specified, it must be the only filter.",
            ));
        }
        let stopped = match input::text(request, "desiredStatus") {
            None | Some("RUNNING") => started_by.map_or(Some(false), |_| None),
            Some("STOPPED") => Some(true),
            Some("PENDING") => return Ok(json!({"taskArns": []})),
            Some(_) => return Err(refusal::invalid("Invalid desired status.")),
        };
        let service = match input::text(request, "serviceName") {
            None => None,
            Some(name) => {
                let found = cluster.services.get(arn::last_part(name));
                Some(*found.ok_or_else(refusal::service_not_found)?)
            }
        };
        let family = input::text(request, "family");
        let launch_type = input::text(request, "launchType");
        let instance = input::text(request, "containerInstance").map(arn::last_part);
        let arns: Vec<String> = cluster
            .tasks
            .iter()
            .filter_map(|id| self.tasks.get(id))
            .filter(|task| stopped.is_none_or(|stopped| task.stopping == stopped))
            .filter(|task| service.is_none_or(|id| task.owner.is_some_and(|(own, _)| own == id)))
            .filter(|task| family.is_none_or(|family| task.definition.family == family))
            .filter(|task| {
                started_by.is_none_or(|by| task.launch.started_by.as_deref() == Some(by))
            })
            .filter(|task| launch_type.is_none_or(|one| task.launch.kind.as_deref() == Some(one)))
            .filter(|task| {
                let own = task.launch.instance.and_then(|at| cluster.instances.get(at));
                instance.is_none_or(|id| own.is_some_and(|own| own.id == id))
            })
            .map(|task| self.task_arn(&cluster.name, &task.hex))
            .collect();
        let (arns, next) = page(arns, request, 100, 100)?;
        Ok(with_token(json!({"taskArns": arns}), next))
    }

    pub(super) fn describe_tasks(&self, request: &Value) -> Result<Value, ApiError> {
        let cluster = self.cluster_of(request)?;
        let names = input::texts(request, "tasks");
        if names.is_empty() || names.len() > 100 {
            return Err(refusal::invalid("Between 1 and 100 tasks can be described."));
        }
        let tags = input::texts(request, "include").contains(&"TAGS");
        let (mut tasks, mut failures) = (Vec::new(), Vec::new());
        for name in names {
            let hex = arn::last_part(name);
            let found = self.task_ids.get(hex).and_then(|id| self.tasks.get(id));
            match found.filter(|task| task.cluster == cluster.name) {
                Some(task) => tasks.push(self.task_view(task, tags)),
                None => failures.push(json!({
                    "arn": self.task_arn(&cluster.name, hex), "reason": "MISSING",
                })),
            }
        }
        Ok(json!({"tasks": tasks, "failures": failures}))
    }

    pub(super) fn run_task(&mut self, request: &Value, now: Timestamp) -> Result<Value, ApiError> {
        let cluster = self.cluster_of(request)?.name.clone();
        let name = input::required(request, "taskDefinition")?;
        let key = self.usable_definition(name, now)?;
        let count = input::integer(request, "count").unwrap_or(1);
        if !(1..=10).contains(&count) {
            return Err(refusal::invalid("The count must be between 1 and 10."));
        }
        self.check_run(request, &key)?;
        let awsvpc = self.definition(&key).is_some_and(|one| one.network_mode() == "awsvpc");
        if awsvpc && input::present(request, "networkConfiguration").is_none() {
            return Err(refusal::invalid(
                "Network Configuration must be provided when networkMode 'awsvpc' is specified.",
            ));
        }
        let token = input::text(request, "clientToken").map(str::to_owned);
        if let Some(answer) = self.answer_for_token(token.as_deref(), request, now)? {
            return Ok(answer);
        }
        let group = input::text(request, "group")
            .map_or_else(|| format!("family:{}", key.family), str::to_owned);
        let base = Launch {
            group,
            started_by: input::text(request, "startedBy").map(str::to_owned),
            network: input::present(request, "networkConfiguration").cloned(),
            overrides: input::present(request, "overrides").cloned(),
            tags: self.run_tags(request, &key),
            execute_command: input::flag(request, "enableExecuteCommand").unwrap_or(false),
            ..launch_of(request)
        };
        let (mut started, mut failures) = (Vec::new(), Vec::new());
        for _ in 0..count {
            let mut launch = base.clone();
            match self.place(&cluster, &key, &mut launch, None) {
                Place::Found => started.extend(self.launch(&cluster, None, &key, launch, now)),
                Place::Full { instance, reason } => failures.push(json!({
                    "arn": instance.map(|id| self.instance_arn(&cluster, &id)), "reason": reason,
                })),
            }
        }
        let tasks: Vec<Value> = self.task_views(&started);
        if let Some(token) = token {
            let until = after(now, std::time::Duration::from_hours(24));
            let answer = TokenAnswer { request: request.clone(), tasks: started, until };
            self.tokens.insert(token, answer);
        }
        Ok(json!({"tasks": tasks, "failures": failures}))
    }

    /// What `RunTask` refuses besides what `CreateService` does (aws.md §2.8, §4.1; peers.md for `propagateTags`).
    fn check_run(
        &self,
        request: &Value,
        key: &super::definition::DefinitionKey,
    ) -> Result<(), ApiError> {
        let refused = |message: &str| Err(refusal::invalid(message));
        let strategy = input::list(request, "capacityProviderStrategy");
        if input::text(request, "launchType").is_some() && !strategy.is_empty() {
            return refused(
                "Specifying both a launch type and capacity provider strategy is not supported. Remove one and try again.",
            );
        }
        let is_long = |name: &str, most: usize| {
            input::text(request, name).is_some_and(|text| text.chars().count() > most)
        };
        if is_long("clientToken", 64) {
            return refused("The clientToken must not be longer than 64 characters.");
        }
        let started_by = input::text(request, "startedBy").unwrap_or_default();
        let is_allowed =
            |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '-' | '_' | '/');
        if is_long("startedBy", 128) || !started_by.chars().all(is_allowed) {
            return refused(
                "The startedBy may have up to 128 letters, digits, hyphens, slashes and underscores.",
            );
        }
        if input::list(request, "tags").len() > 50 {
            return refused("A task can have 50 tags.");
        }
        if input::text(request, "propagateTags") == Some("NONE") {
            return refused("Invalid propagateTags.");
        }
        let overrides = input::present(request, "overrides");
        let named = overrides.map_or(&[][..], |all| input::list(all, "containerOverrides"));
        let Some(definition) = self.definition(key) else { return Ok(()) };
        let known = definition.containers();
        let stranger = named.iter().filter_map(|one| input::text(one, "name")).find(|name| {
            known.iter().all(|container| input::text(container, "name") != Some(name))
        });
        match stranger {
            Some(name) => refused(&format!(
                "Override for container named {name} is not a container in the TaskDefinition."
            )),
            None => Ok(()),
        }
    }

    fn task_views(&self, ids: &[TaskId]) -> Vec<Value> {
        let known = ids.iter().filter_map(|id| self.tasks.get(id));
        known.map(|task| self.task_view(task, true)).collect()
    }

    fn run_tags(&self, request: &Value, key: &super::definition::DefinitionKey) -> Vec<Value> {
        let mut tags = input::list(request, "tags").to_vec();
        if input::text(request, "propagateTags") == Some("TASK_DEFINITION")
            && let Some(definition) = self.definition(key)
        {
            tags.extend(definition.tags.iter().cloned());
        }
        tags
    }

    fn answer_for_token(
        &self,
        token: Option<&str>,
        request: &Value,
        now: Timestamp,
    ) -> Result<Option<Value>, ApiError> {
        let known = token.and_then(|token| self.tokens.get(token)).filter(|one| one.until > now);
        let Some(known) = known else { return Ok(None) };
        if known.request == *request {
            return Ok(Some(json!({"tasks": self.task_views(&known.tasks), "failures": []})));
        }
        let arns: Vec<String> = known
            .tasks
            .iter()
            .filter_map(|id| self.tasks.get(id))
            .map(|task| self.task_arn(&task.cluster, &task.hex))
            .collect();
        let mut error = ApiError::refused(
            "ConflictException",
            "The clientToken was used before with other parameters.",
        );
        error.members.insert("resourceIds".to_owned(), json!(arns));
        Err(error)
    }

    pub(super) fn stop_task_call(
        &mut self,
        request: &Value,
        now: Timestamp,
    ) -> Result<Value, ApiError> {
        let cluster = self.cluster_of(request)?.name.clone();
        let hex = arn::last_part(input::required(request, "task")?);
        let id = self
            .task_ids
            .get(hex)
            .copied()
            .filter(|id| self.tasks.get(id).is_some_and(|task| task.cluster == cluster))
            .ok_or_else(|| refusal::invalid("The referenced task was not found."))?;
        let reason = input::text(request, "reason").unwrap_or("Task stopped by user").to_owned();
        self.stop_task(id, Stop { code: StopCode::UserInitiated, reason }, now);
        Ok(json!({"task": self.tasks.get(&id).map(|task| self.task_view(task, true))}))
    }

    /// A task as AWS shows it.
    pub(super) fn task_view(&self, task: &Task, tags: bool) -> Value {
        let mut view = Map::new();
        let task_arn = self.task_arn(&task.cluster, &task.hex);
        let mut add = |name: &str, value: Value| view.insert(name.to_owned(), value);
        add("taskArn", json!(task_arn));
        add("clusterArn", json!(self.cluster_arn(&task.cluster)));
        add("taskDefinitionArn", json!(self.definition_arn(&task.definition)));
        add("group", json!(task.launch.group));
        add("lastStatus", json!(task.status.text()));
        add("desiredStatus", json!(if task.stopping { "STOPPED" } else { "RUNNING" }));
        add("healthStatus", json!(health_status(task)));
        add("version", json!(task.version));
        add("enableExecuteCommand", json!(task.launch.execute_command));
        add("overrides", overrides_view(task));
        add("tags", if tags { json!(task.launch.tags) } else { json!([]) });
        add("attributes", json!([{"name": "ecs.cpu-architecture", "value": "x86_64"}]));
        add("attachments", attachments(task));
        let containers =
            task.containers.iter().map(|one| container_view(task, one, &task_arn)).collect();
        add("containers", Value::Array(containers));
        if let Some(text) = &task.launch.started_by {
            add("startedBy", json!(text));
        }
        match (&task.launch.provider, &task.launch.kind) {
            (Some(provider), kind) => {
                add("capacityProviderName", json!(provider));
                add("launchType", json!(kind));
            }
            (None, Some(kind)) => {
                add("launchType", json!(kind));
            }
            (None, None) => {}
        }
        if let Some(version) = &task.launch.platform_version {
            add("platformVersion", json!(version));
            add("platformFamily", json!("Linux"));
        }
        if let Some(definition) = self.definition(&task.definition) {
            let shown = super::normal::task_definition(&definition.given);
            for name in ["cpu", "memory", "ephemeralStorage"] {
                if let Some(value) = shown.get(name) {
                    add(name, value.clone());
                }
            }
        }
        let instance = task.launch.instance.and_then(|at| self.instance(&task.cluster, at));
        if let Some(instance) = instance {
            add("containerInstanceArn", json!(self.instance_arn(&task.cluster, &instance.id)));
        }
        for (name, when) in [
            ("createdAt", Some(task.times.created)),
            ("pullStartedAt", task.times.pull_started),
            ("pullStoppedAt", task.times.pull_stopped),
            ("startedAt", task.times.started),
            ("stoppingAt", task.times.stopping),
            ("executionStoppedAt", task.times.execution_stopped),
            ("stoppedAt", task.times.stopped),
        ] {
            if let Some(when) = when {
                add(name, json!(epoch(when)));
            }
        }
        if let Some(stop) = &task.stop {
            add("stopCode", json!(stop.code.text()));
            add("stoppedReason", json!(stop.reason));
        }
        Value::Object(view)
    }
}

fn attachments(task: &Task) -> Value {
    let Some(address) = &task.launch.address else { return json!([]) };
    let subnet = task
        .launch
        .network
        .as_ref()
        .and_then(|one| input::present(one, "awsvpcConfiguration"))
        .and_then(|one| input::texts(one, "subnets").first().copied().map(str::to_owned));
    let status = match task.status {
        TaskStatus::Provisioning => "PRECREATED",
        TaskStatus::Stopped => "DELETED",
        TaskStatus::Pending
        | TaskStatus::Activating
        | TaskStatus::Running
        | TaskStatus::Deactivating
        | TaskStatus::Stopping
        | TaskStatus::Deprovisioning => "ATTACHED",
    };
    let short = |from: usize, to: usize| task.hex.get(from..to).unwrap_or_default();
    json!([{
        "id": format!("{}-{}-4{}-a{}-{}", short(0, 8), short(8, 12), short(13, 16), short(17, 20), short(20, 32)),
        "type": "ElasticNetworkInterface",
        "status": status,
        "details": [
            {"name": "subnetId", "value": subnet.unwrap_or_default()},
            {"name": "networkInterfaceId", "value": format!("eni-{}", short(0, 17))},
            {"name": "privateIPv4Address", "value": address},
        ],
    }])
}

fn health_status(task: &Task) -> &'static str {
    let mut checked = task.containers.iter().filter(|one| one.check.is_some() && one.essential);
    let any = |wanted: Health| {
        let checked = task.containers.iter().filter(|one| one.check.is_some());
        checked.into_iter().any(|one| one.health == wanted)
    };
    if any(Health::Unhealthy) {
        Health::Unhealthy.text()
    } else if checked.next().is_some() && !any(Health::Unknown) {
        Health::Healthy.text()
    } else {
        Health::Unknown.text()
    }
}

fn overrides_view(task: &Task) -> Value {
    let mut view =
        task.launch.overrides.as_ref().and_then(Value::as_object).cloned().unwrap_or_default();
    view.entry("containerOverrides").or_insert_with(|| {
        Value::Array(task.containers.iter().map(|one| json!({"name": one.name})).collect())
    });
    view.entry("inferenceAcceleratorOverrides").or_insert_with(|| json!([]));
    Value::Object(view)
}

fn container_view(task: &Task, container: &Container, task_arn: &str) -> Value {
    let running = matches!(
        task.status,
        TaskStatus::Running | TaskStatus::Deactivating | TaskStatus::Stopping
    );
    let status =
        match (running, task.status == TaskStatus::Stopped || container.exit_code.is_some()) {
            (_, true) => "STOPPED",
            (true, false) => "RUNNING",
            (false, false) => "PENDING",
        };
    let mut view = json!({
        "containerArn": format!("{}/{}", task_arn.replace(":task/", ":container/"), container.name),
        "taskArn": task_arn,
        "name": container.name,
        "image": container.image,
        "lastStatus": status,
        "networkInterfaces": [],
        "healthStatus": container.health.text(),
    });
    let Some(members) = view.as_object_mut() else { return view };
    let mut add = |name: &str, value: Option<Value>| {
        if let Some(value) = value {
            members.insert(name.to_owned(), value);
        }
    };
    add("imageDigest", container.digest.as_ref().map(|one| json!(one)));
    add("exitCode", container.exit_code.map(|one| json!(one)));
    add("reason", container.reason.as_ref().map(|one| json!(one)));
    add(
        "runtimeId",
        container.digest.as_ref().map(|_| json!(format!("{}-{}", task.hex, container.name))),
    );
    if let Some(address) = &task.launch.address {
        add(
            "networkInterfaces",
            Some(json!([{"attachmentId": task.hex, "privateIpv4Address": address}])),
        );
    }
    view
}
