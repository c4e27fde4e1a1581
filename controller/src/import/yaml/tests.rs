//! What is written is what is read, by our own reader; the conformance suite asks one of YAML 1.1.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::super::document::Node;
use super::emit;
use crate::manifest::plain;

fn round(value: &Value) -> Value {
    let text = emit(&[], &Node::plain(value));
    let read = plain::read(&text).unwrap_or_else(|error| panic!("{error:?}\n{text}"));
    read.value().clone()
}

#[test]
fn texts_stand_without_quotes_where_nobody_can_mistake_them() {
    for text in [
        "web",
        "arn:aws:iam::111122223333:role/shop-execution",
        "111122223333.dkr.ecr.eu-west-1.amazonaws.com/shop/web:v1",
        "${var:registry}/web:v1",
        "/shop/web/database-url",
        "10.0.0.0/16",
        "15m",
        "안녕 세계",
        "attribute:ecs.instance-type =~ t3.*",
    ] {
        assert_eq!(emit(&[], &Node::text(text)), format!("{text}\n"));
        assert_eq!(round(&json!({"a": [text]})), json!({"a": [text]}));
    }
}

#[test]
fn texts_that_mean_more_are_quoted() {
    for text in [
        "",
        " ",
        "yes",
        "No",
        "ON",
        "off",
        "y",
        "N",
        "true",
        "False",
        "null",
        "~",
        "012",
        "1e3",
        "0x1F",
        "0o17",
        "1_000",
        "12:30:45",
        "190:20:30",
        "2026-11-21",
        "2001-12-14t21:59:43.10-05:00",
        ".5",
        ".inf",
        ".nan",
        "-1",
        "+1",
        "256",
        "1.5",
        "- a",
        "a: b",
        "a #b",
        "#",
        "a:",
        "*a",
        "&a",
        "!a",
        "%a",
        "@a",
        "`a`",
        "{a}",
        "[a]",
        "'",
        "\"",
        "|",
        ">",
        "?",
        "=",
        "<<",
        "a\u{85}b",
        "\u{feff}",
        "a\u{2028}b",
        "\t",
        "a\r\nb",
        "trailing ",
        "0b11",
        "1,000",
    ] {
        let written = emit(&[], &Node::text(text));
        assert!(written.starts_with('"'), "{text:?} is written {written}");
        assert_eq!(round(&json!({"a": [text]})), json!({"a": [text]}), "{text:?}");
    }
}

#[test]
fn lines_stand_as_they_are() {
    let script = "set -e\nif true; then\n  echo \"a: b\" # c\n\nfi\n";
    let node = Node::plain(&json!({"command": ["sh", script], "last": script.trim_end()}));
    assert_eq!(
        emit(&["head".to_owned()], &node),
        "# head\ncommand:\n  - sh\n  - |\n    set -e\n    if true; then\n      echo \"a: b\" # c\n\n    fi\n\
         last: |-\n  set -e\n  if true; then\n    echo \"a: b\" # c\n\n  fi\n"
    );
    assert_eq!(round(&node.to_value()), node.to_value());
}

#[test]
fn emptiness_lists_of_lists_and_documents_come_back() {
    for value in [
        json!({"a": [], "b": {}, "c": null, "d": [[1, [2]], [], {}], "e": {"f": {"g": 0.1}}}),
        json!([{"a": [{"b": 1}, {"c": [true, -3]}]}]),
        json!("\n"),
        json!({"\n": "a\n\n", "x y": "\na", "tab": "a\n\tb\n"}),
    ] {
        assert_eq!(round(&value), value);
    }
}

fn any_value() -> impl Strategy<Value = Value> {
    let text = prop_oneof![
        any::<String>(),
        "[ -~\n\t]{0,40}",
        "[-+0-9._:eExX ]{0,8}",
        "([a-z #:'\"-]{0,6}\n){0,4}",
    ];
    // Our reader merges what is called `<<`, quoted or not.
    let name = text.clone().prop_filter("a merge", |name| name != "<<");
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        (-1e6..1e6f64).prop_map(Value::from),
        text.prop_map(Value::from),
    ];
    leaf.prop_recursive(5, 60, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::btree_map(name.clone(), inner, 0..5)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, ..ProptestConfig::default() })]

    #[test]
    fn what_is_written_is_what_is_read(value in any_value()) {
        prop_assert_eq!(round(&json!({ "root": value.clone() })), json!({ "root": value }));
    }
}
