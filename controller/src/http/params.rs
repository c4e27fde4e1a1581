//! Query parameters: each value is understood or refused by name, none is passed over.

use axum::extract::Query as RawQuery;
use crds::{ClusterName, ObjectKey, TargetName};
use http::Uri;

use super::problem::Problem;
use super::words::{self, HEALTHS, SYNCS};
use crate::status_store::Query;

/// The parameters of one request, in their order.
pub(super) struct Params(Vec<(String, String)>);

impl Params {
    /// The parameters of a URL in which only these may occur.
    pub(super) fn of(uri: &Uri, known: &[&str]) -> Result<Self, Problem> {
        let RawQuery(pairs) = RawQuery::<Vec<(String, String)>>::try_from_uri(uri)
            .map_err(|error| Problem::bad_parameter("", error.body_text(), known.to_vec()))?;
        if let Some((name, _)) = pairs.iter().find(|(name, _)| !known.contains(&name.as_str())) {
            let detail = format!("query parameter `{name}` is unknown here");
            return Err(Problem::bad_parameter(name, detail, known.to_vec()));
        }
        Ok(Self(pairs))
    }

    /// The value of a parameter that may be given once; an empty one counts as none.
    pub(super) fn one(&self, name: &'static str) -> Result<Option<&str>, Problem> {
        let mut values = self.values(name);
        let first = values.next();
        if values.next().is_some() {
            let detail = format!("query parameter `{name}` is given more than once");
            return Err(Problem::bad_parameter(name, detail, [""; 0]));
        }
        Ok(first.filter(|value| !value.is_empty()))
    }

    /// The values of a parameter that may be repeated or hold several, parted by commas.
    fn words<T: Copy>(
        &self,
        name: &'static str,
        all: &[T],
        word: fn(T) -> &'static str,
    ) -> Result<Vec<T>, Problem> {
        self.values(name)
            .flat_map(|value| value.split(','))
            .filter(|value| !value.is_empty())
            .map(|value| {
                let found =
                    all.iter().copied().find(|known| word(*known).eq_ignore_ascii_case(value));
                found.ok_or_else(|| {
                    let allowed = all.iter().map(|known| word(*known)).collect::<Vec<_>>();
                    let detail =
                        format!("{name} `{value}` is unknown; use one of {}", allowed.join(", "));
                    Problem::bad_parameter(name, detail, allowed)
                })
            })
            .collect()
    }

    /// How many to answer with at most.
    pub(super) fn limit(&self, default: usize, max: usize) -> Result<usize, Problem> {
        let Some(text) = self.one("limit")? else { return Ok(default) };
        match text.parse() {
            Ok(limit) if (1..=max).contains(&limit) => Ok(limit),
            Ok(_) | Err(_) => {
                let detail = format!("limit `{text}` is not a number from 1 to {max}");
                Err(Problem::bad_parameter("limit", detail, [format!("1 to {max}")]))
            }
        }
    }

    /// A target by its name.
    pub(super) fn target(&self) -> Result<Option<TargetName>, Problem> {
        self.one("target")?.map(str::parse).transpose().map_err(|error: crds::InvalidName| {
            Problem::bad_parameter("target", error.to_string(), [""; 0])
        })
    }

    /// Which services to list.
    pub(super) fn query(&self) -> Result<Query, Problem> {
        let cluster = self
            .one("cluster")?
            .map(str::parse::<ClusterName>)
            .transpose()
            .map_err(|error| Problem::bad_parameter("cluster", error.to_string(), [""; 0]))?;
        Ok(Query {
            cluster,
            sync: self.words("sync", &SYNCS, words::sync)?,
            health: self.words("health", &HEALTHS, words::health)?,
            text: self.one("q")?.unwrap_or_default().to_owned(),
            limit: self.limit(Query::LIMIT_DEFAULT, Query::LIMIT_MAX)?,
            after: self.one("continue")?.map(continue_from).transpose()?,
        })
    }

    fn values(&self, name: &'static str) -> impl Iterator<Item = &str> {
        self.0.iter().filter(move |(given, _)| given == name).map(|(_, value)| value.as_str())
    }
}

/// The parameters of a list of services.
pub(super) const LIST: [&str; 6] = ["cluster", "sync", "health", "q", "limit", "continue"];

/// The place after a key, opaque to clients. It names the key, so it stays true when services come and go.
pub(super) fn continue_after(key: &ObjectKey) -> String {
    hex::encode(format!("{}/{}/{}", key.target, key.cluster, key.name))
}

fn continue_from(token: &str) -> Result<ObjectKey, Problem> {
    let key = || {
        let text = String::from_utf8(hex::decode(token).ok()?).ok()?;
        let mut names = text.split('/');
        let key = ObjectKey {
            target: names.next()?.parse().ok()?,
            cluster: names.next()?.parse().ok()?,
            name: names.next()?.parse().ok()?,
        };
        names.next().is_none().then_some(key)
    };
    key().ok_or_else(|| {
        let detail = format!("continue `{token}` did not come from this server");
        Problem::bad_parameter("continue", detail, ["metadata.continue of the page before"])
    })
}
