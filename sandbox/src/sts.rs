//! Security Token Service (aws.md §6.6).

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use crate::{ApiError, derived, xml::Xml};

/// Who calls, and the credentials that an account hands out.
#[derive(Debug)]
pub(crate) struct Sts {
    account: String,
    sessions: u64,
}

/// Access keys of sessions: this prefix, then the account in twelve digits, then the session.
const SESSION_PREFIX: &str = "ASIA";
const ACCOUNT_DIGITS: usize = 12;

/// The account that an access key of a session belongs to.
pub(crate) fn account_of(access_key: &str) -> Option<String> {
    let account = access_key.strip_prefix(SESSION_PREFIX)?.get(..ACCOUNT_DIGITS)?;
    account.chars().all(|letter| letter.is_ascii_digit()).then(|| account.to_owned())
}

impl Sts {
    /// The service as the callers of one account see it.
    pub(crate) fn new(account: &str) -> Self {
        Self { account: account.to_owned(), sessions: 0 }
    }

    /// Answers one call with what stands inside `<OperationResult>`.
    pub(crate) fn call(
        &mut self,
        operation: &str,
        params: &BTreeMap<String, String>,
        now: Timestamp,
    ) -> Result<String, ApiError> {
        match operation {
            "GetCallerIdentity" => Ok(self.get_caller_identity()),
            "AssumeRole" | "AssumeRoleWithWebIdentity" => self.assume_role(operation, params, now),
            operation => Err(ApiError::refused(
                "InvalidAction",
                format!("Could not find operation {operation} for version 2011-06-15"),
            )),
        }
    }

    fn get_caller_identity(&self) -> String {
        let mut xml = Xml::new();
        xml.element("Arn", format!("arn:aws:iam::{}:user/sandbox", self.account))
            .element("UserId", "AIDASANDBOXSANDBOX00")
            .element("Account", &self.account);
        xml.finish()
    }

    /// Every role of every account lets itself be assumed; the session's access key names the role's account.
    fn assume_role(
        &mut self,
        operation: &str,
        params: &BTreeMap<String, String>,
        now: Timestamp,
    ) -> Result<String, ApiError> {
        let role_arn = required(params, "RoleArn")?;
        let session = required(params, "RoleSessionName")?;
        if operation == "AssumeRoleWithWebIdentity" {
            required(params, "WebIdentityToken")?;
        }
        validate_session(session)?;
        let (account, role) = role(role_arn)?;
        let seconds = duration(params)?;
        self.sessions += 1;
        let seed = format!("{role_arn}/{session}/{}", self.sessions);
        let tail = derived::hexadecimal(&seed, 4).to_uppercase();
        let name = role.rsplit('/').next().unwrap_or(role);
        let mut xml = Xml::new();
        xml.within("AssumedRoleUser", |xml| {
            xml.element(
                "AssumedRoleId",
                format!("AROA{}:{session}", derived::hexadecimal(role_arn, 17).to_uppercase()),
            )
            .element("Arn", format!("arn:aws:sts::{account}:assumed-role/{name}/{session}"));
        });
        xml.within("Credentials", |xml| {
            xml.element("AccessKeyId", format!("{SESSION_PREFIX}{account}{tail}"))
                .element("SecretAccessKey", derived::hexadecimal(&format!("{seed}/key"), 40))
                .element("SessionToken", derived::hexadecimal(&format!("{seed}/token"), 64))
                .element("Expiration", (now + seconds).strftime("%Y-%m-%dT%H:%M:%SZ"));
        });
        if operation == "AssumeRole" {
            xml.element("PackedPolicySize", 0);
        }
        Ok(xml.finish())
    }
}

fn required<'a>(params: &'a BTreeMap<String, String>, name: &str) -> Result<&'a str, ApiError> {
    params.get(name).map(String::as_str).filter(|value| !value.is_empty()).ok_or_else(|| {
        invalid(format!(
            "Value null at '{name}' failed to satisfy constraint: Member must not be null"
        ))
    })
}

fn validate_session(name: &str) -> Result<(), ApiError> {
    let allowed = |letter: char| letter.is_ascii_alphanumeric() || "_+=,.@-".contains(letter);
    if (2..=64).contains(&name.len()) && name.chars().all(allowed) {
        return Ok(());
    }
    Err(invalid(format!(
        "Value '{name}' at 'roleSessionName' failed to satisfy constraint: Member must satisfy regular expression \
         pattern: [\\w+=,.@-]*"
    )))
}

/// The account and the name of a role.
fn role(arn: &str) -> Result<(&str, &str), ApiError> {
    let parts: Vec<&str> = arn.splitn(6, ':').collect();
    match parts.as_slice() {
        ["arn", _, "iam", "", account, resource]
            if account.len() == ACCOUNT_DIGITS
                && account.chars().all(|letter| letter.is_ascii_digit()) =>
        {
            let role = resource.strip_prefix("role/").filter(|role| !role.is_empty());
            role.map(|role| (*account, role)).ok_or_else(|| denied(arn))
        }
        _ => Err(invalid(format!("{arn} is invalid"))),
    }
}

fn duration(params: &BTreeMap<String, String>) -> Result<SignedDuration, ApiError> {
    let seconds = match params.get("DurationSeconds") {
        None => 3600,
        Some(text) => text.parse().map_err(|_| invalid(format!("{text} is not a number")))?,
    };
    if !(900..=43_200).contains(&seconds) {
        return Err(invalid(format!(
            "Value '{seconds}' at 'durationSeconds' failed to satisfy constraint: Member must have value between 900 and \
             43200"
        )));
    }
    Ok(SignedDuration::from_secs(seconds))
}

fn invalid(message: String) -> ApiError {
    ApiError::refused("ValidationError", message)
}

/// Refusals of access have status 403 here, unlike those of the JSON services.
fn denied(arn: &str) -> ApiError {
    let message = format!("User is not authorized to perform: sts:AssumeRole on resource: {arn}");
    ApiError { http_status: 403, ..ApiError::refused("AccessDenied", message) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::xml::value;

    const NOW: Timestamp = Timestamp::UNIX_EPOCH;

    fn assume(changes: &[(&str, &str)]) -> Result<String, ApiError> {
        let mut params: BTreeMap<String, String> = [
            ("RoleArn", "arn:aws:iam::444455556666:role/ops/deployer"),
            ("RoleSessionName", "longshore"),
        ]
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
        params
            .extend(changes.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        Sts::new("123456789012").call("AssumeRole", &params, NOW)
    }

    #[test]
    fn a_session_s_access_key_names_the_account_of_the_role() {
        let answer = assume(&[]).unwrap();
        let key = value(&answer, "AccessKeyId").unwrap();
        assert_eq!(key.len(), 20);
        assert_eq!(account_of(&key).as_deref(), Some("444455556666"));
        assert_eq!(value(&answer, "Expiration").unwrap(), "1970-01-01T01:00:00Z");
        assert_eq!(
            value(&answer, "Arn").unwrap(),
            "arn:aws:sts::444455556666:assumed-role/deployer/longshore"
        );
        for foreign in ["AKIAIOSFODNN7EXAMPLE", "ASIAIOSFODNN7EXAMPLE", "test", ""] {
            assert_eq!(account_of(foreign), None, "{foreign}");
        }
    }

    #[test]
    fn what_assume_role_refuses() {
        for (changes, code, status) in [
            ([("RoleArn", "")], "ValidationError", 400),
            ([("RoleArn", "deployer")], "ValidationError", 400),
            ([("RoleArn", "arn:aws:iam::444455556666:user/x")], "AccessDenied", 403),
            ([("RoleSessionName", "x")], "ValidationError", 400),
            ([("RoleSessionName", "a b")], "ValidationError", 400),
            ([("DurationSeconds", "899")], "ValidationError", 400),
            ([("DurationSeconds", "43201")], "ValidationError", 400),
        ] {
            let refusal = assume(&changes).unwrap_err();
            assert_eq!((refusal.code.as_str(), refusal.http_status), (code, status), "{changes:?}");
        }
    }

    #[test]
    fn the_caller_is_told_its_account() {
        let mut sts = Sts::new("123456789012");
        let answer = sts.call("GetCallerIdentity", &BTreeMap::new(), NOW).unwrap();
        assert_eq!(value(&answer, "Account").unwrap(), "123456789012");
        assert_eq!(sts.call("Dance", &BTreeMap::new(), NOW).unwrap_err().code, "InvalidAction");
    }
}
