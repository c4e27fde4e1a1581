//! The words a user may write and the words Longshore answers with.
//!
//! Types here are the single source: the parser, the CRD YAML and the JSON Schema are all derived from them. The crate does
//! no I/O and knows nothing of AWS clients.

mod controller;
mod duration;
pub mod ecs;
mod invalid;
mod meta;
mod name;
mod order;
mod rollout;
pub mod schema;
mod service;
mod status;
mod sync;

pub use controller::{
    API_VERSION, Auth, Controller, ControllerSpec, DirectorySource, GitRef, GitSource, Http,
    NamedToken, S3Source, S3State, SecretFrom, Source, SourceLocation, Ssh, State, Target,
};
pub use duration::HumanDuration;
pub use invalid::{InvalidObject, Position};
pub use meta::{Generation, ObjectKey, ObjectMeta, Provenance, SourceRevision, SpecHash};
pub use name::{ClusterName, Family, InvalidName, OwnerName, ServiceName, SourceName, TargetName};
pub use order::{Order, PastRelease, ReleaseOutcome, ReleasedImage, Verb};
pub use rollout::{Approval, Rollout};
pub use service::{Passthrough, Service, ServiceSpec};
pub use status::{
    Attempt, Condition, ConditionStatus, ConditionType, Health, HoldStatus, ImageStatus, Reason,
    RolloutStatus, ServiceStatus, SyncStatus, WaitingStatus,
};
pub use sync::{DeletionPolicy, EffectiveSync, SyncMode, SyncPolicy};
