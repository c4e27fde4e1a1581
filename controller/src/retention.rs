//! Deregisters revisions that nothing needs any more, slowly, and only after everything that could name them was read.
//!
//! Flow: families that grew -> their ACTIVE revisions -> everything of the account that names one -> [`planner::retention`] ->
//! `DeregisterTaskDefinition`. Guarantees: a failed read deregisters nothing; only what carries our tags goes; registering
//! always finds room in the bucket that both calls share. Families are looked at once after the start and whenever they
//! grew, so that a fleet at rest costs no call (ADR 0015).

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroU32;
use std::time::Duration;

use crds::{ObjectKey, TargetName};
use futures_util::StreamExt as _;
use futures_util::future::BoxFuture;
use planner::observed::ObservedTaskDefinition;
use planner::retention;
use serde_json::Value;

use crate::aws::{Account, Error, Kind};
use crate::inventory::Wanted;
use crate::reconcile::Context;

/// How many families are looked at in a round.
const FAMILIES: usize = 5;
/// How many revisions of a family are deregistered in a round.
const DEREGISTERED: usize = 5;
/// How many revisions of a family are looked at in a round for ones that are ours.
const LOOKED_AT: usize = 100;
/// How many services are read at once; a multiple of the ten that one DescribeServices takes.
const READ_AT_ONCE: usize = 60;
/// How many of a service's last rollouts are looked at for those that it could go back to.
const ROLLOUTS: usize = 40;
/// How many rollouts that ended well stay possible to go back to: the one in force and the one before.
const GOOD_ROLLOUTS: usize = 2;

/// A family of a target.
type DueFamily = (TargetName, String);

/// Takes a round each interval, for ever; does nothing at all where nothing is configured.
pub async fn regularly(context: &Context, keep: Option<NonZeroU32>, interval: Duration) {
    let Some(keep) = keep else { return std::future::pending().await };
    let keep = usize::try_from(keep.get()).unwrap_or(usize::MAX);
    while !context.inventory().is_complete() {
        tokio::time::sleep(interval).await;
    }
    let mut due: BTreeSet<DueFamily> = families(context).into_keys().collect();
    loop {
        tokio::time::sleep(interval).await;
        for account in context.aws.accounts() {
            let grown = account.take_grown_families().into_iter();
            due.extend(grown.map(|family| (account.target().clone(), family)));
        }
        round(context, keep, &mut due).await;
    }
}

/// The families that specs name, each with the services that use it.
fn families(context: &Context) -> BTreeMap<DueFamily, Vec<ObjectKey>> {
    let inventory = context.inventory();
    let mut families: BTreeMap<DueFamily, Vec<ObjectKey>> = BTreeMap::new();
    for key in inventory.keys() {
        if let Wanted::Spec { entry, .. } = inventory.wanted(&key) {
            let family = entry.desired.task_definition.family.to_string();
            families.entry((key.target.clone(), family)).or_default().push(key);
        }
    }
    families
}

/// Looks at a few of the due families; those that need no further round are due no longer.
async fn round(context: &Context, keep: usize, due: &mut BTreeSet<DueFamily>) {
    let used = families(context);
    let is_at_rest = |family: &DueFamily| {
        used.get(family).is_some_and(|keys| keys.iter().all(|key| is_at_rest(context, key)))
    };
    let ready: Vec<DueFamily> =
        due.iter().filter(|family| is_at_rest(family)).take(FAMILIES).cloned().collect();
    // A family that no spec names any more is nobody's business here.
    due.retain(|family| used.contains_key(family));
    for due_family in ready {
        let (target, family) = &due_family;
        let Some(account) = context.aws.account(target) else { continue };
        match trim(context, account, family, keep).await {
            Ok(Trimmed::Done) => {
                due.remove(&due_family);
            }
            Ok(Trimmed::MoreLater) => {}
            Err(error) => {
                tracing::warn!(family, error = %error, "no revision is deregistered");
                if error.kind == Kind::Denied {
                    due.remove(&due_family);
                }
            }
        }
    }
}

/// Whether no rollout of a service is under way or has failed.
fn is_at_rest(context: &Context, key: &ObjectKey) -> bool {
    context.statuses.service(key).is_some_and(|object| object.status.is_ready())
}

/// What came of a look at a family.
enum Trimmed {
    /// Nothing surplus is left.
    Done,
    /// There is more, or there was no room for it now.
    MoreLater,
}

async fn trim(
    context: &Context,
    account: &Account,
    family: &str,
    keep: usize,
) -> Result<Trimmed, Error> {
    let active = account.list_task_definitions(family, usize::MAX).await?;
    if active.len() <= keep {
        return Ok(Trimmed::Done);
    }
    let named = named(account, family).await?;
    let surplus = retention::surplus(&active, &named, keep);
    let mut done = 0;
    for arn in surplus.iter().take(LOOKED_AT) {
        let Some(known) = account.describe_task_definition(arn).await? else { continue };
        if !is_ours(context, &known) {
            continue;
        }
        if done == DEREGISTERED || !account.has_room_to_deregister().await? {
            return Ok(Trimmed::MoreLater);
        }
        // Tags may have changed since the revision was first read.
        let Some(read) = account.reread_task_definition(arn).await? else { continue };
        if is_ours(context, &read) {
            account.deregister_task_definition(arn).await?;
            tracing::info!(revision = arn, "deregistered: nothing names it any more");
            done += 1;
        }
    }
    Ok(Trimmed::Done)
}

fn is_ours(context: &Context, described: &Value) -> bool {
    retention::is_ours(&ObservedTaskDefinition::from_describe(described), &context.owner)
}

/// Every revision of the family that something of the account names: all of them, or an error.
async fn named(account: &Account, family: &str) -> Result<BTreeSet<String>, Error> {
    let mut named = BTreeSet::new();
    for cluster in account.list_clusters().await? {
        let services = account.list_services(&cluster).await?;
        let reads: Vec<BoxFuture<'_, _>> = services
            .iter()
            .map(|name| -> BoxFuture<'_, _> {
                Box::pin(named_by_service(account, &cluster, name, family))
            })
            .collect();
        let mut reads = futures_util::stream::iter(reads).buffer_unordered(READ_AT_ONCE);
        while let Some(read) = reads.next().await {
            named.extend(read?);
        }
        for task in account.tasks_of_family(&cluster, family).await? {
            named.extend(text(&task, "taskDefinitionArn"));
        }
    }
    Ok(named)
}

/// The revisions that a service, its deployments, its task sets, and the rollouts that it could go back to name.
async fn named_by_service(
    account: &Account,
    cluster: &str,
    name: &str,
    family: &str,
) -> Result<Vec<String>, Error> {
    let Some(service) = account.describe_service(cluster, name).await? else {
        return Ok(Vec::new());
    };
    let mut named: Vec<String> = text(&service, "taskDefinition").into_iter().collect();
    for list in ["deployments", "taskSets"] {
        let entries = service.get(list).and_then(Value::as_array).into_iter().flatten();
        named.extend(entries.filter_map(|entry| text(entry, "taskDefinition")));
    }
    if named.iter().any(|revision| is_of(revision, family)) {
        named.extend(named_by_rollouts(account, cluster, name).await?);
    }
    Ok(named)
}

/// The revisions of the newest rollouts, back to the second that ended well.
async fn named_by_rollouts(
    account: &Account,
    cluster: &str,
    name: &str,
) -> Result<Vec<String>, Error> {
    let mut revisions = Vec::new();
    let mut good = 0;
    for record in account.service_deployments(cluster, name, ROLLOUTS).await? {
        let target = record.pointer("/targetServiceRevision/arn");
        let sources = record.get("sourceServiceRevisions").and_then(Value::as_array);
        let sources = sources.into_iter().flatten().filter_map(|source| source.get("arn"));
        let back = record.pointer("/rollback/serviceRevisionArn");
        let arns = target.into_iter().chain(sources).chain(back);
        revisions.extend(arns.filter_map(Value::as_str).map(str::to_owned));
        good += usize::from(text(&record, "status").as_deref() == Some("SUCCESSFUL"));
        if good == GOOD_ROLLOUTS {
            break;
        }
    }
    let revisions = account.service_revisions(&revisions).await?;
    Ok(revisions.iter().filter_map(|revision| text(revision, "taskDefinition")).collect())
}

fn is_of(revision: &str, family: &str) -> bool {
    let short = revision.rsplit('/').next().unwrap_or(revision);
    short.split(':').next() == Some(family)
}

fn text(value: &Value, member: &str) -> Option<String> {
    value.get(member)?.as_str().map(str::to_owned)
}
