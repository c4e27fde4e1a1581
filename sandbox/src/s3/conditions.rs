//! Conditional requests: which state of an object a request insists on.

use jiff::{Timestamp, fmt::rfc2822};

use super::{Bucket, Object, Version, answer::Refusal, read, route::Call};

/// Conditions of a read: 412 when the object is not the wanted one, 304 when the reader has it.
pub(super) fn of_read(call: &Call<'_>, version: &Version, object: &Object) -> Result<(), Refusal> {
    let if_match = call.header("if-match");
    if if_match.is_some_and(|wanted| !lists(wanted, &object.etag)) {
        return Err(failed("If-Match"));
    }
    let since = |name: &str| call.header(name).and_then(parse_date);
    let modified = version.modified.as_second();
    if if_match.is_none()
        && since("if-unmodified-since").is_some_and(|since| modified > since.as_second())
    {
        return Err(failed("If-Unmodified-Since"));
    }
    let is_unchanged = match call.header("if-none-match") {
        Some(known) => lists(known, &object.etag),
        None => since("if-modified-since").is_some_and(|since| modified <= since.as_second()),
    };
    if is_unchanged {
        let refusal = Refusal::new(304, "NotModified", "Not Modified")
            .with_header("etag", object.etag.clone())
            .with_header("last-modified", super::answer::http_date(version.modified));
        return Err(refusal);
    }
    Ok(())
}

/// Conditions of a write: `If-None-Match: *` creates only, `If-Match` replaces one known state only.
pub(super) fn of_write(call: &Call<'_>, bucket: &Bucket) -> Result<(), Refusal> {
    let current = bucket.current(&call.key);
    match (call.header("if-none-match"), call.header("if-match")) {
        (None, None) => Ok(()),
        (Some("*"), None) if current.is_none() => Ok(()),
        (Some("*"), None) => Err(failed("If-None-Match")),
        (None, Some(wanted)) => match current {
            None => Err(read::no_such_key(&call.key)),
            Some((_, object)) if lists(wanted, &object.etag) => Ok(()),
            Some(_) => Err(failed("If-Match")),
        },
        (Some(_), _) => Err(Refusal::new(
            501,
            "NotImplemented",
            "A header you provided implies functionality that is not implemented",
        )
        .with("Header", "If-None-Match")),
    }
}

/// The condition of a deletion, which looks at the current version only.
pub(super) fn of_delete(wanted: Option<&str>, key: &str, bucket: &Bucket) -> Result<(), Refusal> {
    let Some(wanted) = wanted else { return Ok(()) };
    match (bucket.objects.get(key), bucket.current(key)) {
        (None, _) => Err(read::no_such_key(key)),
        (Some(_), Some((_, object))) if lists(wanted, &object.etag) => Ok(()),
        (Some(_), _) => Err(failed("If-Match")),
    }
}

/// Clients may leave out the quotes.
fn lists(wanted: &str, etag: &str) -> bool {
    wanted.split(',').map(str::trim).any(|wanted| {
        wanted == "*" || wanted.trim_start_matches("W/").trim_matches('"') == etag.trim_matches('"')
    })
}

fn failed(condition: &str) -> Refusal {
    Refusal::new(
        412,
        "PreconditionFailed",
        "At least one of the pre-conditions you specified did not hold",
    )
    .with("Condition", condition)
}

fn parse_date(text: &str) -> Option<Timestamp> {
    rfc2822::DateTimeParser::new().parse_timestamp(text).ok()
}
