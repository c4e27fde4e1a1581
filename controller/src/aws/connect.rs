//! From targets and the environment to connections.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use aws_config::identity::IdentityCache;
use aws_config::retry::RetryConfig;
use aws_config::stalled_stream_protection::StalledStreamProtectionConfig;
use aws_config::sts::AssumeRoleProvider;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_async::rt::sleep::{SharedAsyncSleep, TokioSleep};
use aws_smithy_async::time::{SharedTimeSource, TimeSource};
use aws_smithy_runtime_api::client::http::{HttpClient, SharedHttpClient};
use crds::{Target, TargetName};

use super::account::Account;
use super::calls::Calls;
use super::connection::{Connection, Known};
use super::meter::Meter;
use super::s3::S3;
use super::surroundings::Clients;
use crate::clock::Clock;

/// The longest name that STS takes for a session (aws.md §6.6).
const SESSION_NAME_MAX: usize = 64;

/// The region of an AWS within this process, unless another is named.
const IN_PROCESS_REGION: &str = "eu-west-1";

/// All targets. Clones share everything.
#[derive(Debug, Clone)]
pub struct Aws {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    accounts: BTreeMap<TargetName, Account>,
    calls: Calls,
    /// The SDK's settings of each target, for S3.
    settings: BTreeMap<TargetName, SdkConfig>,
    /// Those of the default target.
    default: SdkConfig,
    s3_path_style: bool,
}

/// How to reach AWS. By default as every AWS tool does: by variables, profiles, SSO, web identity, the roles of
/// containers and instances, and `AWS_ENDPOINT_URL*`.
#[derive(Debug, Clone)]
pub struct ConnectOptions {
    /// Answers the requests within this process. With it nothing of the environment is read and nothing leaves.
    pub http_client: Option<SharedHttpClient>,
    /// Keys in the place of the environment's credentials.
    pub keys: Option<Keys>,
    /// The address of every service in the place of AWS's own, `http://127.0.0.1:4566`.
    pub endpoint: Option<String>,
    /// The region of targets that name none. Default: the environment's; within this process `eu-west-1`.
    pub region: Option<String>,
    /// The clock that requests are signed by.
    pub clock: Clock,
    /// The seed of the jitter between tries.
    pub seed: u64,
    /// Counts every attempt.
    pub meter: Meter,
    /// Put the bucket's name into the path instead of the host name. Default: unless AWS itself is called.
    pub s3_path_style: Option<bool>,
}

/// A pair of access keys.
#[derive(Clone)]
pub struct Keys {
    /// The public half.
    pub access_key_id: String,
    /// The secret half.
    pub secret_access_key: String,
}

impl std::fmt::Debug for Keys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Keys").field("access_key_id", &self.access_key_id).finish_non_exhaustive()
    }
}

impl Default for ConnectOptions {
    fn default() -> Self {
        Self {
            http_client: None,
            keys: None,
            endpoint: None,
            region: None,
            clock: Clock::System,
            seed: 0,
            meter: Meter::default(),
            s3_path_style: None,
        }
    }
}

impl ConnectOptions {
    /// Everything goes to a client within this process.
    pub fn in_process(client: impl HttpClient + 'static) -> Self {
        Self { http_client: Some(SharedHttpClient::new(client)), ..Self::default() }
    }
}

/// Why the targets cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConnectError {
    /// Neither the target nor the environment names a region.
    #[error(
        "cannot use target {target}: no region; set `region` in its configuration or AWS_REGION"
    )]
    NoRegion {
        /// The target's name.
        target: TargetName,
    },
    /// Two targets have one name.
    #[error("cannot use target {target}: two targets have this name")]
    Twice {
        /// The name.
        target: TargetName,
    },
}

impl Aws {
    /// Prepares a connection to each target; without any, to `default`, the account and region of the environment.
    ///
    /// Reads the environment and local files but calls nobody: whether the credentials work is what
    /// [`Account::caller_identity`] tells, target by target.
    pub async fn connect(
        targets: &[Target],
        options: ConnectOptions,
    ) -> Result<Self, ConnectError> {
        let default = TargetName::default();
        let lone = [Target {
            name: default.clone(),
            region: None,
            role_arn: None,
            external_id: None,
            max_concurrent_rollouts: None,
        }];
        let targets = if targets.is_empty() { &lone } else { targets };
        let base = base(targets, &options).await;
        let calls = Calls::new(options.meter.clone(), options.seed);

        let mut accounts = BTreeMap::new();
        let mut s3_settings = None;
        let mut all_settings = BTreeMap::new();
        for target in targets {
            let settings = settings_for(target, &base).await?;
            all_settings.insert(target.name.clone(), settings.clone());
            if s3_settings.is_none() || target.name == default {
                s3_settings = Some(settings.clone());
            }
            let account = Account::new(connection(target, &settings, calls.clone()));
            if accounts.insert(target.name.clone(), account).is_some() {
                return Err(ConnectError::Twice { target: target.name.clone() });
            }
        }
        let default = s3_settings.unwrap_or(base);
        let elsewhere = options.http_client.is_some() || default.endpoint_url().is_some();
        let s3_path_style = options.s3_path_style.unwrap_or(elsewhere);
        let settings = all_settings;
        Ok(Self { inner: Arc::new(Inner { accounts, calls, settings, default, s3_path_style }) })
    }

    /// The target of this name.
    pub fn account(&self, target: &TargetName) -> Option<&Account> {
        self.inner.accounts.get(target)
    }

    /// The names of all targets, in order.
    pub fn targets(&self) -> Vec<TargetName> {
        self.inner.accounts.keys().cloned().collect()
    }

    /// Every target.
    pub fn accounts(&self) -> impl Iterator<Item = &Account> {
        self.inner.accounts.values()
    }

    /// What was asked of AWS so far.
    pub fn meter(&self) -> &Meter {
        &self.inner.calls.meter
    }

    /// S3 in `region`, or the default target's, with the default target's credentials.
    pub fn s3(&self, region: Option<&str>) -> S3 {
        self.s3_with(&self.inner.default, region)
    }

    /// S3 in `region`, or the target's, with the target's credentials; `None` for a target that is not configured.
    pub fn s3_of(&self, target: &TargetName, region: Option<&str>) -> Option<S3> {
        self.inner.settings.get(target).map(|settings| self.s3_with(settings, region))
    }

    fn s3_with(&self, settings: &SdkConfig, region: Option<&str>) -> S3 {
        let mut config =
            aws_sdk_s3::config::Builder::from(settings).force_path_style(self.inner.s3_path_style);
        if let Some(region) = region {
            config = config.region(Region::new(region.to_owned()));
        }
        let client = aws_sdk_s3::Client::from_conf(config.build());
        S3 { client, calls: self.inner.calls.clone(), owner: None }
    }
}

/// The SDK's settings before any target's own: the operator's credentials, its timeouts, no retries.
async fn base(targets: &[Target], options: &ConnectOptions) -> SdkConfig {
    let found = match &options.http_client {
        Some(client) => in_process(client.clone(), options),
        None => from_environment(targets, options).await,
    };
    let mut settings = found.into_builder();
    if let Some(keys) = &options.keys {
        settings = settings.credentials_provider(provider(keys));
    }
    if let Some(endpoint) = &options.endpoint {
        settings = settings.endpoint_url(endpoint);
    }
    settings
        .retry_config(RetryConfig::disabled())
        .timeout_config(timeouts())
        .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
        .time_source(SharedTimeSource::new(SdkTime(options.clock.clone())))
        .build()
}

fn in_process(client: SharedHttpClient, options: &ConnectOptions) -> SdkConfig {
    let made_up = Keys { access_key_id: "AKIASANDBOX".into(), secret_access_key: "made-up".into() };
    let region = options.region.clone().unwrap_or_else(|| IN_PROCESS_REGION.to_owned());
    SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .http_client(client)
        .region(Region::new(region))
        .credentials_provider(provider(&made_up))
        .identity_cache(IdentityCache::lazy().build())
        .sleep_impl(SharedAsyncSleep::new(TokioSleep::new()))
        .build()
}

async fn from_environment(targets: &[Target], options: &ConnectOptions) -> SdkConfig {
    let mut loader =
        aws_config::defaults(BehaviorVersion::latest()).time_source(SdkTime(options.clock.clone()));
    // Where every target names its region, the environment need not, and the instance is not asked for it.
    let all = targets.iter().all(|target| target.region.is_some());
    let first = targets.first().and_then(|target| target.region.clone()).filter(|_| all);
    if let Some(region) = options.region.clone().or(first) {
        loader = loader.region(Region::new(region));
    }
    if let Some(keys) = &options.keys {
        loader = loader.credentials_provider(provider(keys));
    }
    loader.load().await
}

fn provider(keys: &Keys) -> SharedCredentialsProvider {
    let Keys { access_key_id, secret_access_key } = keys;
    SharedCredentialsProvider::new(Credentials::new(
        access_key_id,
        secret_access_key,
        None,
        None,
        "given",
    ))
}

/// The time of one attempt. Retries are our own (`calls`), because the SDK would repeat changes too.
fn timeouts() -> TimeoutConfig {
    TimeoutConfig::builder()
        .connect_timeout(Duration::from_secs(3))
        .read_timeout(Duration::from_secs(20))
        .operation_attempt_timeout(Duration::from_secs(25))
        .build()
}

async fn settings_for(target: &Target, base: &SdkConfig) -> Result<SdkConfig, ConnectError> {
    let region = target.region.clone().map(Region::new).or_else(|| base.region().cloned());
    let region = region.ok_or_else(|| ConnectError::NoRegion { target: target.name.clone() })?;
    let regional = base.to_builder().region(region).build();
    let Some(role_arn) = &target.role_arn else { return Ok(regional) };

    let mut session = format!("longshore-{}", target.name);
    session.truncate(SESSION_NAME_MAX);
    let mut role = AssumeRoleProvider::builder(role_arn).session_name(session).configure(&regional);
    if let Some(external_id) = &target.external_id {
        role = role.external_id(external_id);
    }
    let provider = SharedCredentialsProvider::new(role.build().await);
    Ok(regional.into_builder().credentials_provider(provider).build())
}

fn connection(target: &Target, settings: &SdkConfig, calls: Calls) -> Connection {
    Connection {
        target: target.name.clone(),
        region: settings.region().map(ToString::to_string).unwrap_or_default(),
        calls,
        ecs: aws_sdk_ecs::Client::new(settings),
        sts: aws_sdk_sts::Client::new(settings),
        clients: Clients::new(settings),
        scaling: aws_sdk_applicationautoscaling::Client::new(settings),
        sqs: super::messages::client(settings),
        identity: tokio::sync::Mutex::new(Known::default()),
    }
}

/// Our clock, for the SDK.
#[derive(Debug, Clone)]
struct SdkTime(Clock);

impl TimeSource for SdkTime {
    fn now(&self) -> SystemTime {
        self.0.system_time()
    }
}
