//! What answers the requests of checks.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use controller::checks::{Answer, Checks};

/// Answers the requests of checks with a status, or not at all. Clones share everything.
#[derive(Debug, Clone)]
pub struct Probe {
    answers: Arc<Mutex<Result<u16, String>>>,
    asked: Arc<AtomicUsize>,
}

impl Default for Probe {
    fn default() -> Self {
        Self { answers: Arc::new(Mutex::new(Ok(200))), asked: Arc::default() }
    }
}

impl Probe {
    /// One that answers with 200.
    pub fn new() -> Self {
        Self::default()
    }

    /// Answers otherwise from now on: with a status, or with nothing and why.
    pub fn answer(&self, with: Result<u16, &str>) {
        *self.answers.lock().unwrap() = with.map_err(str::to_owned);
    }

    /// How often it was asked.
    pub fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }

    /// What measures by it.
    pub fn checks(&self) -> Checks {
        let probe = self.clone();
        Checks::answered_by(crds::Checks::default(), move |_| {
            probe.asked.fetch_add(1, Ordering::SeqCst);
            let status = probe.answers.lock().unwrap().clone();
            Box::pin(async move {
                let took = Duration::from_millis(20);
                status.map(|status| Answer { status, body: Vec::new(), took })
            })
        })
    }
}
