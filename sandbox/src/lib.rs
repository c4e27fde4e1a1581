//! A small, honest AWS for tests and first steps.
//!
//! One state machine in memory. Time is always an argument: every call first runs what is due up to its `now`. The
//! AWS SDK reaches it in process ([`Sandbox::http_client`]), any other client over TCP ([`Sandbox::serve`]).

mod autoscaling;
mod cbor;
mod clock;
mod cloudwatch;
mod derived;
mod ecr;
mod ecs;
mod elb;
mod error;
mod faults;
mod fixtures;
mod iam;
mod ids;
mod images;
mod input;
mod json;
mod keyset;
mod logs;
mod page;
mod record;
mod region;
mod s3;
mod sandbox;
mod sdk;
mod secrets;
mod serve;
mod sqs;
mod ssm;
mod sts;
mod throttle;
mod views;
mod wire;
mod world;
mod xml;

pub use autoscaling::FixtureScalableTarget;
pub use clock::SandboxTime;
pub use cloudwatch::{FixtureAlarm, FixtureMetric};
pub use ecr::{FixtureImage, FixtureRepository};
pub use elb::{
    FixtureForward, FixtureListener, FixtureLoadBalancer, FixtureRule, FixtureTargetGroup,
};
pub use error::ApiError;
pub use faults::{Fault, FaultKind};
pub use fixtures::{
    ClusterFixture, EventsFixture, FixtureError, Fixtures, InstanceFixture, Timings,
};
pub use iam::FixtureRole;
pub use images::{ImageBehaviour, ImageRule};
pub use logs::FixtureLogGroup;
pub use record::CallRecord;
pub use region::Region;
pub use s3::{FixtureBucket, FixtureObject};
pub use sandbox::Sandbox;
pub use sdk::SandboxHttpClient;
pub use secrets::FixtureSecret;
pub use sqs::FixtureQueue;
pub use ssm::FixtureParameter;
pub use views::{DeploymentView, ServiceView, TaskDefinitionView, TaskView};
