//! A double that says what it is told and keeps what it hears: for what the sandbox cannot know.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex};

use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_runtime_api::http::StatusCode;
use aws_smithy_types::body::SdkBody;

use crate::aws::{Account, Aws, ConnectOptions};
use crate::clock::Clock;

/// What becomes of the next call.
pub(super) enum Reply {
    /// An answer: status and body.
    Answer(u16, String),
    /// An answer with the code in the header and a body that tells nothing.
    CodeInHeader(u16, &'static str),
    /// The connection breaks after the call was sent.
    Reset,
    /// No connection comes about.
    Unreachable,
    /// No answer, ever.
    Silence,
}

/// A request as it went out.
#[derive(Debug, Clone)]
pub(super) struct Heard {
    pub(super) uri: String,
    pub(super) headers: BTreeMap<String, String>,
    pub(super) body: Vec<u8>,
}

/// The double. `GetCallerIdentity` is answered by itself and not kept.
#[derive(Clone, Default)]
pub(super) struct Canned {
    replies: Arc<Mutex<VecDeque<Reply>>>,
    heard: Arc<Mutex<Vec<Heard>>>,
}

impl Canned {
    pub(super) fn new(replies: impl IntoIterator<Item = Reply>) -> Self {
        let replies = Arc::new(Mutex::new(replies.into_iter().collect()));
        Self { replies, heard: Arc::default() }
    }

    pub(super) async fn aws(&self, targets: &[crds::Target]) -> Aws {
        let clock = Clock::virtual_from("2026-11-21T00:00:00Z".parse().unwrap());
        let options = ConnectOptions { clock, ..ConnectOptions::in_process(self.clone()) };
        Aws::connect(targets, options).await.unwrap()
    }

    pub(super) async fn account(&self) -> Account {
        let aws = self.aws(&[]).await;
        aws.account(&crds::TargetName::default()).unwrap().clone()
    }

    pub(super) fn heard(&self) -> Vec<Heard> {
        self.heard.lock().unwrap().clone()
    }

    fn reply(&self, request: &HttpRequest) -> Reply {
        let body = request.body().bytes().unwrap_or_default().to_vec();
        if body.starts_with(b"Action=GetCallerIdentity") {
            return Reply::Answer(200, IDENTITY.to_owned());
        }
        let headers = request.headers().iter();
        let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        self.heard.lock().unwrap().push(Heard { uri: request.uri().to_owned(), headers, body });
        self.replies.lock().unwrap().pop_front().expect("more calls than replies")
    }
}

const IDENTITY: &str = "<GetCallerIdentityResponse><GetCallerIdentityResult>\
    <Account>111122223333</Account><Arn>arn:aws:iam::111122223333:user/u</Arn><UserId>U</UserId>\
    </GetCallerIdentityResult></GetCallerIdentityResponse>";

impl std::fmt::Debug for Canned {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Canned")
    }
}

impl HttpClient for Canned {
    fn http_connector(
        &self,
        _settings: &HttpConnectorSettings,
        _components: &RuntimeComponents,
    ) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

impl HttpConnector for Canned {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let reply = self.reply(&request);
        HttpConnectorFuture::new(async move {
            match reply {
                Reply::Answer(status, body) => Ok(answer(status, body)),
                Reply::CodeInHeader(status, code) => {
                    let mut answer = answer(status, "<html>".to_owned());
                    answer.headers_mut().insert("x-amzn-errortype", code);
                    Ok(answer)
                }
                Reply::Reset => Err(ConnectorError::io("connection reset".into())),
                Reply::Unreachable => {
                    Err(ConnectorError::io("connection refused".into()).never_connected())
                }
                Reply::Silence => std::future::pending().await,
            }
        })
    }
}

fn answer(status: u16, body: String) -> HttpResponse {
    HttpResponse::new(StatusCode::try_from(status).unwrap(), SdkBody::from(body))
}
