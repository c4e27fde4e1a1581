//! What others called of late, until it has been looked at. Kept in memory: it only explains.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crds::{ObjectKey, ServiceStatus};
use jiff::{SignedDuration, Timestamp};
use planner::Plan;
use planner::outside::{self, OutsideCall};

/// How many calls are kept of one service.
const CALLS_MAX: usize = 16;
/// Of how many services calls are kept.
const SERVICES_MAX: usize = 4096;
/// How old a call is when a look without any difference says that nothing is left of it: reads may be older than calls.
const SPENT_AFTER: SignedDuration = SignedDuration::from_secs(30);

/// Calls by service. Clones share them.
#[derive(Debug, Clone, Default)]
pub struct OutsideCalls(Arc<Mutex<BTreeMap<ObjectKey, Told>>>);

#[derive(Debug, Default)]
struct Told {
    /// In the order in which they were told.
    calls: VecDeque<OutsideCall>,
    /// Calls before this have left no difference.
    settled: Option<Timestamp>,
}

impl OutsideCalls {
    /// Keeps a call; whether it was not known before.
    pub fn note(&self, key: &ObjectKey, call: OutsideCall) -> bool {
        let mut services = self.lock();
        if services.len() >= SERVICES_MAX && !services.contains_key(key) {
            let oldest = services
                .iter()
                .min_by_key(|(_, told)| told.calls.back().map(|call| call.time))
                .map(|(key, _)| key.clone());
            if let Some(oldest) = oldest {
                services.remove(&oldest);
            }
        }
        let told = services.entry(key.clone()).or_default();
        if told.calls.iter().any(|known| known.id == call.id) {
            return false;
        }
        if told.calls.len() >= CALLS_MAX {
            told.calls.pop_front();
        }
        told.calls.push_back(call);
        true
    }

    /// The status with the name of who is behind the difference that it tells of, where that is known. A plan without any
    /// difference says that nothing is left of what was called before `now`.
    pub fn explain(
        &self,
        key: &ObjectKey,
        plan: &Plan,
        status: ServiceStatus,
        now: Timestamp,
    ) -> ServiceStatus {
        let mut services = self.lock();
        let Some(told) = services.get_mut(key) else { return status };
        if plan.is_settled() {
            told.settled = Some(now.saturating_sub(SPENT_AFTER).unwrap_or(Timestamp::MIN));
            return status;
        }
        let settled = told.settled.unwrap_or(Timestamp::MIN);
        let calls: Vec<OutsideCall> =
            told.calls.iter().filter(|call| call.time > settled).cloned().collect();
        match outside::behind(plan, &calls) {
            Some(call) => outside::named(status, call),
            None => status,
        }
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<ObjectKey, Told>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use crds::Reason;
    use planner::Action;

    use super::*;

    fn key(name: &str) -> ObjectKey {
        ObjectKey {
            target: crds::TargetName::default(),
            cluster: "shop".parse().unwrap(),
            name: name.parse().unwrap(),
        }
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_772_323_200 + second).unwrap()
    }

    fn deletion(second: i64) -> OutsideCall {
        OutsideCall {
            id: second.to_string(),
            time: at(second),
            operation: "DeleteService".to_owned(),
            members: BTreeSet::new(),
            actor: "ada".to_owned(),
            tool: None,
        }
    }

    /// A plan that makes a service that somebody deleted.
    fn missing() -> Plan {
        let create = Action::CreateService {
            input: serde_json::Value::Null,
            task_definition: planner::TaskDefinitionRef::Registered,
            reason: Reason::ServiceMissing,
        };
        Plan { actions: vec![create], ..Plan::nothing() }
    }

    fn status() -> ServiceStatus {
        let (reason, generation) = (Reason::ServiceMissing, crds::Generation(1));
        planner::status::blocked(reason, "CreateService", generation, None, at(0))
    }

    fn told(calls: &OutsideCalls, name: &str, plan: &Plan, second: i64) -> String {
        let status = calls.explain(&key(name), plan, status(), at(second));
        status.conditions[0].message.clone()
    }

    #[test]
    fn a_difference_is_told_with_the_call_behind_it_and_else_without_a_name() {
        let calls = OutsideCalls::default();
        assert_eq!(told(&calls, "web", &missing(), 0), "CreateService");
        assert!(calls.note(&key("web"), deletion(5)));
        assert_eq!(
            told(&calls, "web", &missing(), 10),
            "CreateService (DeleteService by ada at 2026-03-01T00:00:05Z)"
        );
        assert_eq!(told(&calls, "api", &missing(), 10), "CreateService");
    }

    #[test]
    fn what_has_been_put_right_explains_nothing_later() {
        let calls = OutsideCalls::default();
        calls.note(&key("web"), deletion(5));
        told(&calls, "web", &Plan::nothing(), 120);
        assert_eq!(told(&calls, "web", &missing(), 130), "CreateService");
        calls.note(&key("web"), deletion(125));
        assert!(told(&calls, "web", &missing(), 130).contains("00:02:05Z"));
        calls.note(&key("web"), deletion(60));
        assert!(told(&calls, "web", &missing(), 130).contains("00:02:05Z"), "told late");
    }

    #[test]
    fn a_call_is_noted_once_and_memory_is_bounded() {
        let calls = OutsideCalls::default();
        assert!(calls.note(&key("web"), deletion(1)));
        assert!(!calls.note(&key("web"), deletion(1)));
        for second in 2..100 {
            calls.note(&key("web"), deletion(second));
        }
        for number in 0..5000 {
            calls.note(&key(&format!("s{number}")), deletion(1000 + number));
        }
        let services = calls.lock();
        assert_eq!(services.len(), SERVICES_MAX);
        assert!(services.values().all(|told| told.calls.len() <= CALLS_MAX));
        assert!(!services.contains_key(&key("web")), "the oldest made room");
    }
}
