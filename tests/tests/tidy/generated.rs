//! What is generated is what the types say.

use crds::Reason;

use super::text;

#[test]
fn the_schemas_are_fresh() {
    for (name, fresh) in controller::cli::schema_files().unwrap() {
        let committed = text(&format!("crds/{name}"));
        assert!(committed == fresh, "crds/{name} is stale: run `longshore schema --out crds`");
    }
}

#[test]
fn the_table_of_reasons_is_complete() {
    let spec = text("docs/spec.md");
    let (_, rest) = spec.split_once("<!-- reasons:begin -->").expect("the table begins");
    let (table, _) = rest.split_once("<!-- reasons:end -->").expect("the table ends");
    let documented: Vec<&str> = table.lines().filter(|line| line.starts_with("| `")).collect();
    let expected: Vec<String> = Reason::ALL
        .iter()
        .map(|(reason, doc)| format!("| `{reason}` | {} |", doc.trim()))
        .collect();
    assert_eq!(documented, expected);
}

#[test]
fn the_schema_accepts_the_examples_and_refuses_what_is_unknown() {
    let schema = crds::schema::json_schema(crds::schema::Kind::Service);
    let validator = jsonschema::validator_for(&schema).unwrap();
    let spec = longshore_tests::specs::service("web", "web:v1");
    assert!(
        validator.is_valid(&spec),
        "{:?}",
        validator.iter_errors(&spec).next().map(|error| error.to_string())
    );
    let misspelt =
        longshore_tests::specs::with(spec, "/spec/taskDefinition/executionRolArn", "x".into());
    assert!(!validator.is_valid(&misspelt));
}
