//! Releases on the overview: the version, why it is this one, what waits and what is skipped.

use crds::{ConditionStatus, ConditionType};
use jiff::Timestamp;

use super::moment::Moment;
use super::view::Tone;
use crate::status_store::ReleaseObject;

/// The version in the file of `writeBack`, or why it is not there.
pub(super) struct WrittenView {
    pub(super) message: String,
    pub(super) is_missing: bool,
}

pub(super) struct ReleaseView {
    pub(super) name: String,
    pub(super) image: String,
    pub(super) tag: Option<String>,
    pub(super) digest: String,
    pub(super) message: String,
    pub(super) services: usize,
    pub(super) since: Option<Moment>,
    pub(super) skipped: Vec<String>,
    pub(super) written: Option<WrittenView>,
    pub(super) tone: &'static str,
}

impl ReleaseView {
    pub(super) fn new(object: &ReleaseObject, now: Timestamp) -> Self {
        let chosen = object.status.chosen.as_ref();
        let headline = object.headline();
        let tone = match headline.map(|said| (said.kind, said.status)) {
            Some((ConditionType::Stalled, ConditionStatus::True)) => Tone::Bad,
            Some((ConditionType::Reconciling, ConditionStatus::True)) => Tone::Busy,
            Some((_, ConditionStatus::True)) => Tone::Good,
            Some(_) | None => Tone::Dim,
        };
        Self {
            name: object.name.to_string(),
            image: chosen.map(|chosen| chosen.image.clone()).unwrap_or_default(),
            tag: chosen.map(|chosen| chosen.tag.clone()),
            digest: chosen.map(|chosen| chosen.digest.clone()).unwrap_or_default(),
            message: headline.map(|said| said.message.clone()).unwrap_or_default(),
            services: object.services.len(),
            since: chosen.map(|chosen| Moment::new(chosen.since, now)),
            skipped: object
                .status
                .skipped
                .iter()
                .map(|skipped| {
                    let tag = &skipped.tag;
                    format!("{tag} skipped: {} on {}", skipped.reason, skipped.service)
                })
                .collect(),
            written: object.written_back().map(|said| WrittenView {
                message: said.message.clone(),
                is_missing: said.status == ConditionStatus::False,
            }),
            tone: tone.class(),
        }
    }
}
