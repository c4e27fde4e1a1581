//! Releases made of a few words, and what they choose.

use crds::{PrereleaseOrder, Prereleases, RangeStyle, ReleasePolicy, ReleaseSpec};
use jiff::Timestamp;
use planner::release::{Choice, Facts, ListedImage, Listing, Past, Rule, Storage, choose};

/// The repository.
pub(super) const IMAGE: &str = "111122223333.dkr.ecr.eu-west-1.amazonaws.com/shop";

/// The time of every choice.
pub(super) fn now() -> Timestamp {
    "2026-11-21T12:00:00Z".parse().unwrap()
}

/// A policy by range.
pub(super) fn ranged(
    text: &str,
    style: RangeStyle,
    prereleases: Prereleases,
    order: PrereleaseOrder,
) -> ReleasePolicy {
    ReleasePolicy {
        semver: Some(text.to_owned()),
        style: Some(style),
        prereleases: Some(prereleases),
        prerelease_order: Some(order),
        ..ReleasePolicy::default()
    }
}

/// The rule of a policy; what is wrong with it is told well.
pub(super) fn rule(policy: ReleasePolicy) -> Option<Rule> {
    let spec = ReleaseSpec {
        image: IMAGE.to_owned(),
        target: None,
        interval: None,
        policy,
        tags: None,
        git: None,
        gates: None,
        promote: None,
        write_back: None,
        allow_downgrade: None,
    };
    match Rule::resolve(&spec) {
        Ok(rule) => Some(rule),
        Err(wrong) => {
            assert!(!wrong.is_empty());
            for finding in wrong {
                assert!(finding.path.starts_with("spec.policy"), "{finding:?}");
                super::assert_tellable(&finding.message);
            }
            None
        }
    }
}

/// An image that runs, under one tag.
pub(super) fn image(tag: &str, digest: &str) -> ListedImage {
    ListedImage {
        digest: digest.to_owned(),
        tags: vec![tag.to_owned()],
        pushed_at: None,
        storage: Storage::Active,
        manifest_type: Some("application/vnd.oci.image.manifest.v1+json".to_owned()),
        artifact_type: Some("application/vnd.oci.image.config.v1+json".to_owned()),
        subject: None,
    }
}

/// What is chosen from images.
pub(super) fn chosen(rule: &Rule, images: Vec<ListedImage>, past: &Past) -> Choice {
    choose(rule, &Listing::complete(images, now()), &Facts::default(), past, now()).choice
}

/// Whether a tag would be chosen if there were no other.
pub(super) fn takes(rule: &Rule, tag: &str) -> bool {
    let image = image(tag, "sha256:one");
    matches!(chosen(rule, vec![image], &Past::default()), Choice::Chosen { .. })
}
