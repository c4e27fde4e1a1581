//! The two target groups of a progressive roll-out: which one a revision's tasks join, and how traffic moves between them.
//!
//! `loadBalancers` keeps both groups as they were configured. The revision that serves has one, the next one gets the other,
//! and so they swap with each success; only the resolved configuration of a revision tells which is its (aws.md §3.8).

use serde_json::{Map, Value, json};

use super::{
    Ecs, Surroundings,
    failure::Failure,
    model::{Deployment, RevisionNumber, Service},
};
use crate::input;

/// New weights of a listener's rule, or of the listener itself where it is a Network Load Balancer's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TrafficShift {
    /// The ARN of the rule or listener.
    pub(crate) rule: String,
    /// Target groups and their weights.
    pub(crate) weights: Vec<(String, u32)>,
}

/// Which requests are shifted: the member that names their rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Traffic {
    Test,
    Production,
}

impl Traffic {
    const fn member(self) -> &'static str {
        match self {
            Self::Test => "testListenerRule",
            Self::Production => "productionListenerRule",
        }
    }
}

impl Ecs {
    /// The shifts of traffic since the last call of this function.
    pub(crate) fn drain_shifts(&mut self) -> Vec<TrafficShift> {
        std::mem::take(&mut self.shifts)
    }

    /// Sends so many percent of the traffic to the tasks of a revision, and the rest to the other group.
    pub(super) fn shift(
        &mut self,
        service: &Service,
        number: RevisionNumber,
        traffic: Traffic,
        percent: f64,
    ) {
        let Some(deployment) = service.deployment(number) else { return };
        for balancer in &deployment.balancers {
            let Some(Pair { own, other, rules }) = Pair::of(balancer) else { continue };
            let Some(rule) = input::text(rules, traffic.member()) else { continue };
            let (own_weight, other_weight) = weights(percent);
            let weights = vec![(own.to_owned(), own_weight), (other.to_owned(), other_weight)];
            self.shifts.push(TrafficShift { rule: rule.to_owned(), weights });
        }
    }

    /// All traffic goes to the tasks of a revision.
    pub(super) fn shift_all(&mut self, service: &mut Service, number: RevisionNumber) {
        self.shift(service, number, Traffic::Test, 100.0);
        self.shift(service, number, Traffic::Production, 100.0);
        service.serving = Some(number);
    }
}

/// The two groups of an entry of `loadBalancers` whose `targetGroupArn` is the one that its revision uses.
struct Pair<'a> {
    own: &'a str,
    other: &'a str,
    /// `advancedConfiguration`, which names the rules.
    rules: &'a Value,
}

impl<'a> Pair<'a> {
    fn of(resolved: &'a Value) -> Option<Self> {
        let rules = input::present(resolved, "advancedConfiguration")?;
        let own = input::text(resolved, "targetGroupArn")?;
        let other = input::text(rules, "alternateTargetGroupArn")?;
        Some(Self { own, other, rules })
    }
}

/// Shares of a rule's requests, whole numbers to 999: tenths of a percent where whole ones do not do.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "percentages between 0 and 100"
)]
fn weights(percent: f64) -> (u32, u32) {
    let tenths = (percent.clamp(0.0, 100.0) * 10.0).round() as u32;
    if tenths.is_multiple_of(10) {
        (tenths / 10, 100 - tenths / 10)
    } else {
        (tenths, 1000 - tenths)
    }
}

/// The load balancers of a revision that begins. Where there are two groups it gets the one that does not serve, or in a
/// rolling deployment the one that does.
pub(super) fn resolve(service: &Service) -> Vec<Value> {
    let configured = service.settings.get("loadBalancers").and_then(Value::as_array);
    let serving = service.serving.and_then(|number| service.deployment(number));
    let configured = configured.map_or(&[][..], Vec::as_slice);
    configured.iter().map(|entry| resolved(entry, serving, service.is_progressive())).collect()
}

fn resolved(entry: &Value, serving: Option<&Deployment>, swaps: bool) -> Value {
    let Some(Pair { own: first, other: second, .. }) = Pair::of(entry) else {
        return entry.clone();
    };
    let taken = if swaps { first } else { second };
    if !serving.is_some_and(|serving| joins(serving, taken)) {
        return entry.clone();
    }
    let mut turned = entry.clone();
    put(&mut turned, "targetGroupArn", second);
    if let Some(advanced) = turned.get_mut("advancedConfiguration") {
        put(advanced, "alternateTargetGroupArn", first);
    }
    turned
}

/// Whether a revision's tasks are in a target group.
fn joins(deployment: &Deployment, group: &str) -> bool {
    deployment.balancers.iter().any(|one| input::text(one, "targetGroupArn") == Some(group))
}

fn put(object: &mut Value, member: &str, value: &str) {
    if let Some(members) = object.as_object_mut() {
        members.insert(member.to_owned(), json!(value));
    }
}

/// `resolvedConfiguration` of a revision, if it has target groups.
pub(super) fn resolved_view(deployment: &Deployment) -> Option<Value> {
    let groups: Vec<Value> = deployment
        .balancers
        .iter()
        .filter_map(|one| {
            let mut shown = Map::new();
            shown.insert("targetGroupArn".to_owned(), json!(input::text(one, "targetGroupArn")?));
            let rules = input::present(one, "advancedConfiguration");
            let rule = rules.and_then(|rules| input::text(rules, "productionListenerRule"));
            if let Some(rule) = rule {
                shown.insert("productionListenerRule".to_owned(), json!(rule));
            }
            Some(Value::Object(shown))
        })
        .collect();
    (!groups.is_empty()).then(|| json!({"loadBalancers": groups}))
}

/// Why the rules of a service are not such that traffic can be shifted to its newest revision; rules of load balancers that
/// nobody knows are not looked at.
pub(super) fn unfit(service: &Service, around: &dyn Surroundings) -> Option<Failure> {
    let serves = |group: &str| {
        let serving = service.serving.and_then(|number| service.deployment(number));
        serving.is_some_and(|one| joins(one, group))
    };
    service.primary()?.balancers.iter().find_map(|balancer| {
        let Pair { own, other, rules } = Pair::of(balancer)?;
        let production = input::text(rules, "productionListenerRule")?;
        let forwards = around.weights(production)?;
        let test = input::text(rules, "testListenerRule").and_then(|rule| around.weights(rule));
        let known = || forwards.iter().chain(test.iter().flatten()).map(|(group, _)| group);
        if ![own, other].iter().all(|group| known().any(|known| known == group)) {
            return Some(Failure::networking(
                "Both targetGroup and alternateTargetGroup must be associated with the productionListenerRule or testListenerRule.",
            ));
        }
        let serving: Vec<&str> = forwards
            .iter()
            .filter(|(_, weight)| *weight > 0)
            .map(|(group, _)| group.as_str())
            .collect();
        match serving.as_slice() {
            [only] if serves(other) && *only != other => {
                Some(Failure::networking(&format!(
                    "Production listener rule is forwarding traffic to unexpected target group {only}. Expected {other}."
                )))
            }
            [_] => None,
            several => Some(Failure::networking(&format!(
                "productionListenerRule {production} should have exactly one target group serving traffic but found {} target groups which are serving traffic",
                several.len()
            ))),
        }
    })
}
