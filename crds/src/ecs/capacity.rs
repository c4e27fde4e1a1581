//! Capacity providers.

use super::table::shapes;

shapes! {
    /// A capacity provider's share of a service's tasks.
    pub struct CapacityProviderStrategyItem {
        /// The capacity provider, `FARGATE`, `FARGATE_SPOT` or the cluster's own.
        capacity_provider as "capacityProvider": String;
        /// Its share of the tasks beyond the base, relative to the other weights. Default: 0.
        weight as "weight": Option<i32> => is_integer(0), limits(0.0, 1000.0);
        /// How many tasks run on it first; at most one item may have a base. Default: 0.
        base as "base": Option<i32> => is_integer(0), limits(0.0, 100_000.0);
    }
}
