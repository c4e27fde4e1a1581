//! Writes files without taking anybody's work away.

use std::path::{Path, PathBuf};

/// What became of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Written {
    /// There was none.
    New,
    /// It was there, and equal.
    Unchanged,
    /// It was there, differed, and was replaced because that was asked for.
    Replaced,
}

/// Why nothing, or not everything, was written.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// Files are there and differ. Nothing was written.
    #[error("cannot write {}; --force replaces what is there", listed(.0))]
    Differ(Vec<PathBuf>),
    /// A file or its folder could not be read or written.
    #[error("cannot write {path}")]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
}

/// Writes files by their names relative to a directory: all of them, or none where one is there and differs.
pub fn write<'a>(
    directory: &Path,
    files: impl IntoIterator<Item = (&'a str, &'a str)>,
    force: bool,
) -> Result<Vec<Written>, WriteError> {
    let mut planned = Vec::new();
    for (name, text) in files {
        let path = directory.join(name);
        let outcome = match std::fs::read(&path) {
            Ok(bytes) if bytes == text.as_bytes() => Written::Unchanged,
            Ok(_) => Written::Replaced,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Written::New,
            Err(source) => return Err(WriteError::Io { path, source }),
        };
        planned.push((path, text, outcome));
    }
    let differ: Vec<PathBuf> = planned
        .iter()
        .filter(|(_, _, outcome)| *outcome == Written::Replaced && !force)
        .map(|(path, _, _)| path.clone())
        .collect();
    if !differ.is_empty() {
        return Err(WriteError::Differ(differ));
    }
    planned
        .into_iter()
        .map(|(path, text, outcome)| {
            if outcome != Written::Unchanged {
                replace(&path, text).map_err(|source| WriteError::Io { path, source })?;
            }
            Ok(outcome)
        })
        .collect()
}

/// The new content appears whole or not at all.
fn replace(path: &Path, text: &str) -> std::io::Result<()> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    let part = path.with_extension("yaml.part");
    std::fs::write(&part, text)?;
    std::fs::rename(&part, path)
}

/// `a.yaml: it is there and differs`.
fn listed(paths: &[PathBuf]) -> String {
    const SHOWN: usize = 5;
    let mut names: Vec<String> =
        paths.iter().take(SHOWN).map(|path| path.display().to_string()).collect();
    if paths.len() > SHOWN {
        names.push(format!("{} more", paths.len() - SHOWN));
    }
    let why =
        if paths.len() == 1 { "it is there and differs" } else { "they are there and differ" };
    format!("{}: {why}", names.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_overwritten_that_differs() {
        let folder = tempfile::TempDir::new().unwrap();
        let all = [("a/web.yaml", "1"), ("b.yaml", "2")];
        assert_eq!(write(folder.path(), all, false).unwrap(), [Written::New, Written::New]);
        assert_eq!(
            write(folder.path(), all, false).unwrap(),
            [Written::Unchanged, Written::Unchanged]
        );
        let changed = [("c.yaml", "new"), ("b.yaml", "3")];
        let error = write(folder.path(), changed, false).unwrap_err().to_string();
        assert!(error.contains("b.yaml: it is there and differs; --force"), "{error}");
        assert!(!folder.path().join("c.yaml").exists());
        assert_eq!(write(folder.path(), changed, true).unwrap(), [Written::New, Written::Replaced]);
        assert_eq!(std::fs::read_to_string(folder.path().join("b.yaml")).unwrap(), "3");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 3);
    }
}
