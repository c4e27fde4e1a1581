//! One account's services in one Region.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::{
    ApiError, Fixtures, ImageRule,
    ecs::{Ecs, RegistryAnswer, Surroundings},
    wire::Input,
};

/// One account's services in one Region; tests look at it and change it.
pub struct Region {
    account: String,
    ecs: Ecs,
    known: KnownSecrets,
}

/// What can be read by a task that starts.
#[derive(Debug, Default)]
struct KnownSecrets {
    names: BTreeSet<String>,
}

impl Surroundings for KnownSecrets {
    fn secret_exists(&self, value_from: &str) -> bool {
        self.names.contains(value_from)
    }

    fn image(&self, _reference: &str) -> Option<RegistryAnswer> {
        None
    }
}

impl Region {
    pub(crate) fn new(account: &str, region: &str, seed: u64, fixtures: &Fixtures) -> Self {
        Self {
            account: account.to_owned(),
            ecs: Ecs::new(account, region, seed, fixtures),
            known: KnownSecrets::default(),
        }
    }

    /// Runs what is due.
    pub(crate) fn advance(&mut self, now: Timestamp) {
        self.ecs.advance(now, &self.known);
    }

    pub(crate) fn call(
        &mut self,
        api: &str,
        operation: &str,
        input: &Input,
        now: Timestamp,
    ) -> Result<Value, ApiError> {
        match (api, input) {
            ("ecs", Input::Json(input)) => self.ecs.call(operation, input, now),
            ("sts", Input::Form(_)) if operation == "GetCallerIdentity" => Ok(json!(format!(
                "<UserId>AIDASANDBOX</UserId><Account>{0}</Account><Arn>arn:aws:iam::{0}:user/sandbox</Arn>",
                self.account
            ))),
            _ => Err(ApiError::refused(
                "UnknownOperationException",
                format!("The sandbox does not know the operation {operation} of {api}."),
            )),
        }
    }

    /// Puts a rule for images before all others; tasks that pull from now on follow it.
    pub fn set_image(&mut self, rule: ImageRule) {
        self.ecs.set_image(rule);
    }

    /// Makes a parameter or secret exist, by what `valueFrom` says.
    pub fn set_secret(&mut self, value_from: &str) {
        self.known.names.insert(value_from.to_owned());
    }
}
