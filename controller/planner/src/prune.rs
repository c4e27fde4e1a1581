//! What becomes of a service whose spec has left its source.
//!
//! Nothing is ever deleted from ignorance: the facts here exist only for a source that was read completely.

use std::time::Duration;

use crds::ecs::Effect;
use crds::{DeletionPolicy, ObjectKey, OwnerName, Percent, Reason};
use jiff::Timestamp;
use serde_json::json;

use crate::deletion;
use crate::drift::FieldDrift;
use crate::observed::{ObservedService, ServiceState};
use crate::orders::Orders;
use crate::ownership::{self, Ownership, PROTECT};
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
        /// The share of it that may leave at once without a confirmation.
        brake: Percent,
        /// How many of its services have no spec any more, this one included.
        leaving: usize,
        /// How many services it has in all, those included.
        total: usize,
    },
}

/// The share of a source that may leave with one revision without a confirmation, unless the source says otherwise.
pub const DEFAULT_BRAKE: Percent = Percent::of(20);
/// How soon it is looked whether a deleted service is gone.
const DRAINING_POLL: Duration = Duration::from_secs(15);

/// How many services of a source may be deleted for one revision: its share, and at least one.
pub fn brake(total: usize, share: Percent) -> usize {
    share.share_of(total).max(1)
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
        ServiceState::Draining => {
            return Plan::hold(
                Reason::Draining,
                format!("{key} is draining"),
                Requeue::After(DRAINING_POLL),
            );
        }
        ServiceState::Inactive => {
            return Plan::nothing();
        }
    }
    let (prune, brake, leaving, total) = match source {
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
        SourceFacts::Complete { prune, brake: share, leaving, total } => {
            (prune, brake(total, share), leaving, total)
        }
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
        DeletionPolicy::Orphan if leaving >= total => hold(
            Reason::Orphaned,
            "no service of the source has a spec any more; this one keeps our tags, too".to_owned(),
        ),
        DeletionPolicy::Orphan => disown(service),
        DeletionPolicy::Delete if ownership::is_protected(&service.tags) => hold(
            Reason::Protected,
            format!(
                "the spec has left its source; `{PROTECT}` keeps the service: take the tag off to have it deleted"
            ),
        ),
        DeletionPolicy::Delete if orders.confirms_pruning(now) => deletion::next(key, service, now),
        DeletionPolicy::Delete if leaving >= total => hold(
            Reason::PruneBrake,
            format!(
                "none of the source's {total} services has a spec any more: an empty source is no order to delete"
            ),
        ),
        DeletionPolicy::Delete if leaving > brake => hold(
            Reason::PruneBrake,
            format!(
                "{leaving} of the source's {total} services have lost their specs at once and at most {brake} may be deleted (`sync.pruneBrake`)"
            ),
        ),
        DeletionPolicy::Delete => deletion::next(key, service, now),
    }
}

/// Whether a service stays although its spec is gone, so that it is not among those that are about to leave.
pub fn is_kept(service: &ObservedService) -> bool {
    ownership::is_protected(&service.tags)
        || ownership::deletion_policy(&service.tags) == DeletionPolicy::Orphan
}

/// What depends on a service that has lost its spec.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Dependents {
    /// Services whose specs name it.
    pub named: Vec<ObjectKey>,
    /// Services without specs that say so themselves and are still there.
    pub leaving: Vec<ObjectKey>,
    /// How many services without specs have not been looked at.
    pub unknown: usize,
}

/// The plan of a service that others may depend on: it is taken away after them.
pub fn after_dependents(plan: Plan, key: &ObjectKey, dependents: &Dependents) -> Plan {
    if !deletion::takes_away(&plan) {
        return plan;
    }
    let Dependents { named, leaving, unknown } = dependents;
    let list =
        |keys: &[ObjectKey]| keys.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    let message = if !named.is_empty() {
        format!("the spec has left its source, and {} still depends on {key}", list(named))
    } else if !leaving.is_empty() {
        format!("{key} is deleted after what depends on it: {}", list(leaving))
    } else if *unknown > 0 {
        format!("{unknown} services without specs have not been looked at; one may depend on {key}")
    } else {
        return plan;
    };
    plan.withhold(Reason::WaitingForDependents, message)
}

/// The service goes on with everything it has, and is nobody's.
fn disown(service: &ObservedService) -> Plan {
    let keys: Vec<String> =
        service.tags.keys().filter(|key| key.starts_with(ownership::PREFIX)).cloned().collect();
    let changes = keys.iter().map(|key| FieldDrift {
        path: format!("service.tags[{key}]"),
        desired: None,
        observed: service.tags.get(key).map(|value| json!(value)),
        effect: Effect::InPlace,
    });
    let untag = Action::UntagResource {
        arn: service.arn.clone(),
        changes: changes.collect(),
        keys,
        reason: Reason::Orphaned,
    };
    Plan { actions: vec![untag], ..Plan::nothing() }
}

#[cfg(test)]
mod tests {
    use crds::{Order, Verb};
    use serde_json::Value;

    use super::*;
    use crate::ownership::{DELETION_POLICY, OWNER};

    const NOW: Timestamp = Timestamp::UNIX_EPOCH;

    #[test]
    fn at_least_one_service_may_leave_and_at_most_its_share() {
        let allowed = |percent| [0, 1, 4, 5, 9, 10, 1000].map(|total| brake(total, percent));
        assert_eq!(allowed(DEFAULT_BRAKE), [1, 1, 1, 1, 1, 2, 200]);
        assert_eq!(allowed(Percent::of(0)), [1; 7]);
        assert_eq!(allowed(Percent::of(50)), [1, 1, 2, 2, 4, 5, 500]);
        assert_eq!(allowed(Percent::of(100)), [1, 1, 4, 5, 9, 10, 1000]);
    }

    fn key(name: &str) -> ObjectKey {
        ObjectKey {
            target: crds::TargetName::default(),
            cluster: "shop".parse().unwrap(),
            name: name.parse().unwrap(),
        }
    }

    /// A service without tasks and with these tags, in a state.
    fn service(tags: &[(&str, &str)], state: &str) -> ObservedService {
        let tags: Vec<Value> =
            tags.iter().map(|(key, value)| json!({ "key": key, "value": value })).collect();
        ObservedService::from_describe(&json!({
            "serviceArn": "arn", "status": state, "schedulingStrategy": "REPLICA", "tags": tags,
        }))
    }

    fn said(service: &ObservedService, source: SourceFacts, orders: &Orders) -> String {
        let plan = plan(&key("web"), service, &"test".parse().unwrap(), source, (orders, NOW));
        let actions = plan.actions.iter().map(|action| action.operation().to_owned());
        let holds = plan.holds.iter().map(|hold| hold.reason.to_string());
        actions.chain(holds).collect::<Vec<_>>().join(", ")
    }

    fn order(verb: Verb, expires_at: Option<Timestamp>) -> Order {
        let order = json!({ "id": 1, "verb": verb, "actor": "ann", "time": NOW });
        Order { expires_at, ..serde_json::from_value(order).unwrap() }
    }

    #[test]
    fn a_service_without_a_spec_is_deleted_only_from_knowledge_and_within_the_brake() {
        let owned: &[(&str, &str)] = &[(OWNER, "test"), (DELETION_POLICY, "Delete")];
        let kept: &[(&str, &str)] = &[(OWNER, "test"), (DELETION_POLICY, "Orphan")];
        let protected: &[(&str, &str)] =
            &[(OWNER, "test"), (DELETION_POLICY, "Delete"), (PROTECT, "true")];
        let freed: &[(&str, &str)] =
            &[(OWNER, "test"), (DELETION_POLICY, "Delete"), (PROTECT, "false")];
        let brake = DEFAULT_BRAKE;
        let complete =
            |prune, leaving, total| SourceFacts::Complete { prune, brake, leaving, total };
        let one = complete(true, 1, 10);
        for (tags, state, source, expected) in [
            (owned, "ACTIVE", one, "DeleteService"),
            (owned, "ACTIVE", complete(true, 2, 10), "DeleteService"),
            (owned, "ACTIVE", complete(true, 3, 10), "PruneBrake"),
            (owned, "ACTIVE", complete(true, 1, 1), "PruneBrake"),
            (owned, "ACTIVE", complete(true, 1, 2), "DeleteService"),
            (owned, "ACTIVE", complete(false, 1, 10), "PruneOff"),
            (owned, "ACTIVE", SourceFacts::Unread, "SourceIncomplete"),
            (owned, "ACTIVE", SourceFacts::Unclear, "SourceIncomplete"),
            (owned, "DRAINING", one, "Draining"),
            (owned, "INACTIVE", one, ""),
            (kept, "ACTIVE", one, "UntagResource"),
            (kept, "ACTIVE", complete(true, 9, 10), "UntagResource"),
            (kept, "ACTIVE", complete(true, 1, 1), "Orphaned"),
            (protected, "ACTIVE", one, "Protected"),
            (freed, "ACTIVE", one, "DeleteService"),
            (&[(OWNER, "other")], "ACTIVE", one, "OwnedByAnother"),
            (&[], "ACTIVE", one, "NotOwned"),
        ] {
            let service = service(tags, state);
            assert_eq!(said(&service, source, &Orders::default()), expected, "{tags:?} {source:?}");
            let is_kept = tags == kept || tags == protected || tags.len() < 2;
            assert_eq!(super::is_kept(&service), is_kept, "{tags:?}");
        }
        let web = service(owned, "ACTIVE");
        let pruning =
            |expires| Orders { pruning: Some(order(Verb::Sync, expires)), ..Orders::default() };
        assert_eq!(said(&web, complete(true, 10, 10), &pruning(None)), "DeleteService");
        assert_eq!(said(&web, complete(true, 10, 10), &pruning(Some(NOW))), "PruneBrake");
        let held = Orders { hold: Some(order(Verb::Hold, None)), ..Orders::default() };
        assert_eq!(said(&web, one, &held), "ManualHold");
    }

    #[test]
    fn what_is_let_go_keeps_the_tags_of_others() {
        let tags = [(OWNER, "test"), (DELETION_POLICY, "Orphan"), ("team", "shop")];
        let plan = disown(&service(&tags, "ACTIVE"));
        let [Action::UntagResource { keys, changes, .. }] = plan.actions.as_slice() else {
            panic!("{plan:?}")
        };
        assert_eq!(*keys, [DELETION_POLICY, OWNER]);
        assert_eq!(changes[1].path, format!("service.tags[{OWNER}]"));
        assert_eq!(changes[1].observed, Some(json!("test")));
    }

    #[test]
    fn a_service_is_taken_away_after_what_depends_on_it() {
        let goes = deletion::next(&key("web"), &service(&[], "ACTIVE"), NOW);
        let after = |plan: &Plan, named: &[&str], leaving: &[&str], unknown| {
            let keys = |names: &[&str]| names.iter().map(|name| key(name)).collect();
            let dependents = Dependents { named: keys(named), leaving: keys(leaving), unknown };
            after_dependents(plan.clone(), &key("web"), &dependents)
        };
        assert_eq!(after(&goes, &[], &[], 0), goes);
        for (plan, words) in [
            (after(&goes, &["api"], &["old"], 3), "shop/api still depends on shop/web"),
            (after(&goes, &[], &["a", "b"], 3), "after what depends on it: shop/a, shop/b"),
            (after(&goes, &[], &[], 3), "3 services without specs have not been looked at"),
        ] {
            assert_eq!((plan.actions.len(), plan.withheld.len()), (0, 1));
            assert_eq!(plan.requeue, Requeue::OnChange);
            let [hold] = plan.holds.as_slice() else { panic!("{plan:?}") };
            assert_eq!(hold.reason, Reason::WaitingForDependents);
            assert!(hold.message.contains(words), "{}", hold.message);
        }
        // A plan that takes nothing away waits for nobody.
        let stays = Plan::hold(Reason::PruneOff, "", Requeue::OnChange);
        assert_eq!(after(&stays, &["api"], &[], 0), stays);
    }
}
