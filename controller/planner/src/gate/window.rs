//! What the windows of a spec say at a gate: production traffic moves inside of them only.
//!
//! A window that closes while a rollout goes on holds it at its next gate, and never takes it back.

use crds::Reason;
use jiff::Timestamp;

use super::{Pause, Verdict};
use crate::waiting::Windows;
use crate::waiting::window::Opening;

/// What the windows say of a rollout that waits.
pub fn at_window(windows: &Windows, pause: &Pause<'_>, now: Timestamp) -> Verdict {
    let message = match windows.opening(now) {
        Opening::Now => return Verdict::Pass,
        Opening::At(next) => {
            let comes_late = pause.hook.expires_at.is_some_and(|end| end <= next);
            let late = if comes_late {
                ", after the gate has ended: `longshore sync --now` or `longshore promote` lets it go before that"
            } else {
                ""
            };
            format!("`rollout.windows` lets production traffic move again at {next}{late}")
        }
        Opening::Never => {
            "`rollout.windows` lets no production traffic move within 400 days".to_owned()
        }
    };
    Verdict::Wait { reason: Reason::OutsideWindow, message }
}

/// When a gate that waits for a window opens; `None` where it waits for none, or for one that is not in sight.
pub fn opens_at(windows: &Windows, pause: &Pause<'_>, now: Timestamp) -> Option<Timestamp> {
    if !pause.gate.window {
        return None;
    }
    match windows.opening(now) {
        Opening::At(next) => Some(next),
        Opening::Now | Opening::Never => None,
    }
}
