//! Whether a call is signed with the secret, in each provider's way.
//!
//! | provider | what is looked at |
//! | --- | --- |
//! | GitHub | `X-Hub-Signature-256: sha256=<hex>`, the HMAC-SHA256 of the body |
//! | Bitbucket | `X-Hub-Signature: sha256=<hex>`, the same |
//! | GitLab | `webhook-signature: v1,<base64>` over `<webhook-id>.<webhook-timestamp>.<body>`; without it the token in `X-Gitlab-Token` |
//! | generic | `X-Longshore-Signature: sha256=<hex>` over `<X-Longshore-Timestamp>.<body>` |

use aws_lc_rs::hmac;
use crds::WebhookProvider;
use http::HeaderMap;
use jiff::{SignedDuration, Timestamp};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

use super::replay::Mark;

/// How far the time that a caller signed may be from ours.
const SKEW_MAX: SignedDuration = SignedDuration::from_mins(5);

/// A call with the time at which it came.
#[derive(Debug, Clone, Copy)]
pub(super) struct Call<'a> {
    pub(super) headers: &'a HeaderMap,
    pub(super) body: &'a [u8],
    pub(super) now: Timestamp,
}

impl Call<'_> {
    /// What the call is known by from now on; `None` when it is not signed as it should be.
    pub(super) fn verify(&self, provider: WebhookProvider, secret: &str) -> Option<Vec<Mark>> {
        match provider {
            WebhookProvider::Github => {
                self.body_signed(secret, "x-hub-signature-256", &["x-github-delivery"])
            }
            WebhookProvider::Bitbucket => {
                // Cloud gives its calls the one, Data Center the other.
                self.body_signed(secret, "x-hub-signature", &["x-request-uuid", "x-request-id"])
            }
            WebhookProvider::Gitlab if self.header("webhook-signature").is_some() => {
                self.standard(secret)
            }
            WebhookProvider::Gitlab => self.token(secret),
            WebhookProvider::Generic => self.timed(secret),
        }
    }

    /// The number of the delivery is not signed: what the body says tells calls apart as well, for a while.
    fn body_signed(&self, secret: &str, signature: &str, deliveries: &[&str]) -> Option<Vec<Mark>> {
        let tag = hex_tag(self.header(signature)?)?;
        is_tag(secret.as_bytes(), &[self.body], &tag).then(|| {
            let numbers = deliveries.iter().filter_map(|name| self.header(name));
            let numbers = numbers.map(|number| Mark::of_call(number.as_bytes()));
            numbers.chain([Mark::of_body(self.body)]).collect()
        })
    }

    fn timed(&self, secret: &str) -> Option<Vec<Mark>> {
        let time = self.header("x-longshore-timestamp")?;
        let tag = hex_tag(self.header("x-longshore-signature")?)?;
        let signed = [time.as_bytes(), b".", self.body];
        (is_tag(secret.as_bytes(), &signed, &tag) && self.is_recent(time))
            .then(|| vec![Mark::of_call(&tag)])
    }

    /// The form of standardwebhooks.com, which GitLab's signing tokens have: several signatures may stand beside each other.
    fn standard(&self, secret: &str) -> Option<Vec<Mark>> {
        let (id, time) = (self.header("webhook-id")?, self.header("webhook-timestamp")?);
        let decoded = secret
            .strip_prefix("whsec_")
            .and_then(|encoded| aws_smithy_types::base64::decode(encoded).ok());
        let key = decoded.as_deref().unwrap_or(secret.as_bytes());
        let signed = [id.as_bytes(), b".", time.as_bytes(), b".", self.body];
        let is_signed = self
            .header("webhook-signature")?
            .split(' ')
            .filter_map(|one| aws_smithy_types::base64::decode(one.strip_prefix("v1,")?).ok())
            .any(|tag| is_tag(key, &signed, &tag));
        (is_signed && self.is_recent(time)).then(|| vec![Mark::of_call(id.as_bytes())])
    }

    /// A token says who calls and nothing of what. The number that GitLab gives each call tells them apart, and where there is
    /// none, what the body says does for a while. `X-Gitlab-Event-UUID` does not: calls that follow from each other share it.
    fn token(&self, secret: &str) -> Option<Vec<Mark>> {
        let given = Sha256::digest(self.header("x-gitlab-token")?);
        let is_it = bool::from(given.ct_eq(&Sha256::digest(secret)));
        let number = self.header("idempotency-key").map(|number| Mark::of_call(number.as_bytes()));
        is_it.then(|| vec![number.unwrap_or_else(|| Mark::of_body(self.body))])
    }

    fn is_recent(&self, seconds: &str) -> bool {
        let time = seconds.parse().ok().and_then(|seconds| Timestamp::from_second(seconds).ok());
        time.is_some_and(|time| self.now.duration_since(time).abs() <= SKEW_MAX)
    }

    /// The value of a header that is there once.
    fn header(&self, name: &str) -> Option<&str> {
        let mut values = self.headers.get_all(name).iter();
        let (Some(value), None) = (values.next(), values.next()) else { return None };
        value.to_str().ok()
    }
}

fn hex_tag(header: &str) -> Option<Vec<u8>> {
    hex::decode(header.strip_prefix("sha256=")?).ok()
}

/// Whether a tag is the HMAC-SHA256 of the parts together; compared in constant time.
fn is_tag(key: &[u8], parts: &[&[u8]], tag: &[u8]) -> bool {
    let mut context = hmac::Context::with_key(&hmac::Key::new(hmac::HMAC_SHA256, key));
    for part in parts {
        context.update(part);
    }
    context.sign().as_ref().ct_eq(tag).into()
}
