//! Where a service's tasks are placed on container instances.

use super::table::{enumerations, shapes};

shapes! {
    /// A rule for the container instances that may run a service's tasks.
    pub struct PlacementConstraint {
        /// `distinctInstance`: each task on another one; `memberOf`: those that match the expression.
        r#type as "type": Option<PlacementConstraintType>;
        /// An expression in ECS's cluster query language, for `memberOf`.
        expression as "expression": Option<String>;
    }

    /// How tasks are spread over container instances.
    pub struct PlacementStrategy {
        /// `random`, `spread` over the field's values, or `binpack` by the least of the field.
        r#type as "type": Option<PlacementStrategyType>;
        /// `instanceId`, `host` or `attribute:<name>` for `spread`; `cpu` or `memory` for `binpack`.
        field as "field": Option<String>;
    }
}

enumerations! {
    /// The kind of a placement constraint.
    pub enum PlacementConstraintType { DistinctInstance = "distinctInstance", MemberOf = "memberOf" }

    /// The kind of a placement strategy.
    pub enum PlacementStrategyType { Random = "random", Spread = "spread", Binpack = "binpack" }
}
