//! Kind `Service`: one ECS service and the task definition it runs.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::ecs::{ServiceDefinition, TaskDefinition};
use crate::{ClusterName, ObjectMeta, Rollout, Scaling, SyncPolicy, TargetName};

/// One ECS service, with the task definition it runs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Service {
    /// `longshore.dev/v1alpha1`.
    #[schemars(regex(pattern = "^longshore\\.dev/v1alpha1$"))]
    pub api_version: String,
    /// `Service`.
    #[schemars(regex(pattern = "^Service$"))]
    pub kind: String,
    /// Its name is the name of the ECS service.
    pub metadata: ObjectMeta,
    /// What should run.
    pub spec: ServiceSpec,
}

/// What should run, and how changes to it are carried out.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ServiceSpec {
    /// The ECS cluster's name. It has to exist.
    pub cluster: ClusterName,
    /// Account and region, by their name in the operator's configuration. Default `default`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<TargetName>,
    /// RegisterTaskDefinition's input, in ECS's own member names. `family` defaults to `<cluster>-<name>`.
    pub task_definition: TaskDefinition,
    /// CreateService's input, in ECS's own member names, without cluster, serviceName, taskDefinition and clientToken.
    pub service: ServiceDefinition,
    /// Members of the ECS API that this version of Longshore does not know; they reach AWS as they are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub passthrough: Option<Passthrough>,
    /// Application Auto Scaling of the number of tasks. Without it `service.desiredCount` decides.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scaling: Option<Scaling>,
    /// How a change is carried out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rollout: Option<Rollout>,
    /// When differences are acted on; overrides the source's policy field by field.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sync: Option<SyncPolicy>,
}

/// Members that are sent to AWS as they stand, beside the known ones.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Passthrough {
    /// Added to RegisterTaskDefinition's input.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub task_definition: Map<String, Value>,
    /// Added to CreateService's and UpdateService's input.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub service: Map<String, Value>,
}
