//! Who calls: roles, external ids, and what happens when there is nobody to sign as.

use crds::{Target, TargetName};
use serde_json::json;

use super::canned::{Canned, Reply};
use crate::aws::{Aws, ConnectError, ConnectOptions, Kind};

fn target(name: &str, role: Option<&str>) -> Target {
    Target {
        name: name.parse().unwrap(),
        region: Some("us-west-2".to_owned()),
        role_arn: role.map(str::to_owned),
        external_id: role.map(|_| "shared-secret-7".to_owned()),
        max_concurrent_rollouts: None,
    }
}

const ROLE: &str = "arn:aws:iam::444455556666:role/longshore";

const ASSUMED: &str = "<AssumeRoleResponse><AssumeRoleResult><Credentials>\
    <AccessKeyId>ASIAROLE</AccessKeyId><SecretAccessKey>made-up</SecretAccessKey>\
    <SessionToken>session</SessionToken><Expiration>2026-11-21T01:00:00Z</Expiration>\
    </Credentials></AssumeRoleResult></AssumeRoleResponse>";

#[tokio::test(start_paused = true)]
async fn a_target_with_a_role_is_called_as_that_role() {
    let page = json!({ "serviceArns": [] }).to_string();
    let canned = Canned::new([
        Reply::Answer(200, ASSUMED.to_owned()),
        Reply::Answer(200, page.clone()),
        Reply::Answer(200, page),
    ]);
    let aws = canned.aws(&[target("other", Some(ROLE))]).await;
    let account = aws.account(&"other".parse().unwrap()).unwrap();
    assert_eq!(account.region(), "us-west-2");
    account.list_services("shop").await.unwrap();
    account.list_services("shop").await.unwrap();

    let heard = canned.heard();
    assert_eq!(heard.len(), 3, "the role is assumed once");
    let asked = String::from_utf8(heard[0].body.clone()).unwrap();
    assert!(asked.contains("Action=AssumeRole"), "{asked}");
    assert!(asked.contains("ExternalId=shared-secret-7"), "{asked}");
    assert!(asked.contains("RoleSessionName=longshore-other"), "{asked}");
    assert!(heard[1].uri.starts_with("https://ecs.us-west-2.amazonaws.com"), "{}", heard[1].uri);
    assert!(
        heard[1].headers["authorization"].contains("Credential=ASIAROLE/20261121/us-west-2/ecs")
    );
    assert_eq!(heard[1].headers["x-amz-security-token"], "session");
}

#[tokio::test(start_paused = true)]
async fn a_role_that_may_not_be_assumed_is_a_denial_and_asked_for_once_in_a_while() {
    let denied = "<ErrorResponse><Error><Code>AccessDenied</Code>\
                  <Message>not authorized to perform: sts:AssumeRole</Message></Error></ErrorResponse>";
    let canned = Canned::new([Reply::Answer(403, denied.to_owned())]);
    let aws = canned.aws(&[target("other", Some(ROLE))]).await;
    let account = aws.account(&"other".parse().unwrap()).unwrap();
    for _ in 0..3 {
        let error = account.update_service(&json!({ "service": "web" })).await.unwrap_err();
        assert_eq!(error.kind, Kind::Denied, "{error}");
        assert!(error.to_string().starts_with("cannot identify the caller for target other: "));
    }
    assert_eq!(canned.heard().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn who_calls_is_asked_once() {
    let canned = Canned::new([]);
    let aws = canned.aws(&[target("default", None), target("other", None)]).await;
    assert_eq!(aws.targets().len(), 2);
    let account = aws.account(&TargetName::default()).unwrap();
    let identity = account.caller_identity().await.unwrap();
    assert_eq!(identity.account, "111122223333");
    assert_eq!(identity.arn, "arn:aws:iam::111122223333:user/u");
    assert_eq!(account.caller_identity().await, Ok(identity));
    assert_eq!(aws.meter().sent(crate::aws::Operation::GetCallerIdentity), 1);
}

#[tokio::test(start_paused = true)]
async fn two_targets_of_one_name_are_refused() {
    let options = ConnectOptions::in_process(Canned::new([]));
    let twice = [target("default", None), target("default", None)];
    let error = Aws::connect(&twice, options).await.unwrap_err();
    assert_eq!(error, ConnectError::Twice { target: TargetName::default() });
}
