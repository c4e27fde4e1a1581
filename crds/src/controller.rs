//! Kind `Controller`: the operator's own configuration.

use std::num::NonZeroU32;

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    Events, HumanDuration, ObjectMeta, SourceName, SyncPolicy, TargetName, TerraformState, Webhook,
};

/// The API group and version of every object.
pub const API_VERSION: &str = "longshore.dev/v1alpha1";

/// The operator's own configuration.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Controller {
    /// `longshore.dev/v1alpha1`.
    #[schemars(regex(pattern = "^longshore\\.dev/v1alpha1$"))]
    pub api_version: String,
    /// `Controller`.
    #[schemars(regex(pattern = "^Controller$"))]
    pub kind: String,
    /// Its name is the owner's identity, written into the tag `longshore.dev/owner` of everything it manages.
    pub metadata: ObjectMeta,
    /// Where specs come from and where they go.
    #[serde(default)]
    pub spec: ControllerSpec,
}

/// Where specs come from, which accounts they go to, and what the operator serves.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ControllerSpec {
    /// Where specs are read from.
    #[serde(default)]
    pub sources: Vec<Source>,
    /// Accounts and regions. Without any, `default` is the account and region of the standard AWS environment.
    #[serde(default)]
    pub targets: Vec<Target>,
    /// Values for `${var:name}` in specs.
    #[serde(default)]
    #[schemars(with = "std::collections::BTreeMap<String, String>")]
    pub vars: IndexMap<String, String>,
    /// Terraform states for `${tfstate:address}` in specs.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tfstate: Vec<TerraformState>,
    /// Git repositories that releases follow by their tags, where they need credentials or signatures are asked for. Those of
    /// the sources need not be repeated.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub repositories: Vec<GitRepository>,
    /// How often every service is compared with AWS, beside what triggers bring. Default `1m`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interval: Option<HumanDuration>,
    /// Which old revisions of task definitions are deregistered. Default: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retention: Option<Retention>,
    /// The status server.
    #[serde(default)]
    pub http: Http,
    /// Webhooks that make sources be read at once. A source is read once an interval in any case.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub webhooks: Vec<Webhook>,
    /// A queue of AWS's events, which make services be looked at at once. They are looked at once an interval in any case.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub events: Option<Events>,
    /// Where it is kept what people said and how releases ended. Without it in memory, until the process ends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<State>,
    /// What the requests of checks may use.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checks: Option<crate::Checks>,
}

/// Which revisions of task definitions stay registered. Deregistering cannot be undone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Retention {
    /// How many of the newest revisions of each family stay, beside those that a service, a deployment, a task or a
    /// rollout to go back to still names. Revisions that Longshore did not register stay as well. Default: 10.
    #[serde(default = "ten")]
    pub revisions: NonZeroU32,
}

const fn ten() -> NonZeroU32 {
    NonZeroU32::MIN.saturating_add(9)
}

/// One place that specs are read from: exactly one of `git`, `s3` and `directory`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Source {
    /// The source's name, written into the tag `longshore.dev/source`.
    pub name: SourceName,
    /// A Git repository.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub git: Option<GitSource>,
    /// A prefix of an S3 bucket.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub s3: Option<S3Source>,
    /// A directory on this machine.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub directory: Option<DirectorySource>,
    /// The policy for every service of this source.
    #[serde(default)]
    pub sync: SyncPolicy,
}

/// The one place that a source names.
#[derive(Debug, Clone, PartialEq)]
pub enum SourceLocation {
    /// A Git repository.
    Git(Box<GitSource>),
    /// A prefix of an S3 bucket.
    S3(S3Source),
    /// A directory on this machine.
    Directory(DirectorySource),
}

impl Source {
    /// The one place named, or what is wrong with the choice.
    pub fn location(&self) -> Result<SourceLocation, String> {
        match (&self.git, &self.s3, &self.directory) {
            (Some(git), None, None) => Ok(SourceLocation::Git(Box::new(git.clone()))),
            (None, Some(s3), None) => Ok(SourceLocation::S3(s3.clone())),
            (None, None, Some(directory)) => Ok(SourceLocation::Directory(directory.clone())),
            (None, None, None) => Err(format!(
                "source `{}` names no place: give one of git, s3, directory",
                self.name
            )),
            _ => Err(format!(
                "source `{}` names more than one place: give one of git, s3, directory",
                self.name
            )),
        }
    }
}

/// A Git repository.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct GitSource {
    /// `https://…`, `ssh://…`, `git@host:path`, `file://…` or a path on this machine.
    pub url: String,
    /// Which commit. Default: the branch that the repository's HEAD names.
    #[serde(default, rename = "ref", skip_serializing_if = "Option::is_none")]
    pub reference: Option<GitRef>,
    /// The folder in the repository that holds the specs. Default: its root.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// How often the repository is asked for news. Default `1m`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interval: Option<HumanDuration>,
    /// The token for https.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<SecretFrom>,
    /// A GitHub App whose installation may read the repository, instead of a token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub github_app: Option<GithubApp>,
    /// The key and known hosts for ssh.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ssh: Option<Ssh>,
    /// What may become of commits that were in force. Default: they stay part of the history.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub history: Option<GitHistory>,
    /// Which signatures are asked for. Default: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verify: Option<GitVerify>,
    /// How commits are made and pushed, for releases with `writeBack`. Default: unsigned, with what reads the source.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub push: Option<crate::GitPush>,
}

/// A Git repository that releases follow by its tags.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct GitRepository {
    /// The address, as releases write it.
    pub url: String,
    /// The token for https.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<SecretFrom>,
    /// A GitHub App whose installation may read the repository, instead of a token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub github_app: Option<GithubApp>,
    /// The key and known hosts for ssh.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ssh: Option<Ssh>,
    /// Whose signatures of tags count. Its `mode` is not used: it is the tag that has to be signed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verify: Option<GitVerify>,
}

impl From<GitRepository> for GitSource {
    fn from(repository: GitRepository) -> Self {
        let GitRepository { url, token, github_app, ssh, verify } = repository;
        Self { url, token, github_app, ssh, verify, ..Self::default() }
    }
}

/// Which commit of a repository: exactly one of the fields.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct GitRef {
    /// The newest commit of this branch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub branch: Option<String>,
    /// The commit that this tag names.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tag: Option<String>,
    /// The commit of the newest version among the tags that this range allows: `>=1.0`, `^1.4`, `1.x`, `>=1.4, <2`. Tags may
    /// start with `v`; pre-releases count only where the range names one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub semver: Option<String>,
    /// This commit, by its full id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit: Option<String>,
}

/// A GitHub App, which gets tokens that live for an hour.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct GithubApp {
    /// The App's id, or its client id.
    pub app_id: String,
    /// The id of its installation in the account that owns the repository.
    pub installation_id: u64,
    /// The App's private key, as GitHub gives it out (PEM).
    pub private_key: SecretFrom,
    /// The API. Default `https://api.github.com`; GitHub Enterprise Server: `https://HOST/api/v3`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub api: Option<String>,
}

/// What is done when a commit that was in force is no part of the history any more, or a tag names another commit.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct GitHistory {
    /// `refuse` (default): the last good commit stays in force until a person confirms. `follow`: the new one is taken and
    /// an event says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rewrites: Option<Rewrites>,
    /// The full id of a commit that a person has looked at: history that holds it, and tags that name it, are taken.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confirmed: Option<String>,
}

/// Whether rewritten history is taken.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Rewrites {
    /// Not before a person confirms.
    #[default]
    Refuse,
    /// Yes, with an event.
    Follow,
}

/// Which signatures are asked for, and whose. At least one of the files is needed.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct GitVerify {
    /// `commit` (default), `tag`, or `commitAndTag`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mode: Option<VerifyMode>,
    /// The file with the ssh keys that may sign, as ssh-keygen's ALLOWED SIGNERS: `ada@acme.io ssh-ed25519 AAAA…`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub allowed_signers_file: Option<String>,
    /// The file with the public OpenPGP keys that may sign, as `gpg --export` writes them. `gpg` has to be installed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gpg_keys_file: Option<String>,
}

/// What has to be signed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum VerifyMode {
    /// The commit that is read.
    #[default]
    Commit,
    /// The annotated tag that names it.
    Tag,
    /// Both.
    CommitAndTag,
}

/// Where a secret of the operator itself is read from, each time it is needed: exactly one of the fields.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SecretFrom {
    /// The name of an environment variable.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub env: Option<String>,
    /// A file; white space around its content is dropped.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
}

/// How to reach a repository by ssh.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Ssh {
    /// The file with the private key.
    pub key_file: String,
    /// The file with the host keys that are trusted; a host that is not in it is refused.
    pub known_hosts_file: String,
}

/// A prefix of an S3 bucket.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct S3Source {
    /// The bucket's name.
    pub bucket: String,
    /// Objects whose keys start with this are read. Default: all.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub prefix: String,
    /// The bucket's region. Default: the target's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// Whose credentials read it, by the name of a target. Default `default`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<TargetName>,
    /// The account that the bucket has to belong to, in twelve digits; a bucket of another one is not read. Default: any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = "^[0-9]{12}$"))]
    pub expected_owner: Option<String>,
    /// How often the prefix is listed. Default `1m`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interval: Option<HumanDuration>,
}

/// A directory on this machine.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DirectorySource {
    /// The directory; relative paths start at the folder of the configuration file.
    pub path: String,
}

/// Where holds, approvals and the release history are kept: exactly one of the fields.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct State {
    /// A directory on this machine; relative paths start at the folder of the configuration file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub directory: Option<String>,
    /// A prefix of an S3 bucket.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub s3: Option<S3State>,
}

/// A prefix of an S3 bucket that belongs to this operator alone.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct S3State {
    /// The bucket's name.
    pub bucket: String,
    /// What the keys of its objects start with. Default: nothing.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub prefix: String,
    /// The bucket's region. Default: the default target's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
}

/// One account and region.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Target {
    /// The name that specs use. The one called `default` serves specs that name none.
    pub name: TargetName,
    /// The region. Default: the standard AWS environment's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// A role to assume for every call.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role_arn: Option<String>,
    /// The external id that the role's trust policy asks for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub external_id: Option<String>,
    /// How many services may roll tasks at a time; the others wait in line. Default: no limit but AWS's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_concurrent_rollouts: Option<NonZeroU32>,
}

/// The status server.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Http {
    /// Address and port. Default `127.0.0.1:8080`. Beyond loopback `auth` is required.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub listen: Option<String>,
    /// Who may read beyond `/healthz` and `/readyz`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub auth: Option<Auth>,
}

/// Who may read the status, and who may give orders.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Auth {
    /// The token that `Authorization: Bearer …` must carry. It may read and give orders; as an actor it is called `token`.
    pub token: SecretFrom,
    /// Further tokens, each with the name under which its orders are recorded.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tokens: Vec<NamedToken>,
}

/// A token with a name.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NamedToken {
    /// The name under which its orders are recorded.
    #[schemars(regex(pattern = "^[A-Za-z0-9][A-Za-z0-9._@-]{0,63}$"))]
    pub name: String,
    /// Where the token is read from.
    pub token: SecretFrom,
    /// Whether it may give orders. Default `true`; with `false` it reads only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub orders: Option<bool>,
}
