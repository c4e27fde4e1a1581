//! Takes AWS's events out of their queue and lets what they name be looked at.
//!
//! Messages come at least once and in any order, and mean nothing but "look". So one is deleted after what it names was put
//! into our own queue: if the process dies in between, it comes again. A message that is no event is counted and deleted;
//! it would come back for ever. While the queue cannot be read the regular looks go on, and nothing is missed but time.

use std::collections::BTreeSet;
use std::time::Duration;

use crds::{ObjectKey, TargetName};
use tokio::time::Instant;

use super::event::{self, Wake};
use super::rouse::{Pace, rouse};
use crate::aws::{Account, Error, MESSAGES_MAX, Message};
use crate::http::metrics::{HeardResult, Metrics};
use crate::queue::Queue;
use crate::reconcile::Context;
use crate::status_store::{Event, EventLevel};

/// How long events are collected while more are waiting, so that many about one thing are one.
const COLLECT: Duration = Duration::from_secs(2);
/// How many messages are collected at most: one receive more than this can hold is in hand, never more.
const COLLECTED_MAX: usize = 2_000;
/// How far apart answers without a message are at least.
const EMPTY_APART: Duration = Duration::from_secs(1);
/// The first pause after the queue could not be read; it doubles.
const PAUSE_FIRST: Duration = Duration::from_secs(2);
/// The longest one.
const PAUSE_MAX: Duration = Duration::from_mins(1);

/// The queue that AWS's events come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventQueue {
    /// Its URL.
    pub url: String,
    /// The target whose credentials read it; `None` for the default one.
    pub target: Option<TargetName>,
}

impl EventQueue {
    /// The account that reads it: the one that is named, or `default`, or the first.
    fn account<'a>(&self, context: &'a Context) -> Option<&'a Account> {
        match &self.target {
            Some(target) => context.aws.account(target),
            None => context
                .aws
                .account(&TargetName::default())
                .or_else(|| context.aws.accounts().next()),
        }
    }
}

/// Listens for ever; without a queue it only waits.
pub async fn listen(
    context: &Context,
    queue: &Queue<ObjectKey>,
    events: Option<&EventQueue>,
    metrics: &Metrics,
) {
    let Some((events, account)) =
        events.and_then(|events| Some((events, events.account(context)?)))
    else {
        return std::future::pending().await;
    };
    let (mut pace, mut failures) = (Pace::default(), 0_u32);
    loop {
        let began = Instant::now();
        match collect(account, &events.url, metrics).await {
            Ok(Collected { receipts, .. }) if receipts.is_empty() && failures == 0 => {
                // SQS waits by itself; another that does not is not asked without a pause.
                tokio::time::sleep_until(began + EMPTY_APART).await;
            }
            Ok(collected) => {
                if std::mem::take(&mut failures) > 0 {
                    let told =
                        ("EventQueueReadable", "the event queue can be read again".to_owned());
                    tell(context, EventLevel::Info, told);
                }
                let Collected { receipts, wakes } = collected;
                if !wakes.is_empty() {
                    rouse(context, queue, &mut pace, wakes).await;
                }
                if let Err(error) = account.delete_messages(&events.url, receipts).await {
                    tracing::warn!(error = %error, "cannot delete events; they will be heard again");
                }
            }
            Err(error) => {
                metrics.event_heard(HeardResult::Unreadable);
                context.triggers.followers.deafen();
                tracing::warn!(error = %error, "cannot read the event queue; services are looked at regularly all the same");
                if failures == 0 {
                    let told = format!("{error}; services are looked at regularly all the same");
                    tell(context, EventLevel::Warning, ("EventQueueUnreadable", told));
                }
                let doubled = PAUSE_FIRST.saturating_mul(2_u32.saturating_pow(failures.min(10)));
                failures = failures.saturating_add(1);
                tokio::time::sleep(doubled.min(PAUSE_MAX)).await;
            }
        }
    }
}

/// Messages in hand.
#[derive(Debug, Default)]
struct Collected {
    receipts: Vec<String>,
    wakes: BTreeSet<Wake>,
}

/// Waits for messages, and takes those that are waiting behind them. What was taken before a receive failed is kept: the
/// next one fails again if it has to.
async fn collect(account: &Account, url: &str, metrics: &Metrics) -> Result<Collected, Error> {
    let mut collected = Collected::default();
    let mut messages = account.receive_messages(url).await?;
    let until = Instant::now() + COLLECT;
    loop {
        let more = messages.len() >= MESSAGES_MAX;
        for message in messages {
            collected.take(message, metrics);
        }
        if !more || Instant::now() >= until || collected.receipts.len() >= COLLECTED_MAX {
            return Ok(collected);
        }
        messages = match account.receive_messages_at_once(url).await {
            Ok(messages) => messages,
            Err(_) => return Ok(collected),
        };
    }
}

impl Collected {
    fn take(&mut self, message: Message, metrics: &Metrics) {
        self.receipts.push(message.receipt);
        let result = match event::parse(&message.body) {
            Ok(wakes) if wakes.is_empty() => HeardResult::Ignored,
            Ok(wakes) => {
                self.wakes.extend(wakes);
                HeardResult::Heard
            }
            Err(error) => {
                tracing::debug!(error = %error, "a message of the event queue is no event");
                HeardResult::Malformed
            }
        };
        metrics.event_heard(result);
    }
}

fn tell(context: &Context, level: EventLevel, told: (&str, String)) {
    context.statuses.record(Event::of_operator(context.clock.now(), level, told));
}
