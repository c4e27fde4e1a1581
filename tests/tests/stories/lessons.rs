//! What went wrong elsewhere, named after what must not happen here. `docs/incidents.md` lists them all; those that belong
//! to a subject stand with it.

mod deletions;
mod rollouts;
mod secrets;
mod storms;

use std::time::Duration;

use longshore_tests::Fleet;

/// Nothing that asks AWS for a change is sent for so long.
async fn nothing_changes_for(fleet: &Fleet, time: Duration) {
    let mark = fleet.sandbox.call_count();
    fleet.pass(time).await;
    assert_eq!(fleet.changes_since(mark), [""; 0], "{}", fleet.describe());
}
