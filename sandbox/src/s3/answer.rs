//! Answers: XML bodies, refusals and the headers that every answer has.

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Method, Request, Response, StatusCode, header};
use jiff::{Timestamp, fmt::rfc2822};

use crate::{ApiError, xml::Xml};

/// A refusal and the headers that go with it.
#[derive(Debug)]
pub(super) struct Refusal {
    pub(super) error: ApiError,
    headers: Vec<(&'static str, String)>,
}

impl Refusal {
    pub(super) fn new(status: u16, code: &str, message: &str) -> Self {
        Self::from(ApiError { http_status: status, ..ApiError::refused(code, message) })
    }

    /// Adds an element to the body.
    pub(super) fn with(mut self, element: &str, value: &str) -> Self {
        self.error.members.insert(element.to_owned(), value.into());
        self
    }

    pub(super) fn with_header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// Without a body for HEAD and for 304.
    pub(super) fn answer(self, request: &Request<Bytes>, request_id: &str) -> Response<Bytes> {
        let status =
            StatusCode::from_u16(self.error.http_status).unwrap_or(StatusCode::BAD_REQUEST);
        let mut answer = empty(status);
        if *request.method() != Method::HEAD && status != StatusCode::NOT_MODIFIED {
            let mut body = Xml::new();
            body.within("Error", |xml| {
                xml.element("Code", &self.error.code).element("Message", &self.error.message);
                for (name, value) in &self.error.members {
                    xml.element(name, value.as_str().unwrap_or_default());
                }
                xml.element("RequestId", request_id).element("HostId", request_id);
            });
            answer = document(body, status);
        }
        for (name, value) in self.headers {
            set(&mut answer, name, &value);
        }
        answer
    }
}

impl From<ApiError> for Refusal {
    fn from(error: ApiError) -> Self {
        Self { error, headers: Vec::new() }
    }
}

/// An answer without a body.
pub(super) fn empty(status: StatusCode) -> Response<Bytes> {
    let mut answer = Response::new(Bytes::new());
    *answer.status_mut() = status;
    answer
}

/// An answer whose body is the element `name` in S3's namespace.
pub(super) fn result(name: &str, content: impl FnOnce(&mut Xml)) -> Response<Bytes> {
    let mut body = Xml::new();
    body.within_attributed(name, " xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"", content);
    document(body, StatusCode::OK)
}

/// Sets a header, unless its value cannot stand in one.
pub(super) fn set(answer: &mut Response<Bytes>, name: &str, value: &str) {
    if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) {
        answer.headers_mut().insert(name, value);
    }
}

/// Adds what every answer carries, and the length of a body that HEAD does not send.
pub(super) fn stamp(
    mut answer: Response<Bytes>,
    request: &Request<Bytes>,
    request_id: &str,
) -> Response<Bytes> {
    set(&mut answer, "x-amz-request-id", request_id);
    set(&mut answer, "x-amz-id-2", request_id);
    set(&mut answer, header::SERVER.as_str(), "AmazonS3");
    if *request.method() == Method::HEAD && !answer.body().is_empty() {
        let length = answer.body().len().to_string();
        set(&mut answer, header::CONTENT_LENGTH.as_str(), &length);
        *answer.body_mut() = Bytes::new();
    }
    answer
}

/// A date as HTTP headers write it.
pub(super) fn http_date(instant: Timestamp) -> String {
    rfc2822::DateTimePrinter::new().timestamp_to_rfc9110_string(&instant).unwrap_or_default()
}

/// A date as S3's XML writes it: whole seconds with three zeros.
pub(super) fn xml_date(instant: Timestamp) -> String {
    format!("{}", instant.strftime("%Y-%m-%dT%H:%M:%S.000Z"))
}

fn document(body: Xml, status: StatusCode) -> Response<Bytes> {
    let text = format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n{}", body.finish());
    let mut answer = Response::new(Bytes::from(text));
    *answer.status_mut() = status;
    set(&mut answer, header::CONTENT_TYPE.as_str(), "application/xml");
    answer
}
