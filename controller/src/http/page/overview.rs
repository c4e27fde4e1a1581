//! The overview: sources, what is wrong with specs, and a page of services.

use askama::Template;
use crds::{ConditionStatus, ConditionType};
use jiff::Timestamp;

use super::moment::Moment;
use super::releases::ReleaseView;
use super::view::{
    Badge, Chrome, ConditionView, ImageView, InvalidView, RolloutView, Tone, encoded, service_href,
};
use crate::http::App;
use crate::http::params::continue_after;
use crate::http::words::{self, HEALTHS, SYNCS};
use crate::status_store::{Page, Query, ServiceObject, SourceObject};

/// How many spec errors are shown before the rest is only counted.
const INVALID_SHOWN: usize = 20;

#[derive(Template)]
#[template(path = "overview.html")]
pub(super) struct Overview {
    chrome: Chrome,
    sources: Vec<SourceView>,
    releases: Vec<ReleaseView>,
    invalid: Vec<InvalidView>,
    invalid_total: usize,
    counters: Vec<Counter>,
    filter: Filter,
    rows: Vec<Row>,
    total: usize,
    unfiltered: usize,
    next: Option<String>,
    first: Option<String>,
    is_ready: bool,
    missing: Vec<String>,
}

struct SourceView {
    name: String,
    kind: &'static str,
    location: String,
    revision: Option<(String, String)>,
    description: Option<String>,
    fetched: Option<Moment>,
    error: Option<String>,
    /// Why it goes on no further by itself.
    stalled: Option<&'static str>,
    services: usize,
    invalid: usize,
    tone: &'static str,
}

/// A count that is also a filter.
struct Counter {
    word: &'static str,
    tone: &'static str,
    count: usize,
    href: String,
    is_selected: bool,
}

/// What the search form holds.
struct Filter {
    text: String,
    health: String,
    clusters: Vec<Choice>,
    syncs: Vec<Choice>,
}

struct Choice {
    word: String,
    is_selected: bool,
}

struct Row {
    id: String,
    /// The row's: an error in the spec is bad news even while the service is well.
    tone: &'static str,
    href: String,
    cluster: String,
    name: String,
    target: Option<String>,
    sync: Badge,
    health: Badge,
    image: Option<ImageView>,
    more_images: usize,
    task_definition: Option<String>,
    commit: Option<(String, String)>,
    rollout: Option<RolloutView>,
    headline: Option<ConditionView>,
    holds: usize,
    errors: usize,
}

/// Draws the overview for a query.
pub(super) fn draw(app: &App, query: &Query) -> Overview {
    let store = app.store();
    let now = store.now();
    let page = store.list(query);
    let (invalid, invalid_total) = store.invalid(INVALID_SHOWN);
    let readiness = store.readiness();
    Overview {
        chrome: Chrome::live(app, "Services", page.version.to_string()),
        sources: store.sources().iter().map(|source| SourceView::new(source, now)).collect(),
        releases: store.releases().iter().map(|it| ReleaseView::new(it, now)).collect(),
        invalid: invalid.iter().map(InvalidView::new).collect(),
        invalid_total,
        counters: counters(query, &page),
        filter: Filter::new(app, query),
        rows: page.items.iter().map(|object| Row::new(object, now)).collect(),
        total: page.total,
        unfiltered: page.unfiltered,
        next: page.after.as_ref().map(|key| href(query, Some(&continue_after(key)), None)),
        first: query.after.is_some().then(|| href(query, None, None)),
        is_ready: readiness.ready,
        missing: readiness.missing,
    }
}

impl SourceView {
    fn new(source: &SourceObject, now: Timestamp) -> Self {
        let tone = match (&source.error, source.invalid.is_empty(), &source.revision) {
            (Some(_), _, _) => Tone::Bad,
            (None, false, _) => Tone::Warn,
            (None, true, Some(_)) => Tone::Good,
            (None, true, None) => Tone::Dim,
        };
        Self {
            name: source.name.to_string(),
            kind: source.kind.as_str(),
            location: source.location.clone(),
            revision: source
                .revision
                .as_ref()
                .map(|revision| (revision.short().to_owned(), revision.to_string())),
            description: source.description.clone(),
            fetched: source.fetched_at.map(|at| Moment::new(at, now)),
            error: source.error.clone(),
            stalled: source
                .condition(ConditionType::Stalled)
                .filter(|said| said.status == ConditionStatus::True)
                .map(|said| said.reason.as_str()),
            services: source.services,
            invalid: source.invalid.len(),
            tone: tone.class(),
        }
    }
}

/// One counter for all and one for each health; those that nothing has are left out unless they are selected.
fn counters(query: &Query, page: &Page) -> Vec<Counter> {
    let all = Counter {
        word: "All",
        tone: "all",
        count: page.counts.all,
        href: href(query, None, Some("")),
        is_selected: query.health.is_empty(),
    };
    let each = HEALTHS.into_iter().filter_map(|health| {
        let count = page.counts.health.get(&health).copied().unwrap_or(0);
        let is_selected = query.health.contains(&health);
        let word = words::health(health);
        (count > 0 || is_selected).then(|| Counter {
            word,
            tone: Tone::of_health(health).class(),
            count,
            href: href(query, None, Some(word)),
            is_selected,
        })
    });
    std::iter::once(all).chain(each).collect()
}

impl Filter {
    fn new(app: &App, query: &Query) -> Self {
        let clusters = app.store().clusters();
        let syncs = SYNCS.into_iter();
        Self {
            text: query.text.clone(),
            health: healths(query),
            clusters: clusters
                .iter()
                .map(|cluster| Choice {
                    word: cluster.to_string(),
                    is_selected: query.cluster.as_ref() == Some(cluster),
                })
                .collect(),
            syncs: syncs
                .map(|sync| Choice {
                    word: words::sync(sync).to_owned(),
                    is_selected: query.sync.contains(&sync),
                })
                .collect(),
        }
    }
}

fn healths(query: &Query) -> String {
    query.health.iter().map(|health| words::health(*health)).collect::<Vec<_>>().join(",")
}

/// The URL of this list: from its start or another place, with its health filter or another.
fn href(query: &Query, next: Option<&str>, health: Option<&str>) -> String {
    let healths = health.map_or_else(|| healths(query), str::to_owned);
    let syncs = query.sync.iter().map(|sync| words::sync(*sync)).collect::<Vec<_>>().join(",");
    let limit = (query.limit != Query::LIMIT_DEFAULT).then(|| query.limit.to_string());
    let pairs = [
        ("cluster", query.cluster.as_ref().map(ToString::to_string).unwrap_or_default()),
        ("sync", syncs),
        ("health", healths),
        ("q", query.text.clone()),
        ("limit", limit.unwrap_or_default()),
        ("continue", next.unwrap_or_default().to_owned()),
    ];
    let given: Vec<String> = pairs
        .iter()
        .filter(|(_, value)| !value.is_empty())
        .map(|(name, value)| format!("{name}={}", encoded(value)))
        .collect();
    if given.is_empty() { "/".to_owned() } else { format!("/?{}", given.join("&")) }
}

impl Row {
    fn new(object: &ServiceObject, now: Timestamp) -> Self {
        let ServiceObject { key, status, .. } = object;
        let is_elsewhere = key.target != crds::TargetName::default();
        Self {
            id: format!("service-{}-{}-{}", key.target, key.cluster, key.name),
            tone: if object.invalid.is_empty() {
                Tone::of_health(status.health).class()
            } else {
                Tone::Bad.class()
            },
            href: service_href(key),
            cluster: key.cluster.to_string(),
            name: key.name.to_string(),
            target: is_elsewhere.then(|| key.target.to_string()),
            sync: Badge::sync(status.sync),
            health: Badge::health(status.health),
            image: status.images.first().map(ImageView::new),
            more_images: status.images.len().saturating_sub(1),
            task_definition: status.task_definition.clone(),
            commit: status.last_applied.as_ref().map(|applied| {
                (applied.commit.as_str().chars().take(7).collect(), applied.commit.to_string())
            }),
            rollout: status.rollout.as_ref().map(|rollout| RolloutView::new(rollout, now)),
            headline: object.headline().map(|condition| ConditionView::new(condition, now)),
            holds: status.holds.len(),
            errors: object.invalid.len(),
        }
    }
}
