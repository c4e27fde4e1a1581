//! Whatever is listed, tagged, read, promoted, rolled back, forgotten or asked for otherwise: a release never goes back by
//! itself, and takes nothing that does not pass.

use std::collections::BTreeMap;

use crds::{FindingSeverity, ReleaseGit};
use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;

use super::harness::{noon, spec};
use super::properties::images;
use crate::release::{
    Ahead, Bundle, Choice, Facts, GitTag, ImageFacts, ListedImage, Listing, Offer, Past, Platform,
    RolledBack, Rule, Scan, ScanFinding, Stay, Trust, choose,
};

/// Ranges that a person puts in each other's place.
const RANGES: [&str; 5] =
    [">=1.0.0", ">=1.0.0 <2.0.0", "^2", "<1.2.0", ">=1.1.0-0 <2.0.0 || 2.1.x"];
/// What a version has to pass, one each.
const GATES: [&str; 6] =
    ["scan=HIGH", "plat=linux/amd64", "sign", "min=10m", "after=staging/10m", "git"];
/// What may happen first: the version in force fails, everything but the choice is forgotten, a person accepts the listing, and
/// it becomes known what the services run on.
const DEEDS: [&str; 4] = ["fails", "forgets", "accepts", "runs"];
/// How many images there are.
const IMAGES: u8 = 12;

/// What the world looks like once.
#[derive(Debug, Clone)]
struct Step {
    images: Vec<ListedImage>,
    range: &'static str,
    /// Which gates there are.
    gates: Vec<&'static str>,
    /// What is known of each image: its platforms, its scan, its bundle.
    known: Vec<(u8, u8, u8)>,
    /// Which of the tags are in Git.
    in_git: Vec<bool>,
    /// What is known of the release ahead: an image, for how long, whether it lasts, whether somebody looks.
    ahead: Option<(u8, i64, bool, bool)>,
    /// What happens first.
    deeds: Vec<&'static str>,
}

fn step() -> impl Strategy<Value = Step> {
    let known = proptest::collection::vec((0..4_u8, 0..4_u8, 0..3_u8), usize::from(IMAGES));
    let ahead = proptest::option::of((0..IMAGES, 0_i64..20, any::<bool>(), any::<bool>()));
    let world = (images(), known, proptest::collection::vec(any::<bool>(), 12), ahead);
    let asked = (
        prop::sample::select(&RANGES[..]),
        proptest::sample::subsequence(&GATES[..], 0..=GATES.len()),
        proptest::sample::subsequence(&DEEDS[..], 0..=DEEDS.len()),
    );
    (world, asked).prop_map(|((images, known, in_git, ahead), (range, gates, deeds))| Step {
        images,
        range,
        gates,
        known,
        in_git,
        ahead,
        deeds,
    })
}

fn digest(image: u8) -> String {
    format!("sha256:{image:064}")
}

fn amd64() -> Platform {
    Platform::parse("linux/amd64").unwrap()
}

impl Step {
    fn has(&self, gate: &str) -> bool {
        self.gates.iter().any(|own| own.starts_with(gate))
    }

    fn does(&self, deed: &str) -> bool {
        self.deeds.contains(&deed)
    }

    fn rule(&self) -> Rule {
        let options: Vec<&str> = self.gates.iter().copied().filter(|gate| *gate != "git").collect();
        let text = format!("{} [{}]", self.range, options.join(" "));
        let git = self.has("git").then(|| ReleaseGit {
            url: "https://github.com/acme/shop.git".to_owned(),
            wait: None,
            verify: None,
        });
        Rule::resolve(&crds::ReleaseSpec { git, ..spec(&text) }).unwrap()
    }

    fn git(&self) -> BTreeMap<String, GitTag> {
        let tags = self.images.iter().flat_map(|image| &image.tags).zip(&self.in_git);
        let tag = |(tag, _): (&String, _)| {
            let commit = tag.trim_start_matches('v').to_owned();
            (tag.clone(), GitTag { commit, noticed_at: None, trust: Trust::Unread })
        };
        tags.filter(|(_, is_there)| **is_there).map(tag).collect()
    }

    fn facts(&self, now: Timestamp) -> Facts {
        let mut facts = Facts { git: Some(self.git()), ..Facts::default() };
        if self.does("runs") {
            facts.runs_on.push(amd64());
        }
        for (image, (platforms, scan, bundle)) in (0..IMAGES).zip(&self.known) {
            let arm64 = Platform::parse("linux/arm64").unwrap();
            let platforms = match platforms {
                0 => None,
                1 => Some(Offer::Unreadable("it is not allowed".to_owned())),
                2 => Some(Offer::Platforms(vec![arm64])),
                _ => Some(Offer::Platforms(vec![arm64, amd64()])),
            };
            let severity = FindingSeverity::High;
            let scan = match scan {
                0 => None,
                1 => Some(Scan::InProgress),
                2 => Some(Scan::Complete(vec![ScanFinding { id: "CVE-1".to_owned(), severity }])),
                _ => Some(Scan::Complete(Vec::new())),
            };
            facts.images.insert(digest(image), ImageFacts { platforms, scan });
            match bundle {
                0 => None,
                1 => facts.bundles.insert(bundle_of(image), Bundle::Statement),
                _ => facts.bundles.insert(bundle_of(image), Bundle::Signature),
            };
        }
        facts.ahead = self.ahead.map(|(image, minutes, lasts, is_watched)| {
            let since = now.checked_sub(SignedDuration::from_mins(minutes)).unwrap();
            let (tag, digest) = ("any".to_owned(), digest(image));
            let stay = Stay { tag, digest: digest.clone(), since, seen: now, lasts };
            Ahead { in_force: lasts.then_some(digest), is_watched, stays: vec![stay] }
        });
        facts
    }

    /// What is listed, with a bundle for each image.
    fn listing(&self, now: Timestamp) -> Listing {
        let bundle = |image: u8| ListedImage {
            artifact_type: Some("application/vnd.dev.sigstore.bundle.v0.3+json".to_owned()),
            subject: Some(digest(image)),
            ..super::harness::image(&[], &bundle_of(image))
        };
        let bundles = (0..IMAGES).map(bundle);
        Listing::complete(self.images.iter().cloned().chain(bundles).collect(), now)
    }

    /// Why this image must not be taken, by other means than the choice's own.
    fn objection(&self, tag: &str, image: &str, past: &Past, now: Timestamp) -> Option<&str> {
        let number = image.trim_start_matches("sha256:").trim_start_matches('0');
        let number: usize = number.parse().unwrap_or(0);
        let (platforms, scan, bundle) = self.known[number];
        let is_it = |listed: &&ListedImage| listed.tags.iter().any(|own| own == tag);
        let pushed = self.images.iter().find(is_it)?.pushed_at?;
        let version = |tag: &str| tag.trim_start_matches('v').split('_').next().map(str::to_owned);
        let in_git = || self.git().keys().any(|name| version(name) == version(tag));
        let is_soaked = self.ahead.is_some_and(|(ahead, minutes, lasts, is_watched)| {
            usize::from(ahead) == number && minutes >= 10 && (!lasts || is_watched)
        });
        let objections = [
            (past.rolled_back.iter().any(|bad| bad.digest == image), "it was rolled back"),
            (self.has("scan") && scan != 3, "its scan"),
            (self.has("plat") && platforms != 3, "its platforms"),
            (self.does("runs") && [0, 2].contains(&platforms), "what the services run on"),
            (self.has("sign") && bundle != 2, "its signature"),
            (self.has("min") && now.duration_since(pushed).as_mins() < 10, "its age"),
            (self.has("after") && !is_soaked, "the release ahead"),
            (self.has("git") && !in_git(), "no tag in Git"),
        ];
        objections.into_iter().find(|(holds, _)| *holds).map(|(_, what)| what)
    }
}

fn bundle_of(image: u8) -> String {
    format!("sha256:bundle-{image}")
}

/// What is remembered when a step begins.
fn remembered(step: &Step, mut past: Past, now: Timestamp) -> Past {
    if let (true, Some(chosen)) = (step.does("fails"), past.chosen.clone()) {
        let (version, tag, digest) = (chosen.version, chosen.tag, chosen.digest);
        past.rolled_back.push(RolledBack { version, tag, digest, at: now });
    }
    if step.does("forgets") {
        past = Past { chosen: past.chosen, ..Past::default() };
    }
    Past { accepts_loss: step.does("accepts"), ..past }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_release_never_goes_back_and_takes_only_what_passes(steps in proptest::collection::vec(step(), 1..14)) {
        let mut past = Past::default();
        for (minute, step) in (0_i64..).zip(steps) {
            let now = noon().checked_add(SignedDuration::from_mins(minute)).unwrap();
            let rule = step.rule();
            past = remembered(&step, past, now);
            let (listing, facts) = (step.listing(now), step.facts(now));
            let decision = choose(&rule, &listing, &facts, &past, now);
            let next = past.after(&decision, &rule, &listing, now);
            if let (Some(before), Some(after)) = (&past.chosen, &next.chosen) {
                let rank = |version: &str| rule.policy.rank(version).unwrap();
                let (low, high) = (rank(&before.version), rank(&after.version));
                prop_assert!(low <= high, "{before:?} {after:?}");
                prop_assert!(low != high || before.digest == after.digest, "{before:?} {after:?}");
            }
            if let Choice::Chosen { tag, digest, .. } = &decision.choice {
                let objection = step.objection(tag, digest, &past, now);
                prop_assert_eq!(objection, None, "{} {}", tag, digest);
            }
            // What was just decided is decided again, and nothing else is taken.
            let again = choose(&rule, &listing, &facts, &next, now);
            let is_chosen = matches!(again.choice, Choice::Chosen { .. });
            prop_assert!(!is_chosen, "{again:?}");
            past = next;
        }
    }
}
