//! What tasks find outside ECS when they start.

use std::collections::BTreeSet;

use jiff::Timestamp;

use crate::{
    ecr::Ecr,
    ecs::{RegistryAnswer, Surroundings},
    elb::Elb,
    secrets::Secrets,
    ssm::Ssm,
};

pub(super) struct Outside<'a> {
    pub(super) ssm: &'a Ssm,
    pub(super) secrets: &'a Secrets,
    pub(super) ecr: &'a Ecr,
    pub(super) elb: &'a Elb,
    pub(super) known: &'a BTreeSet<String>,
    /// What references to images of this account and Region begin with.
    pub(super) registry: String,
    /// Whether a repository that does not exist is an error too.
    pub(super) is_strict: bool,
    pub(super) now: Timestamp,
}

impl Surroundings for Outside<'_> {
    fn secret_exists(&self, value_from: &str) -> bool {
        self.known.contains(value_from)
            || if value_from.contains(":secretsmanager:") {
                self.secrets.resolve(value_from).is_some()
            } else {
                self.ssm.resolve(value_from).is_some()
            }
    }

    fn image(&self, reference: &str) -> Option<RegistryAnswer> {
        let path = reference.strip_prefix(&self.registry)?;
        let (repository, tag) = match (path.split_once('@'), path.split_once(':')) {
            (Some((name, digest)), _) => (name.split(':').next().unwrap_or(name), digest),
            (None, Some((name, tag))) => (name, tag),
            (None, None) => (path, "latest"),
        };
        match self.ecr.resolve(repository, tag, self.now) {
            Some(digest) => Some(RegistryAnswer::Digest(digest.to_owned())),
            None if self.is_strict || self.ecr.has_repository(repository) => {
                Some(RegistryAnswer::Missing)
            }
            None => None,
        }
    }

    fn weights(&self, rule_or_listener: &str) -> Option<Vec<(String, u32)>> {
        self.elb.weights(rule_or_listener)
    }
}
