//! Files of other tools as specs: ecspresso, the task definition of GitHub's action, Copilot.
//!
//! What maps is written, what does not is said, in the file and beside it, with the place in the file that it comes from.
//! Nothing is evaluated: a template becomes a reference where there is one that means the same.

mod checks;
mod copilot;
mod ecspresso;
mod file;
mod members;
mod task_definition;
mod template;

use std::path::{Path, PathBuf};

use crds::{ClusterName, ServiceName};
use indexmap::IndexMap;

use super::{Options, Report};

pub use task_definition::task_definition;

/// What the caller says beside the files.
#[derive(Debug, Clone, Default)]
pub struct Wanted {
    /// The cluster, where the files do not name it.
    pub cluster: Option<ClusterName>,
    /// The services; the name of the only one where the files do not name it.
    pub services: Vec<ServiceName>,
    /// The Copilot environment whose overrides count.
    pub environment: Option<String>,
}

/// Which tool the files belong to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Form {
    /// The configuration of ecspresso.
    Ecspresso(PathBuf),
    /// A task definition.
    TaskDefinition(PathBuf),
    /// Copilot manifests.
    Copilot(Vec<PathBuf>),
}

/// Why files cannot be imported.
#[derive(Debug, thiserror::Error)]
pub enum FromError {
    /// A file or directory could not be read.
    #[error("cannot read {path}")]
    Read {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// Something in a file cannot be used.
    #[error("cannot import {place}: {message}")]
    Unusable {
        /// The file, with the line where there is one.
        place: String,
        /// Why.
        message: String,
    },
    /// The running service could not be read.
    #[error("cannot read the service {name}: {why}")]
    Unread {
        /// Its name.
        name: String,
        /// Why.
        why: String,
    },
}

impl FromError {
    fn unusable(place: impl Into<String>, message: impl Into<String>) -> Self {
        Self::Unusable { place: place.into(), message: message.into() }
    }
}

const ECSPRESSO_FILES: [&str; 4] =
    ["ecspresso.yml", "ecspresso.yaml", "ecspresso.json", "ecspresso.jsonnet"];
const MANIFESTS: [&str; 2] = ["manifest.yml", "manifest.yaml"];

impl Form {
    /// Tells by the looks of a file or directory which tool it belongs to.
    pub fn of(path: &Path) -> Result<Self, FromError> {
        let read = |source| FromError::Read { path: path.to_owned(), source };
        if !std::fs::metadata(path).map_err(read)?.is_dir() {
            return Self::of_file(path);
        }
        let within = |names: &[&str], folder: &Path| {
            names.iter().map(|name| folder.join(name)).find(|file| file.is_file())
        };
        if let Some(config) = within(&ECSPRESSO_FILES, path) {
            return Ok(Self::Ecspresso(config));
        }
        if let Some(manifest) = within(&MANIFESTS, path) {
            return Ok(Self::Copilot(vec![manifest]));
        }
        let root =
            if path.join("copilot").is_dir() { path.join("copilot") } else { path.to_owned() };
        let mut manifests: Vec<PathBuf> = std::fs::read_dir(&root)
            .map_err(read)?
            .filter_map(|entry| within(&MANIFESTS, &entry.ok()?.path()))
            .collect();
        manifests.sort();
        if manifests.is_empty() {
            return Err(FromError::unusable(
                path.display().to_string(),
                "it holds neither ecspresso.yml nor a Copilot manifest; a task definition is given as a file",
            ));
        }
        Ok(Self::Copilot(manifests))
    }

    fn of_file(path: &Path) -> Result<Self, FromError> {
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        if ECSPRESSO_FILES.contains(&name) {
            return Ok(Self::Ecspresso(path.to_owned()));
        }
        if MANIFESTS.contains(&name) {
            return Ok(Self::Copilot(vec![path.to_owned()]));
        }
        let text = file::SourceText::read(path)?;
        let has = |member: &str| text.value().get(member).is_some();
        if has("containerDefinitions") || has("taskDefinition") {
            Ok(Self::TaskDefinition(path.to_owned()))
        } else if has("task_definition") || has("service_definition") {
            Ok(Self::Ecspresso(path.to_owned()))
        } else if has("type") && has("image") {
            Ok(Self::Copilot(vec![path.to_owned()]))
        } else {
            Err(FromError::unusable(
                path.display().to_string(),
                "it is neither a task definition, nor an ecspresso configuration, nor a Copilot manifest",
            ))
        }
    }
}

/// The cluster that the files are about.
pub fn cluster(form: &Form, wanted: &Wanted) -> Result<ClusterName, FromError> {
    if let Some(cluster) = &wanted.cluster {
        return Ok(cluster.clone());
    }
    match form {
        Form::Ecspresso(config) => ecspresso::cluster(config),
        Form::TaskDefinition(file) => Err(FromError::unusable(
            file.display().to_string(),
            "a task definition names no cluster: give --cluster",
        )),
        Form::Copilot(_) => Err(FromError::unusable(
            "the manifest",
            "Copilot names its clusters itself: give --cluster",
        )),
    }
}

/// Imports files that say all there is to say about their services.
pub fn files(form: &Form, options: &Options, wanted: &Wanted) -> Result<Report, FromError> {
    match form {
        Form::Ecspresso(config) => ecspresso::import(config, options, wanted),
        Form::Copilot(manifests) => copilot::import(manifests, options, wanted),
        Form::TaskDefinition(file) => Err(FromError::unusable(
            file.display().to_string(),
            "a task definition says nothing of its service",
        )),
    }
}

/// Adds the variables that templates became, each with the first default that it has.
fn note_variables(uses: &[template::Use], vars: &mut IndexMap<String, Option<String>>) {
    for used in uses {
        let Some(name) = used.reference.as_deref().and_then(|text| text.strip_prefix("var:"))
        else {
            continue;
        };
        let default = vars.entry(name.to_owned()).or_default();
        if default.is_none() {
            default.clone_from(&used.default);
        }
    }
}

#[cfg(test)]
mod tests;
