//! Whether the checks that name no stage say anything, asked where a rollout with stages can still wait: silence must not
//! pass for success.

use crds::CheckState;
use jiff::Timestamp;

use super::{Analysis, DesiredCheck, Looked, Part, Verdict};

impl Analysis {
    /// What the checks that go on all along say in the middle of a rollout. Only its end tells whether they have passed; here
    /// each whose time has come has to have said something, of the production traffic if there is any, and not to have
    /// fallen silent since.
    pub fn spoken(&self, checks: &[DesiredCheck], now: Timestamp) -> Verdict {
        if let Some(sentence) = &self.failed {
            return Verdict::Failed(sentence.clone());
        }
        let along = self.looked(checks, Part::Along);
        let heard: Vec<(CheckState, &Looked<'_>)> = along
            .iter()
            .filter(|looked| looked.check.at.is_empty())
            .map(|looked| (looked.heard(self.traffic, now), looked))
            .collect();
        let first = |wanted: CheckState| {
            let (_, looked) = heard.iter().find(|(state, _)| *state == wanted)?;
            let told = looked.told(now);
            let old = if looked.is_before(self.traffic) {
                "; not measured since production traffic moved"
            } else {
                ""
            };
            Some(format!("check `{}`: {told}{old}", looked.check.name))
        };
        if let Some(sentence) = first(CheckState::Failed) {
            Verdict::Failed(sentence)
        } else if let Some(sentence) = first(CheckState::Inconclusive) {
            Verdict::Inconclusive(sentence)
        } else if let Some(sentence) = first(CheckState::Running) {
            Verdict::Running(sentence)
        } else {
            Verdict::Passed
        }
    }
}

impl Looked<'_> {
    /// `Passed` when it says something, or need not yet: before there is production traffic a check may be waiting for its
    /// first measurement.
    fn heard(&self, traffic: Option<Timestamp>, now: Timestamp) -> CheckState {
        match self.state(now) {
            state @ (CheckState::Failed | CheckState::Inconclusive) => state,
            CheckState::Waiting => {
                let is_due = self.next(now).is_some_and(|next| next <= now);
                let is_awaited = self.began.is_some() && (traffic.is_some() || is_due);
                if is_awaited { CheckState::Running } else { CheckState::Passed }
            }
            CheckState::Running | CheckState::Passed => {
                let is_silent = self.tally.unclear_since.is_some() || self.is_before(traffic);
                if is_silent { CheckState::Running } else { CheckState::Passed }
            }
        }
    }

    /// Whether its last word is from before there was production traffic.
    fn is_before(&self, traffic: Option<Timestamp>) -> bool {
        let last = self.tally.last.as_ref().map(|last| last.time);
        matches!((last, traffic), (Some(last), Some(traffic)) if last < traffic)
    }
}
