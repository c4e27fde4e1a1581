//! What a version must pass before it is chosen.

use std::collections::BTreeSet;

use crds::PendingVersion;
use jiff::{SignedDuration, Timestamp};

use super::candidates::Candidate;
use super::choose::{Question, Want};
use super::facts::{Bundle, Scan, ScanFinding, Stay};
use super::sentence::{length, list, moment, short};

/// What the gates say about one version.
#[derive(Debug)]
pub(super) enum Verdict {
    /// It may be chosen.
    Pass,
    /// It will not pass by waiting: why.
    Refuse(String),
    /// It may pass later.
    Wait(PendingVersion),
    /// Something has to be read first: what, and how that is called.
    Unread(Want, &'static str),
}

/// One of them.
type Gate = fn(&Question<'_>, &Candidate<'_>) -> Verdict;

/// Asks every gate; the first that is closed answers. What costs a call is asked last.
pub(super) fn judge(question: &Question<'_>, candidate: &Candidate<'_>) -> Verdict {
    ask(&[age, signature, ahead, scan, git], question, candidate)
}

/// Asks the gates for which nothing has to be read.
pub(super) fn judge_early(question: &Question<'_>, candidate: &Candidate<'_>) -> Verdict {
    ask(&[age, ahead], question, candidate)
}

fn ask(gates: &[Gate], question: &Question<'_>, candidate: &Candidate<'_>) -> Verdict {
    for gate in gates {
        match gate(question, candidate) {
            Verdict::Pass => {}
            closed @ (Verdict::Refuse(_) | Verdict::Wait(_) | Verdict::Unread(..)) => {
                return closed;
            }
        }
    }
    Verdict::Pass
}

/// The tag in Git, where one is asked for.
fn git(question: &Question<'_>, candidate: &Candidate<'_>) -> Verdict {
    question.tagged.map_or(Verdict::Pass, |tagged| tagged.judge(candidate))
}

fn wait(candidate: &Candidate<'_>, message: String, until: Option<Timestamp>) -> Verdict {
    Verdict::Wait(PendingVersion { tag: candidate.tag.to_owned(), message, until })
}

fn age(question: &Question<'_>, candidate: &Candidate<'_>) -> Verdict {
    let (tag, least) = (candidate.tag, question.rule.min_age);
    if least.is_zero() {
        return Verdict::Pass;
    }
    let Some(pushed_at) = candidate.image.pushed_at else {
        return wait(candidate, format!("the registry does not say when {tag} was pushed"), None);
    };
    match pushed_at.checked_add(least) {
        Ok(old_enough) if old_enough <= question.now => Verdict::Pass,
        Ok(old_enough) => {
            let message = format!(
                "{tag} was pushed at {} and waits until {}, when it is {} old",
                moment(pushed_at),
                moment(old_enough),
                length(least)
            );
            wait(candidate, message, Some(old_enough))
        }
        Err(_) => Verdict::Refuse(format!("{tag} will never be {} old", length(least))),
    }
}

fn signature(question: &Question<'_>, candidate: &Candidate<'_>) -> Verdict {
    let (tag, digest) = (candidate.tag, &candidate.image.digest);
    if !question.rule.needs_signature || question.listing.is_signed(digest) {
        return Verdict::Pass;
    }
    let (bundles, known) = (question.listing.bundles_of(digest), &question.facts.bundles);
    if bundles.iter().any(|bundle| known.get(bundle) == Some(&Bundle::Signature)) {
        return Verdict::Pass;
    }
    let unread = bundles.iter().filter(|bundle| !known.contains_key(*bundle)).cloned();
    let digests: BTreeSet<String> = unread.collect();
    if !digests.is_empty() {
        return Verdict::Unread(Want::Bundles { digests }, "signature");
    }
    let others = if bundles.is_empty() { "" } else { "; what is attached to it is none" };
    let message =
        format!("{tag} waits for a signature of {} in the repository{others}", short(digest));
    wait(candidate, message, None)
}

/// What the release ahead has in force counts while it runs well, and only as long as somebody looked. What it has left for
/// another version counts if it ran well for long enough.
fn ahead(question: &Question<'_>, candidate: &Candidate<'_>) -> Verdict {
    let Some((name, soak)) = &question.rule.promote else { return Verdict::Pass };
    let (tag, digest) = (candidate.tag, &candidate.image.digest);
    let Some(ahead) = &question.facts.ahead else {
        return wait(candidate, format!("{tag} waits for {name}, of which nothing is known"), None);
    };
    let mut here = ahead.stays.iter().filter(|stay| stay.digest == *digest);
    if ahead.in_force.as_ref() != Some(digest) {
        if here.any(|stay| stay.length() >= *soak) {
            return Verdict::Pass;
        }
        return wait(candidate, not_ahead(name.as_str(), *soak, candidate, &ahead.stays), None);
    }
    let Some(stay) = here.find(|stay| stay.lasts) else {
        return wait(candidate, format!("{tag} waits until {name} runs it well"), None);
    };
    if !ahead.is_watched {
        let message = format!("{tag} waits: it is not known whether {name} still runs it well");
        return wait(candidate, message, None);
    }
    if stay.length() >= *soak {
        return Verdict::Pass;
    }
    let until = stay.since.checked_add(*soak).ok().filter(|until| *until > question.now);
    let end = until.map(|until| format!(", until {}", moment(until))).unwrap_or_default();
    let message = format!(
        "{tag} runs in {name} since {} and has to do so for {}{end}",
        moment(stay.since),
        length(*soak)
    );
    wait(candidate, message, until)
}

/// Why an image that the release ahead does not have in force has to wait.
fn not_ahead(
    name: &str,
    soak: SignedDuration,
    candidate: &Candidate<'_>,
    stays: &[Stay],
) -> String {
    let Candidate { tag, image, .. } = candidate;
    let alike = stays.iter().find(|stay| stay.tag == *tag && stay.digest != image.digest);
    if let Some(stay) = alike {
        return format!(
            "{tag} waits: {name} ran it as {}, and here it is {}",
            short(&stay.digest),
            short(&image.digest)
        );
    }
    if stays.iter().any(|stay| stay.digest == image.digest) {
        return format!("{tag} waits: it ran in {name} for less than {}", length(soak));
    }
    match stays.iter().find(|stay| stay.lasts) {
        Some(stay) => format!("{tag} waits for {name}, which runs {}", stay.tag),
        None => format!("{tag} waits for {name}, which runs nothing well"),
    }
}

fn scan(question: &Question<'_>, candidate: &Candidate<'_>) -> Verdict {
    let Some(least) = question.rule.scan else { return Verdict::Pass };
    let (tag, digest) = (candidate.tag, &candidate.image.digest);
    let facts = question.facts.images.get(digest);
    let findings = match facts.and_then(|facts| facts.scan.as_ref()) {
        None => return Verdict::Unread(Want::Scan { digest: digest.clone() }, "scan"),
        Some(Scan::Missing) => {
            return wait(candidate, format!("{tag} has not been scanned"), None);
        }
        Some(Scan::InProgress) => {
            return wait(candidate, format!("{tag} is being scanned"), None);
        }
        Some(Scan::Failed(why)) => {
            return Verdict::Refuse(format!("{tag} could not be scanned: {why}"));
        }
        Some(Scan::Complete(findings)) => findings,
    };
    let is_waived = |finding: &ScanFinding| {
        let mut waivers = question.rule.waivers.iter();
        waivers.any(|(id, until)| *id == finding.id && !until.is_past(question.now))
    };
    let mut counted: Vec<&ScanFinding> =
        findings.iter().filter(|found| found.severity >= least && !is_waived(found)).collect();
    if counted.is_empty() {
        return Verdict::Pass;
    }
    counted.sort_by(|one, other| other.severity.cmp(&one.severity).then(one.id.cmp(&other.id)));
    counted.dedup();
    let named: Vec<String> = counted
        .iter()
        .map(|finding| {
            let mut waivers = question.rule.waivers.iter();
            let lapsed = waivers.any(|(id, _)| *id == finding.id);
            let lapsed = if lapsed { ", waiver expired" } else { "" };
            format!("{} ({}{lapsed})", finding.id, finding.severity.as_str())
        })
        .collect();
    Verdict::Refuse(format!("{tag} has {}", list(&named)))
}
