//! What a choice hangs on beside the listing, read only for the images it hangs on.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::Duration;

use crds::FindingSeverity;
use planner::release::{Bundle, Facts, Offer, Platform, Scan, ScanFinding, Want};
use tokio::time::Instant;

use super::git;
use crate::aws::{Account, Error, Kind, Manifest, Repository, ScanFact};

/// How many manifests are remembered: what a digest names never changes.
const MANIFESTS_MAX: usize = 1_000;
/// How long it is not asked again for what is not allowed.
const DENIED_FOR: Duration = Duration::from_mins(10);

/// What a bundle holds, and the statement that it makes where it holds one.
const BUNDLE_CONTENT: &str = "dev.sigstore.bundle.content";
/// The kind of that statement.
const BUNDLE_PREDICATE: &str = "dev.sigstore.bundle.predicateType";
/// The statement by which cosign signs an image: that it is this one, and nothing else.
const SIGNED: &str = "https://sigstore.dev/cosign/sign/v1";

/// What was read of digests, none of which ever changes.
#[derive(Debug, Default)]
pub(super) struct Memory {
    manifests: HashMap<String, Manifest>,
    platforms: HashMap<String, Vec<Platform>>,
    bundles: BTreeMap<String, Bundle>,
    /// Since when configurations may not be read, and why.
    denied: Option<(Instant, String)>,
}

impl Memory {
    /// What is known already, for a choice that begins.
    pub(super) fn recall(&self, facts: &mut Facts) {
        for (digest, platforms) in &self.platforms {
            let known = facts.images.entry(digest.clone()).or_default();
            known.platforms = Some(Offer::Platforms(platforms.clone()));
        }
        facts.bundles.clone_from(&self.bundles);
    }
}

/// Reads what is wanted into `facts`, or says why something could not be read.
pub(super) async fn read(
    wants: &BTreeSet<Want>,
    (account, repository): (&Account, &Repository),
    memory: &mut Memory,
    mut git: Option<&mut git::Tags>,
    facts: &mut Facts,
) -> Result<(), String> {
    let place = (account, repository);
    for want in wants {
        match want {
            Want::Platforms { digest } => {
                let offer = offer(place, digest, memory).await;
                let offer = offer.map_err(|error| error.to_string())?;
                facts.images.entry(digest.clone()).or_default().platforms = Some(offer);
            }
            Want::Bundles { digests } => {
                let found = bundles(place, digests).await.map_err(|error| error.to_string())?;
                if memory.bundles.len() + found.len() > MANIFESTS_MAX {
                    memory.bundles.clear();
                }
                memory.bundles.extend(found.clone());
                facts.bundles.extend(found);
            }
            Want::Scan { digest } => {
                let scan = scan(account, repository, digest, memory).await;
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

/// What an image runs on: an index says so itself, a single image in its configuration.
async fn offer(
    place: (&Account, &Repository),
    digest: &str,
    memory: &mut Memory,
) -> Result<Offer, Error> {
    let manifest = match manifest(place, digest, memory).await {
        Err(error) if error.kind == Kind::Denied => {
            return Ok(Offer::Unreadable(format!(
                "{error}; `ecr:BatchGetImage` has to be allowed"
            )));
        }
        answer => answer?,
    };
    let platforms: Vec<String> = match (manifest.images, manifest.configuration) {
        (Some(images), _) => images.into_iter().map(|(_, platform)| platform).collect(),
        (None, Some(configuration)) => match configured(place, &configuration, memory).await? {
            Ok(platform) => platform.into_iter().collect(),
            Err(why) => return Ok(Offer::Unreadable(why)),
        },
        (None, None) => Vec::new(),
    };
    let platforms: Vec<Platform> =
        platforms.iter().filter_map(|platform| Platform::parse(platform)).collect();
    if memory.platforms.len() >= MANIFESTS_MAX {
        memory.platforms.clear();
    }
    memory.platforms.insert(digest.to_owned(), platforms.clone());
    Ok(Offer::Platforms(platforms))
}

/// What a configuration says, or why it cannot be read. That ECR did not answer is an error; that the layer's place did not is
/// none, because networks that reach ECR need not reach S3.
async fn configured(
    (account, repository): (&Account, &Repository),
    digest: &str,
    memory: &mut Memory,
) -> Result<Result<Option<String>, String>, Error> {
    if let Some((_, why)) = memory.denied.as_ref().filter(|(at, _)| at.elapsed() < DENIED_FOR) {
        return Ok(Err(why.clone()));
    }
    let address = match account.layer_address(repository, digest).await {
        Ok(address) => address,
        Err(error) if error.kind == Kind::Denied => {
            let why = format!("{error}; `ecr:GetDownloadUrlForLayer` has to be allowed");
            memory.denied = Some((Instant::now(), why.clone()));
            return Ok(Err(why));
        }
        // The configuration is not there although the image is, or is not given out.
        Err(error) if matches!(error.kind, Kind::NotFound | Kind::Refused) => {
            return Ok(Err(error.to_string()));
        }
        Err(error) => return Err(error),
    };
    let platform = account.configured_platform(&address, digest).await;
    Ok(platform.map_err(|error| error.to_string()))
}

/// What bundles hold. What does not tell is no signature.
async fn bundles(
    (account, repository): (&Account, &Repository),
    digests: &BTreeSet<String>,
) -> Result<BTreeMap<String, Bundle>, Error> {
    let manifests = account.image_manifests(repository, digests.iter().map(String::as_str)).await?;
    let kind = |digest: &String| {
        let annotations = manifests.get(digest).map(|manifest| &manifest.annotations);
        let says = |name: &str| annotations.and_then(|it| it.get(name)).map(String::as_str);
        let is_signature = says(BUNDLE_CONTENT) == Some("message-signature")
            || says(BUNDLE_PREDICATE) == Some(SIGNED);
        if is_signature { Bundle::Signature } else { Bundle::Statement }
    };
    Ok(digests.iter().map(|digest| (digest.clone(), kind(digest))).collect())
}

async fn manifest(
    (account, repository): (&Account, &Repository),
    digest: &str,
    memory: &mut Memory,
) -> Result<Manifest, Error> {
    if let Some(known) = memory.manifests.get(digest) {
        return Ok(known.clone());
    }
    let manifest = account.image_manifest(repository, digest).await?;
    if memory.manifests.len() >= MANIFESTS_MAX {
        memory.manifests.clear();
    }
    memory.manifests.insert(digest.to_owned(), manifest.clone());
    Ok(manifest)
}

/// What the scan of an image said. ECR scans the images of an index, not the index: then all of them count together.
async fn scan(
    account: &Account,
    repository: &Repository,
    digest: &str,
    memory: &mut Memory,
) -> Result<Scan, Error> {
    let own = scan_of(account.image_scan(repository, digest).await?);
    if matches!(own, Scan::Complete(_) | Scan::InProgress) {
        return Ok(own);
    }
    let manifest = manifest((account, repository), digest, memory).await?;
    let Some(images) = manifest.images.filter(|images| !images.is_empty()) else {
        return Ok(own);
    };
    let mut findings = Vec::new();
    let mut unfinished = None;
    for (digest, _) in &images {
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
