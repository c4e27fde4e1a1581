//! What people, AWS and bad luck do to a world.

use std::time::Duration;

use controller::orders::{Ask, Refusal};
use crds::{Reason, Verb};
use jiff::SignedDuration;
use longshore_tests::specs::with;
use sandbox::{Fault, FaultKind};
use serde_json::json;

use super::shape::{BOUNDS, PARAMETER, VALUE};
use super::{NAMES, ORDERED, Wanted, World};

impl World {
    pub(super) fn tell(&mut self, what: impl std::fmt::Display) {
        self.story.push(format!("{} {what}", self.fleet.now()));
    }

    fn name(&mut self) -> &'static str {
        NAMES[self.random.usize(..NAMES.len())]
    }

    pub(super) async fn change_a_spec(&mut self) {
        let name = self.name();
        let known = self.wanted.get(name).cloned();
        self.versions += 1;
        let good = format!("v{}", self.versions);
        let mut wanted =
            known.unwrap_or(Wanted { version: good.clone(), count: 2, suspend: false });
        match self.random.u32(..100) {
            0..40 => wanted.version = good,
            40..58 => wanted.version = format!("bad-{}", self.versions),
            58..68 => wanted.count = self.random.u32(1..4),
            68..76 => wanted.suspend = !wanted.suspend,
            76..86 => return self.remove(name).await,
            86..94 => return self.break_file(name).await,
            _ => return self.toggle_nameless().await,
        }
        self.tell(format!("{name} becomes {wanted:?}"));
        self.write(name, wanted).await;
    }

    async fn write(&mut self, name: &'static str, wanted: Wanted) {
        let spec = self.shape.spec(name, &wanted);
        self.fleet.commit(&[spec]).await;
        self.absent.remove(name);
        self.broken.remove(name);
        if wanted.suspend {
            let now = self.fleet.now();
            self.suspended.entry(name).or_insert(now);
        } else {
            self.suspended.remove(name);
        }
        self.wanted.insert(name, wanted);
        self.edited.remove(name);
        self.note_change(name);
    }

    fn note_change(&mut self, name: &'static str) {
        let now = self.fleet.now();
        self.changed.entry(name).or_default().push(now);
    }

    async fn remove(&mut self, name: &'static str) {
        if self.wanted.remove(name).is_none() {
            return;
        }
        self.tell(format!("{name} is removed"));
        self.fleet.remove(&[name]).await;
        self.broken.remove(name);
        self.suspended.remove(name);
        self.absent.insert(name, self.fleet.now());
    }

    async fn break_file(&mut self, name: &'static str) {
        let Some(wanted) = self.wanted.get(name) else { return };
        let text = self
            .shape
            .spec(name, wanted)
            .to_string()
            .replace("\"cpu\":\"256\"", "\"cpu\":[\"256\"]");
        self.tell(format!("{name} is broken"));
        let file = format!("{name}.json");
        self.fleet.commit_files(&[(&file, &text)]).await;
        self.broken.insert(name);
    }

    async fn toggle_nameless(&mut self) {
        let nameless = "apiVersion: longshore.dev/v1alpha1\nkind: Service\nspec: {cluster: shop}\n";
        if self.nameless.take().is_some() {
            self.tell("the nameless file goes");
            self.fleet.commit_files(&[("nameless.yaml", "")]).await;
        } else {
            self.tell("a nameless file comes");
            self.fleet.commit_files(&[("nameless.yaml", nameless)]).await;
            self.nameless = Some(self.fleet.now());
        }
    }

    pub(super) fn edit_at_the_console(&mut self) {
        let name = self.name();
        if self.fleet.living(name).is_none() {
            return;
        }
        let service = json!({ "cluster": "shop", "service": name });
        match self.random.u32(..10) {
            0..4 => {
                self.tell(format!("somebody scales {name}"));
                let is_scaled = self.shape.of_service(name).is_scaled;
                let counts = if is_scaled { BOUNDS.0..BOUNDS.1 + 1 } else { 0..5 };
                let count = self.random.u32(counts);
                self.fleet.console("UpdateService", with(service, "/desiredCount", json!(count)));
            }
            4..6 => {
                self.tell(format!("somebody forces a deployment of {name}"));
                let force = with(service, "/forceNewDeployment", json!(true));
                self.fleet.console("UpdateService", force);
            }
            6..8 => {
                self.tell(format!("somebody takes a tag off {name}"));
                let described = json!({ "cluster": "shop", "services": [name] });
                let described = self.fleet.console("DescribeServices", described);
                let arn = described["services"][0]["serviceArn"].clone();
                let keys = json!(["longshore.dev/source", "longshore.dev/spec-hash"]);
                self.fleet.console("UntagResource", json!({ "resourceArn": arn, "tagKeys": keys }));
            }
            8 => {
                self.tell(format!("somebody deletes {name}"));
                self.fleet.console("DeleteService", with(service, "/force", json!(true)));
            }
            _ => {
                self.tell(format!("a task of {name} dies"));
                self.fleet.sandbox.edit(self.fleet.now(), |region| {
                    let task = region.tasks().into_iter().find(|task| {
                        task.service.as_deref() == Some(name) && task.last_status == "RUNNING"
                    });
                    task.map(|task| region.kill_task(&task.arn, 1))
                });
            }
        }
        self.edited.insert(name);
        self.note_change(name);
    }

    /// A person asks for something.
    pub(super) async fn order(&mut self) {
        let name = self.name();
        let verb = match self.random.u32(..100) {
            _ if self.frozen.contains_key(name) => Verb::Release,
            0..35 => Verb::Hold,
            35..50 => Verb::Rollback,
            50..65 => Verb::Restart,
            65..75 => Verb::Abort,
            75..85 => Verb::Sync,
            _ => Verb::Release,
        };
        let asked = self.fleet.now();
        let answer = self.fleet.try_order(name, verb, &Ask::default()).await;
        self.tell(format!(
            "{} of {name}: {}",
            verb.as_str(),
            if answer.is_ok() { "taken" } else { "refused" }
        ));
        // What a person orders is done once, whatever else stands still, as soon as the weather lets it.
        let is_taken = matches!(answer, Ok(_) | Err(Refusal::Store(_)));
        if let Some(since) = self.suspended.get_mut(name).filter(|_| is_taken) {
            *since = asked + ORDERED;
        }
        match (verb, answer) {
            // A refusal of the store may come after it was carried out.
            (Verb::Rollback, Ok(_) | Err(Refusal::Store(_))) => {
                self.taken_back.insert(name);
            }
            (Verb::Hold, Ok(_)) => {
                self.frozen.insert(name, asked);
            }
            // A refusal may come after it was written down, when the store's first reply was lost.
            (Verb::Release, _) => {
                self.frozen.remove(name);
            }
            (_, _) => {}
        }
        self.edited.insert(name);
        self.note_change(name);
    }

    /// People let everything go that they held.
    pub(super) async fn let_everything_go(&mut self) {
        for name in NAMES {
            let answer = self.fleet.try_order(name, Verb::Release, &Ask::default()).await;
            assert!(!matches!(answer, Err(Refusal::Store(_))), "{name}: {answer:?}");
            self.note_change(name);
        }
        self.frozen.clear();
    }

    pub(super) fn turn_the_weather(&mut self) {
        let everywhere = |kind: FaultKind, probability: f64| Fault {
            times: None,
            probability,
            ..Fault::once("ecs", "*", kind)
        };
        let failed = FaultKind::Error {
            code: "ServerException".to_owned(),
            message: "Service unavailable".to_owned(),
            status: 503,
        };
        let store = |kind: FaultKind| Fault {
            times: None,
            probability: 0.5,
            ..Fault::once("s3", "*", kind)
        };
        if self.shape.weathers.is_empty() {
            return;
        }
        let kind = self.shape.weathers[self.random.usize(..self.shape.weathers.len())];
        let (what, fault) = match kind {
            0 => ("throttling", everywhere(FaultKind::Throttle, 0.4)),
            1 => ("server errors", everywhere(failed, 0.3)),
            2 => ("lost replies", everywhere(FaultKind::DropReply, 0.25)),
            3 => ("slow answers", everywhere(FaultKind::Latency(Duration::from_secs(4)), 0.5)),
            4 => ("refused connections", everywhere(FaultKind::Refuse, 0.3)),
            5 => ("hanging calls", everywhere(FaultKind::Hang, 0.05)),
            6 => ("the state store fails", store(failed)),
            7 => ("the state store cannot be reached", store(FaultKind::Refuse)),
            8 => ("the state store's replies are lost", store(FaultKind::DropReply)),
            9 => {
                let minutes = self.random.i64(-20..20);
                self.tell(format!("the operator's clock jumps by {minutes} min"));
                self.fleet.jump(SignedDuration::from_mins(minutes));
                return;
            }
            _ => {
                let lag = Duration::from_secs(self.random.u64(1..25));
                let flickers = lag.as_secs().is_multiple_of(3);
                let unlisted = if lag.as_secs().is_multiple_of(2) { lag } else { Duration::ZERO };
                self.tell(format!(
                    "reads lag by {lag:?}, every other {flickers}, new records {unlisted:?}"
                ));
                self.fleet.sandbox.edit(self.fleet.now(), |region| {
                    region.set_read_lag(lag);
                    region.set_read_flicker(flickers);
                    region.set_record_lag(unlisted);
                });
                return;
            }
        };
        if matches!(fault.kind, FaultKind::DropReply) {
            // From now on some calls may be made twice.
            self.check_story();
            self.lost_replies = true;
        }
        self.tell(what);
        self.fleet.sandbox.inject(fault);
    }

    pub(super) fn clear_the_sky(&mut self) {
        self.tell("the sky clears");
        self.fleet.sandbox.clear_faults();
        self.fleet.sandbox.edit(self.fleet.now(), |region| region.set_read_lag(Duration::ZERO));
    }

    /// Kills the process after one of its next calls, and starts it again at once or later.
    pub(super) async fn kill(&mut self) {
        let count = self.random.u64(1..12);
        let reached = self.fleet.sandbox.hang_after_call(count);
        let _ = tokio::time::timeout(Duration::from_mins(2), reached.notified()).await;
        self.fleet.kill().await;
        self.fleet.sandbox.release();
        self.tell("the process is killed");
        if self.random.bool() {
            let pause = Duration::from_secs(self.random.u64(1..300));
            self.fleet.pass(pause).await;
        }
        self.fleet.restart().await;
        self.tell("and started again");
        self.lives.push(self.fleet.now());
    }

    /// Something that plain worlds have not.
    pub(super) async fn do_what_this_world_has(&mut self) {
        match self.random.u32(..4) {
            0 => self.push_a_version(),
            1 => self.change_the_parameter(),
            2 => self.approve_what_waits().await,
            _ => self.scale_by_load(),
        }
    }

    /// A version is pushed: the next one, one that fails, one that nobody asked for, or one of long ago.
    fn push_a_version(&mut self) {
        let followers = self.shape.services(|traits| traits.follows);
        if followers.is_empty() {
            return;
        }
        let number = self.pushed.len();
        match self.random.u32(..10) {
            0..8 => {
                let (tag, works) = (format!("v1.{number}.0"), self.random.u32(..3) > 0);
                self.tell(format!("{tag} is pushed{}", if works { "" } else { "; it fails" }));
                self.fleet.push(&tag);
                if !works {
                    let image = self.fleet.pinned(&tag);
                    self.fleet.image_exits(&image);
                }
                self.pushed.push((tag, works));
                for name in followers {
                    self.note_change(name);
                }
            }
            8 => {
                self.tell("a candidate is pushed");
                self.fleet.push(&format!("v1.{}.0-rc.{}", number + 1, self.story.len()));
            }
            _ => {
                self.tell("a version of long ago is pushed");
                self.fleet.push(&format!("v1.0.0-{}", self.story.len()));
            }
        }
    }

    /// Somebody gives the parameter another value.
    fn change_the_parameter(&mut self) {
        let value = format!("{VALUE}-{}", self.story.len());
        self.tell("the parameter changes");
        let body =
            json!({ "Name": PARAMETER, "Value": value, "Type": "SecureString", "Overwrite": true });
        self.fleet.console_of("ssm", "PutParameter", body);
        for name in self.shape.services(|traits| traits.reads) {
            self.note_change(name);
        }
    }

    /// A person approves what waits for that.
    pub(super) async fn approve_what_waits(&mut self) {
        for name in self.shape.services(|traits| traits.approval.is_some()) {
            let Some(object) = self.fleet.object(name) else { continue };
            if object.status.holds.iter().any(|hold| hold.reason == Reason::AwaitingApproval) {
                let answer = self.fleet.try_order(name, Verb::Approve, &Ask::default()).await;
                self.tell(format!("{name} is approved: {}", answer.is_ok()));
                self.note_change(name);
            }
        }
    }

    /// Application Auto Scaling changes a count.
    fn scale_by_load(&mut self) {
        for name in self.shape.services(|traits| traits.is_scaled) {
            let is_in_force = self.fleet.living(name).is_some()
                && self.fleet.tag(name, "longshore.dev/scaling").is_some();
            if is_in_force && self.random.bool() {
                let count = self.random.u32(BOUNDS.0..=BOUNDS.1);
                self.tell(format!("load scales {name} to {count}"));
                let input = json!({ "cluster": "shop", "service": name, "desiredCount": count });
                self.fleet.console("UpdateService", input);
            }
        }
    }
}
