//! From what a person calls a service to its key.

use std::str::FromStr;

use anyhow::bail;
use crds::{ClusterName, ObjectKey, ServiceName, TargetName};
use serde_json::Value;

use super::Client;
use crate::manifest::nearest;

/// How many candidates a message lists.
const CANDIDATES_MAX: usize = 10;

/// A service as people name it: `NAME` where one cluster has it, `CLUSTER/NAME`, or `TARGET:CLUSTER/NAME`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::cli) struct NameArgument {
    target: Option<TargetName>,
    cluster: Option<ClusterName>,
    name: ServiceName,
}

impl FromStr for NameArgument {
    type Err = crds::InvalidName;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (target, rest) = match text.split_once(':') {
            Some((target, rest)) => (Some(target.parse()?), rest),
            None => (None, text),
        };
        let (cluster, name) = match rest.split_once('/') {
            Some((cluster, name)) => (Some(cluster.parse()?), name),
            None => (None, rest),
        };
        Ok(Self { target, cluster, name: name.parse()? })
    }
}

impl NameArgument {
    /// Whether this may mean that service.
    pub(in crate::cli) fn names(&self, key: &ObjectKey) -> bool {
        key.name == self.name
            && self.cluster.as_ref().is_none_or(|cluster| *cluster == key.cluster)
            && self.target.as_ref().is_none_or(|target| *target == key.target)
    }

    /// Every service that this may mean.
    pub(in crate::cli) async fn candidates(
        &self,
        client: &Client,
    ) -> anyhow::Result<Vec<ObjectKey>> {
        let cluster = self.cluster.as_ref().map_or("", ClusterName::as_str);
        let found = client.services(&[("q", self.name.as_str()), ("cluster", cluster)]).await?;
        let named = keys(client, &found)?.into_iter();
        Ok(named.filter(|key| self.names(key)).collect())
    }

    /// The one service that this names.
    pub(in crate::cli) async fn find(&self, client: &Client) -> anyhow::Result<ObjectKey> {
        let named = self.candidates(client).await?;
        match <[ObjectKey; 1]>::try_from(named) {
            Ok([key]) => Ok(key),
            Err(named) if named.is_empty() => {
                let all = keys(client, &client.services(&[]).await?)?;
                bail!("there is no service `{self}`{}", hint(self.name.as_str(), &all))
            }
            Err(named) => {
                bail!("`{self}` is the name of several services: say which of {}", list(&named))
            }
        }
    }
}

impl std::fmt::Display for NameArgument {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if let Some(target) = &self.target {
            write!(f, "{target}:")?;
        }
        if let Some(cluster) = &self.cluster {
            write!(f, "{cluster}/")?;
        }
        write!(f, "{}", self.name)
    }
}

fn keys(client: &Client, services: &[Value]) -> anyhow::Result<Vec<ObjectKey>> {
    let key = |service: &Value| client.read(service.get("key").unwrap_or(&Value::Null));
    Ok(services.iter().map(key).collect::<Result<_, _>>()?)
}

/// What was probably meant: the same name elsewhere, or the nearest one.
fn hint(name: &str, all: &[ObjectKey]) -> String {
    let mut known: Vec<&str> = all.iter().map(|key| key.name.as_str()).collect();
    known.sort_unstable();
    known.dedup();
    let exact = known.contains(&name).then_some(name);
    let Some(meant) = exact.or_else(|| nearest(name, &known)) else {
        return "; `longshore get services` lists those that there are".to_owned();
    };
    let meant: Vec<ObjectKey> =
        all.iter().filter(|key| key.name.as_str() == meant).cloned().collect();
    format!("; did you mean {}?", list(&meant))
}

fn list(keys: &[ObjectKey]) -> String {
    let shown: Vec<String> =
        keys.iter().take(CANDIDATES_MAX).map(|key| format!("`{key}`")).collect();
    let more = if keys.len() > CANDIDATES_MAX { " and others" } else { "" };
    format!("{}{more}", shown.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_written_in_three_ways() {
        for text in ["web", "shop/web", "eu:shop/web", "eu:web"] {
            assert_eq!(text.parse::<NameArgument>().unwrap().to_string(), text);
        }
        for text in ["", "shop/", "/web", "a b", ":shop/web", "shop/web/x", "../x"] {
            assert!(text.parse::<NameArgument>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_hint_names_what_is_near() {
        let key = |text: &str| {
            let (cluster, name) = text.split_once('/').unwrap();
            let (cluster, name) = (cluster.parse().unwrap(), name.parse().unwrap());
            ObjectKey { target: TargetName::default(), cluster, name }
        };
        let all = [key("shop/checkout"), key("data/checkout"), key("shop/web")];
        assert_eq!(hint("chekout", &all), "; did you mean `shop/checkout`, `data/checkout`?");
        assert_eq!(hint("web", &all), "; did you mean `shop/web`?");
        assert!(hint("payments", &all).contains("longshore get services"));
    }
}
