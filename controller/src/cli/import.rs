//! `longshore import`: specs of what exists, whose first plan changes nothing but tags.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context as _, anyhow};
use clap::Args;
use crds::{ClusterName, OwnerName, ServiceName, TargetName};
use serde_json::{Value, json};

use super::output::{say, visible};
use super::{AwsArguments, Output, connect};
use crate::config::Config;
use crate::import::{self, Adopt, ImportedService, Options, Report, Verdict, Written, from};

/// The `Controller` file that is written beside the specs.
const CONTROLLER_FILE: &str = "controller.yaml";

/// Arguments of `import`.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The ECS cluster. With --from only where the files do not name it.
    #[arg(long, value_name = "NAME", required_unless_present = "from")]
    cluster: Option<ClusterName>,
    /// Only this service; can be given more than once. Default: all of the cluster.
    #[arg(long = "service", value_name = "NAME")]
    services: Vec<ServiceName>,
    /// The directory that the files are written into.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Instead of a running cluster: an ecspresso directory, a task definition as GitHub's action takes it, or a Copilot
    /// manifest.
    #[arg(long, value_name = "PATH")]
    from: Option<PathBuf>,
    /// With --from: the Copilot environment whose overrides count.
    #[arg(long, value_name = "NAME", requires = "from")]
    environment: Option<String>,
    /// A file with the `Controller` object that will manage the services. Without it one is written.
    #[arg(long)]
    config: Option<PathBuf>,
    /// Account and region, by their name in the configuration.
    #[arg(long, value_name = "NAME", default_value = "default")]
    target: TargetName,
    /// The operator's identity in the `Controller` file that is written.
    #[arg(long, value_name = "NAME", default_value = "longshore", conflicts_with = "config")]
    owner: OwnerName,
    /// Replace files that are there and differ.
    #[arg(long)]
    force: bool,
    #[command(flatten)]
    aws: AwsArguments,
    /// How to print what was done.
    #[arg(long, value_enum, default_value_t = Output::Text)]
    output: Output,
}

pub(super) async fn run(arguments: Arguments) -> anyhow::Result<ExitCode> {
    let config = match &arguments.config {
        Some(file) => Config::read(file)?,
        None => Config::without_sources(arguments.owner.clone()),
    };
    let (report, controller) = match &arguments.from {
        Some(path) => from_files(path, &arguments, &config).await?,
        None => from_cluster(&arguments, &config).await?,
    };
    let mut files: Vec<(&str, &str)> =
        report.services.iter().map(|one| (one.file.as_str(), one.text.as_str())).collect();
    if let Some(controller) = controller.as_deref().filter(|_| !files.is_empty()) {
        files.push((CONTROLLER_FILE, controller));
    }
    let written = import::write(&arguments.out, files.iter().copied(), arguments.force)?;
    match arguments.output {
        Output::Text => print_text(&report, &written),
        Output::Json => {
            let wrote_controller = written.len() > report.services.len();
            say!("{}", serde_json::to_string_pretty(&to_json(&report, wrote_controller))?);
        }
    }
    let is_whole = report.services.iter().all(|one| is_as_promised(&one.verdict))
        && report.skipped.iter().all(|skipped| !skipped.is_failure);
    Ok(if is_whole { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Whether a file came out as it was meant to. What was made from files only was never promised to change nothing.
fn is_as_promised(verdict: &Verdict) -> bool {
    match verdict {
        Verdict::TagsOnly { .. } | Verdict::Unplanned | Verdict::Held(_) => true,
        Verdict::Differs(_) | Verdict::Refused(_) => false,
    }
}

async fn from_cluster(
    arguments: &Arguments,
    config: &Config,
) -> anyhow::Result<(Report, Option<String>)> {
    let cluster = arguments.cluster.clone().context("give --cluster")?;
    let options = options(arguments, config, cluster);
    let connection = connect::aws(config, &arguments.aws).await?;
    let account = account(&connection, &arguments.target)?;
    let report = import::cluster(account, &options, connection.clock.now()).await?;
    let controller = controller(arguments, &options, Some(account.region()), &report);
    Ok((report, controller))
}

async fn from_files(
    path: &std::path::Path,
    arguments: &Arguments,
    config: &Config,
) -> anyhow::Result<(Report, Option<String>)> {
    let wanted = from::Wanted {
        cluster: arguments.cluster.clone(),
        services: arguments.services.clone(),
        environment: arguments.environment.clone(),
    };
    let form = from::Form::of(path)?;
    let cluster = from::cluster(&form, &wanted)?;
    let options = options(arguments, config, cluster);
    if let from::Form::TaskDefinition(file) = &form {
        // It says nothing of the service: that is read of AWS, or the first plan would undo it.
        let connection = connect::aws(config, &arguments.aws).await?;
        let account = account(&connection, &arguments.target)?;
        let report = from::task_definition(file, account, &options, connection.clock.now()).await?;
        let controller = controller(arguments, &options, Some(account.region()), &report);
        return Ok((report, controller));
    }
    let report = from::files(&form, &options, &wanted)?;
    let controller = controller(arguments, &options, report.region.as_deref(), &report);
    Ok((report, controller))
}

fn options(arguments: &Arguments, config: &Config, cluster: ClusterName) -> Options {
    let adopts = config.sources.iter().all(|source| source.policy.adopt == Some(true));
    Options {
        owner: config.owner.clone(),
        target: arguments.target.clone(),
        cluster,
        services: arguments.services.clone(),
        adopt: if adopts { Adopt::InSource } else { Adopt::InService },
        vars: config.vars.clone(),
    }
}

fn account<'a>(
    connection: &'a connect::Connection,
    target: &TargetName,
) -> anyhow::Result<&'a crate::aws::Account> {
    let account = connection.aws.account(target);
    account.ok_or_else(|| anyhow!("the configuration names no target `{target}`"))
}

/// The `Controller` that is to manage the services, unless there is one.
fn controller(
    arguments: &Arguments,
    options: &Options,
    region: Option<&str>,
    report: &Report,
) -> Option<String> {
    let is_new = arguments.config.is_none();
    is_new.then(|| import::controller_file(options, region, &report.vars))
}

fn print_text(report: &Report, written: &[Written]) {
    for (service, written) in report.services.iter().zip(written) {
        say!("{:<40} {}, {}", service.file, word(*written), verdict(&service.verdict));
        differences(service);
    }
    if let Some(written) = written.get(report.services.len()) {
        say!("{CONTROLLER_FILE:<40} {}", word(*written));
    }
    for skipped in &report.skipped {
        say!("{:<40} not imported: {}", skipped.name, skipped.why);
    }
    let count = |is_counted: fn(&Verdict) -> bool| {
        report.services.iter().filter(|one| is_counted(&one.verdict)).count()
    };
    say!(
        "{} imported, {} with a plan that changes tags only, {} not imported",
        report.services.len(),
        count(Verdict::is_tags_only),
        report.skipped.len()
    );
    for note in report.services.iter().flat_map(|service| &service.notes) {
        let path = if note.path.is_empty() { String::new() } else { format!("{}: ", note.path) };
        eprintln!("{}", visible(&format!("note: {}: {path}{}", note.place, note.message)));
    }
}

fn word(written: Written) -> &'static str {
    match written {
        Written::New => "written",
        Written::Unchanged => "unchanged",
        Written::Replaced => "replaced",
    }
}

fn verdict(verdict: &Verdict) -> String {
    match verdict {
        Verdict::TagsOnly { tags: 0 } => "the first plan changes nothing".to_owned(),
        Verdict::TagsOnly { tags } => format!("the first plan sets {tags} tags"),
        Verdict::Differs(_) => "THE FIRST PLAN CHANGES MORE THAN TAGS".to_owned(),
        Verdict::Held(reasons) => format!("held: {}", reasons.join("; ")),
        Verdict::Refused(_) => "NOT USABLE YET".to_owned(),
        Verdict::Unplanned => "not compared with a running service".to_owned(),
    }
}

fn differences(service: &ImportedService) {
    match &service.verdict {
        Verdict::Differs(differences) => {
            for difference in differences {
                say!("    {} ({})", difference.path, difference.effect);
            }
        }
        Verdict::Refused(invalid) => invalid.iter().for_each(|invalid| say!("    {invalid}")),
        Verdict::TagsOnly { .. } | Verdict::Held(_) | Verdict::Unplanned => {}
    }
}

fn to_json(report: &Report, wrote_controller: bool) -> Value {
    let services = report.services.iter().map(|service| {
        let notes = service.notes.iter().map(|note| {
            json!({ "place": note.place, "path": note.path, "message": note.message })
        });
        let (mut changes, mut invalid, mut holds) = (json!([]), json!([]), json!([]));
        match &service.verdict {
            Verdict::Differs(differences) => {
                let paths = differences.iter();
                changes = paths
                    .map(|one| json!({ "path": one.path, "effect": one.effect.as_str() }))
                    .collect();
            }
            Verdict::Refused(problems) => invalid = json!(problems),
            Verdict::Held(reasons) => holds = json!(reasons),
            Verdict::TagsOnly { .. } | Verdict::Unplanned => {}
        }
        json!({
            "target": service.key.target, "cluster": service.key.cluster, "name": service.key.name,
            "file": service.file, "notes": notes.collect::<Vec<_>>(),
            "tagsOnly": service.verdict.is_tags_only(), "changes": changes, "invalid": invalid, "holds": holds,
        })
    });
    let skipped = report
        .skipped
        .iter()
        .map(|one| json!({ "name": one.name, "why": one.why, "failed": one.is_failure }));
    json!({
        "services": services.collect::<Vec<_>>(),
        "skipped": skipped.collect::<Vec<_>>(),
        "controller": wrote_controller.then_some(CONTROLLER_FILE),
    })
}
