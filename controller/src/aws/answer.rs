//! Reading answers: members by name, and lists page by page.

use std::future::Future;

use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use serde_json::Value;

use super::account::Account;
use super::error::Error;
use super::json_call::Exchange;
use super::operation::Operation;

/// Pages of one list. The longest that AWS's quotas allow, 10,000 clusters or 5,000 services, has a hundred.
pub(super) const PAGES_MAX: usize = 1_000;

/// The member as text.
pub(super) fn text<'value>(value: &'value Value, name: &str) -> Option<&'value str> {
    value.get(name).and_then(Value::as_str)
}

/// Takes the elements of the member out of the answer; absent, null and empty are the same.
pub(super) fn array(answer: &mut Value, name: &str) -> Vec<Value> {
    match answer.get_mut(name).map(Value::take) {
        Some(Value::Array(elements)) => elements,
        _ => Vec::new(),
    }
}

/// Takes the texts of the member out of the answer.
pub(super) fn texts(answer: &mut Value, name: &str) -> Vec<String> {
    let texts = array(answer, name).into_iter();
    texts.filter_map(|element| element.as_str().map(str::to_owned)).collect()
}

/// The answer, if it has the member that it must have.
pub(super) fn require(
    answer: Value,
    operation: Operation,
    subject: &str,
    name: &str,
) -> Result<Value, Error> {
    match answer.get(name) {
        Some(Value::Object(_)) => Ok(answer),
        _ => Err(Error::unexpected(operation, subject, format!("the answer has no `{name}`"))),
    }
}

/// Whether a list needs another page.
pub(super) enum Paging {
    /// All pages so far will do.
    Enough,
    /// Read on, if there is more.
    More,
}

impl Account {
    /// All elements of `member`, every page: a list that cannot be completed is an error.
    pub(super) async fn list<T, E, F, Sending>(
        &self,
        operation: Operation,
        subject: &str,
        body: Value,
        member: &str,
        send: F,
    ) -> Result<Vec<String>, Error>
    where
        F: Fn(&aws_sdk_ecs::Client, Exchange) -> Sending,
        Sending: Future<Output = Result<T, SdkError<E, HttpResponse>>>,
        E: std::error::Error + ProvideErrorMetadata + 'static,
    {
        let mut elements = Vec::new();
        let take = |mut page: Value| {
            elements.extend(texts(&mut page, member));
            Paging::More
        };
        self.pages(operation, subject, body, send, take).await?;
        Ok(elements)
    }

    /// Gives the pages to `take`, one after the other, until it has enough or there are no more.
    pub(super) async fn pages<T, E, F, Sending>(
        &self,
        operation: Operation,
        subject: &str,
        mut body: Value,
        send: F,
        mut take: impl FnMut(Value) -> Paging,
    ) -> Result<(), Error>
    where
        F: Fn(&aws_sdk_ecs::Client, Exchange) -> Sending,
        Sending: Future<Output = Result<T, SdkError<E, HttpResponse>>>,
        E: std::error::Error + ProvideErrorMetadata + 'static,
    {
        for _ in 0..PAGES_MAX {
            let page = self.inner.connection.read(operation, subject, &body, &send).await?;
            let next =
                text(&page, "nextToken").filter(|token| !token.is_empty()).map(str::to_owned);
            let (Paging::More, Some(next)) = (take(page), next) else { return Ok(()) };
            if text(&body, "nextToken") == Some(&next) {
                let message = "the list turns in a circle: a page names itself as the next";
                return Err(Error::unexpected(operation, subject, message));
            }
            if let Some(body) = body.as_object_mut() {
                body.insert("nextToken".to_owned(), Value::String(next));
            }
        }
        Err(Error::unexpected(
            operation,
            subject,
            format!("the list has more than {PAGES_MAX} pages"),
        ))
    }
}
