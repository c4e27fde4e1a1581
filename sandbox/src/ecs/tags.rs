//! Tags of services, task definitions, clusters and tasks.

use serde_json::{Value, json};

use super::{Ecs, arn, refusal};
use crate::{ApiError, input};

impl Ecs {
    pub(super) fn tag_resource(&mut self, request: &Value) -> Result<Value, ApiError> {
        let new = input::list(request, "tags").to_vec();
        if new.is_empty() || new.len() > 50 {
            return Err(refusal::invalid("Between 1 and 50 tags can be added at once."));
        }
        let tags = self.tags_of(input::required(request, "resourceArn")?)?;
        for tag in new {
            let key = input::text(&tag, "key").unwrap_or_default().to_owned();
            if key.to_ascii_lowercase().starts_with("aws:") {
                return Err(refusal::invalid("Tag keys must not start with aws:."));
            }
            tags.retain(|one| input::text(one, "key") != Some(&key));
            tags.push(tag);
        }
        if tags.len() > 50 {
            return Err(refusal::invalid("A resource may have up to 50 tags."));
        }
        Ok(json!({}))
    }

    pub(super) fn untag_resource(&mut self, request: &Value) -> Result<Value, ApiError> {
        let keys = input::texts(request, "tagKeys");
        let tags = self.tags_of(input::required(request, "resourceArn")?)?;
        tags.retain(|one| input::text(one, "key").is_none_or(|key| !keys.contains(&key)));
        Ok(json!({}))
    }

    pub(super) fn list_tags(&mut self, request: &Value) -> Result<Value, ApiError> {
        let tags = self.tags_of(input::required(request, "resourceArn")?)?;
        Ok(json!({"tags": tags}))
    }

    fn tags_of(&mut self, resource_arn: &str) -> Result<&mut Vec<Value>, ApiError> {
        let unknown = || refusal::invalid(format!("The resource {resource_arn} was not found."));
        let mut parts = arn::resource(resource_arn).split('/');
        let (kind, first, second) = (parts.next(), parts.next(), parts.next());
        match (kind, first, second) {
            (Some("service"), Some(cluster), Some(name)) => {
                let id =
                    self.service_by_name(cluster, name).ok_or_else(refusal::service_not_found)?;
                self.services.get_mut(&id).map(|one| &mut one.tags).ok_or_else(unknown)
            }
            (Some("service"), Some(_), None) => {
                Err(refusal::invalid("Long arn format must be used for tagging operations"))
            }
            (Some("task-definition"), Some(_), None) => {
                let key = self.find_definition(resource_arn).ok_or_else(|| {
                    refusal::invalid("The specified task definition does not exist.")
                })?;
                self.definition_mut(&key).map(|one| &mut one.tags).ok_or_else(unknown)
            }
            (Some("cluster"), Some(name), None) => self
                .clusters
                .get_mut(name)
                .filter(|one| one.active)
                .map(|one| &mut one.tags)
                .ok_or_else(refusal::cluster_not_found),
            (Some("task"), Some(_), Some(hex)) => {
                let id = self.task_ids.get(hex).copied().ok_or_else(unknown)?;
                self.tasks.get_mut(&id).map(|one| &mut one.launch.tags).ok_or_else(unknown)
            }
            _ => Err(unknown()),
        }
    }
}
