//! What can go wrong between us and an operator, as sentences.

use reqwest::StatusCode;
use serde::Deserialize;

/// Why an operator did not answer as asked.
#[derive(Debug, thiserror::Error)]
pub(in crate::cli) enum ClientError {
    /// Nobody answered.
    #[error(
        "cannot reach the operator at {server}: {why}; `--server` or LONGSHORE_SERVER names another"
    )]
    Unreachable {
        /// Its URL.
        server: String,
        /// The innermost reason.
        why: String,
    },
    /// The token is missing or wrong.
    #[error("the operator at {server} {}", if *.has_token {
        "does not take this token: check LONGSHORE_TOKEN or --token-file"
    } else {
        "wants a token: set LONGSHORE_TOKEN or give --token-file"
    })]
    Unauthorized {
        /// Its URL.
        server: String,
        /// Whether one was sent.
        has_token: bool,
    },
    /// It refuses and says why.
    #[error("{told}")]
    Refused {
        /// The status of the answer.
        status: StatusCode,
        /// Its own words.
        told: String,
    },
    /// What answers is no operator, or one that this version does not understand.
    #[error(
        "cannot understand what answers at {server}: {what}; is it a Longshore operator of about this version?"
    )]
    Strange {
        /// Its URL.
        server: String,
        /// What is odd about it.
        what: String,
    },
}

/// A refusal as RFC 9457 tells it.
#[derive(Deserialize)]
struct ProblemView {
    detail: String,
    hint: Option<String>,
    #[serde(default)]
    allowed: Vec<String>,
}

impl ClientError {
    pub(super) fn unreachable(server: &str, error: &reqwest::Error) -> Self {
        let why = if error.is_timeout() {
            "it does not answer in time".to_owned()
        } else {
            let mut cause: &dyn std::error::Error = error;
            while let Some(source) = cause.source() {
                cause = source;
            }
            cause.to_string()
        };
        Self::Unreachable { server: server.to_owned(), why }
    }

    pub(super) fn refused(server: &str, status: StatusCode, body: &[u8]) -> Self {
        let Ok(problem) = serde_json::from_slice::<ProblemView>(body) else {
            let what = format!("it answers {status}");
            return Self::Strange { server: server.to_owned(), what };
        };
        let ProblemView { mut detail, hint, allowed } = problem;
        if !allowed.is_empty() && !detail.contains(&allowed.join(", ")) {
            detail = format!("{detail} ({})", allowed.join(", "));
        }
        let told = match hint {
            Some(hint) => format!("{detail}; {hint}"),
            None => detail,
        };
        Self::Refused { status, told }
    }

    /// Whether the operator says that there is no such thing.
    pub(in crate::cli) fn is_not_found(&self) -> bool {
        matches!(self, Self::Refused { status: StatusCode::NOT_FOUND, .. })
    }

    /// Whether it may go well a little later: it restarts, or has too much to do.
    pub(in crate::cli) fn may_pass(&self) -> bool {
        match self {
            Self::Unreachable { .. } => true,
            Self::Refused { status, .. } => status.is_server_error(),
            Self::Unauthorized { .. } | Self::Strange { .. } => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_reads_as_a_sentence() {
        for (body, expected) in [
            (r#"{"detail": "no"}"#, "no"),
            (r#"{"detail": "no", "hint": "try yes"}"#, "no; try yes"),
            (r#"{"detail": "two", "allowed": ["a", "b"], "hint": "pick"}"#, "two (a, b); pick"),
            (r#"{"detail": "use one of a, b", "allowed": ["a", "b"]}"#, "use one of a, b"),
        ] {
            let error = ClientError::refused("s", StatusCode::CONFLICT, body.as_bytes());
            assert_eq!(error.to_string(), expected);
        }
        let proxy = ClientError::refused("http://s/", StatusCode::BAD_GATEWAY, b"<html>");
        assert!(proxy.to_string().contains("at http://s/: it answers 502"), "{proxy}");
    }
}
