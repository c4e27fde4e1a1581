//! Where to listen, and whether that is safe.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;

use crds::{Auth, Http, SecretFrom};
use tokio::net::TcpListener;

use super::auth::{Access, Holder, TokenAccess};

const DEFAULT_LISTEN: &str = "127.0.0.1:8080";

/// An open port with the rule of who may read there.
#[derive(Debug)]
pub struct Bound {
    /// The open port.
    pub listener: TcpListener,
    /// Its address, with the port that was chosen where `0` was asked for.
    pub address: SocketAddr,
    /// Who may read.
    pub access: Access,
}

/// Why the status server cannot start.
#[derive(Debug, thiserror::Error)]
pub enum BindError {
    /// The address is none.
    #[error(
        "cannot read listen address `{0}`: write an IP address and a port, as in `127.0.0.1:8080` or `[::1]:8080`"
    )]
    Address(String),
    /// Anybody on the network could read.
    #[error(
        "cannot listen on `{0}` without authentication: anybody who reaches this address could read every status; \
         set `http.auth.token`, or listen on `{DEFAULT_LISTEN}`"
    )]
    Open(SocketAddr),
    /// The token cannot be used.
    #[error("cannot read the token in `http.auth`: {0}")]
    Token(String),
    /// The system refuses the port.
    #[error("cannot listen on `{address}`")]
    Port {
        /// The address that was asked for.
        address: SocketAddr,
        /// The system's reason.
        source: std::io::Error,
    },
}

/// Opens the configured port, unless people could then read who should not.
///
/// `read_secret` reads the token, now and again later, so that a new one takes over without a restart.
pub async fn bind(
    http: &Http,
    read_secret: impl Fn(&SecretFrom) -> Result<String, String> + Send + Sync + 'static,
) -> Result<Bound, BindError> {
    let asked = address(http.listen.as_deref().unwrap_or(DEFAULT_LISTEN))?;
    let access = match &http.auth {
        Some(auth) => {
            let holders = holders(auth, &Arc::new(read_secret));
            Access::Token(Arc::new(TokenAccess::new(holders).map_err(BindError::Token)?))
        }
        None if asked.ip().to_canonical().is_loopback() => Access::Loopback,
        None => return Err(BindError::Open(asked)),
    };
    let refused = |source| BindError::Port { address: asked, source };
    let listener = TcpListener::bind(asked).await.map_err(refused)?;
    let address = listener.local_addr().map_err(refused)?;
    Ok(Bound { listener, address, access })
}

/// Every token of the configuration; the one without a name may do everything.
fn holders<F>(auth: &Auth, read_secret: &Arc<F>) -> Vec<Holder>
where
    F: Fn(&SecretFrom) -> Result<String, String> + Send + Sync + 'static,
{
    let holder = |name: &str, may_order, secret: &SecretFrom| {
        let (read_secret, secret) = (Arc::clone(read_secret), secret.clone());
        Holder { name: name.to_owned(), may_order, read: Arc::new(move || read_secret(&secret)) }
    };
    std::iter::once(holder("token", true, &auth.token))
        .chain(
            auth.tokens
                .iter()
                .map(|named| holder(&named.name, named.orders.unwrap_or(true), &named.token)),
        )
        .collect()
}

/// An IP address and a port; `localhost:8080` and `:8080` (every address) are understood too.
fn address(text: &str) -> Result<SocketAddr, BindError> {
    let unreadable = || BindError::Address(text.to_owned());
    if let Ok(address) = text.parse() {
        return Ok(address);
    }
    let (host, port) = text.rsplit_once(':').ok_or_else(unreadable)?;
    let port = port.parse().map_err(|_| unreadable())?;
    match host {
        "localhost" => Ok(SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), port)),
        "" => Ok(SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), port)),
        _ => Err(unreadable()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crds::Auth;

    fn http(listen: &str, auth: bool) -> Http {
        let token = SecretFrom { env: Some("TOKEN".to_owned()), file: None };
        Http {
            listen: Some(listen.to_owned()),
            auth: auth.then_some(Auth { token, tokens: Vec::new() }),
        }
    }

    #[tokio::test]
    async fn beyond_loopback_it_wants_a_token() {
        for listen in ["0.0.0.0:0", "[::]:0", ":0", "192.0.2.1:80"] {
            let error = bind(&http(listen, false), |_| unreachable!()).await.unwrap_err();
            assert!(matches!(error, BindError::Open(_)), "{listen}: {error}");
            assert!(error.to_string().contains("`http.auth.token`"), "{error}");
        }
        let bound = bind(&http("0.0.0.0:0", true), |_| Ok("token".to_owned())).await.unwrap();
        assert!(matches!(bound.access, Access::Token(_)));
        assert_ne!(bound.address.port(), 0);
    }

    #[tokio::test]
    async fn loopback_is_open_unless_a_token_is_set() {
        for listen in ["127.0.0.1:0", "localhost:0", "127.9.9.9:0"] {
            let bound = bind(&http(listen, false), |_| unreachable!()).await.unwrap();
            assert!(matches!(bound.access, Access::Loopback), "{listen}");
        }
        let bound = bind(&http("127.0.0.1:0", true), |_| Ok("token".to_owned())).await.unwrap();
        assert!(matches!(bound.access, Access::Token(_)));
    }

    #[tokio::test]
    async fn a_token_that_cannot_be_read_stops_the_start() {
        let error = bind(&http("127.0.0.1:0", true), |secret| {
            Err(format!("environment variable {} is not set", secret.env.as_deref().unwrap()))
        })
        .await
        .unwrap_err();
        assert_eq!(
            error.to_string(),
            "cannot read the token in `http.auth`: `token`: environment variable TOKEN is not set"
        );
    }

    #[tokio::test]
    async fn an_address_that_is_none_is_named() {
        for listen in ["8080", "example.com:8080", "127.0.0.1", "127.0.0.1:99999", ""] {
            let error = bind(&http(listen, false), |_| unreachable!()).await.unwrap_err();
            assert!(matches!(error, BindError::Address(_)), "{listen}: {error}");
            assert!(error.to_string().contains(&format!("`{listen}`")), "{error}");
        }
    }

    #[tokio::test]
    async fn a_taken_port_is_named() {
        let taken = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let listen = taken.local_addr().unwrap().to_string();
        let error = bind(&http(&listen, false), |_| unreachable!()).await.unwrap_err();
        assert_eq!(error.to_string(), format!("cannot listen on `{listen}`"));
    }
}
