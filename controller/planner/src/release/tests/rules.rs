//! Specs that cannot be used, and what is said about them.

use super::harness::{noon, spec};
use crate::release::Rule;

fn wrong(text: &str) -> Vec<String> {
    let findings = Rule::resolve(&spec(text)).err().unwrap_or_default();
    let findings = findings.into_iter();
    findings
        .map(|finding| {
            let hint = finding.hint.map(|hint| format!("; {hint}")).unwrap_or_default();
            format!("{}: {}{hint}", finding.path, finding.message)
        })
        .collect()
}

#[test]
fn what_is_wrong_with_a_range_is_said() {
    for (range, part) in [
        ("", "`` is not a range of versions; write comparators with spaces between"),
        ("  ", "is not a range"),
        ("latest", "`latest` is not a range of versions"),
        (">=1.0.0 <", "is not a range"),
        (">=1.0.0<2.0.0", "is not a range"),
        ("=>1.0.0", "is not a range"),
        ("!=1.0.0", "is not a range"),
        (">=1.0.0 || ", "is not a range"),
        (">=1.0.0 garbage", "is not a range"),
        ("1.0.0 - 2.0.0 3.0.0", "is not a range"),
        ("* - 2.0.0", "is not a range"),
        (">*", "is not a range"),
        ("1.x.3", "is not a range"),
        ("1.02.0", "is not a range"),
        ("1-rc.1", "is not a range"),
        ("1.0.0.0", "is not a range"),
        ("99999999999999999999.0.0", "is not a range"),
        (">2.0.0 <1.0.0", "no version can be in the range `>2.0.0 <1.0.0`; the lower end"),
        ("^1.0.0 ^2.0.0", "no version can be in the range"),
        ("^3 || >2.0.0 <1.0.0", "no version can be in the range"),
        ("^1 || ^2 [cargo]", "`||` in the range `^1 || ^2` has no meaning in Cargo's style"),
        ("1.0.0 - 2.0.0 [cargo]", "is not a range"),
    ] {
        let wrong = wrong(range);
        assert!(wrong.len() == 1 && wrong[0].contains(part), "{range}: {wrong:?}");
        assert!(wrong[0].starts_with("spec.policy.semver: "), "{range}: {wrong:?}");
    }
    assert!(wrong(&format!(">={}.0.0", "1".repeat(300)))[0].contains("longer than 256"));
}

#[test]
fn what_is_wrong_elsewhere_is_said_where_it_is() {
    for (text, expected) in [
        ("tag=-x", "spec.policy.tag: `-x` is not a tag; up to 128 letters"),
        ("tag=main [pattern=x]", "spec.tags: a policy that follows one tag has nothing to filter"),
        (
            "numeric [rc]",
            "spec.policy.prereleaseOrder: `prereleaseOrder` means something with `semver` only",
        ),
        ("numeric [cargo]", "spec.policy.style: "),
        ("numeric [pre]", "spec.policy.prereleases: "),
        ("numeric [pattern=(]", "spec.tags.pattern: `(` is not a regular expression: "),
        (
            "numeric [pattern=(?<verison>.)]",
            "spec.tags.pattern: the group `verison` of `(?<verison>.)` has no meaning: call it `version`",
        ),
        ("numeric [not=a not=(]", "spec.tags.exclude[1]: `(` is not"),
        ("numeric [pattern=(a{1000}){1000}]", "spec.tags.pattern: "),
        (
            "numeric [plat=linux]",
            "spec.gates.platforms[0]: `linux` is not a platform; write operating system",
        ),
        (
            "numeric [waive=CVE-1/2026-12-31]",
            "spec.gates.waivers: waivers mean nothing without `scan`",
        ),
        (
            "numeric [image=shop:1.0]",
            "spec.image: `shop:1.0` names one image already; the release adds the digest: write `shop`",
        ),
        ("numeric [image=]", "spec.image: `` is not an image's repository"),
        ("numeric [image=shop@sha256:ab]", "spec.image: `shop@sha256:ab` names one image already"),
    ] {
        let wrong = wrong(text);
        assert!(wrong.len() == 1 && wrong[0].starts_with(expected), "{text}: {wrong:?}");
    }
    assert!(
        wrong(&format!("numeric [pattern={}]", "a".repeat(257)))[0].contains("longer than 256")
    );
    let (mut both, mut none) = (spec("numeric"), spec("numeric"));
    both.policy.tag = Some("main".to_owned());
    none.policy.numeric = None;
    for (spec, part) in [(both, "more than one way"), (none, "names no way")] {
        assert!(Rule::resolve(&spec).unwrap_err()[0].message.contains(part));
    }
}

#[test]
fn everything_wrong_is_said_at_once() {
    assert_eq!(wrong("latest [pattern=( not=) plat=x image=a:b]").len(), 5);
}

#[test]
fn a_rule_says_what_it_goes_by() {
    let mut git = spec("numeric");
    git.git = Some(
        serde_json::from_value(serde_json::json!({ "url": "https://git.example/app" })).unwrap(),
    );
    let rule = |text: &str| Rule::resolve(&spec(text)).unwrap();
    assert!(Rule::resolve(&git).unwrap().follows_git() && !rule("numeric").follows_git());
    assert_eq!(rule("numeric [after=staging/1h]").goes_after().unwrap().as_str(), "staging");
    assert_eq!(rule("numeric").goes_after(), None);
    let waived = rule("numeric [scan=HIGH waive=CVE-1/2026-12-31 waive=CVE-2/2026-12-01]");
    let ends = |text: &str| text.parse::<crds::Expiry>().unwrap().moment();
    let (first, second) = (ends("2026-12-01"), ends("2026-12-31"));
    assert_eq!(waived.next_expiry(noon()), Some(first));
    assert_eq!(waived.next_expiry(first), Some(second), "it is over then");
    assert_eq!(waived.next_expiry(second), None);
}

#[test]
fn texts_and_lists_have_bounds() {
    let excludes = |count: usize| format!("numeric [{}]", "not=a ".repeat(count));
    let pattern = |length: usize| format!("numeric [pattern={}]", "a".repeat(length));
    let range = |length: usize| format!("1.0.0-{}", "a".repeat(length - "1.0.0-".len()));
    for (fine, told) in
        [(excludes(20), excludes(21)), (pattern(256), pattern(257)), (range(256), range(257))]
    {
        assert_eq!((wrong(&fine).len(), wrong(&told).len()), (0, 1), "{told}");
    }
}
