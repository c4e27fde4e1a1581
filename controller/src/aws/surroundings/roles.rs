//! Roles and whom they trust (aws.md §7.2).

use percent_encoding::percent_decode_str;
use serde_json::Value;

use super::super::account::Account;
use super::super::error::Error;
use super::super::operation::Operation;
use super::{FRESH, has_code};

/// What matters of a role.
#[derive(Debug, Clone, PartialEq)]
pub struct RoleFact {
    /// The trust policy.
    pub trust: Value,
}

impl Account {
    /// The role of this name, without a path; `None` if IAM knows none.
    pub async fn role(&self, name: &str) -> Result<Option<RoleFact>, Error> {
        let recent = &self.inner.surroundings.roles;
        recent.get(&name.to_owned(), FRESH, || self.ask_role(name)).await
    }

    async fn ask_role(&self, name: &str) -> Result<Option<RoleFact>, Error> {
        let operation = Operation::GetRole;
        let answer = self
            .inner
            .connection
            .ask_typed(operation, name, |clients| clients.iam.get_role().role_name(name).send())
            .await;
        let output = match answer {
            Ok(output) => output,
            Err(error) if has_code(&error, "NoSuchEntity") => return Ok(None),
            Err(error) => return Err(error),
        };
        let policy = output.role().and_then(|role| role.assume_role_policy_document());
        // IAM sends the policy percent-encoded.
        let policy = policy.and_then(|text| percent_decode_str(text).decode_utf8().ok());
        let trust = policy.and_then(|text| serde_json::from_str(&text).ok());
        match trust {
            Some(trust) => Ok(Some(RoleFact { trust })),
            None => Err(Error::unexpected(operation, name, "the answer has no trust policy")),
        }
    }
}
