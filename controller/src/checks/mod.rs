//! Checks of rollouts: they are measured here, in the turn of their service, and judged by [`planner::checks`].
//!
//! Flow: which rollout is judged -> what is due -> measure, all at once -> write down -> the plan with what the verdict asks
//! for. Guarantees: a measurement that could not be made says nothing; a failure is written down before it is acted on;
//! there are never more measurements at once than the services that have a turn, and never more a second than `PER_SECOND`.

mod metrics;
mod reach;
mod request;
#[cfg(test)]
mod tests;

use std::convert::Infallible;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::future::{BoxFuture, join_all};
use planner::checks::{self, Analysis, DesiredCheck, Part, Provider, Reading};
use planner::deed::{self, Scene};
use planner::{Desired, Observed, Plan, Requeue, past};
use tokio::time::Instant;

pub use request::{Answer, Request};

use crate::aws::Account;
use crate::observe;
use crate::orders::Said;
use crate::reconcile::Context;

/// How many measurements are made a second at most; those that find no place are made a second later.
const PER_SECOND: f64 = 10.0;
/// How many are made at once after a while without any.
const AT_ONCE: f64 = 20.0;
/// How soon it is asked again how a failed rollout can be left, when that could not be read.
const ASK_AGAIN: Duration = Duration::from_secs(15);

/// Sends a request of a check, or says why there is no answer.
type Send =
    dyn Fn(Request) -> BoxFuture<'static, Result<Answer, String>> + std::marker::Send + Sync;

/// What measurements are made with. Clones share everything.
#[derive(Clone)]
pub struct Checks {
    inner: Arc<Inner>,
}

struct Inner {
    send: Box<Send>,
    configured: crds::Checks,
    places: Mutex<Places>,
}

/// A token bucket of measurements.
struct Places {
    free: f64,
    counted: Option<Instant>,
}

impl Checks {
    /// Requests go over the network.
    pub fn new(configured: crds::Checks) -> Self {
        Self::answered_by(configured, reach::send)
    }

    /// Requests go to a function, which answers in the place of the network.
    pub fn answered_by(
        configured: crds::Checks,
        send: impl Fn(Request) -> BoxFuture<'static, Result<Answer, String>>
        + std::marker::Send
        + Sync
        + 'static,
    ) -> Self {
        let places = Mutex::new(Places { free: AT_ONCE, counted: None });
        Self { inner: Arc::new(Inner { send: Box::new(send), configured, places }) }
    }

    /// Takes the place of one measurement, if there is one.
    fn takes_place(&self) -> bool {
        let mut places = self.inner.places.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        if let Some(counted) = places.counted {
            let grown = now.duration_since(counted).as_secs_f64() * PER_SECOND;
            places.free = (places.free + grown).min(AT_ONCE);
        }
        places.counted = Some(now);
        if places.free < 1.0 {
            return false;
        }
        places.free -= 1.0;
        true
    }
}

impl Default for Checks {
    fn default() -> Self {
        Self::new(crds::Checks::default())
    }
}

impl fmt::Debug for Checks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Checks").finish_non_exhaustive()
    }
}

/// Measures what is due of the rollout that is judged now, and adds to the plan what follows from it.
pub async fn judge(
    context: &Context,
    account: &Account,
    desired: &Desired,
    (observed, said): (&Observed, &Said),
    mut plan: Plan,
) -> Plan {
    if desired.checks.is_empty() {
        return plan;
    }
    // What the gate's checks measured in this very turn is newer than what was read at its beginning.
    let known = observed.analysis.as_ref().or(said.record().analysis.as_ref());
    let now = context.clock.now();
    let subject = checks::subject(desired, observed, &plan, (known, &said.orders), now);
    let Some(mut analysis) = subject else {
        return checks::remembered(plan, desired, known, now);
    };
    if said.orders.unknown.is_none() {
        let scene = Measured { context, account, desired, observed };
        Box::pin(scene.measure(&mut analysis, Part::Along)).await;
        analysis.note_failure(&desired.checks, now);
        keep(context, desired, known, &analysis).await;
    }
    let mut leaving = None;
    if analysis.failed.is_some() {
        match ask_how_to_leave(context, account, desired, (said, &analysis.deployment)).await {
            Ok(answer) => leaving = Some(answer),
            Err(error) => {
                tracing::warn!(service = %desired.key, error = %error, "a rollout whose checks have failed cannot be left yet");
                plan.requeue = Requeue::After(ASK_AGAIN);
            }
        }
    }
    checks::conclude(plan, desired, observed, &analysis, (leaving, now))
}

/// Measures what is due at the gate at which the rollout waits: what that says decides there.
pub async fn at_gate(
    context: &Context,
    account: &Account,
    desired: &Desired,
    observed: Observed,
    said: &Said,
) -> Observed {
    if desired.checks.is_empty() || said.orders.unknown.is_some() {
        return observed;
    }
    let (known, now) = (said.record().analysis.as_ref(), context.clock.now());
    let gate = checks::gate_of(desired, &observed);
    let analysis = gate.and_then(|gate| checks::analysis_at(desired, &observed, known, gate, now));
    let Some(mut analysis) = analysis else { return observed };
    let scene = Measured { context, account, desired, observed: &observed };
    Box::pin(scene.measure(&mut analysis, Part::Gate)).await;
    keep(context, desired, known, &analysis).await;
    Observed { analysis: Some(analysis), ..observed }
}

/// Writes down what was measured. When that fails the next turn measures again.
async fn keep(context: &Context, desired: &Desired, known: Option<&Analysis>, analysis: &Analysis) {
    if known == Some(analysis) {
        return;
    }
    let now = context.clock.now();
    let write = context.state.change_in_turn(&desired.key, |record| {
        if let Some(why) = &analysis.failed {
            past::undone(&mut record.past, &analysis.deployment, why, now);
        }
        record.analysis = Some(analysis.clone());
        Ok::<(), Infallible>(())
    });
    if let Err(error) = write.await {
        tracing::error!(service = %desired.key, error = %error, "cannot write down what the checks of a rollout measured");
    }
}

async fn ask_how_to_leave(
    context: &Context,
    account: &Account,
    desired: &Desired,
    (said, judged): (&Said, &str),
) -> Result<checks::Leaving, crate::aws::Error> {
    let read_at = context.clock.now();
    let observed = observe::for_deed(account, &desired.key).await?;
    let scene = Scene {
        key: &desired.key,
        owner: &context.owner,
        service: observed.service.as_ref(),
        running: observed.task_definition.as_ref(),
        deployments: observed.deployments.as_deref().unwrap_or_default(),
        past: &said.record().past,
        desired: Some(desired),
        is_suspended: false,
        read_at,
        now: context.clock.now(),
    };
    Ok(deed::leave(&scene, judged))
}

/// What measurements of one service are made from.
struct Measured<'a> {
    context: &'a Context,
    account: &'a Account,
    desired: &'a Desired,
    observed: &'a Observed,
}

impl Measured<'_> {
    /// Measures what is due, all at once, and counts it.
    async fn measure(&self, analysis: &mut Analysis, part: Part) {
        let now = self.context.clock.now();
        let mut due = analysis.due(&self.desired.checks, part, now);
        due.retain(|_| self.context.checks.takes_place());
        let times = (analysis.since(part), analysis.shifted(part));
        let readings = join_all(due.iter().map(|check| Box::pin(self.reading(check, times)))).await;
        for (check, reading) in due.into_iter().zip(readings) {
            let measurement = checks::judge(check, &reading, self.context.clock.now());
            tracing::info!(service = %self.desired.key, check = %check.name, outcome = ?measurement.outcome, message = %measurement.message, "measured");
            analysis.count(part, &check.name, measurement);
        }
    }

    /// Measures a check of what began, and got all requests, at these times.
    async fn reading(
        &self,
        check: &DesiredCheck,
        (since, shifted): (jiff::Timestamp, jiff::Timestamp),
    ) -> Reading {
        let now = self.context.clock.now();
        match &check.provider {
            Provider::Http(http) => request::http(&self.context.checks, http).await,
            Provider::Prometheus(prometheus) => {
                request::prometheus(&self.context.checks, prometheus).await
            }
            Provider::Cloudwatch(cloudwatch) => {
                metrics::cloudwatch(self.account, cloudwatch, (since, now)).await
            }
            Provider::Alb(rule) => {
                metrics::alb(self.account, self.observed, rule, (shifted, now)).await
            }
        }
    }
}
