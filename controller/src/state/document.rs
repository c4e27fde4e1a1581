//! What a document of the store is: something with a key, a place and a form in JSON.

use std::fmt;

/// A document of the state store.
pub(super) trait Document:
    Clone + Default + PartialEq + fmt::Debug + Send + Sync + 'static
{
    /// What it is about.
    type Key: Clone + fmt::Display + Send + Sync + 'static;

    /// Its place below the store's root. Names have no characters that mean anything in a path.
    fn place(key: &Self::Key) -> String;

    /// Whether nothing would be lost with it.
    fn is_empty(&self) -> bool;

    /// As it is written.
    fn to_json(&self, key: &Self::Key) -> Result<Vec<u8>, serde_json::Error>;

    /// From what was written about this key, or why it cannot be read.
    fn from_json(key: &Self::Key, bytes: &[u8]) -> Result<Self, String>;
}
