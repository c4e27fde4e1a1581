//! Plain parameters: read again when Parameter Store says that they have a new version.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use futures_util::{StreamExt as _, stream};

use super::name::Referent;
use super::referents::{Answer, Found};
use crate::aws::{Account, ParameterFact, PlainParameter};
use crate::manifest::nearest;

/// How many parameters are asked for at once: enough to fill batches.
const AT_ONCE: usize = 60;

/// The parameters of one target that specs refer to.
#[derive(Debug, Default)]
pub(super) struct Parameters {
    /// What was read of each newest version.
    seen: Mutex<HashMap<String, (Stamp, Found)>>,
}

/// What changes whenever the newest version does: its number, and when it was written, in bits. A parameter that was
/// deleted and made again begins at version 1 again.
type Stamp = (i64, Option<u64>);

impl Parameters {
    /// Reads all of them. What has no new version is not asked for its value.
    pub(super) async fn read(
        &self,
        account: &Account,
        referents: Vec<Referent>,
    ) -> Vec<(Referent, Answer)> {
        self.forget_all_but(&referents);
        let answers = stream::iter(referents).map(|referent| async move {
            let answer = match &referent {
                Referent::Parameter { name, selector, .. } => {
                    self.one(account, name, selector.as_deref()).await
                }
                Referent::Terraform { .. } | Referent::Release(_) => return None,
            };
            Some((referent, answer))
        });
        answers.buffer_unordered(AT_ONCE).filter_map(|answer| async { answer }).collect().await
    }

    async fn one(&self, account: &Account, name: &str, selector: Option<&str>) -> Answer {
        let fact = match account.parameter_now(name).await {
            Ok(Some(fact)) => fact,
            Ok(None) => return missing(account, name).await,
            Err(error) => return Answer::Unread { why: error.to_string() },
        };
        if !fact.is_plain {
            return secret(name);
        }
        let stamp = stamp(&fact);
        if selector.is_none()
            && let Some(found) = self.seen(name, stamp)
        {
            return Answer::Found(found);
        }
        let wanted = selector.map_or_else(|| name.to_owned(), |it| format!("{name}:{it}"));
        match account.plain_parameter(&wanted).await {
            Ok(Some(PlainParameter::Plain { value, version })) => {
                let from = format!("parameter {name} of target {}", account.target());
                let version = Some(format!("version {version}"));
                let found = Found { text: value, from, version };
                if selector.is_none() {
                    let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
                    seen.insert(name.to_owned(), (stamp, found.clone()));
                }
                Answer::Found(found)
            }
            Ok(Some(PlainParameter::Secret)) => secret(name),
            Ok(None) => Answer::Missing {
                why: match selector {
                    Some(selector) => format!("parameter `{name}` has no version `{selector}`"),
                    None => format!("there is no parameter `{name}`"),
                },
                hint: None,
            },
            Err(error) => Answer::Unread { why: error.to_string() },
        }
    }

    fn forget_all_but(&self, referents: &[Referent]) {
        let is_used = |seen: &str| {
            referents.iter().any(
                |referent| matches!(referent, Referent::Parameter { name, .. } if name == seen),
            )
        };
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.retain(|name, _| is_used(name));
    }

    fn seen(&self, name: &str, stamp: Stamp) -> Option<Found> {
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let (at, found) = seen.get(name)?;
        (*at == stamp).then(|| found.clone())
    }
}

fn stamp(fact: &ParameterFact) -> Stamp {
    (fact.version, fact.changed_at.map(f64::to_bits))
}

fn secret(name: &str) -> Answer {
    Answer::Missing {
        why: format!("parameter `{name}` is a SecureString"),
        hint: Some(
            "anybody who may read the task definition could read it there; give it to the container by name, under `secrets`"
                .to_owned(),
        ),
    }
}

/// A hint is worth a call, but nothing depends on it.
async fn missing(account: &Account, name: &str) -> Answer {
    let beside = account.parameters_beside(name).await.unwrap_or_default();
    let beside: Vec<&str> = beside.iter().map(String::as_str).collect();
    let place = format!("target {} has no parameter `{name}`", account.target());
    Answer::Missing {
        why: place,
        hint: nearest(name, &beside).map(|nearest| format!("did you mean `{nearest}`?")),
    }
}
