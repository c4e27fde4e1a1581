//! Who commits, and with which key.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crds::{CommitAuthor, CommitSigning};

use super::cache::LOCAL_TIME;
use super::command::{Git, Run, settings};
use super::push::GitWriter;
use crate::source::SourceError;

const NAME: &str = "Longshore";
const EMAIL: &str = "noreply@longshore.dev";

/// Who commits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Identity {
    name: String,
    pub(super) email: String,
    key: Option<Key>,
}

/// The file with the key that signs.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Key {
    Ssh(String),
    Gpg(String),
}

/// A key that is ready to sign.
pub(super) enum Signing {
    Ssh { key_file: String },
    Gpg { fingerprint: String, home: GpgHome },
}

/// A home for gpg that holds one secret key, for as long as a signature takes.
pub(super) struct GpgHome(PathBuf);

impl Drop for GpgHome {
    fn drop(&mut self) {
        // Without its home the agent ends by itself, should it not have been ended before.
        let _ = fs::remove_dir_all(&self.0);
    }
}

impl Identity {
    pub(super) fn parse(
        author: Option<&CommitAuthor>,
        sign: Option<&CommitSigning>,
    ) -> Result<Self, String> {
        let author = author.cloned().unwrap_or_default();
        let checked = |field: &str, value: Option<String>, default: &str| match value {
            None => Ok(default.to_owned()),
            Some(value) if is_fit(&value) => Ok(value.trim().to_owned()),
            Some(_) => Err(format!(
                "push.author.{field} has to be a text in one line, without `<` and `>`"
            )),
        };
        let key = match sign {
            None => None,
            Some(CommitSigning { ssh_key_file: Some(file), gpg_key_file: None }) => {
                Some(Key::Ssh(file.clone()))
            }
            Some(CommitSigning { ssh_key_file: None, gpg_key_file: Some(file) }) => {
                Some(Key::Gpg(file.clone()))
            }
            Some(_) => {
                return Err(
                    "push.sign names no key, or two: give one of sshKeyFile and gpgKeyFile"
                        .to_owned(),
                );
            }
        };
        Ok(Self {
            name: checked("name", author.name, NAME)?,
            email: checked("email", author.email, EMAIL)?,
            key,
        })
    }

    pub(super) fn signs(&self) -> bool {
        self.key.is_some()
    }

    /// The environment of `commit-tree`.
    pub(super) fn environment(&self, signing: Option<&Signing>) -> Vec<(OsString, OsString)> {
        let mut environment: Vec<(OsString, OsString)> = Vec::new();
        for role in ["AUTHOR", "COMMITTER"] {
            environment.push((format!("GIT_{role}_NAME").into(), self.name.clone().into()));
            environment.push((format!("GIT_{role}_EMAIL").into(), self.email.clone().into()));
        }
        let (format, key) = match signing {
            None => return environment,
            Some(Signing::Ssh { key_file }) => ("ssh", key_file),
            Some(Signing::Gpg { fingerprint, home }) => {
                environment.push(("GNUPGHOME".into(), home.0.clone().into_os_string()));
                ("openpgp", fingerprint)
            }
        };
        environment.extend(settings(vec![
            ("gpg.format".to_owned(), format.to_owned()),
            ("user.signingKey".to_owned(), key.clone()),
        ]));
        environment
    }
}

/// What Git writes into a commit as it is.
fn is_fit(text: &str) -> bool {
    !text.trim().is_empty()
        && !text.chars().any(|letter| letter.is_control() || "<>".contains(letter))
}

impl GitWriter {
    /// The key that signs, made ready; `None` where none is asked for.
    pub(super) async fn signing(&mut self) -> Result<Option<Signing>, SourceError> {
        match self.identity.key.clone() {
            None => Ok(None),
            Some(Key::Ssh(file)) => {
                self.reader.require("signing key", &file, "")?;
                // Git takes what is no path for a key itself.
                let path = std::path::absolute(&file).unwrap_or_else(|_| file.clone().into());
                Ok(Some(Signing::Ssh { key_file: path.display().to_string() }))
            }
            Some(Key::Gpg(file)) => {
                self.reader.require("signing key", &file, "")?;
                self.gpg(&file).await.map(Some)
            }
        }
    }

    async fn gpg(&mut self, file: &str) -> Result<Signing, SourceError> {
        let path = std::env::temp_dir().join(format!("longshore-gpg-{:016x}", fastrand::u64(..)));
        make_private(&path).map_err(|source| SourceError::Read { path: path.clone(), source })?;
        let home = GpgHome(path);
        let unusable = |place: &str, reason: String| SourceError::Secret {
            secret: "signing key",
            place: place.to_owned(),
            reason: format!("{file}: {reason}"),
        };
        let place = self.reader.remote.address.clone();
        let git = &mut self.reader.git;
        let imported =
            run_gpg(git, &home.0, &["--import".as_ref(), "--".as_ref(), file.as_ref()]).await;
        let listed = match imported {
            Ok(_) => {
                run_gpg(git, &home.0, &["--with-colons".as_ref(), "--list-secret-keys".as_ref()])
                    .await
            }
            Err(error) => Err(error),
        };
        let fingerprint = match listed {
            Ok(listed) => fingerprint(&String::from_utf8_lossy(&listed)),
            Err(SourceError::Git { message, .. }) => {
                end_agent(git, &home.0).await;
                return Err(unusable(&place, format!("gpg says: {message}")));
            }
            Err(other) => return Err(other),
        };
        let Some(fingerprint) = fingerprint else {
            end_agent(git, &home.0).await;
            return Err(unusable(&place, "it holds no secret OpenPGP key".to_owned()));
        };
        Ok(Signing::Gpg { fingerprint, home })
    }
}

impl Signing {
    /// Leaves nothing of the key behind.
    pub(super) async fn end(self, git: &mut Git) {
        match self {
            Self::Ssh { .. } => {}
            Self::Gpg { home, .. } => end_agent(git, &home.0).await,
        }
    }
}

async fn run_gpg(git: &mut Git, home: &Path, more: &[&OsStr]) -> Result<Vec<u8>, SourceError> {
    let mut arguments: Vec<&OsStr> =
        vec!["--batch".as_ref(), "--no-tty".as_ref(), "--quiet".as_ref()];
    arguments.extend([OsStr::new("--homedir"), home.as_os_str()]);
    arguments.extend(more);
    git.run_gpg(gpg_run(arguments)).await
}

/// Ends the agent that gpg has started for the key.
async fn end_agent(git: &mut Git, home: &Path) {
    let arguments: Vec<&OsStr> =
        vec!["--homedir".as_ref(), home.as_os_str(), "--kill".as_ref(), "gpg-agent".as_ref()];
    if let Err(error) = git.run_gpgconf(gpg_run(arguments)).await {
        tracing::debug!(%error, "gpg's agent not ended");
    }
}

fn gpg_run(arguments: Vec<&OsStr>) -> Run<'_> {
    Run {
        doing: "read the signing key of",
        arguments,
        input: Vec::new(),
        output_bytes_max: 1024 * 1024,
        time: LOCAL_TIME,
    }
}

/// The first key of a listing of secret keys.
fn fingerprint(listing: &str) -> Option<String> {
    let line = listing.lines().find(|line| line.starts_with("fpr:"))?;
    line.split(':').nth(9).filter(|found| !found.is_empty()).map(str::to_owned)
}

fn make_private(folder: &Path) -> io::Result<()> {
    use std::os::unix::fs::DirBuilderExt as _;

    fs::DirBuilder::new().mode(0o700).create(folder)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_author_is_who_the_configuration_says_and_fits_into_a_commit() {
        let author = |name: &str| CommitAuthor { name: Some(name.to_owned()), email: None };
        let ada = Identity::parse(Some(&author("Ada Lovelace")), None).unwrap();
        assert_eq!((ada.name.as_str(), ada.email.as_str()), ("Ada Lovelace", EMAIL));
        assert_eq!(Identity::parse(None, None).unwrap().name, NAME);
        for name in ["", "  ", "Ada <ada@b>", "Ada\nparent x", "a\u{0}b"] {
            let told = Identity::parse(Some(&author(name)), None).unwrap_err();
            assert!(told.starts_with("push.author.name has to be"), "{told}");
        }
    }

    #[test]
    fn exactly_one_key_signs() {
        let file = || Some("/keys/x".to_owned());
        for (ssh_key_file, gpg_key_file) in [(None, None), (file(), file())] {
            let sign = CommitSigning { ssh_key_file, gpg_key_file };
            assert!(Identity::parse(None, Some(&sign)).is_err());
        }
        let sign = CommitSigning { ssh_key_file: file(), gpg_key_file: None };
        assert!(Identity::parse(None, Some(&sign)).unwrap().signs());
    }

    #[test]
    fn the_first_secret_key_of_a_listing_signs() {
        let listing = "sec:u:255:22:AA:1:::u:::scESC:::+::ed25519:::0:\nfpr:::::::::ABCDEF:\ngrp:::::::::99:\n";
        assert_eq!(fingerprint(listing).as_deref(), Some("ABCDEF"));
        assert_eq!(fingerprint(""), None);
    }
}
