//! Why tasks of a rollout do not run: one sentence with what happened, what to do about it, and AWS's own words.
//!
//! What comes in: stopped tasks, events, targets, alarms and records as AWS wrote them. What leaves: at most one
//! [`Explanation`]. What ECS itself names as its reason comes first, then the commonest cause of the stopped tasks, one that no
//! waiting can mend before all others, then targets and events. The causes stand in tables, a row each: those of tasks and
//! events in `causes.rs`, of exit codes in `exits.rs`, of targets in `targets.rs`, of records in `endings.rs`. `trouble.rs` says
//! when it is worth asking, `kept.rs` what stays when AWS has forgotten.

mod causes;
mod endings;
mod exits;
mod kept;
mod row;
mod targets;
#[cfg(test)]
mod tests;
mod trouble;

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use serde_json::Value;

pub use self::kept::{Kept, keep};
use self::row::Cause;
pub use self::trouble::{Asks, asks, is_in_trouble};
use crate::desired::Desired;
use crate::observed::{Observed, ServiceDeployment, ServiceEvent, StoppedTask};

/// How much of AWS's own words is told.
const WORDS_MAX: usize = 300;

/// Events by which a rollout comes on.
const MOVES: [&str; 2] = ["has started ", "has stopped "];

/// Whether waiting can help; the gravest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Outlook {
    /// It cannot: every further task will fail in the same way.
    Hopeless,
    /// The program in the container decides, or nobody can say.
    Unclear,
    /// There is no room now; it comes when others leave or capacity is added.
    Capacity,
    /// It passes by itself.
    Passing,
}

/// Whose words are told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Speaker {
    /// ECS.
    Ecs,
    /// Elastic Load Balancing.
    LoadBalancer,
    /// CloudWatch.
    Alarm,
}

/// Why tasks do not run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Explanation {
    /// Whether waiting can help.
    pub outlook: Outlook,
    /// What happened to how many tasks, as a sentence.
    pub what: String,
    /// What a person can do about it; empty when nobody can say.
    pub remedy: Cow<'static, str>,
    /// AWS's own words; empty where they are told already.
    pub words: String,
    /// Who says them.
    pub speaker: Speaker,
    /// How many tasks stopped for this cause.
    pub count: usize,
}

impl std::fmt::Display for Speaker {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Ecs => "ECS",
            Self::LoadBalancer => "Elastic Load Balancing",
            Self::Alarm => "CloudWatch",
        })
    }
}

impl std::fmt::Display for Explanation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.what)?;
        if !self.remedy.is_empty() {
            write!(f, ": {}", self.remedy)?;
        }
        if self.words.is_empty() {
            Ok(())
        } else {
            write!(f, " [{}: {}]", self.speaker, self.words)
        }
    }
}

impl Explanation {
    /// A message with this explanation behind it, unless it says so already.
    pub fn added_to(&self, message: &str) -> String {
        let has_remedy = !self.remedy.is_empty() && message.contains(&*self.remedy);
        if has_remedy || message.contains(&self.what) {
            message.to_owned()
        } else {
            format!("{message} ({self})")
        }
    }

    /// A cause as AWS's words tell it, without a count of tasks.
    fn of(cause: Cause, words: &str, speaker: Speaker) -> Self {
        let Cause { outlook, says, remedy } = cause;
        let words = if words == says { String::new() } else { shortened(words) };
        Self { outlook, what: says, remedy: Cow::Borrowed(remedy), words, speaker, count: 0 }
    }

    /// The less, the more it explains: the gravest first, and what a load balancer measured before what ECS made of it.
    fn weight(&self) -> (Outlook, bool) {
        (self.outlook, self.speaker != Speaker::LoadBalancer)
    }
}

/// Why the newest rollout of a spec does not come on, or why it failed: what was kept of one that is over, so that it stays the
/// same when AWS forgets, and else what AWS shows now.
pub fn of_attempt(desired: &Desired, observed: &Observed) -> Option<Explanation> {
    let attempt = attempt(desired, observed)?;
    let kept = observed.explained.as_ref().filter(|kept| kept.deployment == attempt);
    if let Some(kept) = kept.filter(|kept| kept.is_final) {
        return Some(kept.explanation.clone());
    }
    let now = deployment(observed, &attempt)?;
    match kept {
        // Targets come and go between two looks.
        Some(kept) if kept.explanation.weight() < now.weight() => Some(kept.explanation.clone()),
        Some(_) | None => Some(now),
    }
}

/// The deployment (`ecs-svc/…`) by which a spec was tried last, if it was.
fn attempt(desired: &Desired, observed: &Observed) -> Option<String> {
    let recorded = crate::rollout::newest_attempt(desired, observed);
    recorded.map(|record| format!("ecs-svc/{}", record.target_revision)).or_else(|| {
        let primary = observed.service.as_ref()?.primary()?;
        let revision = observed.task_definition.as_ref()?;
        desired.is_content_of(revision).then(|| primary.id.clone())
    })
}

/// Why the tasks of one deployment (`ecs-svc/…`) do not run; `None` when nothing speaks against them.
pub fn deployment(observed: &Observed, deployment: &str) -> Option<Explanation> {
    let last_resort = || endings::last_resort(record_of(observed, deployment)?);
    cause(observed, deployment).or_else(last_resort)
}

/// The same without what only says that something must be wrong.
fn cause(observed: &Observed, deployment: &str) -> Option<Explanation> {
    let record = record_of(observed, deployment);
    record
        .and_then(|record| endings::decisive(record, &observed.alarms))
        .or_else(|| Some(targets::closer(of_tasks(observed, deployment)?, &observed.targets)))
        .or_else(|| targets::failing(&observed.targets))
        .or_else(|| newest_event(observed, deployment))
        .or_else(|| targets::waiting(&observed.targets))
}

fn record_of<'a>(observed: &'a Observed, deployment: &str) -> Option<&'a ServiceDeployment> {
    let number = deployment.rsplit('/').next().unwrap_or(deployment);
    observed.deployments.iter().flatten().find(|record| record.target_revision == number)
}

/// Why one task ended, or could not be started.
pub fn task(task: &StoppedTask) -> Explanation {
    let container = exits::blamed(task, None);
    let (cause, words) = (causes::of_task(task, container), own_words(task, None));
    Explanation { count: 1, ..Explanation::of(cause, words, Speaker::Ecs) }
}

/// Why no further task of this deployment can run, by its own stopped tasks alone; `None` while waiting may help.
pub fn hopeless(observed: &Observed, of: &str) -> Option<Explanation> {
    of_tasks(observed, of).filter(|cause| cause.outlook == Outlook::Hopeless)
}

/// What the stopped tasks of a deployment say.
fn of_tasks(observed: &Observed, deployment: &str) -> Option<Explanation> {
    let stopped = observed.stopped.iter().flatten();
    let stopped = stopped.filter(|task| task.started_by == deployment && !is_ordinary(task));
    let causes = stopped.map(|task| {
        let essential = essential_containers(observed, &task.task_definition);
        let container = exits::blamed(task, essential.as_deref());
        (causes::of_task(task, container), own_words(task, essential.as_deref()).to_owned())
    });
    commonest(causes.collect())
}

/// The names of the containers whose end ends the task, where the revision was read.
fn essential_containers<'a>(observed: &'a Observed, revision: &str) -> Option<Vec<&'a str>> {
    let records = observed.deployments.iter().flatten();
    let known = records.filter_map(|record| record.task_definition.as_ref());
    let mut known = observed.task_definition.iter().chain(known);
    let revision = known.find(|one| one.arn == revision)?;
    let containers = revision.raw.get("containerDefinitions")?.as_array()?;
    let is_essential = |one: &&Value| one.get("essential").and_then(Value::as_bool).unwrap_or(true);
    let name = |one: &'a Value| one.get("name")?.as_str();
    Some(containers.iter().filter(is_essential).filter_map(name).collect())
}

/// Stops that belong to every rollout and explain nothing.
fn is_ordinary(task: &StoppedTask) -> bool {
    task.stop_code == "ServiceSchedulerInitiated"
        && task.reason.starts_with("Scaling activity initiated by")
        || task.stop_code == "UserInitiated"
}

/// Hopeless causes first, then the one of most tasks, then the first in the alphabet: the same facts give the same sentence.
fn commonest(causes: Vec<(Cause, String)>) -> Option<Explanation> {
    let total = causes.len();
    let mut groups: Vec<(Cause, String, usize)> = Vec::new();
    for (cause, words) in causes {
        match groups.iter_mut().find(|(known, ..)| *known == cause) {
            Some((_, known, count)) => {
                *count += 1;
                // Which task is asked first must not change the sentence.
                if words < *known {
                    *known = words;
                }
            }
            None => groups.push((cause, words, 1)),
        }
    }
    let (cause, words, count) = groups.into_iter().min_by(|(a, _, many), (b, _, more)| {
        let hopeful = |cause: &Cause| cause.outlook != Outlook::Hopeless;
        hopeful(a).cmp(&hopeful(b)).then(more.cmp(many)).then_with(|| a.says.cmp(&b.says))
    })?;
    let tasks = if total == 1 { "task" } else { "tasks" };
    let what = if total == count {
        format!("{count} {tasks} stopped: {}", cause.says)
    } else {
        format!("{count} of {total} tasks stopped: {}", cause.says)
    };
    Some(Explanation { what, count, ..Explanation::of(cause, &words, Speaker::Ecs) })
}

/// The newest event since the deployment began that says why tasks cannot be placed or kept.
fn newest_event(observed: &Observed, deployment: &str) -> Option<Explanation> {
    let service = observed.service.as_ref()?;
    let of_deployment = service.deployments.iter().find(|one| one.id == deployment);
    let began = of_deployment.and_then(|one| one.created_at)?;
    let is_recent = |event: &&ServiceEvent| event.time.is_some_and(|time| time >= began);
    let recent = service.events.iter().filter(is_recent);
    // A steady state makes everything before it history, and tasks that came or went any word of percentages.
    let mut have_moved = false;
    let mut still_holds = |event: &&ServiceEvent| {
        have_moved |= MOVES.iter().any(|words| event.message.contains(words));
        !(have_moved && event.message.contains("was unable to stop or start tasks"))
    };
    let (cause, event) = recent
        .take_while(|event| !event.message.contains("has reached a steady state"))
        .filter(|event| still_holds(event))
        .find_map(|event| Some((causes::of_event(&event.message)?, event)))?;
    Some(Explanation::of(cause, &event.message, Speaker::Ecs))
}

/// The words of a stopped task that say most: the container's, or the task's.
fn own_words<'a>(task: &'a StoppedTask, essential: Option<&[&str]>) -> &'a str {
    let container = exits::blamed(task, essential);
    container.and_then(|container| container.reason.as_deref()).unwrap_or(&task.reason)
}

fn shortened(words: &str) -> String {
    match words.char_indices().nth(WORDS_MAX) {
        Some((end, _)) => format!("{}…", words.get(..end).unwrap_or(words)),
        None => words.to_owned(),
    }
}
