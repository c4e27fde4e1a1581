//! Layers: what the configuration of an image says, from the address that ECR signs.

use std::time::Duration;

use sandbox::FixtureImage;

use super::super::{Kind, Repository};
use super::Bench;

#[tokio::test(start_paused = true)]
async fn a_configuration_is_read_from_its_signed_address_with_nothing_of_ours() {
    let bench = Bench::new().await;
    let (account, tags) = (bench.account(), vec!["v1".to_owned()]);
    let platform = Some("linux/arm64/v8".to_owned());
    let image = FixtureImage { tags, platform, ..FixtureImage::default() };
    let pushed = bench.sandbox.edit(bench.time.now(), |region| region.push_image("web", &image));
    pushed.unwrap();
    let registry = account.caller_identity().await.unwrap().account;
    let repository = Repository { registry, name: "web".to_owned() };
    let listed = account.repository_images(&repository).await.unwrap().unwrap();
    let manifest = account.image_manifest(&repository, &listed[0].digest).await.unwrap();
    assert_eq!(manifest.images, None);
    let digest = manifest.configuration.unwrap();
    let address = account.layer_address(&repository, &digest).await.unwrap();
    // The sandbox refuses as S3 does what is signed twice.
    let platform = account.configured_platform(&address, &digest).await.unwrap();
    assert_eq!(platform.as_deref(), Some("linux/arm64/v8"));
    assert_eq!(format!("{address:?}"), "LayerAddress");
    let other = format!("sha256:{}", "0".repeat(64));
    let error = account.configured_platform(&address, &other).await.unwrap_err();
    assert!(error.to_string().contains("another digest"), "{error}");
    let error = account.layer_address(&repository, &other).await.unwrap_err();
    assert_eq!(error.kind, Kind::NotFound, "{error}");
    tokio::time::sleep(Duration::from_mins(61)).await;
    let error = account.configured_platform(&address, &digest).await.unwrap_err();
    assert_eq!(error.kind, Kind::Denied, "{error}");
    assert!(!error.to_string().contains("X-Amz"), "{error}");
}
