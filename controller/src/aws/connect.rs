//! From targets and the environment to connections.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use aws_config::retry::RetryConfig;
use aws_config::stalled_stream_protection::StalledStreamProtectionConfig;
use aws_config::sts::AssumeRoleProvider;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_async::rt::sleep::TokioSleep;
use aws_smithy_async::time::TimeSource;
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use crds::{Target, TargetName};

use super::account::Account;
use super::calls::Calls;
use super::connection::{Connection, Known};
use super::meter::Meter;
use super::s3::S3;
use crate::clock::Clock;

/// The longest name that STS takes for a session (aws.md §6.6).
const SESSION_NAME_MAX: usize = 64;

/// All targets. Clones share everything.
#[derive(Debug, Clone)]
pub struct Aws {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    accounts: HashMap<TargetName, Account>,
    calls: Calls,
    /// The SDK's settings of the default target, for S3.
    default: SdkConfig,
    s3_path_style: bool,
}

/// How to reach AWS.
#[derive(Debug, Clone)]
pub struct ConnectOptions {
    /// Where credentials and the region come from, and what carries the requests.
    pub access: Access,
    /// The clock that requests are signed by.
    pub clock: Clock,
    /// The seed of the jitter between tries.
    pub seed: u64,
    /// Counts every attempt.
    pub meter: Meter,
    /// Put the bucket's name into the path instead of the host name. Default: where an endpoint other than AWS's is set.
    pub s3_path_style: Option<bool>,
}

/// Where credentials and the region come from, and what carries the requests.
#[derive(Debug, Clone)]
pub enum Access {
    /// The standard AWS environment: variables, profiles, SSO, web identity, container and instance roles, and
    /// `AWS_ENDPOINT_URL*`.
    Environment,
    /// An AWS within this process: nothing of the environment is read and nothing leaves the process.
    InProcess {
        /// Answers the requests.
        http_client: SharedHttpClient,
        /// The region of targets that name none.
        region: String,
    },
    /// An AWS at another address, with made-up credentials.
    Endpoint {
        /// `http://127.0.0.1:4566`.
        url: String,
        /// The region of targets that name none.
        region: String,
    },
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

impl ConnectOptions {
    /// The standard AWS environment, on the machine's clock.
    pub fn from_environment(seed: u64) -> Self {
        Self::new(Access::Environment, Clock::System, seed)
    }

    /// These options, with everything else as it is by default.
    pub fn new(access: Access, clock: Clock, seed: u64) -> Self {
        Self { access, clock, seed, meter: Meter::default(), s3_path_style: None }
    }
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
        let lone =
            [Target { name: default.clone(), region: None, role_arn: None, external_id: None }];
        let targets = if targets.is_empty() { &lone } else { targets };
        let base = base(targets, &options).await;
        let calls = Calls::new(options.meter.clone(), options.seed);

        let mut accounts = HashMap::new();
        let mut s3_settings = None;
        for target in targets {
            let settings = settings_for(target, &base).await?;
            if s3_settings.is_none() || target.name == default {
                s3_settings = Some(settings.clone());
            }
            let account = Account::new(connection(target, &settings, calls.clone()));
            if accounts.insert(target.name.clone(), account).is_some() {
                return Err(ConnectError::Twice { target: target.name.clone() });
            }
        }
        let default = s3_settings.unwrap_or(base);
        let s3_path_style = options.s3_path_style.unwrap_or(match options.access {
            Access::Environment => default.endpoint_url().is_some(),
            Access::InProcess { .. } | Access::Endpoint { .. } => true,
        });
        Ok(Self { inner: Arc::new(Inner { accounts, calls, default, s3_path_style }) })
    }

    /// The target of this name.
    pub fn account(&self, target: &TargetName) -> Option<&Account> {
        self.inner.accounts.get(target)
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
        let mut config = aws_sdk_s3::config::Builder::from(&self.inner.default)
            .force_path_style(self.inner.s3_path_style);
        if let Some(region) = region {
            config = config.region(Region::new(region.to_owned()));
        }
        let client = aws_sdk_s3::Client::from_conf(config.build());
        S3 { client, calls: self.inner.calls.clone() }
    }
}

/// The SDK's settings before any target's own: the operator's credentials, its timeouts, no retries.
async fn base(targets: &[Target], options: &ConnectOptions) -> SdkConfig {
    let time = SdkTime(options.clock.clone());
    let given = match &options.access {
        Access::Environment => {
            let mut loader = aws_config::defaults(BehaviorVersion::latest())
                .retry_config(RetryConfig::disabled())
                .timeout_config(timeouts())
                .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
                .time_source(time);
            // Where every target names its region, the environment need not, and the instance is not asked for it.
            if let Some(first) = targets.first()
                && targets.iter().all(|target| target.region.is_some())
            {
                loader = loader.region(first.region.clone().map(Region::new));
            }
            return loader.load().await;
        }
        Access::InProcess { http_client, region } => SdkConfig::builder()
            .http_client(http_client.clone())
            .region(Region::new(region.clone())),
        Access::Endpoint { url, region } => {
            let client = aws_config::defaults(BehaviorVersion::latest()).no_credentials();
            let loaded = client.region(Region::new(region.clone())).load().await;
            loaded.into_builder().endpoint_url(url)
        }
    };
    let keys = Credentials::new("AKIAIOSFODNN7EXAMPLE", "made-up", None, None, "made-up");
    given
        .behavior_version(BehaviorVersion::latest())
        .credentials_provider(SharedCredentialsProvider::new(keys))
        .retry_config(RetryConfig::disabled())
        .timeout_config(timeouts())
        .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
        .sleep_impl(aws_smithy_async::rt::sleep::SharedAsyncSleep::new(TokioSleep::new()))
        .time_source(time)
        .build()
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
