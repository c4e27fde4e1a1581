//! One account and region: what can be asked of it and changed in it.

use std::sync::Arc;

use crds::TargetName;
use serde_json::Value;

use super::batch::Batcher;
use super::cache::Cache;
use super::connection::{Connection, Identity, SharedConnection};
use super::error::Error;
use super::readings::Readings;
use super::surroundings::Surroundings;
use super::task_definitions::Registered;
use super::{alarms, autoscaling, deployments, services, tasks};

/// Bytes of task definitions that are kept: with about 3 kB each, those of ten thousand services.
const TASK_DEFINITION_BYTES_MAX: usize = 48 << 20;

/// Bytes of service revisions that are kept: they are looked at while a service rolls.
const SERVICE_REVISION_BYTES_MAX: usize = 8 << 20;

/// One target: an account and a region. Clones share connections, batches and caches.
///
/// Reads answer with JSON as AWS wrote it. `None` says that AWS knows nothing of the thing; whatever else keeps a read from
/// succeeding is an error, so that "could not read" is never taken for "is not there".
#[derive(Debug, Clone)]
pub struct Account {
    pub(super) inner: Arc<Inner>,
}

#[derive(Debug)]
pub(super) struct Inner {
    pub(super) connection: SharedConnection,
    /// Services by cluster and name.
    pub(super) services: Batcher<String, String, Option<Arc<Value>>>,
    /// Service deployments by ARN.
    pub(super) deployments: Batcher<(), String, Value>,
    /// Service revisions by ARN.
    pub(super) revisions: Batcher<(), String, Value>,
    /// ECS tasks by cluster and ARN.
    pub(super) tasks: Batcher<String, String, Value>,
    pub(super) task_definitions: Cache,
    pub(super) registered: Registered,
    pub(super) service_revisions: Cache,
    /// What lies around ECS.
    pub(super) surroundings: Surroundings,
    /// Application Auto Scaling by resource.
    pub(super) scaling: Readings,
    /// Alarms of ours by what their names begin with.
    pub(super) alarms: Readings,
    pub(super) activities: autoscaling::Activities,
}

impl Account {
    pub(super) fn new(connection: Connection) -> Self {
        let connection = Arc::new(connection);
        let inner = Inner {
            services: services::batcher(&connection),
            deployments: deployments::deployment_batcher(&connection),
            revisions: deployments::revision_batcher(&connection),
            tasks: tasks::batcher(&connection),
            scaling: autoscaling::readings(&connection),
            alarms: alarms::readings(&connection),
            activities: autoscaling::Activities::default(),
            task_definitions: Cache::new(TASK_DEFINITION_BYTES_MAX),
            registered: Registered::default(),
            service_revisions: Cache::new(SERVICE_REVISION_BYTES_MAX),
            surroundings: Surroundings::new(&connection),
            connection,
        };
        Self { inner: Arc::new(inner) }
    }

    /// The target's name in the operator's configuration.
    pub fn target(&self) -> &TargetName {
        &self.inner.connection.target
    }

    /// The region that is called.
    pub fn region(&self) -> &str {
        &self.inner.connection.region
    }

    /// Who calls, `GetCallerIdentity`: needs no permission, so it tells apart whether credentials work at all.
    ///
    /// The answer is kept; every other call needs it first, because rates are counted by account.
    pub async fn caller_identity(&self) -> Result<Identity, Error> {
        self.inner.connection.identity().await
    }
}
