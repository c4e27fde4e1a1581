//! Every example is valid, rolls out, and leaves nothing to do.

use std::time::Duration;

use longshore_tests::{Fleet, FleetOptions};

use super::{files, root};

#[tokio::test(start_paused = true)]
async fn every_example_rolls_out_and_its_second_plan_is_empty() {
    for entry in std::fs::read_dir(root().join("examples")).unwrap() {
        let folder = entry.unwrap().path();
        let fixtures = std::fs::read_to_string(folder.join("sandbox.yaml")).unwrap();
        let world = sandbox::Fixtures::from_yaml(&fixtures).unwrap();
        let mut fleet = Fleet::with(FleetOptions { fixtures, ..FleetOptions::default() }).await;
        // A release may follow Git: what has been pushed was tagged there.
        for image in world.repositories.iter().flat_map(|repository| &repository.images) {
            image.tags.iter().for_each(|tag| fleet.tag_git(tag, 'a'));
        }
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
            assert!(fleet.plan_key(&object.key).await.is_settled(), "{name}: {}", object.key);
        }
        assert_eq!(fleet.invalid(), [""; 0], "{name}");
    }
}

#[test]
fn every_configuration_of_an_example_can_be_used() {
    let folders = std::fs::read_dir(root().join("examples")).unwrap();
    let files = folders.map(|folder| folder.unwrap().path().join("controller.yaml"));
    let mut count = 0;
    for file in files.filter(|file| file.exists()) {
        let config = controller::config::Config::read(&file).unwrap();
        assert!(!config.sources.is_empty(), "{}", file.display());
        count += 1;
    }
    assert!(count > 0, "no example has a configuration");
}
