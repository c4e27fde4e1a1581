//! The refusals of ECS, with the texts of aws.md §2.11.

use crate::ApiError;

pub(super) fn client(message: impl Into<String>) -> ApiError {
    ApiError::refused("ClientException", message)
}

pub(super) fn invalid(message: impl Into<String>) -> ApiError {
    ApiError::refused("InvalidParameterException", message)
}

pub(super) fn cluster_not_found() -> ApiError {
    ApiError::refused("ClusterNotFoundException", "Cluster not found.")
}

pub(super) fn service_not_found() -> ApiError {
    ApiError::refused("ServiceNotFoundException", "Service not found.")
}

pub(super) fn service_not_active() -> ApiError {
    ApiError::refused("ServiceNotActiveException", "Service was not ACTIVE.")
}
