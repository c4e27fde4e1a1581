//! Who may read: anybody on loopback, or whoever has a token. Who may give orders: whoever sends a token that may.
//!
//! Programs send `Authorization: Bearer`. People type the token into a form once and get a cookie with a random session
//! id, which is kept in memory only, ends after [`SESSION_LIFETIME`] and ends at once when the token changes. The token is
//! never taken from a URL: URLs end up in logs and histories.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use http::{HeaderMap, header};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq as _;
use tokio::time::Instant;

/// Reads the token, each time it is needed.
pub type ReadSecret = Arc<dyn Fn() -> Result<String, String> + Send + Sync>;

/// For how long a person stays signed in.
const SESSION_LIFETIME: Duration = Duration::from_hours(12);
/// How many sessions there may be; the oldest makes room.
const SESSIONS_MAX: usize = 1024;
/// How long a token that was read is trusted before it is read again.
const TOKEN_FRESH: Duration = Duration::from_secs(10);
const COOKIE: &str = "longshore_session";

/// Who may read, and who may give orders.
#[derive(Debug, Clone)]
pub enum Access {
    /// Anybody who reaches a loopback address under a loopback name may read; nobody may give orders.
    Loopback,
    /// Whoever has a token.
    Token(Arc<TokenAccess>),
}

/// A token with the name under which its orders are recorded.
#[derive(Clone)]
pub struct Holder {
    /// The name.
    pub name: String,
    /// Whether it may give orders.
    pub may_order: bool,
    /// Reads the token.
    pub read: ReadSecret,
}

/// Compared in constant time and never printed.
type Fingerprint = [u8; 32];

/// Tells who has a token.
pub struct TokenAccess {
    holders: Vec<Holder>,
    known: Mutex<Known>,
}

struct Known {
    /// One for each holder.
    tokens: Vec<Fingerprint>,
    read_at: Instant,
    sessions: HashMap<Fingerprint, Instant>,
}

impl TokenAccess {
    /// Reads the tokens for the first time; one that cannot be read or is empty is an error, and so are two that are alike.
    pub fn new(holders: Vec<Holder>) -> Result<Self, String> {
        let tokens = holders
            .iter()
            .map(|holder| match token(&holder.read) {
                Ok(token) => Ok(fingerprint(&token)),
                Err(why) => Err(format!("`{}`: {why}", holder.name)),
            })
            .collect::<Result<Vec<_>, _>>()?;
        for (index, holder) in holders.iter().enumerate() {
            let (name, own) = (&holder.name, tokens.get(index));
            if holders.iter().take(index).any(|other| other.name == *name) {
                return Err(format!("two tokens are called `{name}`"));
            }
            if tokens.iter().take(index).any(|other| Some(other) == own) {
                return Err(format!("`{name}` is the same token as another"));
            }
        }
        let known = Known { tokens, read_at: Instant::now(), sessions: HashMap::new() };
        Ok(Self { holders, known: Mutex::new(known) })
    }

    /// Whose token a request carries in its header. A session does not count: a browser sends it along by itself.
    pub(super) fn holder(&self, headers: &HeaderMap) -> Option<&Holder> {
        self.refresh();
        let given = fingerprint(bearer(headers)?);
        let known = self.known();
        // Every token is compared, so that the time tells nothing.
        let mut found = None;
        for (holder, token) in self.holders.iter().zip(&known.tokens) {
            if bool::from(token.ct_eq(&given)) {
                found = Some(holder);
            }
        }
        found
    }

    /// Whether a request comes from somebody who has the token.
    pub(super) fn admits(&self, headers: &HeaderMap) -> bool {
        self.refresh();
        if let Some(bearer) = bearer(headers) {
            return self.is_token(bearer);
        }
        session(headers).is_some_and(|id| self.is_session(id))
    }

    /// Starts a session for somebody who types the token: the value of the cookie.
    pub(super) fn sign_in(&self, given: &str) -> Option<String> {
        self.refresh();
        if !self.is_token(given) {
            return None;
        }
        let mut random = [0; 32];
        getrandom::fill(&mut random).ok()?;
        let id = hex::encode(random);
        let now = Instant::now();
        let mut known = self.known();
        known.sessions.retain(|_, ends| *ends > now);
        if known.sessions.len() >= SESSIONS_MAX
            && let Some(oldest) =
                known.sessions.iter().min_by_key(|(_, ends)| **ends).map(|(id, _)| *id)
        {
            known.sessions.remove(&oldest);
        }
        known.sessions.insert(fingerprint(&id), now + SESSION_LIFETIME);
        Some(id)
    }

    /// Ends the session that a request carries.
    pub(super) fn sign_out(&self, headers: &HeaderMap) {
        if let Some(id) = session(headers) {
            self.known().sessions.remove(&fingerprint(id));
        }
    }

    fn is_token(&self, given: &str) -> bool {
        let given = fingerprint(given);
        let mut is_one = false;
        for token in &self.known().tokens {
            is_one |= bool::from(token.ct_eq(&given));
        }
        is_one
    }

    /// Ids are looked up by their fingerprint, so the time of the look-up tells nothing about an id.
    fn is_session(&self, id: &str) -> bool {
        let ends = self.known().sessions.get(&fingerprint(id)).copied();
        ends.is_some_and(|ends| ends > Instant::now())
    }

    /// Reads the tokens again when it has been a while. While one cannot be read its last one stays good.
    fn refresh(&self) {
        let now = Instant::now();
        {
            let mut known = self.known();
            if now.duration_since(known.read_at) < TOKEN_FRESH {
                return;
            }
            known.read_at = now;
        }
        for (index, holder) in self.holders.iter().enumerate() {
            let token = match token(&holder.read) {
                Ok(token) => fingerprint(&token),
                Err(error) => {
                    tracing::warn!(name = %holder.name, %error, "cannot read a token of the status server");
                    continue;
                }
            };
            let mut known = self.known();
            let Known { tokens, sessions, .. } = &mut *known;
            if let Some(known) = tokens.get_mut(index).filter(|known| **known != token) {
                *known = token;
                sessions.clear();
                tracing::info!(name = %holder.name, "a token of the status server has changed, all sessions end");
            }
        }
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for TokenAccess {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenAccess").finish_non_exhaustive()
    }
}

fn token(read: &ReadSecret) -> Result<String, String> {
    let token = read()?;
    let token = token.trim();
    if token.is_empty() {
        return Err("the token is empty".to_owned());
    }
    if !token.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err("the token holds characters that a header cannot carry".to_owned());
    }
    Ok(token.to_owned())
}

fn fingerprint(secret: &str) -> Fingerprint {
    Sha256::digest(secret.as_bytes()).into()
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = headers.get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

/// The session id that a request's cookies carry.
fn session(headers: &HeaderMap) -> Option<&str> {
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|cookies| cookies.to_str().ok())
        .flat_map(|cookies| cookies.split(';'))
        .filter_map(|cookie| cookie.trim().split_once('='))
        .find_map(|(name, value)| (name == COOKIE).then_some(value))
}

/// The `Set-Cookie` for a session; without one, the cookie is taken back.
pub(super) fn cookie(session: Option<&str>, is_https: bool) -> String {
    let secure = if is_https { "; Secure" } else { "" };
    let (id, age) = match session {
        Some(id) => (id, SESSION_LIFETIME.as_secs()),
        None => ("", 0),
    };
    format!("{COOKIE}={id}; Path=/; Max-Age={age}; HttpOnly; SameSite=Strict{secure}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn holder(read: ReadSecret) -> Holder {
        Holder { name: "token".to_owned(), may_order: true, read }
    }

    fn access(token: &'static str) -> TokenAccess {
        TokenAccess::new(vec![holder(Arc::new(move || Ok(token.to_owned())))]).unwrap()
    }

    fn with(name: header::HeaderName, value: &str) -> HeaderMap {
        HeaderMap::from_iter([(name, value.parse().unwrap())])
    }

    #[tokio::test]
    async fn only_the_token_itself_is_admitted() {
        let access = access(" s3cret-token\n");
        let admits = |value| access.admits(&with(header::AUTHORIZATION, value));
        assert!(admits("Bearer s3cret-token"));
        assert!(admits("bearer s3cret-token"));
        for wrong in [
            "Bearer s3cret-toke",
            "Bearer s3cret-tokens",
            "Bearer",
            "Basic s3cret-token",
            "s3cret-token",
        ] {
            assert!(!admits(wrong), "{wrong}");
        }
        assert!(!access.admits(&HeaderMap::new()));
    }

    #[tokio::test]
    async fn a_token_that_cannot_be_used_is_refused_at_the_start() {
        for (read, told) in [("", "empty"), (" \n", "empty"), ("two words", "header")] {
            let error =
                TokenAccess::new(vec![holder(Arc::new(move || Ok(read.to_owned())))]).unwrap_err();
            assert!(error.contains(told), "{error}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_session_lasts_its_time_and_no_longer() {
        let access = access("s3cret-token");
        assert_eq!(access.sign_in("guess"), None);
        let id = access.sign_in("s3cret-token").unwrap();
        let cookies = with(header::COOKIE, &format!("theme=dark; {COOKIE}={id}"));
        assert!(access.admits(&cookies));
        tokio::time::advance(SESSION_LIFETIME.saturating_sub(Duration::from_secs(1))).await;
        assert!(access.admits(&cookies));
        tokio::time::advance(Duration::from_secs(2)).await;
        assert!(!access.admits(&cookies));
    }

    #[tokio::test]
    async fn signing_out_ends_the_session() {
        let access = access("s3cret-token");
        let id = access.sign_in("s3cret-token").unwrap();
        let cookies = with(header::COOKIE, &format!("{COOKIE}={id}"));
        access.sign_out(&cookies);
        assert!(!access.admits(&cookies));
    }

    #[tokio::test(start_paused = true)]
    async fn a_new_token_takes_over_and_ends_all_sessions() {
        let current = Arc::new(Mutex::new(Ok("first-token".to_owned())));
        let read = Arc::clone(&current);
        let access =
            TokenAccess::new(vec![holder(Arc::new(move || read.lock().unwrap().clone()))]).unwrap();
        let id = access.sign_in("first-token").unwrap();
        let cookies = with(header::COOKIE, &format!("{COOKIE}={id}"));

        *current.lock().unwrap() = Err("gone".to_owned());
        tokio::time::advance(TOKEN_FRESH * 2).await;
        assert!(access.admits(&cookies), "a token that cannot be read changes nothing");

        *current.lock().unwrap() = Ok("second-token".to_owned());
        tokio::time::advance(TOKEN_FRESH * 2).await;
        assert!(!access.admits(&cookies));
        assert!(access.admits(&with(header::AUTHORIZATION, "Bearer second-token")));
        assert!(!access.admits(&with(header::AUTHORIZATION, "Bearer first-token")));
    }
}
