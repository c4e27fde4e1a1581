//! Everything the sandbox knows.

use std::{
    collections::{BTreeMap, HashMap},
    hash::{DefaultHasher, Hash, Hasher},
    sync::Arc,
};

use jiff::Timestamp;

use crate::{Fixtures, Region, faults::Faults, record::Record, throttle::Buckets};

/// Everything the sandbox knows.
pub(crate) struct World {
    pub(crate) fixtures: Arc<Fixtures>,
    regions: BTreeMap<(String, String), Region>,
    buckets: HashMap<(String, String), Buckets>,
    pub(crate) throttling: bool,
    pub(crate) faults: Faults,
    pub(crate) record: Record,
    pub(crate) rng: fastrand::Rng,
    /// How many more calls are answered before every answer is withheld.
    pub(crate) calls_left: Option<u64>,
}

impl World {
    pub(crate) fn new(fixtures: Fixtures) -> Self {
        Self {
            regions: BTreeMap::new(),
            buckets: HashMap::new(),
            throttling: fixtures.throttling,
            faults: Faults::default(),
            record: Record::default(),
            rng: fastrand::Rng::with_seed(fixtures.seed),
            calls_left: None,
            fixtures: Arc::new(fixtures),
        }
    }

    /// A Region of an account as it is at `now`; it exists from the first look on.
    pub(crate) fn region(&mut self, account: &str, region: &str, now: Timestamp) -> &mut Region {
        let fixtures = &self.fixtures;
        let place =
            self.regions.entry((account.to_owned(), region.to_owned())).or_insert_with(|| {
                let mut hasher = DefaultHasher::new();
                (fixtures.seed, account, region).hash(&mut hasher);
                Region::new(account, region, hasher.finish(), fixtures)
            });
        place.advance(now);
        place
    }

    pub(crate) fn buckets(&mut self, account: &str, region: &str) -> &mut Buckets {
        self.buckets.entry((account.to_owned(), region.to_owned())).or_default()
    }
}
