//! From what exists to specs: running services, or the files of other tools.
//!
//! What comes in: a cluster, or files of ecspresso, of the GitHub action or of Copilot. What leaves: the text of one file a
//! service and of a `Controller`, with comments where something needs a person. The promise: the plan right after an import
//! changes nothing but tags. It is not hoped for: what is written is read back, planned against what was read of AWS, and
//! what would differ is written out in full; where that does not help, the report says so.

mod controller_file;
mod document;
mod draft;
pub mod from;
mod notes;
mod order;
mod read;
mod service;
mod settle;
mod tidy;
mod verdict;
mod write;
mod yaml;

use crds::{ClusterName, ObjectKey, OwnerName, ServiceName, SyncPolicy, TargetName};
use indexmap::IndexMap;

use crate::aws::{Account, Error};

pub use controller_file::controller_file;
pub use verdict::Verdict;
pub use write::{WriteError, Written, write};

/// The source under which imported specs are written down.
pub const SOURCE: &str = "services";

/// Where and as what services are imported.
#[derive(Debug, Clone)]
pub struct Options {
    /// The operator that is to manage them.
    pub owner: OwnerName,
    /// Account and region, by their name in the operator's configuration.
    pub target: TargetName,
    /// The ECS cluster.
    pub cluster: ClusterName,
    /// Only these services; all where none is named.
    pub services: Vec<ServiceName>,
    /// Where it is said that they may be taken over.
    pub adopt: Adopt,
    /// Values for `${var:name}` that the operator has already.
    pub vars: IndexMap<String, String>,
}

/// Where `adopt: true` is said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Adopt {
    /// Once, in the source's policy of the `Controller` file.
    InSource,
    /// In each service: there is a `Controller` already, whose policy does not say so.
    InService,
}

impl Options {
    /// The policy of the source in which the specs will be.
    fn policy(&self) -> SyncPolicy {
        let adopt = (self.adopt == Adopt::InSource).then_some(true);
        SyncPolicy { adopt, ..SyncPolicy::default() }
    }

    fn key(&self, name: &ServiceName) -> ObjectKey {
        ObjectKey { target: self.target.clone(), cluster: self.cluster.clone(), name: name.clone() }
    }
}

/// What came of an import.
#[derive(Debug, Default)]
pub struct Report {
    /// The services for which there is a file.
    pub services: Vec<ImportedService>,
    /// The services for which there is none.
    pub skipped: Vec<Skipped>,
    /// The region that files name.
    pub region: Option<String>,
    /// Values for `${var:name}` that the specs need, with their defaults where they have one.
    pub vars: IndexMap<String, Option<String>>,
}

/// One service and its file.
#[derive(Debug)]
pub struct ImportedService {
    /// What it is called and where it runs.
    pub key: ObjectKey,
    /// The file, relative to the directory that is written.
    pub file: String,
    /// What the file holds.
    pub text: String,
    /// What needs a person.
    pub notes: Vec<Note>,
    /// What a plan of the file does.
    pub verdict: Verdict,
}

/// Something about a spec that needs a person; it stands in the file as a comment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// Where: `shop/web.yaml:14`, or the place in the file that it was made from.
    pub place: String,
    /// The field, as `spec.taskDefinition.cpu`; empty for the whole.
    pub path: String,
    /// What.
    pub message: String,
}

/// A service that has no file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Skipped {
    /// Its name.
    pub name: String,
    /// Why.
    pub why: String,
    /// Whether it should have had one: it could not be read.
    pub is_failure: bool,
}

/// Imports the services of a cluster.
pub async fn cluster(
    account: &Account,
    options: &Options,
    now: jiff::Timestamp,
) -> Result<Report, Error> {
    let mut report = Report::default();
    for (name, reading) in read::services(account, options).await? {
        match reading {
            Ok(found) => {
                report.services.push(service::import(&found, options, account.region(), now))
            }
            Err(obstacle) => report.skipped.push(obstacle.of(name)),
        }
    }
    Ok(report)
}

/// The file of a service. Clusters have folders, so that several can be imported into one directory.
fn file_of(key: &ObjectKey) -> String {
    let target = if key.target == TargetName::default() {
        String::new()
    } else {
        format!("{}/", key.target)
    };
    format!("{SOURCE}/{target}{}/{}.yaml", key.cluster, key.name)
}
