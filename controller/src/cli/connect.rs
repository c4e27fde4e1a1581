//! What several verbs need first: accounts, sources, an inventory.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex};

use anyhow::{Context as _, bail};
use crds::{S3TerraformState, SourceLocation, TargetName, TerraformLocation};
use sandbox::{Fixtures, Sandbox, SandboxTime};

use tokio::time::Instant;

use crate::admission::Admission;
use crate::aws::{Aws, ConnectOptions, S3};
use crate::checks::Checks;
use crate::clock::Clock;
use crate::config::{Config, ConfiguredSource, ConfiguredState, StateLocation};
use crate::inventory::Inventory;
use crate::operator::WatchedSource;
use crate::places::Places;
use crate::reconcile;
use crate::references::{Outside, Referents, StateReader};
use crate::releases::{Destinations, Repositories};
use crate::source::{self, SourceReader, Variables};
use crate::state::StateStore;
use crate::status_store::StatusStore;
use crate::triggers::Triggers;

use super::AwsArguments;

/// An AWS to talk to, with the clock that goes with it.
pub(super) struct Connection {
    pub(super) aws: Aws,
    pub(super) clock: Clock,
    /// The embedded AWS, when that is the one.
    pub(super) sandbox: Option<Embedded>,
}

/// The embedded AWS and its time.
pub(super) struct Embedded {
    pub(super) sandbox: Sandbox,
    pub(super) time: SandboxTime,
    pub(super) region: String,
}

/// Connects to the accounts of the configuration, or to the embedded AWS.
pub(super) async fn aws(config: &Config, arguments: &AwsArguments) -> anyhow::Result<Connection> {
    let seed = fastrand::u64(..);
    let Some(fixtures) = &arguments.sandbox else {
        let options = ConnectOptions { seed, ..ConnectOptions::default() };
        let aws = Aws::connect(&config.targets, options).await?;
        refuse_twins(&aws).await?;
        return Ok(Connection { aws, clock: Clock::System, sandbox: None });
    };
    let embedded = embedded(fixtures.as_deref(), arguments.time_scale)?;
    let clock = Clock::scaled_from(embedded.time.now(), arguments.time_scale);
    let options = ConnectOptions {
        region: Some(embedded.region.clone()),
        clock: clock.clone(),
        seed,
        ..ConnectOptions::in_process(embedded.sandbox.http_client(embedded.time))
    };
    let aws = Aws::connect(&config.targets, options).await?;
    Ok(Connection { aws, clock, sandbox: Some(embedded) })
}

/// Two targets that are one account and region would each take the other's services for services without a spec.
async fn refuse_twins(aws: &Aws) -> anyhow::Result<()> {
    let accounts: Vec<_> = aws.accounts().collect();
    if accounts.len() < 2 {
        return Ok(());
    }
    let mut places = BTreeMap::new();
    for account in accounts {
        let identity = account.caller_identity().await?;
        let place = (identity.account, account.region().to_owned());
        if let Some(other) = places.insert(place, account.target().clone()) {
            bail!(
                "targets `{other}` and `{}` are the same account and region: keep one of them",
                account.target()
            );
        }
    }
    Ok(())
}

/// The embedded AWS, with the fixtures of a file or the default ones.
pub(super) fn embedded(fixtures: Option<&Path>, time_scale: f64) -> anyhow::Result<Embedded> {
    if !(time_scale > 0.0 && time_scale <= 10_000.0) {
        bail!(
            "cannot run time {time_scale} times as fast: give a number above 0 and at most 10000"
        );
    }
    let fixtures = match fixtures {
        None => Fixtures::default(),
        Some(file) => {
            let text = std::fs::read_to_string(file)
                .with_context(|| format!("cannot read fixtures {}", file.display()))?;
            Fixtures::from_yaml(&text)
                .with_context(|| format!("cannot use fixtures {}", file.display()))?
        }
    };
    let region = fixtures.region.clone();
    let time = SandboxTime::new(Clock::System.now(), time_scale);
    Ok(Embedded { sandbox: Sandbox::new(fixtures), time, region })
}

/// An inventory of the configured sources, none of them read.
pub(super) fn inventory(config: &Config) -> Inventory {
    inventory_with(config, referents(config))
}

/// The same where no value outside will be read.
pub(super) fn inventory_offline(config: &Config) -> Inventory {
    inventory_with(config, referents(config).offline())
}

fn referents(config: &Config) -> Referents {
    let states = config.tfstate.iter().map(|state| state.name.clone());
    Referents::new(config.vars.clone(), states)
}

fn inventory_with(config: &Config, referents: Referents) -> Inventory {
    let sources = config.sources.iter().map(|source| (source.name.clone(), source.policy.clone()));
    Inventory::new(config.owner.clone(), referents, sources)
}

/// A reader for every source.
pub(super) fn sources(config: &Config, aws: &Aws) -> anyhow::Result<Vec<WatchedSource>> {
    config.sources.iter().map(|configured| watched(configured, Some(aws))).collect()
}

fn watched(configured: &ConfiguredSource, aws: Option<&Aws>) -> anyhow::Result<WatchedSource> {
    let s3 = match &configured.location {
        SourceLocation::S3(place) => aws
            .map(|aws| s3_of(aws, place.target.as_ref(), place.region.as_deref()))
            .transpose()
            .with_context(|| format!("cannot use source `{}`", configured.name))?,
        SourceLocation::Git(_) | SourceLocation::Directory(_) => None,
    };
    let reader = SourceReader::open(&configured.location, access(s3))
        .with_context(|| format!("cannot use source `{}`", configured.name))?;
    Ok(WatchedSource { configured: configured.clone(), reader })
}

/// S3 with the credentials of a target; where none is named, with those of the default one.
fn s3_of(aws: &Aws, target: Option<&TargetName>, region: Option<&str>) -> anyhow::Result<S3> {
    match target {
        None => Ok(aws.s3(region)),
        Some(target) => {
            aws.s3_of(target, region).with_context(|| format!("no target is called `{target}`"))
        }
    }
}

/// What readers of sources and repositories may use.
fn access(s3: Option<S3>) -> source::Access {
    source::Access {
        s3,
        cache: crate::config::cache_directory(),
        variables: Variables::from_environment(std::env::vars_os()),
        read_secret: Arc::new(crate::config::read_secret),
    }
}

/// The Git repositories that releases may follow: any, and with credentials those that the configuration names.
pub(super) fn repositories(config: &Config) -> Repositories {
    let of_sources = config.sources.iter().filter_map(|source| match &source.location {
        SourceLocation::Git(git) => Some((**git).clone()),
        SourceLocation::S3(_) | SourceLocation::Directory(_) => None,
    });
    Repositories::new(access(None), config.repositories.iter().cloned().chain(of_sources).collect())
}

/// The sources that chosen versions may be written to.
pub(super) fn destinations(config: &Config) -> Destinations {
    Destinations::new(access(None), config.sources.clone())
}

/// Reads every source once, without AWS.
pub(super) async fn read_sources_offline(
    config: &Config,
    inventory: &mut Inventory,
) -> anyhow::Result<()> {
    for configured in &config.sources {
        let mut source = watched(configured, None)?;
        let snapshot = source
            .reader
            .fetch()
            .await
            .with_context(|| format!("cannot read source `{}`", configured.name))?;
        inventory.update(&configured.name, &snapshot);
    }
    Ok(())
}

/// Everything that turns need.
pub(super) fn context(
    config: &Config,
    connection: &Connection,
) -> anyhow::Result<reconcile::Context> {
    let clock = connection.clock.clone();
    Ok(reconcile::Context {
        owner: config.owner.clone(),
        aws: connection.aws.clone(),
        inventory: Arc::new(Mutex::new(inventory(config))),
        statuses: StatusStore::new(move || clock.now()),
        state: state(config, &connection.aws),
        clock: connection.clock.clone(),
        expectations: Arc::default(),
        refusals: Arc::default(),
        admission: Admission::default(),
        outside: outside(config, &connection.aws)?,
        places: Places::of(&config.targets),
        checks: Checks::new(config.checks.clone()),
        triggers: Triggers::default(),
    })
}

/// What reads the values outside that specs may refer to.
fn outside(config: &Config, aws: &Aws) -> anyhow::Result<Outside> {
    let states: anyhow::Result<Vec<StateReader>> =
        config.tfstate.iter().map(|state| state_reader(state, aws)).collect();
    Ok(Outside::new(aws.targets(), states?))
}

fn state_reader(state: &ConfiguredState, aws: &Aws) -> anyhow::Result<StateReader> {
    let (name, interval) = (state.name.clone(), state.interval);
    Ok(match &state.location {
        TerraformLocation::File(path) => StateReader::file(name, interval, path.into()),
        TerraformLocation::S3(place) => {
            let s3 = s3_of(aws, place.target.as_ref(), place.region.as_deref())
                .with_context(|| format!("cannot use state `{name}`"))?;
            let S3TerraformState { bucket, key, .. } = place.clone();
            StateReader::object(name, interval, s3, bucket, key)
        }
    })
}

/// Where the configuration keeps what people say.
fn state(config: &Config, aws: &Aws) -> StateStore {
    match &config.state {
        None => StateStore::in_memory(),
        Some(StateLocation::Directory(path)) => StateStore::in_directory(path.clone()),
        Some(StateLocation::S3(place)) => {
            let s3 = aws.s3(place.region.as_deref());
            StateStore::in_bucket(s3, place.bucket.clone(), place.prefix.clone())
        }
    }
}

/// Reads every source once into the inventory.
pub(super) async fn read_sources(
    context: &reconcile::Context,
    sources: &mut [WatchedSource],
) -> anyhow::Result<()> {
    for source in sources {
        let (name, began) = (&source.configured.name, Instant::now());
        let snapshot =
            source.reader.fetch().await.with_context(|| format!("cannot read source `{name}`"))?;
        let mut inventory = context.inventory();
        inventory.update(name, &snapshot);
        inventory.confirm(name, began);
    }
    Ok(())
}
