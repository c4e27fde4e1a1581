//! Cuts credentials out of the URLs in a text.

/// The text with the user information of every URL replaced: `https://u:p@host` becomes `https://***@host`.
pub(crate) fn redact(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("://") {
        out.push_str(before);
        out.push_str("://");
        let end = after
            .find(|c: char| {
                matches!(c, '/' | '?' | '#' | '"' | '\'' | '`' | '<' | '>') || c.is_whitespace()
            })
            .unwrap_or(after.len());
        let (authority, tail) = after.split_at(end);
        match authority.rsplit_once('@') {
            Some((_, host)) => {
                out.push_str("***@");
                out.push_str(host);
            }
            None => out.push_str(authority),
        }
        rest = tail;
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::redact;

    #[test]
    fn user_information_goes_and_the_rest_stays() {
        assert_eq!(
            redact("cannot fetch https://bot:s3cr3t@git.example.com/acme/fleet.git: 401"),
            "cannot fetch https://***@git.example.com/acme/fleet.git: 401"
        );
        assert_eq!(
            redact("https://u:p@ss@host and ssh://git@host/x"),
            "https://***@host and ssh://***@host/x"
        );
        assert_eq!(redact("git@github.com:acme/fleet.git"), "git@github.com:acme/fleet.git");
        assert_eq!(redact("s3://bucket/a@b"), "s3://bucket/a@b");
        assert_eq!(redact(""), "");
    }
}
