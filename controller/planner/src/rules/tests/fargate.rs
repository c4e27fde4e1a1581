//! Rules of Fargate and of sizes.

use serde_json::{Value, json};

use super::{E, Edit, W, advised, ec2, fargate, fine, told};

const APP: &str = "/spec/taskDefinition/containerDefinitions/0";

/// A path in the first container, which lives as long as the tests.
fn app(member: &str) -> &'static str {
    format!("{APP}/{member}").leak()
}

#[test]
fn every_size_of_the_table_exists() {
    let rows: [(i64, i64, i64, usize); 7] = [
        (512, 1024, 4096, 1024),
        (1024, 2048, 8192, 1024),
        (2048, 4096, 16384, 1024),
        (4096, 8192, 30720, 1024),
        (8192, 16384, 61440, 4096),
        (16384, 32768, 122_880, 8192),
        (256, 512, 512, 1),
    ];
    for (cpu, from, to, step) in rows {
        for memory in (from..=to).step_by(step) {
            fine(fargate, &size(json!(cpu), json!(memory)));
        }
    }
    for memory in [512, 1024, 2048] {
        fine(fargate, &size(json!(256), json!(memory)));
    }
    for (cpu, memory) in [("1 vCPU", "2GB"), (".25 vcpu", "0.5 GB"), ("4VCPU", "30 gb")] {
        fine(fargate, &size(json!(cpu), json!(memory)));
    }
}

fn size(cpu: serde_json::Value, memory: serde_json::Value) -> [Edit; 2] {
    [("/spec/taskDefinition/cpu", cpu), ("/spec/taskDefinition/memory", memory)]
}

#[test]
fn other_sizes_do_not() {
    told(
        fargate,
        &[("/spec/taskDefinition/cpu", json!("0.3 vCPU"))],
        &[(E, "TASK.cpu", "`0.3 vCPU` is not an amount of cpu")],
    );
    told(
        fargate,
        &[("/spec/taskDefinition/cpu", json!("300"))],
        &[(E, "TASK.cpu", "`300` CPU units are not a size that Fargate has")],
    );
    advised(fargate, &[("/spec/taskDefinition/cpu", json!("300"))], "nearest are 256 and 512");
    advised(fargate, &[("/spec/taskDefinition/cpu", json!("65536"))], "the nearest is 32768");
    told(
        fargate,
        &[("/spec/taskDefinition/memory", json!("lots"))],
        &[(E, "TASK.memory", "`lots` is not an amount of memory")],
    );
    told(
        fargate,
        &[("/spec/taskDefinition/memory", json!("1500"))],
        &[(E, "TASK.memory", "`1500` MiB is not a size that Fargate has with 512 CPU units")],
    );
    advised(
        fargate,
        &[("/spec/taskDefinition/memory", json!("1500"))],
        "nearest are 1024 and 2048",
    );
    advised(fargate, &[("/spec/taskDefinition/memory", json!("8 GB"))], "the nearest is 4096");
    advised(fargate, &size(json!(8192), json!(20000)), "nearest are 16384 and 20480");
    told(
        fargate,
        &[("/spec/taskDefinition/cpu", json!(null))],
        &[(E, "TASK.cpu", "is missing, and Fargate needs the cpu of the whole task")],
    );
    told(
        fargate,
        &[("/spec/taskDefinition/memory", json!(null))],
        &[(E, "TASK.memory", "is missing, and Fargate needs the memory of the whole task")],
    );
    advised(
        fargate,
        &[("/spec/taskDefinition/memory", json!(null))],
        "the least with this cpu is 1024",
    );
}

#[test]
fn the_largest_size_is_doubtful() {
    for memory in [61440, 122_880, 249_856] {
        told(
            fargate,
            &size(json!(32768), json!(memory)),
            &[(
                W,
                "TASK.cpu",
                "`32768` CPU units are a size that AWS's guide lists and its API does not; ECS may refuse it",
            )],
        );
    }
}

#[test]
fn old_platforms_have_no_large_tasks() {
    let mut edits = size(json!(8192), json!(16384)).to_vec();
    edits.push(("/spec/service/platformVersion", json!("1.3.0")));
    told(
        fargate,
        &edits,
        &[(E, "SERVICE.platformVersion", "`1.3.0` has no tasks of 8192 CPU units")],
    );
}

#[test]
fn windows_begins_at_one_cpu_and_ends_at_four() {
    let windows = |cpu: i64, memory: i64| {
        let mut edits = size(json!(cpu), json!(memory)).to_vec();
        edits.push((
            "/spec/taskDefinition/runtimePlatform",
            json!({"operatingSystemFamily": "WINDOWS_SERVER_2022_CORE"}),
        ));
        edits
    };
    fine(fargate, &windows(1024, 2048));
    told(
        fargate,
        &windows(512, 1024),
        &[(E, "TASK.cpu", "`512` CPU units are not a size that Fargate has for Windows")],
    );
    advised(fargate, &windows(512, 1024), "the nearest is 1024");
    advised(fargate, &windows(8192, 16384), "the nearest is 4096");
    let mut edits = windows(1024, 2048);
    edits.push(("/spec/taskDefinition/runtimePlatform/cpuArchitecture", json!("ARM64")));
    told(
        fargate,
        &edits,
        &[(E, "TASK.runtimePlatform.cpuArchitecture", "`ARM64` does not run Windows containers")],
    );
    let mut edits = windows(1024, 2048);
    edits.push((app("portMappings/1/containerPort"), json!(3150)));
    told(
        fargate,
        &edits,
        &[(E, "APP.portMappings[1].containerPort", "`3150` is taken by Fargate in Windows tasks")],
    );
    let mut edits = windows(1024, 2048);
    edits.push((app("ulimits"), json!([{"name": "nofile", "softLimit": 1, "hardLimit": 2}])));
    told(fargate, &edits, &[(E, "APP.ulimits", "is not possible for Windows")]);
    let mut edits = windows(1024, 2048);
    edits.push((app("environmentFiles"), json!([{"value": "arn:aws:s3:::b/k.env", "type": "s3"}])));
    told(fargate, &edits, &[(E, "APP.environmentFiles", "is not possible for Windows on Fargate")]);
    let mut edits = windows(1024, 2048);
    edits.push(("/spec/service/platformVersion", json!("1.4.0")));
    told(
        fargate,
        &edits,
        &[(E, "SERVICE.platformVersion", "`1.4.0` is not a version of Fargate for Windows")],
    );
}

#[test]
fn sizes_on_container_instances_are_free_within_limits() {
    fine(ec2, &[("/spec/taskDefinition/cpu", json!("300"))]);
    told(
        ec2,
        &[("/spec/taskDefinition/cpu", json!("64"))],
        &[(E, "TASK.cpu", "`64` CPU units are not within 128 to 196608")],
    );
    told(
        ec2,
        &[("/spec/taskDefinition/cpu", json!("200000"))],
        &[(E, "TASK.cpu", "`200000` CPU units are not within 128 to 196608")],
    );
}

#[test]
fn members_that_fargate_does_not_have() {
    for (member, value) in [
        ("disableNetworking", json!(true)),
        ("dnsSearchDomains", json!(["shop.internal"])),
        ("dnsServers", json!(["10.0.0.2"])),
        ("dockerSecurityOptions", json!(["no-new-privileges"])),
        ("extraHosts", json!([{"hostname": "a", "ipAddress": "10.0.0.1"}])),
        ("links", json!(["app"])),
        ("privileged", json!(true)),
        ("linuxParameters/devices", json!([{"hostPath": "/dev/fuse"}])),
        ("linuxParameters/maxSwap", json!(0)),
        ("linuxParameters/sharedMemorySize", json!(64)),
        ("linuxParameters/swappiness", json!(10)),
        ("linuxParameters/tmpfs", json!([{"containerPath": "/t", "size": 1}])),
    ] {
        let path = format!("APP.{}", member.replace('/', ".")).leak();
        told(fargate, &[(app(member), value)], &[(E, path, "is not possible on Fargate")]);
    }
    for (member, value) in [
        ("ipcMode", json!("task")),
        ("placementConstraints", json!([{"type": "memberOf", "expression": "attribute:a == b"}])),
    ] {
        let path = format!("TASK.{member}").leak();
        told(
            fargate,
            &[(format!("/spec/taskDefinition/{member}").leak(), value)],
            &[(E, path, "is not possible on Fargate")],
        );
    }
    for (member, value) in [
        ("dockerVolumeConfiguration", json!({"scope": "task"})),
        ("host/sourcePath", json!("/srv")),
    ] {
        let path = format!("TASK.volumes[0].{}", member.replace('/', ".")).leak();
        let pointer = format!("/spec/taskDefinition/volumes/0/{member}").leak();
        told(
            fargate,
            &[("/spec/taskDefinition/volumes/0/name", json!("v")), (pointer, value)],
            &[(E, path, "is not possible on Fargate")],
        );
    }
    fine(
        fargate,
        &[
            (app("privileged"), json!(false)),
            (app("disableNetworking"), json!(false)),
            (app("links"), json!([])),
        ],
    );
}

#[test]
fn modes_drivers_and_devices_of_fargate() {
    told(
        fargate,
        &[("/spec/taskDefinition/networkMode", json!("bridge"))],
        &[(E, "TASK.networkMode", "`bridge` is not possible on Fargate")],
    );
    told(
        fargate,
        &[("/spec/taskDefinition/networkMode", json!(null))],
        &[(E, "TASK.networkMode", "is missing, and Fargate needs `awsvpc`")],
    );
    told(
        fargate,
        &[("/spec/taskDefinition/pidMode", json!("host"))],
        &[(E, "TASK.pidMode", "`host` is not possible on Fargate")],
    );
    told(
        fargate,
        &[(app("linuxParameters/capabilities/add"), json!(["SYS_PTRACE", "NET_ADMIN"]))],
        &[(E, "APP.linuxParameters.capabilities.add[1]", "`NET_ADMIN` cannot be added on Fargate")],
    );
    told(
        fargate,
        &[
            (app("linuxParameters/capabilities/add"), json!(["SYS_PTRACE"])),
            ("/spec/service/platformVersion", json!("1.3.0")),
        ],
        &[(
            E,
            "APP.linuxParameters.capabilities.add[0]",
            "`SYS_PTRACE` cannot be added on Fargate 1.3.0",
        )],
    );
    told(
        fargate,
        &[(app("resourceRequirements"), json!([{"type": "GPU", "value": "1"}]))],
        &[(E, "APP.resourceRequirements[0].type", "`GPU` is not possible on Fargate")],
    );
    told(
        fargate,
        &[(app("logConfiguration"), json!({"logDriver": "syslog"}))],
        &[(E, "APP.logConfiguration.logDriver", "`syslog` is not possible on Fargate")],
    );
    told(
        fargate,
        &[(
            app("firelensConfiguration"),
            json!({"type": "fluentbit", "options": {"config-file-type": "s3", "config-file-value": "arn:aws:s3:::b/c"}}),
        )],
        &[(
            E,
            "APP.firelensConfiguration.options.config-file-type",
            "`s3` is not possible on Fargate",
        )],
    );
    told(
        fargate,
        &[(app("ulimits"), json!([{"name": "nproc", "softLimit": 1, "hardLimit": 2}]))],
        &[(
            W,
            "APP.ulimits[0].name",
            "`nproc` has no effect on Fargate, which honours only `nofile`",
        )],
    );
    told(
        fargate,
        &[(app("ulimits"), json!([{"name": "nofile", "softLimit": 1, "hardLimit": 2_000_000}]))],
        &[(E, "APP.ulimits[0].hardLimit", "`2000000` open files are more than Fargate allows")],
    );
    for member in ["startTimeout", "stopTimeout"] {
        let path = format!("APP.{member}").leak();
        told(
            fargate,
            &[(app(member), json!(121))],
            &[(E, path, "`121` seconds are more than Fargate waits")],
        );
        fine(ec2, &[(app(member), json!(121))]);
    }
    told(
        fargate,
        &[(app("startTimeout"), json!(1))],
        &[(W, "APP.startTimeout", "`1` seconds are less than ECS is said to take")],
    );
    told(
        ec2,
        &[(app("stopTimeout"), json!(-1))],
        &[(E, "APP.stopTimeout", "`-1` seconds are less than none")],
    );
}

#[test]
fn fargate_is_recognised_by_launch_type_and_strategy_too() {
    let told_mode = [(E, "TASK.networkMode", "`bridge` is not possible on Fargate")];
    let without = ("/spec/taskDefinition/requiresCompatibilities", json!(null));
    let bridge = ("/spec/taskDefinition/networkMode", json!("bridge"));
    told(fargate, &[without.clone(), bridge.clone()], &told_mode);
    let strategy =
        ("/spec/service/capacityProviderStrategy", json!([{"capacityProvider": "FARGATE_SPOT"}]));
    told(
        fargate,
        &[without, bridge, ("/spec/service/launchType", json!(null)), strategy],
        &told_mode,
    );
}

#[test]
fn an_execution_role_is_needed() {
    let path = "TASK.executionRoleArn";
    let without = || ("/spec/taskDefinition/executionRoleArn", json!(null));
    let no_secrets = || (app("secrets"), json!(null));
    let public = || (app("image"), json!("nginx:1.27"));
    let no_log = || (app("logConfiguration"), json!(null));
    told(
        fargate,
        &[without()],
        &[(E, path, "is missing, and container `app` needs it to read its secrets")],
    );
    told(
        fargate,
        &[without(), no_secrets()],
        &[(E, path, "is missing, and container `app` needs it to pull its image from ECR")],
    );
    told(
        fargate,
        &[without(), no_secrets(), public()],
        &[(E, path, "is missing, and container `app` needs it to write its logs")],
    );
    fine(fargate, &[without(), no_secrets(), public(), no_log()]);
    for (member, value, reason) in [
        (
            "logConfiguration",
            json!({"logDriver": "splunk", "options": {"splunk-url": "u"}, "secretOptions": [{"name": "splunk-token", "valueFrom": "/t"}]}),
            "is missing, and container `app` needs it to read the secrets of its log driver",
        ),
        (
            "repositoryCredentials",
            json!({"credentialsParameter": "arn:aws:secretsmanager:eu-west-1:111122223333:secret:registry-AbCdEf"}),
            "is missing, and container `app` needs it to read the credentials of its registry",
        ),
        (
            "environmentFiles",
            json!([{"value": "arn:aws:s3:::b/k.env", "type": "s3"}]),
            "is missing, and container `app` needs it to read its environment files",
        ),
    ] {
        told(ec2, &[(app(member), value)], &[(E, path, reason)]);
    }
    fine(
        ec2,
        &[
            (app("image"), json!("111122223333.dkr.ecr.eu-west-1.amazonaws.com/shop:1")),
            (
                app("logConfiguration"),
                json!({"logDriver": "awslogs", "options": {"awslogs-group": "g", "awslogs-region": "r"}}),
            ),
        ],
    );
}

#[test]
fn a_task_that_fits_fargate_alone_is_launched_there() {
    let silent = ("/spec/service/launchType", Value::Null);
    fine(fargate, std::slice::from_ref(&silent));
    told(
        fargate,
        &[silent, ("/spec/taskDefinition/cpu", json!("300"))],
        &[(E, "TASK.cpu", "`300` CPU units are not a size that Fargate has")],
    );
}
