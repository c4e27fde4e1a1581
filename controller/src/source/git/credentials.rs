//! What a repository's host is shown, and where it comes from.

use crds::{GitSource, SecretFrom};

use super::command::Credentials;
use super::ssh::Settings;
use super::url::{Remote, Transport};
use super::{GitReader, Secrets};
use crate::source::SourceError;

/// What to do where the file with the host keys is missing.
const WRITE_KNOWN_HOSTS: &str = "; write the line that `ssh-keyscan` prints for the host into it, after comparing it with \
                                 what the host's owner publishes";

/// What is wrong with a source's credentials.
pub(super) fn check(source: &GitSource, remote: &Remote) -> Result<(), String> {
    let GitSource { token, github_app, ssh, .. } = source;
    let given = [token.is_some(), github_app.is_some(), ssh.is_some()];
    if given.into_iter().filter(|is_given| *is_given).count() > 1 {
        return Err("give one of token, githubApp and ssh".to_owned());
    }
    let has_token = token.is_some() || github_app.is_some() || remote.embedded.is_some();
    match remote.transport {
        Transport::Http { is_loopback: false, .. } if has_token => {
            Err("a token would travel unencrypted: use https".to_owned())
        }
        Transport::Http { .. }
        | Transport::Https { .. }
        | Transport::Ssh
        | Transport::Local { .. } => Ok(()),
    }
}

impl GitReader {
    /// The credentials for the next commands, read anew.
    pub(super) async fn credentials(&mut self) -> Result<Credentials, SourceError> {
        if let Some(ssh) = &self.ssh {
            self.require("key", &ssh.key_file, "")?;
            self.require("known hosts", &ssh.known_hosts_file, WRITE_KNOWN_HOSTS)?;
            let home = self.cache.home();
            let settings = Settings::write(home, &ssh.key_file, &ssh.known_hosts_file);
            let unwritten = |source| SourceError::Read { path: home.to_owned(), source };
            return settings.map(Credentials::Ssh).map_err(unwritten);
        }
        if let Some(app) = &mut self.app {
            let key = read(&self.read_secret, app.private_key(), "private key", &self.remote)?;
            let password = app.token(&key, &self.remote.address).await?;
            return Ok(Credentials::Basic { user: "x-access-token".to_owned(), password });
        }
        let embedded = self.remote.embedded.as_ref();
        if let Some(from) = &self.token {
            let token = read(&self.read_secret, from, "token", &self.remote)?;
            let user = embedded.map_or("x-access-token", |embedded| &embedded.user).to_owned();
            return Ok(Credentials::Basic { user, password: token.trim().to_owned() });
        }
        Ok(match embedded {
            Some(embedded) => Credentials::Basic {
                user: embedded.user.clone(),
                password: embedded.password.clone().unwrap_or_default(),
            },
            None => Credentials::None,
        })
    }

    /// A file that another program needs, which would go on without it and fail later, in words that do not name it.
    pub(super) fn require(
        &self,
        secret: &'static str,
        file: &str,
        advice: &'static str,
    ) -> Result<(), SourceError> {
        std::fs::File::open(file).map(drop).map_err(|error| SourceError::Secret {
            secret,
            place: self.remote.address.clone(),
            reason: format!("{file}: {error}{advice}"),
        })
    }
}

fn read(
    secrets: &Secrets,
    from: &SecretFrom,
    secret: &'static str,
    remote: &Remote,
) -> Result<String, SourceError> {
    let place = remote.address.clone();
    (secrets.0)(from).map_err(|reason| SourceError::Secret { secret, place, reason })
}
