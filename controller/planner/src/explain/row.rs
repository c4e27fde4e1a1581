//! The form of the tables: a few telling words, and what they come down to.

use super::Outlook;

/// What words come down to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Cause {
    pub(super) outlook: Outlook,
    /// What happened, as it reads after "2 tasks stopped:".
    pub(super) says: String,
    pub(super) remedy: &'static str,
}

/// Words that tell a cause.
pub(super) struct Row {
    /// All of these have to be there; the empty list asks for nothing.
    pub(super) all: &'static [&'static str],
    /// At least one of these has to be there; the empty list asks for nothing.
    pub(super) any: &'static [&'static str],
    pub(super) outlook: Outlook,
    pub(super) says: &'static str,
    pub(super) remedy: &'static str,
}

/// A table of rows: outlook, words that all have to be there, words of which one has to be, what they say, the remedy.
macro_rules! rows {
    ($name:ident: $($outlook:ident [$($all:literal),*] [$($any:literal),*] $says:literal => $remedy:literal;)+) => {
        const $name: &[$crate::explain::row::Row] = &[$(
            $crate::explain::row::Row {
                all: &[$($all),*],
                any: &[$($any),*],
                outlook: $crate::explain::Outlook::$outlook,
                says: $says,
                remedy: $remedy,
            },
        )+];
    };
}
pub(super) use rows;

impl Row {
    fn cause(&self) -> Cause {
        Cause { outlook: self.outlook, says: self.says.to_owned(), remedy: self.remedy }
    }
}

/// The first row of these tables that the text matches; the text is in lower case.
pub(super) fn find(known: &[&[Row]], text: &str) -> Option<Cause> {
    let matches = |row: &&Row| {
        row.all.iter().all(|word| text.contains(word))
            && (row.any.is_empty() || row.any.iter().any(|word| text.contains(word)))
    };
    known.iter().flat_map(|rows| rows.iter()).find(matches).map(Row::cause)
}
