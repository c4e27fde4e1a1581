//! Pages of a list and the token that leads to the next one.

use serde_json::Value;

use crate::{ApiError, input};

/// One page of `items`, and the token of the next page if there is one.
///
/// `default` and `most` are the page sizes of the operation (aws.md §2.6).
pub(crate) fn page<T>(
    items: Vec<T>,
    request: &Value,
    default: usize,
    most: usize,
) -> Result<(Vec<T>, Option<String>), ApiError> {
    let size = match input::integer(request, "maxResults") {
        None => default,
        Some(asked) => usize::try_from(asked)
            .ok()
            .filter(|size| (1..=most).contains(size))
            .ok_or_else(|| invalid(&format!("maxResults must be between 1 and {most}.")))?,
    };
    let start = match input::text(request, "nextToken") {
        None => 0,
        Some(token) => decode(token).ok_or_else(|| invalid("Invalid token."))?,
    };
    let total = items.len();
    let kept = items.into_iter().skip(start).take(size).collect();
    let next = start.saturating_add(size);
    Ok((kept, (next < total).then(|| encode(next))))
}

fn invalid(message: &str) -> ApiError {
    ApiError::refused("InvalidParameterException", message)
}

fn encode(offset: usize) -> String {
    hex::encode(format!("page:{offset}"))
}

fn decode(token: &str) -> Option<usize> {
    let bytes = hex::decode(token).ok()?;
    String::from_utf8(bytes).ok()?.strip_prefix("page:")?.parse().ok()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn pages_lead_to_each_other_and_end() {
        let (first, token) = page((0..25).collect(), &json!({}), 10, 100).unwrap();
        assert_eq!((first.len(), token.is_some()), (10, true));
        let (second, token) =
            page((0..25).collect(), &json!({"maxResults": 15, "nextToken": token}), 10, 100)
                .unwrap();
        assert_eq!((second.len(), token), (15, None));
    }

    #[test]
    fn wrong_sizes_and_tokens_are_refused() {
        for request in
            [json!({"maxResults": 0}), json!({"maxResults": 101}), json!({"nextToken": "x"})]
        {
            assert!(page(vec![1], &request, 10, 100).is_err(), "{request}");
        }
    }
}
