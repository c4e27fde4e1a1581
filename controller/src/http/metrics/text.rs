//! The two text forms: `OpenMetrics`, and Prometheus's older one for scrapers that know no other.

use std::fmt::Error;
use std::fmt::Write as _;

use prometheus_client::encoding::text::encode as encode_open_metrics;
use prometheus_client::registry::Registry;

/// Which text form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exposition {
    /// `application/openmetrics-text`.
    OpenMetrics,
    /// `text/plain; version=0.0.4`.
    Prometheus,
}

impl Exposition {
    /// The form that an `Accept` header asks for.
    pub fn accepted_by(accept: Option<&str>) -> Self {
        match accept {
            Some(accept) if accept.contains("application/openmetrics-text") => Self::OpenMetrics,
            Some(_) | None => Self::Prometheus,
        }
    }

    /// Its media type.
    pub const fn content_type(self) -> &'static str {
        match self {
            Self::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
            Self::Prometheus => "text/plain; version=0.0.4; charset=utf-8",
        }
    }
}

pub(super) fn encode(registry: &Registry, form: Exposition) -> Result<String, Error> {
    let mut text = String::new();
    encode_open_metrics(&mut text, registry)?;
    match form {
        Exposition::OpenMetrics => Ok(text),
        Exposition::Prometheus => older_form(&text),
    }
}

/// In the older form a family bears the name of its samples, `_total` and `_info` included, and there is neither a unit
/// nor an end.
fn older_form(text: &str) -> Result<String, Error> {
    let mut out = String::with_capacity(text.len());
    // HELP comes before TYPE, which says how the family is called.
    let mut help = None;
    for line in text.lines() {
        if let Some(described) = line.strip_prefix("# HELP ") {
            help = described.split_once(' ');
        } else if let Some((name, kind)) =
            line.strip_prefix("# TYPE ").and_then(|described| described.split_once(' '))
        {
            let (suffix, kind) = match kind {
                "counter" => ("_total", "counter"),
                "info" => ("_info", "gauge"),
                "unknown" => ("", "untyped"),
                other => ("", other),
            };
            if let Some((_, words)) = help.take() {
                writeln!(out, "# HELP {name}{suffix} {words}")?;
            }
            writeln!(out, "# TYPE {name}{suffix} {kind}")?;
        } else if !line.starts_with('#') {
            writeln!(out, "{line}")?;
        }
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_form_is_the_one_that_is_asked_for() {
        let prometheus = "application/openmetrics-text;version=1.0.0;q=0.5,text/plain;q=0.3";
        assert_eq!(Exposition::accepted_by(Some(prometheus)), Exposition::OpenMetrics);
        assert_eq!(Exposition::accepted_by(Some("*/*")), Exposition::Prometheus);
        assert_eq!(Exposition::accepted_by(None), Exposition::Prometheus);
    }

    #[test]
    fn families_are_renamed_for_the_older_form() {
        let text = "# HELP a Counted.\n# TYPE a counter\na_total{x=\"1\"} 3\n# HELP b Built.\n# TYPE b info\nb_info{v=\"1\"} 1\n\
                    # HELP d_seconds Took.\n# TYPE d_seconds histogram\n# UNIT d_seconds seconds\nd_seconds_sum 1.0\n# EOF\n";
        assert_eq!(
            older_form(text).unwrap(),
            "# HELP a_total Counted.\n# TYPE a_total counter\na_total{x=\"1\"} 3\n# HELP b_info Built.\n# TYPE b_info gauge\n\
             b_info{v=\"1\"} 1\n# HELP d_seconds Took.\n# TYPE d_seconds histogram\nd_seconds_sum 1.0\n"
        );
    }
}
