//! The page of one service: everything that is known of it.

use askama::Template;

use super::outline::outline;
use super::scaling::ScalingView;
use super::view::{
    AttemptView, Badge, Chrome, ConditionView, EventView, HookView, ImageView, InvalidView,
    RolloutView,
};
use crate::http::App;
use crate::status_store::ServiceObject;

/// How many events the page shows.
const EVENTS_SHOWN: usize = 20;

#[derive(Template)]
#[template(path = "service.html")]
pub(super) struct ServicePage {
    chrome: Chrome,
    cluster: String,
    cluster_href: String,
    name: String,
    target: Option<String>,
    labels: Vec<(String, String)>,
    sync: Badge,
    health: Badge,
    headline: Option<ConditionView>,
    generation: u64,
    file: Option<String>,
    source: Option<String>,
    task_definition: Option<String>,
    images: Vec<ImageView>,
    rollout: Option<RolloutView>,
    hooks: Vec<HookView>,
    scaling: Option<ScalingView>,
    holds: Vec<(&'static str, String)>,
    conditions: Vec<ConditionView>,
    attempted: Option<AttemptView>,
    applied: Option<AttemptView>,
    history: Vec<AttemptView>,
    events: Vec<EventView>,
    invalid: Vec<InvalidView>,
    spec: Option<String>,
    json_href: String,
    diff_href: String,
}

/// Draws the page of a service.
pub(super) fn draw(app: &App, object: &ServiceObject) -> ServicePage {
    let store = app.store();
    // Taken first: what changes while the page is drawn is then told by the watch.
    let board = store.version().to_string();
    let now = store.now();
    let ServiceObject { key, metadata, provenance, spec, status, invalid } = object;
    let spec = spec.value();
    let attempt = |attempt| AttemptView::new(attempt, now);
    let is_elsewhere = key.target != crds::TargetName::default();
    let target = is_elsewhere.then(|| key.target.to_string());
    let query = target.as_ref().map(|target| format!("?target={target}")).unwrap_or_default();
    ServicePage {
        chrome: Chrome::live(app, format!("{} · {}", key.name, key.cluster), board),
        cluster: key.cluster.to_string(),
        cluster_href: format!("/?cluster={}", key.cluster),
        name: key.name.to_string(),
        labels: metadata.labels.iter().map(|(name, value)| (name.clone(), value.clone())).collect(),
        sync: Badge::sync(status.sync),
        health: Badge::health(status.health),
        headline: object.headline().map(|condition| ConditionView::new(condition, now)),
        generation: status.observed_generation.0,
        file: provenance.as_ref().map(|from| format!("{}:{}", from.file, from.line)),
        source: provenance.as_ref().map(|from| from.source.to_string()),
        task_definition: status.task_definition.clone(),
        images: status.images.iter().map(ImageView::new).collect(),
        rollout: status.rollout.as_ref().map(|rollout| RolloutView::new(rollout, now)),
        hooks: status.hooks.iter().map(|hook| HookView::new(hook, now)).collect(),
        scaling: status.scaling.as_ref().map(|scaling| ScalingView::new(scaling, now)),
        holds: status
            .holds
            .iter()
            .map(|hold| (hold.reason.as_str(), hold.message.clone()))
            .collect(),
        conditions: status.conditions.iter().map(|it| ConditionView::new(it, now)).collect(),
        attempted: status.last_attempted.as_ref().map(attempt),
        applied: status.last_applied.as_ref().map(attempt),
        history: status.history.iter().map(attempt).collect(),
        events: store
            .events_of(key, EVENTS_SHOWN)
            .iter()
            .map(|it| EventView::new(it, now))
            .collect(),
        invalid: invalid.iter().map(InvalidView::new).collect(),
        spec: (!spec.is_null()).then(|| outline(&spec)),
        json_href: format!("/api/v1/services/{}/{}{query}", key.cluster, key.name),
        diff_href: format!("/api/v1/services/{}/{}/diff{query}", key.cluster, key.name),
        target,
    }
}
