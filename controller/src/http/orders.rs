//! Orders: who may give them, what may stand in them, and the answer. What they mean is decided in [`crate::orders`].

use axum::body::Bytes;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::{Json, Router};
use crds::{HumanDuration, ObjectKey, Order, SpecHash, Verb};
use http::{HeaderMap, StatusCode, Uri, header};
use serde::{Deserialize, Serialize};

use super::App;
use super::api::{List, find};
use super::auth::Access;
use super::params::Params;
use super::problem::Problem;
use crate::orders::{Ask, Refusal};

/// The longest text that may stand in an order.
const TEXT_MAX: usize = 500;

/// A path for each verb.
pub(super) fn routes() -> Router<App> {
    Verb::ALL.into_iter().fold(Router::new(), |router, verb| {
        let path = format!("/api/v1/services/{{cluster}}/{{name}}/{verb}");
        router.route(
            &path,
            post(move |app, path, uri, headers, body| take(verb, app, path, uri, headers, body)),
        )
    })
}

/// What may stand in the body of an order; each verb takes some of it.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
struct Body {
    reason: Option<String>,
    spec_hash: Option<SpecHash>,
    to: Option<String>,
    hook_id: Option<String>,
    replace: Option<bool>,
    prune: Option<bool>,
    now: Option<bool>,
    expires_in: Option<HumanDuration>,
}

/// An order as the answer has it.
#[derive(Serialize)]
struct OrderJson<'a> {
    key: &'a ObjectKey,
    #[serde(flatten)]
    order: &'a Order,
}

async fn take(
    verb: Verb,
    State(app): State<App>,
    path: Result<Path<(String, String)>, PathRejection>,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Response> {
    let actor = actor(&app, &headers).map_err(|refusal| *refusal)?;
    let take = async {
        let intake = app.0.state.orders.as_ref().ok_or_else(no_orders)?;
        let ask = ask(verb, &headers, &body)?;
        let key = key(&app, path, &uri)?;
        match intake.take(&key, verb, &ask, &actor).await {
            Ok(order) => {
                let answer = Json(OrderJson { key: &key, order: &order });
                Ok((StatusCode::ACCEPTED, answer).into_response())
            }
            Err(refusal) => Err(refused(&key, refusal)),
        }
    };
    take.await.map_err(Problem::into_response)
}

/// Who gives the order: the holder of the token in the header. Neither loopback nor a session is enough, because a page of
/// another site could use both.
fn actor(app: &App, headers: &HeaderMap) -> Result<String, Box<Response>> {
    let Access::Token(access) = &app.0.state.access else {
        return Err(Box::new(no_orders().into_response()));
    };
    let Some(holder) = access.holder(headers) else {
        let problem = Problem::new(StatusCode::UNAUTHORIZED, "the request carries no valid token")
            .hint("send `Authorization: Bearer <token>`");
        let challenge = [(header::WWW_AUTHENTICATE, "Bearer realm=\"longshore\"")];
        return Err(Box::new((challenge, problem).into_response()));
    };
    if !holder.may_order {
        let detail = format!("the token `{}` may only read", holder.name);
        return Err(Box::new(Problem::new(StatusCode::FORBIDDEN, detail).into_response()));
    }
    Ok(holder.name.clone())
}

fn no_orders() -> Problem {
    Problem::new(StatusCode::FORBIDDEN, "this operator takes no orders: it has no tokens")
        .hint("set `http.auth` in its configuration")
}

fn ask(verb: Verb, headers: &HeaderMap, body: &Bytes) -> Result<Ask, Problem> {
    let unprocessable = |detail: String| Problem::new(StatusCode::UNPROCESSABLE_ENTITY, detail);
    let body: Body = if body.is_empty() {
        Body::default()
    } else {
        if !is_json(headers) {
            let detail = "the body is not declared as JSON";
            return Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, detail)
                .hint("send `Content-Type: application/json`"));
        }
        serde_json::from_slice(body)
            .map_err(|error| unprocessable(format!("the body cannot be read: {error}")))?
    };
    let text = |name: &str, value: &Option<String>| match value.as_deref().map(str::trim) {
        Some("") => Err(unprocessable(format!("`{name}` is empty"))),
        Some(long) if long.len() > TEXT_MAX => {
            Err(unprocessable(format!("`{name}` is longer than {TEXT_MAX} bytes")))
        }
        Some(value) => Ok(Some(value.to_owned())),
        None => Ok(None),
    };
    let ask = Ask {
        reason: text("reason", &body.reason)?,
        spec_hash: body.spec_hash,
        to: text("to", &body.to)?,
        hook_id: text("hookId", &body.hook_id)?,
        replace: body.replace.unwrap_or(false),
        prune: body.prune.unwrap_or(false),
        now: body.now.unwrap_or(false),
        expires_in: body.expires_in,
    };
    if let Some(name) = foreign(verb, &ask) {
        return Err(unprocessable(format!("`{verb}` takes no `{name}`")));
    }
    if ask.spec_hash.as_ref().is_some_and(|hash| !is_hash(hash.as_str())) {
        return Err(unprocessable("`specHash` is not 64 hexadecimal digits".to_owned()));
    }
    if verb == Verb::Suspend && ask.reason.is_none() {
        return Err(unprocessable("`suspend` needs a `reason`".to_owned()));
    }
    Ok(ask)
}

/// The first member that a verb does not take.
fn foreign(verb: Verb, ask: &Ask) -> Option<&'static str> {
    let taken: &[&str] = match verb {
        Verb::Sync => &["specHash", "replace", "prune", "now"],
        Verb::Suspend => &["expiresIn"],
        Verb::Rollback => &["to"],
        Verb::Release => &["specHash"],
        Verb::Approve => &["specHash", "expiresIn"],
        Verb::Promote => &["hookId"],
        Verb::Resume | Verb::Hold | Verb::Restart | Verb::Abort => &[],
    };
    [
        ("specHash", ask.spec_hash.is_some()),
        ("to", ask.to.is_some()),
        ("hookId", ask.hook_id.is_some()),
        ("replace", ask.replace),
        ("prune", ask.prune),
        ("now", ask.now),
        ("expiresIn", ask.expires_in.is_some()),
    ]
    .into_iter()
    .find(|(name, is_given)| *is_given && !taken.contains(name))
    .map(|(name, _)| name)
}

fn is_hash(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

fn is_json(headers: &HeaderMap) -> bool {
    headers
        .get(header::CONTENT_TYPE)
        .and_then(|given| given.to_str().ok())
        .and_then(|given| given.split(';').next())
        .is_some_and(|given| given.trim().eq_ignore_ascii_case("application/json"))
}

/// The service that an order is for: one on the board, or one that only AWS can know of as yet.
fn key(
    app: &App,
    path: Result<Path<(String, String)>, PathRejection>,
    uri: &Uri,
) -> Result<ObjectKey, Problem> {
    let names = path.as_ref().ok().map(|Path(names)| names.clone());
    match find(app, path, uri, &["target"]) {
        Ok((object, _)) => Ok(object.key.clone()),
        Err(problem) if problem.status == StatusCode::NOT_FOUND => {
            let target = Params::of(uri, &["target"])?.target()?.unwrap_or_default();
            let unseen = names.and_then(|(cluster, name)| {
                Some(ObjectKey { target, cluster: cluster.parse().ok()?, name: name.parse().ok()? })
            });
            unseen.ok_or(problem)
        }
        Err(problem) => Err(problem),
    }
}

fn refused(key: &ObjectKey, refusal: Refusal) -> Problem {
    match refusal {
        Refusal::Unknown => Problem::not_found(format!("there is no service `{key}`")),
        Refusal::Unread => {
            Problem::new(StatusCode::SERVICE_UNAVAILABLE, format!("`{key}`: {refusal}"))
        }
        Refusal::Conflict(why) => Problem::new(StatusCode::CONFLICT, why),
        Refusal::Store(error) => {
            tracing::error!(service = %key, error = %error, "an order could not be written down");
            Problem::new(StatusCode::SERVICE_UNAVAILABLE, error.to_string())
        }
    }
}

/// The releases of a service.
pub(super) async fn history(
    State(app): State<App>,
    path: Result<Path<(String, String)>, PathRejection>,
    uri: Uri,
) -> Result<Response, Problem> {
    let object = find(&app, path, &uri, &["target"])?.0;
    let Some(intake) = &app.0.state.orders else {
        return Ok(Json(List::<()>::whole(Vec::new())).into_response());
    };
    let record = intake
        .record(&object.key)
        .await
        .map_err(|error| Problem::new(StatusCode::SERVICE_UNAVAILABLE, error.to_string()))?;
    Ok(Json(List::whole(record.past.iter().collect())).into_response())
}
