//! What a `Release` asks for, read and checked once.

use crds::{
    Expiry, FindingSeverity, PolicyChoice, ReleaseName, ReleasePolicy, ReleaseSpec, TagFilter,
};
use jiff::{SignedDuration, Timestamp};

use super::facts::Platform;
use super::pattern::Pattern;
use super::range::Range;
use super::rank::{Policy, Rank};
use super::sentence::quoted;
use super::write_back;
use crate::image::ImageReference;
use crate::rules::{Finding, Severity};

/// The most patterns that leave tags out.
const EXCLUDES_MAX: usize = 20;
/// How long the image of a Git tag is awaited when the spec does not say.
const GIT_WAIT: SignedDuration = SignedDuration::from_mins(30);

/// What a `Release` asks for.
#[derive(Debug, Clone)]
pub struct Rule {
    pub(super) image: String,
    pub(super) policy: Policy,
    pub(super) pattern: Option<Pattern>,
    pub(super) excludes: Vec<Pattern>,
    pub(super) scan: Option<FindingSeverity>,
    pub(super) waivers: Vec<(String, Expiry)>,
    pub(super) platforms: Vec<Platform>,
    pub(super) min_age: SignedDuration,
    pub(super) needs_signature: bool,
    pub(super) promote: Option<(ReleaseName, SignedDuration)>,
    pub(super) allow_downgrade: bool,
    pub(super) git: Option<GitRule>,
}

/// What the tags of a Git repository are to a release.
#[derive(Debug, Clone, Copy)]
pub(super) struct GitRule {
    /// How long the image of a new tag is awaited.
    pub(super) wait: SignedDuration,
    /// Whether only signed tags count.
    pub(super) needs_signature: bool,
}

impl Rule {
    /// Reads a spec whose references are replaced, or says everything that is wrong with it.
    pub fn resolve(spec: &ReleaseSpec) -> Result<Self, Vec<Finding>> {
        let mut wrong = Vec::new();
        image(&spec.image, &mut wrong);
        let policy = policy(&spec.policy, &mut wrong);
        let tags = spec.tags.clone().unwrap_or_default();
        if let Some(Policy::Tag(_)) = policy
            && spec.tags.is_some()
        {
            report(
                &mut wrong,
                "spec.tags",
                "a policy that follows one tag has nothing to filter",
                None,
            );
        }
        let (pattern, excludes) = patterns(&tags, &mut wrong);
        if let (Some(Policy::Tag(_)), Some(_)) = (&policy, &spec.git) {
            let message = "a policy that follows one tag has no versions that Git tags could name";
            report(&mut wrong, "spec.git", message, Some("leave it out"));
        }
        if let Some(write_back) = &spec.write_back {
            for (field, message, hint) in write_back::check(write_back) {
                report(&mut wrong, format!("spec.writeBack.{field}"), message, Some(hint));
            }
        }
        let gates = spec.gates.clone().unwrap_or_default();
        if gates.scan.is_none() && !gates.waivers.is_empty() {
            let message = "waivers mean nothing without `scan`";
            report(
                &mut wrong,
                "spec.gates.waivers",
                message,
                Some("give a severity, as `scan: HIGH`"),
            );
        }
        let platforms = platforms(&gates.platforms, &mut wrong);
        let duration = |duration: Option<crds::HumanDuration>| {
            duration
                .and_then(|duration| SignedDuration::try_from(duration.get()).ok())
                .unwrap_or_default()
        };
        match policy {
            Some(policy) if wrong.is_empty() => Ok(Self {
                image: spec.image.clone(),
                policy,
                pattern,
                excludes,
                scan: gates.scan,
                waivers: gates
                    .waivers
                    .into_iter()
                    .map(|waiver| (waiver.id, waiver.until))
                    .collect(),
                platforms,
                min_age: duration(gates.min_age),
                needs_signature: gates.signature.unwrap_or(false),
                promote: spec
                    .promote
                    .as_ref()
                    .map(|promote| (promote.after.clone(), duration(promote.soak))),
                allow_downgrade: spec.allow_downgrade.unwrap_or(false),
                git: spec.git.as_ref().map(|git| GitRule {
                    wait: git
                        .wait
                        .and_then(|wait| SignedDuration::try_from(wait.get()).ok())
                        .unwrap_or(GIT_WAIT),
                    needs_signature: git.verify.unwrap_or(false),
                }),
            }),
            Some(_) | None => Err(wrong),
        }
    }

    /// The repository that versions are chosen from.
    pub fn image(&self) -> &str {
        &self.image
    }

    /// When the next waiver ends.
    pub fn next_expiry(&self, now: Timestamp) -> Option<Timestamp> {
        self.waivers.iter().map(|(_, until)| until.moment()).filter(|until| *until > now).min()
    }

    /// Whether tags of a Git repository say which versions there are.
    pub fn follows_git(&self) -> bool {
        self.git.is_some()
    }

    /// The place of a version in the policy's order, read from a tag.
    pub(super) fn rank(&self, tag: &str) -> Option<Rank> {
        self.policy.rank(self.version(tag)?)
    }

    /// The release that has to run an image first.
    pub fn goes_after(&self) -> Option<&ReleaseName> {
        self.promote.as_ref().map(|(name, _)| name)
    }

    /// The version in a tag, if the filter takes the tag.
    pub(super) fn version<'t>(&self, tag: &'t str) -> Option<&'t str> {
        match &self.pattern {
            Some(pattern) => pattern.version(tag),
            None => Some(tag),
        }
    }
}

fn report(
    wrong: &mut Vec<Finding>,
    path: impl Into<String>,
    message: impl Into<String>,
    hint: Option<&str>,
) {
    wrong.push(Finding {
        path: path.into(),
        message: message.into(),
        hint: hint.map(str::to_owned),
        severity: Severity::Error,
    });
}

fn image(text: &str, wrong: &mut Vec<Finding>) {
    let image = ImageReference::parse(text);
    if text.is_empty() || text.contains(char::is_whitespace) {
        let message = format!("{} is not an image's repository", quoted(text));
        report(wrong, "spec.image", message, Some("write registry and repository, without a tag"));
    } else if image.tag.is_some() || image.digest.is_some() {
        let message = format!("{} names one image already", quoted(text));
        let hint = format!("the release adds the digest: write `{}`", image.repository);
        report(wrong, "spec.image", message, Some(&hint));
    }
}

fn policy(policy: &ReleasePolicy, wrong: &mut Vec<Finding>) -> Option<Policy> {
    let choice =
        policy.choice().map_err(|message| report(wrong, "spec.policy", message, None)).ok()?;
    let order = policy.prerelease_order.unwrap_or_default();
    if !matches!(choice, PolicyChoice::Semver(_)) {
        for (field, is_given) in [
            ("style", policy.style.is_some()),
            ("prereleases", policy.prereleases.is_some()),
            ("prereleaseOrder", policy.prerelease_order.is_some()),
        ] {
            if is_given {
                let message = format!("`{field}` means something with `semver` only");
                report(wrong, format!("spec.policy.{field}"), message, Some("leave it out"));
            }
        }
    }
    match choice {
        PolicyChoice::Semver(text) => {
            let (style, prereleases) =
                (policy.style.unwrap_or_default(), policy.prereleases.unwrap_or_default());
            match Range::parse(text, style, order, prereleases) {
                Ok(range) => Some(Policy::Semver { range, order }),
                Err(error) => {
                    report(wrong, "spec.policy.semver", error.message, Some(error.hint));
                    None
                }
            }
        }
        PolicyChoice::Numeric(order) => Some(Policy::Numeric(order)),
        PolicyChoice::Alphabetical(order) => Some(Policy::Alphabetical(order)),
        PolicyChoice::Tag(tag) if is_tag(tag) => Some(Policy::Tag(tag.to_owned())),
        PolicyChoice::Tag(tag) => {
            let hint = "up to 128 letters, digits, `_`, `.` and `-`, not starting with `.` or `-`";
            report(wrong, "spec.policy.tag", format!("{} is not a tag", quoted(tag)), Some(hint));
            None
        }
    }
}

/// The rule of the OCI distribution specification.
pub(super) fn is_tag(text: &str) -> bool {
    (1..=128).contains(&text.len())
        && !text.starts_with(['.', '-'])
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte))
}

fn patterns(tags: &TagFilter, wrong: &mut Vec<Finding>) -> (Option<Pattern>, Vec<Pattern>) {
    let mut read = |path: String, text: &str| match Pattern::parse(text) {
        Ok(pattern) => Some(pattern),
        Err(message) => {
            report(wrong, path, message, None);
            None
        }
    };
    let pattern = tags.pattern.as_ref().and_then(|text| read("spec.tags.pattern".to_owned(), text));
    let excludes = tags
        .exclude
        .iter()
        .take(EXCLUDES_MAX)
        .enumerate()
        .filter_map(|(index, text)| read(format!("spec.tags.exclude[{index}]"), text))
        .collect();
    if tags.exclude.len() > EXCLUDES_MAX {
        let message = format!("more than {EXCLUDES_MAX} patterns");
        report(wrong, "spec.tags.exclude", message, Some("join them with `|`"));
    }
    (pattern, excludes)
}

fn platforms(texts: &[String], wrong: &mut Vec<Finding>) -> Vec<Platform> {
    let mut platforms = Vec::new();
    for (index, text) in texts.iter().enumerate() {
        match Platform::parse(text) {
            Some(platform) => platforms.push(platform),
            None => report(
                wrong,
                format!("spec.gates.platforms[{index}]"),
                format!("{} is not a platform", quoted(text)),
                Some("write operating system and architecture, as `linux/arm64`"),
            ),
        }
    }
    platforms
}
