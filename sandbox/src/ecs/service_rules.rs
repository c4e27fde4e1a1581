//! What `CreateService` and UpdateService refuse (aws.md §4.5).

use serde_json::{Map, Value};

use super::{definition::TaskDefinition, refusal};
use crate::{ApiError, input};

/// Checks the settings of a service against each other and against its task definition.
pub(super) fn verify(
    settings: &Map<String, Value>,
    definition: &TaskDefinition,
) -> Result<(), ApiError> {
    let settings = Value::Object(settings.clone());
    verify_capacity(&settings)?;
    verify_network(&settings, definition)?;
    verify_load_balancers(&settings, definition)?;
    verify_percents(&settings)?;
    verify_strategy(&settings)?;
    verify_platform(&settings)
}

/// Whether the count is one that a service may have.
pub(super) fn verify_count(count: i64) -> Result<(), ApiError> {
    if (0..=5000).contains(&count) {
        Ok(())
    } else {
        Err(refusal::invalid("The desired count must be between 0 and 5000."))
    }
}

fn verify_capacity(settings: &Value) -> Result<(), ApiError> {
    let strategy = input::list(settings, "capacityProviderStrategy");
    if !strategy.is_empty() && input::text(settings, "launchType").is_some() {
        return Err(refusal::invalid(
            "Specifying both a launch type and capacity provider strategy is not supported. Remove one and try again.",
        ));
    }
    match input::text(settings, "launchType") {
        None | Some("EC2" | "FARGATE" | "EXTERNAL") => {}
        Some(other) => {
            return Err(refusal::invalid(format!("The launch type {other} is not supported.")));
        }
    }
    if strategy.len() > 20 {
        return Err(refusal::invalid("A capacity provider strategy may hold up to 20 items."));
    }
    let based = strategy.iter().filter(|one| input::integer(one, "base").unwrap_or(0) > 0).count();
    if based > 1 {
        return Err(refusal::invalid(
            "Only one capacity provider in a capacity provider strategy can have a base defined.",
        ));
    }
    let weightless = strategy.iter().all(|one| input::integer(one, "weight").unwrap_or(0) == 0);
    if strategy.len() > 1 && weightless {
        return Err(refusal::invalid(
            "At least one capacity provider in a strategy must have a weight greater than 0.",
        ));
    }
    Ok(())
}

fn verify_network(settings: &Value, definition: &TaskDefinition) -> Result<(), ApiError> {
    let awsvpc = definition.network_mode() == "awsvpc";
    let network = input::present(settings, "networkConfiguration")
        .and_then(|network| input::present(network, "awsvpcConfiguration"));
    let Some(network) = network else {
        return if awsvpc {
            Err(refusal::invalid(
                "Network Configuration must be provided when networkMode 'awsvpc' is specified.",
            ))
        } else {
            Ok(())
        };
    };
    if !awsvpc {
        return Err(refusal::invalid(
            "Network Configuration is not valid for the given networkMode of this task definition.",
        ));
    }
    let subnets = input::list(network, "subnets").len();
    if !(1..=16).contains(&subnets) {
        return Err(refusal::invalid("Between 1 and 16 subnets must be specified."));
    }
    if input::list(network, "securityGroups").len() > 5 {
        return Err(refusal::invalid("Up to 5 security groups can be specified."));
    }
    Ok(())
}

fn verify_load_balancers(settings: &Value, definition: &TaskDefinition) -> Result<(), ApiError> {
    let balancers = input::list(settings, "loadBalancers");
    let mut groups = std::collections::BTreeSet::new();
    for balancer in balancers {
        if let Some(group) = input::text(balancer, "targetGroupArn")
            && !groups.insert(group)
        {
            return Err(refusal::invalid(format!("Duplicate targetGroupArn found: {group}")));
        }
        let name = input::text(balancer, "containerName").unwrap_or_default();
        let port = input::integer(balancer, "containerPort").unwrap_or(0);
        let container = definition
            .containers()
            .iter()
            .find(|one| input::text(one, "name") == Some(name))
            .ok_or_else(|| {
                refusal::invalid(format!(
                    "The container {name} does not exist in the task definition."
                ))
            })?;
        let has_port = input::list(container, "portMappings")
            .iter()
            .any(|one| input::integer(one, "containerPort") == Some(port));
        if !has_port {
            return Err(refusal::invalid(format!(
                "The container {name} did not have a container port {port} defined."
            )));
        }
    }
    if groups.len() > 5 {
        return Err(refusal::invalid("A service may have up to 5 target groups."));
    }
    let classic = balancers.iter().filter(|one| input::text(one, "loadBalancerName").is_some());
    if classic.count() > 0 && !groups.is_empty() {
        return Err(refusal::invalid(
            "All loadBalancers must be strictly either ELBv1 (defining loadBalancerName) or ELBv2 (defining targetGroupArn)",
        ));
    }
    Ok(())
}

fn verify_percents(settings: &Value) -> Result<(), ApiError> {
    let Some(configuration) = input::present(settings, "deploymentConfiguration") else {
        return Ok(());
    };
    let daemon = input::text(settings, "schedulingStrategy") == Some("DAEMON");
    let (most, least) = if daemon { (100, 0) } else { (200, 100) };
    let most = input::integer(configuration, "maximumPercent").unwrap_or(most);
    let least = input::integer(configuration, "minimumHealthyPercent").unwrap_or(least);
    if most < 100 {
        return Err(refusal::invalid("maximumPercent must be at least 100."));
    }
    if !(0..=100).contains(&least) {
        return Err(refusal::invalid("minimumHealthyPercent must be between 0 and 100."));
    }
    if daemon && most != 100 {
        return Err(refusal::invalid(
            "The maximumPercent must be 100 for services with the DAEMON scheduling strategy.",
        ));
    }
    Ok(())
}

fn verify_strategy(settings: &Value) -> Result<(), ApiError> {
    let null = Value::Null;
    let configuration = input::present(settings, "deploymentConfiguration").unwrap_or(&null);
    let balancers = input::list(settings, "loadBalancers");
    let advanced = balancers
        .iter()
        .filter(|one| input::present(one, "advancedConfiguration").is_some())
        .count();
    if advanced > 0 && advanced < balancers.len() {
        return Err(refusal::invalid(
            "Either all or none of the provided loadBalancers must have advancedConfiguration defined",
        ));
    }
    balancers.iter().try_for_each(verify_rules)?;
    match input::text(configuration, "strategy") {
        Some("BLUE_GREEN" | "LINEAR" | "CANARY") if advanced < balancers.len() => {
            return Err(refusal::invalid(
                "advancedConfiguration field is required for all loadBalancers when using a non-ROLLING deployment strategy",
            ));
        }
        None | Some("ROLLING" | "BLUE_GREEN" | "LINEAR" | "CANARY") => {}
        Some(other) => {
            return Err(refusal::invalid(format!("The deployment strategy {other} is not valid.")));
        }
    }
    for hook in input::list(configuration, "lifecycleHooks") {
        match input::text(hook, "targetType") {
            None | Some("AWS_LAMBDA" | "PAUSE") => {}
            Some(_) => {
                return Err(refusal::invalid(
                    "Invalid targetType. Valid values are: AWS_LAMBDA, PAUSE",
                ));
            }
        }
        let stages = input::texts(hook, "lifecycleStages");
        let shifts = ["TEST_TRAFFIC_SHIFT", "PRODUCTION_TRAFFIC_SHIFT"];
        let at_shift = stages.iter().any(|stage| shifts.contains(stage));
        if input::text(hook, "targetType") == Some("PAUSE") && at_shift {
            return Err(refusal::invalid("Invalid lifecycle stage provided for Pause Hook"));
        }
    }
    Ok(())
}

/// The rules between which traffic is shifted.
fn verify_rules(balancer: &Value) -> Result<(), ApiError> {
    let Some(advanced) = input::present(balancer, "advancedConfiguration") else { return Ok(()) };
    let rules = ["productionListenerRule", "testListenerRule"]
        .map(|member| (member, input::text(advanced, member)));
    for (member, rule) in rules {
        let is_known =
            |arn: &str| arn.contains(":listener-rule/app/") || arn.contains(":listener/net/");
        if let Some(arn) = rule.filter(|arn| !is_known(arn)) {
            return Err(refusal::invalid(format!(
                "{member} has an invalid ARN format. Must be RuleArn for ALB or ListenerArn for NLB. Got: {arn}"
            )));
        }
    }
    let [(_, production), (_, test)] = rules;
    match production.filter(|_| production == test) {
        Some(arn) => Err(refusal::invalid(format!(
            "The following rules cannot be used as both production and test listener rules: {arn}"
        ))),
        None => Ok(()),
    }
}

fn verify_platform(settings: &Value) -> Result<(), ApiError> {
    match input::text(settings, "platformVersion") {
        None | Some("LATEST" | "1.4.0" | "1.3.0" | "1.0.0") => Ok(()),
        Some(_) => Err(ApiError::refused(
            "PlatformUnknownException",
            "The specified platform does not exist.",
        )),
    }
}
