//! Terraform states: where they lie, and when they are read again.

use std::time::Duration;

use crds::TfstateName;

use super::name::Referent;
use super::referents::Answer;

/// Reads one Terraform state.
#[derive(Debug)]
pub struct StateReader {
    name: TfstateName,
    interval: Duration,
}

impl StateReader {
    /// The state's name.
    pub fn name(&self) -> &TfstateName {
        &self.name
    }

    pub(super) fn interval(&self) -> Duration {
        self.interval
    }

    pub(super) async fn read(&self, referents: Vec<Referent>) -> Vec<(Referent, Answer)> {
        let why = "states are not read yet".to_owned();
        referents
            .into_iter()
            .map(|referent| (referent, Answer::Unread { why: why.clone() }))
            .collect()
    }
}
