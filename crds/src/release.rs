//! Kind `Release`: which version of an image runs.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    Condition, Expiry, Generation, HumanDuration, ObjectMeta, Reason, ReleaseName, TargetName,
};

/// Which version of an image runs, for every service that names it as `${release:NAME}`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Release {
    /// `longshore.dev/v1alpha1`.
    #[schemars(regex(pattern = "^longshore\\.dev/v1alpha1$"))]
    pub api_version: String,
    /// `Release`.
    #[schemars(regex(pattern = "^Release$"))]
    pub kind: String,
    /// Its name is what `${release:NAME}` refers to.
    pub metadata: ObjectMeta,
    /// Where the versions are and which of them is wanted.
    pub spec: ReleaseSpec,
}

/// Where the versions are and which of them is wanted.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ReleaseSpec {
    /// The image's repository, without tag and digest.
    pub image: String,
    /// Whose credentials read the repository, by a name in the operator's configuration. Default `default`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<TargetName>,
    /// How often the repository is listed. Default `1m`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interval: Option<HumanDuration>,
    /// Which of the versions is wanted.
    pub policy: ReleasePolicy,
    /// Which tags are versions, and which part of a tag is the version. Default: every tag, the whole tag.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tags: Option<TagFilter>,
    /// A Git repository whose tags say which versions there are; their images are then awaited.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub git: Option<ReleaseGit>,
    /// What a version must pass before it is chosen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gates: Option<Gates>,
    /// A release that has to run the same image first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub promote: Option<Promote>,
    /// Commit the chosen version to the Git source that holds this release.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub write_back: Option<WriteBack>,
    /// Go back to a lower version when the chosen one does not fit the policy any more. Default `false`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub allow_downgrade: Option<bool>,
}

/// Which of the versions is wanted: exactly one of `semver`, `numeric`, `alphabetical` and `tag`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ReleasePolicy {
    /// The highest semantic version in this range, as `>=1.4.0 <2.0.0`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub semver: Option<String>,
    /// How `semver` is read. Default `npm`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub style: Option<RangeStyle>,
    /// Which pre-releases fit `semver`. Default `named`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prereleases: Option<Prereleases>,
    /// How pre-releases of one version are ordered. Default `semver`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prerelease_order: Option<PrereleaseOrder>,
    /// The highest or the lowest whole number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub numeric: Option<NumericOrder>,
    /// The last or the first text in the order of its characters' codes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alphabetical: Option<AlphabeticalOrder>,
    /// This one tag, wherever it is moved.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tag: Option<String>,
}

/// Whose rules a range of semantic versions follows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum RangeStyle {
    /// npm's, close to those of Flux and Helm: `1.4.0` is that version, `||` separates alternatives.
    #[default]
    Npm,
    /// Cargo's: `1.4.0` is `^1.4.0`; no alternatives.
    Cargo,
}

/// Which pre-releases fit a range.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Prereleases {
    /// Only those of a version that the range names with a pre-release: `>=2.0.0-rc.1` takes 2.0.0-rc.2, not 2.1.0-rc.1.
    #[default]
    Named,
    /// All between the range's ends, if the version they lead to is in the range as well.
    Included,
}

/// How pre-releases of one version are ordered.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum PrereleaseOrder {
    /// As semantic versioning says: `rc10` is before `rc9`, `rc.9` is before `rc.10`.
    #[default]
    Semver,
    /// Numbers inside words count as numbers: `rc9` is before `rc10`.
    Numeric,
}

/// Which number wins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum NumericOrder {
    /// The highest.
    Highest,
    /// The lowest.
    Lowest,
}

/// Which text wins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum AlphabeticalOrder {
    /// The last.
    Last,
    /// The first.
    First,
}

/// The one way of choosing that a policy names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PolicyChoice<'a> {
    /// The highest semantic version in this range.
    Semver(&'a str),
    /// The highest or lowest number.
    Numeric(NumericOrder),
    /// The last or first text.
    Alphabetical(AlphabeticalOrder),
    /// This tag.
    Tag(&'a str),
}

impl ReleasePolicy {
    /// The one way named, or what is wrong with the choice.
    pub fn choice(&self) -> Result<PolicyChoice<'_>, String> {
        let Self { semver, numeric, alphabetical, tag, .. } = self;
        match (semver, numeric, alphabetical, tag) {
            (Some(range), None, None, None) => Ok(PolicyChoice::Semver(range)),
            (None, Some(order), None, None) => Ok(PolicyChoice::Numeric(*order)),
            (None, None, Some(order), None) => Ok(PolicyChoice::Alphabetical(*order)),
            (None, None, None, Some(tag)) => Ok(PolicyChoice::Tag(tag)),
            (None, None, None, None) => Err(
                "the policy names no way to choose: give one of semver, numeric, alphabetical, tag"
                    .to_owned(),
            ),
            _ => Err(
                "the policy names more than one way to choose: give one of semver, numeric, alphabetical, tag"
                    .to_owned(),
            ),
        }
    }
}

/// Which tags are versions, and which part of a tag is the version.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TagFilter {
    /// A regular expression that tags must match; the group `version`, if it has one, is the version: `^v(?<version>.+)$`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pattern: Option<String>,
    /// Regular expressions; a tag that matches any of them is left out.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub exclude: Vec<String>,
}

/// A Git repository whose tags say which versions there are.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ReleaseGit {
    /// The repository. Credentials are those of the source with this address in the operator's configuration.
    pub url: String,
    /// How long the image of a new tag is awaited. Default `30m`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wait: Option<HumanDuration>,
    /// Take only tags with a signature that the operator trusts. Default `false`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verify: Option<bool>,
}

/// What a version must pass before it is chosen.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Gates {
    /// The registry's scan must have ended, without a finding of this severity or a higher one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scan: Option<FindingSeverity>,
    /// Findings that do not count, each until a day.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub waivers: Vec<Waiver>,
    /// What the image must run on, as `linux/arm64`: all of them. Default: what the services of the release run on.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub platforms: Vec<String>,
    /// How long ago the image must have been pushed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min_age: Option<HumanDuration>,
    /// The repository must hold a signature of the image, an attestation is none; who made it is not asked. Default `false`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signature: Option<bool>,
}

/// How severe a finding is, in ECR's words.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "UPPERCASE")]
pub enum FindingSeverity {
    /// Not assessed.
    Undefined,
    /// No threat.
    Informational,
    /// Low.
    Low,
    /// Medium.
    Medium,
    /// High.
    High,
    /// Critical.
    Critical,
}

impl FindingSeverity {
    /// ECR's word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Undefined => "UNDEFINED",
            Self::Informational => "INFORMATIONAL",
            Self::Low => "LOW",
            Self::Medium => "MEDIUM",
            Self::High => "HIGH",
            Self::Critical => "CRITICAL",
        }
    }
}

/// A finding that does not count.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Waiver {
    /// The finding's name, as `CVE-2026-12345`.
    pub id: String,
    /// The day after which it counts again, or the moment from which.
    pub until: Expiry,
    /// Why it does not count.
    pub why: String,
}

/// A release that has to run the same image first.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Promote {
    /// The release that goes ahead.
    pub after: ReleaseName,
    /// How long the image must have run there well and watched, in one piece. Default: it has been rolled out well.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub soak: Option<HumanDuration>,
}

/// A commit of the chosen version to the Git source that holds the release.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct WriteBack {
    /// The file that holds the version, relative to the repository's root. Its lines that end in `# longshore: release NAME`
    /// are brought to the version; a file of a single line without such a marker is the tag itself.
    pub path: String,
    /// The branch that is committed to, for a pull request. Default: the one that the source reads.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub branch: Option<String>,
}

/// The version that a release has chosen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ChosenVersion {
    /// The repository it is in.
    pub image: String,
    /// The version, as the policy reads it from the tag.
    pub version: String,
    /// The tag, for people.
    pub tag: String,
    /// The image's digest, which is what runs.
    pub digest: String,
    /// When it was chosen.
    #[schemars(with = "String")]
    pub since: Timestamp,
    /// Why it was chosen, in a sentence.
    pub reason: String,
}

/// A version that waits for something.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PendingVersion {
    /// Its tag.
    pub tag: String,
    /// What it waits for, in a sentence.
    pub message: String,
    /// When the wait ends, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub until: Option<Timestamp>,
}

/// A version that a service of the release did not keep. Neither it nor its image is tried again before a person releases
/// the service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SkippedVersion {
    /// Its tag.
    pub tag: String,
    /// Its image.
    pub digest: String,
    /// The service, `cluster/name`.
    pub service: String,
    /// What became of it there.
    pub reason: Reason,
    /// Since when that is known.
    #[schemars(with = "String")]
    pub since: Timestamp,
}

/// The version that `writeBack` found or put into its file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct WrittenVersion {
    /// The file.
    pub path: String,
    /// The branch that holds it.
    pub branch: String,
    /// The commit that put it there, where it was one of Longshore's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit: Option<String>,
    /// Its tag.
    pub tag: String,
    /// Its image.
    pub digest: String,
    /// When that was first seen.
    #[schemars(with = "String")]
    pub at: Timestamp,
}

/// What Longshore says about a release.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ReleaseStatus {
    /// The generation that was last decided for.
    pub observed_generation: Generation,
    /// The version that runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub chosen: Option<ChosenVersion>,
    /// How many tags fit the policy.
    pub candidates: usize,
    /// How many tags the repository has.
    pub listed: usize,
    /// When the repository was last read completely.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub listed_at: Option<Timestamp>,
    /// Versions that wait for something, the highest first, at most 10.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub pending: Vec<PendingVersion>,
    /// Versions that services did not keep, the newest first, at most 20.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub skipped: Vec<SkippedVersion>,
    /// The commit that the Git tag of the chosen version names.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit: Option<String>,
    /// The version that the file of `writeBack` holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub written: Option<WrittenVersion>,
    /// `Ready`, `Reconciling`, `Stalled`; with `writeBack` also `WrittenBack`.
    pub conditions: Vec<Condition>,
}
