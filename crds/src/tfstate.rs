//! Where a Terraform state lies.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{HumanDuration, TargetName, TfstateName};

/// A Terraform state that `${tfstate:address}` and `${tfstate:NAME/address}` read: exactly one of `s3` and `file`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TerraformState {
    /// The name that references use. The one called `default` is read where a reference names none. Default: `default`.
    #[serde(default)]
    pub name: TfstateName,
    /// An object of an S3 bucket, as Terraform's backend `s3` writes it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub s3: Option<S3TerraformState>,
    /// A file on this machine; relative paths start at the folder of the configuration file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// How often it is asked whether the state has changed. Default `1m`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interval: Option<HumanDuration>,
}

/// An object of an S3 bucket.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct S3TerraformState {
    /// The bucket's name.
    pub bucket: String,
    /// The object's key. With workspaces it is `env:/WORKSPACE/KEY`.
    pub key: String,
    /// The bucket's region. Default: the target's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// Whose credentials read it, by the name of a target. Default `default`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<TargetName>,
}

/// The one place that a Terraform state names.
#[derive(Debug, Clone, PartialEq)]
pub enum TerraformLocation {
    /// An object of an S3 bucket.
    S3(S3TerraformState),
    /// A file on this machine.
    File(String),
}

impl TerraformState {
    /// The one place named, or what is wrong with the choice.
    pub fn location(&self) -> Result<TerraformLocation, String> {
        match (&self.s3, &self.file) {
            (Some(s3), None) => Ok(TerraformLocation::S3(s3.clone())),
            (None, Some(file)) => Ok(TerraformLocation::File(file.clone())),
            (None, None) => {
                Err(format!("state `{}` names no place: give one of s3, file", self.name))
            }
            (Some(_), Some(_)) => {
                Err(format!("state `{}` names two places: give one of s3, file", self.name))
            }
        }
    }
}
