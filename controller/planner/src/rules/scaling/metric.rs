//! Metrics and metric math.

use crds::scaling::metric::{MetricDataQuery, MetricDimension};

use super::super::finding::{Finding, error};
use super::super::words::{each, is_open};

/// What rules have to know of a query, whichever of the two kinds it is.
pub(super) struct Query<'a> {
    pub(super) at: String,
    pub(super) id: &'a str,
    pub(super) has_expression: bool,
    pub(super) has_stat: bool,
    pub(super) is_result: bool,
}

/// The queries of a list.
pub(super) fn queries<'a>(
    at: &str,
    member: &str,
    list: Option<&'a [MetricDataQuery]>,
) -> Vec<Query<'a>> {
    each(at, member, list)
        .map(|(at, query)| Query {
            at,
            id: &query.id,
            has_expression: query.expression.is_some(),
            has_stat: query.metric_stat.is_some(),
            is_result: query.return_data != Some(false),
        })
        .collect()
}

/// Metric math has one result, and each query is an expression or a metric.
pub(super) fn math(at: &str, queries: &[Query<'_>], found: &mut Vec<Finding>) {
    let results = queries.iter().filter(|query| query.is_result).count();
    if results != 1 {
        found.push(
            error(
                at,
                format!("has `{results}` elements with returnData true; there has to be one"),
            )
            .hint("set `returnData: false` on those that only feed others"),
        );
    }
    for query in queries {
        if query.has_expression == query.has_stat {
            found.push(
                error(
                    query.at.clone(),
                    format!("`{}` needs exactly one of expression and metricStat", query.id),
                )
                .hint("give one of the two"),
            );
        }
        let is_id = query.id.starts_with(|letter: char| letter.is_ascii_lowercase())
            && query.id.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '_');
        if !is_id && !is_open(query.id) {
            found.push(error(
                format!("{}.id", query.at),
                format!(
                    "`{}` is not an id: a small letter, then letters, digits and `_`",
                    query.id
                ),
            ));
        }
        let is_twice = queries.iter().filter(|other| other.id == query.id).count() > 1;
        let is_first = queries
            .iter()
            .find(|other| other.id == query.id)
            .is_some_and(|other| other.at == query.at);
        if is_twice && !is_first {
            found.push(error(format!("{}.id", query.at), format!("`{}` is used twice", query.id)));
        }
    }
}

/// A metric that is not an expression has a name, a namespace and a way to be put together; an expression has none of them.
pub(super) struct Single<'a> {
    pub(super) name: Option<&'a str>,
    pub(super) namespace: Option<&'a str>,
    pub(super) has_statistic: bool,
    pub(super) dimensions: Option<&'a [MetricDimension]>,
}

impl Single<'_> {
    pub(super) fn check(&self, at: &str, has_math: bool, found: &mut Vec<Finding>) {
        let has_any = self.name.is_some()
            || self.namespace.is_some()
            || self.has_statistic
            || self.dimensions.is_some_and(|dimensions| !dimensions.is_empty());
        if has_math {
            if has_any {
                found.push(
                    error(at, "has metrics and a single metric beside them")
                        .hint("give one of the two"),
                );
            }
            return;
        }
        let missing = [
            ("metricName", self.name.is_none()),
            ("namespace", self.namespace.is_none()),
            ("statistic", !self.has_statistic),
        ];
        for (member, _) in missing.into_iter().filter(|(_, is_missing)| *is_missing) {
            found.push(error(format!("{at}.{member}"), "is missing; a metric needs it"));
        }
    }
}
