//! Faults that a test asks for.

use std::time::Duration;

use crate::ApiError;

/// A fault in the answers to some calls.
#[derive(Debug, Clone)]
pub struct Fault {
    /// The API by its signing name; `*` for all.
    pub api: String,
    /// The operation; `*` for all.
    pub operation: String,
    /// How many matching calls pass before the first fault.
    pub skip: u32,
    /// How many calls it hits; without end if `None`.
    pub times: Option<u32>,
    /// How probable it is at each matching call, from 0 to 1.
    pub probability: f64,
    /// What happens.
    pub kind: FaultKind,
}

impl Fault {
    /// A fault at the next matching call.
    pub fn once(api: &str, operation: &str, kind: FaultKind) -> Self {
        Self {
            api: api.to_owned(),
            operation: operation.to_owned(),
            skip: 0,
            times: Some(1),
            probability: 1.0,
            kind,
        }
    }
}

/// What happens to a call.
#[derive(Debug, Clone)]
pub enum FaultKind {
    /// It is refused with this answer; nothing changes.
    Error {
        /// The exception's short name.
        code: String,
        /// The text for people.
        message: String,
        /// The HTTP status.
        status: u16,
    },
    /// It is refused as one too many; nothing changes.
    Throttle,
    /// It takes this much longer.
    Latency(Duration),
    /// It is applied, and the connection is reset before the answer.
    DropReply,
    /// The connection is reset before the call is read.
    Refuse,
    /// Neither is it applied nor answered.
    Hang,
}

/// What the faults say about one call.
#[derive(Debug, Clone, Default)]
pub(crate) struct Verdict {
    pub(crate) error: Option<ApiError>,
    pub(crate) latency: Duration,
    pub(crate) drops_reply: bool,
    pub(crate) refuses: bool,
    pub(crate) hangs: bool,
}

/// The faults that are still to come.
#[derive(Debug, Default)]
pub(crate) struct Faults {
    waiting: Vec<Fault>,
}

impl Faults {
    pub(crate) fn inject(&mut self, fault: Fault) {
        self.waiting.push(fault);
    }

    pub(crate) fn clear(&mut self) {
        self.waiting.clear();
    }

    /// Judges one call; each fault that matches counts it.
    pub(crate) fn judge(&mut self, api: &str, operation: &str, rng: &mut fastrand::Rng) -> Verdict {
        let mut verdict = Verdict::default();
        for fault in &mut self.waiting {
            let matches = |pattern: &str, text: &str| pattern == "*" || pattern == text;
            if !matches(&fault.api, api) || !matches(&fault.operation, operation) {
                continue;
            }
            if fault.skip > 0 {
                fault.skip -= 1;
                continue;
            }
            if rng.f64() >= fault.probability {
                continue;
            }
            if let Some(times) = &mut fault.times {
                if *times == 0 {
                    continue;
                }
                *times -= 1;
            }
            verdict.add(&fault.kind);
        }
        self.waiting.retain(|fault| fault.times != Some(0));
        verdict
    }
}

impl Verdict {
    fn add(&mut self, kind: &FaultKind) {
        match kind {
            FaultKind::Error { code, message, status } => {
                let refusal = ApiError::refused(code, message.clone());
                self.error = Some(ApiError { http_status: *status, ..refusal });
            }
            FaultKind::Throttle => {
                self.error = Some(ApiError::refused("ThrottlingException", "Rate exceeded"));
            }
            FaultKind::Latency(more) => self.latency += *more,
            FaultKind::DropReply => self.drops_reply = true,
            FaultKind::Refuse => self.refuses = true,
            FaultKind::Hang => self.hangs = true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_skips_then_hits_then_ends() {
        let mut faults = Faults::default();
        let mut rng = fastrand::Rng::with_seed(1);
        let fault = Fault::once("ecs", "UpdateService", FaultKind::Throttle);
        faults.inject(Fault { skip: 1, times: Some(2), ..fault });
        let mut hit = |operation: &str| faults.judge("ecs", operation, &mut rng).error.is_some();
        assert!(!hit("DescribeServices"));
        let found: Vec<bool> = (0..4).map(|_| hit("UpdateService")).collect();
        assert_eq!(found, [false, true, true, false]);
    }

    #[test]
    fn probability_hits_about_as_often_as_it_says() {
        let mut faults = Faults::default();
        let mut rng = fastrand::Rng::with_seed(7);
        let fault = Fault::once("*", "*", FaultKind::DropReply);
        faults.inject(Fault { times: None, probability: 0.25, ..fault });
        let hits = (0..1000).filter(|_| faults.judge("ssm", "GetParameters", &mut rng).drops_reply);
        assert!((200..300).contains(&hits.count()));
    }
}
