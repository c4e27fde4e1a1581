//! JSON in, JSON out, through the SDK's own machinery.
//!
//! The blocks of a spec are ECS's API name for name, and a member that AWS adds tomorrow must pass both ways. The SDK's
//! structs hold only the members that it knew when it was generated, so they are left empty: an interceptor puts our JSON
//! in the place of the serialised input before the request is signed, and takes the answer's JSON as it was read. The SDK
//! keeps what it is best at: endpoints, credentials, signing, timeouts and the parsing of errors.

use std::fmt;
use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};

use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::Intercept;
use aws_smithy_runtime_api::client::interceptors::context::{
    AfterDeserializationInterceptorContextRef, BeforeTransmitInterceptorContextMut,
    BeforeTransmitInterceptorContextRef,
};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::config_bag::ConfigBag;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use bytes::Bytes;
use serde_json::Value;

use super::error::{Error, Kind};
use super::operation::Operation;
use super::sdk_error::{Sent, from_sdk};

/// Sends `body` as the input of `operation` and answers with the output as AWS wrote it.
///
/// `send` starts the SDK's call with the interceptor that it is given. One attempt: nothing is repeated here.
pub(super) async fn json_call<T, E, F, Sending>(
    operation: Operation,
    subject: &str,
    body: &Value,
    send: F,
) -> Result<Value, Error>
where
    F: FnOnce(Exchange) -> Sending,
    Sending: Future<Output = Result<T, SdkError<E, HttpResponse>>>,
    E: std::error::Error + ProvideErrorMetadata + 'static,
{
    let exchange = Exchange::new(body);
    let result = send(exchange.clone()).await;
    let seen = exchange.seen();
    match (seen.answer, result) {
        // The SDK's opinion of a successful answer does not matter: it may not know a new shape yet.
        (Some(Ok(answer)), _) => Ok(answer),
        (Some(Err(error)), Ok(_)) => Err(Error::unexpected(operation, subject, unreadable(&error))),
        (_, Err(error)) => {
            let reached = if seen.transmitted { Sent::Perhaps } else { Sent::No };
            Err(from_sdk(operation, subject, reached, &error))
        }
        (None, Ok(_)) => {
            let message = "the answer passed by unread".to_owned();
            let kind = if operation.is_mutating() { Kind::Ambiguous } else { Kind::Transient };
            Err(Error::unanswered(operation, subject, kind, message))
        }
    }
}

fn unreadable(error: &serde_json::Error) -> String {
    format!("the answer is not JSON: {error}")
}

/// One call's JSON on its way out and back, given to the SDK as an interceptor.
#[derive(Clone)]
pub(super) struct Exchange {
    body: Bytes,
    seen: Arc<Mutex<Seen>>,
}

/// What went by.
#[derive(Default)]
struct Seen {
    /// The request was handed to the HTTP client: from here on AWS may have it.
    transmitted: bool,
    /// The body of a successful answer.
    answer: Option<Result<Value, serde_json::Error>>,
}

impl Exchange {
    fn new(body: &Value) -> Self {
        Self { body: body.to_string().into(), seen: Arc::default() }
    }

    fn seen(&self) -> Seen {
        std::mem::take(&mut self.lock())
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Bodies stay out of every log, also the SDK's.
impl fmt::Debug for Exchange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Exchange").field("bytes", &self.body.len()).finish_non_exhaustive()
    }
}

impl Intercept for Exchange {
    fn name(&self) -> &'static str {
        "Exchange"
    }

    fn modify_before_signing(
        &self,
        context: &mut BeforeTransmitInterceptorContextMut<'_>,
        _components: &RuntimeComponents,
        _bag: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let request = context.request_mut();
        request.headers_mut().insert("content-length", self.body.len().to_string());
        *request.body_mut() = SdkBody::from(self.body.clone());
        Ok(())
    }

    fn read_before_transmit(
        &self,
        _context: &BeforeTransmitInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        _bag: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        self.lock().transmitted = true;
        Ok(())
    }

    fn read_after_deserialization(
        &self,
        context: &AfterDeserializationInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        _bag: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let response = context.response();
        if let (true, Some(body)) = (response.status().is_success(), response.body().bytes()) {
            // Operations without output may answer with nothing at all.
            let answer =
                if body.is_empty() { Ok(Value::Null) } else { serde_json::from_slice(body) };
            self.lock().answer = Some(answer);
        }
        Ok(())
    }
}
