//! Whether a commit or a tag carries the signature of somebody who may sign.
//!
//! `git verify-commit` and `git verify-tag` decide, with the keys that the configuration names and no others: there is no
//! user's keyring and no user's configuration here.

use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crds::{GitVerify, VerifyMode};

use super::cache::{LOCAL_TIME, Locked};
use super::command::{Run, settings};
use super::fetched::{Fetched, TagObject};
use super::reference::{Announced, Wanted};
use super::{GitReader, complaint};
use crate::source::SourceError;

/// Whose signatures are asked for, and on what.
#[derive(Debug, Clone)]
pub(super) struct Policy {
    mode: VerifyMode,
    allowed_signers_file: Option<String>,
    gpg_keys_file: Option<String>,
}

impl Policy {
    pub(super) fn parse(
        verify: Option<&GitVerify>,
        wanted: &Wanted,
    ) -> Result<Option<Self>, String> {
        let Some(GitVerify { mode, allowed_signers_file, gpg_keys_file }) = verify else {
            return Ok(None);
        };
        let mode = mode.unwrap_or_default();
        if allowed_signers_file.is_none() && gpg_keys_file.is_none() {
            let reason = "verify names nobody who may sign: give allowedSignersFile or gpgKeysFile";
            return Err(reason.to_owned());
        }
        let has_tag = match wanted {
            Wanted::Tag(_) | Wanted::Newest(_) => true,
            Wanted::Head | Wanted::Branch(_) | Wanted::Commit(_) => false,
        };
        if mode != VerifyMode::Commit && !has_tag {
            return Err(
                "verify asks for a signed tag, but ref names none: give tag or semver".to_owned()
            );
        }
        Ok(Some(Self {
            mode,
            allowed_signers_file: allowed_signers_file.clone(),
            gpg_keys_file: gpg_keys_file.clone(),
        }))
    }
}

impl GitReader {
    /// Returns only when everything that has to be signed is, by somebody who may.
    pub(super) async fn verify(
        &mut self,
        git_dir: &str,
        announced: &Announced,
        fetched: &Fetched,
        locked: &Locked,
    ) -> Result<(), SourceError> {
        let Some(policy) = self.verify.clone() else { return Ok(()) };
        let home = self.gpg_home(&policy, locked).await?;
        let environment = environment(&policy, &home);
        if policy.mode != VerifyMode::Tag {
            let what = format!("commit {}", fetched.id.get(..12).unwrap_or(&fetched.id));
            self.require_signed(fetched.is_signed, &what)?;
            self.verify_object(git_dir, ("verify-commit", &fetched.id), &what, &environment)
                .await?;
        }
        if policy.mode != VerifyMode::Commit {
            let wanted = announced.tag.as_deref().unwrap_or_default();
            let what = format!("tag {wanted}");
            let tag = self.annotated(fetched.tag.as_ref(), wanted, &what)?;
            self.require_signed(tag.is_signed, &what)?;
            self.verify_object(git_dir, ("verify-tag", &tag.id), &what, &environment).await?;
        }
        Ok(())
    }

    /// The tag as an object of its own. One that was signed under another name is not this tag.
    fn annotated<'a>(
        &self,
        tag: Option<&'a TagObject>,
        wanted: &str,
        what: &str,
    ) -> Result<&'a TagObject, SourceError> {
        match tag {
            None => {
                Err(self.untrusted(what, "it is lightweight, which cannot be signed".to_owned()))
            }
            Some(tag) if tag.name != wanted => {
                let name = complaint::told(tag.name.as_bytes(), &[]);
                Err(self.untrusted(what, format!("its author called it {name}")))
            }
            Some(tag) => Ok(tag),
        }
    }

    fn require_signed(&self, is_signed: bool, what: &str) -> Result<(), SourceError> {
        if is_signed {
            Ok(())
        } else {
            Err(self.untrusted(what, "it carries no signature".to_owned()))
        }
    }

    async fn verify_object(
        &mut self,
        git_dir: &str,
        (verb, id): (&str, &str),
        what: &str,
        environment: &[(OsString, OsString)],
    ) -> Result<(), SourceError> {
        let run = Run {
            doing: "verify a signature of",
            arguments: vec![git_dir.as_ref(), verb.as_ref(), id.as_ref()],
            input: Vec::new(),
            output_bytes_max: 1024 * 1024,
            time: LOCAL_TIME,
        };
        match self.git.run_with(run, environment.to_vec()).await {
            Ok(_) => Ok(()),
            Err(SourceError::Git { message, .. }) => Err(self.untrusted(
                what,
                format!("nobody who may sign has signed it: git says: {message}"),
            )),
            Err(other) => Err(other),
        }
    }

    fn untrusted(&self, what: &str, reason: String) -> SourceError {
        let place = self.remote.address.clone();
        SourceError::Untrusted { place, what: what.to_owned(), reason }
    }

    /// A home for gpg that knows the allowed keys and nothing else, made anew each time.
    async fn gpg_home(
        &mut self,
        policy: &Policy,
        _locked: &Locked,
    ) -> Result<PathBuf, SourceError> {
        if let Some(file) = &policy.allowed_signers_file {
            self.require("allowed signers", file, "")?;
        }
        let home = self.cache.home().join("gnupg");
        make_private(&home).map_err(|source| SourceError::Read { path: home.clone(), source })?;
        let Some(file) = &policy.gpg_keys_file else { return Ok(home) };
        self.require("OpenPGP keys", file, "")?;
        let run = Run {
            doing: "read the OpenPGP keys of",
            arguments: vec![
                "--batch".as_ref(),
                "--no-tty".as_ref(),
                "--quiet".as_ref(),
                "--no-autostart".as_ref(),
                "--homedir".as_ref(),
                home.as_os_str(),
                "--import".as_ref(),
                "--".as_ref(),
                file.as_ref(),
            ],
            input: Vec::new(),
            output_bytes_max: 1024 * 1024,
            time: LOCAL_TIME,
        };
        match self.git.run_gpg(run).await {
            Ok(_) => Ok(home),
            Err(SourceError::Git { message, .. }) => Err(SourceError::Secret {
                secret: "OpenPGP keys",
                place: self.remote.address.clone(),
                reason: format!("{file}: gpg says: {message}"),
            }),
            Err(other) => Err(other),
        }
    }
}

fn make_private(folder: &Path) -> io::Result<()> {
    use std::os::unix::fs::DirBuilderExt as _;

    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        Ok(()) | Err(_) => {}
    }
    fs::DirBuilder::new().mode(0o700).create(folder)
}

/// A form of signature for which no keys are given is checked by a program that accepts none.
fn environment(policy: &Policy, home: &Path) -> Vec<(OsString, OsString)> {
    let gpg = if policy.gpg_keys_file.is_some() { "gpg" } else { "false" };
    let mut all = vec![
        ("gpg.program".to_owned(), gpg.to_owned()),
        ("gpg.openpgp.program".to_owned(), gpg.to_owned()),
        ("gpg.x509.program".to_owned(), "false".to_owned()),
    ];
    match &policy.allowed_signers_file {
        Some(file) => all.push(("gpg.ssh.allowedSignersFile".to_owned(), file.clone())),
        None => all.push(("gpg.ssh.program".to_owned(), "false".to_owned())),
    }
    let mut environment = settings(all);
    environment.push(("GNUPGHOME".into(), home.as_os_str().to_owned()));
    environment
}
