//! `longshore plan`: what `run` would do, field by field, without doing it.

use std::process::ExitCode;

use clap::Args;
use futures_util::StreamExt as _;
use futures_util::stream;

use super::output::{Report, say};
use super::{AwsArguments, Output, SourceArguments, connect, validate};
use crate::planned::PlannedService;
use crate::reconcile::{self, Context};
use crate::references;
use crate::releases::{Purpose, Releases};
use crate::waiting;

/// How many services are looked at at once.
const AT_ONCE: usize = 60;

/// Arguments of `plan`.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    source: SourceArguments,
    #[command(flatten)]
    aws: AwsArguments,
    /// How to print it.
    #[arg(long, value_enum, default_value_t = Output::Text)]
    output: Output,
}

pub(super) async fn run(arguments: Arguments) -> anyhow::Result<ExitCode> {
    let config = arguments.source.config()?;
    let connection = connect::aws(&config, &arguments.aws).await?;
    let mut sources = connect::sources(&config, &connection.aws)?;
    let context = connect::context(&config, &connection)?;
    connect::read_sources(&context, &mut sources).await?;
    crate::operator::search_once(&context).await;
    // A spec that moved to another source is seen by a reading that began after the search.
    connect::read_sources(&context, &mut sources).await?;
    references::read_once(&context).await;
    let releases = Releases::new(connect::repositories(&config), 0);
    Box::pin(releases.once(&context, Purpose::Show)).await;
    let invalid = validate::problems(&config, &context.inventory());
    let report = Report { services: services(&context).await, invalid };
    match arguments.output {
        Output::Json => say!("{}", serde_json::to_string_pretty(&report.to_json())?),
        Output::Text => say!("{report}"),
    }
    Ok(report.exit_code())
}

/// The plan of every service, in the order of keys.
async fn services(context: &Context) -> Vec<PlannedService> {
    let keys = context.inventory().keys();
    let plans = stream::iter(keys).map(|key| async move {
        let foreseen = Box::pin(reconcile::foresee(context, &key)).await;
        (key, foreseen)
    });
    let mut planned: Vec<_> = plans.buffered(AT_ONCE).collect().await;
    waiting::line_up(context, &mut planned);
    let planned = planned.into_iter().map(|(key, foreseen)| {
        let references = context.inventory().references_of(&key);
        PlannedService::new(key, foreseen.map(|foreseen| foreseen.plan)).citing(references)
    });
    planned.collect()
}
