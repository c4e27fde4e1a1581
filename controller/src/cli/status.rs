//! `longshore status`: what is wrong with one service, or what runs.

use std::fmt::{self, Write as _};
use std::process::ExitCode;

use clap::Args;

use super::Output;
use super::client::{NameArgument, RolloutView, ServerArguments, ServiceView, short};
use super::output::{json as print_json, say};

/// Arguments of `status`.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// NAME where one cluster has it, else CLUSTER/NAME or TARGET:CLUSTER/NAME.
    name: NameArgument,
    #[command(flatten)]
    server: ServerArguments,
    /// How to print it.
    #[arg(long, value_enum, default_value_t = Output::Text)]
    output: Output,
}

pub(super) async fn run(arguments: Arguments) -> anyhow::Result<ExitCode> {
    let client = arguments.server.client()?;
    let key = arguments.name.find(&client).await?;
    let service = client.of_service(&key, "").await?;
    match arguments.output {
        Output::Json => print_json(&service)?,
        Output::Text => say!("{}", text(&client.read(&service)?)?.trim_end()),
    }
    Ok(ExitCode::SUCCESS)
}

/// The sentence first, then what it rests on.
fn text(service: &ServiceView) -> Result<String, fmt::Error> {
    let mut text = String::new();
    let status = &service.status;
    writeln!(text, "{}", service.sentence())?;
    for invalid in &service.invalid {
        writeln!(text, "  the newest spec cannot be used: {invalid}")?;
    }
    for hold in &status.holds {
        writeln!(text, "  held: {}: {}", hold.reason, hold.message)?;
    }
    writeln!(text)?;
    let mut fact = |name: &str, told: &str| writeln!(text, "{name:<16} {told}");
    fact("task definition", status.task_definition.as_deref().unwrap_or("none"))?;
    for image in &status.images {
        let tag = image.tag.as_ref().map(|tag| format!(":{tag}")).unwrap_or_default();
        let digest = image.digest.as_ref().map(|digest| format!(" {digest}")).unwrap_or_default();
        fact("image", &format!("{}: {}{tag}{digest}", image.container, image.repository))?;
    }
    if let Some(rollout) = &status.rollout {
        let mut told = format!(
            "{} {}, {} of {} running",
            rollout.strategy, rollout.stage, rollout.running, rollout.desired
        );
        for (count, word) in [(rollout.pending, "pending"), (rollout.failed, "failed")] {
            if count > 0 {
                write!(told, ", {count} {word}")?;
            }
        }
        if let Some(started) = &rollout.started_at {
            write!(told, ", started {started}")?;
        }
        fact("rollout", &told)?;
        if let Some(reason) = &rollout.reason {
            fact("", reason)?;
        }
        for told in course(rollout) {
            fact("", &told)?;
        }
        for check in &rollout.checks {
            fact("check", &format!("{} {}: {}", check.name, check.state, check.message))?;
        }
    }
    for hook in &status.hooks {
        let again =
            if hook.attempt > 1 { format!(", attempt {}", hook.attempt) } else { String::new() };
        let why = hook.message.as_ref().map(|message| format!(": {message}")).unwrap_or_default();
        fact("hook", &format!("{} {}, {}{again}{why}", hook.phase, hook.name, hook.state))?;
        if let Some(log) = &hook.log {
            fact("", log)?;
        }
    }
    match &service.provenance {
        Some(from) => fact("spec", &format!("{}:{} in {}", from.file, from.line, from.source))?,
        None => fact("spec", "in no source")?,
    }
    let attempts = [("last applied", &status.last_applied), ("last tried", &status.last_attempted)];
    for (name, attempt) in attempts {
        if let Some(it) = attempt {
            fact(name, &format!("{} of {} at {}", short(&it.commit), it.source, it.time))?;
        }
    }
    for it in &status.conditions {
        let told = format!("{} {} since {}", it.status, it.reason, it.last_transition_time);
        fact(&it.kind, told.trim_end_matches(" since "))?;
    }
    Ok(text)
}

/// Where a rollout with stages has got, and what it waits for.
fn course(rollout: &RolloutView) -> Vec<String> {
    let mut told = Vec::new();
    if let Some(traffic) = &rollout.traffic_weights {
        let shares = [(traffic.production, "production"), (traffic.test, "test")];
        told.extend(shares.iter().filter_map(|(share, of)| {
            Some(format!("{} % of the {of} traffic goes to the new tasks", (*share)?))
        }));
    }
    told.extend(rollout.bake_until.as_ref().map(|until| format!("bakes until {until}")));
    told.extend(rollout.waiting.iter().map(|hook| {
        let part = |word: &str, value: &Option<String>| {
            value.as_ref().map(|value| format!(" {word} {value}")).unwrap_or_default()
        };
        let what = if hook.is_gate { "waits" } else { "waits for `longshore promote`" };
        let (at, since) = (part("at", &hook.stage), part("since", &hook.since));
        format!("{what}{at}{since}{}: hook {}", part("until", &hook.expires_at), hook.hook_id)
    }));
    told
}
