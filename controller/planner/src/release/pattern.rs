//! Regular expressions over tags: linear in time, bounded in size.

use regex_lite::{Regex, RegexBuilder};

/// The longest pattern.
const PATTERN_MAX: usize = 256;
/// The most bytes that a compiled pattern takes; bounds the steps per character.
const COMPILED_MAX: usize = 32 * 1024;
/// How deep groups may be nested.
const DEPTH_MAX: u32 = 32;
/// The group that holds the version.
const VERSION: &str = "version";

/// A pattern that tags are compared with.
#[derive(Debug, Clone)]
pub(super) struct Pattern {
    regex: Regex,
    has_version: bool,
}

impl Pattern {
    /// Compiles a pattern, or says what is wrong with it.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        if text.len() > PATTERN_MAX {
            return Err(format!("the pattern is longer than {PATTERN_MAX} characters"));
        }
        let regex = RegexBuilder::new(text)
            .size_limit(COMPILED_MAX)
            .nest_limit(DEPTH_MAX)
            .build()
            .map_err(|error| format!("`{text}` is not a regular expression: {error}"))?;
        let mut names = regex.capture_names().flatten();
        if let Some(other) = names.clone().find(|name| *name != VERSION) {
            return Err(format!(
                "the group `{other}` of `{text}` has no meaning: call it `{VERSION}`"
            ));
        }
        let has_version = names.next().is_some();
        Ok(Self { regex, has_version })
    }

    /// Whether a tag matches.
    pub(super) fn is_match(&self, tag: &str) -> bool {
        self.regex.is_match(tag)
    }

    /// The version in a tag that matches: the group's text, or the whole tag where there is no group.
    pub(super) fn version<'t>(&self, tag: &'t str) -> Option<&'t str> {
        if !self.has_version {
            return self.is_match(tag).then_some(tag);
        }
        Some(self.regex.captures(tag)?.name(VERSION)?.as_str())
    }
}
