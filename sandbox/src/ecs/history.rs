//! Service deployments and service revisions (aws.md §2.7).

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::{
    Ecs, arn,
    cluster::with_token,
    colours,
    describe::fill_configuration,
    model::{Counts, Record, RevisionNumber, Service, ServiceStatus},
    refusal,
    rollout::breaker_numbers,
};
use crate::{ApiError, clock::epoch, input, page::page};

impl Ecs {
    pub(super) fn list_service_deployments(
        &self,
        request: &Value,
        now: Timestamp,
    ) -> Result<Value, ApiError> {
        let id = self.service_of(request)?;
        let service = self.services.get(&id).ok_or_else(refusal::service_not_found)?;
        if service.status == ServiceStatus::Inactive {
            return Err(refusal::service_not_found());
        }
        let statuses = input::texts(request, "status");
        let null = Value::Null;
        let created = input::present(request, "createdAt").unwrap_or(&null);
        let bound = |name: &str| input::present(created, name).and_then(Value::as_f64);
        let (after, before) = (bound("after"), bound("before"));
        let briefs: Vec<Value> = service
            .records
            .iter()
            .rev()
            .filter(|record| record.visible <= now)
            .filter(|record| {
                statuses.is_empty() || statuses.contains(&record.status.to_string().as_str())
            })
            .filter(|record| after.is_none_or(|after| epoch(record.created) > after))
            .filter(|record| before.is_none_or(|before| epoch(record.created) < before))
            .map(|record| self.brief(service, record))
            .collect();
        let (briefs, next) = page(briefs, request, 20, 100)?;
        Ok(with_token(json!({"serviceDeployments": briefs}), next))
    }

    fn brief(&self, service: &Service, record: &Record) -> Value {
        let mut brief = self.record_head(service, record);
        let target = self.revision_arn(&service.cluster, &service.name, record.target);
        brief.insert("targetServiceRevisionArn".to_owned(), json!(target));
        Value::Object(brief)
    }

    fn record_head(&self, service: &Service, record: &Record) -> Map<String, Value> {
        let mut head = Map::new();
        let mut add = |name: &str, value: Value| head.insert(name.to_owned(), value);
        let arn = self.record_arn(&service.cluster, &service.name, &record.id);
        add("serviceDeploymentArn", json!(arn));
        add("serviceArn", json!(self.service_arn(&service.cluster, &service.name)));
        add("clusterArn", json!(self.cluster_arn(&service.cluster)));
        add("createdAt", json!(epoch(record.created)));
        add("status", json!(record.status.to_string()));
        if let Some(when) = record.started {
            add("startedAt", json!(epoch(when)));
        }
        if let Some(when) = record.finished {
            add("finishedAt", json!(epoch(when)));
        }
        if let Some(reason) = &record.reason {
            add("statusReason", json!(reason));
        }
        head
    }

    pub(super) fn describe_service_deployments(
        &self,
        request: &Value,
        now: Timestamp,
    ) -> Result<Value, ApiError> {
        let arns = input::texts(request, "serviceDeploymentArns");
        if arns.is_empty() || arns.len() > 20 {
            return Err(refusal::invalid("Between 1 and 20 service deployments can be described."));
        }
        let (mut found, mut failures) = (Vec::new(), Vec::new());
        for arn in arns {
            match self.find_record(arn).filter(|(_, record)| record.visible <= now) {
                Some((service, record)) => found.push(match self.read_lag.record(arn, now) {
                    Some(before) => before.clone(),
                    None => self.record_view(service, record),
                }),
                None => failures.push(json!({"arn": arn, "reason": "MISSING"})),
            }
        }
        Ok(json!({"serviceDeployments": found, "failures": failures}))
    }

    pub(super) fn find_record(&self, record_arn: &str) -> Option<(&Service, &Record)> {
        let (cluster, name, id) = arn::three_parts(record_arn, "service-deployment")?;
        let service = self.services.get(&self.service_by_name(cluster, name)?)?;
        if service.status == ServiceStatus::Inactive {
            return None;
        }
        Some((service, service.records.iter().find(|record| record.id == id)?))
    }

    pub(super) fn record_view(&self, service: &Service, record: &Record) -> Value {
        let mut view = self.record_head(service, record);
        let live = self.counts_by_revision(service);
        let counts = record.frozen.as_ref().unwrap_or(&live);
        let weight = record.progress.as_ref().map(|one| one.weight);
        let tested = record.progress.as_ref().map(super::stages::Progress::test_weight);
        let summary = |number: RevisionNumber, weight: Option<f64>, tested: Option<f64>| {
            let count: Counts = counts.get(&number).copied().unwrap_or_default();
            let mut view = json!({
                "arn": self.revision_arn(&service.cluster, &service.name, number),
                "requestedTaskCount": count.desired,
                "runningTaskCount": count.running,
                "pendingTaskCount": count.pending,
            });
            if let (Some(members), Some(weight)) = (view.as_object_mut(), weight) {
                members.insert("requestedProductionTrafficWeight".to_owned(), json!(weight));
            }
            if let (Some(members), Some(weight)) = (view.as_object_mut(), tested) {
                members.insert("requestedTestTrafficWeight".to_owned(), json!(weight));
            }
            view
        };
        let mut add = |name: &str, value: Value| view.insert(name.to_owned(), value);
        add("updatedAt", json!(epoch(record.updated)));
        if let Some(when) = record.stopped {
            add("stoppedAt", json!(epoch(when)));
        }
        let rest = weight.map(|weight| 100.0 - weight);
        let untested = tested.map(|weight| 100.0 - weight);
        let sources: Vec<Value> =
            record.sources.iter().map(|number| summary(*number, rest, untested)).collect();
        add("sourceServiceRevisions", Value::Array(sources));
        add("targetServiceRevision", summary(record.target, weight, tested));
        let mut configuration = record.configuration.as_object().cloned().unwrap_or_default();
        fill_configuration(&mut configuration, service.is_daemon());
        add("deploymentConfiguration", Value::Object(configuration));
        if let Some(rollback) = &record.rollback {
            let mut shown = json!({"reason": rollback.reason});
            if let (Some(members), Some(number)) = (shown.as_object_mut(), rollback.to) {
                let arn = self.revision_arn(&service.cluster, &service.name, number);
                members.insert("serviceRevisionArn".to_owned(), json!(arn));
            }
            if let (Some(members), Some(when)) = (shown.as_object_mut(), rollback.started) {
                members.insert("startedAt".to_owned(), json!(epoch(when)));
            }
            add("rollback", shown);
        }
        let (failures, threshold) = record
            .frozen_breaker
            .or_else(|| breaker_numbers(service, &record.id))
            .unwrap_or_default();
        add(
            "deploymentCircuitBreaker",
            json!({"status": record.breaker.text(), "failureCount": failures, "threshold": threshold}),
        );
        if let Some(stage) = record.shown_stage() {
            add("lifecycleStage", json!(stage));
        }
        if let Some(hooks) = record.hook_views() {
            add("lifecycleHookDetails", hooks);
        }
        add(
            "alarms",
            json!({
                "status": record.alarms.status.text(),
                "alarmNames": record.alarms.names,
                "triggeredAlarmNames": record.alarms.triggered,
            }),
        );
        Value::Object(view)
    }

    pub(super) fn describe_service_revisions(&self, request: &Value) -> Result<Value, ApiError> {
        let arns = input::texts(request, "serviceRevisionArns");
        if arns.is_empty() || arns.len() > 20 {
            return Err(refusal::invalid("Between 1 and 20 service revisions can be described."));
        }
        let (mut found, mut failures) = (Vec::new(), Vec::new());
        for arn in arns {
            match self.revision_view(arn) {
                Some(view) => found.push(view),
                None => failures.push(json!({"arn": arn, "reason": "MISSING"})),
            }
        }
        Ok(json!({"serviceRevisions": found, "failures": failures}))
    }

    fn revision_view(&self, revision_arn: &str) -> Option<Value> {
        let (cluster, name, number) = arn::three_parts(revision_arn, "service-revision")?;
        let service = self.services.get(&self.service_by_name(cluster, name)?)?;
        if service.status == ServiceStatus::Inactive {
            return None;
        }
        let deployment = service.deployment(number.parse().ok()?)?;
        let mut view = deployment.captured.clone();
        view.remove("enableExecuteCommand");
        let images: Vec<Value> = self
            .definition(&deployment.definition)
            .map(super::definition::TaskDefinition::containers)
            .unwrap_or_default()
            .iter()
            .map(|one| {
                let container = input::text(one, "name").unwrap_or_default();
                let mut image = json!({
                    "containerName": container,
                    "image": input::text(one, "image").unwrap_or_default(),
                });
                if let (Some(members), Some(digest)) =
                    (image.as_object_mut(), deployment.digests.get(container))
                {
                    members.insert("imageDigest".to_owned(), json!(digest));
                }
                image
            })
            .collect();
        let mut add = |name: &str, value: Value| view.insert(name.to_owned(), value);
        add("serviceRevisionArn", json!(revision_arn));
        add("serviceArn", json!(self.service_arn(cluster, name)));
        add("clusterArn", json!(self.cluster_arn(cluster)));
        add("taskDefinition", json!(self.definition_arn(&deployment.definition)));
        add("containerImages", Value::Array(images));
        add("createdAt", json!(epoch(deployment.created)));
        add("guardDutyEnabled", json!(false));
        if let Some(resolved) = colours::resolved_view(deployment) {
            add("resolvedConfiguration", resolved);
        }
        self.rewrites.service(&mut view);
        Some(Value::Object(view))
    }
}
