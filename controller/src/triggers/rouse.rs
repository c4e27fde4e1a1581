//! From wakes to keys in the queue: each thing once, however many events named it.

use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

use crds::{ObjectKey, TargetName};
use planner::preflight::{self, EcrImage, StoredName};
use tokio::time::Instant;

use super::event::{Caller, Place, ServiceWake, Wake};
use crate::aws::Identity;
use crate::inventory::Entry;
use crate::queue::{Priority, Queue};
use crate::reconcile::Context;
use crate::references;
use crate::status_store::{Event, EventKind, EventLevel};

/// How soon events may let a service be looked at again.
const APART: Duration = Duration::from_secs(1);
/// How many services events may let be looked at in a second: with ten a call, a quarter of what we take of ECS's reads.
const LOOKS_A_SECOND: u32 = 25;
/// How long a look counts as one of late.
const OF_LATE: Duration = Duration::from_secs(30);

/// When events let which service be looked at.
#[derive(Debug, Default)]
pub(super) struct Pace(HashMap<ObjectKey, Instant>);

impl Pace {
    /// Puts a key into the queue: now, or a little later if it was there a moment ago. Where much happens at once, services
    /// are looked at less often and not one after the other, so that they share calls.
    fn add(&mut self, queue: &Queue<ObjectKey>, key: ObjectKey) {
        let now = Instant::now();
        let busy = u32::try_from(self.0.len()).unwrap_or(u32::MAX) / LOOKS_A_SECOND;
        let apart = APART.max(Duration::from_secs(busy.into())).min(OF_LATE);
        let at = match self.0.get(&key) {
            // It waits for that look already.
            Some(next) if *next > now => *next,
            Some(last) => now.max(*last + apart),
            None => now,
        };
        queue.add_at(key.clone(), Priority::Rollout, at);
        self.0.insert(key, at);
    }

    fn forget_old(&mut self) {
        self.0.retain(|_, at| at.elapsed() < OF_LATE);
    }
}

/// One of our targets.
#[derive(Debug)]
struct Ours {
    target: TargetName,
    region: String,
    /// `None` where AWS did not say it: then the region alone decides.
    identity: Option<Identity>,
}

impl Ours {
    fn is_at(&self, place: &Place) -> bool {
        self.region == place.region
            && self.identity.as_ref().is_none_or(|identity| identity.account == place.account)
    }
}

/// Lets everything be looked at that the wakes name and that is of ours.
pub(super) async fn rouse(
    context: &Context,
    queue: &Queue<ObjectKey>,
    pace: &mut Pace,
    wakes: BTreeSet<Wake>,
) {
    let targets = targets(context).await;
    let mut keys = BTreeSet::new();
    let mut mentioned = Vec::new();
    for wake in wakes {
        match wake {
            Wake::Service(service) => keys.extend(of_service(context, &targets, service)),
            Wake::Object { bucket, key } => {
                context.triggers.sources.wake_for_object(&bucket, &key);
                context.outside.wake_for_object(&bucket, &key);
            }
            wake @ (Wake::Repository { .. }
            | Wake::Parameter { .. }
            | Wake::Secret { .. }
            | Wake::Alarm { .. }) => {
                forget(context, &targets, &wake);
                mentioned.push(wake);
            }
        }
    }
    wake_readers(context, &targets, &mentioned);
    if !mentioned.is_empty() {
        let specs = context.inventory().specs();
        for entry in specs {
            if mentioned.iter().any(|wake| mentions(&targets, &entry, wake)) {
                keys.insert(entry.desired.key.clone());
            }
        }
    }
    pace.forget_old();
    for key in keys {
        pace.add(queue, key);
    }
}

async fn targets(context: &Context) -> Vec<Ours> {
    let mut targets = Vec::new();
    for account in context.aws.accounts() {
        targets.push(Ours {
            target: account.target().clone(),
            region: account.region().to_owned(),
            identity: account.caller_identity().await.ok(),
        });
    }
    targets
}

/// The keys of a service, of those that get turns at all.
fn of_service(context: &Context, targets: &[Ours], wake: ServiceWake) -> Vec<ObjectKey> {
    let ServiceWake { place, cluster, name, is_scaling, call } = wake;
    let mut found = Vec::new();
    for ours in targets.iter().filter(|ours| ours.is_at(&place)) {
        let inventory = context.inventory();
        let keys: Vec<ObjectKey> = match (&cluster, name.parse()) {
            (_, Err(_)) => Vec::new(),
            (Some(cluster), Ok(name)) => {
                let cluster = cluster.parse().ok();
                let key =
                    cluster.map(|cluster| ObjectKey { target: ours.target.clone(), cluster, name });
                key.filter(|key| inventory.is_known(key)).into_iter().collect()
            }
            (None, Ok(name)) => inventory
                .keys()
                .into_iter()
                .filter(|key| key.target == ours.target && key.name == name)
                .collect(),
        };
        drop(inventory);
        for key in &keys {
            if is_scaling && let Some(account) = context.account(key) {
                account.forget_scaling(&planner::scaling::resource_id(key));
            }
            if let Some(caller) = call.as_ref().filter(|caller| !is_our_own(ours, caller)) {
                note(context, key, caller);
            }
        }
        found.extend(keys);
    }
    found
}

/// Whether the operator itself made the call: with its own identity, by the library that it calls with. A person who uses
/// the operator's credentials uses them with something else.
fn is_our_own(ours: &Ours, caller: &Caller) -> bool {
    let Some(identity) = &ours.identity else { return true };
    let same = caller.arn.as_deref().is_some_and(|arn| principal(arn) == principal(&identity.arn));
    same && caller.agent.contains("aws-sdk-rust/")
}

/// The ARN without the name of the session, which changes.
fn principal(arn: &str) -> &str {
    match arn.rsplit_once('/') {
        Some((role, _)) if arn.contains(":assumed-role/") => role,
        Some(_) | None => arn,
    }
}

/// Whether Application Auto Scaling made the call by itself: that is its work, and nobody's news.
fn is_scaling(caller: &Caller) -> bool {
    let arn = caller.arn.as_deref().unwrap_or_default();
    arn.contains(":assumed-role/AWSServiceRoleForApplicationAutoScaling_ECSService/")
}

/// Remembers what somebody else called, and tells people.
fn note(context: &Context, key: &ObjectKey, caller: &Caller) {
    let is_new = context.triggers.outside.note(key, caller.call.clone());
    if !is_new || is_scaling(caller) {
        return;
    }
    let message = caller.call.to_string();
    tracing::info!(service = %key, call = %message, "changed by somebody else");
    let told = ("ChangedOutside", message);
    let now = context.clock.now();
    let event = Event::of_service(key.clone(), now, EventKind::Action, EventLevel::Info, told);
    context.statuses.record(event);
}

/// What was read before says nothing any more.
fn forget(context: &Context, targets: &[Ours], wake: &Wake) {
    for ours in targets {
        let Some(account) = context.aws.account(&ours.target) else { continue };
        match wake {
            Wake::Repository { name, .. } => account.forget_images(name),
            Wake::Parameter { name, .. } => account.forget_parameter(name),
            Wake::Secret { id, .. } => account.forget_secrets(|known| is_same_secret(known, id)),
            Wake::Alarm { name, .. } => account.forget_alarm(name),
            Wake::Service(_) | Wake::Object { .. } => {}
        }
    }
}

/// Lets releases and parameters be read that others take their values from.
fn wake_readers(context: &Context, targets: &[Ours], wakes: &[Wake]) {
    for wake in wakes {
        if let Wake::Repository { place, name } = wake {
            context.triggers.followers.wake_for_images(place, name);
        }
    }
    for ours in targets {
        let name = |wake: &Wake| match wake {
            Wake::Parameter { place, name } if ours.is_at(place) => Some(name.clone()),
            Wake::Parameter { .. }
            | Wake::Service(_)
            | Wake::Repository { .. }
            | Wake::Secret { .. }
            | Wake::Alarm { .. }
            | Wake::Object { .. } => None,
        };
        let names: BTreeSet<String> = wakes.iter().filter_map(name).collect();
        references::heed_parameters(context, &ours.target, &names);
    }
}

/// Whether a spec names the image, parameter, secret or alarm of a wake.
fn mentions(targets: &[Ours], entry: &Entry, wake: &Wake) -> bool {
    let desired = &entry.desired;
    let is_here = |place: &Place| {
        targets.iter().any(|ours| ours.target == desired.key.target && ours.is_at(place))
    };
    let mentions = preflight::mentions(desired);
    match wake {
        Wake::Repository { place, name } => {
            let is_it = |image: &EcrImage| {
                image.repository == *name
                    && image.region == place.region
                    && image.account == place.account
            };
            let mut images = mentions.images.iter().filter_map(|image| image.name.place.as_ref());
            images.any(is_it)
        }
        Wake::Parameter { place, name } => {
            mentions.stored.iter().any(|stored| is_parameter(&stored.name, place, name, is_here))
        }
        Wake::Secret { id, .. } => mentions.stored.iter().any(|stored| is_secret(&stored.name, id)),
        Wake::Alarm { place, name } => {
            // A spec may name it by its ARN.
            let known = |alarm: &str| alarm.rsplit(":alarm:").next() == Some(name.as_str());
            mentions.alarms.iter().any(|alarm| known(&alarm.name)) && is_here(place)
        }
        Wake::Service(_) | Wake::Object { .. } => false,
    }
}

fn is_parameter(
    stored: &StoredName,
    place: &Place,
    name: &str,
    is_here: impl Fn(&Place) -> bool,
) -> bool {
    let bare = |name: &str| name.trim_start_matches('/').to_owned();
    match stored {
        StoredName::Parameter(known) => bare(known) == bare(name) && is_here(place),
        StoredName::Elsewhere { account, region, local, .. } => {
            *account == place.account
                && *region == place.region
                && matches!(&**local, StoredName::Parameter(known) if bare(known) == bare(name))
        }
        StoredName::Secret(_) => false,
    }
}

fn is_secret(stored: &StoredName, id: &str) -> bool {
    match stored {
        StoredName::Secret(known) => is_same_secret(known, id),
        StoredName::Elsewhere { arn, local, .. } => {
            matches!(**local, StoredName::Secret(_)) && is_same_secret(arn, id)
        }
        StoredName::Parameter(_) => false,
    }
}

/// Whether two names or ARNs may be of one secret: an ARN ends in `-` and six letters that the name has not.
fn is_same_secret(one: &str, other: &str) -> bool {
    let name = |id: &str| match id.split_once(":secret:") {
        Some((_, rest)) => {
            let rest = rest.split(':').next().unwrap_or(rest);
            match rest.rsplit_once('-') {
                Some((name, letters)) if letters.len() == 6 => name.to_owned(),
                Some(_) | None => rest.to_owned(),
            }
        }
        None => id.to_owned(),
    };
    name(one) == name(other)
}

#[cfg(test)]
mod tests {
    use super::*;
    use planner::outside::OutsideCall;

    fn key(name: &str) -> ObjectKey {
        ObjectKey {
            target: TargetName::default(),
            cluster: "shop".parse().unwrap(),
            name: name.parse().unwrap(),
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_service_is_looked_at_at_once_and_then_a_second_apart() {
        let (queue, mut pace) = (Queue::new(1), Pace::default());
        let began = Instant::now();
        let mut looks = Vec::new();
        for _ in 0..1000 {
            pace.add(&queue, key("web"));
            tokio::time::advance(Duration::from_millis(5)).await;
            while queue.depth().due + queue.depth().waiting > 0 {
                let Ok(Some(key)) = tokio::time::timeout(Duration::ZERO, queue.next()).await else {
                    break;
                };
                looks.push(began.elapsed());
                queue.done(&key, false);
            }
        }
        assert!((5..=6).contains(&looks.len()), "{looks:?}");
        assert!(looks[0] < Duration::from_millis(10));
    }

    #[tokio::test(start_paused = true)]
    async fn where_much_happens_services_are_looked_at_less_often() {
        let (queue, mut pace) = (Queue::new(1), Pace::default());
        let keys: Vec<ObjectKey> = (0..500).map(|number| key(&format!("s{number}"))).collect();
        for key in &keys {
            pace.add(&queue, key.clone());
        }
        tokio::time::advance(Duration::from_secs(2)).await;
        let now = Instant::now();
        pace.add(&queue, keys[0].clone());
        let apart = pace.0[&keys[0]] - now;
        assert_eq!(apart, Duration::from_secs(18), "500 services at 25 a second");
        tokio::time::advance(Duration::from_mins(1)).await;
        pace.forget_old();
        assert!(pace.0.is_empty(), "memory does not grow");
    }

    #[test]
    fn only_our_own_calls_are_ours() {
        let ours = |arn: Option<&str>| Ours {
            target: TargetName::default(),
            region: "eu-west-1".to_owned(),
            identity: arn
                .map(|arn| Identity { account: "111122223333".to_owned(), arn: arn.to_owned() }),
        };
        let caller = |arn: &str, agent: &str| Caller {
            call: OutsideCall {
                id: "1".to_owned(),
                time: jiff::Timestamp::UNIX_EPOCH,
                operation: "UpdateService".to_owned(),
                members: BTreeSet::new(),
                actor: arn.to_owned(),
                tool: None,
            },
            arn: Some(arn.to_owned()),
            agent: agent.to_owned(),
        };
        let role = "arn:aws:sts::111122223333:assumed-role/longshore/longshore-default";
        let later = "arn:aws:sts::111122223333:assumed-role/longshore/other-session";
        let (sdk, cli) = ("aws-sdk-rust/1.3.14 os/linux lang/rust/1.94.1", "aws-cli/2.15.30");
        for (arn, agent, is_own) in [
            (role, sdk, true),
            (later, sdk, true),
            (role, cli, false),
            ("arn:aws:sts::111122223333:assumed-role/Admin/ada", sdk, false),
            ("arn:aws:sts::444455556666:assumed-role/longshore/x", sdk, false),
        ] {
            assert_eq!(is_our_own(&ours(Some(role)), &caller(arn, agent)), is_own, "{arn} {agent}");
        }
        let service = "arn:aws:sts::111122223333:assumed-role/AWSServiceRoleForApplicationAutoScaling_ECSService/x";
        assert!(is_scaling(&caller(service, "ecs.application-autoscaling.amazonaws.com")));
        assert!(!is_scaling(&caller(role, cli)));
        // Who we are is not known: nobody is named who might be ourselves.
        assert!(is_our_own(&ours(None), &caller(role, cli)));
    }

    #[test]
    fn names_and_arns_of_one_secret_are_one() {
        let arn = "arn:aws:secretsmanager:eu-west-1:111122223333:secret:shop/db-AbCdEf";
        for same in [arn, "shop/db", &format!("{arn}:password::")] {
            assert!(is_same_secret(arn, same), "{same}");
        }
        for other in
            ["shop/dbx", "arn:aws:secretsmanager:eu-west-1:111122223333:secret:shop/api-AbCdEf"]
        {
            assert!(!is_same_secret(arn, other), "{other}");
        }
    }
}
