//! Where a rollout waits for Longshore, and what becomes of one that must not go on.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A stage of ECS's own `BLUE_GREEN`, `CANARY` and `LINEAR` rollouts at which Longshore can have ECS pause.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum GateStage {
    /// Before the new tasks are started.
    PreScaleUp,
    /// When the new tasks run, before any traffic.
    PostScaleUp,
    /// When the new tasks get the test traffic.
    PostTestTrafficShift,
    /// Before production traffic moves; `CANARY` and `LINEAR` pause before each step.
    PreProductionTrafficShift,
    /// When all production traffic has moved and the old tasks still run.
    PostProductionTrafficShift,
}

impl GateStage {
    /// Every stage, in the order in which a rollout passes them.
    pub const ALL: [Self; 5] = [
        Self::PreScaleUp,
        Self::PostScaleUp,
        Self::PostTestTrafficShift,
        Self::PreProductionTrafficShift,
        Self::PostProductionTrafficShift,
    ];

    /// ECS's word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::PreScaleUp => "PRE_SCALE_UP",
            Self::PostScaleUp => "POST_SCALE_UP",
            Self::PostTestTrafficShift => "POST_TEST_TRAFFIC_SHIFT",
            Self::PreProductionTrafficShift => "PRE_PRODUCTION_TRAFFIC_SHIFT",
            Self::PostProductionTrafficShift => "POST_PRODUCTION_TRAFFIC_SHIFT",
        }
    }

    /// Reads ECS's word; `None` for stages at which Longshore does not pause.
    pub fn from_text(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|stage| stage.as_str() == text)
    }
}

impl std::fmt::Display for GateStage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What Longshore does about a rollout that cannot end well.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum OnFailure {
    /// Stop it and have ECS go back to the last deployment that ended well.
    #[default]
    Rollback,
    /// Leave it as it is, say so, and wait for a person or a new spec.
    Hold,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stage_is_written_as_ecs_writes_it() {
        for stage in GateStage::ALL {
            assert_eq!(serde_json::to_value(stage).unwrap(), stage.as_str());
            assert_eq!(GateStage::from_text(stage.as_str()), Some(stage));
        }
        assert_eq!(GateStage::from_text("PRODUCTION_TRAFFIC_SHIFT"), None);
    }
}
