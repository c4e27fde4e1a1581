//! Server-sent events: what there is, then every change, until the client or the server goes.
//!
//! `start` comes first and says whether what follows is everything or only what changed since the id that the client gave.
//! `synced` ends it and carries the id of that moment; each change after it carries its own. A client that was too slow
//! gets `resync` and then everything again. The ids of one server mean nothing to the next, which then sends everything.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use crds::{ObjectKey, SourceName};
use futures_util::stream;
use http::{HeaderMap, HeaderName, StatusCode, Uri, header};
use serde::Serialize;
use serde_json::json;
use tokio::sync::OwnedSemaphorePermit;

use super::App;
use super::api::{ServiceJson, SourceJson};
use super::params::Params;
use super::problem::Problem;
use crate::status_store::{
    CatchUp, Change, Changed, ServiceObject, SourceObject, Subscription, Update, Version,
};

/// How often something is sent when nothing happens, so that neither side nor a proxy takes the stream for dead.
const HEARTBEAT: Duration = Duration::from_secs(15);
/// After how long a client should come back.
const RETRY: Duration = Duration::from_secs(2);
const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");

pub(super) async fn watch(
    State(app): State<App>,
    headers: HeaderMap,
    uri: Uri,
) -> Result<Response, Problem> {
    let since = since(&headers, &uri)?;
    let Ok(permit) = Arc::clone(&app.0.watchers).try_acquire_owned() else {
        let detail = "too many clients watch already";
        let problem = Problem::new(StatusCode::SERVICE_UNAVAILABLE, detail);
        return Ok(([(header::RETRY_AFTER, "5")], problem).into_response());
    };
    let subscription = app.store().subscribe(since);
    let mut pending = VecDeque::new();
    enqueue(&mut pending, &subscription.start, Message::Start);
    let watcher = Watcher { app, subscription, pending, _permit: permit };
    let events = stream::unfold(watcher, |mut watcher| async move {
        let message = watcher.next().await?;
        let event = watcher.event(&message);
        Some((Ok::<_, Infallible>(event), watcher))
    });
    let heartbeat = KeepAlive::new().interval(HEARTBEAT).text("heartbeat");
    let mut response = Sse::new(events).keep_alive(heartbeat).into_response();
    // Asks nginx not to hold events back.
    let unbuffered = (HeaderName::from_static("x-accel-buffering"), "no");
    response.headers_mut().insert(unbuffered.0, http::HeaderValue::from_static(unbuffered.1));
    Ok(response)
}

/// Where the client left off: what its browser says when it comes back wins over the URL it first came with.
fn since(headers: &HeaderMap, uri: &Uri) -> Result<Option<Version>, Problem> {
    let params = Params::of(uri, &["since"])?;
    let asked = params.one("since")?.map(str::parse).transpose().map_err(|error: String| {
        Problem::bad_parameter("since", error, ["metadata.version of a list, or an event's id"])
    })?;
    let resumed =
        headers.get(LAST_EVENT_ID).and_then(|id| id.to_str().ok()).and_then(|id| id.parse().ok());
    Ok(resumed.or(asked))
}

struct Watcher {
    app: App,
    subscription: Subscription,
    pending: VecDeque<Message>,
    _permit: OwnedSemaphorePermit,
}

/// What is to be sent; written out only when the client is ready to take it.
enum Message {
    Start(Begin),
    Resync(Begin),
    Service(Arc<ServiceObject>, Option<Version>),
    ServiceRemoved(ObjectKey, Option<Version>),
    Source(Arc<SourceObject>, Option<Version>),
    SourceRemoved(SourceName, Version),
    Synced(Version),
}

#[derive(Clone, Copy, Serialize)]
struct Begin {
    /// Whether everything follows, so that the client should forget what it knew.
    complete: bool,
    services: usize,
    sources: usize,
}

/// The ids come last: a client that loses the stream half-way gets the same again.
fn enqueue(pending: &mut VecDeque<Message>, start: &CatchUp, begin: fn(Begin) -> Message) {
    pending.push_back(begin(Begin {
        complete: start.complete,
        services: start.services.len(),
        sources: start.sources.len(),
    }));
    pending.extend(start.sources.iter().map(|source| Message::Source(Arc::clone(source), None)));
    pending.extend(start.removed.iter().map(|key| Message::ServiceRemoved(key.clone(), None)));
    pending.extend(start.services.iter().map(|object| Message::Service(Arc::clone(object), None)));
    pending.push_back(Message::Synced(start.version));
}

impl Watcher {
    /// What to send next; `None` when the server shuts down.
    async fn next(&mut self) -> Option<Message> {
        if self.app.0.shutdown.is_cancelled() {
            return None;
        }
        if let Some(message) = self.pending.pop_front() {
            return Some(message);
        }
        let update = tokio::select! {
            biased;
            () = self.app.0.shutdown.cancelled() => return None,
            update = self.subscription.next() => update?,
        };
        match update {
            Update::Change(change) => Some(Message::from(change)),
            Update::Resync(start) => {
                enqueue(&mut self.pending, &start, Message::Resync);
                self.pending.pop_front()
            }
        }
    }

    fn event(&self, message: &Message) -> Event {
        match message {
            Message::Start(begin) => event("start", None, begin).retry(RETRY),
            Message::Resync(begin) => event("resync", None, begin),
            Message::Service(object, id) => event("service", *id, &ServiceJson::brief(object)),
            Message::ServiceRemoved(key, id) => {
                event("serviceRemoved", *id, &json!({ "key": key }))
            }
            Message::Source(source, id) => {
                event("source", *id, &SourceJson::new(source, self.app.store().now()))
            }
            Message::SourceRemoved(name, id) => {
                event("sourceRemoved", Some(*id), &json!({ "name": name }))
            }
            Message::Synced(id) => event("synced", Some(*id), &json!({})),
        }
    }
}

impl From<Change> for Message {
    fn from(Change { version, what }: Change) -> Self {
        match what {
            Changed::Service(object) => Self::Service(object, Some(version)),
            Changed::ServiceRemoved(key) => Self::ServiceRemoved(key, Some(version)),
            Changed::Source(source) => Self::Source(source, Some(version)),
            Changed::SourceRemoved(name) => Self::SourceRemoved(name, version),
        }
    }
}

fn event(name: &'static str, id: Option<Version>, body: &impl Serialize) -> Event {
    // Our types write themselves without fail; an empty body would still be a true event.
    let body = serde_json::to_string(body).unwrap_or_else(|_| "{}".to_owned());
    let event = Event::default().event(name).data(body);
    match id {
        Some(id) => event.id(id.to_string()),
        None => event,
    }
}
