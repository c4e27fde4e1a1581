//! Scheduled actions (aws.md §5.3).

use std::collections::BTreeSet;

use crds::Scaling;
use crds::scaling::ScheduledAction;
use croner::parser::{CronParser, Seconds, Year};
use jiff::Timestamp;
use jiff::civil::DateTime;

use super::super::finding::{Finding, error};
use super::super::words::{each, is_open};
use super::{ACTIONS_MAX, NAME_MAX, SCALING};
use crate::zone;

const FORMS: &str =
    "its forms are `at(2026-05-01T08:00:00)`, `rate(1 day)` and `cron(0 8 ? * MON-FRI *)`";

pub(super) fn check(scaling: &Scaling, found: &mut Vec<Finding>) {
    let actions = scaling.scheduled.as_deref();
    let count = actions.map_or(0, <[_]>::len);
    if count > ACTIONS_MAX {
        found.push(error(
            format!("{SCALING}.scheduled"),
            format!("has `{count}` actions; there may be {ACTIONS_MAX}"),
        ));
    }
    let mut seen = BTreeSet::new();
    for (at, action) in each(SCALING, "scheduled", actions) {
        name(&at, action, &mut seen, found);
        if !is_open(&action.schedule)
            && let Err((message, hint)) = schedule(&action.schedule)
        {
            found.push(error(format!("{at}.schedule"), message).hint(hint));
        }
        zone(&at, action, found);
        times(&at, action, found);
        bounds(&at, action, found);
    }
}

fn name<'a>(
    at: &str,
    action: &'a ScheduledAction,
    seen: &mut BTreeSet<&'a str>,
    found: &mut Vec<Finding>,
) {
    let (path, name) = (format!("{at}.name"), action.name.as_str());
    let is_forbidden = |letter: char| letter.is_control() || ":/|".contains(letter);
    if is_open(name) {
    } else if name.is_empty()
        || name.len() > NAME_MAX
        || name.trim() != name
        || name.chars().any(is_forbidden)
    {
        let nearest: String = name
            .trim()
            .chars()
            .map(|one| if is_forbidden(one) { '-' } else { one })
            .take(NAME_MAX)
            .collect();
        found.push(
            error(path, format!("`{name}` is not an action's name: none of `:`, `/` and `|`, no space at the ends"))
                .hint(format!("the nearest is {nearest}")),
        );
    } else if !seen.insert(name) {
        found.push(
            error(path, format!("`{name}` names two actions")).hint("give it a name of its own"),
        );
    }
}

/// What is wrong with a schedule, and what would be right.
fn schedule(text: &str) -> Result<(), (String, String)> {
    let inside = |open: &str| text.strip_prefix(open).and_then(|rest| rest.strip_suffix(')'));
    if let Some(when) = inside("at(") {
        let has_form = when.len() == 19 && when.as_bytes().get(10) == Some(&b'T');
        return match when.parse::<DateTime>() {
            Ok(_) if has_form => Ok(()),
            Ok(_) | Err(_) => Err((
                format!("`{text}` is not a time"),
                "its form is at(yyyy-mm-ddThh:mm:ss)".to_owned(),
            )),
        };
    }
    if let Some(rate) = inside("rate(") {
        return rate_of(rate).map_err(|nearest| (format!("`{text}` is not a rate"), nearest));
    }
    match inside("cron(") {
        Some(fields) => cron(text, fields),
        None => Err((format!("`{text}` is not a schedule"), FORMS.to_owned())),
    }
}

fn rate_of(rate: &str) -> Result<(), String> {
    const UNITS: [&str; 6] = ["minute", "minutes", "hour", "hours", "day", "days"];
    let form = || "its form is rate(<number> minutes), hours or days".to_owned();
    let (count, unit) = rate.split_once(' ').ok_or_else(form)?;
    let count: u32 = count.parse().map_err(|_| form())?;
    if count == 0 {
        return Err("the nearest is rate(1 minute)".to_owned());
    }
    if UNITS.contains(&unit) { Ok(()) } else { Err(form()) }
}

fn cron(text: &str, fields: &str) -> Result<(), (String, String)> {
    let fields: Vec<&str> = fields.split_whitespace().collect();
    let [minute, hour, month_day, month, week_day, rest @ ..] = fields.as_slice() else {
        return Err((
            format!("`{text}` has {} fields and needs 6", fields.len()),
            FORMS.to_owned(),
        ));
    };
    let [year] = rest else {
        let hint = if rest.is_empty() && *week_day == "*" {
            format!("the nearest is cron({minute} {hour} {month_day} {month} ? *)")
        } else if rest.is_empty() {
            format!("the nearest is cron({minute} {hour} ? {month} {week_day} *)")
        } else {
            FORMS.to_owned()
        };
        return Err((format!("`{text}` has {} fields and needs 6", fields.len()), hint));
    };
    if (*month_day == "?") == (*week_day == "?") {
        let nearest = if *week_day == "*" || *week_day == "?" {
            let day = if *month_day == "?" { "*" } else { month_day };
            format!("cron({minute} {hour} {day} {month} ? {year})")
        } else {
            format!("cron({minute} {hour} ? {month} {week_day} {year})")
        };
        return Err((
            format!("`{text}` needs `?` for exactly one of day of the month and day of the week"),
            format!("the nearest is {nearest}"),
        ));
    }
    let parser = CronParser::builder()
        .seconds(Seconds::Required)
        .year(Year::Required)
        .alternative_weekdays(true)
        .sloppy_ranges(true)
        .build();
    let pattern = format!("0 {}", fields.join(" ").replace('?', "*"));
    match parser.parse(&pattern) {
        Ok(_) => Ok(()),
        Err(error) => {
            Err((format!("`{text}` is not a cron expression: {error}"), FORMS.to_owned()))
        }
    }
}

/// The zone has to be known, unless this machine knows none.
fn zone(at: &str, action: &ScheduledAction, found: &mut Vec<Finding>) {
    let Some(name) = action.timezone.as_deref().filter(|name| !is_open(name)) else { return };
    if let Err(unknown) = zone::find(name)
        && !zone::is_database_missing()
    {
        found.push(error(format!("{at}.timezone"), unknown.message).hint(unknown.hint));
    }
}

fn times(at: &str, action: &ScheduledAction, found: &mut Vec<Finding>) {
    let mut moment = |member: &str, text: Option<&str>| -> Option<Timestamp> {
        let text = text.filter(|text| !is_open(text))?;
        let parsed = text.parse().ok();
        if parsed.is_none() {
            let hint = match text.parse::<DateTime>() {
                Ok(_) => format!("the nearest is {text}Z"),
                Err(_) => "its form is 2026-05-01T08:00:00Z".to_owned(),
            };
            let message = format!("`{text}` is not a moment with its offset");
            found.push(error(format!("{at}.{member}"), message).hint(hint));
        }
        parsed
    };
    let start = moment("startTime", action.start_time.as_deref());
    let end = moment("endTime", action.end_time.as_deref());
    if let (Some(start), Some(end)) = (start, end)
        && end <= start
    {
        found.push(
            error(format!("{at}.endTime"), format!("`{end}` is not after startTime `{start}`"))
                .hint("give a later moment, or leave it out"),
        );
    }
}

fn bounds(at: &str, action: &ScheduledAction, found: &mut Vec<Finding>) {
    match (action.min_capacity, action.max_capacity) {
        (None, None) => found.push(
            error(at, format!("`{}` sets neither minCapacity nor maxCapacity", action.name))
                .hint("give at least one of them"),
        ),
        (Some(min), Some(max)) if min > max => found.push(
            error(format!("{at}.minCapacity"), format!("`{min}` is more than maxCapacity `{max}`"))
                .hint(format!("the nearest is {max}")),
        ),
        (Some(_), _) | (_, Some(_)) => {}
    }
}
