//! What a choice hangs on beside the listing, read only for the images it hangs on.

use std::collections::{BTreeSet, HashMap};

use crds::FindingSeverity;
use planner::release::{Facts, Platform, Scan, ScanFinding, Want};

use super::git;
use crate::aws::{Account, Error, Index, Repository, ScanFact};

/// How many indexes are remembered: what a digest names never changes.
const INDEXES_MAX: usize = 1_000;

/// Indexes by digest.
pub(super) type Indexes = HashMap<String, Index>;

/// Reads what is wanted into `facts`, or says why something could not be read.
pub(super) async fn read(
    wants: &BTreeSet<Want>,
    (account, repository): (&Account, &Repository),
    indexes: &mut Indexes,
    mut git: Option<&mut git::Tags>,
    facts: &mut Facts,
) -> Result<(), String> {
    for want in wants {
        match want {
            Want::Platforms { digest } => {
                let index = index(account, repository, digest, indexes).await;
                let index = index.map_err(|error| error.to_string())?;
                let platforms = index.images.iter();
                let platforms = platforms.filter_map(|(_, platform)| Platform::parse(platform));
                facts.images.entry(digest.clone()).or_default().platforms =
                    Some(platforms.collect());
            }
            Want::Scan { digest } => {
                let scan = scan(account, repository, digest, indexes).await;
                let scan = scan.map_err(|error| error.to_string())?;
                facts.images.entry(digest.clone()).or_default().scan = Some(scan);
            }
            Want::GitTag { tag } => {
                if let Some(git) = &mut git {
                    git.verify(tag, facts).await?;
                }
            }
        }
    }
    Ok(())
}

async fn index(
    account: &Account,
    repository: &Repository,
    digest: &str,
    indexes: &mut Indexes,
) -> Result<Index, Error> {
    if let Some(known) = indexes.get(digest) {
        return Ok(known.clone());
    }
    let index = account.image_index(repository, digest).await?;
    if indexes.len() >= INDEXES_MAX {
        indexes.clear();
    }
    indexes.insert(digest.to_owned(), index.clone());
    Ok(index)
}

/// What the scan of an image said. ECR scans the images of an index, not the index: then all of them count together.
async fn scan(
    account: &Account,
    repository: &Repository,
    digest: &str,
    indexes: &mut Indexes,
) -> Result<Scan, Error> {
    let own = scan_of(account.image_scan(repository, digest).await?);
    if matches!(own, Scan::Complete(_) | Scan::InProgress) {
        return Ok(own);
    }
    let index = index(account, repository, digest, indexes).await?;
    if index.images.is_empty() {
        return Ok(own);
    }
    let mut findings = Vec::new();
    let mut unfinished = None;
    for (digest, _) in &index.images {
        match scan_of(account.image_scan(repository, digest).await?) {
            Scan::Complete(found) => findings.extend(found),
            other @ (Scan::Missing | Scan::InProgress | Scan::Failed(_)) => {
                unfinished = Some(other);
            }
        }
    }
    Ok(unfinished.unwrap_or(Scan::Complete(findings)))
}

fn scan_of(fact: ScanFact) -> Scan {
    match fact {
        ScanFact::Missing => Scan::Missing,
        ScanFact::Findings(findings) => Scan::Complete(
            findings
                .into_iter()
                .map(|(id, severity)| ScanFinding { id, severity: severity_of(&severity) })
                .collect(),
        ),
        ScanFact::Status { status, description } => match status.as_str() {
            "IN_PROGRESS" | "PENDING" => Scan::InProgress,
            _ => Scan::Failed(description.unwrap_or(status)),
        },
    }
}

/// A word that is not known yet counts as the worst.
fn severity_of(word: &str) -> FindingSeverity {
    match word {
        "UNDEFINED" | "UNTRIAGED" => FindingSeverity::Undefined,
        "INFORMATIONAL" => FindingSeverity::Informational,
        "LOW" => FindingSeverity::Low,
        "MEDIUM" => FindingSeverity::Medium,
        "HIGH" => FindingSeverity::High,
        _ => FindingSeverity::Critical,
    }
}
