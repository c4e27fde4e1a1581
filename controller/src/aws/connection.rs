//! One target's way to AWS: who is calling, where to, and how an attempt is made.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use crds::TargetName;
use serde_json::Value;
use tokio::sync::Mutex;
use tokio::time::Instant;

use super::calls::Calls;
use super::error::Error;
use super::json_call::{Exchange, json_call};
use super::operation::Operation;
use super::pacing::Place;
use super::sdk_error::{Sent, from_sdk};
use super::surroundings::Clients;

/// How long a failure to learn the caller's identity is taken as the answer for everybody who asks.
const IDENTITY_FAILURE_KEPT: Duration = Duration::from_secs(5);

/// Who calls.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// The account's twelve digits.
    pub account: String,
    /// The ARN of the user or role session.
    pub arn: String,
}

/// One target's clients, with what all targets share.
#[derive(Debug)]
pub(super) struct Connection {
    pub(super) target: TargetName,
    pub(super) region: String,
    pub(super) calls: Calls,
    pub(super) ecs: aws_sdk_ecs::Client,
    pub(super) sts: aws_sdk_sts::Client,
    /// The services around ECS.
    pub(super) clients: Clients,
    pub(super) scaling: aws_sdk_applicationautoscaling::Client,
    pub(super) sqs: aws_sdk_sqs::Client,
    pub(super) identity: Mutex<Known>,
}

/// What is known of the caller's identity.
#[derive(Debug, Default)]
pub(super) enum Known {
    #[default]
    Nothing,
    Failure(Error, Instant),
    Identity(Identity),
}

/// Starts an SDK call of ECS that carries our JSON.
macro_rules! ecs_call {
    ($operation:ident) => {
        |ecs: &aws_sdk_ecs::Client, exchange| {
            ecs.$operation().customize().interceptor(exchange).send()
        }
    };
}
pub(super) use ecs_call;

impl Connection {
    /// Who calls. Asked once; a failure is asked again after a moment.
    pub(super) async fn identity(&self) -> Result<Identity, Error> {
        let mut known = self.identity.lock().await;
        match &*known {
            Known::Identity(identity) => return Ok(identity.clone()),
            Known::Failure(error, at) if at.elapsed() < IDENTITY_FAILURE_KEPT => {
                return Err(error.clone());
            }
            Known::Failure(..) | Known::Nothing => {}
        }
        let answer =
            self.calls.repeat(Operation::GetCallerIdentity, None, || self.ask_identity()).await;
        *known = match &answer {
            Ok(identity) => Known::Identity(identity.clone()),
            Err(error) => Known::Failure(error.clone(), Instant::now()),
        };
        answer
    }

    async fn ask_identity(&self) -> Result<Identity, Error> {
        let operation = Operation::GetCallerIdentity;
        let subject = self.target.as_str();
        let output = self.sts.get_caller_identity().send().await;
        let output = output.map_err(|error| from_sdk(operation, subject, Sent::Perhaps, &error))?;
        let (Some(account), Some(arn)) = (output.account, output.arn) else {
            return Err(Error::unexpected(operation, subject, "the answer names no account"));
        };
        Ok(Identity { account, arn })
    }

    /// Where the token buckets of this target's calls are kept.
    pub(super) async fn place(&self) -> Result<Place, Error> {
        let identity = self.identity().await?;
        Ok(Place { account: identity.account, region: self.region.clone() })
    }

    /// Whether the bucket of an operation is at least half full and nobody waits for it.
    pub(super) async fn has_room(&self, operation: Operation) -> Result<bool, Error> {
        let pacer = self.calls.pacer(operation, &self.place().await?);
        Ok(pacer.is_none_or(|pacer| pacer.has_room()))
    }

    /// Asks ECS something; tried again while that can help.
    pub(super) async fn read<T, E, F, Sending>(
        &self,
        operation: Operation,
        subject: &str,
        body: &Value,
        send: F,
    ) -> Result<Value, Error>
    where
        F: Fn(&aws_sdk_ecs::Client, Exchange) -> Sending,
        Sending: Future<Output = Result<T, SdkError<E, HttpResponse>>>,
        E: std::error::Error + ProvideErrorMetadata + 'static,
    {
        let attempt = || json_call(operation, subject, body, |exchange| send(&self.ecs, exchange));
        self.ask(operation, attempt).await
    }

    /// Changes something at ECS: one attempt, whatever comes of it.
    pub(super) async fn change<T, E, F, Sending>(
        &self,
        operation: Operation,
        subject: &str,
        body: &Value,
        send: F,
    ) -> Result<Value, Error>
    where
        F: FnOnce(&aws_sdk_ecs::Client, Exchange) -> Sending,
        Sending: Future<Output = Result<T, SdkError<E, HttpResponse>>>,
        E: std::error::Error + ProvideErrorMetadata + 'static,
    {
        let attempt = json_call(operation, subject, body, |exchange| send(&self.ecs, exchange));
        self.alter(operation, subject, attempt).await
    }

    /// Asks any service something; tried again while that can help.
    pub(super) async fn ask<T, Attempt>(
        &self,
        operation: Operation,
        attempt: impl Fn() -> Attempt,
    ) -> Result<T, Error>
    where
        Attempt: Future<Output = Result<T, Error>>,
    {
        let pacer = self.calls.pacer(operation, &self.place().await?);
        self.calls.repeat(operation, pacer.as_deref(), attempt).await
    }

    /// Changes something at any service: one attempt, whatever comes of it.
    pub(super) async fn alter<T>(
        &self,
        operation: Operation,
        subject: &str,
        attempt: impl Future<Output = Result<T, Error>>,
    ) -> Result<T, Error> {
        let pacer = self.calls.pacer(operation, &self.place().await?);
        let result = self.calls.once(operation, pacer.as_deref(), attempt).await;
        if let Err(error) = &result {
            let (operation, code) = (operation.name(), error.code.as_deref());
            tracing::info!(operation, subject, code, kind = ?error.kind, "change did not succeed");
        }
        result
    }
}

/// A connection that the parts of an account hold together.
pub(super) type SharedConnection = Arc<Connection>;
