//! What lies around ECS: read before a rollout, and while a secret is watched. Nothing here changes anything, and nothing
//! here can answer with a secret's value. What plain parameters hold is read where a spec refers to it (`values`).
//!
//! Every answer is kept for a moment and shared; questions of many services about one thing are one question.

mod alarms;
mod clusters;
mod forget;
mod images;
mod layer;
mod logs;
mod metrics;
mod repository;
mod roles;
mod secrets;
mod target_groups;
mod target_health;
mod values;

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use aws_config::SdkConfig;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use serde_json::Value;

pub use alarms::AlarmFact;
pub use images::{ImageFact, ImageQuestion};
pub use layer::LayerAddress;
pub use metrics::MetricValues;
pub use repository::{Manifest, Repository, RepositoryImage, ScanFact};
pub use roles::RoleFact;
pub use secrets::{ParameterFact, SecretFact};
pub use target_groups::TargetGroupFact;
pub use target_health::TargetHealthFact;
pub use values::PlainParameter;

use super::batch::Batcher;
use super::connection::{Connection, SharedConnection};
use super::error::Error;
use super::json_call::{Exchange, json_call};
use super::operation::Operation;
use super::recent::Recent;
use super::sdk_error::{Sent, from_sdk};

/// How old an answer may be for a decision whether a rollout can begin.
const FRESH: Duration = Duration::from_secs(20);

/// The clients of the services around ECS.
#[derive(Debug)]
pub(super) struct Clients {
    pub(super) ssm: aws_sdk_ssm::Client,
    pub(super) secrets: aws_sdk_secretsmanager::Client,
    pub(super) ecr: aws_sdk_ecr::Client,
    /// For the layers of images, which lie in S3.
    pub(super) layers: aws_sdk_s3::Client,
    pub(super) cloudwatch: aws_sdk_cloudwatch::Client,
    pub(super) load_balancing: aws_sdk_elasticloadbalancingv2::Client,
    pub(super) logs: aws_sdk_cloudwatchlogs::Client,
    pub(super) iam: aws_sdk_iam::Client,
}

impl Clients {
    pub(super) fn new(settings: &SdkConfig) -> Self {
        Self {
            ssm: aws_sdk_ssm::Client::new(settings),
            secrets: aws_sdk_secretsmanager::Client::new(settings),
            ecr: aws_sdk_ecr::Client::new(settings),
            layers: aws_sdk_s3::Client::new(settings),
            cloudwatch: aws_sdk_cloudwatch::Client::new(settings),
            load_balancing: aws_sdk_elasticloadbalancingv2::Client::new(settings),
            logs: aws_sdk_cloudwatchlogs::Client::new(settings),
            iam: aws_sdk_iam::Client::new(settings),
        }
    }
}

/// Questions under way and answers of late, of one account.
#[derive(Debug)]
pub(super) struct Surroundings {
    parameters: Watched<String, ParameterFact>,
    plain_parameters: Batcher<(), String, Option<PlainParameter>>,
    secrets: Recent<String, Option<SecretFact>>,
    /// The same, for those that are read again and again.
    watched_secrets: Recent<String, Option<SecretFact>>,
    neighbours: Recent<String, Vec<String>>,
    images: Batcher<(String, String), images::Id, Option<images::Row>>,
    image_answers: Recent<ImageQuestion, ImageFact>,
    clusters: Watched<String, Value>,
    target_groups: Watched<String, TargetGroupFact>,
    target_health: Recent<String, Vec<TargetHealthFact>>,
    alarms: Watched<String, AlarmFact>,
    log_groups: Recent<String, bool>,
    roles: Recent<String, Option<RoleFact>>,
}

/// Things by name, asked for together; `None` when AWS says that one is not there.
#[derive(Debug)]
struct Watched<K, V> {
    batcher: Batcher<(), K, Option<V>>,
    answers: Recent<K, Option<V>>,
}

impl<V: Clone + Send + Sync + 'static> Watched<String, V> {
    fn new(batcher: Batcher<(), String, Option<V>>) -> Self {
        Self { batcher, answers: Recent::default() }
    }

    async fn get(&self, name: &str, age_max: Duration) -> Result<Option<V>, Error> {
        let name = name.to_owned();
        let ask = || async { Ok(self.batcher.get((), name.clone()).await?.flatten()) };
        self.answers.get(&name, age_max, ask).await.map_err(|error| error.about(&name))
    }
}

impl Surroundings {
    pub(super) fn new(connection: &SharedConnection) -> Self {
        Self {
            parameters: Watched::new(secrets::parameter_batcher(connection)),
            plain_parameters: values::batcher(connection),
            secrets: Recent::default(),
            watched_secrets: Recent::default(),
            neighbours: Recent::default(),
            images: images::batcher(connection),
            image_answers: Recent::default(),
            clusters: Watched::new(clusters::batcher(connection)),
            target_groups: Watched::new(target_groups::batcher(connection)),
            target_health: Recent::default(),
            alarms: Watched::new(alarms::batcher(connection)),
            log_groups: Recent::default(),
            roles: Recent::default(),
        }
    }
}

impl Connection {
    /// Asks a service that speaks JSON something; tried again while that can help.
    async fn ask_json<T, E, F, Sending>(
        &self,
        operation: Operation,
        subject: &str,
        body: &Value,
        send: F,
    ) -> Result<Value, Error>
    where
        F: Fn(&Clients, Exchange) -> Sending,
        Sending: Future<Output = Result<T, SdkError<E, HttpResponse>>>,
        E: std::error::Error + ProvideErrorMetadata + 'static,
    {
        let attempt =
            || json_call(operation, subject, body, |exchange| send(&self.clients, exchange));
        self.ask(operation, attempt).await
    }

    /// Asks a service that does not speak JSON something; tried again while that can help.
    async fn ask_typed<T, E, F, Sending>(
        &self,
        operation: Operation,
        subject: &str,
        send: F,
    ) -> Result<T, Error>
    where
        F: Fn(&Clients) -> Sending,
        Sending: Future<Output = Result<T, SdkError<E, HttpResponse>>>,
        E: std::error::Error + ProvideErrorMetadata + 'static,
    {
        let attempt = || async {
            let answer = send(&self.clients).await;
            answer.map_err(|error| from_sdk(operation, subject, Sent::Perhaps, &error))
        };
        self.ask(operation, attempt).await
    }
}

/// Starts an SDK call that carries our JSON.
macro_rules! json_send {
    ($client:ident.$operation:ident) => {
        |clients: &super::Clients, exchange| {
            clients.$client.$operation().customize().interceptor(exchange).send()
        }
    };
}
use json_send;

/// Whether AWS refused with this code.
fn has_code(error: &Error, code: &str) -> bool {
    error
        .code
        .as_deref()
        .is_some_and(|found| found.strip_suffix("Exception").unwrap_or(found) == code)
}

/// The connection for a batcher's own use.
fn own(connection: &SharedConnection) -> SharedConnection {
    Arc::clone(connection)
}
