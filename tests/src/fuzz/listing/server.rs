//! A server that has pages of a listing, and sends them rightly or not.

use std::fmt::Write as _;
use std::sync::{Arc, Mutex};

use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_runtime_api::http::StatusCode;
use aws_smithy_types::body::SdkBody;

/// What stands before a page's number in its token.
const TOKEN: &str = "page-";
/// The most requests that a listing of so few pages may take, with everything tried again.
const REQUESTS_MAX: usize = 64;

/// The pages, as they will be sent.
#[derive(Debug, Clone, Default)]
pub(super) struct Pages(Vec<Page>);

#[derive(Debug, Clone)]
struct Page {
    status: u16,
    body: Vec<u8>,
}

impl Pages {
    /// The pages of a bucket that is listed rightly, in the order of S3's own answers.
    pub(super) fn of(keys: &[Vec<String>]) -> Self {
        let count = keys.len();
        let page = |(page, keys): (usize, &Vec<String>)| {
            let next = (page + 1 < count).then_some(page + 1);
            let objects: String = keys.iter().map(|key| object(key)).collect();
            Page { status: 200, body: document(keys.len(), next, &objects).into_bytes() }
        };
        Self(keys.iter().enumerate().map(page).collect())
    }

    /// These bodies.
    pub(super) fn raw(bodies: Vec<Vec<u8>>) -> Self {
        Self(bodies.into_iter().map(|body| Page { status: 200, body }).collect())
    }

    pub(super) fn count(&self) -> usize {
        self.0.len()
    }

    /// The page ends before its last byte.
    pub(super) fn cut(self, page: usize, at: usize) -> Self {
        self.changed(page, |page| page.body.truncate(at % page.body.len()))
    }

    /// One bit of the page is another one.
    pub(super) fn turned(self, page: usize, at: usize) -> Self {
        self.changed(page, |page| {
            let bits = page.body.len() * 8;
            page.body[at % bits / 8] ^= 1 << (at % 8);
        })
    }

    /// The page has a status that says that it is none.
    pub(super) fn status(self, page: usize, status: u16) -> Self {
        self.changed(page, |page| page.status = status)
    }

    /// Another document comes in the page's place.
    pub(super) fn replaced(self, page: usize, with: &str) -> Self {
        self.changed(page, |page| page.body = with.as_bytes().to_vec())
    }

    /// It is not said how to go on.
    pub(super) fn without_token(self, page: usize) -> Self {
        self.without(page, "<NextContinuationToken>", "</NextContinuationToken>", 0)
    }

    /// It is not said whether there is more.
    pub(super) fn silent(self, page: usize) -> Self {
        self.without(page, "<IsTruncated>", "</IsTruncated>", 0)
    }

    /// The page leads to itself or to one before it.
    pub(super) fn leading_to(self, page: usize, to: usize) -> Self {
        let right = format!("{TOKEN}{}<", page + 1);
        self.replacing(page, &right, &format!("{TOKEN}{to}<"))
    }

    /// One object is missing, and the page still counts it.
    pub(super) fn without_object(self, page: usize, at: usize) -> Self {
        self.without(page, "<Contents>", "</Contents>", at)
    }

    /// One object has no key.
    pub(super) fn without_key(self, page: usize, at: usize) -> Self {
        self.without(page, "<Key>", "</Key>", at)
    }

    fn changed(mut self, page: usize, change: impl FnOnce(&mut Page)) -> Self {
        change(&mut self.0[page]);
        self
    }

    fn replacing(self, page: usize, from: &str, to: &str) -> Self {
        self.changed(page, |page| {
            page.body = String::from_utf8_lossy(&page.body).replacen(from, to, 1).into_bytes();
        })
    }

    /// The page without one of its elements, the first or a later one.
    fn without(self, page: usize, open: &str, close: &str, which: usize) -> Self {
        self.changed(page, |page| {
            let text = String::from_utf8_lossy(&page.body).into_owned();
            let starts: Vec<usize> = text.match_indices(open).map(|(start, _)| start).collect();
            if starts.is_empty() {
                return;
            }
            let start = starts[which % starts.len()];
            let end = start + text[start..].find(close).unwrap() + close.len();
            page.body = [&text[..start], &text[end..]].concat().into_bytes();
        })
    }
}

fn object(key: &str) -> String {
    format!(
        "<Contents><Key>{}</Key><LastModified>2026-11-20T10:00:00.000Z</LastModified>\
         <ETag>&quot;9b2cf535f27731c974343645a3985328&quot;</ETag><Size>120</Size>\
         <StorageClass>STANDARD</StorageClass></Contents>",
        escaped(key)
    )
}

fn document(count: usize, next: Option<usize>, objects: &str) -> String {
    let mut text = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
         <ListBucketResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Name>specs</Name>\
         <Prefix>prod/</Prefix><KeyCount>{count}</KeyCount><MaxKeys>1000</MaxKeys>\
         <IsTruncated>{}</IsTruncated>{objects}",
        next.is_some()
    );
    if let Some(next) = next {
        let _ = write!(text, "<NextContinuationToken>{TOKEN}{next}</NextContinuationToken>");
    }
    text.push_str("</ListBucketResult>");
    text
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// Answers every request within this process.
#[derive(Debug, Clone, Default)]
pub(super) struct Server(Arc<Mutex<Serving>>);

#[derive(Debug, Default)]
struct Serving {
    pages: Pages,
    requests: usize,
}

impl Server {
    /// Serves these pages from now on.
    pub(super) fn serve(&self, pages: Pages) {
        *self.0.lock().unwrap() = Serving { pages, requests: 0 };
    }

    /// The page that a request asks for; a token that nobody gave out is refused.
    fn answer(&self, uri: &str) -> Page {
        let mut serving = self.0.lock().unwrap();
        serving.requests += 1;
        assert!(serving.requests <= REQUESTS_MAX, "there is no end to it");
        let token = uri.split(['?', '&']).find_map(|part| part.strip_prefix("continuation-token="));
        let page = match token {
            None => Some(0),
            Some(token) => token.strip_prefix(TOKEN).and_then(|page| page.parse::<usize>().ok()),
        };
        let refused = || {
            Page {
            status: 400,
            body: b"<Error><Code>InvalidArgument</Code><Message>The continuation token provided is incorrect</Message></Error>".to_vec(),
        }
        };
        page.and_then(|page| serving.pages.0.get(page).cloned()).unwrap_or_else(refused)
    }
}

impl HttpClient for Server {
    fn http_connector(
        &self,
        _settings: &HttpConnectorSettings,
        _components: &RuntimeComponents,
    ) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

impl HttpConnector for Server {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let Page { status, body } = self.answer(request.uri());
        let status = StatusCode::try_from(status).unwrap();
        HttpConnectorFuture::new(async move { Ok(HttpResponse::new(status, SdkBody::from(body))) })
    }
}
