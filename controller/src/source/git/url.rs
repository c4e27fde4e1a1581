//! Which repository is meant, how it is reached, and how it may be named in messages.

use std::path::PathBuf;

/// A repository's address, taken apart far enough to be safe on a command line and in a message.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Remote {
    /// What `git` is given: no user, password or query for http.
    pub(super) address: String,
    /// How it is reached.
    pub(super) transport: Transport,
    /// User and password that the URL carried.
    pub(super) embedded: Option<Embedded>,
}

/// How a repository is reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Transport {
    /// `https://`, with scheme and host for the scope of credentials.
    Https { origin: String },
    /// `http://`, written out by the user.
    Http { origin: String, is_loopback: bool },
    /// `ssh://` or `user@host:path`.
    Ssh,
    /// A path or `file://`.
    Local { path: PathBuf },
}

/// Credentials that were written into a URL.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Embedded {
    pub(super) user: String,
    pub(super) password: Option<String>,
}

impl std::fmt::Debug for Remote {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Remote").field(&self.address).finish()
    }
}

impl Transport {
    /// The only protocol that git may use, also for what it is redirected to.
    pub(super) fn protocol(&self) -> &'static str {
        match self {
            Self::Https { .. } => "https",
            Self::Http { .. } => "http",
            Self::Ssh => "ssh",
            Self::Local { .. } => "file",
        }
    }
}

impl Remote {
    /// Takes an address apart; the error says what is wrong with it, without credentials.
    pub(super) fn parse(url: &str) -> Result<Self, String> {
        if url.is_empty() {
            return Err("the URL is empty".to_owned());
        }
        if url.starts_with('-') || url.chars().any(char::is_control) {
            return Err("the URL must not start with `-` or hold control characters".to_owned());
        }
        if let Some((scheme, rest)) = url.split_once("://") {
            return Self::with_scheme(&scheme.to_ascii_lowercase(), rest);
        }
        match url.find([':', '/']) {
            Some(colon) if url[colon..].starts_with("::") => {
                Err(format!("transport `{}` is not allowed: use https, ssh or file", &url[..colon]))
            }
            Some(colon) if url[colon..].starts_with(':') => Self::ssh(&url[..colon], url),
            Some(_) | None => Ok(Self::local(url)),
        }
    }

    fn with_scheme(scheme: &str, rest: &str) -> Result<Self, String> {
        match scheme {
            "https" | "http" => Self::http(scheme, rest),
            "ssh" => {
                let authority = rest.split('/').next().unwrap_or_default();
                let host = match authority.rsplit_once('@') {
                    Some((user, host)) => {
                        let user = user.split(':').next().unwrap_or_default();
                        format!("{user}@{host}")
                    }
                    None => authority.to_owned(),
                };
                let path = rest.strip_prefix(authority).unwrap_or_default();
                Self::ssh(&host, &format!("ssh://{host}{path}"))
            }
            "file" => Ok(Self::local(rest)),
            other => Err(format!("transport `{other}` is not allowed: use https, ssh or file")),
        }
    }

    fn http(scheme: &str, rest: &str) -> Result<Self, String> {
        let rest = rest.split(['?', '#']).next().unwrap_or_default();
        let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
        let (embedded, host) = match authority.rsplit_once('@') {
            Some((user, host)) => (Some(embedded(user)), host),
            None => (None, authority),
        };
        if host.is_empty() || host.starts_with('-') {
            return Err("the URL names no host".to_owned());
        }
        let origin = format!("{scheme}://{host}/");
        let address = format!("{origin}{path}");
        let transport = if scheme == "https" {
            Transport::Https { origin }
        } else {
            Transport::Http { is_loopback: is_loopback(host), origin }
        };
        Ok(Self { address, transport, embedded })
    }

    fn ssh(host: &str, address: &str) -> Result<Self, String> {
        let bare = host.rsplit_once('@').map_or(host, |(_, bare)| bare);
        if bare.is_empty() || bare.starts_with('-') || host.starts_with('-') {
            return Err("the URL names no host".to_owned());
        }
        Ok(Self { address: address.to_owned(), transport: Transport::Ssh, embedded: None })
    }

    fn local(path: &str) -> Self {
        let path = PathBuf::from(path);
        let path = std::path::absolute(&path).unwrap_or(path);
        Self {
            address: path.display().to_string(),
            transport: Transport::Local { path },
            embedded: None,
        }
    }
}

fn embedded(user: &str) -> Embedded {
    let decode =
        |text: &str| percent_encoding::percent_decode_str(text).decode_utf8_lossy().into_owned();
    match user.split_once(':') {
        Some((user, password)) => Embedded { user: decode(user), password: Some(decode(password)) },
        None => Embedded { user: decode(user), password: None },
    }
}

fn is_loopback(host: &str) -> bool {
    let name = match host.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => host.split(':').next().unwrap_or_default(),
    };
    name == "localhost"
        || name.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_taken_apart() {
        for (url, protocol, address) in [
            ("https://github.com/acme/fleet.git", "https", "https://github.com/acme/fleet.git"),
            ("HTTPS://ada:s3cret@git.acme.io/fleet", "https", "https://git.acme.io/fleet"),
            ("https://git.acme.io/fleet?token=s3cret", "https", "https://git.acme.io/fleet"),
            ("http://127.0.0.1:3000/fleet", "http", "http://127.0.0.1:3000/fleet"),
            ("git@github.com:acme/fleet.git", "ssh", "git@github.com:acme/fleet.git"),
            ("ssh://git:s3cret@host:22/fleet", "ssh", "ssh://git@host:22/fleet"),
            ("file:///srv/fleet.git", "file", "/srv/fleet.git"),
            ("/srv/fleet:1.git", "file", "/srv/fleet:1.git"),
        ] {
            let remote = Remote::parse(url).unwrap();
            assert_eq!((remote.transport.protocol(), remote.address.as_str()), (protocol, address));
        }
    }

    #[test]
    fn what_could_run_a_program_is_refused() {
        for url in [
            "--upload-pack=touch /tmp/x",
            "ext::sh -c touch% x",
            "fd::17",
            "ftp://host/fleet",
            "ssh://-oProxyCommand=x/fleet",
            "-oProxyCommand=x:fleet",
            "git@-oProxyCommand=x:fleet",
            "https:///fleet",
            "https://host/a\nb",
            "",
        ] {
            assert!(Remote::parse(url).is_err(), "{url}");
        }
    }

    #[test]
    fn credentials_are_kept_apart_and_out_of_sight() {
        let remote = Remote::parse("https://ada:p%40ss@git.acme.io/fleet").unwrap();
        let embedded = remote.embedded.clone().unwrap();
        assert_eq!((embedded.user.as_str(), embedded.password.as_deref()), ("ada", Some("p@ss")));
        assert!(!format!("{remote:?}").contains("p@ss"));
    }

    #[test]
    fn loopback_is_known() {
        for host in ["localhost:8080", "127.0.0.1", "[::1]:80"] {
            assert!(is_loopback(host), "{host}");
        }
        assert!(!is_loopback("localhost.acme.io") && !is_loopback("10.0.0.1"));
    }
}
