//! When a task that runs becomes healthy or unhealthy (aws.md §3.3).

use std::time::Duration;

use super::task::{Container, HealthCheck};
use crate::{fixtures::Timings, images::ImageBehaviour};

/// What the checks of a task will say, and how long after RUNNING.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    Healthy(Duration),
    Unhealthy(Duration),
}

/// What checks a task.
#[derive(Debug, Clone, Copy)]
pub(super) struct Checks {
    /// Whether a load balancer does.
    pub(super) targets: bool,
    /// For how long bad news is ignored.
    pub(super) grace: Duration,
}

/// The verdict on a task that has just reached RUNNING.
pub(super) fn verdict(containers: &[Container], checks: Checks, timings: &Timings) -> Verdict {
    let essential = || containers.iter().filter(|one| one.essential);
    let checked = || essential().filter_map(|one| Some((one, one.check?)));
    let bad = |one: &Container| one.behaviour == ImageBehaviour::Unhealthy;
    let bad_container = checked().filter(|(one, _)| bad(one)).map(|(_, check)| fails_after(check));
    let bad_target = (checks.targets && essential().any(bad))
        .then(|| timings.registration + timings.target_unhealthy);
    if let Some(first) = bad_container.chain(bad_target).min() {
        return Verdict::Unhealthy(first.max(checks.grace));
    }
    let slow = essential().map(slow_start).max().unwrap_or_default();
    let passed = checked().map(|(_, check)| Duration::from_secs(check.interval)).max();
    let target = checks.targets.then(|| timings.registration + timings.target_healthy);
    let wait = passed.into_iter().chain(target).max().unwrap_or(timings.healthy_wait);
    Verdict::Healthy(slow + wait)
}

fn fails_after(check: HealthCheck) -> Duration {
    Duration::from_secs(check.start_period + check.interval * check.retries)
}

fn slow_start(container: &Container) -> Duration {
    match container.behaviour {
        ImageBehaviour::SlowStart(delay) => delay,
        ImageBehaviour::Runs
        | ImageBehaviour::NotFound
        | ImageBehaviour::Denied
        | ImageBehaviour::Exits { .. }
        | ImageBehaviour::Unhealthy
        | ImageBehaviour::IgnoresStop
        | ImageBehaviour::FailsRequests(_) => Duration::ZERO,
    }
}

#[cfg(test)]
mod tests {
    use super::{super::task::Health, *};

    fn container(behaviour: ImageBehaviour, check: Option<HealthCheck>) -> Container {
        Container {
            name: "web".to_owned(),
            image: "web:v1".to_owned(),
            essential: true,
            check,
            stop_timeout: None,
            behaviour,
            digest: None,
            exit_code: None,
            reason: None,
            health: Health::Unknown,
        }
    }

    #[test]
    fn verdicts_depend_on_what_checks_the_task() {
        let seconds = Duration::from_secs;
        let check = Some(HealthCheck { interval: 30, retries: 3, start_period: 10 });
        let bad = ImageBehaviour::Unhealthy;
        let slow = ImageBehaviour::SlowStart(seconds(60));
        for (behaviour, check, targets, grace, expected) in [
            (ImageBehaviour::Runs, None, false, 0, Verdict::Healthy(seconds(40))),
            (ImageBehaviour::Runs, check, false, 0, Verdict::Healthy(seconds(30))),
            (ImageBehaviour::Runs, None, true, 0, Verdict::Healthy(seconds(17))),
            (ImageBehaviour::Runs, check, true, 0, Verdict::Healthy(seconds(30))),
            (slow, None, true, 0, Verdict::Healthy(seconds(77))),
            (bad.clone(), check, false, 0, Verdict::Unhealthy(seconds(100))),
            (bad.clone(), None, true, 0, Verdict::Unhealthy(seconds(62))),
            (bad.clone(), None, true, 300, Verdict::Unhealthy(seconds(300))),
            (bad, None, false, 0, Verdict::Healthy(seconds(40))),
        ] {
            let checks = Checks { targets, grace: seconds(grace) };
            let found =
                verdict(&[container(behaviour.clone(), check)], checks, &Timings::default());
            assert_eq!(found, expected, "{behaviour:?} {check:?} {targets} {grace}");
        }
    }
}
