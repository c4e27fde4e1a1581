//! The rules of aws.md §6.2.

use serde_json::json;

use super::*;

const NOW: Timestamp = Timestamp::UNIX_EPOCH;
const ONE: &str = "11111111-1111-4111-a111-111111111111";
const TWO: &str = "22222222-2222-4222-a222-222222222222";
const THREE: &str = "33333333-3333-4333-a333-333333333333";

fn store() -> Secrets {
    let mut secrets = Secrets::new("123456789012", "eu-west-1");
    let input = json!({"Name": "prod/db", "SecretString": "a", "ClientRequestToken": ONE, "Tags": [{"Key": "env", "Value": "prod"}]});
    ok(&mut secrets, "CreateSecret", &input);
    secrets
}

fn ok(secrets: &mut Secrets, operation: &str, input: &Value) -> Value {
    secrets.call(operation, input, NOW).unwrap_or_else(|error| panic!("{operation}: {error:?}"))
}

fn code(secrets: &mut Secrets, operation: &str, input: &Value) -> String {
    secrets.call(operation, input, NOW).unwrap_err().code
}

fn stages(secrets: &mut Secrets) -> Value {
    ok(secrets, "DescribeSecret", &json!({"SecretId": "prod/db"}))["VersionIdsToStages"].clone()
}

#[test]
fn a_new_value_makes_the_old_one_previous() {
    let mut secrets = store();
    assert_eq!(stages(&mut secrets), json!({ONE: [CURRENT]}));
    ok(
        &mut secrets,
        "PutSecretValue",
        &json!({"SecretId": "prod/db", "SecretString": "b", "ClientRequestToken": TWO}),
    );
    assert_eq!(stages(&mut secrets), json!({ONE: [PREVIOUS], TWO: [CURRENT]}));
    ok(
        &mut secrets,
        "PutSecretValue",
        &json!({"SecretId": "prod/db", "SecretString": "c", "ClientRequestToken": THREE}),
    );
    assert_eq!(stages(&mut secrets), json!({TWO: [PREVIOUS], THREE: [CURRENT]}));
}

#[test]
fn rotation_stages_pending_then_moves_current() {
    let mut secrets = store();
    let pending = json!({"SecretId": "prod/db", "SecretString": "b", "ClientRequestToken": TWO, "VersionStages": ["AWSPENDING"]});
    ok(&mut secrets, "PutSecretValue", &pending);
    assert_eq!(stages(&mut secrets), json!({ONE: [CURRENT], TWO: ["AWSPENDING"]}));
    assert_eq!(secrets.resolve("prod/db"), Some(ONE));
    let bare = json!({"SecretId": "prod/db", "VersionStage": CURRENT, "MoveToVersionId": TWO});
    assert_eq!(code(&mut secrets, "UpdateSecretVersionStage", &bare), "InvalidParameterException");
    let full = json!({"SecretId": "prod/db", "VersionStage": CURRENT, "MoveToVersionId": TWO, "RemoveFromVersionId": ONE});
    ok(&mut secrets, "UpdateSecretVersionStage", &full);
    assert_eq!(stages(&mut secrets), json!({ONE: [PREVIOUS], TWO: ["AWSPENDING", CURRENT]}));
    assert_eq!(secrets.resolve("prod/db"), Some(TWO));
    let removal =
        json!({"SecretId": "prod/db", "VersionStage": CURRENT, "RemoveFromVersionId": TWO});
    assert_eq!(
        code(&mut secrets, "UpdateSecretVersionStage", &removal),
        "InvalidParameterException"
    );
}

#[test]
fn names_arns_and_partial_arns_find_a_secret() {
    let mut secrets = store();
    let arn = ok(&mut secrets, "DescribeSecret", &json!({"SecretId": "prod/db"}))["ARN"]
        .as_str()
        .unwrap()
        .to_owned();
    let (partial, suffix) = arn.rsplit_once('-').unwrap();
    assert_eq!(
        (partial, suffix.len()),
        ("arn:aws:secretsmanager:eu-west-1:123456789012:secret:prod/db", 6)
    );
    for id in [arn.as_str(), partial] {
        assert_eq!(ok(&mut secrets, "DescribeSecret", &json!({"SecretId": id}))["Name"], "prod/db");
        assert_eq!(secrets.resolve(&format!("{id}:password::")), Some(ONE), "{id}");
    }
    assert_eq!(secrets.resolve(&format!("{arn}:::{TWO}")), None);
    assert_eq!(secrets.resolve(&format!("{arn}::AWSPREVIOUS:")), None);
    assert_eq!(
        code(&mut secrets, "DescribeSecret", &json!({"SecretId": "prod"})),
        "ResourceNotFoundException"
    );
}

#[test]
fn values_are_refused_and_counted() {
    let mut secrets = store();
    for operation in ["GetSecretValue", "BatchGetSecretValue"] {
        assert_eq!(
            code(&mut secrets, operation, &json!({"SecretId": "prod/db"})),
            "AccessDeniedException"
        );
    }
    assert_eq!(secrets.value_reads(), 2);
    let described = ok(&mut secrets, "DescribeSecret", &json!({"SecretId": "prod/db"})).to_string();
    assert!(!described.contains("SecretString"));
}

#[test]
fn deletion_is_scheduled_restored_and_then_happens() {
    let mut secrets = store();
    let id = json!({"SecretId": "prod/db"});
    ok(&mut secrets, "DeleteSecret", &json!({"SecretId": "prod/db", "RecoveryWindowInDays": 7}));
    assert_eq!(ok(&mut secrets, "DescribeSecret", &id)["DeletedDate"], json!(7.0 * 86_400.0));
    assert_eq!(secrets.resolve("prod/db"), None);
    for (operation, input) in [
        ("PutSecretValue", json!({"SecretId": "prod/db", "SecretString": "x"})),
        ("TagResource", json!({"SecretId": "prod/db", "Tags": []})),
        ("CreateSecret", json!({"Name": "prod/db"})),
        ("DeleteSecret", id.clone()),
    ] {
        assert_eq!(code(&mut secrets, operation, &input), "InvalidRequestException", "{operation}");
    }
    assert_eq!(ok(&mut secrets, "ListSecrets", &json!({}))["SecretList"], json!([]));
    let planned = ok(&mut secrets, "ListSecrets", &json!({"IncludePlannedDeletion": true}));
    assert_eq!(planned["SecretList"].as_array().unwrap().len(), 1);
    ok(&mut secrets, "RestoreSecret", &id);
    assert!(ok(&mut secrets, "DescribeSecret", &id).get("DeletedDate").is_none());
    ok(&mut secrets, "DeleteSecret", &id);
    let later = NOW + SignedDuration::from_hours(24 * 30);
    assert_eq!(
        secrets.call("DescribeSecret", &id, later).unwrap_err().code,
        "ResourceNotFoundException"
    );
}

#[test]
fn what_delete_refuses() {
    let mut secrets = store();
    for input in [
        json!({"SecretId": "prod/db", "RecoveryWindowInDays": 6}),
        json!({"SecretId": "prod/db", "RecoveryWindowInDays": 7, "ForceDeleteWithoutRecovery": true}),
    ] {
        assert_eq!(code(&mut secrets, "DeleteSecret", &input), "InvalidParameterException");
    }
    ok(
        &mut secrets,
        "DeleteSecret",
        &json!({"SecretId": "none", "ForceDeleteWithoutRecovery": true}),
    );
}

#[test]
fn tokens_make_writes_idempotent() {
    let mut secrets = store();
    let again = json!({"Name": "prod/db", "SecretString": "a", "ClientRequestToken": ONE});
    assert_eq!(ok(&mut secrets, "CreateSecret", &again)["VersionId"], ONE);
    let other = json!({"Name": "prod/db", "SecretString": "z", "ClientRequestToken": ONE});
    assert_eq!(code(&mut secrets, "CreateSecret", &other), "ResourceExistsException");
    let put = json!({"SecretId": "prod/db", "SecretString": "z", "ClientRequestToken": ONE});
    assert_eq!(code(&mut secrets, "PutSecretValue", &put), "ResourceExistsException");
    let short = json!({"SecretId": "prod/db", "SecretString": "z", "ClientRequestToken": "short"});
    assert_eq!(code(&mut secrets, "PutSecretValue", &short), "InvalidParameterException");
}

#[test]
fn tags_change_the_change_date_but_not_the_versions() {
    let mut secrets = store();
    let later = NOW + SignedDuration::from_secs(5);
    let before = stages(&mut secrets);
    secrets
        .call(
            "TagResource",
            &json!({"SecretId": "prod/db", "Tags": [{"Key": "a", "Value": "b"}]}),
            later,
        )
        .unwrap();
    let described = ok(&mut secrets, "DescribeSecret", &json!({"SecretId": "prod/db"}));
    assert_eq!(described["LastChangedDate"], json!(5.0));
    assert_eq!(described["VersionIdsToStages"], before);
    ok(&mut secrets, "UntagResource", &json!({"SecretId": "prod/db", "TagKeys": ["a"]}));
}

#[test]
fn lists_are_filtered_and_paged() {
    let mut secrets = store();
    for name in ["prod/api", "test/api"] {
        ok(&mut secrets, "CreateSecret", &json!({"Name": name}));
    }
    let names = |answer: &Value| -> Vec<String> {
        answer["SecretList"]
            .as_array()
            .unwrap()
            .iter()
            .map(|row| row["Name"].as_str().unwrap().to_owned())
            .collect()
    };
    for (filter, expected) in [
        (json!({"Key": "name", "Values": ["prod/"]}), vec!["prod/api", "prod/db"]),
        (json!({"Key": "name", "Values": ["!prod/"]}), vec!["test/api"]),
        (json!({"Key": "tag-key", "Values": ["env"]}), vec!["prod/db"]),
        (json!({"Key": "all", "Values": ["test"]}), vec!["test/api"]),
    ] {
        let answer =
            ok(&mut secrets, "ListSecrets", &json!({"Filters": [filter], "SortBy": "name"}));
        assert_eq!(names(&answer), expected, "{filter}");
    }
    let first = ok(&mut secrets, "ListSecrets", &json!({"MaxResults": 2, "SortBy": "name"}));
    let second = ok(
        &mut secrets,
        "ListSecrets",
        &json!({"MaxResults": 2, "SortBy": "name", "NextToken": first["NextToken"]}),
    );
    assert_eq!((names(&first).len(), names(&second)), (2, vec!["test/api".to_owned()]));
    assert!(first["SecretList"][1].get("SecretVersionsToStages").is_some());
}

#[test]
fn fixtures_name_their_versions() {
    let mut secrets = Secrets::new("123456789012", "eu-west-1");
    let fixture = json!({"name": "prod/db", "suffix": "AbCdEf", "versions": [ONE, TWO, THREE]});
    secrets.load(&serde_json::from_value(fixture).unwrap(), NOW).unwrap();
    assert_eq!(stages(&mut secrets), json!({TWO: [PREVIOUS], THREE: [CURRENT]}));
    assert_eq!(
        secrets.resolve("arn:aws:secretsmanager:eu-west-1:123456789012:secret:prod/db-AbCdEf"),
        Some(THREE)
    );
    let unknown = json!({"name": "prod/db", "value": "never"});
    assert!(serde_json::from_value::<FixtureSecret>(unknown).is_err());
}
