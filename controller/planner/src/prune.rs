//! What becomes of a service whose spec has left its source.
//!
//! Nothing is ever deleted from ignorance: the facts here exist only for a source that was read completely.

use crds::{DeletionPolicy, ObjectKey, OwnerName, Reason};
use jiff::Timestamp;

use crate::observed::{ObservedService, ServiceState};
use crate::orders::Orders;
use crate::ownership::{self, Ownership};
use crate::plan::{Action, Plan, Requeue};

/// What is known of the source that a service says it came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SourceFacts {
    /// It is not configured any more, or has not been read completely since the start.
    Unread,
    /// Its newest state was read completely, but holds documents whose names could not be read: any might be this one.
    Unclear,
    /// It was read completely, every name included.
    Complete {
        /// Whether its policy allows deleting.
        prune: bool,
        /// How many of its services have no spec any more, this one included.
        leaving: usize,
        /// How many services it has in all, those included.
        total: usize,
    },
}

/// The share of a source, in percent, that may leave with one revision without a confirmation; at least one service may.
const BRAKE_PERCENT: usize = 20;

/// How many services of a source may be deleted for one revision.
pub fn brake(total: usize) -> usize {
    (total * BRAKE_PERCENT / 100).max(1)
}

/// What to do about a service that has no spec.
pub fn plan(
    key: &ObjectKey,
    service: &ObservedService,
    owner: &OwnerName,
    source: SourceFacts,
    (orders, now): (&Orders, Timestamp),
) -> Plan {
    let hold = |reason, message: String| Plan::hold(reason, message, Requeue::OnChange);
    match ownership::ownership(&service.tags, owner) {
        Ownership::Ours => {}
        Ownership::Nobodys => return hold(Reason::NotOwned, format!("{key} carries no owner tag")),
        Ownership::Another(other) => {
            return hold(
                Reason::OwnedByAnother,
                format!("{key} belongs to the operator `{other}`"),
            );
        }
    }
    match service.state {
        ServiceState::Active => {}
        ServiceState::Draining => return hold(Reason::Draining, format!("{key} is draining")),
        ServiceState::Inactive => {
            return Plan::nothing();
        }
    }
    let (prune, leaving, total) = match source {
        SourceFacts::Unread => {
            return hold(
                Reason::SourceIncomplete,
                "the source of this service has not been read completely".to_owned(),
            );
        }
        SourceFacts::Unclear => {
            return hold(
                Reason::SourceIncomplete,
                "the source has a document whose name cannot be read; it might be this service"
                    .to_owned(),
            );
        }
        SourceFacts::Complete { prune, leaving, total } => (prune, leaving, total),
    };
    if !prune {
        return hold(
            Reason::PruneOff,
            "the spec has left its source and `sync.prune` is off".to_owned(),
        );
    }
    if let Some(held) = orders.standing_hold(now) {
        return hold(held.reason, format!("the spec has left its source; {}", held.message));
    }
    match ownership::deletion_policy(&service.tags) {
        DeletionPolicy::Delete if orders.confirms_pruning(now) => delete(),
        DeletionPolicy::Orphan => hold(
            Reason::Orphaned,
            "the spec has left its source; its deletion policy is `Orphan`".to_owned(),
        ),
        DeletionPolicy::Delete if leaving >= total => hold(
            Reason::PruneBrake,
            format!(
                "none of the source's {total} services has a spec any more: an empty source is no order to delete"
            ),
        ),
        DeletionPolicy::Delete if leaving > brake(total) => hold(
            Reason::PruneBrake,
            format!(
                "{leaving} of the source's {total} services have lost their specs at once and at most {} may be deleted",
                brake(total)
            ),
        ),
        DeletionPolicy::Delete => delete(),
    }
}

fn delete() -> Plan {
    Plan { actions: vec![Action::DeleteService { reason: Reason::Pruning }], ..Plan::nothing() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn at_least_one_service_may_leave_and_at_most_a_fifth() {
        assert_eq!([0, 1, 4, 5, 9, 10, 1000].map(brake), [1, 1, 1, 1, 1, 2, 200]);
    }
}
