//! Images in ECR: whether the tag or digest is there, can be pulled, and runs on the wanted platform (aws.md §6.3).

use serde_json::Value;

use super::fact::{Fact, Mention, Verdict};
use super::nearest;
use super::{Facts, Mentions};
use crate::desired::Desired;
use crate::image::ImageReference;

/// One image, by its reference.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ImageName {
    /// As the spec writes it.
    pub reference: String,
    /// Where it lies in ECR; `None` in any other registry.
    pub place: Option<EcrImage>,
}

/// An image in ECR.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EcrImage {
    /// The account that holds the repository.
    pub account: String,
    /// Its region.
    pub region: String,
    /// The repository, `shop/web`.
    pub repository: String,
    /// The tag; `latest` where neither tag nor digest is written, nothing beside a digest.
    pub tag: Option<String>,
    /// The digest, `sha256:…`; it wins over a tag.
    pub digest: Option<String>,
}

/// What ECR says of an image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Image {
    /// Its digest.
    pub digest: String,
    /// ECR's word for its state where it is not `ACTIVE`: then no task can pull it.
    pub unusable: Option<String>,
    /// The platforms of an index, `linux/arm64`; `None` where the manifest does not say.
    pub platforms: Option<Vec<String>>,
}

impl ImageName {
    /// Takes a reference apart.
    pub fn parse(reference: &str) -> Self {
        Self { reference: reference.to_owned(), place: EcrImage::parse(reference) }
    }
}

impl EcrImage {
    fn parse(reference: &str) -> Option<Self> {
        let image = ImageReference::parse(reference);
        let (host, repository) = image.repository.split_once('/')?;
        let (account, rest) = host.split_once('.')?;
        let region = rest
            .strip_prefix("dkr.ecr.")
            .and_then(|rest| rest.split_once(".amazonaws.com").map(|(region, _)| region))
            .or_else(|| {
                rest.strip_prefix("dkr-ecr.")?.split_once(".on.").map(|(region, _)| region)
            })?;
        let is_account = account.len() == 12 && account.bytes().all(|byte| byte.is_ascii_digit());
        let tag = match (&image.digest, image.tag) {
            (Some(_), _) => None,
            (None, tag) => Some(tag.unwrap_or_else(|| "latest".to_owned())),
        };
        is_account.then(|| Self {
            account: account.to_owned(),
            region: region.to_owned(),
            repository: repository.to_owned(),
            tag,
            digest: image.digest,
        })
    }
}

pub(super) fn mentions(desired: &Desired) -> Vec<Mention<ImageName, Option<String>>> {
    let platform = wanted_platform(&desired.task_definition.input);
    super::task::containers(desired)
        .filter_map(|(at, container)| {
            let reference = container.get("image")?.as_str()?;
            Some(Mention {
                path: format!("{at}.image"),
                name: ImageName::parse(reference),
                wanted: platform.clone(),
            })
        })
        .collect()
}

/// What the tasks of a definition run on, `linux/amd64`, where it or Fargate says so; on instances of one's own ECS looks for a fit.
pub fn wanted_platform(definition: &Value) -> Option<String> {
    let is_fargate = definition
        .get("requiresCompatibilities")
        .and_then(Value::as_array)
        .is_some_and(|all| all.iter().any(|one| one.as_str() == Some("FARGATE")));
    let platform = definition.get("runtimePlatform");
    let member =
        |name: &str| platform.and_then(|platform| platform.get(name)).and_then(Value::as_str);
    if platform.is_none_or(Value::is_null) && !is_fargate {
        return None;
    }
    let system = match member("operatingSystemFamily") {
        Some(family) if family.starts_with("WINDOWS") => "windows",
        Some(_) | None => "linux",
    };
    match member("cpuArchitecture") {
        Some("ARM64") => Some(format!("{system}/arm64")),
        Some("X86_64") | None => Some(format!("{system}/amd64")),
        Some(_) => None,
    }
}

pub(super) fn judge(mentions: &Mentions, facts: &Facts, verdict: &mut Verdict) {
    for mention in &mentions.images {
        let ImageName { reference, place } = &mention.name;
        match facts.images.get(&mention.name) {
            Some(Fact::Present(image)) => one(mention, image, verdict),
            Some(Fact::Absent(absence)) => {
                let (what, hint) = if let Some(around) = &absence.around {
                    let what = format!("there is no {around} for image `{reference}`");
                    (what, Some("push the image, or correct the name".to_owned()))
                } else {
                    let what = format!("image `{reference}` is not in its repository");
                    let wanted = place.as_ref().and_then(|place| place.tag.as_deref());
                    (what, wanted.and_then(|tag| nearest::hint(tag, &absence.known)))
                };
                verdict.find(&mention.path, what, hint.unwrap_or_else(|| "push it".to_owned()));
            }
            Some(Fact::NotChecked(why)) => verdict.pass_by(format!("image `{reference}`"), why),
            None => {}
        }
    }
}

fn one(mention: &Mention<ImageName, Option<String>>, image: &Image, verdict: &mut Verdict) {
    let reference = &mention.name.reference;
    if let Some(state) = &image.unusable {
        verdict.find(
            &mention.path,
            format!("image `{reference}` is {state} and cannot be pulled"),
            "restore it from the archive, or use another".to_owned(),
        );
    }
    if let (Some(wanted), Some(platforms)) = (&mention.wanted, &image.platforms)
        && !platforms.contains(wanted)
    {
        verdict.find(
            &mention.path,
            format!(
                "image `{reference}` has no manifest for {wanted}, which runtimePlatform asks for"
            ),
            format!("it has {}", platforms.join(", ")),
        );
    }
}
