//! A newtype for each name, so that no two kinds of name can be mixed up.

use std::fmt;
use std::str::FromStr;

/// A name that breaks the rule of its kind.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{kind} `{value}` is not valid: {rule}")]
pub struct InvalidName {
    /// What the name would have named, `cluster name`.
    pub kind: &'static str,
    /// The text as it was given.
    pub value: String,
    /// The rule it breaks, in words.
    pub rule: &'static str,
}

macro_rules! name {
    ($(#[$doc:meta])* $name:ident, $kind:literal, $pattern:literal, $rule:literal, $accepts:expr) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[derive(serde::Serialize, serde::Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// The name as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = InvalidName;
            fn from_str(text: &str) -> Result<Self, InvalidName> {
                let accepts: fn(&str) -> bool = $accepts;
                if accepts(text) {
                    Ok(Self(text.to_owned()))
                } else {
                    Err(InvalidName { kind: $kind, value: text.to_owned(), rule: $rule })
                }
            }
        }

        impl TryFrom<String> for $name {
            type Error = InvalidName;
            fn try_from(text: String) -> Result<Self, InvalidName> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(name: $name) -> Self {
                name.0
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl schemars::JsonSchema for $name {
            fn inline_schema() -> bool {
                true
            }
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }
            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!({ "type": "string", "pattern": $pattern })
            }
        }
    };
}

/// ECS's rule for clusters, services and families (aws.md §4.1).
fn is_ecs_name(text: &str) -> bool {
    (1..=255).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
}

/// The rule for names that are ours: they go into tags, metrics and URLs.
fn is_own_name(text: &str) -> bool {
    (1..=63).contains(&text.len())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
        && !text.starts_with('-')
        && !text.ends_with('-')
}

name!(
    /// The name of an ECS cluster.
    ///
    /// ```compile_fail
    /// let name: crds::ClusterName = crds::ClusterName(String::from("made without its rule"));
    /// ```
    ClusterName, "cluster name", "^[A-Za-z0-9_-]{1,255}$",
    "use 1 to 255 letters, digits, `-` and `_`", is_ecs_name
);
name!(
    /// The name of an ECS service.
    ServiceName, "service name", "^[A-Za-z0-9_-]{1,255}$",
    "use 1 to 255 letters, digits, `-` and `_`", is_ecs_name
);
name!(
    /// The family that the revisions of a task definition share.
    Family, "task-definition family", "^[A-Za-z0-9_-]{1,255}$",
    "use 1 to 255 letters, digits, `-` and `_`", is_ecs_name
);
name!(
    /// The identity of one operator: `metadata.name` of its `Controller`, written into the owner tag.
    OwnerName, "controller name", "^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$",
    "use 1 to 63 lower-case letters, digits and `-`, not at the ends", is_own_name
);
name!(
    /// The name of a source in the operator's configuration.
    SourceName, "source name", "^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$",
    "use 1 to 63 lower-case letters, digits and `-`, not at the ends", is_own_name
);
name!(
    /// The name of an account and region in the operator's configuration.
    TargetName, "target name", "^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$",
    "use 1 to 63 lower-case letters, digits and `-`, not at the ends", is_own_name
);
name!(
    /// The name of a hook in `rollout.hooks`.
    HookName, "hook name", "^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$",
    "use 1 to 63 lower-case letters, digits and `-`, not at the ends", is_own_name
);
name!(
    /// The name of a `Release`, as `${release:NAME}` writes it.
    ReleaseName, "release name", "^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$",
    "use 1 to 63 lower-case letters, digits and `-`, not at the ends", is_own_name
);

name!(
    /// The name of a Terraform state in the operator's configuration, as `${tfstate:NAME/…}` writes it.
    TfstateName, "state name", "^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$",
    "use 1 to 63 lower-case letters, digits and `-`, not at the ends", is_own_name
);

impl Default for TfstateName {
    fn default() -> Self {
        Self("default".to_owned())
    }
}

impl Default for TargetName {
    fn default() -> Self {
        Self("default".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_keep_their_rules() {
        assert!("shop_API-1".parse::<ServiceName>().is_ok());
        assert!("".parse::<ServiceName>().is_err());
        assert!("a".repeat(256).parse::<ServiceName>().is_err());
        assert!("shop api".parse::<ClusterName>().is_err());
        assert!("Fleet".parse::<SourceName>().is_err());
        assert!("-fleet".parse::<SourceName>().is_err());
        assert!("fleet-2".parse::<SourceName>().is_ok());
    }

    #[test]
    fn a_bad_name_says_what_why_and_which() {
        let error = "a b".parse::<ClusterName>().unwrap_err();
        assert_eq!(
            error.to_string(),
            "cluster name `a b` is not valid: use 1 to 255 letters, digits, `-` and `_`"
        );
    }

    #[test]
    fn names_go_through_their_rule_in_serde_too() {
        assert!(serde_json::from_str::<ServiceName>("\"no spaces please\"").is_err());
    }
}
