//! Windows: at what times changes may roll tasks.
//!
//! A schedule is read by the wall clock of its zone. A start that the clock skips, because it is put forward, is the moment
//! at which it is; of a start that comes twice, because it is put back, the first counts. A duration is elapsed time,
//! whatever the clock does meanwhile. Both keep the order of the wall clock, on which the searches here rely.

use crds::{Window, WindowKind};
use croner::Cron;
use croner::parser::{CronParser, Seconds, Year};
use jiff::civil::{DateTime, date};
use jiff::tz::{AmbiguousOffset, TimeZone};
use jiff::{SignedDuration, Span, Timestamp};

use crate::zone;

/// How far the next opening is looked for.
const HORIZON: SignedDuration = SignedDuration::from_hours(400 * 24);
/// How many beginnings and ends are looked at on the way.
const STEPS_MAX: usize = 1_000;
/// How many starts are passed over while the clock shows a time twice.
const TWICE_MAX: usize = 240;

const FORM: &str = "its form is `minute hour day month weekday`, as in `0 9 * * MON-FRI`";

/// The windows of a spec.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Windows {
    windows: Vec<Timed>,
    /// A window that cannot be read: nobody knows when it allows anything.
    has_unreadable: bool,
}

/// What the windows say of a moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Opening {
    /// Changes may roll tasks.
    Now,
    /// They may from then on.
    At(Timestamp),
    /// They may not, as far as can be seen.
    Never,
}

/// What is wrong with a member of a window.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The member's name.
    pub member: &'static str,
    /// The value and the rule it breaks.
    pub message: String,
    /// What would be right.
    pub hint: String,
}

/// A window whose schedule has been read.
#[derive(Debug, Clone, PartialEq)]
struct Timed {
    kind: WindowKind,
    cron: Cron,
    zone: TimeZone,
    duration: SignedDuration,
}

impl Windows {
    /// Reads the windows of a spec. The rules refuse a spec with one that cannot be read.
    pub fn of(windows: &[Window]) -> Self {
        let read: Vec<Timed> =
            windows.iter().filter_map(|window| Timed::read(window).ok()).collect();
        let has_unreadable = read.len() < windows.len();
        Self { windows: read, has_unreadable }
    }

    /// Whether changes may roll tasks at a moment, and else when next.
    pub fn opening(&self, now: Timestamp) -> Opening {
        if self.has_unreadable {
            return Opening::Never;
        }
        let horizon = now.checked_add(HORIZON).unwrap_or(Timestamp::MAX);
        let mut moment = now;
        for _ in 0..STEPS_MAX {
            if self.is_open(moment) {
                return if moment == now { Opening::Now } else { Opening::At(moment) };
            }
            let next = self.windows.iter().filter_map(|window| window.turns_after(moment)).min();
            match next.filter(|next| *next <= horizon) {
                Some(next) => moment = next,
                None => break,
            }
        }
        Opening::Never
    }

    fn is_open(&self, moment: Timestamp) -> bool {
        let any =
            |kind| self.windows.iter().any(|window| window.kind == kind && window.contains(moment));
        let has_allowed = self.windows.iter().any(|window| window.kind == WindowKind::Allow);
        !any(WindowKind::Deny) && (!has_allowed || any(WindowKind::Allow))
    }
}

/// Everything that is wrong with a window.
pub fn faults(window: &Window) -> Vec<Fault> {
    Timed::read(window).err().unwrap_or_default()
}

impl Timed {
    fn read(window: &Window) -> Result<Self, Vec<Fault>> {
        let cron = cron(&window.schedule);
        let name = window.timezone.as_deref().unwrap_or("UTC");
        let zone = zone::find(name).map_err(|unknown| Fault {
            member: "timezone",
            message: unknown.message,
            hint: unknown.hint,
        });
        let duration = duration(window);
        match (cron, zone, duration) {
            (Ok(cron), Ok(zone), Ok(duration)) => {
                Ok(Self { kind: window.kind, cron, zone, duration })
            }
            (cron, zone, duration) => {
                Err([cron.err(), zone.err(), duration.err()].into_iter().flatten().collect())
            }
        }
    }

    fn contains(&self, moment: Timestamp) -> bool {
        self.last_start(moment).and_then(|start| self.end(start)).is_some_and(|end| moment < end)
    }

    /// When it next begins or ends.
    fn turns_after(&self, moment: Timestamp) -> Option<Timestamp> {
        let end = self.last_start(moment).and_then(|start| self.end(start));
        [end.filter(|end| *end > moment), self.next_start(moment)].into_iter().flatten().min()
    }

    fn end(&self, start: Timestamp) -> Option<Timestamp> {
        start.checked_add(self.duration).ok()
    }

    /// The last start that is not after a moment.
    fn last_start(&self, moment: Timestamp) -> Option<Timestamp> {
        let mut from = self.zone.to_datetime(moment);
        if self.shows_twice(from) {
            // The clock may already have shown later times once.
            from = from.checked_add(Span::new().hours(3)).ok()?;
        }
        let mut is_inclusive = true;
        for _ in 0..TWICE_MAX {
            let start = self.cron.find_previous_occurrence(&from, is_inclusive).ok()?;
            match self.instant(start)? {
                instant if instant <= moment => return Some(instant),
                _ => (from, is_inclusive) = (start, false),
            }
        }
        None
    }

    /// The first start after a moment.
    fn next_start(&self, moment: Timestamp) -> Option<Timestamp> {
        let mut from = self.zone.to_datetime(moment);
        for _ in 0..TWICE_MAX {
            from = self.cron.find_next_occurrence(&from, false).ok()?;
            let instant = self.instant(from)?;
            if instant > moment {
                return Some(instant);
            }
        }
        None
    }

    fn shows_twice(&self, shown: DateTime) -> bool {
        let offset = self.zone.to_ambiguous_timestamp(shown).offset();
        matches!(offset, AmbiguousOffset::Fold { .. })
    }

    /// The moment at which the clock first shows a time; where it skips it, the moment at which it does.
    fn instant(&self, shown: DateTime) -> Option<Timestamp> {
        let moment = self.zone.to_ambiguous_timestamp(shown);
        match moment.offset() {
            AmbiguousOffset::Unambiguous { .. } | AmbiguousOffset::Fold { .. } => {
                moment.earlier().ok()
            }
            AmbiguousOffset::Gap { .. } => {
                let before = moment.earlier().ok()?;
                self.zone.following(before).next().map(|change| change.timestamp())
            }
        }
    }
}

fn cron(text: &str) -> Result<Cron, Fault> {
    let fault = |message: String| Fault { member: "schedule", message, hint: FORM.to_owned() };
    let fields = text.split_whitespace().count();
    if fields != 5 {
        return Err(fault(format!("`{text}` has {fields} fields and needs 5")));
    }
    let parser = CronParser::builder().seconds(Seconds::Disallowed).year(Year::Disallowed).build();
    let cron = parser
        .parse(text)
        .map_err(|error| fault(format!("`{text}` is not a cron expression: {error}")))?;
    match cron.find_next_occurrence(&date(2000, 1, 1).at(0, 0, 0, 0), true) {
        Ok(_) => Ok(cron),
        Err(_) => Err(fault(format!("`{text}` names a time that never comes"))),
    }
}

fn duration(window: &Window) -> Result<SignedDuration, Fault> {
    let fault = |message: String| Fault {
        member: "duration",
        message,
        hint: "say how long the window lasts, as in `8h`".to_owned(),
    };
    let duration = window.duration.get();
    if duration.is_zero() {
        return Err(fault(format!("`{}` is no time at all", window.duration)));
    }
    SignedDuration::try_from(duration)
        .ok()
        .filter(|duration| *duration <= HORIZON)
        .ok_or_else(|| fault(format!("`{}` is longer than 400 days", window.duration)))
}

#[cfg(test)]
mod tests;
