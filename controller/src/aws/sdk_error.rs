//! The SDK's errors become ours here.

use std::error::Error as StdError;

use aws_credential_types::provider::error::CredentialsError;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::{ConnectorError, SdkError};
use aws_smithy_types::error::metadata::ProvideErrorMetadata;

use super::error::{Error, Kind};
use super::operation::Operation;

/// Whether the request left this process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sent {
    /// It certainly did not.
    No,
    /// It was handed to the HTTP client.
    Perhaps,
}

/// The SDK's error about `operation` on `subject` as ours.
pub(super) fn from_sdk<E>(
    operation: Operation,
    subject: &str,
    sent: Sent,
    error: &SdkError<E, HttpResponse>,
) -> Error
where
    E: StdError + ProvideErrorMetadata + 'static,
{
    if let Some(response) = error.raw_response() {
        let status = response.status().as_u16();
        if let Some(code) = code_of(error, response) {
            let message = error.message().unwrap_or_default();
            return Error::refused(operation, subject, status, Some(code), message);
        }
        if !response.status().is_success() {
            let message = format!("HTTP status {status} without an error code");
            return Error::refused(operation, subject, status, None, message);
        }
    }
    Error::unanswered(operation, subject, unanswered_kind(operation, sent, error), chain(error))
}

/// AWS's short name of the failure, from where the SDK looks or else from the header.
fn code_of<'error, E>(
    error: &'error SdkError<E, HttpResponse>,
    response: &'error HttpResponse,
) -> Option<&'error str>
where
    E: ProvideErrorMetadata,
{
    error.code().or_else(|| response.headers().get("x-amzn-errortype")).map(short)
}

/// A code without its namespace before `#` and the address after `:` (aws.md §0).
fn short(code: &str) -> &str {
    let code = code.rsplit('#').next().unwrap_or(code);
    code.split(':').next().unwrap_or(code)
}

fn unanswered_kind<E>(operation: Operation, sent: Sent, error: &SdkError<E, HttpResponse>) -> Kind
where
    E: StdError + 'static,
{
    if is_about_credentials(error) {
        return Kind::Denied;
    }
    if sent == Sent::No || never_connected(error) {
        return Kind::Transient;
    }
    if operation.is_mutating() { Kind::Ambiguous } else { Kind::Transient }
}

/// Whether the HTTP client says that it could not even connect.
///
/// The connector keeps this to itself and shows it in its `Debug` text only. Should that text change, the answer is no
/// and the call counts as perhaps sent, which is the safe side.
fn never_connected<E>(error: &SdkError<E, HttpResponse>) -> bool
where
    E: StdError + 'static,
{
    sources(error)
        .filter_map(|source| source.downcast_ref::<ConnectorError>())
        .any(|connector| format!("{connector:?}").contains("connection: NeverConnected"))
}

/// Whether there were no credentials to sign with; a provider that only took too long is another matter.
fn is_about_credentials<E>(error: &SdkError<E, HttpResponse>) -> bool
where
    E: StdError + 'static,
{
    sources(error)
        .filter_map(|source| source.downcast_ref::<CredentialsError>())
        .any(|error| !matches!(error, CredentialsError::ProviderTimedOut(_)))
}

fn sources<'error, E>(
    error: &'error SdkError<E, HttpResponse>,
) -> impl Iterator<Item = &'error (dyn StdError + 'static)>
where
    E: StdError + 'static,
{
    let mut next = error.source();
    std::iter::from_fn(move || {
        let source = next?;
        next = source.source();
        Some(source)
    })
}

/// The causes in one line, without the repetitions that wrapped errors bring.
fn chain<E>(error: &SdkError<E, HttpResponse>) -> String
where
    E: StdError + 'static,
{
    let mut text = error.to_string();
    for source in sources(error) {
        let source = source.to_string();
        if !text.contains(&source) {
            text = format!("{text}: {source}");
        }
    }
    text
}
