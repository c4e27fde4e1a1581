//! How parameters are named: plain names, hierarchies, ARNs, and the selector of a version or a label behind them.

use crate::ApiError;

const LEVELS_MAX: usize = 15;
/// Counts the ARN in front of the name too.
const LENGTH_MAX: usize = 1011;
/// `arn:aws:ssm:us-east-1:123456789012:parameter/`, for names whose region is not known here.
const ARN_PREFIX_LENGTH: usize = 45;

/// The ARN of a parameter; a name with a leading `/` brings its own separator.
pub(super) fn arn(region: &str, account: &str, name: &str) -> String {
    let name = name.strip_prefix('/').unwrap_or(name);
    format!("arn:aws:ssm:{region}:{account}:parameter/{name}")
}

/// A reference without its selector, and the selector.
pub(super) fn split_selector(reference: &str) -> (&str, Option<&str>) {
    let start = if reference.starts_with("arn:") {
        reference.match_indices(':').nth(4).map_or(0, |(colon, _)| colon + 1)
    } else {
        0
    };
    match reference.get(start..).and_then(|rest| rest.find(':')) {
        Some(colon) => {
            let (name, selector) = reference.split_at(start + colon);
            (name, selector.strip_prefix(':'))
        }
        None => (reference, None),
    }
}

/// Whether a new parameter may have this name.
pub(super) fn validate(name: &str) -> Result<(), ApiError> {
    let lower = name.to_ascii_lowercase();
    let bare = lower.strip_prefix('/').unwrap_or(&lower);
    if lower.starts_with("/aws") {
        return Err(ApiError::refused(
            "AccessDeniedException",
            format!("No access to reserved parameter name: {name}."),
        ));
    }
    let allowed = |letter: char| letter.is_ascii_alphanumeric() || "_.-/".contains(letter);
    let is_reserved = ["aws", "ssm"].iter().any(|prefix| bare.starts_with(prefix));
    let has_empty_level = name.ends_with('/') || name.contains("//");
    if name.is_empty() || is_reserved || has_empty_level || !name.chars().all(allowed) {
        return Err(refused(
            "Parameter name: can't be prefixed with \"aws\" or \"ssm\" (case-insensitive). If formed as a path, it can \
             consist of sub-paths divided by slash symbol; each sub-path can be formed as a mix of letters, numbers and \
             the following 3 symbols .-_",
        ));
    }
    if name.contains('/') && !name.starts_with('/') {
        return Err(refused("Parameter name must be a fully qualified name."));
    }
    if name.len() + ARN_PREFIX_LENGTH > LENGTH_MAX {
        return Err(refused(
            "Parameter name is too long: with its ARN it exceeds 1011 characters.",
        ));
    }
    if name.matches('/').count() > LEVELS_MAX {
        return Err(ApiError::refused(
            "HierarchyLevelLimitExceededException",
            format!("A parameter name can have at most {LEVELS_MAX} levels."),
        ));
    }
    Ok(())
}

fn refused(message: &str) -> ApiError {
    ApiError::refused("ValidationException", message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn selectors_are_split_from_names_and_arns() {
        for (reference, name, selector) in [
            ("/a/b", "/a/b", None),
            ("/a/b:3", "/a/b", Some("3")),
            ("a:prod", "a", Some("prod")),
            (
                "arn:aws:ssm:eu-west-1:1:parameter/a/b",
                "arn:aws:ssm:eu-west-1:1:parameter/a/b",
                None,
            ),
            (
                "arn:aws:ssm:eu-west-1:1:parameter/a:7",
                "arn:aws:ssm:eu-west-1:1:parameter/a",
                Some("7"),
            ),
        ] {
            assert_eq!(split_selector(reference), (name, selector), "{reference}");
        }
    }

    #[test]
    fn names_that_aws_refuses() {
        let deep = "/a".repeat(16);
        let long = format!("/{}", "a".repeat(1011));
        for (name, code) in [
            ("", "ValidationException"),
            ("/aws/x", "AccessDeniedException"),
            ("awsome", "ValidationException"),
            ("/ssm/x", "ValidationException"),
            ("a/b", "ValidationException"),
            ("/a b", "ValidationException"),
            ("/a/", "ValidationException"),
            (long.as_str(), "ValidationException"),
            (deep.as_str(), "HierarchyLevelLimitExceededException"),
        ] {
            assert_eq!(validate(name).unwrap_err().code, code, "{name}");
        }
        for name in ["plain", "/shop/web/db.url", "/a_b-c"] {
            assert_eq!(validate(name), Ok(()), "{name}");
        }
    }
}
