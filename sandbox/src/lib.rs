//! A small, honest AWS for tests and first steps.
//!
//! One state machine in memory. Time is always an argument: every call first runs what is due up to its `now`. The
//! AWS SDK reaches it in process ([`Sandbox::http_client`]), any other client over TCP ([`Sandbox::serve`]).

mod clock;
mod ecs;
mod error;
mod faults;
mod fixtures;
mod ids;
mod images;
mod input;
mod page;
mod record;
mod region;
mod sandbox;
mod sdk;
mod serve;
mod throttle;
mod views;
mod wire;
mod world;

pub use clock::SandboxTime;
pub use error::ApiError;
pub use faults::{Fault, FaultKind};
pub use fixtures::{ClusterFixture, FixtureError, Fixtures, InstanceFixture, Timings};
pub use images::{ImageBehaviour, ImageRule};
pub use record::CallRecord;
pub use region::Region;
pub use sandbox::Sandbox;
pub use sdk::SandboxHttpClient;
pub use views::{DeploymentView, ServiceView, TaskDefinitionView, TaskView};
