//! Every example is valid, rolls out, and leaves nothing to do.

use std::time::Duration;

use longshore_tests::{Fleet, FleetOptions};

use super::{files, root};

#[tokio::test(start_paused = true)]
async fn every_example_rolls_out_and_its_second_plan_is_empty() {
    for entry in std::fs::read_dir(root().join("examples")).unwrap() {
        let folder = entry.unwrap().path();
        let fixtures = std::fs::read_to_string(folder.join("sandbox.yaml")).unwrap();
        let mut fleet = Fleet::with(FleetOptions { fixtures, ..FleetOptions::default() }).await;
        let name = folder.file_name().unwrap().to_str().unwrap().to_owned();
        let specs = files(&format!("examples/{name}/services"), &["yaml"]);
        assert!(!specs.is_empty(), "{name} has no specs");
        for spec in specs {
            let text = std::fs::read_to_string(&spec).unwrap();
            fleet.commit_files(&[(spec.file_name().unwrap().to_str().unwrap(), &text)]).await;
        }
        fleet
            .until("all ready", |fleet| {
                let services = fleet.statuses.services();
                !services.is_empty() && services.iter().all(|object| object.status.is_ready())
            })
            .await;
        fleet.pass(Duration::from_mins(5)).await;
        for object in fleet.statuses.services() {
            assert!(object.invalid.is_empty(), "{name}: {:?}", object.invalid);
            assert!(
                fleet.plan(object.key.name.as_str()).await.is_settled(),
                "{name}: {}",
                object.key
            );
        }
    }
}
