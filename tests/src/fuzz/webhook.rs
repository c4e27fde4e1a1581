//! A call of a webhook, written as a request: provider and followed branch, headers, an empty line, the body.
//!
//! ```text
//! github main
//! X-GitHub-Event: push
//!
//! {"ref": "refs/heads/main"}
//! ```

use std::sync::Arc;

use controller::triggers::Triggers;
use controller::webhooks::{Received, Refused, Webhooks};
use crds::{GitRef, GitSource, SecretFrom, SourceLocation, SourceName, Webhook, WebhookProvider};
use futures_util::FutureExt as _;
use http::{HeaderMap, HeaderName, HeaderValue};
use jiff::Timestamp;
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use tokio::sync::Notify;

use super::seed;

/// The secret, which no caller knows but the one here.
const SECRET: &str = "4f9a1c0be7d35582";
/// When every call comes.
const NOW: i64 = 1_795_000_000;
/// How far a signed time may be off, in seconds.
const SKEW_MAX: i64 = 300;
/// The headers that signatures and what is signed with the body stand in.
const SIGNED: [&str; 8] = [
    "x-hub-signature-256",
    "x-hub-signature",
    "webhook-id",
    "webhook-timestamp",
    "webhook-signature",
    "x-longshore-timestamp",
    "x-longshore-signature",
    "x-gitlab-token",
];

/// Receiving a call.
///
/// Without the right signature nothing is let in, whatever else it says. With it, it is let in once. The source is woken exactly
/// where that is said; a body that cannot be read never hides a change.
pub fn webhook(data: &[u8]) {
    let Some(call) = Call::read(data) else { return };
    if data.windows(SECRET.len()).any(|part| part == SECRET.as_bytes()) {
        return;
    }
    let world = World::following(&call.branch);
    assert_eq!(world.receive(&call, &call.headers), Err(Refused::Unsigned), "unsigned");

    let (time, random) = (NOW - SKEW_MAX + 1, seed(data));
    let signed = call.signed(&tag(&call.to_be_signed(time)), time);
    for forged in call.forged(time, random) {
        assert_eq!(world.receive(&forged.0, &forged.1), Err(Refused::Unsigned), "forged");
    }
    if call.provider == WebhookProvider::Gitlab || call.provider == WebhookProvider::Generic {
        for off in [SKEW_MAX + 1, -SKEW_MAX - 1] {
            let late = call.signed(&tag(&call.to_be_signed(NOW + off)), NOW + off);
            assert_eq!(world.receive(&call, &late), Err(Refused::Unsigned), "{off} s off");
        }
    }
    let received = world.receive(&call, &signed).unwrap_or_else(|why| panic!("{why:?}"));
    call.assert_right(received);
    assert_eq!(world.receive(&call, &signed), Err(Refused::Replayed));
}

/// A call without its signature.
struct Call {
    provider: WebhookProvider,
    branch: String,
    headers: HeaderMap,
    body: Vec<u8>,
}

impl Call {
    fn read(data: &[u8]) -> Option<Self> {
        let end = data.windows(2).position(|two| two == b"\n\n")?;
        let (head, body) = data.split_at(end);
        let mut lines = head.split(|byte| *byte == b'\n');
        let first = std::str::from_utf8(lines.next()?).ok()?;
        let (name, branch) = first.split_once(' ')?;
        let provider = WebhookProvider::ALL.into_iter().find(|known| known.as_str() == name)?;
        let mut headers = HeaderMap::new();
        for line in lines {
            let colon = line.iter().position(|byte| *byte == b':')?;
            let (name, value) = line.split_at(colon);
            let name = HeaderName::from_bytes(name).ok()?;
            let value = HeaderValue::from_bytes(value[1..].trim_ascii()).ok()?;
            if !SIGNED.contains(&name.as_str()) {
                headers.append(name, value);
            }
        }
        let branch = branch.trim().to_owned();
        Some(Self { provider, branch, headers, body: body[2..].to_vec() })
    }

    /// The bytes that the provider signs.
    fn to_be_signed(&self, time: i64) -> Vec<u8> {
        let before = match self.provider {
            WebhookProvider::Github | WebhookProvider::Bitbucket => String::new(),
            WebhookProvider::Gitlab => format!("delivery-1.{time}."),
            WebhookProvider::Generic => format!("{time}."),
        };
        [before.as_bytes(), self.body.as_slice()].concat()
    }

    /// The headers with a signature in the provider's way.
    fn signed(&self, tag: &[u8], time: i64) -> HeaderMap {
        let in_hex = format!("sha256={}", hex::encode(tag));
        let time = time.to_string();
        let signature = format!("v1,{}", aws_smithy_types::base64::encode(tag));
        let added: &[(&str, &str)] = match self.provider {
            WebhookProvider::Github => &[("x-hub-signature-256", &in_hex)],
            WebhookProvider::Bitbucket => &[("x-hub-signature", &in_hex)],
            WebhookProvider::Gitlab => &[
                ("webhook-id", "delivery-1"),
                ("webhook-timestamp", &time),
                ("webhook-signature", &signature),
            ],
            WebhookProvider::Generic => {
                &[("x-longshore-timestamp", &time), ("x-longshore-signature", &in_hex)]
            }
        };
        let mut headers = self.headers.clone();
        for (name, value) in added {
            let name: HeaderName = name.parse().unwrap();
            headers.insert(name, HeaderValue::from_str(value).unwrap());
        }
        headers
    }

    /// The same with one bit of the body or of the signature changed, and with a signature of another secret.
    fn forged(&self, time: i64, random: u64) -> Vec<(Self, HeaderMap)> {
        let mut random = fastrand::Rng::with_seed(random);
        let right = tag(&self.to_be_signed(time));
        let copy = |body: Vec<u8>| Self {
            provider: self.provider,
            branch: self.branch.clone(),
            headers: self.headers.clone(),
            body,
        };
        let mut forged = Vec::new();
        let mut turned = right.clone();
        turned[random.usize(..right.len())] ^= 1 << random.u8(..8);
        forged.push((copy(self.body.clone()), self.signed(&turned, time)));
        let cut = &right[..random.usize(..right.len())];
        forged.push((copy(self.body.clone()), self.signed(cut, time)));
        let of_another = hmac(b"another secret", &self.to_be_signed(time));
        forged.push((copy(self.body.clone()), self.signed(&of_another, time)));
        let mut longer = self.body.clone();
        longer.push(random.u8(..));
        forged.push((copy(longer), self.signed(&right, time)));
        if !self.body.is_empty() {
            let mut body = self.body.clone();
            body[random.usize(..self.body.len())] ^= 1 << random.u8(..8);
            forged.push((copy(body), self.signed(&right, time)));
        }
        forged
    }

    /// What may come of it, as far as that can be told by looking at the whole body.
    fn assert_right(&self, received: Received) {
        let body = self.json();
        let text = |name: &str| body.as_ref()?.get(name)?.as_str();
        let header = |name: &str| self.headers.get(name)?.to_str().ok();
        let is_object = body.as_ref().is_some_and(Value::is_object);
        match received {
            Received::NotConcerned => assert!(is_object, "no JSON hides a change"),
            Received::NoChange => {
                let says_so = match self.provider {
                    WebhookProvider::Github => header("x-github-event").is_some(),
                    WebhookProvider::Gitlab => text("object_kind").is_some(),
                    WebhookProvider::Bitbucket => header("x-event-key").is_some(),
                    WebhookProvider::Generic => false,
                };
                assert!(says_so, "nothing says that nothing has changed");
            }
            Received::Woken => {}
        }
        let is_push = match self.provider {
            WebhookProvider::Github => header("x-github-event") == Some("push"),
            WebhookProvider::Gitlab => text("object_kind") == Some("push"),
            WebhookProvider::Generic => true,
            WebhookProvider::Bitbucket => false,
        };
        let reference = format!("refs/heads/{}", self.branch);
        if is_push && text("ref") == Some(&reference) && text("ref_type").is_none() {
            assert_eq!(received, Received::Woken, "a push to {reference}");
        }
    }

    /// The body, where it is JSON or a form with JSON in it.
    fn json(&self) -> Option<Value> {
        let form = self.body.strip_prefix(b"payload=");
        let bytes = match form {
            Some(form) => {
                let form = String::from_utf8_lossy(form);
                let form = form.split('&').next().unwrap_or_default().replace('+', " ");
                percent_encoding::percent_decode_str(&form).collect()
            }
            None => self.body.clone(),
        };
        serde_json::from_slice(&bytes).ok()
    }
}

/// The webhooks of a source that follows a branch.
struct World {
    webhooks: Webhooks,
    bell: Arc<Notify>,
}

impl World {
    fn following(branch: &str) -> Self {
        let source: SourceName = "fleet".parse().unwrap();
        let reference = GitRef { branch: Some(branch.to_owned()), ..GitRef::default() };
        let git = GitSource { reference: Some(reference), ..GitSource::default() };
        let triggers = Triggers::default();
        let bell = triggers.sources.open(&source, &SourceLocation::Git(Box::new(git)));
        let hook =
            |provider| Webhook { source: source.clone(), provider, secret: SecretFrom::default() };
        let hooks: Vec<Webhook> = WebhookProvider::ALL.into_iter().map(hook).collect();
        let webhooks = Webhooks::new(&hooks, triggers, |_| Ok(SECRET.to_owned())).unwrap();
        Self { webhooks, bell }
    }

    /// What comes of a call with these headers; the source is woken exactly where this is said.
    fn receive(&self, call: &Call, headers: &HeaderMap) -> Result<Received, Refused> {
        let caller = self.webhooks.admit(call.provider, "fleet").unwrap();
        let received = caller.receive(headers, &call.body, Timestamp::from_second(NOW).unwrap());
        let has_rung = self.bell.notified().now_or_never().is_some();
        assert_eq!(has_rung, received == Ok(Received::Woken), "{received:?}");
        received
    }
}

fn tag(signed: &[u8]) -> Vec<u8> {
    hmac(SECRET.as_bytes(), signed)
}

/// HMAC-SHA256 as RFC 2104 writes it, for keys that fit into a block.
pub fn hmac(key: &[u8], message: &[u8]) -> Vec<u8> {
    let mut block = [0_u8; 64];
    block[..key.len()].copy_from_slice(key);
    let padded = |pad: u8| block.map(|byte| byte ^ pad);
    let inner = Sha256::new().chain_update(padded(0x36)).chain_update(message).finalize();
    Sha256::new().chain_update(padded(0x5c)).chain_update(inner).finalize().to_vec()
}
