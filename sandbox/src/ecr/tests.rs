//! The rules of aws.md §6.3.

use jiff::SignedDuration;

use super::*;

const NOW: Timestamp = Timestamp::UNIX_EPOCH;

fn registry() -> Ecr {
    let mut ecr = Ecr::new("123456789012", "eu-west-1");
    ok(&mut ecr, "CreateRepository", &json!({"repositoryName": "web"}));
    ecr
}

fn ok(ecr: &mut Ecr, operation: &str, input: &Value) -> Value {
    ecr.call(operation, input, NOW).unwrap_or_else(|error| panic!("{operation}: {error:?}"))
}

fn code(ecr: &mut Ecr, operation: &str, input: &Value) -> String {
    ecr.call(operation, input, NOW).unwrap_err().code
}

fn push(ecr: &mut Ecr, tag: &str, seed: &str) -> String {
    let input = json!({"repositoryName": "web", "imageTag": tag, "imageManifest": manifest::image(seed, "{}", 5_000)});
    ok(ecr, "PutImage", &input)["image"]["imageId"]["imageDigest"].as_str().unwrap().to_owned()
}

#[test]
fn the_digest_is_that_of_the_manifest_text() {
    let mut ecr = registry();
    let text = r#"{"schemaVersion":2,"config":{"size":1,"mediaType":"c"},"layers":[]}"#;
    let answer = ok(
        &mut ecr,
        "PutImage",
        &json!({"repositoryName": "web", "imageTag": "v1", "imageManifest": text}),
    );
    assert_eq!(answer["image"]["imageId"]["imageDigest"], manifest::digest(text));
    assert_eq!(
        manifest::digest("abc"),
        "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    );
}

#[test]
fn one_unknown_image_refuses_the_whole_description() {
    let mut ecr = registry();
    push(&mut ecr, "v1", "a");
    let both =
        json!({"repositoryName": "web", "imageIds": [{"imageTag": "v1"}, {"imageTag": "v9"}]});
    let refusal = ecr.call("DescribeImages", &both, NOW).unwrap_err();
    assert_eq!(refusal.code, "ImageNotFoundException");
    assert!(refusal.message.contains("imageTag:'v9'"), "{}", refusal.message);
    let got = ok(&mut ecr, "BatchGetImage", &both);
    assert_eq!(got["images"].as_array().unwrap().len(), 1);
    assert_eq!(got["failures"][0]["failureCode"], "ImageNotFound");
}

#[test]
fn pages_show_every_image_once() {
    let mut ecr = registry();
    for n in 0..105 {
        push(&mut ecr, &format!("v{n}"), &n.to_string());
    }
    let mut seen = Vec::new();
    let mut token = Value::Null;
    loop {
        let page =
            ok(&mut ecr, "DescribeImages", &json!({"repositoryName": "web", "nextToken": token}));
        seen.extend(
            page["imageDetails"]
                .as_array()
                .unwrap()
                .iter()
                .map(|row| row["imageDigest"].to_string()),
        );
        token = page["nextToken"].clone();
        if token.is_null() {
            break;
        }
        assert_eq!(seen.len(), 100);
    }
    seen.sort();
    seen.dedup();
    assert_eq!(seen.len(), 105);
    for (operation, input, expected) in [
        (
            "DescribeImages",
            json!({"repositoryName": "web", "imageIds": [{"imageTag": "v1"}], "maxResults": 5}),
            "InvalidParameterException",
        ),
        (
            "DescribeImages",
            json!({"repositoryName": "web", "maxResults": 1001}),
            "InvalidParameterException",
        ),
        (
            "ListImages",
            json!({"repositoryName": "web", "nextToken": "x"}),
            "InvalidParameterException",
        ),
        ("ListImages", json!({"repositoryName": "none"}), "RepositoryNotFoundException"),
        (
            "ListImages",
            json!({"repositoryName": "web", "registryId": "999999999999"}),
            "RepositoryNotFoundException",
        ),
    ] {
        assert_eq!(code(&mut ecr, operation, &input), expected, "{operation} {input}");
    }
}

#[test]
fn archived_images_are_hidden_and_cannot_be_pulled() {
    let mut ecr = registry();
    let digest = push(&mut ecr, "v1", "a");
    push(&mut ecr, "v2", "b");
    let archive = |class: &str| json!({"repositoryName": "web", "imageId": {"imageTag": "v1"}, "targetStorageClass": class});
    assert_eq!(
        ok(&mut ecr, "UpdateImageStorageClass", &archive("ARCHIVE"))["imageStatus"],
        "ARCHIVED"
    );
    let listed = |ecr: &mut Ecr, status: Value| {
        let input = json!({"repositoryName": "web", "filter": {"imageStatus": status}});
        ok(ecr, "DescribeImages", &input)["imageDetails"].as_array().unwrap().len()
    };
    assert_eq!(listed(&mut ecr, Value::Null), 1);
    assert_eq!(listed(&mut ecr, json!("ARCHIVED")), 1);
    assert_eq!(listed(&mut ecr, json!("ANY")), 2);
    assert_eq!(ecr.resolve("web", "v1", NOW), None);
    let pull = json!({"repositoryName": "web", "imageIds": [{"imageTag": "v1"}]});
    assert_eq!(ok(&mut ecr, "BatchGetImage", &pull)["failures"][0]["failureCode"], "ImageNotFound");
    assert_eq!(
        ok(&mut ecr, "UpdateImageStorageClass", &archive("STANDARD"))["imageStatus"],
        "ACTIVATING"
    );
    assert_eq!(
        ecr.resolve("web", "v1", NOW + SignedDuration::from_mins(20)),
        Some(digest.as_str())
    );
    assert_eq!(ecr.resolve("web", &digest, NOW), None);
}

#[test]
fn immutable_tags_stay() {
    let mut ecr = registry();
    push(&mut ecr, "v1", "a");
    push(&mut ecr, "v1", "b");
    let setting = json!({"repositoryName": "web", "imageTagMutability": "IMMUTABLE_WITH_EXCLUSION",
        "imageTagMutabilityExclusionFilters": [{"filterType": "WILDCARD", "filter": "dev-*"}]});
    ok(&mut ecr, "PutImageTagMutability", &setting);
    push(&mut ecr, "dev-1", "a");
    push(&mut ecr, "dev-1", "c");
    let again = |seed: &str| json!({"repositoryName": "web", "imageTag": "v1", "imageManifest": manifest::image(seed, "{}", 5_000)});
    assert_eq!(code(&mut ecr, "PutImage", &again("c")), "ImageTagAlreadyExistsException");
    assert_eq!(code(&mut ecr, "PutImage", &again("b")), "ImageAlreadyExistsException");
    for setting in [
        json!({"repositoryName": "web", "imageTagMutability": "IMMUTABLE_WITH_EXCLUSION"}),
        json!({"repositoryName": "web", "imageTagMutability": "FROZEN"}),
    ] {
        assert_eq!(code(&mut ecr, "PutImageTagMutability", &setting), "InvalidParameterException");
    }
}

#[test]
fn a_moved_tag_leaves_the_old_image_untagged() {
    let mut ecr = registry();
    let old = push(&mut ecr, "latest", "a");
    let new = push(&mut ecr, "latest", "b");
    let untagged = json!({"repositoryName": "web", "filter": {"tagStatus": "UNTAGGED"}});
    assert_eq!(ok(&mut ecr, "ListImages", &untagged)["imageIds"], json!([{"imageDigest": old}]));
    assert_eq!(ecr.resolve("web", "latest", NOW), Some(new.as_str()));
}

#[test]
fn a_retagged_image_keeps_its_push_date() {
    let mut ecr = registry();
    let digest = push(&mut ecr, "v1", "a");
    let later = NOW + SignedDuration::from_hours(1);
    let retag = json!({"repositoryName": "web", "imageTag": "stable", "imageManifest": manifest::image("a", "{}", 5_000)});
    ecr.call("PutImage", &retag, later).unwrap();
    let answer = ok(
        &mut ecr,
        "DescribeImages",
        &json!({"repositoryName": "web", "imageIds": [{"imageDigest": digest}]}),
    );
    assert_eq!(answer["imageDetails"][0]["imagePushedAt"], json!(0.0));
    assert_eq!(answer["imageDetails"][0]["imageTags"], json!(["stable", "v1"]));
    assert_eq!(answer["imageDetails"][0]["imageSizeInBytes"], 5_000);
}

#[test]
fn what_put_image_refuses() {
    let mut ecr = registry();
    let good = manifest::image("a", "{}", 5_000);
    let index = r#"{"schemaVersion":2,"manifests":[{"digest":"sha256:00"}]}"#;
    for (input, expected) in [
        (json!({"imageManifest": "{"}), "InvalidParameterException"),
        (json!({"imageManifest": "{}"}), "InvalidParameterException"),
        (json!({"imageManifest": good, "imageTag": "-bad"}), "InvalidParameterException"),
        (
            json!({"imageManifest": good, "imageManifestMediaType": "other"}),
            "InvalidParameterException",
        ),
        (
            json!({"imageManifest": good, "imageDigest": "sha256:00"}),
            "ImageDigestDoesNotMatchException",
        ),
        (json!({"imageManifest": index}), "ReferencedImagesNotFoundException"),
        (json!({}), "InvalidParameterException"),
    ] {
        let mut input = input;
        input["repositoryName"] = json!("web");
        assert_eq!(code(&mut ecr, "PutImage", &input), expected, "{input}");
    }
}

#[test]
fn deleting_the_last_tag_deletes_the_image_and_indexes_protect_children() {
    let mut ecr = registry();
    push(&mut ecr, "v1", "a");
    push(&mut ecr, "stable", "a");
    let delete = |ecr: &mut Ecr, id: Value| {
        ok(ecr, "BatchDeleteImage", &json!({"repositoryName": "web", "imageIds": [id]}))
    };
    delete(&mut ecr, json!({"imageTag": "v1"}));
    assert!(ecr.resolve("web", "stable", NOW).is_some());
    delete(&mut ecr, json!({"imageTag": "stable"}));
    assert_eq!(
        ok(&mut ecr, "ListImages", &json!({"repositoryName": "web"}))["imageIds"],
        json!([])
    );
    let missing = delete(&mut ecr, json!({"imageTag": "stable"}));
    assert_eq!(missing["failures"][0]["failureCode"], "ImageNotFound");
    let nothing = delete(&mut ecr, json!({}));
    assert_eq!(nothing["failures"][0]["failureCode"], "MissingDigestAndTag");

    let child = push(&mut ecr, "child", "c");
    let index = json!({"schemaVersion": 2, "manifests": [{"digest": child}]}).to_string();
    ok(
        &mut ecr,
        "PutImage",
        &json!({"repositoryName": "web", "imageTag": "multi", "imageManifest": index}),
    );
    let refused = delete(&mut ecr, json!({"imageDigest": child}));
    assert_eq!(refused["failures"][0]["failureCode"], "ImageReferencedByManifestList");
}

#[test]
fn bundles_are_rows_about_their_image_that_say_what_they_hold() {
    let mut ecr = Ecr::new("123456789012", "eu-west-1");
    let predicate = "https://slsa.dev/provenance/v1";
    let fixture = json!({"name": "web", "images": [{"tags": ["v1"], "bundles": [predicate]}]});
    ecr.load(&serde_json::from_value(fixture).unwrap(), NOW).unwrap();
    let answer = ok(&mut ecr, "DescribeImages", &json!({"repositoryName": "web"}));
    let rows = answer["imageDetails"].as_array().unwrap();
    let image = rows.iter().find(|row| row["imageTags"][0] == "v1").unwrap();
    let bundle = rows.iter().find(|row| row.get("imageTags").is_none()).unwrap();
    assert_eq!(bundle["subjectManifestDigest"], image["imageDigest"]);
    let kind = "application/vnd.dev.sigstore.bundle.v0.3+json";
    assert_eq!(bundle["artifactMediaType"], kind);
    let id = json!({"imageDigest": bundle["imageDigest"]});
    let wanted = json!({"repositoryName": "web", "imageIds": [id]});
    let answer = ok(&mut ecr, "BatchGetImage", &wanted);
    let manifest = answer["images"][0]["imageManifest"].as_str().unwrap();
    let manifest: Value = serde_json::from_str(manifest).unwrap();
    assert_eq!(manifest["annotations"]["dev.sigstore.bundle.predicateType"], predicate);
}

#[test]
fn a_multi_platform_fixture_makes_the_rows_that_a_builder_and_a_signer_make() {
    let mut ecr = Ecr::new("123456789012", "eu-west-1");
    let fixture = json!({"name": "shop/web", "tagMutability": "IMMUTABLE", "images": [
        {"tags": ["1.2.3"], "platforms": ["linux/amd64", "linux/arm64"], "attestations": true, "signed": true,
         "sizeInBytes": 40_000_000, "findings": {"HIGH": 2}},
        {"tags": ["1.2.2"], "pushedAt": "2026-01-01T00:00:00Z", "archived": true},
    ]});
    ecr.load(&serde_json::from_value(fixture).unwrap(), NOW).unwrap();
    let answer = ok(&mut ecr, "DescribeImages", &json!({"repositoryName": "shop/web"}));
    let rows = answer["imageDetails"].as_array().unwrap();
    assert_eq!(rows.len(), 2 + 2 + 1 + 1);
    let index = rows.iter().find(|row| row["imageTags"][0] == "1.2.3").unwrap();
    assert_eq!(index["imageManifestMediaType"], manifest::OCI_INDEX);
    assert_eq!(index["imageSizeInBytes"], 40_000_000);
    assert!(index.get("artifactMediaType").is_none());
    let signature = format!("{}.sig", index["imageDigest"].as_str().unwrap().replace(':', "-"));
    assert!(rows.iter().any(|row| row["imageTags"][0] == signature));
    assert_eq!(rows.iter().filter(|row| row.get("imageTags").is_none()).count(), 4);

    let scan = json!({"repositoryName": "shop/web", "imageId": {"imageTag": "1.2.3"}});
    let findings = ok(&mut ecr, "DescribeImageScanFindings", &scan);
    assert_eq!(findings["imageScanFindings"]["findingSeverityCounts"], json!({"HIGH": 2}));
    let unscanned = json!({"repositoryName": "shop/web", "imageId": {"imageTag": "1.2.2"}});
    assert_eq!(code(&mut ecr, "DescribeImageScanFindings", &unscanned), "ScanNotFoundException");
}

#[test]
fn repositories_are_made_described_and_deleted() {
    let mut ecr = registry();
    push(&mut ecr, "v1", "a");
    for (operation, input, expected) in [
        ("CreateRepository", json!({"repositoryName": "web"}), "RepositoryAlreadyExistsException"),
        ("CreateRepository", json!({"repositoryName": "Web"}), "InvalidParameterException"),
        (
            "DescribeRepositories",
            json!({"repositoryNames": ["web", "none"]}),
            "RepositoryNotFoundException",
        ),
        ("DeleteRepository", json!({"repositoryName": "web"}), "RepositoryNotEmptyException"),
    ] {
        assert_eq!(code(&mut ecr, operation, &input), expected, "{operation}");
    }
    let described = ok(&mut ecr, "DescribeRepositories", &json!({}));
    assert_eq!(
        described["repositories"][0]["repositoryUri"],
        "123456789012.dkr.ecr.eu-west-1.amazonaws.com/web"
    );
    let arn = described["repositories"][0]["repositoryArn"].clone();
    ok(&mut ecr, "TagResource", &json!({"resourceArn": arn, "tags": [{"Key": "a", "Value": "b"}]}));
    assert_eq!(
        ok(&mut ecr, "ListTagsForResource", &json!({"resourceArn": arn}))["tags"],
        json!([{"Key": "a", "Value": "b"}])
    );
    ok(&mut ecr, "UntagResource", &json!({"resourceArn": arn, "tagKeys": ["a"]}));
    ok(&mut ecr, "DeleteRepository", &json!({"repositoryName": "web", "force": true}));
    assert_eq!(ok(&mut ecr, "DescribeRepositories", &json!({}))["repositories"], json!([]));
}
