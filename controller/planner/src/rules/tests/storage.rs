//! Rules of volumes.

use serde_json::{Value, json};

use super::{E, Edit, advised, ec2, fargate, fine, told};

fn volumes(volumes: Value) -> Edit {
    ("/spec/taskDefinition/volumes", volumes)
}

fn app(member: &str) -> &'static str {
    format!("/spec/taskDefinition/containerDefinitions/0/{member}").leak()
}

#[test]
fn volumes_have_one_name_and_one_kind() {
    told(
        ec2,
        &[volumes(json!([{"name": "a"}, {"name": "a"}]))],
        &[(E, "TASK.volumes[1].name", "`a` is already the name of another volume")],
    );
    told(
        ec2,
        &[volumes(
            json!([{"name": "a", "host": {"sourcePath": "/a"}, "dockerVolumeConfiguration": {}}]),
        )],
        &[(
            E,
            "TASK.volumes[0].dockerVolumeConfiguration",
            "stands beside `host`; a volume has one kind of configuration",
        )],
    );
    fine(ec2, &[volumes(json!([{"name": "a", "host": {}, "dockerVolumeConfiguration": {}}]))]);
}

#[test]
fn efs() {
    let efs = |members: Value| {
        let mut efs = json!({"fileSystemId": "fs-1"});
        efs.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
        [volumes(json!([{"name": "a", "efsVolumeConfiguration": efs}]))]
    };
    let at = |member: &str| -> &'static str {
        format!("TASK.volumes[0].efsVolumeConfiguration.{member}").leak()
    };
    fine(fargate, &efs(json!({"rootDirectory": "/data"})));
    told(
        fargate,
        &efs(json!({"authorizationConfig": {"accessPointId": "fsap-1"}})),
        &[(E, at("transitEncryption"), "is not `ENABLED`, and an access point needs it")],
    );
    told(
        fargate,
        &efs(json!({"transitEncryption": "DISABLED", "authorizationConfig": {"iam": "ENABLED"}})),
        &[(E, at("transitEncryption"), "is not `ENABLED`, and IAM needs it")],
    );
    told(
        fargate,
        &efs(
            json!({"rootDirectory": "/data", "transitEncryption": "ENABLED", "authorizationConfig": {"accessPointId": "fsap-1"}}),
        ),
        &[(
            E,
            at("rootDirectory"),
            "`/data` stands beside an access point, which decides the directory",
        )],
    );
    told(
        fargate,
        &[volumes(
            json!([{"name": "a", "s3filesVolumeConfiguration": {"fileSystemArn": "arn", "accessPointArn": "arn", "rootDirectory": "/x"}}]),
        )],
        &[(
            E,
            "TASK.volumes[0].s3filesVolumeConfiguration.rootDirectory",
            "`/x` stands beside an access point, which decides the directory",
        )],
    );
}

#[test]
fn mounts() {
    let mount = |mounts: Value| [volumes(json!([{"name": "data"}])), (app("mountPoints"), mounts)];
    let at = |rest: &str| -> &'static str { format!("APP.mountPoints{rest}").leak() };
    fine(ec2, &mount(json!([{"sourceVolume": "data", "containerPath": "/data"}])));
    told(
        ec2,
        &mount(json!([{"sourceVolume": "dta", "containerPath": "/data"}])),
        &[(E, at("[0].sourceVolume"), "`dta` is not a volume of the task")],
    );
    advised(
        ec2,
        &mount(json!([{"sourceVolume": "dta", "containerPath": "/data"}])),
        "the volumes are `data`",
    );
    told(
        ec2,
        &mount(json!([{"containerPath": "/data"}])),
        &[(E, at("[0].sourceVolume"), "is missing")],
    );
    told(
        ec2,
        &mount(json!([{"sourceVolume": "data"}])),
        &[(E, at("[0].containerPath"), "is missing")],
    );
    told(
        ec2,
        &mount(
            json!([{"sourceVolume": "data", "containerPath": "/a"}, {"sourceVolume": "data", "containerPath": "/a"}]),
        ),
        &[(E, at("[1].containerPath"), "`/a` is already where another volume appears")],
    );
    told(
        ec2,
        &[(app("volumesFrom"), json!([{"sourceContainer": "app"}]))],
        &[(E, "APP.volumesFrom[0].sourceContainer", "`app` is not another container of the task")],
    );
    told(
        ec2,
        &[(app("volumesFrom"), json!([{}]))],
        &[(E, "APP.volumesFrom[0].sourceContainer", "is missing")],
    );
}

#[test]
fn scratch_space() {
    let size = |size: i32| [("/spec/taskDefinition/ephemeralStorage/sizeInGiB", json!(size))];
    let path = "TASK.ephemeralStorage.sizeInGiB";
    fine(fargate, &size(21));
    fine(fargate, &size(200));
    told(fargate, &size(20), &[(E, path, "`20` GiB are not within 21 to 200")]);
    advised(fargate, &size(20), "leave it out: 20 GiB come with every task");
    advised(fargate, &size(201), "the nearest is 200");
    let mut old = size(50).to_vec();
    old.push(("/spec/service/platformVersion", json!("1.3.0")));
    told(fargate, &old, &[(E, "SERVICE.platformVersion", "`1.3.0` has no ephemeralStorage")]);
}

fn left() -> Edit {
    volumes(json!([{"name": "data", "configuredAtLaunch": true}]))
}

#[allow(clippy::needless_pass_by_value, reason = "literals read better")]
fn ebs(members: Value) -> [Edit; 2] {
    let mut ebs = json!({"roleArn": "role", "sizeInGiB": 200});
    ebs.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
    [
        left(),
        ("/spec/service/volumeConfigurations", json!([{"name": "data", "managedEBSVolume": ebs}])),
    ]
}

#[test]
fn volumes_left_to_launch_are_given_there() {
    fine(fargate, &ebs(json!({})));
    told(
        fargate,
        &[left()],
        &[(
            E,
            "TASK.volumes[0].configuredAtLaunch",
            "leaves volume `data` to the service, which does not give it",
        )],
    );
    let given = ebs(json!({}))[1].clone();
    told(
        fargate,
        &[volumes(json!([{"name": "data"}])), given.clone()],
        &[(
            E,
            "SERVICE.volumeConfigurations[0].name",
            "`data` is a volume that the task definition does not leave to launch",
        )],
    );
    told(
        fargate,
        std::slice::from_ref(&given),
        &[(
            E,
            "SERVICE.volumeConfigurations[0].name",
            "`data` is not a volume of the task definition",
        )],
    );
    told(
        fargate,
        &[left(), ("/spec/service/volumeConfigurations", json!([{"name": "data"}]))],
        &[(E, "SERVICE.volumeConfigurations[0].managedEBSVolume", "is missing")],
    );
    told(
        fargate,
        &[
            volumes(
                json!([{"name": "data", "configuredAtLaunch": true, "efsVolumeConfiguration": {"fileSystemId": "fs-1"}}]),
            ),
            given.clone(),
        ],
        &[(
            E,
            "TASK.volumes[0].configuredAtLaunch",
            "stands beside `efsVolumeConfiguration`; a volume has one kind of configuration",
        )],
    );
    let twice = json!([given.1[0].clone(), {"name": "more", "managedEBSVolume": {"roleArn": "r", "sizeInGiB": 1}}]);
    told(
        fargate,
        &[
            volumes(
                json!([{"name": "data", "configuredAtLaunch": true}, {"name": "more", "configuredAtLaunch": true}]),
            ),
            ("/spec/service/volumeConfigurations", twice),
        ],
        &[
            (
                E,
                "TASK.volumes[1].configuredAtLaunch",
                "is the second volume that is left to launch; a task definition takes one",
            ),
            (E, "SERVICE.volumeConfigurations", "has `2` volumes; a service takes 1"),
        ],
    );
    let mut daemon = ebs(json!({})).to_vec();
    daemon.extend([
        ("/spec/service/schedulingStrategy", json!("DAEMON")),
        ("/spec/service/desiredCount", json!(null)),
    ]);
    told(
        ec2,
        &daemon,
        &[(
            E,
            "SERVICE.volumeConfigurations",
            "is for scheduling strategy `REPLICA`, and it is `DAEMON`",
        )],
    );
}

#[test]
fn ebs_volumes() {
    let at = |member: &str| -> &'static str {
        format!("SERVICE.volumeConfigurations[0].managedEBSVolume.{member}").leak()
    };
    fine(fargate, &ebs(json!({"sizeInGiB": null, "snapshotId": "snap-1"})));
    told(
        fargate,
        &ebs(json!({"sizeInGiB": null})),
        &[(E, at("sizeInGiB"), "is missing, and so is snapshotId")],
    );
    told(
        fargate,
        &ebs(json!({"volumeType": "gp9"})),
        &[(E, at("volumeType"), "`gp9` is not a type of EBS volume")],
    );
    told(
        fargate,
        &ebs(json!({"volumeType": "standard"})),
        &[(E, at("volumeType"), "`standard` is not possible on Fargate")],
    );
    fine(ec2, &ebs(json!({"volumeType": "standard"})));
    for (kind, size, limits) in [
        ("gp3", 0, "1 to 16384"),
        ("gp2", 16385, "1 to 16384"),
        ("io1", 3, "4 to 16384"),
        ("io2", 16385, "4 to 16384"),
        ("st1", 124, "125 to 16384"),
        ("sc1", 124, "125 to 16384"),
        ("standard", 1025, "1 to 1024"),
    ] {
        let iops = if kind.starts_with("io") { json!(100) } else { json!(null) };
        let message =
            format!("`{size}` GiB are not a size of `{kind}`, which takes {limits}").leak();
        told(
            ec2,
            &ebs(json!({"volumeType": kind, "sizeInGiB": size, "iops": iops})),
            &[(E, at("sizeInGiB"), message)],
        );
    }
    told(
        fargate,
        &ebs(json!({"volumeType": "io2"})),
        &[(E, at("iops"), "is missing, and `io2` needs it")],
    );
    told(
        fargate,
        &ebs(json!({"iops": 2999})),
        &[(
            E,
            at("iops"),
            "`2999` operations a second are not within 3000 to 16000, which `gp3` takes",
        )],
    );
    told(
        fargate,
        &ebs(json!({"volumeType": "st1", "iops": 3000})),
        &[(E, at("iops"), "`3000` operations a second cannot be chosen for `st1`")],
    );
    told(
        fargate,
        &ebs(json!({"volumeType": "gp2", "throughput": 125})),
        &[(E, at("throughput"), "`125` is for `gp3`, and the type is `gp2`")],
    );
    let many: Vec<Value> = (0..49).map(|index| json!({"key": format!("k{index}")})).collect();
    told(
        fargate,
        &ebs(json!({"tagSpecifications": [{"resourceType": "volume", "tags": many}]})),
        &[(
            E,
            at("tagSpecifications[0].tags"),
            "has `49` tags; there is room for 48 beside those that are not yours",
        )],
    );
}
