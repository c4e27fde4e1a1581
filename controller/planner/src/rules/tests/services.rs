//! Rules of the service's own members, placement, tags and Service Connect.

use serde_json::{Value, json};

use super::{E, Edit, W, ec2, fargate, fine, told};

fn service(member: &str, value: Value) -> Edit {
    (format!("/spec/service/{member}").leak(), value)
}

#[test]
fn counts() {
    told(
        ec2,
        &[service("desiredCount", json!(null))],
        &[(
            W,
            "SERVICE.desiredCount",
            "is missing, and ECS does not create the service without it",
        )],
    );
    told(
        ec2,
        &[service("desiredCount", json!(-1))],
        &[(E, "SERVICE.desiredCount", "`-1` is not within 0 to 5000")],
    );
    told(
        ec2,
        &[service("desiredCount", json!(5001))],
        &[(E, "SERVICE.desiredCount", "`5001` is not within 0 to 5000")],
    );
    fine(ec2, &[service("desiredCount", json!(0))]);
}

#[test]
fn launch_types_and_strategies() {
    let provider = |name: &str| json!({"capacityProvider": name, "weight": 1});
    let strategy = |items: Value| {
        [service("launchType", json!(null)), service("capacityProviderStrategy", items)]
    };
    told(
        ec2,
        &[service("capacityProviderStrategy", json!([provider("own")]))],
        &[(E, "SERVICE.capacityProviderStrategy", "stands beside launchType `EC2`")],
    );
    for name in ["MANAGED_INSTANCES", "FARGATE_SPOT"] {
        told(
            ec2,
            &[service("launchType", json!(name))],
            &[(
                E,
                "SERVICE.launchType",
                format!("`{name}` is possible only through capacityProviderStrategy").leak(),
            )],
        );
    }
    told(
        ec2,
        &[service("launchType", json!("MOON"))],
        &[(W, "SERVICE.launchType", "`MOON` is not a value that Longshore knows here")],
    );
    fine(ec2, &strategy(json!([provider("own"), {"capacityProvider": "spare", "base": 1}])));
    told(
        ec2,
        &strategy(
            json!([{"capacityProvider": "a", "base": 1, "weight": 1}, {"capacityProvider": "b", "base": 2}]),
        ),
        &[(
            E,
            "SERVICE.capacityProviderStrategy[1].base",
            "`2` is the second base; a strategy takes one",
        )],
    );
    told(
        ec2,
        &strategy(json!([{"capacityProvider": "a"}, {"capacityProvider": "b", "weight": 0}])),
        &[(
            E,
            "SERVICE.capacityProviderStrategy",
            "gives every capacity provider weight 0, so that no task can be started",
        )],
    );
    told(
        ec2,
        &strategy(json!([provider("a"), provider("a")])),
        &[(
            W,
            "SERVICE.capacityProviderStrategy[1].capacityProvider",
            "`a` is already in the strategy",
        )],
    );
    told(
        ec2,
        &strategy(json!([{"capacityProvider": "a", "weight": 1001}])),
        &[(E, "SERVICE.capacityProviderStrategy[0].weight", "`1001` is not within 0 to 1000")],
    );
    told(
        fargate,
        &strategy(json!([provider("FARGATE"), provider("own")])),
        &[(
            W,
            "SERVICE.capacityProviderStrategy",
            "mixes Fargate with `own`, which ECS is said to refuse",
        )],
    );
    let many: Vec<Value> = (0..21).map(|index| provider(&format!("p{index}"))).collect();
    told(
        ec2,
        &strategy(json!(many)),
        &[(
            E,
            "SERVICE.capacityProviderStrategy",
            "has `21` capacity providers; a strategy takes 20",
        )],
    );
}

#[test]
fn platform_versions() {
    for version in ["LATEST", "1.4.0", "1.3.0"] {
        fine(fargate, &[service("platformVersion", json!(version))]);
    }
    told(
        fargate,
        &[service("platformVersion", json!("1.0.0"))],
        &[(E, "SERVICE.platformVersion", "`1.0.0` is not a version of Fargate for Linux")],
    );
    told(
        fargate,
        &[service("platformVersion", json!("1.9.0"))],
        &[(
            W,
            "SERVICE.platformVersion",
            "`1.9.0` is not a version of Fargate that Longshore knows",
        )],
    );
    told(
        ec2,
        &[service("platformVersion", json!("1.4.0"))],
        &[(
            W,
            "SERVICE.platformVersion",
            "`1.4.0` is a version of Fargate, and the tasks do not run there",
        )],
    );
}

#[test]
fn daemons() {
    let daemon = || service("schedulingStrategy", json!("DAEMON"));
    let no_count = || service("desiredCount", json!(null));
    fine(ec2, &[daemon(), no_count()]);
    fine(
        ec2,
        &[daemon(), no_count(), service("deploymentConfiguration/maximumPercent", json!(100))],
    );
    told(
        ec2,
        &[daemon()],
        &[(
            E,
            "SERVICE.desiredCount",
            "`1` cannot be chosen for `DAEMON`, which runs one task on each instance",
        )],
    );
    told(
        fargate,
        &[daemon(), no_count()],
        &[(E, "SERVICE.schedulingStrategy", "`DAEMON` is not possible on Fargate")],
    );
    told(
        ec2,
        &[daemon(), no_count(), service("placementStrategy", json!([{"type": "random"}]))],
        &[(E, "SERVICE.placementStrategy", "is not possible for `DAEMON`")],
    );
    told(
        ec2,
        &[daemon(), no_count(), service("deploymentConfiguration/maximumPercent", json!(200))],
        &[(
            E,
            "SERVICE.deploymentConfiguration.maximumPercent",
            "`200` is not possible for `DAEMON`, which takes 100",
        )],
    );
    told(
        ec2,
        &[
            daemon(),
            no_count(),
            service("deploymentConfiguration/minimumHealthyPercent", json!(100)),
        ],
        &[(
            E,
            "SERVICE.deploymentConfiguration.minimumHealthyPercent",
            "`100` lets ECS stop no task of a `DAEMON`, and it starts none before",
        )],
    );
    told(
        ec2,
        &[daemon(), no_count(), service("deploymentController/type", json!("EXTERNAL"))],
        &[
            (
                E,
                "SERVICE.schedulingStrategy",
                "`DAEMON` is not possible with deployment controller `EXTERNAL`",
            ),
            (
                W,
                "SERVICE.deploymentController.type",
                "`EXTERNAL` makes ECS refuse a new task definition for the service",
            ),
        ],
    );
}

#[test]
fn rebalancing_over_zones() {
    let enabled = || service("availabilityZoneRebalancing", json!("ENABLED"));
    let path = "SERVICE.availabilityZoneRebalancing";
    let zone = "attribute:ecs.availability-zone";
    fine(ec2, &[enabled()]);
    fine(
        ec2,
        &[
            enabled(),
            service(
                "placementStrategy",
                json!([{"type": "spread", "field": zone}, {"type": "binpack", "field": "cpu"}]),
            ),
        ],
    );
    told(
        ec2,
        &[
            enabled(),
            service("schedulingStrategy", json!("DAEMON")),
            service("desiredCount", json!(null)),
        ],
        &[(E, path, "`ENABLED` is not possible for `DAEMON`")],
    );
    told(
        ec2,
        &[
            enabled(),
            service("deploymentConfiguration/maximumPercent", json!(100)),
            service("deploymentConfiguration/minimumHealthyPercent", json!(0)),
        ],
        &[(E, path, "`ENABLED` is not possible with maximumPercent 100; it takes more than 100")],
    );
    told(
        ec2,
        &[
            enabled(),
            (
                "/spec/taskDefinition/containerDefinitions/0/portMappings",
                json!([{"containerPort": 80}]),
            ),
            service(
                "loadBalancers",
                json!([{"loadBalancerName": "old", "containerName": "app", "containerPort": 80}]),
            ),
        ],
        &[(E, path, "`ENABLED` is not possible with a Classic Load Balancer")],
    );
    told(
        ec2,
        &[
            enabled(),
            service(
                "placementConstraints",
                json!([{"type": "memberOf", "expression": format!("{zone} == a")}]),
            ),
        ],
        &[(
            E,
            path,
            "`ENABLED` is not possible with a placement constraint on `attribute:ecs.availability-zone`",
        )],
    );
    told(
        ec2,
        &[enabled(), service("placementStrategy", json!([{"type": "binpack", "field": "cpu"}]))],
        &[(
            E,
            path,
            "`ENABLED` is not possible unless the first placement strategy is to spread by `attribute:ecs.availability-zone`",
        )],
    );
}

#[test]
fn placement() {
    let strategy = |item: Value| [service("placementStrategy", json!([item]))];
    let at =
        |member: &str| -> &'static str { format!("SERVICE.placementStrategy[0].{member}").leak() };
    for item in [
        json!({"type": "random"}),
        json!({"type": "spread", "field": "host"}),
        json!({"type": "spread", "field": "attribute:rack"}),
        json!({"type": "binpack", "field": "MEMORY"}),
    ] {
        fine(ec2, &strategy(item));
    }
    told(ec2, &strategy(json!({})), &[(E, at("type"), "is missing")]);
    told(
        ec2,
        &strategy(json!({"type": "random", "field": "cpu"})),
        &[(E, at("field"), "`cpu` is not possible for `random`")],
    );
    told(
        ec2,
        &strategy(json!({"type": "spread"})),
        &[(E, at("field"), "is missing, and `spread` needs it")],
    );
    told(
        ec2,
        &strategy(json!({"type": "spread", "field": "zone"})),
        &[(E, at("field"), "`zone` is not a field for `spread`")],
    );
    told(
        ec2,
        &strategy(json!({"type": "binpack", "field": "disk"})),
        &[(E, at("field"), "`disk` is not a field for `binpack`")],
    );
    told(
        ec2,
        &[service("placementStrategy", json!(vec![json!({"type": "random"}); 5]))],
        &[(
            W,
            "SERVICE.placementStrategy",
            "has `5` strategies; AWS's pages disagree on whether ECS takes more than 4",
        )],
    );
    told(
        ec2,
        &[service("placementStrategy", json!(vec![json!({"type": "random"}); 6]))],
        &[(E, "SERVICE.placementStrategy", "has `6` strategies; ECS takes 5")],
    );
    let constraint = |item: Value| [service("placementConstraints", json!([item]))];
    let at = |member: &str| -> &'static str {
        format!("SERVICE.placementConstraints[0].{member}").leak()
    };
    fine(ec2, &constraint(json!({"type": "distinctInstance"})));
    told(ec2, &constraint(json!({})), &[(E, at("type"), "is missing")]);
    told(
        ec2,
        &constraint(json!({"type": "distinctInstance", "expression": "a == b"})),
        &[(E, at("expression"), "`a == b` is not possible for `distinctInstance`")],
    );
    told(
        ec2,
        &constraint(json!({"type": "memberOf"})),
        &[(E, at("expression"), "is missing, and `memberOf` needs it")],
    );
    told(
        ec2,
        &[service("placementConstraints", json!(vec![json!({"type": "distinctInstance"}); 11]))],
        &[(E, "SERVICE.placementConstraints", "has `11` constraints; ECS takes 10")],
    );
    for (member, item) in [
        ("placementStrategy", json!({"type": "random"})),
        ("placementConstraints", json!({"type": "distinctInstance"})),
    ] {
        told(
            fargate,
            &[service(member, json!([item]))],
            &[(E, format!("SERVICE.{member}").leak(), "is not possible on Fargate")],
        );
    }
    let task = |items: Value| [("/spec/taskDefinition/placementConstraints", items)];
    told(
        ec2,
        &task(json!([{"type": "distinctInstance"}])),
        &[(
            E,
            "TASK.placementConstraints[0].type",
            "`distinctInstance` is not possible in a task definition",
        )],
    );
    told(
        ec2,
        &task(json!([{"type": "memberOf"}])),
        &[(E, "TASK.placementConstraints[0].expression", "is missing, and `memberOf` needs it")],
    );
    told(
        ec2,
        &task(json!(vec![json!({"expression": "a == b"}); 11])),
        &[(E, "TASK.placementConstraints", "has `11` constraints; ECS takes 10")],
    );
}

#[test]
fn tags() {
    for (block, at) in [("service", "SERVICE"), ("taskDefinition", "TASK")] {
        let tag = |key: &str, value: &str| {
            [(&*format!("/spec/{block}/tags").leak(), json!([{"key": key, "value": value}]))]
        };
        let key = &*format!("{at}.tags[0].key").leak();
        fine(ec2, &tag("équipe 2", "a_b.c:d/e=f+g-h@i"));
        told(
            ec2,
            &tag("AWS:x", ""),
            &[(E, key, "`AWS:x` begins with `aws:`, which AWS keeps for itself")],
        );
        told(
            ec2,
            &tag("longshore.dev/owner", ""),
            &[(
                E,
                key,
                "`longshore.dev/owner` begins with `longshore.dev/`, by which Longshore knows what it owns",
            )],
        );
        told(ec2, &tag("", ""), &[(E, key, "`` has 0 characters; a tag takes 1 to 128 here")]);
        told(ec2, &tag("a#b", ""), &[(E, key, "`a#b` has the character '#', which no tag has")]);
        let long = "v".repeat(257);
        told(
            ec2,
            &tag("a", &long),
            &[(
                E,
                format!("{at}.tags[0].value").leak(),
                format!("`{long}` has 257 characters; a tag takes 0 to 256 here").leak(),
            )],
        );
        let pointer = &*format!("/spec/{block}/tags").leak();
        told(
            ec2,
            &[(pointer, json!([{"key": "a"}, {"key": "a"}]))],
            &[(E, format!("{at}.tags[1].key").leak(), "`a` is already the key of another tag")],
        );
        // Ours need room as well, and one more for each release.
        let most = if block == "service" { 35 } else { 48 };
        let image = ("/spec/taskDefinition/containerDefinitions/0/image", json!("${release:a}"));
        for (edits, most) in [(vec![], most), (vec![image], most - 1)] {
            let many = |count: usize| {
                let tags = (0..count).map(|index| json!({"key": format!("k{index}")}));
                [&*edits, &[(pointer, tags.collect())]].concat()
            };
            fine(ec2, &many(most));
            let said = format!(
                "has `{}` tags; there is room for {most} beside those that are not yours",
                most + 1
            );
            told(ec2, &many(most + 1), &[(E, format!("{at}.tags").leak(), said.leak())]);
        }
    }
}

#[test]
fn metrics() {
    let resolution = |seconds: i32| {
        [service(
            "monitoring/metricConfigurations",
            json!([{"metricNames": ["CPUUtilization"], "resolutionSeconds": seconds}]),
        )]
    };
    let path = "SERVICE.monitoring.metricConfigurations[0].resolutionSeconds";
    fine(ec2, &resolution(60));
    told(ec2, &resolution(30), &[(E, path, "`30` is not a resolution that metrics have")]);
    told(ec2, &resolution(10), &[(E, path, "`10` is not within 20 to 60")]);
}

#[test]
fn service_connect() {
    let ports = || {
        (
            "/spec/taskDefinition/containerDefinitions/0/portMappings",
            json!([{"containerPort": 8080, "name": "web"}, {"containerPort": 53, "protocol": "udp", "name": "dns"}, {"containerPort": 9000, "name": "admin"}]),
        )
    };
    let connect = |services: Value| {
        [
            ports(),
            service("serviceConnectConfiguration", json!({"enabled": true, "services": services})),
        ]
    };
    let at = |rest: &str| -> &'static str {
        format!("SERVICE.serviceConnectConfiguration{rest}").leak()
    };
    fine(fargate, &connect(json!([])));
    fine(
        fargate,
        &connect(
            json!([{"portName": "web", "clientAliases": [{"port": 80}]}, {"portName": "admin"}]),
        ),
    );
    fine(
        fargate,
        &[service(
            "serviceConnectConfiguration",
            json!({"enabled": false, "services": [{"portName": "none"}]}),
        )],
    );
    told(
        fargate,
        &connect(json!([{"portName": "wbe"}])),
        &[(E, at(".services[0].portName"), "`wbe` is not the name of a port mapping of the task")],
    );
    told(
        fargate,
        &connect(json!([{"portName": "dns"}])),
        &[(
            E,
            at(".services[0].portName"),
            "`dns` is a port of protocol `udp`, and Service Connect takes only `tcp`",
        )],
    );
    told(
        fargate,
        &connect(json!([{"portName": "web", "clientAliases": [{"port": 80}, {"port": 81}]}])),
        &[(E, at(".services[0].clientAliases"), "has `2` aliases; a service takes 1")],
    );
    told(
        fargate,
        &connect(json!([{"portName": "web"}, {"portName": "admin", "discoveryName": "web"}])),
        &[(E, at(".services[1].discoveryName"), "`web` is already the name of another entry")],
    );
    told(
        fargate,
        &connect(
            json!([{"portName": "web", "clientAliases": [{"port": 80, "dnsName": "a"}]}, {"portName": "admin", "clientAliases": [{"port": 80, "dnsName": "a"}]}]),
        ),
        &[(
            E,
            at(".services[1].clientAliases[0].dnsName"),
            "`a` with port 80 is already another entry's",
        )],
    );
    told(
        fargate,
        &connect(json!([{"portName": "web", "discoveryName": "Web"}])),
        &[(
            E,
            at(".services[0].discoveryName"),
            "`Web` cannot be the name of a Service Connect service: it takes 1 to 64 lower-case letters, digits, `-` and `_`, not `-` first",
        )],
    );
    told(
        fargate,
        &connect(
            json!([{"portName": "web", "clientAliases": [{"port": 80, "dnsName": "Shop.Web"}]}]),
        ),
        &[(
            E,
            at(".services[0].clientAliases[0].dnsName"),
            "`Shop.Web` cannot be the name of a host: it takes 1 to 127 lower-case letters, digits, `-`, `_` and `.`, not `-` first",
        )],
    );
    told(
        fargate,
        &connect(json!([{"portName": "web", "timeout": {"perRequestTimeoutSeconds": 5}}])),
        &[(
            W,
            at(".services[0].timeout.perRequestTimeoutSeconds"),
            "`5` seconds a request, and port mapping `web` has no appProtocol",
        )],
    );
    told(
        ec2,
        &[
            ("/spec/taskDefinition/networkMode", json!("host")),
            service("serviceConnectConfiguration", json!({"enabled": true})),
        ],
        &[(E, at(""), "is not possible with network mode `host`")],
    );
    told(
        ec2,
        &[
            service("deploymentController/type", json!("EXTERNAL")),
            service("serviceConnectConfiguration", json!({"enabled": true})),
        ],
        &[
            (
                W,
                "SERVICE.deploymentController.type",
                "`EXTERNAL` makes ECS refuse a new task definition for the service",
            ),
            (E, at(""), "is not possible with deployment controller `EXTERNAL`"),
        ],
    );
    told(
        fargate,
        &[service(
            "serviceConnectConfiguration",
            json!({"enabled": true, "logConfiguration": {"logDriver": "awslogs", "options": {"awslogs-group": "g", "awslogs-region": "r"}}}),
        )],
        &[(
            E,
            at(".logConfiguration.options.awslogs-stream-prefix"),
            "is missing, and `awslogs` needs it on Fargate",
        )],
    );
}
