//! Where a field is in its document: `spec.taskDefinition.containerDefinitions[0].image`.

use std::fmt;

/// One step down.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Into a field.
    Field(String),
    /// Into an item of a list, from 0.
    Item(usize),
}

/// The way from a document's root to one of its fields.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FieldPath(Vec<Step>);

impl FieldPath {
    /// The way from its steps.
    pub fn new(steps: Vec<Step>) -> Self {
        Self(steps)
    }

    /// The steps, from the root.
    pub fn steps(&self) -> &[Step] {
        &self.0
    }

    /// Adds a step.
    pub fn push(&mut self, step: Step) {
        self.0.push(step);
    }

    /// Takes the last step back.
    pub fn pop(&mut self) {
        self.0.pop();
    }

    /// The way to what holds the last step.
    #[must_use]
    pub fn parent(&self) -> Self {
        let mut steps = self.0.clone();
        steps.pop();
        Self(steps)
    }

    /// Reads a path as it is written by [`Display`](fmt::Display).
    pub fn parse(text: &str) -> Self {
        let mut steps = Vec::new();
        let mut rest = text;
        while !rest.is_empty() {
            rest = rest.strip_prefix('.').unwrap_or(rest);
            if let Some(quoted) = rest.strip_prefix("[\"") {
                let (name, after) = quoted.split_once("\"]").unwrap_or((quoted, ""));
                steps.push(Step::Field(name.to_owned()));
                rest = after;
            } else if let Some(inside) = rest.strip_prefix('[') {
                let (index, after) = inside.split_once(']').unwrap_or((inside, ""));
                if let Ok(index) = index.parse() {
                    steps.push(Step::Item(index));
                }
                rest = after;
            } else {
                let end = rest.find(['.', '[']).unwrap_or(rest.len());
                let (name, after) = rest.split_at(end);
                if !name.is_empty() {
                    steps.push(Step::Field(name.to_owned()));
                }
                rest = after;
            }
        }
        Self(steps)
    }
}

impl fmt::Display for FieldPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, step) in self.0.iter().enumerate() {
            match step {
                Step::Item(item) => write!(f, "[{item}]")?,
                Step::Field(name) if is_plain(name) => {
                    if index > 0 {
                        f.write_str(".")?;
                    }
                    f.write_str(name)?;
                }
                Step::Field(name) => write!(f, "[\"{}\"]", bounded(name))?,
            }
        }
        Ok(())
    }
}

fn is_plain(name: &str) -> bool {
    (1..=128).contains(&name.len())
        && name.chars().all(|letter| letter.is_alphanumeric() || "-_/$".contains(letter))
}

fn bounded(name: &str) -> String {
    name.chars().filter(|letter| !letter.is_control() && *letter != '"').take(128).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_read_as_they_are_written() {
        for text in [
            "",
            "spec.taskDefinition.containerDefinitions[0].portMappings[1].containerPort",
            "metadata.labels[\"app.kubernetes.io/name\"]",
            "[0][1]",
            "spec.service.loadBalancers[0]",
        ] {
            assert_eq!(FieldPath::parse(text).to_string(), text);
        }
    }
}
