//! What a check by the load balancer asks for that names no condition of its own: `alb: {}`.
//!
//! With two target groups the new side is held against the old one, so that a service which always has some errors, or is
//! always slow, is not blamed for that. With one for both there is nothing to hold it against, and no number of seconds is
//! right for every service.

use super::Condition;

/// The share of failed requests, with two target groups.
const RATE: &str = "<= 1% or <= 1.5 x old";
/// The same with one target group.
const RATE_ALONE: &str = "<= 1%";
/// The time to answer, with two target groups.
const LATENCY: &str = "<= 500ms or <= 1.5 x old";
/// The healthy hosts.
const HOSTS: &str = ">= 1";
/// How many requests say something: of fewer a single failure is a large share.
pub(super) const MIN_REQUESTS: u32 = 10;

/// The conditions on the rate of 5xx, on latency and on healthy hosts.
pub(super) struct Conditions {
    pub(super) five_xx_rate: Option<Condition>,
    pub(super) latency: Option<Condition>,
    pub(super) healthy_hosts: Option<Condition>,
}

/// The conditions of a check that has none.
pub(super) fn conditions(has_two_sides: bool) -> Result<Conditions, String> {
    let (rate, latency) = if has_two_sides { (RATE, Some(LATENCY)) } else { (RATE_ALONE, None) };
    Ok(Conditions {
        five_xx_rate: Some(Condition::parse(rate)?),
        latency: latency.map(Condition::parse).transpose()?,
        healthy_hosts: Some(Condition::parse(HOSTS)?),
    })
}
