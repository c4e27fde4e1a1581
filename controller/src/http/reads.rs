//! What some answers need beside the board: the inventory, and AWS itself, within bounds.

use std::fmt;
use std::sync::Arc;

use axum::Json;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use crds::{Generation, ObjectKey};
use http::{StatusCode, Uri};
use tokio::sync::Semaphore;

use super::App;
use super::api::find;
use super::discovery::Discovery;
use super::problem::Problem;
use crate::inventory::Wanted;
use crate::planned::PlannedService;
use crate::reconcile::{self, Context};
use crate::references::ToldReference;

/// How many plans are made at once for people who ask: each reads AWS and takes from the rates that turns live on.
const PLANS_AT_ONCE: usize = 8;

/// Reads for those who ask: the inventory and AWS, never more than a few at once.
#[derive(Clone)]
pub struct Reads(Arc<Inner>);

struct Inner {
    context: Context,
    plans: Semaphore,
    discovery: Discovery,
}

impl Reads {
    /// Reads with the handles that turns use, so that caches, batches and rates are shared with them.
    pub fn new(context: Context) -> Self {
        let (plans, discovery) = (Semaphore::new(PLANS_AT_ONCE), Discovery::default());
        Self(Arc::new(Inner { context, plans, discovery }))
    }

    pub(super) fn context(&self) -> &Context {
        &self.0.context
    }

    pub(super) fn discovery(&self) -> &Discovery {
        &self.0.discovery
    }

    /// How often the spec of a key has changed, as its source was last read; `None` where no usable spec names it.
    pub(super) fn generation(&self, key: &ObjectKey) -> Option<Generation> {
        match self.context().inventory().wanted(key) {
            Wanted::Spec { generation, .. } => Some(generation),
            Wanted::Blocked { .. } | Wanted::Gone => None,
        }
    }

    /// What the references of the spec in force were replaced by.
    pub(super) fn references(&self, key: &ObjectKey) -> Vec<ToldReference> {
        self.context().inventory().references_of(key)
    }

    /// What a turn would do for a service now.
    async fn plan(&self, key: &ObjectKey) -> Result<PlannedService, Problem> {
        let Ok(_permit) = self.0.plans.try_acquire() else {
            return Err(Problem::busy("as many plans as may be are being made already"));
        };
        match reconcile::plan_key(self.context(), key).await {
            Ok(plan) => Ok(PlannedService::new(key.clone(), Ok(plan)).citing(self.references(key))),
            Err(message) => Err(Problem::new(StatusCode::BAD_GATEWAY, message)),
        }
    }
}

impl fmt::Debug for Reads {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reads").finish_non_exhaustive()
    }
}

impl App {
    /// What reads AWS, or the refusal of a server that has no operator beside it.
    pub(super) fn reads(&self) -> Result<&Reads, Problem> {
        let reads = self.0.state.reads.as_ref();
        reads.ok_or_else(|| Problem::busy("this server has no operator that could read AWS"))
    }
}

/// What a turn would do for a service now, without doing it.
pub(super) async fn diff(
    State(app): State<App>,
    path: Result<Path<(String, String)>, PathRejection>,
    uri: Uri,
) -> Result<Response, Problem> {
    let (object, _) = find(&app, path, &uri, &["target"])?;
    Ok(Json(Box::pin(app.reads()?.plan(&object.key)).await?).into_response())
}
