//! Parameters and secrets: names, versions and dates. The calls that can answer with a value are not made anywhere
//! (aws.md §6.1, §6.2).

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use serde_json::{Value, json};

use super::super::account::Account;
use super::super::answer::{array, text};
use super::super::batch::{BatchLimits, Batcher};
use super::super::connection::SharedConnection;
use super::super::error::Error;
use super::super::operation::Operation;
use super::{FRESH, has_code, json_send, own};

/// Fifty names a filter and fifty rows a page. `DescribeParameters` has no member that could hold a value.
const DESCRIBE: BatchLimits =
    BatchLimits { keys: 50, window: Duration::from_millis(50), in_flight: 1 };

/// How often the version of something that is watched is read: once a minute.
const WATCHED: Duration = Duration::from_secs(50);

/// With more secrets than a minute has seconds, each of them is read less often: one a second together.
const SECRET_PAUSE: Duration = Duration::from_secs(1);

/// Rows that a hint about a missing parameter chooses from.
const NEIGHBOURS: usize = 50;

/// What matters of a parameter.
#[derive(Debug, Clone, PartialEq)]
pub struct ParameterFact {
    /// The number of its newest version.
    pub version: i64,
    /// When that was written, in seconds since 1970.
    pub changed_at: Option<f64>,
    /// Whether its type is one that holds no secret: `String` or `StringList`.
    pub is_plain: bool,
}

/// What matters of a secret.
#[derive(Debug, Clone, PartialEq)]
pub struct SecretFact {
    /// The version that holds each staging label.
    pub stages: BTreeMap<String, String>,
    /// When anything of it was last changed, in seconds since 1970.
    pub changed_at: Option<f64>,
    /// Whether its deletion is scheduled.
    pub is_being_deleted: bool,
}

impl Account {
    /// The parameter of this name; `None` if Parameter Store knows none.
    pub async fn parameter(&self, name: &str) -> Result<Option<ParameterFact>, Error> {
        self.inner.surroundings.parameters.get(name, FRESH).await
    }

    /// As [`Account::parameter`], asked for now.
    pub async fn parameter_now(&self, name: &str) -> Result<Option<ParameterFact>, Error> {
        self.inner.surroundings.parameters.get(name, Duration::ZERO).await
    }

    /// As [`Account::parameter`], about a minute old at most.
    pub async fn watched_parameter(&self, name: &str) -> Result<Option<ParameterFact>, Error> {
        self.inner.surroundings.parameters.get(name, WATCHED).await
    }

    /// The secret of this ARN or name; `None` if Secrets Manager knows none.
    pub async fn secret(&self, id: &str) -> Result<Option<SecretFact>, Error> {
        let recent = &self.inner.surroundings.secrets;
        recent.get(&id.to_owned(), FRESH, || self.ask_secret(id)).await
    }

    /// As [`Account::secret`], about a minute old at most, more where more than fifty are watched.
    pub async fn watched_secret(&self, id: &str) -> Result<Option<SecretFact>, Error> {
        let recent = &self.inner.surroundings.watched_secrets;
        let count = u32::try_from(recent.len()).unwrap_or(u32::MAX);
        let age_max = WATCHED.max(SECRET_PAUSE.saturating_mul(count));
        recent.get(&id.to_owned(), age_max, || self.ask_secret(id)).await
    }

    async fn ask_secret(&self, id: &str) -> Result<Option<SecretFact>, Error> {
        let operation = Operation::DescribeSecret;
        let body = json!({ "SecretId": id });
        let send = json_send!(secrets.describe_secret);
        match self.inner.connection.ask_json(operation, id, &body, send).await {
            Ok(answer) => Ok(Some(secret(&answer))),
            Err(error) if has_code(&error, "ResourceNotFound") => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Names of parameters beside this one, for a hint about what was meant.
    pub async fn parameters_beside(&self, name: &str) -> Result<Vec<String>, Error> {
        let recent = &self.inner.surroundings.neighbours;
        let ask = || async {
            let path = name.rsplit_once('/').map_or("/", |(path, _)| path);
            let path = if path.is_empty() { "/" } else { path };
            let body = json!({
                "ParameterFilters": [{ "Key": "Path", "Option": "OneLevel", "Values": [path] }],
                "MaxResults": NEIGHBOURS,
            });
            let (operation, send) =
                (Operation::DescribeParameters, json_send!(ssm.describe_parameters));
            let mut answer = self.inner.connection.ask_json(operation, name, &body, send).await?;
            let rows = array(&mut answer, "Parameters").into_iter();
            Ok(rows.filter_map(|row| text(&row, "Name").map(str::to_owned)).collect())
        };
        recent.get(&name.to_owned(), FRESH, ask).await
    }
}

fn secret(answer: &Value) -> SecretFact {
    let versions = answer.get("VersionIdsToStages").and_then(Value::as_object);
    let mut stages = BTreeMap::new();
    for (version, labels) in versions.into_iter().flatten() {
        for label in labels.as_array().into_iter().flatten().filter_map(Value::as_str) {
            stages.insert(label.to_owned(), version.clone());
        }
    }
    SecretFact {
        stages,
        changed_at: answer.get("LastChangedDate").and_then(Value::as_f64),
        is_being_deleted: answer.get("DeletedDate").is_some_and(|date| !date.is_null()),
    }
}

pub(super) fn parameter_batcher(
    connection: &SharedConnection,
) -> Batcher<(), String, Option<ParameterFact>> {
    let connection = own(connection);
    Batcher::new(DESCRIBE, move |(), names: Vec<String>| {
        let connection = own(&connection);
        async move {
            let (operation, subject) = (Operation::DescribeParameters, names.join(","));
            let mut body = json!({
                "ParameterFilters": [{ "Key": "Name", "Option": "Equals", "Values": names }],
                "MaxResults": 50,
            });
            let mut found: HashMap<String, Result<Option<ParameterFact>, Error>> =
                names.iter().map(|name| (name.clone(), Ok(None))).collect();
            // Pages may be short or empty before the last one.
            for _ in 0..=names.len() {
                let send = json_send!(ssm.describe_parameters);
                let mut answer = connection.ask_json(operation, &subject, &body, send).await?;
                for row in array(&mut answer, "Parameters") {
                    let Some(name) = text(&row, "Name") else { continue };
                    let Some(version) = row.get("Version").and_then(Value::as_i64) else {
                        let error = Error::unexpected(operation, name, "the answer has no version");
                        found.insert(name.to_owned(), Err(error));
                        continue;
                    };
                    let changed_at = row.get("LastModifiedDate").and_then(Value::as_f64);
                    let is_plain = text(&row, "Type").is_some_and(super::values::is_plain);
                    let fact = ParameterFact { version, changed_at, is_plain };
                    found.insert(name.to_owned(), Ok(Some(fact)));
                }
                let next = text(&answer, "NextToken").filter(|token| !token.is_empty());
                match (next, body.as_object_mut()) {
                    (Some(next), Some(members)) => {
                        members.insert("NextToken".to_owned(), json!(next));
                    }
                    _ => return Ok(found),
                }
            }
            Err(Error::unexpected(operation, &subject, "the list has more pages than names"))
        }
    })
}
