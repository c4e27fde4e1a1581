//! What a reference names.

use std::fmt;

use crds::{ReleaseName, TargetName, TfstateName};

use super::ReferenceError;
use super::tfstate::Address;

/// What stands between `${` and `}`, understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Reference {
    /// A variable of the operator's configuration.
    Variable(String),
    /// A value that lies outside and may change by itself.
    Outside(Referent),
}

/// The name of a value that lies outside the sources and changes by itself.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Referent {
    /// `${ssm:name}`: a plain parameter in the account and region of the service.
    Parameter {
        /// Whose parameter it is.
        target: TargetName,
        /// Its name.
        name: String,
        /// The version's number or label, where the reference names one behind a `:`.
        selector: Option<String>,
    },
    /// `${tfstate:address}`: a value of a Terraform state.
    Terraform {
        /// Which state of the operator's configuration.
        state: TfstateName,
        /// The value's address in it.
        address: Address,
    },
    /// `${release:name}`: the image that a release has chosen, `repository@sha256:…`.
    Release(ReleaseName),
}

/// Where values come from: what is read together, at one rhythm.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Origin {
    /// Parameter Store of a target.
    Parameters(TargetName),
    /// A Terraform state.
    Terraform(TfstateName),
    /// The releases of all sources.
    Releases,
}

/// What to do about a reference that is none.
pub(super) const KINDS: &str = "known are `${var:NAME}`, `${ssm:/PARAMETER}`, `${tfstate:ADDRESS}` and `${release:NAME}`; \
                                write `$${` for a literal `${`";

impl Reference {
    /// Understands a reference in an object of a target.
    pub(super) fn parse(
        scheme: &str,
        argument: &str,
        target: &TargetName,
    ) -> Result<Self, ReferenceError> {
        Ok(match scheme {
            "var" => Self::Variable(argument.to_owned()),
            "ssm" => Self::Outside(parameter(argument, target)?),
            "tfstate" => Self::Outside(terraform(argument)?),
            "release" => {
                let name = argument.parse().map_err(|error: crds::InvalidName| {
                    ReferenceError::new(error.to_string(), None)
                })?;
                Self::Outside(Referent::Release(name))
            }
            _ => {
                let message = format!("`${{{}:…}}` is not a known kind of reference", cut(scheme));
                return Err(ReferenceError::new(message, Some(KINDS.to_owned())));
            }
        })
    }
}

/// `/shop/url`, `/shop/url:3` or `/shop/url:label` (aws.md §6.1).
fn parameter(argument: &str, target: &TargetName) -> Result<Referent, ReferenceError> {
    let wrong = |what: &str, hint: &str| {
        let message = format!("`{}` is not the name of a parameter: {what}", cut(argument));
        Err(ReferenceError::new(message, Some(hint.to_owned())))
    };
    if argument.starts_with("arn:") {
        return wrong(
            "it is an ARN",
            "write its name; account and region are those of the service's target",
        );
    }
    let (name, selector) = match argument.split_once(':') {
        Some((name, selector)) => (name, Some(selector)),
        None => (argument, None),
    };
    let may_hold = |letter: char| letter.is_ascii_alphanumeric() || "_.-/".contains(letter);
    if name.is_empty() || name.len() > 1011 || !name.chars().all(may_hold) {
        return wrong(
            "names have 1 to 1011 letters, digits, `.`, `-`, `_` and `/`",
            "write `${ssm:/shop/url}`",
        );
    }
    if name.contains('/') && !name.starts_with('/') {
        return wrong("a name with `/` starts with one", "write `${ssm:/shop/url}`");
    }
    let may_select = |letter: char| letter.is_ascii_alphanumeric() || "_.-".contains(letter);
    if selector.is_some_and(|it| it.is_empty() || it.len() > 100 || !it.chars().all(may_select)) {
        return wrong(
            "behind the `:` stands the number or the label of a version",
            "write `${ssm:/shop/url:3}`, or leave it out for the newest version",
        );
    }
    Ok(Referent::Parameter {
        target: target.clone(),
        name: name.to_owned(),
        selector: selector.map(str::to_owned),
    })
}

/// `address` or `NAME/address`. No address has a `/` before the first `.`.
fn terraform(argument: &str) -> Result<Referent, ReferenceError> {
    let named = argument.split_once('/').and_then(|(name, address)| {
        let name: TfstateName = name.parse().ok()?;
        Some((name, address))
    });
    let (state, address) = named.unwrap_or_else(|| (TfstateName::default(), argument));
    Ok(Referent::Terraform { state, address: Address::parse(address)? })
}

impl Referent {
    /// Where the value comes from.
    pub fn origin(&self) -> Origin {
        match self {
            Self::Parameter { target, .. } => Origin::Parameters(target.clone()),
            Self::Terraform { state, .. } => Origin::Terraform(state.clone()),
            Self::Release(_) => Origin::Releases,
        }
    }
}

/// The reference as a spec writes it.
impl fmt::Display for Referent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Parameter { name, selector: None, .. } => write!(f, "${{ssm:{name}}}"),
            Self::Parameter { name, selector: Some(selector), .. } => {
                write!(f, "${{ssm:{name}:{selector}}}")
            }
            Self::Terraform { state, address } if *state == TfstateName::default() => {
                write!(f, "${{tfstate:{address}}}")
            }
            Self::Terraform { state, address } => write!(f, "${{tfstate:{state}/{address}}}"),
            Self::Release(name) => write!(f, "${{release:{name}}}"),
        }
    }
}

fn cut(text: &str) -> String {
    text.chars().filter(|letter| !letter.is_control()).take(80).collect()
}
