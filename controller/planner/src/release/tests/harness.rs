//! How rows are written and checked. It is noon.
//!
//! policy: a range, or `numeric`, `lowest`, `alphabetical`, `first`, `tag=main`; then in brackets `cargo`, `pre` (pre-releases
//! included), `rc` (numeric pre-release order), `down` (downgrades), `pattern=…`, `not=…`, `min=10m`, `scan=HIGH`,
//! `waive=CVE/day`, `plat=linux/amd64`, `sign`, `after=staging/1h`, `image=…`.
//! remembered: a tag that is chosen (`1.4.0`, `1.4.0@a`), `listed=40`, `bad=2.0.0/11:00`, `accept`,
//! `later` (a newer listing was used), `ahead=1.5.0/90m` (runs there since; `/90m/5m`: and was last seen to), `was=1.5.0/30m`
//! (ran there, for so long), `tries=1.5.0` (in force there, but does not run well), `unwatched`, `ahead`;
//! `runs=linux/amd64` (what the services run on).
//! tags: `1.4.0`, with `@a` an image of its own letter, then `:age=5m`, `:plat=…` (also `denied`, `unstated`), `:scan=CVE-1/HIGH+CVE-2/LOW` or `missing`,
//! `running`, `failed`, `clean`, `:archived`, `:helm`; `sig=a`, `att=a`, `notary=a`, `bundle=a/sig`, `bundle=a/att` are what belongs to
//! image `a`.

use crds::{
    AlphabeticalOrder, ChosenVersion, FindingSeverity, Gates, HumanDuration, NumericOrder,
    PrereleaseOrder, Prereleases, Promote, RangeStyle, Reason, ReleasePolicy, ReleaseSpec,
    TagFilter, Waiver,
};
use jiff::{SignedDuration, Timestamp};

use crate::release::{
    Ahead, Bundle, Choice, Decision, Facts, ImageFacts, Listed, ListedImage, Listing, Offer, Past,
    Platform, RolledBack, Rule, Scan, ScanFinding, Stay, Storage, choose,
};

pub(super) const IMAGE: &str = "111122223333.dkr.ecr.eu-west-1.amazonaws.com/shop";

pub(super) fn noon() -> Timestamp {
    "2026-11-21T12:00:00Z".parse().unwrap()
}

fn ago(text: &str) -> Timestamp {
    noon().checked_sub(text.parse::<SignedDuration>().unwrap()).unwrap()
}

fn clock(text: &str) -> Timestamp {
    format!("2026-11-21T{text}:00Z").parse().unwrap()
}

/// Checks every row of a table, in the order that is written and in the reverse one. Returns how many there were.
pub(super) fn check(table: &str) -> usize {
    let rows: Vec<&str> = table
        .lines()
        .map(str::trim)
        .filter(|row| !row.is_empty() && !row.starts_with('#'))
        .collect();
    for row in &rows {
        let columns: Vec<&str> = row.split(" ; ").map(str::trim).collect();
        let [policy, memory, tags, outcome, why] = columns.as_slice() else {
            panic!("not five columns: {row}");
        };
        let rule = Rule::resolve(&spec(policy)).unwrap_or_else(|wrong| panic!("{row}: {wrong:?}"));
        let (past, ahead) = remembered(memory);
        let (mut images, mut facts) = listed(tags);
        facts.ahead = ahead;
        facts.runs_on = runs_on(memory);
        let decision = decide(&rule, images.clone(), &facts, &past);
        assert_outcome(row, &decision, outcome, why);
        images.reverse();
        assert_eq!(decide(&rule, images, &facts, &past), decision, "reversed: {row}");
    }
    rows.len()
}

fn decide(rule: &Rule, images: Vec<ListedImage>, facts: &Facts, past: &Past) -> Decision {
    choose(rule, &Listing::complete(images, noon()), facts, past, noon())
}

fn assert_outcome(row: &str, decision: &Decision, outcome: &str, why: &str) {
    let choice = &decision.choice;
    let found = match choice {
        Choice::Chosen { tag, .. } => format!("takes {tag}"),
        Choice::Keep { reason: Reason::VersionCurrent, .. } => "current".to_owned(),
        Choice::Keep { reason: Reason::VersionKept, .. } => "keeps".to_owned(),
        Choice::Keep { reason: Reason::VersionMissing, .. } => "none".to_owned(),
        Choice::Keep { reason, .. } => panic!("{row}: {reason}"),
        Choice::Pending { until: None, .. } => "waits".to_owned(),
        Choice::Pending { until: Some(until), .. } => {
            format!("waits {}", until.strftime("%H:%M"))
        }
        Choice::Ambiguous { tags, .. } => format!("ambiguous {}", tags.join(" ")),
        Choice::Suspicious { .. } => "suspicious".to_owned(),
    };
    assert_eq!(found, outcome, "{row}\n{decision:#?}");
    assert!(choice.why().contains(why), "{row}\n{}", choice.why());
    assert!(!choice.why().contains('\n') && !choice.why().ends_with('.'), "{}", choice.why());
}

pub(super) fn spec(text: &str) -> ReleaseSpec {
    let (choice, options) = match text.split_once('[') {
        Some((choice, options)) => (choice.trim(), options.strip_suffix(']').unwrap()),
        None => (text, ""),
    };
    let mut policy = ReleasePolicy::default();
    match choice {
        "numeric" => policy.numeric = Some(NumericOrder::Highest),
        "lowest" => policy.numeric = Some(NumericOrder::Lowest),
        "alphabetical" => policy.alphabetical = Some(AlphabeticalOrder::Last),
        "first" => policy.alphabetical = Some(AlphabeticalOrder::First),
        _ => match choice.strip_prefix("tag=") {
            Some(tag) => policy.tag = Some(tag.to_owned()),
            None => policy.semver = Some(choice.to_owned()),
        },
    }
    let (mut tags, mut gates) = (TagFilter::default(), Gates::default());
    let mut spec = ReleaseSpec {
        image: IMAGE.to_owned(),
        target: None,
        interval: None,
        policy: ReleasePolicy::default(),
        tags: None,
        git: None,
        gates: None,
        promote: None,
        write_back: None,
        allow_downgrade: None,
    };
    for option in options.split_whitespace() {
        let (name, value) = option.split_once('=').unwrap_or((option, ""));
        match name {
            "cargo" => policy.style = Some(RangeStyle::Cargo),
            "pre" => policy.prereleases = Some(Prereleases::Included),
            "rc" => policy.prerelease_order = Some(PrereleaseOrder::Numeric),
            "down" => spec.allow_downgrade = Some(true),
            "pattern" => tags.pattern = Some(value.to_owned()),
            "not" => tags.exclude.push(value.to_owned()),
            "min" => gates.min_age = Some(value.parse::<HumanDuration>().unwrap()),
            "scan" => gates.scan = Some(severity(value)),
            "waive" => {
                let (id, until) = value.split_once('/').unwrap();
                let (id, until) = (id.to_owned(), until.parse().unwrap());
                gates.waivers.push(Waiver { id, until, why: "not reachable".to_owned() });
            }
            "plat" => gates.platforms.push(value.to_owned()),
            "sign" => gates.signature = Some(true),
            "after" => {
                let (after, soak) = value.split_once('/').unwrap();
                let soak = Some(soak.parse().unwrap());
                spec.promote = Some(Promote { after: after.parse().unwrap(), soak });
            }
            "image" => value.clone_into(&mut spec.image),
            _ => panic!("unknown option {option}"),
        }
    }
    let has_filter = tags != TagFilter::default();
    ReleaseSpec { policy, tags: has_filter.then_some(tags), gates: Some(gates), ..spec }
}

fn severity(text: &str) -> FindingSeverity {
    serde_json::from_value(text.into()).unwrap()
}

/// The digest of a letter, or the one that a tag has when none is written.
pub(super) fn digest(letter: Option<&str>, tag: &str) -> String {
    match letter {
        Some(letter) => format!("sha256:{}", letter.repeat(64)),
        None => format!("sha256:of-{tag}"),
    }
}

fn remembered(text: &str) -> (Past, Option<Ahead>) {
    let (mut past, mut ahead): (Past, Option<Ahead>) = (Past::default(), None);
    let watched = || Ahead { is_watched: true, ..Ahead::default() };
    for word in text.split_whitespace().filter(|word| *word != "-") {
        let (name, value) = word.split_once('=').unwrap_or((word, ""));
        let (tag, rest) = value.split_once('/').unwrap_or((value, ""));
        let (tag, letter) = tag.split_once('@').map_or((tag, None), |(tag, l)| (tag, Some(l)));
        let stay = |since: Timestamp, seen: Timestamp, lasts: bool| Stay {
            tag: tag.to_owned(),
            digest: digest(letter, tag),
            since,
            seen,
            lasts,
        };
        match name {
            "listed" | "later" => {
                past.listed = Some(Listed {
                    image: IMAGE.to_owned(),
                    tags: value.parse().unwrap_or(1),
                    at: if name == "later" { clock("12:01") } else { clock("11:59") },
                });
            }
            "bad" => past.rolled_back.push(RolledBack {
                version: tag.trim_start_matches('v').to_owned(),
                tag: tag.to_owned(),
                digest: digest(letter, tag),
                at: clock(rest),
            }),
            "accept" => past.accepts_loss = true,
            "runs" => {}
            "ahead" if value.is_empty() => ahead = Some(watched()),
            "ahead" => {
                let (since, seen) = rest.split_once('/').unwrap_or((rest, "0s"));
                let ahead = ahead.get_or_insert_with(watched);
                ahead.in_force = Some(digest(letter, tag));
                ahead.stays.push(stay(ago(since), ago(seen), true));
            }
            "was" => {
                let since = ago("24h");
                let seen = since.checked_add(rest.parse::<SignedDuration>().unwrap()).unwrap();
                ahead.get_or_insert_with(watched).stays.push(stay(since, seen, false));
            }
            "tries" => ahead.get_or_insert_with(watched).in_force = Some(digest(letter, tag)),
            "unwatched" => ahead.get_or_insert_with(watched).is_watched = false,
            _ => {
                let (tag, letter) =
                    word.split_once('@').map_or((word, None), |(t, l)| (t, Some(l)));
                past.chosen = Some(chosen(tag, &digest(letter, tag)));
            }
        }
    }
    (past, ahead)
}

/// What the services run on.
fn runs_on(memory: &str) -> Vec<Platform> {
    let words = memory.split_whitespace().filter_map(|word| word.strip_prefix("runs="));
    words.map(|text| Platform::parse(text).unwrap()).collect()
}

pub(super) fn chosen(tag: &str, digest: &str) -> ChosenVersion {
    ChosenVersion {
        image: IMAGE.to_owned(),
        version: tag.trim_start_matches('v').to_owned(),
        tag: tag.to_owned(),
        digest: digest.to_owned(),
        since: clock("09:00"),
        reason: "it was the highest".to_owned(),
    }
}

pub(super) fn image(tags: &[&str], digest: &str) -> ListedImage {
    ListedImage {
        digest: digest.to_owned(),
        tags: tags.iter().map(|tag| (*tag).to_owned()).collect(),
        pushed_at: Some(ago("720h")),
        storage: Storage::Active,
        manifest_type: Some("application/vnd.oci.image.manifest.v1+json".to_owned()),
        artifact_type: Some("application/vnd.oci.image.config.v1+json".to_owned()),
        subject: None,
    }
}

fn listed(text: &str) -> (Vec<ListedImage>, Facts) {
    let (mut images, mut facts) = (Vec::new(), Facts::default());
    for word in text.split_whitespace().filter(|word| *word != "-") {
        if let Some(artifact) = artifact(word) {
            images.push(artifact);
            continue;
        }
        if bundle(word, &mut images, &mut facts) {
            continue;
        }
        let mut parts = word.split(':');
        let name = parts.next().unwrap();
        let (tag, letter) = name.split_once('@').map_or((name, None), |(tag, l)| (tag, Some(l)));
        let digest = digest(letter, tag);
        let mut listed = image(&[tag], &digest);
        let mut known = ImageFacts::default();
        for attribute in parts {
            let (name, value) = attribute.split_once('=').unwrap_or((attribute, ""));
            match name {
                "age" if value == "unknown" => listed.pushed_at = None,
                "age" => listed.pushed_at = Some(ago(value)),
                "archived" => listed.storage = Storage::Archived,
                "restoring" => listed.storage = Storage::Activating,
                "helm" => {
                    let chart = "application/vnd.cncf.helm.config.v1+json";
                    listed.artifact_type = Some(chart.to_owned());
                }
                "plat" => known.platforms = Some(offer(value)),
                "scan" => known.scan = Some(scan(value)),
                _ => panic!("unknown attribute {attribute}"),
            }
        }
        facts.images.insert(digest, known);
        images.push(listed);
    }
    (images, facts)
}

fn offer(text: &str) -> Offer {
    match text {
        "denied" => Offer::Unreadable("it is not allowed".to_owned()),
        "unstated" => Offer::Platforms(Vec::new()),
        platforms => {
            let platforms = platforms.split('+').map(|text| Platform::parse(text).unwrap());
            Offer::Platforms(platforms.collect())
        }
    }
}

/// `bundle=a/sig`, `bundle=a/att`, or `bundle=a` for one that has not been read; whether that is what the word says.
fn bundle(word: &str, images: &mut Vec<ListedImage>, facts: &mut Facts) -> bool {
    let Some(rest) = word.strip_prefix("bundle=") else { return false };
    let (letter, kind) = rest.split_once('/').unwrap_or((rest, ""));
    let own = format!("sha256:bundle-{letter}-{kind}");
    match kind {
        "sig" => facts.bundles.insert(own.clone(), Bundle::Signature),
        "att" => facts.bundles.insert(own.clone(), Bundle::Statement),
        _ => None,
    };
    images.push(ListedImage {
        artifact_type: Some("application/vnd.dev.sigstore.bundle.v0.3+json".to_owned()),
        subject: Some(digest(Some(letter), "")),
        ..image(&[], &own)
    });
    true
}

fn scan(text: &str) -> Scan {
    match text {
        "missing" => Scan::Missing,
        "running" => Scan::InProgress,
        "failed" => Scan::Failed("the operating system is not supported".to_owned()),
        "clean" => Scan::Complete(Vec::new()),
        findings => Scan::Complete(
            findings
                .split('+')
                .map(|finding| finding.split_once('/').unwrap())
                .map(|(id, word)| ScanFinding { id: id.to_owned(), severity: severity(word) })
                .collect(),
        ),
    }
}

fn artifact(word: &str) -> Option<ListedImage> {
    let (kind, letter) = word.split_once('=')?;
    let hash = letter.repeat(64);
    let own = format!("sha256:{kind}-{letter}");
    match kind {
        "sig" | "att" | "sbom" => Some(image(&[&format!("sha256-{hash}.{kind}")], &own)),
        "notary" => Some(ListedImage {
            artifact_type: Some("application/vnd.cncf.notary.signature".to_owned()),
            subject: Some(format!("sha256:{hash}")),
            ..image(&[], &own)
        }),
        _ => None,
    }
}
