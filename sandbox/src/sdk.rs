//! The sandbox as the AWS SDK's HTTP client: no socket, and time that a test can pause.

use std::time::Duration;

use aws_smithy_runtime_api::{
    client::{
        http::{
            HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings,
            SharedHttpConnector,
        },
        orchestrator::{HttpRequest, HttpResponse},
        result::ConnectorError,
        runtime_components::RuntimeComponents,
    },
    http::StatusCode,
};
use aws_smithy_types::{body::SdkBody, byte_stream::ByteStream};
use bytes::Bytes;

use crate::{Sandbox, SandboxTime, sandbox::Outcome, sqs};

/// An HTTP client of the SDK whose every request goes to a [`Sandbox`].
#[derive(Debug, Clone)]
pub struct SandboxHttpClient {
    sandbox: Sandbox,
    time: SandboxTime,
}

impl SandboxHttpClient {
    pub(crate) fn new(sandbox: Sandbox, time: SandboxTime) -> Self {
        Self { sandbox, time }
    }

    async fn exchange(self, request: HttpRequest) -> Result<HttpResponse, ConnectorError> {
        let request = into_bytes(request).await?;
        let half = self.sandbox.half_latency();
        tokio::time::sleep(half).await;
        sqs::wait(&self.sandbox, self.time, &request).await;
        let released = self.sandbox.released.notified();
        match self.sandbox.exchange(self.time.now(), &request) {
            Outcome::Answer(response, more) => {
                tokio::time::sleep(half + more).await;
                from_bytes(response)
            }
            Outcome::Reset => Err(reset()),
            Outcome::Silence => {
                released.await;
                Err(reset())
            }
        }
    }
}

impl HttpConnector for SandboxHttpClient {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        HttpConnectorFuture::new(self.clone().exchange(request))
    }
}

impl HttpClient for SandboxHttpClient {
    fn http_connector(
        &self,
        settings: &HttpConnectorSettings,
        _components: &RuntimeComponents,
    ) -> SharedHttpConnector {
        SharedHttpConnector::new(Timed { client: self.clone(), limit: settings.read_timeout() })
    }
}

/// The client under the read timeout that the SDK asks for.
#[derive(Debug)]
struct Timed {
    client: SandboxHttpClient,
    limit: Option<Duration>,
}

impl HttpConnector for Timed {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let exchange = self.client.clone().exchange(request);
        let Some(limit) = self.limit else { return HttpConnectorFuture::new(exchange) };
        HttpConnectorFuture::new(async move {
            match tokio::time::timeout(limit, exchange).await {
                Ok(result) => result,
                Err(elapsed) => Err(ConnectorError::timeout(elapsed.into())),
            }
        })
    }
}

fn reset() -> ConnectorError {
    let error = std::io::Error::new(std::io::ErrorKind::ConnectionReset, "connection reset");
    ConnectorError::io(error.into())
}

async fn into_bytes(request: HttpRequest) -> Result<http::Request<Bytes>, ConnectorError> {
    let request = request.try_into_http1x().map_err(|error| ConnectorError::user(error.into()))?;
    let (parts, body) = request.into_parts();
    let body = match body.bytes() {
        Some(bytes) => Bytes::copy_from_slice(bytes),
        None => ByteStream::new(body)
            .collect()
            .await
            .map_err(|error| ConnectorError::io(error.into()))?
            .into_bytes(),
    };
    Ok(http::Request::from_parts(parts, body))
}

fn from_bytes(response: http::Response<Bytes>) -> Result<HttpResponse, ConnectorError> {
    let (parts, body) = response.into_parts();
    let status = StatusCode::try_from(parts.status.as_u16())
        .map_err(|error| ConnectorError::other(error.into(), None))?;
    let mut answer = HttpResponse::new(status, SdkBody::from(body));
    for (name, value) in &parts.headers {
        if let Ok(value) = value.to_str() {
            answer.headers_mut().insert(name.as_str().to_owned(), value.to_owned());
        }
    }
    Ok(answer)
}
