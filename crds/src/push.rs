//! How commits are made and pushed to a Git source, for releases with `writeBack`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{GithubApp, SecretFrom, Ssh};

/// How commits are made and pushed to a Git source. Without it they are not signed, and pushed with what reads the source.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct GitPush {
    /// Who commits. Default: `Longshore <noreply@longshore.dev>`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub author: Option<CommitAuthor>,
    /// The key that signs commits. Default: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sign: Option<CommitSigning>,
    /// The token for https. Default, as for the two below: what reads the source.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<SecretFrom>,
    /// A GitHub App whose installation may write to the repository, instead of a token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub github_app: Option<GithubApp>,
    /// The key and known hosts for ssh.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ssh: Option<Ssh>,
}

/// Who commits. Commits on a branch for a pull request are replaced only where this is who made them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CommitAuthor {
    /// The name. Default `Longshore`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The address. Default `noreply@longshore.dev`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
}

/// The key that signs commits, without a passphrase: exactly one of the fields.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CommitSigning {
    /// The file with a private ssh key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ssh_key_file: Option<String>,
    /// The file with a secret OpenPGP key, as `gpg --export-secret-keys` writes it. `gpg` and its agent have to be installed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gpg_key_file: Option<String>,
}
