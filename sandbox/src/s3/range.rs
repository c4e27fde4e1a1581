//! Byte ranges.

use super::answer::Refusal;

/// The first and last byte of a range header, for a body of `length` bytes; an unreadable header means the whole body.
pub(super) fn parse(header: &str, length: usize) -> Result<Option<(usize, usize)>, Refusal> {
    let Some((first, last)) = header.strip_prefix("bytes=").and_then(|range| range.split_once('-'))
    else {
        return Ok(None);
    };
    let end = length.saturating_sub(1);
    let bounds = match (first.parse::<usize>(), last.parse::<usize>()) {
        (Ok(first), Ok(last)) => (first, last.min(end)),
        (Ok(first), Err(_)) if last.is_empty() => (first, end),
        (Err(_), Ok(0)) if first.is_empty() => return Err(unsatisfiable()),
        (Err(_), Ok(suffix)) if first.is_empty() => (length.saturating_sub(suffix), end),
        (Ok(_) | Err(_), _) => return Ok(None),
    };
    if bounds.0 >= length {
        return Err(unsatisfiable());
    }
    Ok((bounds.0 <= bounds.1).then_some(bounds))
}

fn unsatisfiable() -> Refusal {
    Refusal::new(416, "InvalidRange", "The requested range is not satisfiable")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_of_ten_bytes() {
        for (header, expected) in [
            ("bytes=0-3", Some((0, 3))),
            ("bytes=5-", Some((5, 9))),
            ("bytes=-4", Some((6, 9))),
            ("bytes=-40", Some((0, 9))),
            ("bytes=2-99", Some((2, 9))),
            ("bytes=4-2", None),
            ("lines=1-2", None),
        ] {
            assert_eq!(parse(header, 10).unwrap(), expected, "{header}");
        }
        for header in ["bytes=10-", "bytes=-0"] {
            assert_eq!(parse(header, 10).unwrap_err().error.code, "InvalidRange", "{header}");
        }
    }
}
