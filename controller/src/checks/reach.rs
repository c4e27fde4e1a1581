//! Where requests of checks may go, and how they get there.
//!
//! Whoever writes specs decides where a check asks, and reads in the status what came of it. The addresses from which
//! machines and containers get their credentials are therefore out of reach, whatever name leads to them.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::sync::LazyLock;
use std::time::Duration;

use crds::HttpMethod;
use futures_util::future::BoxFuture;
use reqwest::Url;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::redirect::Policy;
use tokio::time::Instant;

use super::request::{Answer, Request};

/// More of an answer is not read.
const ANSWER_BYTES_MAX: usize = 64 * 1024;
/// How long a connection may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);

const OUT_OF_REACH: &str = "link-local addresses are out of reach of checks";

static CLIENT: LazyLock<Result<reqwest::Client, String>> = LazyLock::new(|| {
    reqwest::Client::builder()
        .redirect(Policy::none())
        .connect_timeout(CONNECT_TIMEOUT)
        .user_agent(concat!("longshore/", env!("CARGO_PKG_VERSION")))
        .dns_resolver(Guarded)
        .build()
        .map_err(|error| crate::error_chain(&error))
});

/// Sends a request over the network.
pub(super) fn send(request: Request) -> BoxFuture<'static, Result<Answer, String>> {
    Box::pin(async move {
        let client = CLIENT.as_ref().map_err(Clone::clone)?;
        // The URL may hold what nobody should read; the error names the check's trouble without it.
        let failed = |error: reqwest::Error| crate::error_chain(&error.without_url());
        let method = match request.method {
            HttpMethod::Get => reqwest::Method::GET,
            HttpMethod::Head => reqwest::Method::HEAD,
            HttpMethod::Post => reqwest::Method::POST,
        };
        let mut sending = client.request(method, request.url).timeout(request.timeout);
        for (name, value) in request.headers {
            sending = sending.header(name, value);
        }
        if let Some(body) = request.body {
            sending = sending.body(body);
        }
        let began = Instant::now();
        let mut answer = sending.send().await.map_err(failed)?;
        let status = answer.status().as_u16();
        let mut body = Vec::new();
        while let Some(part) = answer.chunk().await.map_err(failed)? {
            body.extend_from_slice(&part);
            if body.len() > ANSWER_BYTES_MAX {
                return Err(format!("the answer has more than {ANSWER_BYTES_MAX} bytes"));
            }
        }
        Ok(Answer { status, body, took: began.elapsed() })
    })
}

/// Whether a request may go to a URL, as far as the URL itself says.
pub(super) fn may_go_to(url: &Url) -> Result<(), String> {
    if !matches!(url.scheme(), "http" | "https") {
        return Err(format!("`{}` is neither http nor https", url.scheme()));
    }
    match address(url) {
        Some(address) if is_out_of_reach(address) => Err(OUT_OF_REACH.to_owned()),
        Some(_) | None => Ok(()),
    }
}

/// Whether a URL leads to this very machine.
pub(super) fn is_this_machine(url: &Url) -> bool {
    address(url).is_some_and(|address| address.is_loopback()) || url.host_str() == Some("localhost")
}

fn address(url: &Url) -> Option<IpAddr> {
    let host = url.host_str()?;
    host.trim_start_matches('[').trim_end_matches(']').parse().ok()
}

/// Where AWS gives out credentials: 169.254.0.0/16, `fe80::/10`, and the metadata's own `fd00:ec2::/32`.
fn is_out_of_reach(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => address.is_link_local() || address.is_unspecified(),
        IpAddr::V6(address) => {
            let metadata = Ipv6Addr::new(0xfd00, 0x0ec2, 0, 0, 0, 0, 0, 0);
            let is_metadata = address.segments().get(..2) == metadata.segments().get(..2);
            let inner = address.to_ipv4_mapped().map(IpAddr::V4);
            address.is_unicast_link_local()
                || address.is_unspecified()
                || is_metadata
                || inner.is_some_and(is_out_of_reach)
        }
    }
}

/// Looks names up and leaves out what is out of reach.
struct Guarded;

impl Resolve for Guarded {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let within: Vec<SocketAddr> =
                found.filter(|address| !is_out_of_reach(address.ip())).collect();
            if within.is_empty() {
                return Err(OUT_OF_REACH.into());
            }
            let within: Addrs = Box::new(within.into_iter());
            Ok(within)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_of_machines_are_out_of_reach() {
        for (url, may) in [
            ("http://169.254.169.254/latest/meta-data/", false),
            ("http://169.254.170.2/v2/credentials", false),
            ("http://[fd00:ec2::254]/", false),
            ("http://[fe80::1]/", false),
            ("http://[::ffff:169.254.169.254]/", false),
            ("http://0xa9fea9fe/", false),
            ("http://0.0.0.0/", false),
            ("ftp://example.com/", false),
            ("http://127.0.0.1:9090/", true),
            ("http://[fd12::1]/", true),
            ("https://example.com/", true),
        ] {
            assert_eq!(may_go_to(&Url::parse(url).unwrap()).is_ok(), may, "{url}");
        }
    }
}
