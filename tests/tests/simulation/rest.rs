//! How a world must end.

use std::time::Duration;

use crds::Reason;

use super::shape::{BOUNDS, VALUE};
use super::{CALM, Wanted, World};

impl World {
    /// Without faults everything is in force or held for a reason that is told, and nothing is left to do.
    pub(super) async fn come_to_rest(&mut self) {
        self.clear_the_sky();
        // Nobody can be asked about a service before AWS has been listed again.
        self.fleet.pass(Duration::from_mins(6)).await;
        self.let_everything_go().await;
        self.tell("calm");
        let minutes = if self.shape.is_plain() { CALM.0 } else { CALM.1 };
        for _ in 0..minutes {
            self.fleet.pass(Duration::from_mins(1)).await;
            self.approve_what_waits().await;
        }
        self.check();
        self.check_story();
        let mark = self.fleet.sandbox.call_count();
        self.fleet.pass(Duration::from_mins(12)).await;
        assert_eq!(self.fleet.changes_since(mark), [""; 0], "not at rest");
        for (name, wanted) in self.wanted.clone() {
            self.check_at_rest(name, &wanted).await;
        }
        for name in self.absent.keys() {
            let living = self.fleet.living(name).is_some();
            assert!(!living || self.may_stay(name), "{name} has no spec and runs");
        }
        self.check_that_no_value_was_read();
    }

    /// Whether a service without a spec is kept for a reason.
    fn may_stay(&self, name: &str) -> bool {
        if self.fleet.tag(name, "longshore.dev/source").is_none() {
            // Whose spec it had nobody can tell any more.
            return true;
        }
        let holds = self.fleet.holds(name);
        if holds.contains(&Reason::PruneBrake) || holds.contains(&Reason::SourceIncomplete) {
            return true;
        }
        let dependents = self.shape.services(|traits| traits.after == Some(name));
        let is_needed = dependents.iter().any(|dependent| {
            self.wanted.contains_key(dependent) || self.fleet.living(dependent).is_some()
        });
        is_needed && holds.contains(&Reason::WaitingForDependents)
    }

    async fn check_at_rest(&self, name: &str, wanted: &Wanted) {
        for _ in 0..2 {
            let plan = self.fleet.plan(name).await;
            assert_eq!(plan.actions, [], "{name}: the plan is not empty");
        }
        let status = self.fleet.status(name);
        let holds = self.fleet.holds(name);
        let traits = self.shape.of_service(name);
        if self.broken.contains(name) {
            assert!(holds.contains(&Reason::InvalidSpec), "{name}: {status:#?}");
            return;
        }
        if wanted.suspend {
            assert!(status.is_ready() || holds.contains(&Reason::Suspended), "{name}: {status:#?}");
            return;
        }
        if holds.iter().any(|hold| self.waits_for_another(name, *hold)) {
            return;
        }
        if traits.follows {
            self.check_follower(name);
        } else if wanted.version.starts_with("bad-") {
            let reason = self.fleet.ready(name).reason;
            // At a count of zero that somebody set by hand even a bad image rolls out.
            let is_told = matches!(reason, Reason::RolledBack | Reason::RolloutFailed)
                || (reason == Reason::HookFailed && traits.migrates)
                || (reason == Reason::TasksMissing && self.edited.contains(name));
            assert!(is_told, "{name}: {status:#?}");
        } else {
            assert!(status.is_ready(), "{name}: {status:#?}");
            assert_eq!(self.fleet.image(name), self.shape.image(name, &wanted.version));
            self.check_tasks(name, wanted);
        }
    }

    /// Whether a service may be held at rest because of the one that it depends on.
    fn waits_for_another(&self, name: &str, hold: Reason) -> bool {
        let Some(other) = self.shape.of_service(name).after else { return false };
        let is_missing = !self.wanted.contains_key(other);
        let is_unready = !self.fleet.is_ready(other);
        let waits = [Reason::DependencyFailed, Reason::WaitingForDependency];
        (hold == Reason::DependencyMissing && is_missing) || (waits.contains(&hold) && is_unready)
    }

    /// The best version that works runs; where a bad one came after it, the one that ran before, and that is told.
    fn check_follower(&self, name: &str) {
        let (best, best_works) = self.pushed.last().unwrap();
        if !best_works && self.fleet.holds(name).contains(&Reason::HookFailed) {
            return;
        }
        let service = self.fleet.service(name).unwrap();
        let image = self.fleet.image(name);
        let runs = self.pushed.iter().find(|(tag, _)| self.fleet.pinned(tag) == image);
        let Some((tag, works)) = runs else {
            panic!("{name} runs {image}, which was never pushed")
        };
        let status = self.fleet.status(name);
        if *best_works && !self.taken_back.iter().any(|name| self.shape.of_service(name).follows) {
            assert_eq!(tag, best, "{name}: {status:#?}");
        }
        assert!(
            *works || !status.is_ready() || service.desired == 0,
            "{name} is ready with a version that fails"
        );
        if *works {
            assert_eq!(service.deployments.len(), 1, "{name}");
            assert_eq!(service.running, service.desired, "{name}");
        }
    }

    fn check_tasks(&self, name: &str, wanted: &Wanted) {
        let service = self.fleet.service(name).unwrap();
        if self.shape.of_service(name).is_scaled {
            let bounds = i64::from(BOUNDS.0)..=i64::from(BOUNDS.1);
            assert!(bounds.contains(&service.desired), "{name}: {}", service.desired);
        } else {
            assert_eq!(service.desired, i64::from(wanted.count), "{name}");
        }
        assert_eq!(service.running, service.desired, "{name}");
        assert_eq!(service.deployments.len(), 1, "{name}");
    }

    /// Nobody asked for the parameter's value, so nothing that the operator says or keeps can have it.
    fn check_that_no_value_was_read(&self) {
        let reads = self.fleet.sandbox.look(self.fleet.now(), sandbox::Region::secret_value_reads);
        assert_eq!(reads, 0);
        for object in self.fleet.statuses.services() {
            assert!(!format!("{object:?}").contains(VALUE), "{object:?}");
        }
    }
}
