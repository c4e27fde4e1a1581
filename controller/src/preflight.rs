//! Reads what lies around a service before its rollout begins, and hands it to the planner.
//!
//! Runs only for plans that would start tasks of new content. A read that fails makes a fact of its own, "not checked", and
//! never "not there".

use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use std::time::Duration;

use crds::{ConditionType, Reason, ServiceStatus};
use futures_util::future::join_all;
use jiff::Timestamp;
use planner::preflight::{
    self, Absence, Alarm, Cluster, EcrImage, Fact, Facts, Image, ImageName, LogGroup, Mention,
    Mentions, Parameter, Role, Secret, SecretVersion, Stored, StoredName, TargetGroup,
};
use planner::{Desired, Observed, Plan};
use serde_json::Value;

use crate::aws::{Account, Error, ImageFact, ImageQuestion, Kind, SecretFact};

/// The plan in the light of what lies around the service. What was learnt of secrets is left in `observed`.
pub async fn check(
    account: &Account,
    desired: &Desired,
    plan: Plan,
    held_for: Option<Duration>,
    observed: &mut Observed,
) -> Plan {
    if !preflight::is_due(&plan) {
        return plan;
    }
    let mentions = preflight::mentions(desired);
    let facts = read(account, &mentions).await;
    if observed.secrets.is_none() {
        observed.secrets = preflight::versions(&mentions, &facts);
    }
    preflight::weigh(desired, plan, &facts, held_for)
}

/// For how long preflight has held a service already.
pub fn held_for(previous: Option<&ServiceStatus>, now: Timestamp) -> Option<Duration> {
    let condition = previous?.condition(ConditionType::Stalled)?;
    let since = now.duration_since(condition.last_transition_time);
    (condition.reason == Reason::PreflightFailed).then(|| Duration::try_from(since).ok())?
}

/// The versions of a spec's secrets, about a minute old at most; `None` unless all of them could be read.
pub async fn watched_secrets(account: &Account, desired: &Desired) -> Option<Vec<SecretVersion>> {
    let mentions = preflight::mentions(desired);
    let own = own_account(account).await;
    let own = own.as_deref();
    let stored = each(&mentions.stored, |name| stored(account, own, name, Freshness::Watched));
    let facts = Facts { stored: stored.await, ..Facts::default() };
    preflight::versions(&mentions, &facts)
}

/// How old an answer may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Freshness {
    /// For a decision that is made now.
    Now,
    /// For a thing that is looked at again and again.
    Watched,
}

async fn read(account: &Account, mentions: &Mentions) -> Facts {
    let own = own_account(account).await;
    let own = own.as_deref();
    let (images, stored, cluster, target_groups, log_groups, roles, alarms) = tokio::join!(
        each(&mentions.images, |name| image(account, name)),
        each(&mentions.stored, |name| stored(account, own, name, Freshness::Now)),
        cluster(account, &mentions.cluster.name),
        each(&mentions.target_groups, |arn| target_group(account, arn)),
        each(&mentions.log_groups, |group| log_group(account, group)),
        each(&mentions.roles, |name| role(account, own, name)),
        each(&mentions.alarms, |name| alarm(account, name)),
    );
    Facts { images, stored, cluster: Some(cluster), target_groups, log_groups, roles, alarms }
}

/// The account that is called; `None` where that could not be learnt, and then nothing else can be either.
async fn own_account(account: &Account) -> Option<String> {
    account.caller_identity().await.ok().map(|identity| identity.account)
}

/// A fact about each thing that is mentioned, all asked at once, so that they share calls.
async fn each<N, W, T, Asking>(
    mentions: &[Mention<N, W>],
    ask: impl Fn(N) -> Asking,
) -> BTreeMap<N, Fact<T>>
where
    N: Clone + Ord,
    Asking: Future<Output = Fact<T>>,
{
    let names: BTreeSet<N> = mentions.iter().map(|mention| mention.name.clone()).collect();
    let facts: Vec<_> = names
        .into_iter()
        .map(|name| {
            let asked = ask(name.clone());
            async move { (name, asked.await) }
        })
        .collect();
    join_all(facts).await.into_iter().collect()
}

/// A fact out of an answer in which `None` says that the thing is not there.
fn fact<A, T>(answer: Result<Option<A>, Error>, present: impl FnOnce(A) -> T) -> Fact<T> {
    match answer {
        Ok(Some(found)) => Fact::Present(present(found)),
        Ok(None) => Fact::Absent(Absence::default()),
        Err(error) => Fact::NotChecked(reason(&error)),
    }
}

/// Why a thing was not looked at, in words that are the same for all things with the same reason.
fn reason(error: &Error) -> String {
    let operation = error.operation;
    match error.kind {
        Kind::Denied => format!("no permission for {}:{operation}", iam_prefix(error)),
        Kind::Throttled | Kind::NotFound | Kind::Refused | Kind::Transient | Kind::Ambiguous => {
            let code = error.code.as_deref().unwrap_or("no answer");
            format!("{operation} failed: {code}")
        }
    }
}

/// The name of a service in IAM policies.
fn iam_prefix(error: &Error) -> &'static str {
    match error.operation.service() {
        "monitoring" => "cloudwatch",
        other => other,
    }
}

async fn image(account: &Account, name: ImageName) -> Fact<Image> {
    let Some(EcrImage { account: registry, region, repository, tag, digest }) = name.place else {
        return Fact::NotChecked("not in ECR".to_owned());
    };
    if region != account.region() {
        return elsewhere(&region);
    }
    let question = ImageQuestion { registry, repository, tag, digest };
    match account.image(&question).await {
        Ok(ImageFact::Present { digest, unusable, platforms }) => {
            Fact::Present(Image { digest, unusable, platforms })
        }
        Ok(ImageFact::NoImage { tags }) => Fact::Absent(Absence { around: None, known: tags }),
        Ok(ImageFact::NoRepository) => {
            let around = Some(format!("repository `{}`", question.repository));
            Fact::Absent(Absence { around, known: Vec::new() })
        }
        Err(error) => Fact::NotChecked(reason(&error)),
    }
}

fn elsewhere<T>(region: &str) -> Fact<T> {
    Fact::NotChecked(format!("in the region {region}"))
}

/// What is known of a parameter or a secret.
async fn stored(
    account: &Account,
    own: Option<&str>,
    name: StoredName,
    freshness: Freshness,
) -> Fact<Stored> {
    match &name {
        StoredName::Parameter(name) => parameter(account, name, freshness).await,
        StoredName::Secret(id) => secret(account, id, freshness).await,
        StoredName::Elsewhere { region, .. } if region != account.region() => elsewhere(region),
        StoredName::Elsewhere { local, account: other, .. } => match &**local {
            // Other accounts' secrets can be described, if they let us; their parameters cannot be found by name.
            StoredName::Secret(arn) => secret(account, arn, freshness).await,
            StoredName::Parameter(name) if Some(other.as_str()) == own => {
                parameter(account, name, freshness).await
            }
            StoredName::Parameter(_) | StoredName::Elsewhere { .. } => {
                Fact::NotChecked("in another account".to_owned())
            }
        },
    }
}

async fn parameter(account: &Account, name: &str, freshness: Freshness) -> Fact<Stored> {
    let answer = match freshness {
        Freshness::Now => account.parameter(name).await,
        Freshness::Watched => account.watched_parameter(name).await,
    };
    if matches!((&answer, freshness), (Ok(None), Freshness::Now)) {
        let known = account.parameters_beside(name).await.unwrap_or_default();
        return Fact::Absent(Absence { around: None, known });
    }
    fact(answer, |found| {
        let changed_at = found.changed_at.and_then(time);
        Stored::Parameter(Parameter { version: found.version, changed_at })
    })
}

async fn secret(account: &Account, id: &str, freshness: Freshness) -> Fact<Stored> {
    let answer = match freshness {
        Freshness::Now => account.secret(id).await,
        Freshness::Watched => account.watched_secret(id).await,
    };
    fact(answer, |SecretFact { stages, changed_at, is_being_deleted }| {
        let changed_at = changed_at.and_then(time);
        Stored::Secret(Secret { stages, changed_at, is_being_deleted })
    })
}

/// Seconds since 1970, as AWS writes times.
fn time(seconds: f64) -> Option<Timestamp> {
    let since = Duration::try_from_secs_f64(seconds).ok()?;
    Timestamp::from_duration(jiff::SignedDuration::try_from(since).ok()?).ok()
}

async fn cluster(account: &Account, name: &str) -> Fact<Cluster> {
    fact(account.describe_cluster(name).await, |found| {
        let status = found.get("status").and_then(Value::as_str).unwrap_or("ACTIVE").to_owned();
        let providers = found.get("capacityProviders").and_then(Value::as_array);
        let providers = providers.into_iter().flatten().filter_map(Value::as_str);
        let capacity_providers = providers.map(str::to_owned).collect();
        Cluster { status, capacity_providers }
    })
}

async fn target_group(account: &Account, arn: String) -> Fact<TargetGroup> {
    match region_of(&arn) {
        Some(region) if region == account.region() => {
            fact(account.target_group(&arn).await, |found| TargetGroup {
                target_type: found.target_type,
                is_reachable: !found.load_balancers.is_empty(),
            })
        }
        Some(region) => elsewhere(region),
        None => Fact::NotChecked("not an ARN".to_owned()),
    }
}

fn region_of(arn: &str) -> Option<&str> {
    arn.strip_prefix("arn:")?.split(':').nth(2).filter(|region| !region.is_empty())
}

async fn log_group(account: &Account, group: LogGroup) -> Fact<()> {
    match &group.region {
        Some(region) if region != account.region() => elsewhere(region),
        Some(_) | None => {
            let found = account.has_log_group(&group.name).await;
            fact(found.map(|is_there| is_there.then_some(())), |()| ())
        }
    }
}

async fn role(account: &Account, own: Option<&str>, name: String) -> Fact<Role> {
    if name.starts_with("arn:") && name.split(':').nth(4) != own {
        return Fact::NotChecked("in another account".to_owned());
    }
    let name = name.rsplit('/').next().unwrap_or(&name);
    fact(account.role(name).await, |found| Role { trust: found.trust })
}

async fn alarm(account: &Account, name: String) -> Fact<Alarm> {
    // An alarm may be named by its ARN too.
    let name = name.split_once(":alarm:").map_or(name.as_str(), |(_, name)| name);
    fact(account.alarm(name).await, |found| Alarm { rings: found.rings })
}
