//! Two target groups in progressive roll-outs (aws.md §2.10, §3.8), and what is counted of them.

use serde_json::{Value, json};

use super::super::tests::Bench;
use crate::{ImageBehaviour, ImageRule};

const BALANCED: &str = "
targetGroups:
- {name: blue, deregistrationDelaySeconds: 30}
- {name: green, deregistrationDelaySeconds: 30}
loadBalancers:
- name: web
  listeners:
  - port: 443
    protocol: HTTPS
    forward: [{targetGroup: blue, weight: 1}, {targetGroup: green, weight: 0}]
    requestsPerMinute: 200
  - port: 8443
    forward: [{targetGroup: blue, weight: 1}, {targetGroup: green, weight: 0}]
";

/// A load balancer with two groups, and a service of v1 that has settled behind it.
struct World {
    bench: Bench,
    production: String,
    test: String,
}

impl World {
    fn new(configuration: &Value) -> Self {
        let bench = Bench::new(BALANCED);
        let rule = |port| {
            let found = |region: &crate::Region| region.listener_rule_arn("web", port, None);
            bench.sandbox.look(bench.now, found).unwrap()
        };
        let (production, test) = (rule(443), rule(8443));
        let mut world = Self { bench, production, test };
        world.bench.register("web:v1", "");
        world.bench.create(json!({
            "deploymentConfiguration": configuration,
            "loadBalancers": [{
                "targetGroupArn": world.group("blue"), "containerName": "web", "containerPort": 80,
                "advancedConfiguration": {
                    "alternateTargetGroupArn": world.group("green"), "productionListenerRule": world.production,
                    "testListenerRule": world.test, "roleArn": "arn:aws:iam::111122223333:role/ecs-elb",
                },
            }],
        }));
        world.bench.wait(3600);
        assert_eq!(world.record()["status"], "SUCCESSFUL");
        world
    }

    fn group(&self, name: &str) -> String {
        self.bench.sandbox.look(self.bench.now, |region| region.target_group_arn(name))
    }

    fn roll_out(&self, image: &str) {
        self.bench.register(image, "");
        let input = json!({"service": "web", "taskDefinition": "web"});
        self.bench.call("ecs", "UpdateService", input);
    }

    fn record(&self) -> Value {
        let input = json!({"service": "web"});
        let brief = self.bench.call("ecs", "ListServiceDeployments", input);
        let arn = brief["serviceDeployments"][0]["serviceDeploymentArn"].clone();
        let input = json!({"serviceDeploymentArns": [arn]});
        let found = self.bench.call("ecs", "DescribeServiceDeployments", input);
        found["serviceDeployments"][0].clone()
    }

    /// The weights of blue and green at a rule.
    fn weights(&self, rule: &str) -> (u32, u32) {
        let weights = self.bench.sandbox.look(self.bench.now, |region| region.weights(rule));
        let weights = weights.unwrap();
        let of = |name: &str| {
            let group = self.group(name);
            weights.iter().find(|(known, _)| *known == group).map_or(0, |(_, weight)| *weight)
        };
        (of("blue"), of("green"))
    }

    /// The states of a group's targets, as `DescribeTargetHealth` names them.
    fn states(&self, group: &str) -> Vec<&'static str> {
        let arn = self.group(group);
        let addresses: Vec<String> =
            self.bench.tasks().into_iter().filter_map(|task| task.address).collect();
        self.bench.sandbox.look(self.bench.now, |region| {
            addresses.iter().filter_map(|one| region.target_health(&arn, one, 80)).collect()
        })
    }

    /// The target group that the newest revision's own view names.
    fn resolved(&self) -> String {
        let arn = self.record()["targetServiceRevision"]["arn"].clone();
        let input = json!({"serviceRevisionArns": [arn]});
        let found = self.bench.call("ecs", "DescribeServiceRevisions", input);
        let shown = &found["serviceRevisions"][0]["resolvedConfiguration"]["loadBalancers"][0];
        assert_eq!(shown["productionListenerRule"], self.production);
        shown["targetGroupArn"].as_str().unwrap().to_owned()
    }

    /// Waits for a stage of the roll-out.
    fn until(&mut self, stage: &str) {
        for _ in 0..1200 {
            if self.record()["lifecycleStage"] == stage {
                return;
            }
            self.bench.wait(1);
        }
        panic!("never at {stage}: {:#}", self.record());
    }

    /// The sum of a metric of a group over ten minutes.
    fn counted(&self, group: &str, metric: &str) -> Option<f64> {
        let end = self.bench.now.as_second().div_euclid(60) * 60;
        let arn = self.group(group);
        let balancer = self.production.split(":listener-rule/").nth(1).unwrap();
        let balancer: Vec<&str> = balancer.split('/').take(3).collect();
        let dimensions = json!([
            {"Name": "LoadBalancer", "Value": balancer.join("/")},
            {"Name": "TargetGroup", "Value": arn.rsplit(':').next().unwrap()},
        ]);
        let metric = json!({
            "Namespace": "AWS/ApplicationELB", "MetricName": metric, "Dimensions": dimensions,
        });
        let query =
            json!({"Id": "q", "MetricStat": {"Metric": metric, "Period": 60, "Stat": "Sum"}});
        let input = json!({"StartTime": end - 600, "EndTime": end, "MetricDataQueries": [query]});
        let answer = self.bench.call("monitoring", "GetMetricData", input);
        let values = answer["MetricDataResults"][0]["Values"].as_array().unwrap().clone();
        (!values.is_empty()).then(|| values.iter().filter_map(Value::as_f64).sum())
    }
}

fn blue_green() -> Value {
    json!({"strategy": "BLUE_GREEN", "bakeTimeInMinutes": 2})
}

#[test]
fn the_new_revision_joins_the_group_that_does_not_serve_and_they_swap() {
    let mut world = World::new(&blue_green());
    assert_eq!(world.resolved(), world.group("blue"));
    let healthy = vec!["healthy"; 2];
    for (round, (old, new)) in [("blue", "green"), ("green", "blue")].into_iter().enumerate() {
        // Weights of the old and the new group at the rule for production, and at the one for tests.
        let weights = |world: &World| {
            let turn = |(blue, green)| if new == "green" { (blue, green) } else { (green, blue) };
            (turn(world.weights(&world.production)), turn(world.weights(&world.test)))
        };
        world.roll_out(&format!("web:v{}", round + 2));
        world.until("SCALE_UP");
        assert_eq!(weights(&world), ((100, 0), (100, 0)));
        world.until("POST_SCALE_UP");
        assert_eq!(world.resolved(), world.group(new));
        assert_eq!((world.states(old), world.states(new)), (healthy.clone(), healthy.clone()));
        assert_eq!(weights(&world), ((100, 0), (100, 0)));
        world.until("POST_TEST_TRAFFIC_SHIFT");
        assert_eq!(weights(&world), ((100, 0), (0, 100)));
        world.until("BAKE_TIME");
        assert_eq!(weights(&world), ((0, 100), (0, 100)));
        assert_eq!(world.states(old), healthy);
        world.until("CLEAN_UP");
        world.bench.wait(3);
        assert_eq!(world.states(old), ["draining"; 2]);
        world.bench.wait(600);
        assert_eq!(world.record()["status"], "SUCCESSFUL");
        assert_eq!((world.states(old), world.states(new)), (vec![], healthy.clone()));
        // What was configured still stands as it was.
        let input = json!({"services": ["web"]});
        let service = world.bench.call("ecs", "DescribeServices", input)["services"][0].clone();
        assert_eq!(service["loadBalancers"][0]["targetGroupArn"], world.group("blue"));
    }
}

#[test]
fn a_canary_gets_its_share_and_gives_it_back() {
    for (percent, share, rest) in [(10.0, 10, 90), (12.5, 125, 875), (0.1, 1, 999)] {
        let steps = json!({"canaryPercent": percent, "canaryBakeTimeInMinutes": 5});
        let mut world = World::new(&json!({"strategy": "CANARY", "canaryConfiguration": steps}));
        world.roll_out("web:v2");
        world.until("PRODUCTION_TRAFFIC_SHIFT");
        assert_eq!(world.weights(&world.production), (rest, share), "{percent}");
        let arn = world.record()["serviceDeploymentArn"].clone();
        world.bench.call("ecs", "StopServiceDeployment", json!({"serviceDeploymentArn": arn}));
        world.bench.wait(600);
        assert_eq!(world.record()["status"], "ROLLBACK_SUCCESSFUL");
        assert_eq!(world.weights(&world.production), (100, 0));
        assert_eq!(world.weights(&world.test), (100, 0));
        assert_eq!((world.states("blue").len(), world.states("green").len()), (2, 0));
    }
}

#[test]
fn who_waited_in_a_group_leaves_it_before_the_next_one_comes() {
    let mut configuration = blue_green();
    configuration["lifecycleHooks"] =
        json!([{"targetType": "PAUSE", "lifecycleStages": ["POST_TEST_TRAFFIC_SHIFT"]}]);
    let mut world = World::new(&blue_green());
    let input = json!({"service": "web", "deploymentConfiguration": configuration});
    world.bench.call("ecs", "UpdateService", input);
    world.roll_out("web:v2");
    world.until("POST_TEST_TRAFFIC_SHIFT");
    assert_eq!(world.weights(&world.test), (0, 100));
    world.roll_out("web:v3");
    world.until("RECONCILE_SERVICE");
    assert_eq!(world.weights(&world.test), (100, 0));
    world.until("PRE_SCALE_UP");
    assert_eq!((world.states("blue").len(), world.states("green").len()), (2, 0));
    world.until("POST_TEST_TRAFFIC_SHIFT");
    assert_eq!(world.resolved(), world.group("green"));
    assert_eq!(world.states("green"), ["healthy"; 2]);
    let images: Vec<String> = world
        .bench
        .tasks()
        .into_iter()
        .filter(|task| task.desired_status == "RUNNING")
        .map(|task| task.containers[0].1.clone())
        .collect();
    assert_eq!(images, ["web:v1", "web:v1", "web:v3", "web:v3"]);
}

#[test]
fn rules_that_do_not_fit_end_the_roll_out() {
    type Weights = &'static [(&'static str, u32)];
    let rows: [(Weights, Weights, &str); 3] = [
        (
            &[("blue", 1), ("green", 1)],
            &[("blue", 1)],
            "exactly one target group serving traffic but found 2",
        ),
        (&[("green", 1), ("blue", 0)], &[("blue", 1)], "unexpected target group"),
        (&[("blue", 1)], &[("blue", 1)], "Both targetGroup and alternateTargetGroup"),
    ];
    for (production, test, said) in rows {
        let mut world = World::new(&blue_green());
        for (rule, weights) in [(&world.production, production), (&world.test, test)] {
            let weights: Vec<(String, u32)> =
                weights.iter().map(|(name, weight)| (world.group(name), *weight)).collect();
            world.bench.sandbox.edit(world.bench.now, |region| region.set_weights(rule, &weights));
        }
        world.roll_out("web:v2");
        world.bench.wait(300);
        let record = world.record();
        assert_eq!(record["status"], "ROLLBACK_SUCCESSFUL", "{said}");
        let reason = record["statusReason"].as_str().unwrap();
        assert!(reason.contains("invalid networking configuration"), "{reason}");
        assert!(reason.contains(said), "{reason}");
    }
}

#[test]
fn each_group_s_requests_are_counted_by_the_minute() {
    let steps = json!({"canaryPercent": 25.0, "canaryBakeTimeInMinutes": 20});
    let mut world = World::new(&json!({"strategy": "CANARY", "canaryConfiguration": steps}));
    world.bench.wait(600);
    assert_eq!(world.counted("blue", "RequestCount"), Some(2000.0));
    assert_eq!(world.counted("blue", "HTTPCode_Target_5XX_Count"), None);
    assert_eq!(world.counted("green", "RequestCount"), None);
    world.bench.sandbox.edit(world.bench.now, |region| {
        region.set_image(ImageRule::new("web:v2", ImageBehaviour::FailsRequests(10)));
    });
    world.roll_out("web:v2");
    world.until("PRODUCTION_TRAFFIC_SHIFT");
    world.bench.wait(720);
    assert_eq!(world.counted("blue", "RequestCount"), Some(1500.0));
    assert_eq!(world.counted("blue", "HTTPCode_Target_5XX_Count"), None);
    assert_eq!(world.counted("green", "RequestCount"), Some(500.0));
    assert_eq!(world.counted("green", "HTTPCode_Target_5XX_Count"), Some(50.0));
    assert_eq!(world.counted("green", "HealthyHostCount"), Some(20.0));
}
