//! The operator's configuration, out of a `Controller` file or a `--source` argument. The only place that reads the
//! environment.

use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crds::{
    Controller, ControllerSpec, DirectorySource, Events, GitRef, GitSource, Http, OwnerName,
    S3Source, S3State, SecretFrom, SourceLocation, SourceName, State, SyncPolicy, Target,
    TargetName, TerraformLocation, TerraformState, TfstateName, Webhook,
};
use indexmap::IndexMap;

use crate::manifest::{self, Object};
use crate::source::SourceFile;
use crate::triggers::EventQueue;
use crate::webhooks;

/// How often everything is compared with AWS when the configuration does not say.
const DEFAULT_INTERVAL: Duration = Duration::from_mins(1);

/// The owner when the configuration does not say.
const DEFAULT_OWNER: &str = "longshore";

/// The operator's configuration, complete.
#[derive(Debug, Clone)]
pub struct Config {
    /// The operator's identity.
    pub owner: OwnerName,
    /// Where specs come from.
    pub sources: Vec<ConfiguredSource>,
    /// Accounts and regions, at least the one called `default`.
    pub targets: Vec<Target>,
    /// Values for `${var:name}`.
    pub vars: IndexMap<String, String>,
    /// Terraform states for `${tfstate:address}`.
    pub tfstate: Vec<ConfiguredState>,
    /// Git repositories that releases follow, beside those of the sources.
    pub repositories: Vec<GitSource>,
    /// How often everything is compared with AWS.
    pub interval: Duration,
    /// How many revisions of each family stay registered; `None` deregisters nothing.
    pub revisions: Option<NonZeroU32>,
    /// The status server.
    pub http: Http,
    /// Webhooks.
    pub webhooks: Vec<Webhook>,
    /// Where AWS's events come from.
    pub events: Option<EventQueue>,
    /// Where it is kept what people said; `None` for memory.
    pub state: Option<StateLocation>,
    /// What the requests of checks may use.
    pub checks: crds::Checks,
}

/// Where the state store is.
#[derive(Debug, Clone, PartialEq)]
pub enum StateLocation {
    /// A directory on this machine.
    Directory(PathBuf),
    /// A prefix of a bucket.
    S3(S3State),
}

/// One Terraform state, checked.
#[derive(Debug, Clone)]
pub struct ConfiguredState {
    /// Its name.
    pub name: TfstateName,
    /// Where it lies.
    pub location: TerraformLocation,
    /// How often it is asked whether it has changed.
    pub interval: Duration,
}

/// One source, checked.
#[derive(Debug, Clone)]
pub struct ConfiguredSource {
    /// Its name.
    pub name: SourceName,
    /// Where it is.
    pub location: SourceLocation,
    /// The policy for its services.
    pub policy: SyncPolicy,
}

/// A configuration that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file could not be read.
    #[error("cannot read configuration {path}")]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The file is not a usable `Controller`.
    #[error("{0}")]
    Invalid(String),
}

/// What a `--source` argument says beside the place.
#[derive(Debug, Clone, Default)]
pub struct SourceOptions {
    /// The branch of a Git repository.
    pub branch: Option<String>,
    /// The folder in a Git repository.
    pub path: Option<String>,
}

impl Config {
    /// Reads a `Controller` file.
    pub fn read(path: &Path) -> Result<Self, ConfigError> {
        let bytes = std::fs::read(path)
            .map_err(|source| ConfigError::Read { path: path.to_owned(), source })?;
        let name = path.display().to_string();
        let parsed = manifest::parse(&SourceFile::new(name.clone(), bytes.into()));
        if let Some(invalid) = parsed.invalid.first() {
            return Err(ConfigError::Invalid(invalid.to_string()));
        }
        let mut controllers =
            parsed.objects.into_iter().filter_map(|located| match located.object {
                Object::Controller(controller) => Some(*controller),
                Object::Service(_) | Object::Release(_) => None,
            });
        let controller = controllers.next().ok_or_else(|| {
            ConfigError::Invalid(format!("{name}: holds no object of kind Controller"))
        })?;
        let folder = path.parent().unwrap_or(Path::new("."));
        Self::from_controller(controller, folder, &name)
    }

    fn from_controller(
        controller: Controller,
        folder: &Path,
        file: &str,
    ) -> Result<Self, ConfigError> {
        let invalid = |message: String| ConfigError::Invalid(format!("{file}: {message}"));
        let owner = controller
            .metadata
            .name
            .parse()
            .map_err(|error: crds::InvalidName| invalid(error.to_string()))?;
        let ControllerSpec {
            sources,
            targets,
            vars,
            tfstate,
            repositories,
            interval,
            retention,
            http,
            state,
            checks,
            webhooks,
            events,
        } = controller.spec;
        let mut configured = Vec::new();
        for source in sources {
            let location = relative_to(folder, source.location().map_err(invalid)?);
            if configured.iter().any(|other: &ConfiguredSource| other.name == source.name) {
                return Err(invalid(format!("two sources are called `{}`", source.name)));
            }
            configured.push(ConfiguredSource { name: source.name, location, policy: source.sync });
        }
        let interval = interval.map_or(DEFAULT_INTERVAL, crds::HumanDuration::get);
        if interval < Duration::from_secs(1) {
            return Err(invalid("spec.interval is shorter than a second".to_owned()));
        }
        webhooks::check(&webhooks, |source| {
            configured.iter().any(|configured| configured.name == *source)
        })
        .map_err(invalid)?;
        let targets = with_default(targets);
        check_targets(&configured, &targets).map_err(invalid)?;
        let events = events.map(|events| event_queue(events, &targets)).transpose();
        Ok(Self {
            owner,
            sources: configured,
            targets,
            vars,
            tfstate: terraform_states(folder, tfstate).map_err(invalid)?,
            repositories: repositories.into_iter().map(GitSource::from).collect(),
            interval,
            revisions: retention.map(|retention| retention.revisions),
            http,
            webhooks,
            events: events.map_err(invalid)?,
            state: state.map(|state| state_location(folder, state)).transpose().map_err(invalid)?,
            checks: checks.unwrap_or_default(),
        })
    }

    /// The configuration of an operator that has no source yet.
    pub fn without_sources(owner: OwnerName) -> Self {
        Self {
            owner,
            sources: Vec::new(),
            targets: with_default(Vec::new()),
            vars: IndexMap::new(),
            tfstate: Vec::new(),
            repositories: Vec::new(),
            interval: DEFAULT_INTERVAL,
            revisions: None,
            http: Http::default(),
            webhooks: Vec::new(),
            events: None,
            state: None,
            checks: crds::Checks::default(),
        }
    }

    /// The configuration for a single source, everything else at its default.
    pub fn for_source(place: &str, options: &SourceOptions) -> Result<Self, ConfigError> {
        let location = location(place, options)?;
        let name = "default"
            .parse()
            .map_err(|error: crds::InvalidName| ConfigError::Invalid(error.to_string()))?;
        let owner = DEFAULT_OWNER
            .parse()
            .map_err(|error: crds::InvalidName| ConfigError::Invalid(error.to_string()))?;
        let sources = vec![ConfiguredSource { name, location, policy: SyncPolicy::default() }];
        Ok(Self { sources, ..Self::without_sources(owner) })
    }
}

/// Without any, the account and region of the standard AWS environment are `default`. Beside others it is not made up: it
/// would often be one of them under a second name.
fn with_default(targets: Vec<Target>) -> Vec<Target> {
    if !targets.is_empty() {
        return targets;
    }
    let name = TargetName::default();
    vec![Target {
        name,
        region: None,
        role_arn: None,
        external_id: None,
        max_concurrent_rollouts: None,
    }]
}

/// The Terraform states, each under a name of its own.
fn terraform_states(
    folder: &Path,
    states: Vec<TerraformState>,
) -> Result<Vec<ConfiguredState>, String> {
    let mut configured: Vec<ConfiguredState> = Vec::new();
    for state in states {
        let location = match state.location()? {
            TerraformLocation::File(file) => {
                TerraformLocation::File(folder.join(file).display().to_string())
            }
            s3 @ TerraformLocation::S3(_) => s3,
        };
        if configured.iter().any(|other| other.name == state.name) {
            return Err(format!("two Terraform states are called `{}`", state.name));
        }
        let interval = state.interval.map_or(DEFAULT_INTERVAL, crds::HumanDuration::get);
        if interval < Duration::from_secs(1) {
            return Err(format!("the interval of state `{}` is shorter than a second", state.name));
        }
        configured.push(ConfiguredState { name: state.name, location, interval });
    }
    Ok(configured)
}

/// Sources that are read with a target's credentials need that target.
fn check_targets(sources: &[ConfiguredSource], targets: &[Target]) -> Result<(), String> {
    for source in sources {
        let SourceLocation::S3(S3Source { target: Some(name), .. }) = &source.location else {
            continue;
        };
        if !targets.iter().any(|target| target.name == *name) {
            return Err(format!("source `{}`: there is no target `{name}`", source.name));
        }
    }
    Ok(())
}

/// The queue, with a target that there is.
fn event_queue(events: Events, targets: &[Target]) -> Result<EventQueue, String> {
    let Events { sqs_queue_url: url, target } = events;
    let path = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"));
    let parts = path.map(|path| path.split('/').filter(|part| !part.is_empty()).count());
    if parts.is_none_or(|parts| parts < 2) {
        return Err(format!(
            "spec.events.sqsQueueUrl `{url}` is no URL of a queue: write https://sqs.REGION.amazonaws.com/ACCOUNT/NAME"
        ));
    }
    match &target {
        Some(name) if !targets.iter().any(|target| target.name == *name) => {
            Err(format!("spec.events.target: there is no target `{name}`"))
        }
        Some(_) | None => Ok(EventQueue { url, target }),
    }
}

fn state_location(folder: &Path, state: State) -> Result<StateLocation, String> {
    match (state.directory, state.s3) {
        (Some(directory), None) => Ok(StateLocation::Directory(folder.join(directory))),
        (None, Some(s3)) => Ok(StateLocation::S3(s3)),
        (None, None) => Err("spec.state names no place: give one of directory, s3".to_owned()),
        (Some(_), Some(_)) => {
            Err("spec.state names two places: give one of directory, s3".to_owned())
        }
    }
}

/// Relative paths in a file start at the file's folder.
fn relative_to(folder: &Path, location: SourceLocation) -> SourceLocation {
    let absolute = |path: &str| folder.join(path).display().to_string();
    match location {
        SourceLocation::Directory(directory) => {
            SourceLocation::Directory(DirectorySource { path: absolute(&directory.path) })
        }
        SourceLocation::Git(git) if is_local_path(&git.url) => {
            let url = absolute(&git.url);
            SourceLocation::Git(Box::new(GitSource { url, ..*git }))
        }
        other @ (SourceLocation::Git(_) | SourceLocation::S3(_)) => other,
    }
}

fn is_local_path(url: &str) -> bool {
    !url.contains("://") && (!url.contains(':') || url.starts_with(['/', '.']))
}

/// What a place is, from its looks: `s3://…`, a Git URL or a bare repository, or a directory.
fn location(place: &str, options: &SourceOptions) -> Result<SourceLocation, ConfigError> {
    if let Some(rest) = place.strip_prefix("s3://") {
        let (bucket, prefix) = rest.split_once('/').unwrap_or((rest, ""));
        if bucket.is_empty() {
            return Err(ConfigError::Invalid(format!(
                "source `{place}` names no bucket: write s3://bucket/prefix"
            )));
        }
        return Ok(SourceLocation::S3(S3Source {
            bucket: bucket.to_owned(),
            prefix: prefix.to_owned(),
            ..S3Source::default()
        }));
    }
    if is_git(place) || options.branch.is_some() {
        return Ok(SourceLocation::Git(Box::new(GitSource {
            url: place.to_owned(),
            reference: options
                .branch
                .as_ref()
                .map(|branch| GitRef { branch: Some(branch.clone()), ..GitRef::default() }),
            path: options.path.clone(),
            ..GitSource::default()
        })));
    }
    if !Path::new(place).is_dir() {
        return Err(ConfigError::Invalid(format!(
            "source `{place}` is not a directory; Git repositories are written as a URL or end in .git, S3 as s3://bucket/prefix"
        )));
    }
    Ok(SourceLocation::Directory(DirectorySource { path: place.to_owned() }))
}

fn is_git(place: &str) -> bool {
    let has_git_scheme = ["https://", "http://", "ssh://", "file://", "git@"];
    has_git_scheme.iter().any(|scheme| place.starts_with(scheme))
        || Path::new(place).extension().is_some_and(|extension| extension == "git")
        || Path::new(place).join("objects").is_dir() && Path::new(place).join("HEAD").is_file()
}

/// An environment variable; `None` when it is not set or not text.
#[allow(clippy::disallowed_methods, reason = "this is the place that reads the environment")]
pub fn environment(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// Where Git repositories are kept between two reads: `$XDG_CACHE_HOME/longshore`, `~/.cache/longshore`, or the system's
/// folder for temporary files.
pub fn cache_directory() -> PathBuf {
    environment("XDG_CACHE_HOME")
        .filter(|folder| !folder.is_empty())
        .map(PathBuf::from)
        .or_else(|| environment("HOME").map(|home| Path::new(&home).join(".cache")))
        .unwrap_or_else(std::env::temp_dir)
        .join("longshore")
}

/// Reads one of the operator's own secrets; the error never has it.
pub fn read_secret(from: &SecretFrom) -> Result<String, String> {
    match (&from.env, &from.file) {
        (Some(name), None) => environment(name)
            .filter(|value| !value.is_empty())
            .ok_or_else(|| format!("the environment variable {name} is not set")),
        (None, Some(file)) => std::fs::read_to_string(file)
            .map(|text| text.trim().to_owned())
            .map_err(|error| format!("cannot read {file}: {error}")),
        (None, None) | (Some(_), Some(_)) => Err("give exactly one of `env` and `file`".to_owned()),
    }
}
