//! Stories: what people do, and what the world looks like afterwards. All on one paused clock; none takes real time.
#![recursion_limit = "256"]

mod crashes;
mod drift;
mod failures;
mod ownership;
mod pruning;
mod rollouts;
mod scale;
mod sources;
mod stops;
mod weather;
