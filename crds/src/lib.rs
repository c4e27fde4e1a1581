//! The words a user may write and the words Longshore answers with.
//!
//! Types here are the single source: the parser, the CRD YAML and the JSON Schema are all derived from them. The crate does
//! no I/O and knows nothing of AWS clients.

mod check;
mod controller;
mod dependency;
mod duration;
pub mod ecs;
mod expiry;
mod gate;
mod hook;
mod invalid;
mod meta;
mod name;
mod order;
mod percent;
mod push;
mod release;
mod rollout;
pub mod scaling;
pub mod schema;
mod service;
mod status;
mod sync;
mod tfstate;
mod trigger;
mod window;

pub use check::{
    AlbCheck, Check, CheckCredential, CheckHeader, CheckState, CheckStatus, Checks,
    CloudwatchCheck, HttpCheck, HttpMethod, LastMeasurement, MetricQuery, MetricQueryStat,
    PrometheusCheck, QueriedDimension, QueriedMetric,
};
pub use controller::{
    API_VERSION, Auth, Controller, ControllerSpec, DirectorySource, GitHistory, GitRef,
    GitRepository, GitSource, GitVerify, GithubApp, Http, NamedToken, Retention, Rewrites,
    S3Source, S3State, SecretFrom, Source, SourceLocation, Ssh, State, Target, VerifyMode,
};
pub use dependency::Dependency;
pub use duration::HumanDuration;
pub use expiry::Expiry;
pub use gate::{GateStage, OnFailure};
pub use hook::{Hook, HookPhase, HookState, HookStatus, Hooks};
pub use invalid::{InvalidObject, Position, shown};
pub use meta::{Generation, ObjectKey, ObjectMeta, Provenance, SourceRevision, SpecHash};
pub use name::{
    ClusterName, Family, HookName, InvalidName, OwnerName, ReleaseName, ServiceName, SourceName,
    TargetName, TfstateName,
};
pub use order::{Order, PastRelease, ReleaseOutcome, ReleasedImage, Verb};
pub use percent::Percent;
pub use push::{CommitAuthor, CommitSigning, GitPush};
pub use release::{
    AlphabeticalOrder, ChosenVersion, FindingSeverity, Gates, NumericOrder, PendingVersion,
    PolicyChoice, PrereleaseOrder, Prereleases, Promote, RangeStyle, Release, ReleaseGit,
    ReleasePolicy, ReleaseSpec, ReleaseStatus, SkippedVersion, TagFilter, Waiver, WriteBack,
    WrittenVersion,
};
pub use rollout::{Approval, Rollout};
pub use scaling::Scaling;
pub use service::{Passthrough, Service, ServiceSpec};
pub use status::{
    Attempt, Condition, ConditionStatus, ConditionType, Health, HoldStatus, ImageStatus, Reason,
    RolloutStatus, SecretStatus, ServiceStatus, SyncStatus, TrafficWeights, WaitingStatus,
};
pub use sync::{DeletionPolicy, EffectiveSync, SyncMode, SyncPolicy};
pub use tfstate::{S3TerraformState, TerraformLocation, TerraformState};
pub use trigger::{Events, Webhook, WebhookProvider};
pub use window::{Window, WindowKind};
