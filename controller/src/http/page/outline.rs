//! A spec as YAML, the form in which people wrote it.

use serde_json::Value;

/// The value as block YAML. It reads back as the same value.
pub(super) fn outline(value: &Value) -> String {
    let mut out = String::new();
    write_block(&mut out, value, 0, false);
    out
}

/// Writes a value below its key or dash; `after_dash` says that the first line is already indented.
fn write_block(out: &mut String, value: &Value, depth: usize, after_dash: bool) {
    match value {
        Value::Object(fields) if !fields.is_empty() => {
            for (index, (key, field)) in fields.iter().enumerate() {
                if index > 0 || !after_dash {
                    indent(out, depth);
                }
                out.push_str(&scalar(key));
                out.push(':');
                write_below(out, field, depth + 1);
            }
        }
        Value::Array(items) if !items.is_empty() => {
            for (index, entry) in items.iter().enumerate() {
                if index > 0 || !after_dash {
                    indent(out, depth);
                }
                out.push_str("- ");
                write_block(out, entry, depth + 1, true);
            }
        }
        Value::Null
        | Value::Bool(_)
        | Value::Number(_)
        | Value::String(_)
        | Value::Array(_)
        | Value::Object(_) => {
            out.push_str(&inline(value));
            out.push('\n');
        }
    }
}

fn write_below(out: &mut String, value: &Value, depth: usize) {
    let is_leaf = match value {
        Value::Object(fields) => fields.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => true,
    };
    if is_leaf {
        out.push(' ');
        out.push_str(&inline(value));
        out.push('\n');
    } else {
        out.push('\n');
        write_block(out, value, depth, false);
    }
}

fn inline(value: &Value) -> String {
    match value {
        Value::String(text) => scalar(text),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => {
            value.to_string()
        }
    }
}

/// The text bare where YAML cannot take it for anything else, quoted as JSON otherwise.
fn scalar(text: &str) -> String {
    let is_plain = text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '/')
        && text.chars().all(|c| c.is_ascii_alphanumeric() || "-_./:@=+".contains(c))
        && !text.ends_with(':')
        && !matches!(
            text.to_ascii_lowercase().as_str(),
            "true" | "false" | "null" | "yes" | "no" | "on" | "off" | "y" | "n"
        );
    if is_plain { text.to_owned() } else { Value::from(text).to_string() }
}

fn indent(out: &mut String, depth: usize) {
    out.extend(std::iter::repeat_n("  ", depth));
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn it_is_yaml_that_reads_back_the_same() {
        let value = json!({
            "cluster": "shop",
            "cpu": "512",
            "enabled": "yes",
            "count": 2, "ratio": 0.5, "none": null, "off": false,
            "empty": {}, "nothing": [], "text": "two lines\n<script>: # no comment",
            "containers": [
                {"name": "app", "image": "host/shop@sha256:abc", "ports": [80, 443], "env": {"A": "b c"}},
                [["nested"], []],
                "plain"
            ],
            "arn": "arn:aws:iam::111122223333:role/x", "colon:": "a:", "": "-", "star": "*x", "date": "2026-01-01"
        });
        let text = outline(&value);
        assert_eq!(serde_saphyr::from_str::<Value>(&text).unwrap(), value, "{text}");
        assert!(text.contains("containers:\n  - env:\n"), "{text}");
        assert!(text.contains("cpu: \"512\"\n"));
    }

    #[test]
    fn a_spec_that_is_not_known_is_null() {
        assert_eq!(outline(&Value::Null), "null\n");
    }
}
