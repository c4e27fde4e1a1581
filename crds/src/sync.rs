//! When and how far a difference is acted on.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Percent;

/// Whether differences are acted on by themselves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum SyncMode {
    /// A new spec is rolled out as soon as it is seen.
    Auto,
    /// Differences are shown and wait for a person.
    Manual,
}

/// What becomes of a service whose spec is gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum DeletionPolicy {
    /// It is deleted, when pruning is on.
    Delete,
    /// It goes on running, without an owner.
    Orphan,
}

/// The `sync` block of a source or of a service; a service's own fields win over its source's.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SyncPolicy {
    /// `auto` (default) or `manual`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mode: Option<SyncMode>,
    /// Undo changes that somebody made at AWS. Default `true`; with `false` they are reported only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub self_heal: Option<bool>,
    /// Take over an existing service that carries no owner tag. Default `false`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub adopt: Option<bool>,
    /// Change nothing; status is still refreshed. Default `false`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub suspend: Option<bool>,
    /// Delete services whose specs have left the source. Default `false`. Only a source's own setting counts: a service's
    /// is gone together with its spec; `deletionPolicy: Orphan` is what keeps a single service.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prune: Option<bool>,
    /// How many of a source's services may lose their specs at once and be deleted without a confirmation, in percent; one may in
    /// any case. Default 20. Only a source's own setting counts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prune_brake: Option<Percent>,
    /// `Delete` (default) or `Orphan`, for this service when its spec is gone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deletion_policy: Option<DeletionPolicy>,
    /// JSON pointers into `spec`, left out of both the comparison and the change: `/service/desiredCount`,
    /// `/taskDefinition/containerDefinitions/app/cpu` (list items by name or by index).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ignore: Option<Vec<String>>,
}

/// A policy in which nothing is left open.
#[derive(Debug, Clone, PartialEq)]
#[allow(
    clippy::struct_excessive_bools,
    reason = "each is a switch of its own that users know by its name"
)]
pub struct EffectiveSync {
    /// Whether differences are acted on by themselves.
    pub mode: SyncMode,
    /// Whether changes made at AWS are undone.
    pub self_heal: bool,
    /// Whether an untagged service may be taken over.
    pub adopt: bool,
    /// Whether nothing may be changed.
    pub suspend: bool,
    /// Whether services may be deleted once their spec is gone.
    pub prune: bool,
    /// What then becomes of this one.
    pub deletion_policy: DeletionPolicy,
    /// JSON pointers into `spec` that are left alone.
    pub ignore: Vec<String>,
}

impl SyncPolicy {
    /// This policy (a service's) over `source`'s, over the defaults.
    pub fn over(&self, source: &SyncPolicy) -> EffectiveSync {
        EffectiveSync {
            mode: self.mode.or(source.mode).unwrap_or(SyncMode::Auto),
            self_heal: self.self_heal.or(source.self_heal).unwrap_or(true),
            adopt: self.adopt.or(source.adopt).unwrap_or(false),
            suspend: self.suspend.or(source.suspend).unwrap_or(false),
            prune: self.prune.or(source.prune).unwrap_or(false),
            deletion_policy: self
                .deletion_policy
                .or(source.deletion_policy)
                .unwrap_or(DeletionPolicy::Delete),
            ignore: self.ignore.clone().or_else(|| source.ignore.clone()).unwrap_or_default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_services_own_fields_win_field_by_field() {
        let source = SyncPolicy { suspend: Some(true), prune: Some(true), ..SyncPolicy::default() };
        let own = SyncPolicy { suspend: Some(false), ..SyncPolicy::default() };
        let effective = own.over(&source);
        assert!(!effective.suspend && effective.prune && effective.self_heal && !effective.adopt);
    }
}
