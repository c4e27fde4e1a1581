//! The sandbox: one world behind a lock, and what may be done with it.

use std::{
    future::Future,
    io,
    path::Path,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use bytes::Bytes;
use http::{Request, Response};
use jiff::Timestamp;
use serde_json::Value;
use tokio::{net::TcpListener, sync::Notify};

use crate::{
    ApiError, CallRecord, Fault, Fixtures, Region, SandboxHttpClient, SandboxTime,
    ecr::layers::{self, LayerRequest},
    faults::Verdict,
    ids,
    record::{KeptBody, KeptCall},
    region::{Answer, Caller},
    s3::S3,
    serve, sqs,
    wire::{self, Call, Format, Input},
    world::World,
};

/// A small AWS; clones share one world.
#[derive(Clone)]
pub struct Sandbox {
    world: Arc<Mutex<World>>,
    /// Wakes calls whose answers were withheld.
    pub(crate) released: Arc<Notify>,
    /// Told when the last call before the withholding was applied.
    reached: Arc<Notify>,
}

impl std::fmt::Debug for Sandbox {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sandbox").finish_non_exhaustive()
    }
}

/// What becomes of a request.
#[derive(Debug)]
pub(crate) enum Outcome {
    /// It is answered, later than usual by this much.
    Answer(Response<Bytes>, Duration),
    /// The connection is reset.
    Reset,
    /// Nothing comes back.
    Silence,
}

impl Sandbox {
    /// A world with what the fixtures say.
    pub fn new(fixtures: Fixtures) -> Self {
        Self {
            world: Arc::new(Mutex::new(World::new(fixtures))),
            released: Arc::new(Notify::new()),
            reached: Arc::new(Notify::new()),
        }
    }

    pub(crate) fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Answers a request at a time; a fault that would break the connection is a 503 here.
    pub fn handle(&self, now: Timestamp, request: &Request<Bytes>) -> Response<Bytes> {
        match self.exchange(now, request) {
            Outcome::Answer(response, _) => response,
            Outcome::Reset | Outcome::Silence => {
                let mut response = Response::new(Bytes::new());
                *response.status_mut() = http::StatusCode::SERVICE_UNAVAILABLE;
                response
            }
        }
    }

    /// Half of the time that a call takes.
    pub(crate) fn half_latency(&self) -> Duration {
        self.world().fixtures.latency / 2
    }

    /// What becomes of a request at a time.
    pub(crate) fn exchange(&self, now: Timestamp, request: &Request<Bytes>) -> Outcome {
        let mut world = self.world();
        if world.calls_left == Some(0) {
            return Outcome::Silence;
        }
        let call = match Call::read(request, &world.fixtures) {
            Ok(call) => call,
            Err(response) => return Outcome::Answer(*response, Duration::ZERO),
        };
        let world = &mut *world;
        let verdict = world.faults.judge(&call.api, &call.operation, &mut world.rng);
        if verdict.refuses {
            return Outcome::Reset;
        }
        if verdict.hangs {
            return Outcome::Silence;
        }
        let response = apply(world, &call, request, &verdict, now);
        if let Some(left) = &mut world.calls_left {
            *left -= 1;
            if *left == 0 {
                self.reached.notify_one();
                return Outcome::Silence;
            }
        }
        if verdict.drops_reply {
            return Outcome::Reset;
        }
        Outcome::Answer(response, verdict.latency)
    }

    /// Whether a receive of messages would be answered at once, with messages or with a refusal.
    pub(crate) fn is_answered_at_once(&self, now: Timestamp, request: &Request<Bytes>) -> bool {
        let mut world = self.world();
        let Ok(call) = Call::read(request, &world.fixtures) else { return true };
        if world.calls_left == Some(0) || world.denies(&call) {
            return true;
        }
        let Input::Json(input) = &call.input else { return true };
        world.region(&call.account, &call.region, now).is_answered_at_once(input, now)
    }

    /// The SDK's HTTP client that reaches this world without a socket.
    pub fn http_client(&self, time: SandboxTime) -> SandboxHttpClient {
        SandboxHttpClient::new(self.clone(), time)
    }

    /// Serves this world over TCP until `shutdown` is ready.
    pub async fn serve(
        &self,
        listener: TcpListener,
        time: SandboxTime,
        shutdown: impl Future<Output = ()> + Send + 'static,
    ) -> io::Result<()> {
        serve::serve(self.clone(), listener, time, shutdown).await
    }

    /// Changes the fixtures' account and Region as they are at `now`.
    pub fn edit<T>(&self, now: Timestamp, change: impl FnOnce(&mut Region) -> T) -> T {
        let mut world = self.world();
        let fixtures = Arc::clone(&world.fixtures);
        change(world.region(&fixtures.account, &fixtures.region, now))
    }

    /// Changes any account and Region as it is at `now`.
    pub fn edit_in<T>(
        &self,
        account: &str,
        region: &str,
        now: Timestamp,
        change: impl FnOnce(&mut Region) -> T,
    ) -> T {
        change(self.world().region(account, region, now))
    }

    /// Looks at the fixtures' account and Region as they are at `now`.
    pub fn look<T>(&self, now: Timestamp, view: impl FnOnce(&Region) -> T) -> T {
        self.edit(now, |region| view(region))
    }

    /// Calls an operation as somebody at a console would: without faults, throttling or record.
    pub fn call(
        &self,
        now: Timestamp,
        api: &str,
        operation: &str,
        input: Value,
    ) -> Result<Value, ApiError> {
        let input = Input::Json(input);
        let answer = self.edit(now, |region| {
            let answer = region.call(api, operation, &input, now);
            if let Input::Json(input) = &input {
                let outcome = answer.as_ref().map(|_| ());
                region.tell_call((api, operation), input, outcome, Caller::Console, now);
            }
            answer
        })?;
        Ok(match answer {
            Answer::Json(answer) => answer,
            Answer::Xml(inner) => Value::String(inner),
        })
    }

    /// All calls so far, in order.
    pub fn calls(&self) -> Vec<CallRecord> {
        self.calls_since(0)
    }

    /// The calls after the first `count`.
    pub fn calls_since(&self, count: usize) -> Vec<CallRecord> {
        self.world().record.since(count, |_, _| true)
    }

    /// The calls after the first `count` that are asked for by API and operation.
    pub fn calls_of(
        &self,
        count: usize,
        is_asked_for: impl Fn(&str, &str) -> bool,
    ) -> Vec<CallRecord> {
        self.world().record.since(count, is_asked_for)
    }

    /// How many calls there were.
    pub fn call_count(&self) -> usize {
        self.world().record.len()
    }

    /// How many calls of one operation there were.
    pub fn count_of(&self, api: &str, operation: &str) -> usize {
        self.world().record.count(api, operation)
    }

    /// Keeps at least the newest `most` calls in memory; without this all are kept.
    pub fn keep_calls(&self, most: usize) {
        self.world().record.keep(most);
    }

    /// Also writes each call from now on as a line of JSON.
    pub fn record_to(&self, path: &Path) -> io::Result<()> {
        self.world().record.write_to(path)
    }

    /// Adds a fault.
    pub fn inject(&self, fault: Fault) {
        self.world().faults.inject(fault);
    }

    /// Takes back all faults.
    pub fn clear_faults(&self) {
        self.world().faults.clear();
    }

    /// Turns the token buckets on or off.
    pub fn set_throttling(&self, on: bool) {
        self.world().throttling = on;
    }

    /// Lets others take tokens from a bucket of the fixtures' account and Region, `service modify` for instance.
    pub fn other_callers(&self, family: &str, tokens_per_second: f64) {
        let mut world = self.world();
        let fixtures = Arc::clone(&world.fixtures);
        world.buckets(&fixtures.account, &fixtures.region).other_callers(family, tokens_per_second);
    }

    /// Lets the `count`-th call from now be the last one: it is applied, but neither it nor any later call is
    /// answered until [`Sandbox::release`]. The returned signal is given when that call was applied.
    pub fn hang_after_call(&self, count: u64) -> Arc<Notify> {
        self.world().calls_left = Some(count);
        Arc::clone(&self.reached)
    }

    /// Ends [`Sandbox::hang_after_call`]; the connections of the calls that waited are reset.
    pub fn release(&self) {
        self.world().calls_left = None;
        self.released.notify_waiters();
    }
}

/// Applies a call and records it.
fn apply(
    world: &mut World,
    call: &Call,
    request: &Request<Bytes>,
    verdict: &Verdict,
    now: Timestamp,
) -> Response<Bytes> {
    let request_id = ids::uuid(&mut world.rng);
    let admitted = match &verdict.error {
        Some(error) => Err(error.clone()),
        None if world.denies(call) => {
            Err(ApiError::denied(&call.account, &format!("{}:{}", call.api, call.operation)))
        }
        None if world.throttling => {
            world.buckets(&call.account, &call.region).take(&call.api, &call.operation, now)
        }
        None => Ok(()),
    };
    let response = match (admitted, &call.input) {
        (Ok(()), Input::Rest) => {
            if let Some(layer) = LayerRequest::read(request) {
                let region = world.region(&layer.account, &layer.region, now);
                layer.answer(region.registry(), now)
            } else {
                stored(world, call, request, now)
            }
        }
        (Err(error), Input::Rest) => S3::refusal(request, error),
        (Err(error), _) => write_error(call, &error, &request_id),
        (Ok(()), input) => {
            let region = world.region(&call.account, &call.region, now);
            let answer = region.call(&call.api, &call.operation, input, now);
            if let Input::Json(input) = input {
                let operation = (call.api.as_str(), call.operation.as_str());
                let caller = Caller::Program(wire::agent(request));
                region.tell_call(operation, input, answer.as_ref().map(|_| ()), caller, now);
            }
            match answer {
                Ok(mut answer) => {
                    if let Answer::Json(answer) = &mut answer {
                        layers::at_origin(answer, request);
                    }
                    wire::write_answer(call, &answer, &request_id)
                }
                Err(error) => write_error(call, &error, &request_id),
            }
        }
    };
    world.record.add(KeptCall {
        time: now,
        api: call.api.clone(),
        operation: call.operation.clone(),
        account: call.account.clone(),
        region: call.region.clone(),
        status: response.status().as_u16(),
        request: match &call.input {
            Input::Json(_) if request.body().is_empty() => {
                KeptBody::Json(Bytes::from_static(b"{}"))
            }
            Input::Json(_) => body_of(call.format, request.body()),
            Input::Form(members) => KeptBody::Form(members.clone()),
            Input::Rest => KeptBody::None,
        },
        response: body_of(call.format, response.body()),
    });
    response
}

/// What S3 answers.
fn stored(
    world: &mut World,
    call: &Call,
    request: &Request<Bytes>,
    now: Timestamp,
) -> Response<Bytes> {
    let response = world.store(&call.account, now).call(request, now);
    if response.status().is_success() {
        let region = world.region(&call.account, &call.region, now);
        region.tell_object(&call.operation, request.uri().path(), now);
    }
    response
}

fn body_of(format: Format, body: &Bytes) -> KeptBody {
    match format {
        Format::Cbor => KeptBody::Cbor(body.clone()),
        Format::Json(_) | Format::Query | Format::Rest => KeptBody::Json(body.clone()),
    }
}

/// The answer to a call that was refused.
fn write_error(call: &Call, error: &ApiError, request_id: &str) -> Response<Bytes> {
    let response = wire::write_error(error, call.format, request_id);
    if call.api == "sqs" {
        return wire::with_legacy_code(response, &sqs::legacy_code(&error.code));
    }
    response
}
