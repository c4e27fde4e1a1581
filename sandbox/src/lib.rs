//! A small, honest AWS for tests and first steps.
#![doc = ""]

mod autoscaling;
mod cloudwatch;
mod derived;
mod ecr;
mod elb;
mod error;
mod json;
mod keyset;
mod s3;
mod secrets;
mod ssm;
mod sts;
mod xml;

pub use autoscaling::FixtureScalableTarget;
pub use cloudwatch::{FixtureAlarm, FixtureMetric};
pub use ecr::{FixtureImage, FixtureRepository};
pub use elb::{
    FixtureForward, FixtureListener, FixtureLoadBalancer, FixtureRule, FixtureTargetGroup,
};
pub use error::ApiError;
pub use s3::{FixtureBucket, FixtureObject};
pub use secrets::FixtureSecret;
pub use ssm::FixtureParameter;
