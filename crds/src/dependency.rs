//! What has to be ready before a service is changed.

use std::fmt;

use schemars::JsonSchema;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserializer, Error, MapAccess, Visitor};
use serde::{Deserialize, Serialize};

use crate::{ClusterName, ObjectKey, ServiceName, TargetName};

/// Another service: a name alone is one of the same cluster and target.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Dependency {
    /// Its name.
    pub name: ServiceName,
    /// Its cluster. Default: that of the service which depends on it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cluster: Option<ClusterName>,
    /// Its target. Default: that of the service which depends on it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target: Option<TargetName>,
}

impl Dependency {
    /// The service that is meant where `dependent` names it.
    pub fn key(&self, dependent: &ObjectKey) -> ObjectKey {
        ObjectKey {
            target: self.target.clone().unwrap_or_else(|| dependent.target.clone()),
            cluster: self.cluster.clone().unwrap_or_else(|| dependent.cluster.clone()),
            name: self.name.clone(),
        }
    }
}

/// The long form.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Long {
    /// Its name.
    name: ServiceName,
    /// Its cluster. Default: that of the service which depends on it.
    #[serde(default)]
    cluster: Option<ClusterName>,
    /// Its target. Default: that of the service which depends on it.
    #[serde(default)]
    target: Option<TargetName>,
}

impl<'de> Deserialize<'de> for Dependency {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct NameOrLong;

        impl<'de> Visitor<'de> for NameOrLong {
            type Value = Dependency;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a service's name, or {name, cluster, target}")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Dependency, E> {
                let name = text.parse().map_err(E::custom)?;
                Ok(Dependency { name, cluster: None, target: None })
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Dependency, A::Error> {
                let Long { name, cluster, target } =
                    Long::deserialize(MapAccessDeserializer::new(map))?;
                Ok(Dependency { name, cluster, target })
            }
        }

        deserializer.deserialize_any(NameOrLong)
    }
}

impl JsonSchema for Dependency {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Dependency".into()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let name = ServiceName::json_schema(generator);
        let long = Long::json_schema(generator);
        schemars::json_schema!({ "anyOf": [name, long] })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_is_not_said_is_as_for_the_dependent() {
        let dependent = ObjectKey {
            target: "tokyo".parse().unwrap(),
            cluster: "shop".parse().unwrap(),
            name: "api".parse().unwrap(),
        };
        for (written, key) in [
            (json!("auth"), "tokyo:shop/auth"),
            (json!({ "name": "auth" }), "tokyo:shop/auth"),
            (json!({ "name": "auth", "cluster": "core" }), "tokyo:core/auth"),
            (json!({ "name": "auth", "cluster": "core", "target": "default" }), "core/auth"),
        ] {
            let dependency: Dependency = serde_json::from_value(written.clone()).unwrap();
            assert_eq!(dependency.key(&dependent).to_string(), key, "{written}");
            let again = serde_json::to_value(&dependency).unwrap();
            assert_eq!(serde_json::from_value::<Dependency>(again).unwrap(), dependency);
        }
    }

    #[test]
    fn anything_else_is_refused() {
        for written in [json!("a/b"), json!(7), json!({}), json!({ "name": "a", "clutser": "b" })] {
            assert!(serde_json::from_value::<Dependency>(written.clone()).is_err(), "{written}");
        }
    }
}
