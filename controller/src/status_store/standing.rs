//! What is said of a source: whether it is `Ready`, and whether it is `Stalled`.
//!
//! It is both from one reading: a source that could not be read does not go on by itself, however often it is tried, and the
//! specs that were read before stay in force.

use crds::{Condition, ConditionStatus, ConditionType, Generation, Reason};
use jiff::Timestamp;

use super::SourceObject;

/// What came of reading a source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing<'a> {
    /// It has not been tried yet.
    Unread,
    /// It was read completely.
    Read,
    /// It was not.
    Failed {
        /// Why, for programs.
        reason: Reason,
        /// Why, for people.
        message: &'a str,
    },
}

impl SourceObject {
    /// The same with what is said of it now; what was said before keeps its time.
    #[must_use]
    pub fn standing(
        self,
        standing: Standing<'_>,
        before: Option<&SourceObject>,
        now: Timestamp,
    ) -> Self {
        let (ready, stalled, reason, message) = match standing {
            Standing::Unread => (
                ConditionStatus::Unknown,
                ConditionStatus::False,
                Reason::NotYetObserved,
                "it has not been read yet",
            ),
            Standing::Read => {
                (ConditionStatus::True, ConditionStatus::False, Reason::SourceRead, "it was read")
            }
            Standing::Failed { reason, message } => {
                (ConditionStatus::False, ConditionStatus::True, reason, message)
            }
        };
        let said = |kind, status| {
            let known = before.and_then(|before| before.condition(kind));
            Condition {
                kind,
                status,
                reason,
                message: message.to_owned(),
                observed_generation: Generation(0),
                last_transition_time: known
                    .filter(|known| known.status == status)
                    .map_or(now, |known| known.last_transition_time),
            }
        };
        let conditions =
            vec![said(ConditionType::Ready, ready), said(ConditionType::Stalled, stalled)];
        let error = match standing {
            Standing::Failed { message, .. } => Some(message.to_owned()),
            Standing::Unread | Standing::Read => None,
        };
        Self { error, conditions, ..self }
    }

    /// The condition of a type, if it has been said.
    pub fn condition(&self, kind: ConditionType) -> Option<&Condition> {
        self.conditions.iter().find(|condition| condition.kind == kind)
    }
}
