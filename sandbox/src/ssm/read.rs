//! The reading operations.

use std::collections::BTreeMap;

use aws_smithy_types::base64;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::{Kind, Parameter, Ssm, Version, filters, names};
use crate::{
    ApiError,
    json::{bounded, epoch, flag, list, required_text, text, texts, without_nulls},
    keyset,
};

const NAMES_MAX: usize = 10;

/// A parameter's version together with the selector that chose it.
pub(super) struct Found<'a> {
    pub(super) name: &'a str,
    pub(super) parameter: &'a Parameter,
    pub(super) version: &'a Version,
    selector: Option<String>,
}

impl Ssm {
    pub(super) fn get_parameter(&self, input: &Value) -> Result<Value, ApiError> {
        let found = self.find(required_text(input, "Name")?)?;
        let decrypt = flag(input, "WithDecryption")?.unwrap_or(false);
        Ok(json!({"Parameter": self.show(&found, decrypt)}))
    }

    /// Sorted by name, whatever the order of the request; what is unknown goes to `InvalidParameters`.
    pub(super) fn get_parameters(&self, input: &Value) -> Result<Value, ApiError> {
        let names = requested_names(input)?;
        let decrypt = flag(input, "WithDecryption")?.unwrap_or(false);
        let mut found = BTreeMap::new();
        let mut invalid = Vec::new();
        for name in names {
            match self.find(name) {
                Ok(row) => {
                    found.insert((row.name, row.version.number, name), self.show(&row, decrypt));
                }
                Err(_) => invalid.push(name),
            }
        }
        let parameters: Vec<Value> = found.into_values().collect();
        Ok(json!({"Parameters": parameters, "InvalidParameters": invalid}))
    }

    pub(super) fn get_parameters_by_path(&self, input: &Value) -> Result<Value, ApiError> {
        let path = required_text(input, "Path")?;
        let recursive = flag(input, "Recursive")?.unwrap_or(false);
        let decrypt = flag(input, "WithDecryption")?.unwrap_or(false);
        let size = bounded(input, "MaxResults", (1, 10), 10)?;
        if !path.starts_with('/') {
            return Err(ApiError::refused(
                "ValidationException",
                "The parameter doesn't meet the parameter name requirements. The parameter name must begin with a \
                 forward slash \"/\". It can't be prefixed with \"aws\" or \"ssm\" (case-insensitive).",
            ));
        }
        let wanted =
            filters::parse(list(input, "ParameterFilters")?.unwrap_or_default(), filters::BY_PATH)?;
        let rows = self.parameters.iter().filter(|(name, parameter)| {
            filters::is_below(name, path, recursive) && filters::all(&wanted, name, parameter)
        });
        let page = keyset::cut(rows, size, text(input, "NextToken")?, |(name, _)| (*name).clone())
            .map_err(|keyset::InvalidToken| invalid_token())?;
        let parameters = page.rows.into_iter().filter_map(|(name, parameter)| {
            let version = parameter.current()?;
            Some(self.show(&Found { name, parameter, version, selector: None }, decrypt))
        });
        let parameters: Vec<Value> = parameters.collect();
        Ok(without_nulls(json!({"Parameters": parameters, "NextToken": page.next})))
    }

    pub(super) fn get_parameter_history(&self, input: &Value) -> Result<Value, ApiError> {
        let reference = required_text(input, "Name")?;
        let decrypt = flag(input, "WithDecryption")?.unwrap_or(false);
        let size = bounded(input, "MaxResults", (1, 50), 50)?;
        let (name, parameter) = self.parameter(reference).ok_or_else(not_found)?;
        let page = keyset::cut(&parameter.versions, size, text(input, "NextToken")?, |version| {
            format!("{:010}", version.number)
        })
        .map_err(|keyset::InvalidToken| invalid_token())?;
        let parameters = page.rows.into_iter().map(|version| {
            json!({
                "Name": name,
                "Type": parameter.kind.name(),
                "KeyId": parameter.key_id,
                "Description": parameter.description,
                "LastModifiedDate": epoch(version.modified),
                "LastModifiedUser": self.user(),
                "Value": value(name, parameter.kind, version, decrypt),
                "Version": version.number,
                "Labels": version.labels,
                "Tier": parameter.tier,
                "Policies": [],
                "DataType": parameter.data_type,
            })
        });
        let parameters: Vec<Value> = parameters.collect();
        Ok(without_nulls(json!({"Parameters": parameters, "NextToken": page.next})))
    }

    pub(super) fn describe_parameters(&self, input: &Value) -> Result<Value, ApiError> {
        let size = bounded(input, "MaxResults", (1, 50), 50)?;
        let wanted = filters::parse(
            list(input, "ParameterFilters")?.unwrap_or_default(),
            filters::DESCRIBE,
        )?;
        let rows = self
            .parameters
            .iter()
            .filter(|(name, parameter)| filters::all(&wanted, name, parameter));
        let page = keyset::cut(rows, size, text(input, "NextToken")?, |(name, _)| (*name).clone())
            .map_err(|keyset::InvalidToken| invalid_token())?;
        let parameters = page.rows.into_iter().filter_map(|(name, parameter)| {
            let current = parameter.current()?;
            Some(json!({
                "Name": name,
                "ARN": self.arn(name),
                "Type": parameter.kind.name(),
                "KeyId": parameter.key_id,
                "LastModifiedDate": epoch(current.modified),
                "LastModifiedUser": self.user(),
                "Description": parameter.description,
                "Version": current.number,
                "Tier": parameter.tier,
                "Policies": [],
                "DataType": parameter.data_type,
            }))
        });
        let parameters: Vec<Value> = parameters.collect();
        Ok(without_nulls(json!({"Parameters": parameters, "NextToken": page.next})))
    }

    /// The version that a name, `name:version`, `name:label` or an ARN means.
    pub(super) fn find(&self, reference: &str) -> Result<Found<'_>, ApiError> {
        let (bare, selector) = names::split_selector(reference);
        let (name, parameter) = self.parameter(bare).ok_or_else(not_found)?;
        let version = match selector {
            None => parameter.current(),
            Some(selector) => match selector.parse::<u64>() {
                Ok(number) => parameter.versions.iter().find(|version| version.number == number),
                Err(_) => parameter
                    .versions
                    .iter()
                    .find(|version| version.labels.iter().any(|label| label == selector)),
            },
        };
        let version =
            version.ok_or_else(|| version_not_found(name, selector.unwrap_or_default()))?;
        Ok(Found { name, parameter, version, selector: selector.map(|text| format!(":{text}")) })
    }

    /// The parameter of a name or an ARN of this account and region.
    pub(super) fn parameter(&self, reference: &str) -> Option<(&str, &Parameter)> {
        let prefix = self.arn("");
        let found = match reference.strip_prefix(prefix.as_str()) {
            Some(name) => self
                .parameters
                .get_key_value(&format!("/{name}"))
                .or_else(|| self.parameters.get_key_value(name)),
            None => self.parameters.get_key_value(reference),
        };
        found.map(|(name, parameter)| (name.as_str(), parameter))
    }

    fn show(&self, found: &Found<'_>, decrypt: bool) -> Value {
        without_nulls(json!({
            "Name": found.name,
            "Type": found.parameter.kind.name(),
            "Value": value(found.name, found.parameter.kind, found.version, decrypt),
            "Version": found.version.number,
            "Selector": found.selector,
            "LastModifiedDate": epoch(found.version.modified),
            "ARN": self.arn(found.name),
            "DataType": found.parameter.data_type,
        }))
    }

    fn user(&self) -> String {
        format!("arn:aws:iam::{}:root", self.account)
    }
}

pub(super) fn requested_names(input: &Value) -> Result<Vec<&str>, ApiError> {
    let names = texts(input, "Names")?;
    if crate::json::member(input, "Names").is_none() {
        return Err(crate::json::absent("Names"));
    }
    let rule = match names.len() {
        0 => "Member must have length greater than or equal to 1",
        1..=NAMES_MAX => return Ok(names),
        _ => "Member must have length less than or equal to 10",
    };
    Err(crate::json::constraint("Names", &format!("[{}]", names.join(", ")), rule))
}

pub(super) fn not_found() -> ApiError {
    ApiError::refused("ParameterNotFound", "")
}

pub(super) fn version_not_found(name: &str, selector: &str) -> ApiError {
    ApiError::refused(
        "ParameterVersionNotFound",
        format!(
            "Systems Manager could not find version {selector} of {name}. Verify the version and try again."
        ),
    )
}

fn invalid_token() -> ApiError {
    ApiError::refused("InvalidNextToken", "The specified token is not valid.")
}

/// What a reader gets: without decryption a secure value is ciphertext that changes with every version.
fn value(name: &str, kind: Kind, version: &Version, decrypt: bool) -> String {
    match kind {
        Kind::SecureString if !decrypt => {
            let digest = Sha256::digest(format!("{name}\n{}\n{}", version.number, version.value));
            let mut ciphertext = vec![0x01, 0x02, 0x02, 0x00, 0x78];
            ciphertext.extend_from_slice(&digest);
            base64::encode(ciphertext)
        }
        Kind::String | Kind::StringList | Kind::SecureString => version.value.clone(),
    }
}
