//! Long polls: a receive that finds nothing waits for a message.

use std::time::Duration;

use bytes::Bytes;
use http::Request;
use tokio::time::Instant;

use crate::{Sandbox, SandboxTime, json, wire};

/// How often it is looked for a message: whatever happens by itself, happens when somebody looks.
const LOOK: Duration = Duration::from_millis(200);

/// Waits as long as a request asks for, or until there is something to answer; other requests do not wait. The time is the
/// caller's own, not the world's.
pub(crate) async fn wait(sandbox: &Sandbox, time: SandboxTime, request: &Request<Bytes>) {
    if !wire::has_target(request, "AmazonSQS.ReceiveMessage") {
        return;
    }
    let Some(input) = serde_json::from_slice(request.body()).ok() else { return };
    let seconds = json::number(&input, "WaitTimeSeconds").ok().flatten().unwrap_or_default();
    let most = Duration::from_secs(u64::try_from(seconds.clamp(0, 20)).unwrap_or_default());
    let until = Instant::now() + most;
    while Instant::now() < until && !sandbox.is_answered_at_once(time.now(), request) {
        tokio::time::sleep(LOOK).await;
    }
}
