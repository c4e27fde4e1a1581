//! Task definitions: registration, reading, and their end.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::{
    Ecs, arn,
    cluster::{valid_name, with_token},
    definition_rules, normal, refusal,
};
use crate::{
    ApiError,
    clock::{after, epoch},
    input,
    page::page,
};

/// `family:revision`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct DefinitionKey {
    pub(super) family: String,
    pub(super) revision: i64,
}

/// The revisions of a family; numbers are never used twice.
#[derive(Default)]
pub(super) struct Family {
    pub(super) last: i64,
    pub(super) revisions: BTreeMap<i64, TaskDefinition>,
}

/// One revision.
pub(super) struct TaskDefinition {
    /// The members of the request, as they were given.
    pub(super) given: Map<String, Value>,
    pub(super) status: DefinitionStatus,
    pub(super) registered: Timestamp,
    pub(super) deregistered: Option<Timestamp>,
    pub(super) delete_requested: Option<Timestamp>,
    pub(super) tags: Vec<Value>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum DefinitionStatus {
    Active,
    Inactive,
    DeleteInProgress,
}

impl DefinitionStatus {
    pub(super) fn text(self) -> &'static str {
        match self {
            Self::Active => "ACTIVE",
            Self::Inactive => "INACTIVE",
            Self::DeleteInProgress => "DELETE_IN_PROGRESS",
        }
    }
}

impl TaskDefinition {
    pub(super) fn containers(&self) -> &[Value] {
        self.given.get("containerDefinitions").and_then(Value::as_array).map_or(&[], Vec::as_slice)
    }

    /// The network mode, `bridge` unless given.
    pub(super) fn network_mode(&self) -> &str {
        self.given.get("networkMode").and_then(Value::as_str).unwrap_or("bridge")
    }
}

impl Ecs {
    pub(super) fn definition(&self, key: &DefinitionKey) -> Option<&TaskDefinition> {
        self.families.get(&key.family)?.revisions.get(&key.revision)
    }

    pub(super) fn definition_arn(&self, key: &DefinitionKey) -> String {
        self.arn(&format!("task-definition/{}:{}", key.family, key.revision))
    }

    /// The revision that `family`, `family:revision` or an ARN names; a bare family means its latest ACTIVE one.
    pub(super) fn find_definition(&self, name: &str) -> Option<DefinitionKey> {
        if arn::account(name).is_some_and(|account| account != self.account) {
            return None;
        }
        let (family, revision) = split_name(arn::last_part(name));
        let known = self.families.get(family)?;
        let revision = match revision {
            Some(text) => {
                let revision = text.parse().ok()?;
                known.revisions.get(&revision)?;
                revision
            }
            None => known.latest_active()?,
        };
        Some(DefinitionKey { family: family.to_owned(), revision })
    }

    /// The revision that a new deployment or task may use.
    pub(super) fn usable_definition(
        &self,
        name: &str,
        now: Timestamp,
    ) -> Result<DefinitionKey, ApiError> {
        let key = self
            .find_definition(name)
            .ok_or_else(|| refusal::client("TaskDefinition not found."))?;
        let definition =
            self.definition(&key).ok_or_else(|| refusal::client("TaskDefinition not found."))?;
        let lag = self.timings.deregistration_lag;
        let lagging = definition.deregistered.is_some_and(|when| now < after(when, lag));
        match definition.status {
            DefinitionStatus::Active => Ok(key),
            DefinitionStatus::Inactive if lagging => Ok(key),
            DefinitionStatus::Inactive | DefinitionStatus::DeleteInProgress => {
                Err(refusal::client("TaskDefinition is inactive"))
            }
        }
    }

    pub(super) fn register_task_definition(
        &mut self,
        request: &Value,
        now: Timestamp,
    ) -> Result<Value, ApiError> {
        let family = input::text(request, "family").unwrap_or_default();
        if !valid_name(family) {
            return Err(refusal::client(
                "Family should not be null or empty, and may hold up to 255 letters, digits, hyphens and underscores.",
            ));
        }
        definition_rules::verify(request)?;
        let mut given = input::members(request);
        let tags = match given.remove("tags") {
            Some(Value::Array(tags)) => tags,
            Some(_) | None => Vec::new(),
        };
        let known = self.families.entry(family.to_owned()).or_default();
        known.last += 1;
        let key = DefinitionKey { family: family.to_owned(), revision: known.last };
        known.revisions.insert(
            known.last,
            TaskDefinition {
                given,
                status: DefinitionStatus::Active,
                registered: now,
                deregistered: None,
                delete_requested: None,
                tags: tags.clone(),
            },
        );
        self.read_lag.definition_registered(&key, now);
        Ok(json!({"taskDefinition": self.definition_view(&key), "tags": tags}))
    }

    pub(super) fn describe_task_definition(&self, request: &Value) -> Result<Value, ApiError> {
        let unknown = || refusal::client("Unable to describe task definition.");
        let name = input::text(request, "taskDefinition").ok_or_else(unknown)?;
        let key = self.find_definition(name).ok_or_else(unknown)?;
        let mut answer = json!({"taskDefinition": self.definition_view(&key), "tags": []});
        if let (true, Some(definition), Some(members)) = (
            input::texts(request, "include").contains(&"TAGS"),
            self.definition(&key),
            answer.as_object_mut(),
        ) {
            members.insert("tags".to_owned(), json!(definition.tags));
        }
        Ok(answer)
    }

    pub(super) fn list_task_definitions(
        &self,
        request: &Value,
        now: Timestamp,
    ) -> Result<Value, ApiError> {
        let status = input::text(request, "status").unwrap_or("ACTIVE");
        let wanted = input::text(request, "familyPrefix");
        let mut keys: Vec<DefinitionKey> = self
            .families
            .iter()
            .filter(|(family, _)| wanted.is_none_or(|wanted| wanted == family.as_str()))
            .flat_map(|(family, known)| {
                let wanted = known.revisions.iter().filter(|(_, one)| one.status.text() == status);
                wanted.map(|(revision, _)| DefinitionKey {
                    family: family.clone(),
                    revision: *revision,
                })
            })
            .collect();
        keys.retain(|key| !self.read_lag.hides_definition(key, now));
        if input::text(request, "sort") == Some("DESC") {
            keys.reverse();
        }
        let arns = keys.iter().map(|key| self.definition_arn(key)).collect();
        let (arns, next): (Vec<String>, _) = page(arns, request, 100, 100)?;
        Ok(with_token(json!({"taskDefinitionArns": arns}), next))
    }

    pub(super) fn list_task_definition_families(&self, request: &Value) -> Result<Value, ApiError> {
        let status = input::text(request, "status").unwrap_or("ACTIVE");
        let prefix = input::text(request, "familyPrefix").unwrap_or_default();
        let families: Vec<&String> = self
            .families
            .iter()
            .filter(|(family, _)| family.starts_with(prefix))
            .filter(|(_, known)| match status {
                "INACTIVE" => known.latest_active().is_none(),
                "ALL" => true,
                _ => known.latest_active().is_some(),
            })
            .map(|(family, _)| family)
            .collect();
        let (families, next) = page(families, request, 100, 100)?;
        Ok(with_token(json!({"families": families}), next))
    }

    pub(super) fn deregister_task_definition(
        &mut self,
        request: &Value,
        now: Timestamp,
    ) -> Result<Value, ApiError> {
        let name = input::required(request, "taskDefinition")?;
        if split_name(arn::last_part(name)).1.is_none() {
            return Err(refusal::invalid("Task definition must contain a revision."));
        }
        let unknown = || refusal::client("The specified task definition does not exist.");
        let key = self.find_definition(name).ok_or_else(unknown)?;
        let definition = self.definition_mut(&key).ok_or_else(unknown)?;
        if definition.status == DefinitionStatus::Active {
            definition.status = DefinitionStatus::Inactive;
            definition.deregistered = Some(now);
        }
        Ok(json!({"taskDefinition": self.definition_view(&key)}))
    }

    pub(super) fn delete_task_definitions(
        &mut self,
        request: &Value,
        now: Timestamp,
    ) -> Result<Value, ApiError> {
        let names = input::texts(request, "taskDefinitions");
        if names.is_empty() || names.len() > 10 {
            return Err(refusal::invalid(
                "Between 1 and 10 task definitions can be deleted at once.",
            ));
        }
        let (mut deleted, mut failures) = (Vec::new(), Vec::new());
        for name in names {
            let failure = |reason: &str| json!({"arn": name, "reason": reason});
            let Some(key) = self.find_definition(name) else {
                failures.push(failure("MISSING"));
                continue;
            };
            let Some(definition) = self.definition_mut(&key) else { continue };
            if definition.status == DefinitionStatus::Active {
                failures.push(failure(
                    "The specified task definition is still in ACTIVE status. Please deregister it and try again.",
                ));
                continue;
            }
            definition.status = DefinitionStatus::DeleteInProgress;
            definition.delete_requested.get_or_insert(now);
            deleted.extend(self.definition_view(&key));
            if !self.definition_is_used(&key)
                && let Some(known) = self.families.get_mut(&key.family)
            {
                known.revisions.remove(&key.revision);
            }
        }
        Ok(json!({"taskDefinitions": deleted, "failures": failures}))
    }

    pub(super) fn definition_mut(&mut self, key: &DefinitionKey) -> Option<&mut TaskDefinition> {
        self.families.get_mut(&key.family)?.revisions.get_mut(&key.revision)
    }

    fn definition_is_used(&self, key: &DefinitionKey) -> bool {
        let by_service = |service: &super::model::Service| {
            service.deployments.iter().any(|one| one.is_shown() && one.definition == *key)
        };
        self.services.values().any(by_service)
            || self.tasks.values().any(|task| !task.is_stopped() && task.definition == *key)
    }

    /// A revision as AWS shows it.
    pub(super) fn definition_view(&self, key: &DefinitionKey) -> Option<Value> {
        let definition = self.definition(key)?;
        let mut view = normal::task_definition(&definition.given);
        let mut add = |name: &str, value: Value| view.insert(name.to_owned(), value);
        add("taskDefinitionArn", json!(self.definition_arn(key)));
        add("revision", json!(key.revision));
        add("status", json!(definition.status.text()));
        add("registeredAt", json!(epoch(definition.registered)));
        add("registeredBy", json!(format!("arn:aws:iam::{}:user/sandbox", self.account)));
        if let Some(when) = definition.deregistered {
            add("deregisteredAt", json!(epoch(when)));
        }
        if let Some(when) = definition.delete_requested {
            add("deleteRequestedAt", json!(epoch(when)));
        }
        self.rewrites.definition(&mut view);
        Some(Value::Object(view))
    }
}

impl Family {
    pub(super) fn latest_active(&self) -> Option<i64> {
        let active = |(_, one): &(&i64, &TaskDefinition)| one.status == DefinitionStatus::Active;
        self.revisions.iter().rev().find(active).map(|(revision, _)| *revision)
    }
}

fn split_name(name: &str) -> (&str, Option<&str>) {
    match name.split_once(':') {
        Some((family, revision)) => (family, Some(revision)),
        None => (name, None),
    }
}
