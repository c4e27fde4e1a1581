//! Why tasks of a rollout do not run: one sentence with what happened, what to do about it, and ECS's own words.
//!
//! What comes in: stopped tasks and events as AWS wrote them. What leaves: at most one [`Explanation`], that of the commonest
//! cause; a cause that no waiting can mend comes before all others. The causes stand in `causes.rs`, a row each.

mod causes;
#[cfg(test)]
mod tests;

use jiff::Timestamp;

use self::causes::Cause;
use crate::observed::{Observed, ServiceEvent, StoppedTask};

/// How much of ECS's own words is told.
const WORDS_MAX: usize = 300;

/// Whether waiting can help.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
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

/// Why tasks do not run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explanation {
    /// Whether waiting can help.
    pub outlook: Outlook,
    /// What happened to how many tasks, as a sentence.
    pub what: String,
    /// What a person can do about it; empty when nobody can say.
    pub remedy: &'static str,
    /// ECS's own words.
    pub words: String,
    /// How many tasks stopped for this cause.
    pub count: usize,
}

impl std::fmt::Display for Explanation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.what)?;
        if !self.remedy.is_empty() {
            write!(f, ": {}", self.remedy)?;
        }
        if self.words.is_empty() { Ok(()) } else { write!(f, " [ECS: {}]", self.words) }
    }
}

/// Why the tasks of one deployment (`ecs-svc/…`) do not run; `None` when nothing speaks against them.
pub fn deployment(observed: &Observed, deployment: &str) -> Option<Explanation> {
    let stopped = observed.stopped.iter().flatten();
    let stopped = stopped.filter(|task| task.started_by == deployment && !is_ordinary(task));
    let began = observed
        .service
        .iter()
        .flat_map(|service| &service.deployments)
        .find(|one| one.id == deployment)
        .and_then(|one| one.created_at);
    let causes: Vec<(Cause, String)> =
        stopped.map(|task| (causes::of_task(task), own_words(task))).collect();
    commonest(causes).or_else(|| newest_event(observed, began))
}

/// Why one task ended, or could not be started.
pub fn task(task: &StoppedTask) -> Explanation {
    let (Cause { outlook, says, remedy }, words) = (causes::of_task(task), own_words(task));
    let words = if words == says { String::new() } else { shortened(&words) };
    Explanation { outlook, what: says, remedy, words, count: 1 }
}

/// Why no further task of this deployment can run, by its own stopped tasks alone; `None` while waiting may help.
pub fn hopeless(observed: &Observed, of: &str) -> Option<Explanation> {
    let cause = deployment(observed, of)?;
    (cause.outlook == Outlook::Hopeless && cause.count > 0).then_some(cause)
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
    let words = if words == cause.says { String::new() } else { shortened(&words) };
    Some(Explanation { outlook: cause.outlook, what, remedy: cause.remedy, words, count })
}

/// The newest event since the deployment began that says why tasks cannot be placed or kept.
fn newest_event(observed: &Observed, began: Option<Timestamp>) -> Option<Explanation> {
    let events = &observed.service.as_ref()?.events;
    let is_recent = |event: &&ServiceEvent| match (event.time, began) {
        (Some(time), Some(began)) => time >= began,
        (None, _) | (_, None) => false,
    };
    let recent = events.iter().filter(is_recent);
    // A steady state makes everything before it history.
    let (cause, event) = recent
        .take_while(|event| !event.message.contains("has reached a steady state"))
        .find_map(|event| Some((causes::of_event(&event.message)?, event)))?;
    Some(Explanation {
        outlook: cause.outlook,
        what: cause.says,
        remedy: cause.remedy,
        words: shortened(&event.message),
        count: 0,
    })
}

/// The words of a stopped task that say most: the container's, or the task's.
fn own_words(task: &StoppedTask) -> String {
    let reason = task.container.as_ref().and_then(|container| container.reason.as_ref());
    reason.unwrap_or(&task.reason).clone()
}

fn shortened(words: &str) -> String {
    match words.char_indices().nth(WORDS_MAX) {
        Some((end, _)) => format!("{}…", words.get(..end).unwrap_or(words)),
        None => words.to_owned(),
    }
}
