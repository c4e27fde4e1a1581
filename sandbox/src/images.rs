//! How containers behave, told by their image.

use std::time::Duration;

use serde::Deserialize;
use sha2::{Digest, Sha256};

use crate::fixtures::duration;

/// How containers of the images that match behave.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ImageRule {
    /// An image reference, `repo:tag` or `repo@sha256:…`; `*` stands for any text.
    #[serde(rename = "match")]
    pub pattern: String,
    /// Only for tasks of `RunTask` that replace the container's command: the words of the new one, `*` stands for any text.
    #[serde(default)]
    pub command: Option<String>,
    /// The digest that its tag points at; derived from the reference unless given.
    #[serde(default)]
    pub digest: Option<String>,
    /// What the containers do.
    #[serde(default)]
    pub behaviour: ImageBehaviour,
}

impl ImageRule {
    /// A rule for one pattern, with a derived digest.
    pub fn new(pattern: &str, behaviour: ImageBehaviour) -> Self {
        Self { pattern: pattern.to_owned(), command: None, digest: None, behaviour }
    }

    /// A rule for containers whose command was replaced.
    pub fn for_command(pattern: &str, command: &str, behaviour: ImageBehaviour) -> Self {
        Self { command: Some(command.to_owned()), ..Self::new(pattern, behaviour) }
    }
}

/// What the containers of an image do.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub enum ImageBehaviour {
    /// They run, and pass whatever check there is.
    #[default]
    Runs,
    /// The image is in no registry.
    NotFound,
    /// The registry does not let the task pull it.
    Denied,
    /// They end by themselves.
    Exits {
        /// The exit code.
        code: i64,
        /// For how long they run; zero means that the task never reaches RUNNING.
        #[serde(deserialize_with = "duration", default)]
        after: Duration,
        /// Whether the kernel ends them for want of memory.
        #[serde(default)]
        oom: bool,
    },
    /// They run, and fail their container health check or, without one, the target's.
    Unhealthy,
    /// They run, and pass no check before this long.
    SlowStart(#[serde(deserialize_with = "duration")] Duration),
    /// They run, and ignore the stop signal.
    IgnoresStop,
    /// They run, pass every check, and answer so many percent of their requests with 5xx.
    FailsRequests(u32),
}

/// How long a command runs that was given to a task in place of its image's own.
const ONE_OFF: Duration = Duration::from_secs(5);

/// The rules of the world, newest first.
#[derive(Debug, Clone)]
pub(crate) struct ImageBook {
    rules: Vec<ImageRule>,
    strict: bool,
}

impl ImageBook {
    pub(crate) fn new(rules: Vec<ImageRule>, strict: bool) -> Self {
        Self { rules, strict }
    }

    /// Puts a rule before all others, in place of an older one for the same pattern.
    pub(crate) fn set(&mut self, rule: ImageRule) {
        self.rules.retain(|old| old.pattern != rule.pattern || old.command != rule.command);
        self.rules.insert(0, rule);
    }

    pub(crate) fn behaviour(&self, image: &str) -> ImageBehaviour {
        match self.rule(image) {
            Some(rule) => rule.behaviour.clone(),
            None if self.strict => ImageBehaviour::NotFound,
            None => ImageBehaviour::Runs,
        }
    }

    /// What a container does whose command was replaced: what a rule for that command says; else it ends well after a
    /// moment, unless the image itself cannot run.
    pub(crate) fn behaviour_of_command(&self, image: &str, command: &str) -> ImageBehaviour {
        let fits = |rule: &&ImageRule| {
            let own = rule.command.as_deref();
            matches(&rule.pattern, image) && own.is_some_and(|own| matches(own, command))
        };
        if let Some(rule) = self.rules.iter().find(fits) {
            return rule.behaviour.clone();
        }
        match self.behaviour(image) {
            ImageBehaviour::Runs
            | ImageBehaviour::Unhealthy
            | ImageBehaviour::SlowStart(_)
            | ImageBehaviour::IgnoresStop
            | ImageBehaviour::FailsRequests(_) => {
                ImageBehaviour::Exits { code: 0, after: ONE_OFF, oom: false }
            }
            other @ (ImageBehaviour::NotFound
            | ImageBehaviour::Denied
            | ImageBehaviour::Exits { .. }) => other,
        }
    }

    /// The digest that the reference stands for.
    pub(crate) fn digest(&self, image: &str) -> String {
        if let Some((_, digest)) = image.split_once('@') {
            return digest.to_owned();
        }
        match self.rule(image).and_then(|rule| rule.digest.clone()) {
            Some(digest) => digest,
            None => format!("sha256:{}", hex::encode(Sha256::digest(image))),
        }
    }

    fn rule(&self, image: &str) -> Option<&ImageRule> {
        let of_image = |rule: &&ImageRule| rule.command.is_none() && matches(&rule.pattern, image);
        self.rules.iter().find(of_image)
    }
}

/// Whether `text` is `pattern`, in which `*` stands for any text.
pub(crate) fn matches(pattern: &str, text: &str) -> bool {
    let Some((head, rest)) = pattern.split_once('*') else { return pattern == text };
    let Some(mut left) = text.strip_prefix(head) else { return false };
    let mut parts = rest.split('*').peekable();
    while let Some(part) = parts.next() {
        if parts.peek().is_none() {
            return left.ends_with(part);
        }
        match left.find(part) {
            Some(at) => left = left.get(at + part.len()..).unwrap_or_default(),
            None => return false,
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stars_stand_for_any_text() {
        for (pattern, text, expected) in [
            ("web:v1", "web:v1", true),
            ("web:v1", "web:v12", false),
            ("web:*", "web:v1", true),
            ("*/web:bad-*", "1.dkr.ecr/web:bad-3", true),
            ("*/web:bad-*", "1.dkr.ecr/web:good", false),
            ("a*b*c", "a--b--c", true),
            ("a*b*c", "a--c", false),
            ("ab*bc", "abc", false),
            ("*", "", true),
        ] {
            assert_eq!(matches(pattern, text), expected, "{pattern} {text}");
        }
    }

    #[test]
    fn the_newest_rule_wins_and_strict_books_know_no_others() {
        let mut book = ImageBook::new(vec![ImageRule::new("web:*", ImageBehaviour::Runs)], true);
        assert_eq!(book.behaviour("web:v1"), ImageBehaviour::Runs);
        assert_eq!(book.behaviour("api:v1"), ImageBehaviour::NotFound);
        book.set(ImageRule::new("web:v2", ImageBehaviour::Denied));
        assert_eq!(book.behaviour("web:v2"), ImageBehaviour::Denied);
        assert_eq!(book.digest("web@sha256:ab"), "sha256:ab");
        assert_eq!(book.digest("web:v1"), book.digest("web:v1"));
        assert_ne!(book.digest("web:v1"), book.digest("web:v2"));
    }

    #[test]
    fn a_replaced_command_ends_well_unless_a_rule_or_the_image_says_otherwise() {
        let exits = |code| ImageBehaviour::Exits { code, after: ONE_OFF, oom: false };
        let rules = vec![
            ImageRule::for_command("web:*", "migrate*", exits(3)),
            ImageRule::new("web:v1", ImageBehaviour::Unhealthy),
            ImageRule::new("web:gone", ImageBehaviour::NotFound),
        ];
        let book = ImageBook::new(rules, false);
        assert_eq!(book.behaviour_of_command("web:v1", "migrate up"), exits(3));
        assert_eq!(book.behaviour_of_command("web:v1", "seed"), exits(0));
        assert_eq!(book.behaviour_of_command("web:gone", "seed"), ImageBehaviour::NotFound);
        assert_eq!(book.behaviour("web:v1"), ImageBehaviour::Unhealthy);
    }

    #[test]
    fn behaviours_are_written_plainly() {
        let rules: Vec<ImageRule> = serde_saphyr::from_str(
            "- match: a\n- match: b\n  behaviour: notFound\n- match: c\n  behaviour: {exits: {code: 1, after: 5s}}\n- match: d\n  behaviour: {slowStart: 1m}\n- match: e\n  behaviour: {failsRequests: 20}\n",
        )
        .unwrap();
        assert_eq!(rules[0].behaviour, ImageBehaviour::Runs);
        assert_eq!(rules[1].behaviour, ImageBehaviour::NotFound);
        let exits = ImageBehaviour::Exits { code: 1, after: Duration::from_secs(5), oom: false };
        assert_eq!(rules[2].behaviour, exits);
        assert_eq!(rules[3].behaviour, ImageBehaviour::SlowStart(Duration::from_mins(1)));
        assert_eq!(rules[4].behaviour, ImageBehaviour::FailsRequests(20));
    }
}
