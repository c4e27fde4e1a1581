//! The triple that names a scalable target, and the members with which requests filter by it.

use serde_json::Value;

use super::invalid;
use crate::{
    ApiError,
    json::{bounded, required_text, text},
};

pub(super) const DIMENSION: &str = "ecs:service:DesiredCount";

/// `service/<cluster>/<service>`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct ResourceId {
    pub(super) cluster: String,
    pub(super) service: String,
}

impl ResourceId {
    /// Reads the triple of a request that must have it.
    pub(super) fn required(input: &Value) -> Result<Self, ApiError> {
        namespace(input)?;
        let resource = required_text(input, "ResourceId")?;
        dimension(required_text(input, "ScalableDimension")?)?;
        Self::parse(resource)
    }

    /// Reads the filter of a describing request: a dimension needs a resource.
    pub(super) fn filter(input: &Value) -> Result<Option<Self>, ApiError> {
        namespace(input)?;
        let resource = text(input, "ResourceId")?;
        let wanted = text(input, "ScalableDimension")?;
        wanted.map(dimension).transpose()?;
        if wanted.is_some() && resource.is_none() {
            return Err(invalid(
                "When scalable dimension is specified, a resource ID must be specified too.",
            ));
        }
        resource.map(Self::parse).transpose()
    }

    pub(super) fn parse(resource: &str) -> Result<Self, ApiError> {
        let parts: Vec<&str> = resource.split('/').collect();
        match parts.as_slice() {
            ["service", cluster, service] if !cluster.is_empty() && !service.is_empty() => {
                Ok(Self { cluster: (*cluster).to_owned(), service: (*service).to_owned() })
            }
            _ => Err(invalid(format!(
                "Unsupported service namespace, resource type or scalable dimension: {resource} is not \
                 service/<cluster>/<service>"
            ))),
        }
    }

    pub(super) fn not_found(&self, word: &str) -> ApiError {
        ApiError::refused(
            "ObjectNotFoundException",
            format!(
                "No {word} for service namespace: ecs, resource ID: {self}, scalable dimension: {DIMENSION}"
            ),
        )
    }
}

impl std::fmt::Display for ResourceId {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "service/{}/{}", self.cluster, self.service)
    }
}

/// Only ECS lives in the sandbox.
pub(super) fn namespace(input: &Value) -> Result<(), ApiError> {
    match required_text(input, "ServiceNamespace")? {
        "ecs" => Ok(()),
        other => Err(crate::json::constraint(
            "ServiceNamespace",
            other,
            "Member must satisfy enum value set: [ecs]",
        )),
    }
}

fn dimension(dimension: &str) -> Result<(), ApiError> {
    if dimension == DIMENSION {
        return Ok(());
    }
    Err(crate::json::constraint(
        "ScalableDimension",
        dimension,
        &format!("Member must satisfy enum value set: [{DIMENSION}]"),
    ))
}

/// The size of a page, which is at most `most`.
pub(super) fn page_size(input: &Value, most: i64) -> Result<usize, ApiError> {
    bounded(input, "MaxResults", (1, most), most)
}
