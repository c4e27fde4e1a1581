//! Cutting long answers into pages.
//!
//! A token names the last row that was sent, so rows that come or go between two calls neither repeat nor hide others.

use aws_smithy_types::base64;

/// One page and the token of the next one.
#[derive(Debug, PartialEq)]
pub(crate) struct Page<T> {
    /// The rows of this page.
    pub(crate) rows: Vec<T>,
    /// Present while rows remain.
    pub(crate) next: Option<String>,
}

/// A token that no page has given out.
#[derive(Debug, PartialEq)]
pub(crate) struct InvalidToken;

const MARK: &str = "after:";

/// At most `size` of the rows that come after the token; the rows are sorted by their unique `key`.
pub(crate) fn cut<T>(
    rows: impl IntoIterator<Item = T>,
    size: usize,
    token: Option<&str>,
    key: impl Fn(&T) -> String,
) -> Result<Page<T>, InvalidToken> {
    let after = token.map(last_key).transpose()?;
    let mut rest =
        rows.into_iter().filter(|row| after.as_ref().is_none_or(|after| key(row) > *after));
    let page: Vec<T> = rest.by_ref().take(size).collect();
    let next = match (page.last(), rest.next()) {
        (Some(last), Some(_)) => Some(base64::encode(format!("{MARK}{}", key(last)))),
        (Some(_) | None, _) => None,
    };
    Ok(Page { rows: page, next })
}

fn last_key(token: &str) -> Result<String, InvalidToken> {
    let bytes = base64::decode(token).map_err(|_| InvalidToken)?;
    let token = String::from_utf8(bytes).map_err(|_| InvalidToken)?;
    token.strip_prefix(MARK).map(str::to_owned).ok_or(InvalidToken)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(rows: &[&'static str], token: Option<&str>) -> Page<&'static str> {
        cut(rows.iter().copied(), 2, token, |row| (*row).to_owned()).unwrap()
    }

    #[test]
    fn every_row_comes_once_and_the_last_page_has_no_token() {
        let first = names(&["a", "b", "c", "d"], None);
        assert_eq!(first.rows, ["a", "b"]);
        let second = names(&["a", "b", "c", "d"], first.next.as_deref());
        assert_eq!(second, Page { rows: vec!["c", "d"], next: None });
    }

    #[test]
    fn a_row_removed_between_pages_hides_no_other() {
        let first = names(&["a", "b", "c"], None);
        assert_eq!(names(&["a", "c"], first.next.as_deref()).rows, ["c"]);
    }

    #[test]
    fn foreign_tokens_are_refused() {
        for token in ["", "not base64", "b3RoZXI="] {
            assert_eq!(
                cut(["a"], 1, Some(token), |row| (*row).to_owned()),
                Err(InvalidToken),
                "{token}"
            );
        }
    }
}
