//! Identity and Access Management, as far as somebody asks whom a role trusts (aws.md §7.2).

use std::collections::BTreeMap;

use jiff::Timestamp;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;
use serde_json::json;

use crate::{ApiError, derived, xml::Xml};

/// The roles of one account.
#[derive(Debug)]
pub(crate) struct Iam {
    account: String,
    /// None while nobody said which there are: then nobody may look either.
    roles: Option<Vec<FixtureRole>>,
}

/// A role that exists when the sandbox starts.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct FixtureRole {
    /// Its name, without a path.
    pub name: String,
    /// The services that may take it.
    #[serde(default = "FixtureRole::default_trusts")]
    pub trusts: Vec<String>,
}

impl FixtureRole {
    fn default_trusts() -> Vec<String> {
        vec!["ecs-tasks.amazonaws.com".to_owned()]
    }
}

impl Iam {
    pub(crate) fn new(account: &str, roles: Option<&[FixtureRole]>) -> Self {
        Self { account: account.to_owned(), roles: roles.map(<[_]>::to_vec) }
    }

    /// Answers one call with what stands inside `<OperationResult>`.
    pub(crate) fn call(
        &self,
        operation: &str,
        params: &BTreeMap<String, String>,
        now: Timestamp,
    ) -> Result<String, ApiError> {
        match operation {
            "GetRole" => self.get_role(params, now),
            operation => Err(ApiError::refused(
                "InvalidAction",
                format!("Could not find operation {operation} for version 2010-05-08"),
            )),
        }
    }

    fn get_role(
        &self,
        params: &BTreeMap<String, String>,
        now: Timestamp,
    ) -> Result<String, ApiError> {
        let Some(roles) = &self.roles else {
            let denied = ApiError::denied(&self.account, "iam:GetRole");
            return Err(ApiError { code: "AccessDenied".to_owned(), http_status: 403, ..denied });
        };
        let name = params.get("RoleName").map(String::as_str).unwrap_or_default();
        let Some(role) = roles.iter().find(|role| role.name == name) else {
            let message = format!("The role with name {name} cannot be found.");
            let missing = ApiError::refused("NoSuchEntity", message);
            return Err(ApiError { http_status: 404, ..missing });
        };
        let policy = json!({
            "Version": "2012-10-17",
            "Statement": [{
                "Effect": "Allow",
                "Principal": { "Service": role.trusts },
                "Action": "sts:AssumeRole",
            }],
        });
        let policy = utf8_percent_encode(&policy.to_string(), NON_ALPHANUMERIC).to_string();
        let id = derived::alphanumeric(&format!("{}/{name}", self.account), 17).to_uppercase();
        let mut xml = Xml::new();
        xml.within("Role", |xml| {
            xml.element("Path", "/")
                .element("RoleName", name)
                .element("RoleId", format!("AROA{id}"))
                .element("Arn", format!("arn:aws:iam::{}:role/{name}", self.account))
                .element("CreateDate", now.strftime("%Y-%m-%dT%H:%M:%SZ"))
                .element("AssumeRolePolicyDocument", policy);
        });
        Ok(xml.finish())
    }
}
