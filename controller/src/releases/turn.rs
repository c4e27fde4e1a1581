//! One turn for one release: what is wanted, what is listed, choose, write it down, make it known.

use std::collections::BTreeSet;
use std::convert::Infallible;
use std::time::Duration;

use crds::{ChosenVersion, Generation, ObjectKey, Reason, ReleaseName, ReleaseStatus, SpecHash};
use jiff::Timestamp;
use planner::release::{self, Ahead, Choice, Decision, Facts, Listed, Past, Platform, RolledBack};
use tokio::time::Instant;

use super::git::Tags;
use super::listing::Known;
use super::write_back::WriteBacks;
use super::{
    INTERVAL, Purpose, Releases, facts, floor, listing, outcome, retagged, services, soak,
};
use crate::aws::{Account, Repository};
use crate::inventory::{ReleaseEntry, WantedRelease};
use crate::reconcile::Context;
use crate::state::ReleaseRecord;
use crate::status_store::{Event, EventLevel, ReleaseObject};

/// How often a choice is tried with more facts before the next turn: each round reads what the one before asked for.
const ROUNDS_MAX: usize = 30;
/// The annotation by which a person says that a repository rightly lost most of its tags; its value is how many are left.
const ACCEPT_TAGS: &str = "longshore.dev/accept-tags";

/// What is kept of a release between two turns; all of it can be read again.
#[derive(Debug, Default)]
pub(super) struct Tracked {
    known: Option<Known>,
    memory: facts::Memory,
    git: Option<Tags>,
    generation: Option<(SpecHash, u64)>,
}

/// How a turn ended.
#[derive(Debug, Default)]
pub(super) struct Ended {
    /// Services that have something else to run or to say.
    pub(super) touched: BTreeSet<ObjectKey>,
    /// Releases that wait for this one.
    pub(super) followers: Vec<ReleaseName>,
    /// When to look again.
    pub(super) next: Option<Duration>,
    /// Whether something failed that may pass.
    pub(super) has_failed: bool,
    /// Whether no source names the release any more.
    pub(super) is_gone: bool,
}

impl Ended {
    pub(super) fn failed() -> Self {
        Self { has_failed: true, ..Self::default() }
    }
}

/// Why a turn came to no decision.
struct Hindrance {
    reason: Reason,
    message: String,
    /// Whether trying again soon can help.
    may_pass: bool,
}

impl Hindrance {
    fn passing(reason: Reason, message: impl Into<String>) -> Self {
        Self { reason, message: message.into(), may_pass: true }
    }

    fn lasting(reason: Reason, message: impl Into<String>) -> Self {
        Self { reason, message: message.into(), may_pass: false }
    }
}

/// What a turn works on.
struct Subject<'a> {
    context: &'a Context,
    entry: &'a ReleaseEntry,
    purpose: Purpose,
    write_backs: &'a WriteBacks,
    now: Timestamp,
}

/// What a turn has decided.
struct Decided {
    decision: Decision,
    past: Past,
    record: ReleaseRecord,
    events: Vec<Event>,
}

/// Takes one turn for one release.
pub(super) async fn turn(
    releases: &Releases,
    context: &Context,
    name: &ReleaseName,
    tracked: &mut Tracked,
    purpose: Purpose,
) -> Ended {
    let wanted = context.inventory().releases().remove(name);
    let (entry, duplicate) = match wanted {
        Some(WantedRelease::Spec(entry)) => (entry, None),
        Some(WantedRelease::Twice { entry, places }) => (entry, Some(places)),
        None => return gone(context, name),
    };
    let now = context.clock.now();
    let write_backs = &releases.write_backs;
    let subject = Subject { context, entry: &entry, purpose, write_backs, now };
    let generation = tracked.generation_of(&entry.spec_hash);
    let mut ended = Ended { next: Some(entry.interval.unwrap_or(INTERVAL)), ..Ended::default() };
    // What was chosen before stays in force whatever happens next.
    let record = match context.state.read_release(name).await {
        Ok(record) => record,
        Err(error) => {
            let hindrance = Hindrance::passing(Reason::StateUnknown, error.to_string());
            return hindered(&subject, None, generation, hindrance, ended);
        }
    };
    let chosen = record.chosen.as_ref();
    if let Some(chosen) = chosen {
        ended.touched.append(&mut outcome::put(context, name, chosen));
    }
    if let Some(places) = duplicate {
        let message = format!("the release {name} is defined more than once: {places}");
        let hindrance = Hindrance::lasting(Reason::DuplicateSpec, message);
        return hindered(&subject, chosen, generation, hindrance, ended);
    }
    let mut seen = (*record).clone();
    let verdicts = chosen.map(|chosen| services::verdicts(context, name, chosen));
    let verdicts = verdicts.unwrap_or_default();
    services::look_at(&mut seen, &verdicts, now);
    let verdicts: Vec<_> = verdicts.into_values().collect();
    let look = releases.watch.note(context, name, &mut seen, &verdicts, now);
    if soak::are_others(&record.spells, &seen.spells) {
        ended.followers = context.inventory().followers_of_release(name);
    }
    ended.next = ended.next.map(|next| look.map_or(next, |look| next.min(look)));
    let decided = match Box::pin(decide(releases, &subject, seen.clone(), tracked)).await {
        Ok(decided) => decided,
        Err(hindrance) => {
            // What the services make of the version is worth keeping all the same.
            if purpose == Purpose::Act && seen != *record {
                let _ = write(context, name, &record, &seen).await;
            }
            return hindered(&subject, chosen, generation, hindrance, ended);
        }
    };
    if purpose == Purpose::Act && decided.record != *record {
        // Nothing is in force that is not written down: a process that starts anew would not know of it.
        if let Err(error) = write(context, name, &record, &decided.record).await {
            let hindrance = Hindrance::passing(Reason::StateUnknown, error);
            return hindered(&subject, chosen, generation, hindrance, ended);
        }
    }
    publish(&subject, generation, &decided, tracked, &mut ended);
    let begun = tracked.known.as_ref().map(|known| known.begun);
    let lasts = begun.and_then(|begun| releases.listing_lasts(context, &entry, begun));
    ended.next = ended.next.map(|next| lasts.map_or(next, |lasts| next.min(lasts)));
    ended
}

/// A release that no source names. What it has chosen is remembered: it may be on its way from one source to another.
fn gone(context: &Context, name: &ReleaseName) -> Ended {
    let is_complete = context.inventory().is_complete();
    if !is_complete {
        return Ended { next: Some(INTERVAL), ..Ended::default() };
    }
    context.statuses.remove_release(name);
    Ended { touched: outcome::missing(context, name), is_gone: true, ..Ended::default() }
}

/// Writes down what a turn has learnt, unless another process was faster.
async fn write(
    context: &Context,
    name: &ReleaseName,
    before: &ReleaseRecord,
    after: &ReleaseRecord,
) -> Result<(), String> {
    let change = |record: &mut ReleaseRecord| {
        // What was written to files is noted beside the turns.
        let written = record.written.clone();
        let is_mine = *record == ReleaseRecord { written: written.clone(), ..before.clone() };
        if is_mine {
            *record = ReleaseRecord { written, ..after.clone() };
        }
        Ok::<bool, Infallible>(is_mine)
    };
    match context.state.change_release(name, change).await {
        Ok(Ok(true)) => Ok(()),
        Ok(Ok(false)) => Err("another process has written meanwhile; it is read again".to_owned()),
        Ok(Err(never)) => match never {},
        Err(error) => Err(error.to_string()),
    }
}

/// Everything between the record as it was and the record as it shall be.
async fn decide(
    releases: &Releases,
    subject: &Subject<'_>,
    mut record: ReleaseRecord,
    tracked: &mut Tracked,
) -> Result<Decided, Hindrance> {
    let Subject { context, entry, now, .. } = subject;
    let rule = &entry.rule;
    let (account, repository) = registry(context, entry)?;
    let lasts = |begun| releases.listing_lasts(context, entry, begun).is_some();
    let is_there = listing::read(account, &repository, &mut tracked.known, lasts, *now).await;
    let is_there = is_there.map_err(|error| unreadable(&error))?;
    let (true, Some(known)) = (is_there, &tracked.known) else {
        let message =
            format!("there is no repository `{}` in {}", repository.name, account.region());
        return Err(Hindrance::lasting(Reason::VersionMissing, message));
    };
    let mut events = Vec::new();
    if record.chosen.is_none() {
        let running = floor::running(context, &entry.name).await;
        let running = running.map_err(|why| Hindrance::passing(Reason::ObservationFailed, why))?;
        record.chosen = release::floor(rule, &known.listing, &running, *now);
    }
    let mut facts = Facts {
        ahead: ahead(releases, subject).await?,
        runs_on: runs_on(subject),
        ..Facts::default()
    };
    if let Some(spec) = entry.git.as_ref() {
        let interval = entry.interval.unwrap_or(INTERVAL);
        let lasts = |begun| releases.lasts(&entry.name, begun, interval).is_some();
        let git = read_tags(releases, spec, tracked.git.take(), lasts).await;
        let git = git.map_err(|why| Hindrance::passing(Reason::ObservationFailed, why))?;
        let git = tracked.git.insert(git);
        let past = past(entry, &record, &known.listing);
        let awaited = release::awaited(rule, &known.listing, &git.names(), &past);
        for told in retagged::notice(&mut record, rule, git.commits(), &awaited, *now) {
            events.push(event(subject, EventLevel::Warning, "GitTagMoved", told));
        }
        facts.git = Some(git.facts(&record));
    }
    let past = past(entry, &record, &known.listing);
    let place = (account, &repository);
    let memory = &mut tracked.memory;
    let decision =
        settle(subject, &known.listing, place, memory, tracked.git.as_mut(), facts, &past).await?;
    let after = past.after(&decision, rule, &known.listing, *now);
    if let Choice::Chosen { tag, version, why, .. } = &decision.choice {
        events.push(event(subject, EventLevel::Info, "VersionChosen", format!("{tag}: {why}")));
        record.commit = tracked.git.as_ref().and_then(|git| {
            let tag = release::git_tag_of(rule, &git.names(), version)?;
            Some((tag.to_owned(), git.commit(tag)?.to_owned()))
        });
    }
    record.chosen.clone_from(&after.chosen);
    record.listed = after.listed.as_ref().map(|listed| (listed.image.clone(), listed.tags));
    Ok(Decided { decision, past: after, record, events })
}

/// The account that reads the repository, and the repository.
fn registry<'a>(
    context: &'a Context,
    entry: &ReleaseEntry,
) -> Result<(&'a Account, Repository), Hindrance> {
    let invalid = |message: String| Hindrance::lasting(Reason::InvalidSpec, message);
    let Some(account) = context.aws.account(&entry.target) else {
        let message = format!("the configuration names no target `{}`", entry.target);
        return Err(invalid(message));
    };
    let image = entry.rule.image();
    let Some((repository, region)) = listing::place(image) else {
        return Err(invalid(format!("`{image}` is not a repository of ECR")));
    };
    if region != account.region() {
        let message = format!(
            "the repository is in {region} and the target `{}` in {}: name a target of that region",
            entry.target,
            account.region()
        );
        return Err(invalid(message));
    }
    Ok((account, repository))
}

fn unreadable(error: &crate::aws::Error) -> Hindrance {
    let (reason, message) = (error.reason(), error.to_string());
    match error.retry() {
        crate::aws::Retry::Backoff => Hindrance::passing(reason, message),
        crate::aws::Retry::Never => Hindrance::lasting(reason, message),
    }
}

async fn read_tags(
    releases: &Releases,
    spec: &crds::ReleaseGit,
    known: Option<Tags>,
    lasts: impl Fn(Instant) -> bool,
) -> Result<Tags, String> {
    let mut tags = Tags::for_release(known, spec, &releases.repositories)?;
    if !tags.begun.is_some_and(lasts) {
        tags.list().await?;
    }
    Ok(tags)
}

/// What is known of the release that goes ahead.
async fn ahead(releases: &Releases, subject: &Subject<'_>) -> Result<Option<Ahead>, Hindrance> {
    let Subject { context, entry, now, .. } = subject;
    let Some(name) = entry.rule.goes_after() else { return Ok(None) };
    if !context.inventory().releases().contains_key(name) {
        return Ok(None);
    }
    let record = context.state.read_release(name).await;
    let record =
        record.map_err(|error| Hindrance::passing(Reason::StateUnknown, error.to_string()))?;
    Ok(Some(releases.watch.ahead(context, name, &record, *now)))
}

/// What the services of a release run on.
fn runs_on(subject: &Subject<'_>) -> Vec<Platform> {
    let Subject { context, entry, .. } = subject;
    let platforms = context.inventory().platforms_of_release(&entry.name);
    platforms.iter().filter_map(|platform| Platform::parse(platform)).collect()
}

/// What is remembered, as the planner takes it.
fn past(entry: &ReleaseEntry, record: &ReleaseRecord, listing: &release::Listing) -> Past {
    let accepted = entry.metadata.annotations.get(ACCEPT_TAGS);
    Past {
        chosen: record.chosen.clone(),
        listed: record.listed.as_ref().map(|(image, tags)| Listed {
            image: image.clone(),
            tags: *tags,
            // Listings are read one after the other: each one is newer than what is remembered.
            at: Timestamp::MIN,
        }),
        rolled_back: record
            .bad
            .iter()
            .map(|bad| RolledBack {
                version: bad.version.clone(),
                tag: bad.tag.clone(),
                digest: bad.digest.clone(),
                at: bad.at,
            })
            .collect(),
        accepts_loss: accepted.is_some_and(|count| *count == listing.tag_count().to_string()),
    }
}

/// Chooses, reading what the choice hangs on until it hangs on nothing more.
async fn settle(
    subject: &Subject<'_>,
    listing: &release::Listing,
    place: (&Account, &Repository),
    memory: &mut facts::Memory,
    mut git: Option<&mut Tags>,
    mut known: Facts,
    past: &Past,
) -> Result<Decision, Hindrance> {
    let rule = &subject.entry.rule;
    memory.recall(&mut known);
    for _ in 0..ROUNDS_MAX {
        let decision = release::choose(rule, listing, &known, past, subject.now);
        if decision.wants.is_empty() {
            return Ok(decision);
        }
        let read =
            facts::read(&decision.wants, place, memory, git.as_deref_mut(), &mut known).await;
        read.map_err(|why| Hindrance::passing(Reason::ObservationFailed, why))?;
    }
    Ok(release::choose(rule, listing, &known, past, subject.now))
}

fn event(subject: &Subject<'_>, level: EventLevel, reason: &str, message: String) -> Event {
    Event::of_release(&subject.entry.name, subject.now, level, (reason, message))
}

/// Says what came of a turn that decided something.
fn publish(
    subject: &Subject<'_>,
    generation: Generation,
    decided: &Decided,
    tracked: &Tracked,
    ended: &mut Ended,
) {
    let Subject { context, entry, now, .. } = subject;
    let Decided { decision, past, record, events } = decided;
    let before = context.statuses.release(&entry.name);
    let Some(known) = &tracked.known else { return };
    let mut status = release::status::after(
        before.as_ref().map(|object| &object.status),
        decision,
        past,
        &known.listing,
        generation,
        *now,
    );
    status.skipped = skipped(record);
    status.commit = record.commit.as_ref().map(|(_, commit)| commit.clone());
    status.written.clone_from(&record.written);
    if let Some(chosen) = &past.chosen {
        ended.touched.append(&mut outcome::put(context, &entry.name, chosen));
    } else {
        let why = decision.choice.why();
        ended.touched.append(&mut outcome::unresolved(context, &entry.name, why));
    }
    if let (Choice::Chosen { tag, digest, why, .. }, Purpose::Act) =
        (&decision.choice, subject.purpose)
    {
        tracing::info!(release = %entry.name, tag, digest, why, "version chosen");
    }
    for event in events {
        context.statuses.record(event.clone());
    }
    show(subject, status);
    ended.next = Some(until_next(subject, decision, ended.next.unwrap_or(INTERVAL)));
}

/// Versions that services did not keep, in words.
fn skipped(record: &ReleaseRecord) -> Vec<crds::SkippedVersion> {
    record
        .bad
        .iter()
        .map(|bad| crds::SkippedVersion {
            tag: bad.tag.clone(),
            digest: bad.digest.clone(),
            service: bad.service.to_string(),
            reason: bad.reason,
            since: bad.at,
        })
        .collect()
}

/// When to look again: at the latest after the interval, and at the moment something ends.
fn until_next(subject: &Subject<'_>, decision: &Decision, interval: Duration) -> Duration {
    let ends = decision.waiting.iter().filter_map(|waiting| waiting.until);
    let expiry = subject.entry.rule.next_expiry(subject.now);
    let soonest = ends.chain(expiry).filter(|end| *end > subject.now).min();
    let left = soonest.and_then(|end| Duration::try_from(end.duration_since(subject.now)).ok());
    left.map_or(interval, |left| left.min(interval))
}

/// Says that a turn came to no decision. What was chosen stays.
fn hindered(
    subject: &Subject<'_>,
    chosen: Option<&ChosenVersion>,
    generation: Generation,
    hindrance: Hindrance,
    mut ended: Ended,
) -> Ended {
    let Subject { context, entry, now, .. } = subject;
    let Hindrance { reason, message, may_pass } = hindrance;
    tracing::warn!(release = %entry.name, reason = %reason, why = message, "no version can be chosen");
    let before = context.statuses.release(&entry.name);
    let mut status = release::status::unread(
        before.as_ref().map(|object| &object.status),
        (reason, &message, may_pass),
        generation,
        *now,
    );
    if status.chosen.is_none() {
        status.chosen = chosen.cloned();
    }
    if status.chosen.is_none() {
        ended.touched.append(&mut outcome::unresolved(context, &entry.name, &message));
    }
    show(subject, status);
    ended.has_failed = may_pass;
    ended
}

fn show(subject: &Subject<'_>, status: ReleaseStatus) {
    let Subject { context, entry, write_backs, .. } = subject;
    let services = context.inventory().users_of_release(&entry.name).into_iter().collect();
    write_backs.publish(
        context,
        entry,
        ReleaseObject {
            name: entry.name.clone(),
            metadata: entry.metadata.clone(),
            provenance: Some(entry.provenance.clone()),
            spec: entry.spec.clone(),
            services,
            status,
        },
    );
}

impl Tracked {
    /// How often the spec has changed since the process began.
    fn generation_of(&mut self, hash: &SpecHash) -> Generation {
        let count = match &self.generation {
            Some((known, count)) if known == hash => *count,
            Some((_, count)) => count + 1,
            None => 1,
        };
        self.generation = Some((hash.clone(), count));
        Generation(count)
    }
}
