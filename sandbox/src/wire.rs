//! HTTP requests as calls, and results as HTTP responses (aws.md §0).

use std::collections::BTreeMap;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Request, Response, StatusCode};
use percent_encoding::percent_decode_str;
use serde_json::{Value, json};

use crate::{ApiError, Fixtures, cbor, region::Answer, s3::S3, sts, xml::escape};

/// A request as the API that it is meant for understands it.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    /// The API by its signing name.
    pub(crate) api: String,
    pub(crate) operation: String,
    pub(crate) account: String,
    pub(crate) region: String,
    pub(crate) input: Input,
    pub(crate) format: Format,
}

/// The members of a call.
#[derive(Debug, Clone)]
pub(crate) enum Input {
    Json(Value),
    Form(BTreeMap<String, String>),
    /// The request itself says what is wanted.
    Rest,
}

/// How an answer is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    /// The content type of the request.
    Json(&'static str),
    Query,
    Rest,
    Cbor,
}

impl Format {
    fn kind(self) -> &'static str {
        match self {
            Self::Json(kind) => kind,
            Self::Query | Self::Rest => "text/xml",
            Self::Cbor => "application/cbor",
        }
    }
}

const JSON_1_0: &str = "application/x-amz-json-1.0";
const JSON_1_1: &str = "application/x-amz-json-1.1";

/// The path before the operation in CloudWatch's smithy-rpc-v2.
const CBOR_PATH: &str = "/service/GraniteServiceVersion20100801/operation/";

/// The prefixes of `X-Amz-Target` and the APIs they stand for.
const TARGETS: [(&str, &str, &str); 8] = [
    ("AmazonEC2ContainerServiceV20141113", "ecs", JSON_1_1),
    ("AmazonEC2ContainerRegistry_V20150921", "ecr", JSON_1_1),
    ("AmazonSSM", "ssm", JSON_1_1),
    ("secretsmanager", "secretsmanager", JSON_1_1),
    ("AnyScaleFrontendService", "application-autoscaling", JSON_1_1),
    ("GraniteServiceVersion20100801", "monitoring", JSON_1_0),
    ("Logs_20140328", "logs", JSON_1_1),
    ("AmazonSQS", "sqs", JSON_1_0),
];

impl Call {
    /// Understands a request; the error is the answer to one that cannot be understood.
    pub(crate) fn read(
        request: &Request<Bytes>,
        fixtures: &Fixtures,
    ) -> Result<Self, Box<Response<Bytes>>> {
        let scope = Scope::of(request.headers());
        let account = scope.account.unwrap_or_else(|| fixtures.account.clone());
        let region = scope.region.unwrap_or_else(|| fixtures.region.clone());
        let call = |api: &str, operation: &str, input: Input, format: Format| Self {
            api: api.to_owned(),
            operation: operation.to_owned(),
            account: account.clone(),
            region: region.clone(),
            input,
            format,
        };
        if let Some(target) = header(request.headers(), "x-amz-target") {
            let (prefix, operation) = target.split_once('.').unwrap_or((target, ""));
            let known = TARGETS.iter().find(|(known, ..)| *known == prefix);
            let Some((_, api, version)) = known else {
                let message = format!("The sandbox does not know the target {target}.");
                let error = ApiError::refused("UnknownOperationException", message);
                return Err(Box::new(write_error(&error, Format::Json(JSON_1_1), "")));
            };
            let format = Format::Json(version);
            let body = read_json(request.body())
                .map_err(|error| Box::new(write_error(&error, format, "")))?;
            return Ok(call(api, operation, Input::Json(body), format));
        }
        if let Some(operation) = request.uri().path().strip_prefix(CBOR_PATH) {
            let body = cbor::read(request.body()).map_err(|message| {
                let error = ApiError::refused("SerializationException", message);
                Box::new(write_error(&error, Format::Cbor, ""))
            })?;
            return Ok(call("monitoring", operation, Input::Json(body), Format::Cbor));
        }
        let form = header(request.headers(), "content-type")
            .is_some_and(|kind| kind.starts_with("application/x-www-form-urlencoded"));
        if form {
            let body = String::from_utf8_lossy(request.body());
            let members = read_form(&body);
            let operation = members.get("Action").cloned().unwrap_or_default();
            let api = match members.get("Version").map(String::as_str) {
                Some("2011-06-15") => "sts",
                Some("2015-12-01") => "elasticloadbalancing",
                Some("2010-05-08") => "iam",
                Some(_) | None => scope.service.as_deref().unwrap_or("sts"),
            };
            return Ok(call(api, &operation, Input::Form(members), Format::Query));
        }
        Ok(call("s3", S3::operation(request), Input::Rest, Format::Rest))
    }
}

/// What the signature of a request says about its sender and destination.
#[derive(Debug, Default)]
struct Scope {
    account: Option<String>,
    region: Option<String>,
    service: Option<String>,
}

impl Scope {
    fn of(headers: &HeaderMap) -> Self {
        let credential = header(headers, "authorization")
            .and_then(|text| text.split_once("Credential="))
            .map(|(_, rest)| rest.split([',', ' ']).next().unwrap_or_default());
        let Some(credential) = credential else { return Self::default() };
        let mut parts = credential.split('/');
        let key = parts.next().unwrap_or_default();
        let account = sts::account_of(key).or_else(|| account_of_key(key));
        let region = parts.nth(1).filter(|one| !one.is_empty()).map(str::to_owned);
        Self { account, region, service: parts.next().map(str::to_owned) }
    }
}

/// The twelve digits within an access key, if it has such.
pub(crate) fn account_of_key(key: &str) -> Option<String> {
    key.split(|letter: char| !letter.is_ascii_digit())
        .find(|digits| digits.len() == 12)
        .map(str::to_owned)
}

/// Whether a request names this operation.
pub(crate) fn has_target(request: &Request<Bytes>, target: &str) -> bool {
    header(request.headers(), "x-amz-target") == Some(target)
}

/// The user agent of a request.
pub(crate) fn agent(request: &Request<Bytes>) -> &str {
    header(request.headers(), "user-agent").unwrap_or_default()
}

fn header<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

fn read_json(body: &[u8]) -> Result<Value, ApiError> {
    if body.is_empty() {
        return Ok(json!({}));
    }
    match serde_json::from_slice(body) {
        Ok(value @ Value::Object(_)) => Ok(value),
        Ok(_) => Err(ApiError::refused("SerializationException", "The body is not an object.")),
        Err(error) => Err(ApiError::refused("SerializationException", error.to_string())),
    }
}

pub(crate) fn read_form(body: &str) -> BTreeMap<String, String> {
    let decode =
        |text: &str| percent_decode_str(&text.replace('+', " ")).decode_utf8_lossy().into_owned();
    body.split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
        .map(|(name, value)| (decode(name), decode(value)))
        .collect()
}

/// The answer to a call that went well.
pub(crate) fn write_answer(call: &Call, answer: &Answer, request_id: &str) -> Response<Bytes> {
    match answer {
        Answer::Json(answer) => {
            respond(200, call.format, write_body(call.format, answer), request_id)
        }
        Answer::Xml(inner) => {
            let operation = &call.operation;
            let namespace = match call.api.as_str() {
                "elasticloadbalancing" => {
                    "http://elasticloadbalancing.amazonaws.com/doc/2015-12-01/"
                }
                "iam" => "https://iam.amazonaws.com/doc/2010-05-08/",
                _ => "https://sts.amazonaws.com/doc/2011-06-15/",
            };
            let body = format!(
                "<{operation}Response xmlns=\"{namespace}\"><{operation}Result>{inner}</{operation}Result><ResponseMetadata><RequestId>{request_id}</RequestId></ResponseMetadata></{operation}Response>"
            );
            respond(200, Format::Query, body, request_id)
        }
    }
}

/// The answer to a call that was refused.
pub(crate) fn write_error(error: &ApiError, format: Format, request_id: &str) -> Response<Bytes> {
    match format {
        Format::Json(_) | Format::Cbor => {
            let mut body = error.members.clone();
            body.insert("__type".to_owned(), json!(error.code));
            body.insert("message".to_owned(), json!(error.message));
            let body = write_body(format, &Value::Object(body));
            respond(error.http_status, format, body, request_id)
        }
        Format::Query | Format::Rest => {
            let side = if error.http_status < 500 { "Sender" } else { "Receiver" };
            let (code, message) = (escape(&error.code), escape(&error.message));
            let inner = format!(
                "<Error><Type>{side}</Type><Code>{code}</Code><Message>{message}</Message></Error>"
            );
            let body = if format == Format::Query {
                format!("<ErrorResponse>{inner}<RequestId>{request_id}</RequestId></ErrorResponse>")
            } else {
                format!("<Error><Code>{code}</Code><Message>{message}</Message></Error>")
            };
            respond(error.http_status, format, body, request_id)
        }
    }
}

/// The same answer with the code that callers of an older API know.
pub(crate) fn with_legacy_code(mut response: Response<Bytes>, code: &str) -> Response<Bytes> {
    if let Ok(code) = HeaderValue::from_str(code) {
        response.headers_mut().insert("x-amzn-query-error", code);
    }
    response
}

fn write_body(format: Format, body: &Value) -> Vec<u8> {
    if format == Format::Cbor {
        cbor::write(body)
    } else {
        serde_json::to_vec(body).unwrap_or_default()
    }
}

fn respond(
    status: u16,
    format: Format,
    body: impl Into<Bytes>,
    request_id: &str,
) -> Response<Bytes> {
    let mut response = Response::new(body.into());
    *response.status_mut() =
        StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers = response.headers_mut();
    headers.insert(http::header::CONTENT_TYPE, HeaderValue::from_static(format.kind()));
    if format == Format::Cbor {
        headers.insert("smithy-protocol", HeaderValue::from_static("rpc-v2-cbor"));
    }
    if let Ok(id) = HeaderValue::from_str(request_id) {
        headers.insert("x-amzn-requestid", id);
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(headers: &[(&str, &str)], body: &str) -> Request<Bytes> {
        let mut request = Request::post("/").body(Bytes::from(body.to_owned())).unwrap();
        for (name, value) in headers {
            let name = http::HeaderName::try_from(*name).unwrap();
            request.headers_mut().insert(name, HeaderValue::from_str(value).unwrap());
        }
        request
    }

    #[test]
    fn the_signature_tells_account_and_region() {
        let authorization = "AWS4-HMAC-SHA256 Credential=AKIA444455556666/20261121/us-west-2/ecs/aws4_request, SignedHeaders=host, Signature=0";
        let target = ("x-amz-target", "AmazonEC2ContainerServiceV20141113.ListClusters");
        let signed = request(&[target, ("authorization", authorization)], "{}");
        let call = Call::read(&signed, &Fixtures::default()).unwrap();
        assert_eq!((call.api.as_str(), call.operation.as_str()), ("ecs", "ListClusters"));
        assert_eq!((call.account.as_str(), call.region.as_str()), ("444455556666", "us-west-2"));
        let call = Call::read(&request(&[target], ""), &Fixtures::default()).unwrap();
        assert_eq!((call.account.as_str(), call.region.as_str()), ("111122223333", "eu-west-1"));
    }

    #[test]
    fn forms_are_decoded() {
        let kind = ("content-type", "application/x-www-form-urlencoded; charset=utf-8");
        let form = request(&[kind], "Action=AssumeRole&Version=2011-06-15&RoleArn=a%3Ab+c");
        let call = Call::read(&form, &Fixtures::default()).unwrap();
        let Input::Form(members) = &call.input else { panic!("{call:?}") };
        assert_eq!((call.api.as_str(), call.operation.as_str()), ("sts", "AssumeRole"));
        assert_eq!(members["RoleArn"], "a:b c");
    }

    #[test]
    fn what_cannot_be_read_is_answered_with_400() {
        let target = ("x-amz-target", "AmazonSSM.GetParameters");
        for (headers, body, code) in [
            ([target], "{", "SerializationException"),
            ([target], "[]", "SerializationException"),
            ([("x-amz-target", "Nobody.Knows")], "{}", "UnknownOperationException"),
        ] {
            let response = Call::read(&request(&headers, body), &Fixtures::default()).unwrap_err();
            assert_eq!(response.status(), 400);
            let body: Value = serde_json::from_slice(response.body()).unwrap();
            assert_eq!(body["__type"], code);
        }
    }
}
