//! One account's services in one Region.

mod edit;
mod outside;

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde_json::Value;

use self::outside::Outside;
use crate::{
    ApiError, Fixtures, autoscaling::AutoScaling, ecr::Ecr, ecs::Ecs, secrets::Secrets, ssm::Ssm,
    wire::Input,
};

/// One account's services in one Region; tests look at it and change it.
pub struct Region {
    account: String,
    name: String,
    now: Timestamp,
    pub(crate) ecs: Ecs,
    ssm: Ssm,
    secrets: Secrets,
    ecr: Ecr,
    scaling: AutoScaling,
    /// What `valueFrom` may also say, beyond parameters and secrets that exist.
    known: BTreeSet<String>,
    strict_images: bool,
}

/// What a call answers before it is written.
pub(crate) enum Answer {
    Json(Value),
    /// What stands within `<OperationResult>`.
    Xml(String),
}

impl Region {
    /// An account's Region without what the fixtures put into it.
    pub(crate) fn empty(account: &str, region: &str, seed: u64, fixtures: &Fixtures) -> Self {
        Self {
            account: account.to_owned(),
            name: region.to_owned(),
            now: Timestamp::MIN,
            ecs: Ecs::new(account, region, seed, fixtures),
            ssm: Ssm::new(account, region),
            secrets: Secrets::new(account, region),
            ecr: Ecr::new(account, region),
            scaling: AutoScaling::new(account, region),
            known: BTreeSet::new(),
            strict_images: fixtures.strict_images,
        }
    }

    /// Puts in what the fixtures say; the error names what cannot be.
    pub(crate) fn load(&mut self, fixtures: &Fixtures, now: Timestamp) -> Result<(), String> {
        let in_words = |kind: &str, name: &str, error: &ApiError| {
            format!("cannot load {kind} {name}: {}", error.message)
        };
        for one in &fixtures.parameters {
            self.ssm.load(one, now).map_err(|error| in_words("parameter", &one.name, &error))?;
        }
        for one in &fixtures.secrets {
            self.secrets.load(one, now).map_err(|error| in_words("secret", &one.name, &error))?;
        }
        for one in &fixtures.repositories {
            self.ecr.load(one, now).map_err(|error| in_words("repository", &one.name, &error))?;
        }
        Ok(())
    }

    /// Runs what is due, each thing at its own time.
    pub(crate) fn advance(&mut self, now: Timestamp) {
        self.now = self.now.max(now);
        while let Some(when) = self.scaling.next_due().filter(|when| *when <= now) {
            self.advance_ecs(when);
            self.scaling.advance(when, &mut self.ecs);
        }
        self.advance_ecs(now);
    }

    fn advance_ecs(&mut self, now: Timestamp) {
        let outside = Outside {
            ssm: &self.ssm,
            secrets: &self.secrets,
            ecr: &self.ecr,
            known: &self.known,
            registry: format!("{}.dkr.ecr.{}.amazonaws.com/", self.account, self.name),
            is_strict: self.strict_images,
            now,
        };
        self.ecs.advance(now, &outside);
    }

    /// Answers one call; what was due has been run.
    pub(crate) fn call(
        &mut self,
        api: &str,
        operation: &str,
        input: &Input,
        now: Timestamp,
    ) -> Result<Answer, ApiError> {
        match (api, input) {
            ("ecs", Input::Json(input)) => self.ecs.call(operation, input, now),
            ("ssm", Input::Json(input)) => self.ssm.call(operation, input, now),
            ("secretsmanager", Input::Json(input)) => self.secrets.call(operation, input, now),
            ("ecr", Input::Json(input)) => self.ecr.call(operation, input, now),
            ("application-autoscaling", Input::Json(input)) => {
                self.scaling.call(operation, input, now, &mut self.ecs)
            },
            ("sts", Input::Form(_)) if operation == "GetCallerIdentity" => {
                return Ok(Answer::Xml(format!(
                    "<UserId>AIDASANDBOX</UserId><Account>{0}</Account><Arn>arn:aws:iam::{0}:user/sandbox</Arn>",
                    self.account
                )));
            },
            _ => Err(ApiError::refused(
                "UnknownOperationException",
                format!("The sandbox does not know the operation {operation} of {api}."),
            )),
        }
        .map(Answer::Json)
    }
}
