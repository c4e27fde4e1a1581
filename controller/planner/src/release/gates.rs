//! What a version must pass before it is chosen.

use crds::PendingVersion;
use jiff::{SignedDuration, Timestamp};

use super::candidates::Candidate;
use super::choose::{Question, Want};
use super::facts::{Platform, Scan, ScanFinding, Stay};
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

/// Asks every gate; the first that is closed answers. What costs a call is asked last.
pub(super) fn judge(question: &Question<'_>, candidate: &Candidate<'_>) -> Verdict {
    for gate in [age, signature, ahead, scan, git] {
        match gate(question, candidate) {
            Verdict::Pass => {}
            closed @ (Verdict::Refuse(_) | Verdict::Wait(_) | Verdict::Unread(..)) => {
                return closed;
            }
        }
    }
    Verdict::Pass
}

/// The platforms that are asked for and that an image is not made for; `None` if they have not been read.
pub(super) fn misfit(question: &Question<'_>, candidate: &Candidate<'_>) -> Option<Vec<Platform>> {
    let facts = question.facts.images.get(&candidate.image.digest);
    let offered = facts.and_then(|facts| facts.platforms.as_ref())?;
    let wanted = question.rule.platforms.iter();
    Some(wanted.filter(|wanted| !offered.iter().any(|own| own.fits(wanted))).cloned().collect())
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
    if !question.rule.needs_signature || question.listing.is_signed(&candidate.image.digest) {
        return Verdict::Pass;
    }
    let message = format!(
        "{} waits for a signature of {} in the repository",
        candidate.tag,
        short(&candidate.image.digest)
    );
    wait(candidate, message, None)
}

fn ahead(question: &Question<'_>, candidate: &Candidate<'_>) -> Verdict {
    let Some((name, soak)) = &question.rule.promote else { return Verdict::Pass };
    let tag = candidate.tag;
    let Some(stays) = &question.facts.ahead else {
        return wait(candidate, format!("{tag} waits for {name}, of which nothing is known"), None);
    };
    let here: Vec<&Stay> =
        stays.iter().filter(|stay| stay.digest == candidate.image.digest).collect();
    let ran = |stay: &Stay| stay.until.unwrap_or(question.now).duration_since(stay.since);
    if here.iter().any(|stay| ran(stay) >= *soak && !ran(stay).is_negative()) {
        return Verdict::Pass;
    }
    let ends = |stay: &Stay| stay.since.checked_add(*soak).ok();
    match here.iter().find(|stay| stay.until.is_none()).map(|stay| (stay.since, ends(stay))) {
        Some((since, until)) => {
            let end = until.map(|until| format!(", until {}", moment(until))).unwrap_or_default();
            let message = format!(
                "{tag} runs in {name} since {} and has to do so for {}{end}",
                moment(since),
                length(*soak)
            );
            wait(candidate, message, until)
        }
        None => wait(candidate, not_ahead(name.as_str(), *soak, candidate, stays), None),
    }
}

/// Why an image that the release ahead does not run has to wait.
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
    match stays.iter().find(|stay| stay.until.is_none()) {
        Some(stay) => format!("{tag} waits for {name}, which runs {}", stay.tag),
        None => format!("{tag} waits for {name}, which runs nothing"),
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
