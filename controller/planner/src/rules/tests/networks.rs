//! Rules of networks, ports and load balancers.

use serde_json::{Value, json};

use super::{E, Edit, W, advised, ec2, edited, fargate, findings, fine, told};

fn app(member: &str) -> &'static str {
    format!("/spec/taskDefinition/containerDefinitions/0/{member}").leak()
}

fn mode(mode: &str) -> Edit {
    ("/spec/taskDefinition/networkMode", json!(mode))
}

fn ports(ports: Value) -> Edit {
    (app("portMappings"), ports)
}

const NETWORK: &str = "/spec/service/networkConfiguration";

fn network() -> Edit {
    (NETWORK, json!({"awsvpcConfiguration": {"subnets": ["subnet-1"]}}))
}

#[test]
fn a_network_configuration_goes_with_awsvpc() {
    told(
        fargate,
        &[(NETWORK, json!(null))],
        &[(
            E,
            "SERVICE.networkConfiguration",
            "is missing, and tasks of network mode `awsvpc` need it",
        )],
    );
    told(
        ec2,
        &[mode("awsvpc")],
        &[(
            E,
            "SERVICE.networkConfiguration",
            "is missing, and tasks of network mode `awsvpc` need it",
        )],
    );
    told(
        ec2,
        &[network()],
        &[(
            E,
            "SERVICE.networkConfiguration",
            "is for network mode `awsvpc`, and the task's is `bridge`",
        )],
    );
    fine(ec2, &[mode("awsvpc"), network()]);
    let awsvpc =
        |member: &str| -> &'static str { format!("{NETWORK}/awsvpcConfiguration/{member}").leak() };
    let path = |member: &str| -> &'static str {
        format!("SERVICE.networkConfiguration.awsvpcConfiguration.{member}").leak()
    };
    told(
        fargate,
        &[(awsvpc("subnets"), json!([]))],
        &[(E, path("subnets"), "has `0` subnets; ECS takes 1 to 16")],
    );
    told(
        fargate,
        &[(awsvpc("subnets"), json!(vec!["subnet-1"; 17]))],
        &[(E, path("subnets"), "has `17` subnets; ECS takes 1 to 16")],
    );
    told(
        fargate,
        &[(awsvpc("securityGroups"), json!(vec!["sg-1"; 6]))],
        &[(E, path("securityGroups"), "has `6` security groups; ECS takes 5")],
    );
    told(
        fargate,
        &[(awsvpc("subnets"), json!(["private-a"]))],
        &[(W, path("subnets[0]"), "`private-a` does not look like an identifier")],
    );
    told(
        fargate,
        &[(awsvpc("securityGroups"), json!(["web"]))],
        &[(W, path("securityGroups[0]"), "`web` does not look like an identifier")],
    );
    told(
        ec2,
        &[mode("awsvpc"), network(), (awsvpc("assignPublicIp"), json!("ENABLED"))],
        &[(E, path("assignPublicIp"), "`ENABLED` is not possible with launch type `EC2`")],
    );
}

#[test]
fn modes_and_what_they_exclude() {
    told(
        ec2,
        &[mode("none"), ports(json!([{"containerPort": 80}]))],
        &[(E, "APP.portMappings", "needs a network, and the task's network mode is `none`")],
    );
    for name in ["host", "none"] {
        told(
            ec2,
            &[mode(name), (app("links"), json!(["db"]))],
            &[(
                E,
                "APP.links",
                format!("need network mode `bridge`, and the task's is `{name}`").leak(),
            )],
        );
    }
    told(
        ec2,
        &[mode("awsvpc"), network(), (app("links"), json!(["db"]))],
        &[(E, "APP.links", "need network mode `bridge`, and the task's is `awsvpc`")],
    );
    told(
        ec2,
        &[(app("links"), json!(["db:database"]))],
        &[(E, "APP.links[0]", "`db:database` does not name another container of the task")],
    );
    let db = json!({"name": "db", "image": "db:1", "memory": 64});
    fine(
        ec2,
        &[
            (app("links"), json!(["db:database"])),
            ("/spec/taskDefinition/containerDefinitions/1", db),
        ],
    );
    told(
        fargate,
        &[(app("hostname"), json!("api"))],
        &[(E, "APP.hostname", "`api` is not possible with network mode `awsvpc`")],
    );
    fine(ec2, &[(app("hostname"), json!("api"))]);
    told(
        ec2,
        &[
            mode("awsvpc"),
            network(),
            (app("extraHosts"), json!([{"hostname": "a", "ipAddress": "10.0.0.1"}])),
        ],
        &[(E, "APP.extraHosts", "is not possible with network mode `awsvpc`")],
    );
    told(
        ec2,
        &[mode("quantum")],
        &[(W, "TASK.networkMode", "`quantum` is not a value that Longshore knows here")],
    );
    advised(ec2, &[mode("AWSVPC")], "ECS spells it `awsvpc`");
}

#[test]
fn host_ports() {
    told(
        fargate,
        &[(app("portMappings/0/hostPort"), json!(80))],
        &[(
            E,
            "APP.portMappings[0].hostPort",
            "`80` is not the containerPort 8080, and network mode `awsvpc` has one port for both",
        )],
    );
    advised(fargate, &[(app("portMappings/0/hostPort"), json!(80))], "leave it out or use 8080");
    told(
        fargate,
        &[(app("portMappings/0/hostPort"), json!(0))],
        &[(
            W,
            "APP.portMappings[0].hostPort",
            "`0` is not the containerPort 8080, and network mode `awsvpc` has one port for both",
        )],
    );
    fine(fargate, &[(app("portMappings/0/hostPort"), json!(8080))]);
    told(
        ec2,
        &[mode("host"), ports(json!([{"containerPort": 80, "hostPort": 81}]))],
        &[(
            E,
            "APP.portMappings[0].hostPort",
            "`81` is not the containerPort 80, and network mode `host` has one port for both",
        )],
    );
    fine(
        ec2,
        &[ports(
            json!([{"containerPort": 80, "hostPort": 81}, {"containerPort": 80, "hostPort": 82}]),
        )],
    );
    told(
        ec2,
        &[ports(json!([{"containerPort": 65536}]))],
        &[(E, "APP.portMappings[0].containerPort", "`65536` is not within 0 to 65535")],
    );
}

#[test]
fn ports_and_ranges() {
    told(
        ec2,
        &[ports(json!([{"protocol": "tcp"}]))],
        &[(E, "APP.portMappings[0].containerPort", "is missing, and so is containerPortRange")],
    );
    told(
        ec2,
        &[ports(json!([{"containerPort": 80, "containerPortRange": "1-2"}]))],
        &[(E, "APP.portMappings[0].containerPortRange", "`1-2` stands beside containerPort 80")],
    );
    for range in ["8010-8000", "0-5", "1-65536", "80", "a-b", "-1-5"] {
        told(
            ec2,
            &[ports(json!([{"containerPortRange": range}]))],
            &[(
                E,
                "APP.portMappings[0].containerPortRange",
                format!("`{range}` is not a range of ports within 1 to 65535").leak(),
            )],
        );
    }
    told(
        ec2,
        &[ports(json!([{"containerPortRange": "1-2", "hostPort": 5}]))],
        &[(
            E,
            "APP.portMappings[0].hostPort",
            "`5` stands beside containerPortRange, which chooses host ports itself",
        )],
    );
    told(
        ec2,
        &[mode("host"), ports(json!([{"containerPortRange": "1-2"}]))],
        &[(
            E,
            "APP.portMappings[0].containerPortRange",
            "`1-2` is not possible with network mode `host`",
        )],
    );
    told(
        ec2,
        &[ports(json!([{"containerPortRange": "8005-8020"}, {"containerPortRange": "8000-8010"}]))],
        &[(
            E,
            "APP.portMappings[1].containerPortRange",
            "`8000-8010` overlaps the mapping of `8005-8020`",
        )],
    );
    told(
        ec2,
        &[ports(json!([{"containerPortRange": "8000-8010"}, {"containerPort": 8010}]))],
        &[(E, "APP.portMappings[1].containerPort", "`8010` overlaps the mapping of `8000-8010`")],
    );
    fine(
        ec2,
        &[ports(
            json!([{"containerPortRange": "8000-8010"}, {"containerPort": 8010, "protocol": "udp"}, {"containerPortRange": "8011-8012"}]),
        )],
    );
    let many: Vec<Value> = (1..=101)
        .map(|index| json!({"containerPortRange": format!("{0}-{0}", index * 10)}))
        .collect();
    told(
        ec2,
        &[ports(json!(many))],
        &[(E, "APP.portMappings", "has `101` ranges of ports; a container takes 100")],
    );
}

#[test]
fn ports_are_not_shared() {
    let second = |port: Value| {
        (
            "/spec/taskDefinition/containerDefinitions/1",
            json!({"name": "web", "image": "web:1", "memory": 64, "portMappings": [port]}),
        )
    };
    told(
        fargate,
        &[second(json!({"containerPort": 8080}))],
        &[(
            W,
            "TASK.containerDefinitions[1].portMappings[0].containerPort",
            "`8080` is also a port of container `app`, and only one can listen on it",
        )],
    );
    fine(fargate, &[second(json!({"containerPort": 8080, "protocol": "udp"}))]);
    told(
        ec2,
        &[
            ports(json!([{"containerPort": 80, "hostPort": 80}])),
            second(json!({"containerPort": 81, "hostPort": 80})),
        ],
        &[(
            W,
            "TASK.containerDefinitions[1].portMappings[0].hostPort",
            "`80` is also a port of container `app`, and only one can listen on it",
        )],
    );
    fine(ec2, &[ports(json!([{"containerPort": 80}])), second(json!({"containerPort": 80}))]);
    told(
        ec2,
        &[ports(
            json!([{"name": "web", "containerPort": 80}, {"name": "web", "containerPort": 81}]),
        )],
        &[(
            W,
            "APP.portMappings[1].name",
            "`web` is already the name of another port mapping of the task",
        )],
    );
}

fn balancer(member: &str) -> &'static str {
    format!("/spec/service/loadBalancers/0/{member}").leak()
}

#[test]
fn load_balancers_reach_a_port_of_the_task() {
    told(
        fargate,
        &[(balancer("containerName"), json!("api"))],
        &[(E, "SERVICE.loadBalancers[0].containerName", "`api` is not a container of the task")],
    );
    advised(fargate, &[(balancer("containerName"), json!("api"))], "the containers are `app`");
    told(
        fargate,
        &[(balancer("containerPort"), json!(81))],
        &[(
            E,
            "SERVICE.loadBalancers[0].containerPort",
            "`81` is not a port that container `app` maps",
        )],
    );
    advised(fargate, &[(balancer("containerPort"), json!(81))], "the mapped ports are `8080`");
    told(
        fargate,
        &[(balancer("containerName"), json!(null))],
        &[(E, "SERVICE.loadBalancers[0].containerName", "is missing")],
    );
    told(
        fargate,
        &[(balancer("containerPort"), json!(null))],
        &[(E, "SERVICE.loadBalancers[0].containerPort", "is missing")],
    );
    told(
        fargate,
        &[(balancer("targetGroupArn"), json!(null))],
        &[(E, "SERVICE.loadBalancers[0].targetGroupArn", "is missing")],
    );
    told(
        fargate,
        &[(balancer("targetGroupArn"), json!("api"))],
        &[(E, "SERVICE.loadBalancers[0].targetGroupArn", "`api` is not the ARN of a target group")],
    );
}

#[test]
fn load_balancers_are_few_and_of_one_kind() {
    let entry = |index: usize| json!({"targetGroupArn": format!("arn:aws:elasticloadbalancing:r:1:targetgroup/{index}/1"), "containerName": "app", "containerPort": 8080});
    told(
        fargate,
        &[("/spec/service/loadBalancers", json!((0..6).map(entry).collect::<Vec<_>>()))],
        &[(E, "SERVICE.loadBalancers", "has `6` target groups; a service takes 5")],
    );
    fine(fargate, &[("/spec/service/loadBalancers", json!((0..5).map(entry).collect::<Vec<_>>()))]);
    let classic =
        |name: &str| json!({"loadBalancerName": name, "containerName": "app", "containerPort": 80});
    let mapped = ports(json!([{"containerPort": 80}, {"containerPort": 8080}]));
    fine(ec2, &[mapped.clone(), ("/spec/service/loadBalancers", json!([classic("a")]))]);
    told(
        ec2,
        &[mapped.clone(), ("/spec/service/loadBalancers", json!([classic("a"), classic("b")]))],
        &[(E, "SERVICE.loadBalancers", "has `2` Classic Load Balancers; a service takes 1")],
    );
    told(
        ec2,
        &[mapped, ("/spec/service/loadBalancers", json!([classic("a"), entry(1)]))],
        &[(
            E,
            "SERVICE.loadBalancers",
            "has both target groups and Classic Load Balancers; a service takes one kind",
        )],
    );
    told(
        fargate,
        &[(balancer("loadBalancerName"), json!("old"))],
        &[
            (E, "SERVICE.loadBalancers[0].targetGroupArn", "stands beside loadBalancerName `old`"),
            (
                E,
                "SERVICE.loadBalancers[0].loadBalancerName",
                "`old` is a Classic Load Balancer, which does not reach tasks of network mode `awsvpc`",
            ),
        ],
    );
    told(
        fargate,
        &[("/spec/service/role", json!("ecs"))],
        &[(E, "SERVICE.role", "`ecs` is not possible with network mode `awsvpc`")],
    );
    told(
        ec2,
        &[("/spec/service/role", json!("ecs"))],
        &[(E, "SERVICE.role", "`ecs` is for a service with exactly one load balancer")],
    );
}

#[test]
fn strategies_that_shift_traffic_need_two_target_groups() {
    let strategy = || ("/spec/service/deploymentConfiguration/strategy", json!("LINEAR"));
    let arn = |name: &str| format!("arn:aws:elasticloadbalancing:r:1:targetgroup/{name}/1");
    let rule = |name: &str| format!("arn:aws:elasticloadbalancing:r:1:listener-rule/app/lb/{name}");
    let advanced = |member: &str, value: Value| {
        let mut block = json!({"alternateTargetGroupArn": arn("green"), "productionListenerRule": rule("1"), "roleArn": "role"});
        block[member] = value;
        (balancer("advancedConfiguration"), block)
    };
    let at = |member: &str| -> &'static str {
        format!("SERVICE.loadBalancers[0].advancedConfiguration.{member}").leak()
    };
    told(
        fargate,
        &[strategy()],
        &[(
            E,
            "SERVICE.loadBalancers[0].advancedConfiguration",
            "is missing, and `LINEAR` needs it on every load balancer",
        )],
    );
    fine(fargate, &[strategy(), advanced("roleArn", json!("role"))]);
    for member in ["alternateTargetGroupArn", "productionListenerRule", "roleArn"] {
        told(
            fargate,
            &[strategy(), advanced(member, json!(null))],
            &[(E, at(member), "is missing, and `LINEAR` needs it")],
        );
    }
    let primary = "arn:aws:elasticloadbalancing:eu-west-1:111122223333:targetgroup/api/1";
    told(
        fargate,
        &[strategy(), advanced("alternateTargetGroupArn", json!(primary))],
        &[(
            E,
            at("alternateTargetGroupArn"),
            format!("`{primary}` is targetGroupArn too; ECS shifts traffic between two").leak(),
        )],
    );
    told(
        fargate,
        &[strategy(), advanced("alternateTargetGroupArn", json!("green"))],
        &[(E, at("alternateTargetGroupArn"), "`green` is not the ARN of a target group")],
    );
    told(
        fargate,
        &[strategy(), advanced("productionListenerRule", json!("rule"))],
        &[(E, at("productionListenerRule"), "`rule` is not the ARN of a listener rule")],
    );
    told(
        fargate,
        &[strategy(), advanced("testListenerRule", json!(rule("1")))],
        &[(
            E,
            at("testListenerRule"),
            format!("`{}` is productionListenerRule too", rule("1")).leak(),
        )],
    );
    let network = "arn:aws:elasticloadbalancing:r:1:listener/net/lb/1/2";
    told(fargate, &[strategy(), advanced("productionListenerRule", json!(network))], &[(W, at("productionListenerRule"), format!("`{network}` is a Network Load Balancer's; AWS's pages disagree on whether `LINEAR` takes one").leak())]);
    let again = (
        "/spec/service/loadBalancers/1",
        json!({"targetGroupArn": primary, "containerName": "app", "containerPort": 8080, "advancedConfiguration": advanced("roleArn", json!("role")).1}),
    );
    told(
        fargate,
        &[strategy(), advanced("roleArn", json!("role")), again],
        &[(
            E,
            "SERVICE.loadBalancers[1].targetGroupArn",
            format!("`{primary}` is already in another entry, and `LINEAR` takes each once").leak(),
        )],
    );
    let other = (
        "/spec/service/loadBalancers/1",
        json!({"targetGroupArn": arn("x"), "containerName": "app", "containerPort": 8080}),
    );
    told(
        fargate,
        &[advanced("roleArn", json!("role")), other],
        &[(
            E,
            "SERVICE.loadBalancers[1].advancedConfiguration",
            "is missing, and another load balancer has it; either all have it or none",
        )],
    );
}

#[test]
fn registries_lattice_and_gateways() {
    let registry = |members: Value| {
        let mut registry = json!({"registryArn": "arn:aws:servicediscovery:r:1:service/srv-1"});
        registry.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
        ("/spec/service/serviceRegistries", json!([registry]))
    };
    let at =
        |member: &str| -> &'static str { format!("SERVICE.serviceRegistries[0].{member}").leak() };
    fine(fargate, &[registry(json!({}))]);
    fine(fargate, &[registry(json!({"port": 8080}))]);
    told(
        fargate,
        &[registry(json!({"registryArn": null}))],
        &[(E, at("registryArn"), "is missing")],
    );
    told(
        fargate,
        &[registry(json!({"registryArn": "shop"}))],
        &[(E, at("registryArn"), "`shop` is not the ARN of a Cloud Map service")],
    );
    for other in ["arn:aws:s3:::shop", "aws:servicediscovery:r:1:service/srv-1"] {
        let message = format!("`{other}` is not the ARN of a Cloud Map service");
        told(
            fargate,
            &[registry(json!({"registryArn": other}))],
            &[(E, at("registryArn"), &message)],
        );
    }
    told(
        fargate,
        &[registry(json!({"containerName": "app"}))],
        &[(E, at("containerPort"), "is missing beside containerName `app`")],
    );
    told(
        fargate,
        &[registry(json!({"containerPort": 8080}))],
        &[(E, at("containerName"), "is missing beside containerPort 8080")],
    );
    told(
        fargate,
        &[registry(json!({"containerName": "app", "containerPort": 1}))],
        &[(E, at("containerPort"), "`1` is not a port that container `app` maps")],
    );
    told(
        fargate,
        &[registry(json!({"containerName": "app", "containerPort": 8080, "port": 80}))],
        &[(E, at("port"), "`80` stands beside containerName and containerPort")],
    );
    told(
        fargate,
        &[
            registry(json!({})),
            (
                "/spec/service/serviceRegistries/1/registryArn",
                json!("arn:aws:servicediscovery:r:1:service/srv-2"),
            ),
        ],
        &[(E, "SERVICE.serviceRegistries", "has `2` registries; a service takes 1")],
    );
    told(
        fargate,
        &[registry(json!({})), ("/spec/service/desiredCount", json!(1001))],
        &[(
            W,
            "SERVICE.desiredCount",
            "`1001` tasks are more than Cloud Map's quota for one service",
        )],
    );
    told(
        fargate,
        &[(
            "/spec/service/vpcLatticeConfigurations",
            json!([{"roleArn": "r", "targetGroupArn": "t", "portName": "web"}]),
        )],
        &[(
            E,
            "SERVICE.vpcLatticeConfigurations[0].portName",
            "`web` is not the name of a port mapping of the task",
        )],
    );
    told(
        fargate,
        &[("/spec/service/gatewayConnectors", json!([{"portName": "web"}]))],
        &[(
            E,
            "SERVICE.gatewayConnectors[0].portName",
            "`web` is not the name of a port mapping of the task",
        )],
    );
    let named = (app("portMappings/0/name"), json!("web"));
    told(
        fargate,
        &[
            named,
            ("/spec/service/gatewayConnectors", json!([{"portName": "web"}, {"portName": "web"}])),
        ],
        &[(E, "SERVICE.gatewayConnectors", "has `2` gateways; a service takes 1")],
    );
}

/// An ARN of something else is no more right than a text that has the right words in it.
#[test]
fn an_arn_is_one_of_the_right_kind() {
    let speaks = |pointer: &'static str, value: &Value, arn: &str| {
        let found = findings(&edited(fargate(), &[(pointer, value.clone())]));
        found.iter().any(|finding| finding.message.contains(arn))
    };
    let groups = "/spec/service/loadBalancers/0/targetGroupArn";
    for (arn, is_right) in [
        ("arn:aws:elasticloadbalancing:r:1:targetgroup/web/1", true),
        ("arn:aws:s3:::shop", false),
        ("aws:elasticloadbalancing:r:1:targetgroup/web/1", false),
    ] {
        assert_eq!(speaks(groups, &json!(arn), arn), !is_right, "{arn}");
    }
    let hooks = "/spec/service/deploymentConfiguration/lifecycleHooks";
    for (arn, is_right) in [
        ("arn:aws:lambda:r:1:function:check", true),
        ("arn:aws:s3:::shop", false),
        ("aws:lambda:r:1:function:check", false),
    ] {
        let role = "arn:aws:iam::111122223333:role/hook";
        let hook =
            json!([{"hookTargetArn": arn, "roleArn": role, "lifecycleStages": ["PRE_SCALE_UP"]}]);
        assert_eq!(speaks(hooks, &hook, arn), !is_right, "{arn}");
    }
}
