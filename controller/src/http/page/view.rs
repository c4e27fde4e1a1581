//! What several pages show, in words that need no more deciding.

use crds::{
    Attempt, CheckState, CheckStatus, Condition, ConditionStatus, ConditionType, Health, HookState,
    HookStatus, ImageStatus, InvalidObject, ObjectKey, RolloutStatus, SyncStatus, TargetName,
    TrafficWeights, WaitingStatus,
};
use jiff::Timestamp;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use super::moment::{Moment, Until};
use crate::http::App;
use crate::http::assets::Urls;
use crate::http::auth::Access;
use crate::http::words;
use crate::status_store::Event;

/// What surrounds every page.
pub(super) struct Chrome {
    pub(super) title: String,
    pub(super) owner: String,
    pub(super) version: &'static str,
    pub(super) urls: Urls,
    /// The board's version, from which the script watches on; empty where nothing is to be watched.
    pub(super) board: String,
    pub(super) can_sign_out: bool,
}

impl Chrome {
    /// The surroundings of a page that does not change.
    pub(super) fn new(app: &App, title: impl Into<String>) -> Self {
        let state = &app.0.state;
        Self {
            title: title.into(),
            owner: state.owner.clone(),
            version: state.version,
            urls: Urls::new(),
            board: String::new(),
            can_sign_out: false,
        }
    }

    /// The surroundings of a page that follows the board.
    pub(super) fn live(app: &App, title: impl Into<String>, board: String) -> Self {
        let can_sign_out = matches!(app.0.state.access, Access::Token(_));
        Self { board, can_sign_out, ..Self::new(app, title) }
    }
}

/// How alarming something is; the style sheet knows the words.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Tone {
    Good,
    Busy,
    Bad,
    Warn,
    Held,
    Dim,
}

impl Tone {
    pub(super) const fn of_health(health: Health) -> Self {
        match health {
            Health::Healthy => Self::Good,
            Health::Progressing => Self::Busy,
            Health::Degraded => Self::Bad,
            Health::Suspended => Self::Held,
            Health::Missing => Self::Warn,
            Health::Unknown => Self::Dim,
        }
    }

    pub(super) const fn of_sync(sync: SyncStatus) -> Self {
        match sync {
            SyncStatus::Synced => Self::Good,
            SyncStatus::OutOfSync => Self::Warn,
            SyncStatus::Unknown => Self::Dim,
        }
    }

    /// `Ready` is good when it holds, `Stalled` is bad when it does.
    const fn of_condition(kind: ConditionType, status: ConditionStatus) -> Self {
        match (kind, status) {
            (
                ConditionType::Ready | ConditionType::WrittenBack | ConditionType::SourceReady,
                ConditionStatus::True,
            ) => Self::Good,
            (
                ConditionType::Ready | ConditionType::WrittenBack | ConditionType::SourceReady,
                ConditionStatus::False,
            ) => Self::Warn,
            (ConditionType::Reconciling, ConditionStatus::True) => Self::Busy,
            (ConditionType::Stalled, ConditionStatus::True) => Self::Bad,
            (ConditionType::Reconciling | ConditionType::Stalled, ConditionStatus::False)
            | (_, ConditionStatus::Unknown) => Self::Dim,
        }
    }

    pub(super) const fn class(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Busy => "busy",
            Self::Bad => "bad",
            Self::Warn => "warn",
            Self::Held => "held",
            Self::Dim => "dim",
        }
    }
}

/// A word with its tone.
pub(super) struct Badge {
    pub(super) word: &'static str,
    pub(super) tone: &'static str,
}

impl Badge {
    pub(super) fn health(health: Health) -> Self {
        Self { word: words::health(health), tone: Tone::of_health(health).class() }
    }

    pub(super) fn sync(sync: SyncStatus) -> Self {
        Self { word: words::sync(sync), tone: Tone::of_sync(sync).class() }
    }
}

/// The URL of a service's page.
pub(super) fn service_href(key: &ObjectKey) -> String {
    if key.target == TargetName::default() {
        format!("/services/{}/{}", key.cluster, key.name)
    } else {
        format!("/services/{}/{}?target={}", key.cluster, key.name, key.target)
    }
}

/// Text for a query of a URL.
pub(super) fn encoded(text: &str) -> String {
    utf8_percent_encode(text, NON_ALPHANUMERIC).to_string()
}

/// One image.
pub(super) struct ImageView {
    pub(super) container: String,
    /// The repository without its registry.
    pub(super) short: String,
    pub(super) repository: String,
    pub(super) tag: Option<String>,
    pub(super) digest: Option<String>,
    /// The first 12 digits.
    pub(super) digest_short: Option<String>,
}

impl ImageView {
    pub(super) fn new(image: &ImageStatus) -> Self {
        let short = match image.repository.split_once('/') {
            Some((registry, path)) if registry.contains(['.', ':']) => path,
            Some(_) | None => &image.repository,
        };
        let digest_short = image.digest.as_deref().map(|digest| {
            let digits = digest.strip_prefix("sha256:").unwrap_or(digest);
            digits.chars().take(12).collect()
        });
        Self {
            container: image.container.clone(),
            short: short.to_owned(),
            repository: image.repository.clone(),
            tag: image.tag.clone(),
            digest: image.digest.clone(),
            digest_short,
        }
    }
}

/// A rollout.
pub(super) struct RolloutView {
    pub(super) id: String,
    pub(super) strategy: String,
    pub(super) stage: String,
    pub(super) tone: &'static str,
    /// The progress bar's: once a rollout has ended, what matters is whether all run.
    pub(super) bar: &'static str,
    pub(super) running: i64,
    pub(super) desired: i64,
    /// What a progress bar can take: never zero.
    pub(super) bar_max: i64,
    pub(super) pending: i64,
    pub(super) failed: i64,
    pub(super) started: Option<Moment>,
    pub(super) reason: Option<String>,
    pub(super) is_under_way: bool,
    /// The traffic of the new tasks.
    pub(super) traffic: Option<String>,
    pub(super) bake_until: Option<Until>,
    pub(super) waiting: Vec<PauseView>,
    pub(super) checks: Vec<CheckView>,
}

/// A check of a rollout.
pub(super) struct CheckView {
    pub(super) name: String,
    pub(super) state: &'static str,
    pub(super) tone: &'static str,
    pub(super) message: String,
}

impl CheckView {
    fn new(check: &CheckStatus) -> Self {
        let (state, tone) = match check.state {
            CheckState::Waiting => ("waiting", Tone::Busy),
            CheckState::Running => ("running", Tone::Busy),
            CheckState::Passed => ("passed", Tone::Good),
            CheckState::Failed => ("failed", Tone::Bad),
            CheckState::Inconclusive => ("inconclusive", Tone::Bad),
        };
        let (name, message) = (check.name.clone(), check.message.clone());
        Self { name, state, tone: tone.class(), message }
    }
}

/// A pause at which a rollout waits.
pub(super) struct PauseView {
    pub(super) hook_id: String,
    pub(super) stage: Option<String>,
    pub(super) is_gate: bool,
    pub(super) since: Option<Moment>,
    pub(super) until: Option<Until>,
}

impl PauseView {
    fn new(hook: &WaitingStatus, now: Timestamp) -> Self {
        Self {
            hook_id: hook.hook_id.clone(),
            stage: hook.stage.as_deref().map(spoken),
            is_gate: hook.is_gate,
            since: hook.since.map(|at| Moment::new(at, now)),
            until: hook.expires_at.map(Until::new),
        }
    }
}

/// `10 % of production, 100 % of test traffic`.
fn told_traffic(weights: &TrafficWeights) -> String {
    let shares = [(weights.production, "production"), (weights.test, "test")];
    let told = shares.iter().filter_map(|(share, of)| Some(format!("{} % of {of}", (*share)?)));
    format!("{} traffic", told.collect::<Vec<_>>().join(", "))
}

impl RolloutView {
    pub(super) fn new(rollout: &RolloutStatus, now: Timestamp) -> Self {
        let stage = rollout.stage.as_str();
        let has_ended_well = matches!(stage, "COMPLETED" | "SUCCESSFUL");
        // Stages of progressive rollouts are many, ends are few.
        let has_ended = has_ended_well
            || matches!(stage, "FAILED" | "STOPPED" | "ROLLBACK_SUCCESSFUL" | "ROLLBACK_FAILED");
        let is_under_way = !has_ended;
        let tone = match (has_ended_well, is_under_way && !stage.contains("ROLLBACK")) {
            (true, _) => Tone::Good,
            (false, true) if rollout.failed == 0 => Tone::Busy,
            (false, _) => Tone::Bad,
        };
        let bar = match (is_under_way, rollout.running >= rollout.desired) {
            (true, _) => tone,
            (false, true) => Tone::Good,
            (false, false) => Tone::Bad,
        };
        Self {
            id: rollout.id.clone(),
            strategy: spoken(&rollout.strategy),
            stage: spoken(stage),
            tone: tone.class(),
            bar: bar.class(),
            running: rollout.running,
            desired: rollout.desired,
            bar_max: rollout.desired.max(1),
            pending: rollout.pending,
            failed: rollout.failed,
            started: rollout.started_at.map(|at| Moment::new(at, now)),
            reason: rollout.reason.clone(),
            is_under_way,
            traffic: rollout.traffic_weights.as_ref().map(told_traffic),
            bake_until: rollout.bake_until.map(Until::new),
            waiting: rollout.waiting.iter().map(|hook| PauseView::new(hook, now)).collect(),
            checks: rollout.checks.iter().map(CheckView::new).collect(),
        }
    }
}

/// A one-off task before or after the rollout.
pub(super) struct HookView {
    pub(super) name: String,
    pub(super) phase: &'static str,
    pub(super) state: &'static str,
    pub(super) tone: &'static str,
    pub(super) attempt: u32,
    pub(super) started: Moment,
    pub(super) message: Option<String>,
    pub(super) log: Option<String>,
}

impl HookView {
    pub(super) fn new(hook: &HookStatus, now: Timestamp) -> Self {
        let tone = match hook.state {
            HookState::Waiting | HookState::Running => Tone::Busy,
            HookState::Succeeded => Tone::Good,
            HookState::Failed | HookState::Unknown => Tone::Bad,
        };
        Self {
            name: hook.name.to_string(),
            phase: hook.phase.as_str(),
            state: hook.state.as_str(),
            tone: tone.class(),
            attempt: hook.attempt,
            started: Moment::new(hook.started_at, now),
            message: hook.message.clone(),
            log: hook.log.clone(),
        }
    }
}

/// `BLUE_GREEN` as a person says it.
fn spoken(word: &str) -> String {
    word.to_lowercase().replace('_', " ")
}

/// A condition.
pub(super) struct ConditionView {
    pub(super) kind: &'static str,
    pub(super) status: &'static str,
    pub(super) tone: &'static str,
    pub(super) reason: &'static str,
    pub(super) message: String,
    pub(super) generation: u64,
    pub(super) since: Moment,
}

impl ConditionView {
    pub(super) fn new(condition: &Condition, now: Timestamp) -> Self {
        Self {
            kind: words::condition(condition.kind),
            status: words::condition_status(condition.status),
            tone: Tone::of_condition(condition.kind, condition.status).class(),
            reason: condition.reason.as_str(),
            message: condition.message.clone(),
            generation: condition.observed_generation.0,
            since: Moment::new(condition.last_transition_time, now),
        }
    }
}

/// An attempt to bring a spec into force.
pub(super) struct AttemptView {
    pub(super) source: String,
    pub(super) commit: String,
    pub(super) commit_short: String,
    pub(super) spec_hash: String,
    pub(super) spec_hash_short: String,
    pub(super) time: Moment,
}

impl AttemptView {
    pub(super) fn new(attempt: &Attempt, now: Timestamp) -> Self {
        let spec_hash = attempt.spec_hash.as_str();
        Self {
            source: attempt.source.to_string(),
            commit: attempt.commit.to_string(),
            commit_short: attempt.commit.short().to_owned(),
            spec_hash: spec_hash.to_owned(),
            spec_hash_short: spec_hash.chars().take(12).collect(),
            time: Moment::new(attempt.time, now),
        }
    }
}

/// An error in a spec.
pub(super) struct InvalidView {
    /// `file:line:column`.
    pub(super) place: String,
    pub(super) source: String,
    pub(super) path: String,
    pub(super) message: String,
    pub(super) hint: Option<String>,
    /// The service it holds, with the URL of its page.
    pub(super) service: Option<(String, String)>,
}

impl InvalidView {
    pub(super) fn new(invalid: &InvalidObject) -> Self {
        let place = match invalid.position {
            Some(position) => format!("{}:{}:{}", invalid.file, position.line, position.column),
            None => invalid.file.clone(),
        };
        Self {
            place,
            source: invalid.source.clone(),
            path: invalid.path.clone(),
            message: invalid.message.clone(),
            hint: invalid.hint.clone(),
            service: invalid.key.as_ref().map(|key| (key.to_string(), service_href(key))),
        }
    }
}

/// A transition.
pub(super) struct EventView {
    pub(super) time: Moment,
    pub(super) kind: &'static str,
    pub(super) tone: &'static str,
    pub(super) reason: String,
    pub(super) message: String,
}

impl EventView {
    pub(super) fn new(event: &Event, now: Timestamp) -> Self {
        use crate::status_store::EventLevel;
        let tone = match event.level {
            EventLevel::Info => Tone::Dim,
            EventLevel::Warning => Tone::Bad,
        };
        Self {
            time: Moment::new(event.time, now),
            kind: event.kind.as_str(),
            tone: tone.class(),
            reason: event.reason.clone(),
            message: event.message.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rollout(stage: &str, running: i64, failed: i64) -> RolloutView {
        let status = RolloutStatus {
            id: "ecs-svc/1".into(),
            strategy: "BLUE_GREEN".into(),
            stage: stage.into(),
            running,
            desired: 4,
            pending: 0,
            failed,
            started_at: None,
            reason: None,
            traffic_weights: None,
            stage_since: None,
            bake_until: None,
            waiting: Vec::new(),
            checks: Vec::new(),
        };
        RolloutView::new(&status, Timestamp::UNIX_EPOCH)
    }

    #[test]
    fn the_tone_of_a_rollout_is_that_of_its_end_and_the_bar_that_of_its_tasks() {
        for (stage, running, failed, under_way, tone, bar) in [
            ("IN_PROGRESS", 2, 0, true, "busy", "busy"),
            ("IN_PROGRESS", 2, 1, true, "bad", "bad"),
            ("PENDING", 0, 0, true, "busy", "busy"),
            ("ROLLBACK_IN_PROGRESS", 2, 0, true, "bad", "bad"),
            ("COMPLETED", 4, 0, false, "good", "good"),
            ("SUCCESSFUL", 3, 0, false, "good", "bad"),
            ("ROLLBACK_SUCCESSFUL", 4, 3, false, "bad", "good"),
            ("FAILED", 0, 3, false, "bad", "bad"),
            ("POST_TEST_TRAFFIC_SHIFT", 4, 0, true, "busy", "busy"),
            ("BAKE_TIME", 4, 0, true, "busy", "busy"),
        ] {
            let view = rollout(stage, running, failed);
            assert_eq!((view.is_under_way, view.tone, view.bar), (under_way, tone, bar), "{stage}");
        }
        assert_eq!(rollout("IN_PROGRESS", 0, 0).strategy, "blue green");
    }

    #[test]
    fn an_image_is_told_without_its_registry() {
        let short = |repository: &str| {
            let image = ImageStatus {
                container: "app".into(),
                repository: repository.into(),
                tag: None,
                digest: Some("sha256:0123456789abcdef".into()),
            };
            let view = ImageView::new(&image);
            assert_eq!(view.digest_short.as_deref(), Some("0123456789ab"));
            view.short
        };
        assert_eq!(short("111122223333.dkr.ecr.eu-west-1.amazonaws.com/shop/api"), "shop/api");
        assert_eq!(short("localhost:5000/api"), "api");
        assert_eq!(short("library/nginx"), "library/nginx");
        assert_eq!(short("nginx"), "nginx");
    }
}
