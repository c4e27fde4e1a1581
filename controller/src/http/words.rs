//! The status words as URLs, JSON and pages write them.

use crds::{ConditionStatus, ConditionType, Health, SyncStatus};

/// Every health, in the order in which pages count them.
pub(super) const HEALTHS: [Health; 6] = [
    Health::Healthy,
    Health::Progressing,
    Health::Degraded,
    Health::Suspended,
    Health::Missing,
    Health::Unknown,
];

/// Every sync status.
pub(super) const SYNCS: [SyncStatus; 3] =
    [SyncStatus::Synced, SyncStatus::OutOfSync, SyncStatus::Unknown];

pub(super) const fn health(health: Health) -> &'static str {
    match health {
        Health::Healthy => "Healthy",
        Health::Progressing => "Progressing",
        Health::Degraded => "Degraded",
        Health::Suspended => "Suspended",
        Health::Missing => "Missing",
        Health::Unknown => "Unknown",
    }
}

pub(super) const fn sync(sync: SyncStatus) -> &'static str {
    match sync {
        SyncStatus::Synced => "Synced",
        SyncStatus::OutOfSync => "OutOfSync",
        SyncStatus::Unknown => "Unknown",
    }
}

pub(super) const fn condition(kind: ConditionType) -> &'static str {
    match kind {
        ConditionType::Ready => "Ready",
        ConditionType::Reconciling => "Reconciling",
        ConditionType::Stalled => "Stalled",
        ConditionType::WrittenBack => "WrittenBack",
        ConditionType::SourceReady => "SourceReady",
    }
}

pub(super) const fn condition_status(status: ConditionStatus) -> &'static str {
    match status {
        ConditionStatus::True => "True",
        ConditionStatus::False => "False",
        ConditionStatus::Unknown => "Unknown",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_are_those_of_the_json() {
        for value in HEALTHS {
            assert_eq!(serde_json::to_value(value).unwrap(), health(value));
        }
        for value in SYNCS {
            assert_eq!(serde_json::to_value(value).unwrap(), sync(value));
        }
        assert_eq!(
            serde_json::to_value(ConditionType::Reconciling).unwrap(),
            condition(ConditionType::Reconciling)
        );
        assert_eq!(
            serde_json::to_value(ConditionStatus::False).unwrap(),
            condition_status(ConditionStatus::False)
        );
    }
}
