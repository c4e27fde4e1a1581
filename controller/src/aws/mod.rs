//! The one place that speaks to AWS: our words go in and come out, no type of the SDK does.
//!
//! A call passes three rooms. `batch` merges what many callers ask into few calls. `calls` lets an attempt wait for a token
//! of its account's bucket (`pacing`), counts it (`meter`), and repeats it if it only reads. `json_call` carries our JSON
//! through the SDK, which signs, sends and understands errors.
//!
//! Guarantees: a call that changes something is sent at most once per request of a caller, and says so when its outcome
//! is unknown ([`Kind::Ambiguous`]); a list is complete or an error; `None` means that AWS said "not there"; no call
//! exists that could answer with a secret's value.

mod account;
mod alarms;
mod answer;
mod autoscaling;
mod batch;
mod cache;
mod calls;
mod connect;
mod connection;
mod deployments;
mod error;
mod json_call;
mod messages;
mod meter;
mod operation;
mod pacing;
mod readings;
mod recent;
mod s3;
mod sdk_error;
mod services;
mod surroundings;
mod task_definitions;
mod tasks;
#[cfg(test)]
mod tests;

pub use account::Account;
pub use calls::READ_TRIES_MAX;
pub use connect::{Aws, ConnectError, ConnectOptions, Keys};
pub use connection::Identity;
pub use error::{Error, Kind, Retry};
pub use messages::{MESSAGES_MAX, Message};
pub use meter::{CODES_MAX, Meter, MeterReading, WaitReading};
pub use operation::{Family, Operation, Quota};
pub use pacing::SHARE;
pub use s3::{PutCondition, S3, S3Content, S3Object};
pub use surroundings::{
    AlarmFact, ImageFact, ImageQuestion, LayerAddress, Manifest, MetricValues, ParameterFact,
    PlainParameter, Repository, RepositoryImage, RoleFact, ScanFact, SecretFact, TargetGroupFact,
    TargetHealthFact,
};
pub use tasks::STOPPED_TASKS_MAX;
