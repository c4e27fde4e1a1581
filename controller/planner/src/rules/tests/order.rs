//! What a change waits for, and what keeps a service.

use super::*;

const DEPENDS_ON: &str = "/spec/rollout/dependsOn";
const WINDOWS: &str = "/spec/rollout/windows";

#[test]
fn dependencies() {
    fine(
        ec2,
        &[(DEPENDS_ON, json!(["auth", {"name": "db", "cluster": "core", "target": "tokyo"}]))],
    );
    let own = edited(ec2(), &[]);
    let name = own["metadata"]["name"].as_str().unwrap().to_owned();
    let cluster = own["spec"]["cluster"].as_str().unwrap().to_owned();
    told(
        ec2,
        &[(DEPENDS_ON, json!([name]))],
        &[(E, "spec.rollout.dependsOn[0]", &format!("`{cluster}/{name}` is the service itself"))],
    );
    told(
        ec2,
        &[(DEPENDS_ON, json!(["auth", {"name": "auth"}]))],
        &[(W, "spec.rollout.dependsOn[1]", &format!("`{cluster}/auth` is named twice"))],
    );
    let many: Vec<String> = (0..21).map(|number| format!("s{number}")).collect();
    fine(ec2, &[(DEPENDS_ON, json!(many[..20]))]);
    told(
        ec2,
        &[(DEPENDS_ON, json!(many))],
        &[(E, "spec.rollout.dependsOn", "has `21` services; there may be 20")],
    );
}

#[test]
fn windows() {
    let window = |schedule: &str, duration: &str, zone: &str| json!([{"kind": "allow", "schedule": schedule, "duration": duration, "timezone": zone}]);
    fine(ec2, &[(WINDOWS, window("0 9 * * MON-FRI", "8h", "Europe/Berlin"))]);
    fine(
        ec2,
        &[(WINDOWS, json!([{"kind": "deny", "schedule": "0 0 24 12 *", "duration": "48h"}]))],
    );
    told(
        ec2,
        &[(WINDOWS, window("0 9 * * MON-FRI", "0s", "Europe/Berlin"))],
        &[(E, "spec.rollout.windows[0].duration", "`0s` is no time at all")],
    );
    told(
        ec2,
        &[(WINDOWS, window("0 9 * *", "8h", "Berlin"))],
        &[
            (E, "spec.rollout.windows[0].schedule", "`0 9 * *` has 4 fields and needs 5"),
            (
                E,
                "spec.rollout.windows[0].timezone",
                "`Berlin` is not a time zone of the IANA database",
            ),
        ],
    );
}

#[test]
fn protection() {
    let annotation = |key: &str, value: &str| ("/metadata/annotations", json!({key: value}));
    fine(ec2, &[annotation("longshore.dev/protect", "true")]);
    fine(ec2, &[annotation("longshore.dev/protect", "false")]);
    fine(ec2, &[annotation("acme.io/owner", "web")]);
    told(
        ec2,
        &[annotation("longshore.dev/protect", "yes")],
        &[(
            E,
            "metadata.annotations[longshore.dev/protect]",
            "`yes` is neither `true` nor `false`",
        )],
    );
    told(
        ec2,
        &[annotation("longshore.dev/protected", "true")],
        &[(
            W,
            "metadata.annotations[longshore.dev/protected]",
            "`longshore.dev/protected` is no annotation that Longshore knows",
        )],
    );
}
