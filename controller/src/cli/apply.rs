//! `longshore apply`: one pass, then wait until every rollout has ended.

use std::collections::{BTreeMap, BTreeSet};
use std::process::ExitCode;
use std::time::Duration;

use clap::Args;
use crds::{ConditionStatus, ConditionType, ObjectKey, Reason, ServiceStatus};
use serde_json::json;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::output::say;
use super::{AwsArguments, Output, SourceArguments, connect, validate};
use crate::operator::Operator;
use crate::reconcile::Context;
use crate::status_store::StatusStore;

/// How often progress is looked at.
const POLL: Duration = Duration::from_millis(250);

/// Arguments of `apply`.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    source: SourceArguments,
    #[command(flatten)]
    aws: AwsArguments,
    /// How to print the outcome.
    #[arg(long, value_enum, default_value_t = Output::Text)]
    output: Output,
    /// Give up waiting after this long; the rollouts go on.
    #[arg(long, default_value = "1h", value_name = "DURATION")]
    timeout: crds::HumanDuration,
}

pub(super) async fn run(arguments: Arguments) -> anyhow::Result<ExitCode> {
    let config = arguments.source.config()?;
    let connection = connect::aws(&config, &arguments.aws).await?;
    let sources = connect::sources(&config, &connection.aws)?;
    let context = connect::context(&config, &connection)?;
    let operator = Operator::new(context.clone(), config.interval, fastrand::u64(..));
    let shutdown = CancellationToken::new();
    let settled = {
        let waiting = async {
            let settled = wait(&context.statuses, arguments.output, arguments.timeout.get()).await;
            shutdown.cancel();
            settled
        };
        let (settled, ()) = tokio::join!(waiting, operator.run(sources, shutdown.clone()));
        settled
    };
    let invalid = validate::problems(&config, &context.inventory());
    let outcomes = outcomes(&context);
    let failed = !settled
        || !invalid.is_empty()
        || context.statuses.sources().iter().any(|source| source.error.is_some())
        || outcomes.values().any(|status| !is_as_asked(status));
    match arguments.output {
        Output::Json => {
            let services: Vec<_> = outcomes
                .iter()
                .map(|(key, status)| json!({ "cluster": key.cluster, "name": key.name, "status": status }))
                .collect();
            say!(
                "{}",
                serde_json::to_string_pretty(&json!({ "services": services, "invalid": invalid }))?
            );
        }
        Output::Text => {
            for source in context.statuses.sources() {
                if let Some(error) = &source.error {
                    say!("error    source {}: {error}", source.name);
                }
            }
            for error in &invalid {
                say!("invalid  {error}");
            }
            let ready = outcomes.values().filter(|status| status.is_ready()).count();
            say!("{ready} of {} services ready", outcomes.len());
        }
    }
    Ok(if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// How every service that a spec names has ended. One whose spec has left its source and that is kept is no failure.
fn outcomes(context: &Context) -> BTreeMap<ObjectKey, ServiceStatus> {
    let inventory = context.inventory();
    let services = context.statuses.services();
    let named = services.iter().filter(|object| inventory.is_named(&object.key));
    named.map(|object| (object.key.clone(), object.status.clone())).collect()
}

/// Ready, or held because the spec asks for it.
fn is_as_asked(status: &ServiceStatus) -> bool {
    let asked_for = [
        Reason::Suspended,
        Reason::ManualSync,
        Reason::ManualHold,
        Reason::AwaitingApproval,
        Reason::OutsideWindow,
        Reason::SelfHealOff,
    ];
    status.is_ready()
        || !status.holds.is_empty()
            && status.holds.iter().all(|hold| asked_for.contains(&hold.reason))
}

/// Prints what changes until every service is ready or stalled; `false` when the time is up first.
async fn wait(statuses: &StatusStore, output: Output, timeout: Duration) -> bool {
    let deadline = Instant::now() + timeout;
    let mut told: BTreeMap<ObjectKey, String> = BTreeMap::new();
    loop {
        for object in statuses.services() {
            let line = line(&object.status);
            if output == Output::Text && told.get(&object.key) != Some(&line) {
                say!("{:<40} {line}", object.key.to_string());
                told.insert(object.key.clone(), line);
            }
        }
        let sources = statuses.sources();
        let sources_failed =
            sources.iter().any(|source| source.error.is_some() && source.revision.is_none());
        if sources_failed || statuses.readiness().ready && pending(statuses).is_empty() {
            return true;
        }
        if Instant::now() >= deadline {
            return false;
        }
        tokio::time::sleep(POLL).await;
    }
}

/// Services about which there is still something to wait for.
fn pending(statuses: &StatusStore) -> BTreeSet<ObjectKey> {
    statuses
        .services()
        .iter()
        .filter(|object| {
            // A window may open in days: nobody waits for that here.
            let is_closed =
                object.status.holds.iter().any(|hold| hold.reason == Reason::OutsideWindow);
            !object.status.is_ready()
                && !is_closed
                && object
                    .status
                    .condition(ConditionType::Stalled)
                    .is_none_or(|condition| condition.status != ConditionStatus::True)
        })
        .map(|object| object.key.clone())
        .collect()
}

fn line(status: &ServiceStatus) -> String {
    let condition = [ConditionType::Stalled, ConditionType::Reconciling, ConditionType::Ready]
        .into_iter()
        .filter_map(|kind| status.condition(kind))
        .find(|condition| condition.status == ConditionStatus::True);
    match condition {
        Some(condition) => format!("{:?}: {}", condition.reason, condition.message),
        None => format!("{:?}", status.health),
    }
}
