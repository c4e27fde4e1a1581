//! The rules of aws.md §6.1.

use serde_json::{Value, json};

use super::*;

const NOW: Timestamp = Timestamp::UNIX_EPOCH;

fn store() -> Ssm {
    Ssm::new("123456789012", "eu-west-1")
}

fn ok(ssm: &mut Ssm, operation: &str, input: &Value) -> Value {
    ssm.call(operation, input, NOW).unwrap_or_else(|error| panic!("{operation}: {error:?}"))
}

fn code(ssm: &mut Ssm, operation: &str, input: &Value) -> String {
    ssm.call(operation, input, NOW).unwrap_err().code
}

fn put(ssm: &mut Ssm, name: &str, value: &str) {
    ok(
        ssm,
        "PutParameter",
        &json!({"Name": name, "Value": value, "Type": "String", "Overwrite": true}),
    );
}

fn names(answer: &Value) -> Vec<&str> {
    answer["Parameters"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row["Name"].as_str().unwrap())
        .collect()
}

#[test]
fn get_parameters_sorts_and_lists_what_is_unknown() {
    let mut ssm = store();
    for name in ["/z", "/a", "/m"] {
        put(&mut ssm, name, "1");
    }
    let answer =
        ok(&mut ssm, "GetParameters", &json!({"Names": ["/z", "/no", "/a", "/a:9", "/m:1"]}));
    assert_eq!(names(&answer), ["/a", "/m", "/z"]);
    assert_eq!(answer["InvalidParameters"], json!(["/no", "/a:9"]));
    assert_eq!(answer["Parameters"][1]["Selector"], ":1");
}

#[test]
fn get_parameters_takes_one_to_ten_names() {
    let mut ssm = store();
    let many: Vec<String> = (0..11).map(|n| format!("/p{n}")).collect();
    for input in [json!({"Names": []}), json!({"Names": many}), json!({})] {
        assert_eq!(code(&mut ssm, "GetParameters", &input), "ValidationException", "{input}");
    }
}

#[test]
fn versions_count_up_and_are_selected_by_number_label_and_arn() {
    let mut ssm = store();
    put(&mut ssm, "/db", "one");
    put(&mut ssm, "/db", "two");
    ok(
        &mut ssm,
        "LabelParameterVersion",
        &json!({"Name": "/db", "ParameterVersion": 1, "Labels": ["prod", "1bad"]}),
    );
    for (reference, value) in [
        ("/db", "two"),
        ("/db:1", "one"),
        ("/db:prod", "one"),
        ("arn:aws:ssm:eu-west-1:123456789012:parameter/db", "two"),
        ("arn:aws:ssm:eu-west-1:123456789012:parameter/db:prod", "one"),
    ] {
        let answer = ok(&mut ssm, "GetParameter", &json!({"Name": reference}));
        assert_eq!(answer["Parameter"]["Value"], value, "{reference}");
        assert_eq!(answer["Parameter"]["ARN"], "arn:aws:ssm:eu-west-1:123456789012:parameter/db");
    }
    assert_eq!(
        code(&mut ssm, "GetParameter", &json!({"Name": "/db:7"})),
        "ParameterVersionNotFound"
    );
    assert_eq!(code(&mut ssm, "GetParameter", &json!({"Name": "/none"})), "ParameterNotFound");
    let foreign = "arn:aws:ssm:eu-west-1:999999999999:parameter/db";
    assert_eq!(code(&mut ssm, "GetParameter", &json!({"Name": foreign})), "ParameterNotFound");
    assert_eq!(ssm.resolve("/db"), Some(2));
    assert_eq!(ssm.resolve("/none"), None);
}

#[test]
fn a_label_moves_between_versions_and_ten_is_the_limit() {
    let mut ssm = store();
    put(&mut ssm, "/db", "one");
    put(&mut ssm, "/db", "two");
    ok(
        &mut ssm,
        "LabelParameterVersion",
        &json!({"Name": "/db", "ParameterVersion": 1, "Labels": ["prod"]}),
    );
    let answer =
        ok(&mut ssm, "LabelParameterVersion", &json!({"Name": "/db", "Labels": ["prod", "aws-x"]}));
    assert_eq!(answer, json!({"InvalidLabels": ["aws-x"], "ParameterVersion": 2}));
    assert_eq!(
        ok(&mut ssm, "GetParameter", &json!({"Name": "/db:prod"}))["Parameter"]["Version"],
        2
    );
    let ten: Vec<String> = (0..10).map(|n| format!("l{n}")).collect();
    assert_eq!(
        code(&mut ssm, "LabelParameterVersion", &json!({"Name": "/db", "Labels": ten})),
        "ParameterVersionLabelLimitExceeded"
    );
}

#[test]
fn secure_strings_show_ciphertext_unless_decrypted() {
    let mut ssm = store();
    ok(&mut ssm, "PutParameter", &json!({"Name": "s", "Value": "hunter2", "Type": "SecureString"}));
    let sealed = ok(&mut ssm, "GetParameter", &json!({"Name": "s"}));
    let sealed = sealed["Parameter"]["Value"].as_str().unwrap();
    assert!(sealed.starts_with("AQICAH") && !sealed.contains("hunter2"), "{sealed}");
    let open = ok(&mut ssm, "GetParameter", &json!({"Name": "s", "WithDecryption": true}));
    assert_eq!(open["Parameter"]["Value"], "hunter2");
}

#[test]
fn what_put_parameter_refuses() {
    let mut ssm = store();
    put(&mut ssm, "/old", "1");
    let big = "x".repeat(4097);
    for (input, expected) in [
        (json!({"Name": "/old", "Value": "2", "Type": "String"}), "ParameterAlreadyExists"),
        (json!({"Name": "/new", "Value": "2"}), "ValidationException"),
        (json!({"Name": "/new", "Value": "", "Type": "String"}), "ValidationException"),
        (json!({"Name": "/new", "Value": big, "Type": "String"}), "ValidationException"),
        (json!({"Name": "/new", "Value": "2", "Type": "Number"}), "ValidationException"),
        (
            json!({"Name": "/old", "Value": "2", "Type": "SecureString", "Overwrite": true}),
            "HierarchyTypeMismatchException",
        ),
        (
            json!({"Name": "/old", "Value": "2", "Overwrite": true, "Tags": [{"Key": "a", "Value": "b"}]}),
            "ValidationException",
        ),
        (json!({"Name": 7, "Value": "2", "Type": "String"}), "SerializationException"),
    ] {
        assert_eq!(code(&mut ssm, "PutParameter", &input), expected, "{input}");
    }
    ok(
        &mut ssm,
        "PutParameter",
        &json!({"Name": "/new", "Value": big, "Type": "String", "Tier": "Advanced"}),
    );
}

#[test]
fn a_hundred_versions_are_kept() {
    let mut ssm = store();
    for n in 0..101 {
        put(&mut ssm, "/n", &n.to_string());
    }
    assert_eq!(
        code(&mut ssm, "GetParameter", &json!({"Name": "/n:1"})),
        "ParameterVersionNotFound"
    );
    assert_eq!(ok(&mut ssm, "GetParameter", &json!({"Name": "/n:2"}))["Parameter"]["Value"], "1");
    ok(
        &mut ssm,
        "LabelParameterVersion",
        &json!({"Name": "/n", "ParameterVersion": 2, "Labels": ["keep"]}),
    );
    let input = json!({"Name": "/n", "Value": "x", "Overwrite": true});
    assert_eq!(code(&mut ssm, "PutParameter", &input), "ParameterMaxVersionLimitExceeded");
}

#[test]
fn paths_come_in_pages_of_ten() {
    let mut ssm = store();
    for n in 0..12 {
        put(&mut ssm, &format!("/app/p{n:02}"), "1");
    }
    put(&mut ssm, "/app/deep/x", "1");
    put(&mut ssm, "/apple", "1");
    let first = ok(&mut ssm, "GetParametersByPath", &json!({"Path": "/app"}));
    assert_eq!(names(&first).len(), 10);
    let second = ok(
        &mut ssm,
        "GetParametersByPath",
        &json!({"Path": "/app", "NextToken": first["NextToken"]}),
    );
    assert_eq!(names(&second), ["/app/p10", "/app/p11"]);
    assert!(second.get("NextToken").is_none());
    let deep = ok(&mut ssm, "GetParametersByPath", &json!({"Path": "/app/", "Recursive": true}));
    assert_eq!(names(&deep)[0], "/app/deep/x");
    assert_eq!(
        code(&mut ssm, "GetParametersByPath", &json!({"Path": "app"})),
        "ValidationException"
    );
    assert_eq!(
        code(&mut ssm, "GetParametersByPath", &json!({"Path": "/", "MaxResults": 11})),
        "ValidationException"
    );
    assert_eq!(
        code(&mut ssm, "GetParametersByPath", &json!({"Path": "/", "NextToken": "x"})),
        "InvalidNextToken"
    );
}

#[test]
fn describe_filters_and_refuses_unknown_filters() {
    let mut ssm = store();
    put(&mut ssm, "/app/a", "1");
    ok(
        &mut ssm,
        "PutParameter",
        &json!({"Name": "/app/s", "Value": "1", "Type": "SecureString", "Tags": [{"Key": "env", "Value": "prod"}]}),
    );
    for (filter, expected) in [
        (json!({"Key": "Type", "Values": ["SecureString"]}), vec!["/app/s"]),
        (json!({"Key": "tag:env", "Values": ["prod"]}), vec!["/app/s"]),
        (json!({"Key": "Name", "Option": "BeginsWith", "Values": ["app/a"]}), vec!["/app/a"]),
        (
            json!({"Key": "Path", "Option": "Recursive", "Values": ["/app"]}),
            vec!["/app/a", "/app/s"],
        ),
    ] {
        let answer = ok(&mut ssm, "DescribeParameters", &json!({"ParameterFilters": [filter]}));
        assert_eq!(names(&answer), expected, "{filter}");
        assert!(answer["Parameters"][0].get("Value").is_none());
    }
    for (filter, expected) in [
        (json!({"Key": "Colour", "Values": ["x"]}), "InvalidFilterKey"),
        (json!({"Key": "Type", "Option": "Contains", "Values": ["x"]}), "InvalidFilterOption"),
        (json!({"Key": "Type"}), "InvalidFilterValue"),
    ] {
        assert_eq!(
            code(&mut ssm, "DescribeParameters", &json!({"ParameterFilters": [filter]})),
            expected
        );
    }
}

#[test]
fn tags_are_added_removed_and_listed() {
    let mut ssm = store();
    put(&mut ssm, "/a", "1");
    let with = |more: Value| {
        let mut input = json!({"ResourceType": "Parameter", "ResourceId": "/a"});
        input.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        input
    };
    ok(
        &mut ssm,
        "AddTagsToResource",
        &with(json!({"Tags": [{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "2"}]})),
    );
    ok(&mut ssm, "RemoveTagsFromResource", &with(json!({"TagKeys": ["a"]})));
    let answer = ok(&mut ssm, "ListTagsForResource", &with(json!({})));
    assert_eq!(answer["TagList"], json!([{"Key": "b", "Value": "2"}]));
    let unknown = json!({"ResourceType": "Parameter", "ResourceId": "/none"});
    assert_eq!(code(&mut ssm, "ListTagsForResource", &unknown), "InvalidResourceId");
}

#[test]
fn deleting_and_history() {
    let mut ssm = store();
    put(&mut ssm, "/a", "1");
    put(&mut ssm, "/a", "2");
    let history = ok(&mut ssm, "GetParameterHistory", &json!({"Name": "/a"}));
    assert_eq!(history["Parameters"].as_array().unwrap().len(), 2);
    let answer = ok(&mut ssm, "DeleteParameters", &json!({"Names": ["/a", "/b"]}));
    assert_eq!(answer, json!({"DeletedParameters": ["/a"], "InvalidParameters": ["/b"]}));
    assert_eq!(code(&mut ssm, "DeleteParameter", &json!({"Name": "/a"})), "ParameterNotFound");
    assert_eq!(code(&mut ssm, "Dance", &json!({})), "UnknownOperationException");
}

#[test]
fn fixtures_load_strictly() {
    let mut ssm = store();
    let fixture: FixtureParameter = serde_json::from_value(
        json!({"name": "/a", "value": "v", "version": 3, "labels": ["prod"]}),
    )
    .unwrap();
    ssm.load(&fixture, NOW).unwrap();
    assert_eq!(
        ok(&mut ssm, "GetParameter", &json!({"Name": "/a:prod"}))["Parameter"]["Version"],
        3
    );
    assert_eq!(ok(&mut ssm, "GetParameter", &json!({"Name": "/a:2"}))["Parameter"]["Value"], "v");
    let unknown = json!({"name": "/a", "value": "v", "colour": "red"});
    assert!(serde_json::from_value::<FixtureParameter>(unknown).is_err());
}

#[test]
fn reads_share_one_bucket() {
    assert_eq!(Ssm::bucket("GetParameter"), Ssm::bucket("GetParametersByPath"));
    assert_eq!(Ssm::bucket("PutParameter"), Some(("PutParameter", 3, 3)));
    assert_eq!(Ssm::bucket("ListTagsForResource"), None);
}
