//! What must hold for any listing and any text.

use std::collections::BTreeMap;

use crds::{PrereleaseOrder, Prereleases, RangeStyle};
use jiff::SignedDuration;
use proptest::prelude::*;

use super::harness::{image, noon, spec};
use crate::release::pattern::Pattern;
use crate::release::range::Range;
use crate::release::version::Version;
use crate::release::{Choice, Facts, ListedImage, Listing, Past, Rule, choose};

const POLICIES: [&str; 8] = [
    ">=1.0.0",
    ">=1.0.0-0 [pre]",
    ">=1.0.0-0 [pre rc]",
    "^1 [cargo]",
    ">=1.0.0 [min=10m]",
    "numeric",
    "lowest",
    "alphabetical",
];

fn tag() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => "v?[12]\\.[0-2]\\.[0-2](-rc[0-9]{1,2})?(_[ab])?",
        2 => "0?[0-9]{1,2}",
        1 => "[a-z]{1,3}",
    ]
}

/// A repository as it is seen once; a tag is on one image.
pub(super) fn images() -> impl Strategy<Value = Vec<ListedImage>> {
    let entry = (tag(), 0_u8..12, 0_i64..30);
    proptest::collection::vec(entry, 0..12).prop_map(|entries| {
        let tags: BTreeMap<String, (u8, i64)> =
            entries.into_iter().map(|(tag, digest, age)| (tag, (digest, age))).collect();
        tags.into_iter()
            .map(|(tag, (digest, age))| {
                let mut listed = image(&[&tag], &format!("sha256:{digest:064}"));
                listed.pushed_at = noon().checked_sub(SignedDuration::from_mins(age)).ok();
                listed
            })
            .collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_release_never_goes_back(
        policy in prop::sample::select(&POLICIES[..]),
        listings in proptest::collection::vec((images(), any::<bool>(), any::<bool>()), 1..12),
    ) {
        let rule = Rule::resolve(&spec(policy)).unwrap();
        let mut past = Past::default();
        for (step, (images, restarts, accepts)) in listings.into_iter().enumerate() {
            let now = noon().checked_add(SignedDuration::from_mins(i64::try_from(step).unwrap())).unwrap();
            // A restart forgets everything but the choice, which stands in AWS.
            if restarts {
                past = Past { chosen: past.chosen, ..Past::default() };
            }
            past.accepts_loss = accepts;
            let listing = Listing::complete(images, now);
            let decision = choose(&rule, &listing, &Facts::default(), &past, now);
            let next = past.after(&decision, &rule, &listing, now);
            if let (Some(before), Some(after)) = (&past.chosen, &next.chosen) {
                let rank = |version: &str| rule.policy.rank(version).unwrap();
                prop_assert!(rank(&before.version) <= rank(&after.version), "{before:?} {after:?}");
                // The same version never becomes another image.
                if rank(&before.version) == rank(&after.version) {
                    prop_assert_eq!(&before.digest, &after.digest);
                }
            }
            prop_assert!(!decision.choice.why().is_empty());
            // What was just chosen is not chosen again.
            let again = choose(&rule, &listing, &Facts::default(), &next, now);
            let is_chosen = matches!(again.choice, Choice::Chosen { .. });
            prop_assert!(!is_chosen, "{:?}", again);
            past = next;
        }
    }

    #[test]
    fn the_order_of_a_listing_changes_nothing(
        policy in prop::sample::select(&POLICIES[..]),
        (images, shuffled) in images().prop_flat_map(|images| (Just(images.clone()), Just(images).prop_shuffle())),
    ) {
        let rule = Rule::resolve(&spec(policy)).unwrap();
        let decide = |images| {
            let listing = Listing::complete(images, noon());
            choose(&rule, &listing, &Facts::default(), &Past::default(), noon())
        };
        prop_assert_eq!(decide(images), decide(shuffled));
    }

    #[test]
    fn the_two_orders_of_versions_are_orders(texts in proptest::collection::vec("[12]\\.0\\.[01](-[a0-2.-]{1,6})?", 3)) {
        for order in [PrereleaseOrder::Semver, PrereleaseOrder::Numeric] {
            let versions: Vec<Version> =
                texts.iter().filter_map(|text| Version::parse(text, order)).collect();
            for one in &versions {
                for other in &versions {
                    prop_assert_eq!(one.cmp(other), other.cmp(one).reverse());
                    prop_assert_eq!(one.cmp(other).is_eq(), one == other);
                    for third in &versions {
                        prop_assert!(one > other || other > third || one <= third);
                    }
                }
            }
        }
    }

    #[test]
    fn ours_is_the_order_of_semantic_versioning(
        one in "[12]\\.0\\.[01](-(0|[1-9][0-9]?|[a-b0-9-]{0,2}[a-b-])(\\.[a-b1-9]{1,2})?)?",
        other in "[12]\\.0\\.[01](-(0|[1-9][0-9]?|[a-b0-9-]{0,2}[a-b-])(\\.[a-b1-9]{1,2})?)?",
    ) {
        let ours = |text: &str| Version::parse(text, PrereleaseOrder::Semver).unwrap();
        let theirs = |text: &str| semver::Version::parse(text).unwrap();
        prop_assert_eq!(ours(&one).cmp(&ours(&other)), theirs(&one).cmp(&theirs(&other)), "{} {}", one, other);
    }

    #[test]
    fn no_text_is_too_much(text in prop_oneof!["\\PC{0,60}", "[0-9xXv*.<>=~^| ,+a-]{0,40}", "[()?<>a-z*+{}0-9,\\[\\]|^$.\\\\]{0,40}"], tag in "\\PC{0,40}") {
        for style in [RangeStyle::Npm, RangeStyle::Cargo] {
            for order in [PrereleaseOrder::Semver, PrereleaseOrder::Numeric] {
                let version = Version::parse(&tag, order);
                if let Ok(range) = Range::parse(&text, style, order, Prereleases::Included) {
                    for text in ["0.0.0", "1.2.3", "1.2.3-rc.1", "18446744073709551615.0.0-0"] {
                        range.fit(&Version::parse(text, order).unwrap());
                    }
                    if let Some(version) = &version {
                        range.fit(version);
                    }
                }
            }
        }
        if let Ok(pattern) = Pattern::parse(&text) {
            pattern.version(&tag);
            pattern.is_match(&tag);
        }
    }

    /// Both styles mean the same where they are written the same.
    #[test]
    fn styles_agree_on_comparators(
        lower in "[0-2]\\.[0-2]\\.[0-2]", upper in "[0-2]\\.[0-2]\\.[0-2]",
        version in "[0-2]\\.[0-2]\\.[0-2](-rc\\.[12])?",
        signs in prop::sample::select(vec![(">=", "<"), (">", "<="), (">=", "<="), ("^", "<"), ("~", "<=")]),
    ) {
        let text = format!("{}{lower} {}{upper}", signs.0, signs.1);
        let parse = |style| Range::parse(&text, style, PrereleaseOrder::Semver, Prereleases::Named);
        let version = Version::parse(&version, PrereleaseOrder::Semver).unwrap();
        if let (Ok(npm), Ok(cargo)) = (parse(RangeStyle::Npm), parse(RangeStyle::Cargo)) {
            prop_assert_eq!(npm.fit(&version), cargo.fit(&version), "{}", text);
        }
    }
}
