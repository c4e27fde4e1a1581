//! Everything the sandbox knows.

use std::{
    collections::{BTreeMap, HashMap},
    hash::{DefaultHasher, Hash, Hasher},
    sync::Arc,
};

use jiff::Timestamp;

use crate::{
    Fixtures, Region, faults::Faults, record::Record, s3::S3, throttle::Buckets, wire::Call,
};

/// Everything the sandbox knows.
pub(crate) struct World {
    pub(crate) fixtures: Arc<Fixtures>,
    regions: BTreeMap<(String, String), Region>,
    /// Buckets, by account.
    stores: BTreeMap<String, S3>,
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
            stores: BTreeMap::new(),
            buckets: HashMap::new(),
            throttling: fixtures.throttling,
            faults: Faults::default(),
            record: Record::default(),
            rng: fastrand::Rng::with_seed(fixtures.seed),
            calls_left: None,
            fixtures: Arc::new(fixtures),
        }
    }

    /// Whether the fixtures leave the caller without the permission for a call.
    pub(crate) fn denies(&self, call: &Call) -> bool {
        let action = (call.api.as_str(), call.operation.as_str());
        self.fixtures.denied.iter().any(|denied| denied.split_once(':') == Some(action))
    }

    /// A Region of an account as it is at `now`; it exists from the first look on.
    pub(crate) fn region(&mut self, account: &str, region: &str, now: Timestamp) -> &mut Region {
        let fixtures = &self.fixtures;
        let place =
            self.regions.entry((account.to_owned(), region.to_owned())).or_insert_with(|| {
                let mut hasher = DefaultHasher::new();
                (fixtures.seed, account, region).hash(&mut hasher);
                let mut place = Region::empty(account, region, hasher.finish(), fixtures);
                if let Err(error) = place.load(fixtures, now) {
                    tracing::warn!(%error, account, region, "cannot load all fixtures");
                }
                place
            });
        place.advance(now);
        place
    }

    /// The buckets of an account; they exist from the first look on.
    pub(crate) fn store(&mut self, account: &str, now: Timestamp) -> &mut S3 {
        let fixtures = &self.fixtures;
        self.stores.entry(account.to_owned()).or_insert_with(|| {
            let mut store = S3::new(account, &fixtures.region);
            for bucket in &fixtures.buckets {
                if let Err(error) = store.load(bucket, now) {
                    tracing::warn!(
                        error = error.message,
                        bucket = bucket.name,
                        "cannot load bucket"
                    );
                }
            }
            store
        })
    }

    pub(crate) fn buckets(&mut self, account: &str, region: &str) -> &mut Buckets {
        self.buckets.entry((account.to_owned(), region.to_owned())).or_default()
    }
}
