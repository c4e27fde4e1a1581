//! Time zones by their names in the IANA database.

use jiff::tz::TimeZone;

/// A name that is no time zone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct UnknownZone {
    pub(crate) message: String,
    pub(crate) hint: String,
}

/// Whether this machine knows no zone at all, so that a name says nothing here.
pub(crate) fn is_database_missing() -> bool {
    jiff::tz::db().is_definitively_empty()
}

/// The zone of a name.
pub(crate) fn find(name: &str) -> Result<TimeZone, UnknownZone> {
    TimeZone::get(name).map_err(|_| UnknownZone {
        message: format!("`{name}` is not a time zone of the IANA database"),
        hint: nearest(name).map_or_else(
            || "names look like `Europe/Berlin`".to_owned(),
            |zone| format!("the nearest is {zone}"),
        ),
    })
}

/// A zone whose city is the text, or the text's last part.
fn nearest(name: &str) -> Option<String> {
    let city =
        |zone: &str| zone.rsplit('/').next().unwrap_or(zone).to_lowercase().replace(' ', "_");
    let wanted = city(name);
    let mut zones = jiff::tz::db().available().map(|zone| zone.to_string());
    zones.find(|zone| {
        !zone.starts_with("posix/") && !zone.starts_with("right/") && city(zone) == wanted
    })
}
