//! Signed commits and tags: whose, and what is refused.

use crds::{GitVerify, VerifyMode};

use super::*;

/// Keys of people who sign, beside the repository.
pub(super) struct Keys(tempfile::TempDir);

impl Keys {
    pub(super) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        for name in ["ada", "mallory"] {
            let file = folder.path().join(name);
            run("ssh-keygen", &["-q", "-t", "ed25519", "-N", "", "-f", file.to_str().unwrap()]);
        }
        let key = fs::read_to_string(folder.path().join("ada.pub")).unwrap();
        fs::write(folder.path().join("allowed"), format!("ada@acme.io {key}")).unwrap();
        Self(folder)
    }

    pub(super) fn file(&self, name: &str) -> String {
        self.0.path().join(name).to_str().unwrap().to_owned()
    }

    /// Runs git, whose signatures are this person's.
    pub(super) fn sign(&self, repository: &Repository, who: &str, arguments: &[&str]) {
        let key = format!("user.signingkey={}", self.file(who));
        let arguments = [&["-c", "gpg.format=ssh", "-c", &key], arguments].concat();
        repository.git(&arguments);
    }
}

pub(super) fn run(program: &str, arguments: &[&str]) {
    let output = Command::new(program).args(arguments).output().unwrap();
    assert!(output.status.success(), "{program}: {}", String::from_utf8_lossy(&output.stderr));
}

fn place(repository: &Repository, verify: GitVerify, tag: Option<&str>) -> GitSource {
    let reference = tag.map(|tag| GitRef { tag: Some(tag.to_owned()), ..GitRef::default() });
    let url = repository.path().to_str().unwrap();
    GitSource { verify: Some(verify), reference, ..source(url) }
}

fn ssh(keys: &Keys, mode: Option<VerifyMode>) -> GitVerify {
    GitVerify { mode, allowed_signers_file: Some(keys.file("allowed")), gpg_keys_file: None }
}

async fn refused(reader: &mut GitReader) -> String {
    let error = reader.fetch().await.unwrap_err();
    assert!(matches!(error, SourceError::Untrusted { .. }), "{error}");
    assert_eq!(error.reason(), crds::Reason::SourceUntrusted);
    error.to_string()
}

#[tokio::test]
async fn only_commits_of_allowed_signers_are_taken() {
    let (repository, keys) = (Repository::new(), Keys::new());
    repository.write("web.yaml", "v1");
    repository.git(&["add", "--all"]);
    keys.sign(&repository, "ada", &["commit", "--quiet", "-S", "-m", "signed"]);
    let good = repository.git(&["rev-parse", "HEAD"]);
    let mut reading = reading(&place(&repository, ssh(&keys, None), None));
    assert_eq!(reading.reader.fetch().await.unwrap().revision().as_str(), good);
    let plain = repository.commit_file("web.yaml", "v2");
    let told = refused(&mut reading.reader).await;
    assert!(told.starts_with(&format!("cannot trust commit {} of /", &plain[..12])), "{told}");
    assert!(told.ends_with("it carries no signature"), "{told}");
    keys.sign(&repository, "mallory", &["commit", "--quiet", "-S", "--amend", "-m", "mallory's"]);
    let told = refused(&mut reading.reader).await;
    assert!(told.contains("nobody who may sign has signed it"), "{told}");
    keys.sign(&repository, "ada", &["commit", "--quiet", "-S", "--amend", "-m", "ada's"]);
    let again = repository.git(&["rev-parse", "HEAD"]);
    let snapshot = reading.reader.fetch().await.unwrap();
    assert_eq!(snapshot.revision().as_str(), again);
    assert_eq!(snapshot.description().unwrap().split(' ').next(), Some("ada's"));
}

#[tokio::test]
async fn a_commit_that_was_changed_after_it_was_signed_is_refused() {
    let (repository, keys) = (Repository::new(), Keys::new());
    repository.commit_file("web.yaml", "v1");
    keys.sign(&repository, "ada", &["commit", "--quiet", "--allow-empty", "-S", "-m", "signed"]);
    let raw = repository.git(&["cat-file", "commit", "HEAD"]).replace("\nsigned", "\nforged\n");
    repository.write("forged", &raw);
    let forged = repository.git(&["hash-object", "-t", "commit", "-w", "forged"]);
    repository.git(&["update-ref", "refs/heads/main", &forged]);
    let told = refused(&mut reading(&place(&repository, ssh(&keys, None), None)).reader).await;
    assert!(told.contains("nobody who may sign has signed it"), "{told}");
}

#[tokio::test]
async fn tags_are_verified_under_their_own_name() {
    let (repository, keys) = (Repository::new(), Keys::new());
    let commit = repository.commit_file("web.yaml", "v1");
    keys.sign(&repository, "ada", &["tag", "-s", "v1.0.0", "-m", "signed"]);
    keys.sign(&repository, "mallory", &["tag", "-s", "v1.1.0", "-m", "mallory's"]);
    repository.git(&["tag", "-a", "v1.2.0", "-m", "annotated"]);
    repository.git(&["tag", "v1.3.0"]);
    repository.git(&["update-ref", "refs/tags/v9.0.0", "refs/tags/v1.0.0"]);
    let tag = |name: &str, mode: VerifyMode| {
        reading(&place(&repository, ssh(&keys, Some(mode)), Some(name)))
    };
    let mut good = tag("v1.0.0", VerifyMode::Tag);
    assert_eq!(good.reader.fetch().await.unwrap().revision().as_str(), commit);
    for (name, why) in [
        ("v1.1.0", "nobody who may sign has signed it"),
        ("v1.2.0", "it carries no signature"),
        ("v1.3.0", "it is lightweight, which cannot be signed"),
        ("v9.0.0", "its author called it v1.0.0"),
    ] {
        let told = refused(&mut tag(name, VerifyMode::Tag).reader).await;
        assert!(told.starts_with(&format!("cannot trust tag {name} of /")), "{told}");
        assert!(told.contains(why), "{told}");
    }
    let told = refused(&mut tag("v1.0.0", VerifyMode::CommitAndTag).reader).await;
    assert!(told.contains("cannot trust commit"), "{told}");
}

#[tokio::test]
async fn openpgp_signatures_are_verified_with_the_given_keys_alone() {
    let (repository, keys) = (Repository::new(), Keys::new());
    let home = tempfile::Builder::new().prefix("gpg").tempdir().unwrap();
    let home = home.path().to_str().unwrap();
    let gpg = |arguments: &[&str]| {
        run(
            "gpg",
            &[&["--homedir", home, "--batch", "--quiet", "--passphrase", ""], arguments].concat(),
        );
    };
    for who in ["ada@acme.io", "mallory@acme.io"] {
        gpg(&["--quick-gen-key", who, "ed25519", "sign", "never"]);
        gpg(&["--armor", "--output", &keys.file(who), "--export", who]);
    }
    let program = keys.file("gpg");
    fs::write(&program, format!("#!/bin/sh\nexec gpg --homedir {home} \"$@\"\n")).unwrap();
    run("chmod", &["+x", &program]);
    let commit = |who: &str| {
        let (program, key) = (format!("gpg.program={program}"), format!("user.signingkey={who}"));
        repository.git(&[
            "-c",
            &program,
            "-c",
            &key,
            "commit",
            "--quiet",
            "--allow-empty",
            "-S",
            "-m",
            who,
        ]);
    };
    repository.commit_file("web.yaml", "v1");
    commit("ada@acme.io");
    let policy =
        GitVerify { gpg_keys_file: Some(keys.file("ada@acme.io")), ..GitVerify::default() };
    let mut reading_gpg = reading(&place(&repository, policy, None));
    let snapshot = reading_gpg.reader.fetch().await.unwrap();
    assert!(snapshot.description().unwrap().starts_with("ada@acme.io"));
    let told = refused(&mut reading(&place(&repository, ssh(&keys, None), None)).reader).await;
    assert!(
        told.contains("nobody who may sign has signed it"),
        "an OpenPGP key is no ssh key: {told}"
    );
    commit("mallory@acme.io");
    let told = refused(&mut reading_gpg.reader).await;
    assert!(told.contains("nobody who may sign has signed it"), "{told}");
    keys.sign(&repository, "ada", &["commit", "--quiet", "--allow-empty", "-S", "-m", "by ssh"]);
    refused(&mut reading_gpg.reader).await;
    run("gpgconf", &["--homedir", home, "--kill", "all"]);
}

#[tokio::test]
async fn keys_that_are_not_there_are_named() {
    let (repository, keys) = (Repository::new(), Keys::new());
    repository.commit_file("web.yaml", "v1");
    for (policy, secret) in [
        (
            GitVerify { allowed_signers_file: Some(keys.file("absent")), ..GitVerify::default() },
            "allowed signers",
        ),
        (
            GitVerify { gpg_keys_file: Some(keys.file("absent")), ..GitVerify::default() },
            "OpenPGP keys",
        ),
        (
            GitVerify { gpg_keys_file: Some(keys.file("ada.pub")), ..GitVerify::default() },
            "OpenPGP keys",
        ),
    ] {
        let error = reading(&place(&repository, policy, None)).reader.fetch().await.unwrap_err();
        assert!(error.to_string().starts_with(&format!("cannot read the {secret} of ")), "{error}");
    }
}

#[test]
fn a_policy_that_cannot_be_kept_is_refused() {
    let cache = tempfile::tempdir().unwrap();
    let keys = Some("/keys".to_owned());
    for (verify, reason) in [
        (GitVerify::default(), "verify names nobody who may sign"),
        (
            GitVerify {
                mode: Some(VerifyMode::Tag),
                allowed_signers_file: keys,
                ..GitVerify::default()
            },
            "verify asks for a signed tag, but ref names none",
        ),
    ] {
        let place = GitSource { verify: Some(verify), ..source("/srv/fleet.git") };
        let error = GitReader::new(&place, access(cache.path())).unwrap_err();
        assert!(error.to_string().contains(reason), "{error}");
    }
}

#[tokio::test]
async fn tags_of_an_application_are_listed_and_verified_one_by_one() {
    let (repository, keys) = (Repository::new(), Keys::new());
    let first = repository.commit_file("main.rs", "v1");
    keys.sign(&repository, "ada", &["tag", "-s", "v1.0.0", "-m", "signed"]);
    let second = repository.commit_file("main.rs", "v2");
    keys.sign(&repository, "mallory", &["tag", "-s", "v1.1.0", "-m", "mallory's"]);
    repository.git(&["tag", "v1.2.0"]);
    let cache = tempfile::tempdir().unwrap();
    let source = place(&repository, ssh(&keys, None), None);
    let mut tags = TagReader::new(&source, true, access(cache.path())).unwrap();
    let listed: Vec<_> = tags.list().await.unwrap().into_iter().collect();
    let named = |tag: &str, commit: &String| (tag.to_owned(), commit.clone());
    let expected = [named("v1.0.0", &first), named("v1.1.0", &second), named("v1.2.0", &second)];
    assert_eq!(listed, expected);
    tags.verify("v1.0.0", &first).await.unwrap();
    for (tag, why) in [("v1.1.0", "nobody who may sign"), ("v1.2.0", "it is lightweight")] {
        let error = tags.verify(tag, &second).await.unwrap_err();
        assert!(matches!(error, SourceError::Untrusted { .. }), "{error}");
        assert!(error.to_string().contains(why), "{error}");
    }
    // A tag that was moved since it was listed is not the one that was asked about, and that is no verdict about it.
    repository.git(&["tag", "--force", "v1.2.0", &first]);
    let error = tags.verify("v1.2.0", &second).await.unwrap_err();
    assert!(!matches!(error, SourceError::Untrusted { .. }), "{error}");
    assert_eq!(tags.list().await.unwrap()["v1.2.0"], first);
}
