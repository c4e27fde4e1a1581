//! Attributes that hold secrets whether or not a state marks them: older versions of Terraform mark only what came out of
//! sensitive variables.

use super::address::{Address, Holder, Step};

/// Resources whose named attributes are secrets.
const OF_RESOURCES: &[(&str, &[&str])] = &[
    ("aws_ssm_parameter", &["value", "value_wo"]),
    ("aws_secretsmanager_secret_version", &["secret_string", "secret_binary"]),
    ("aws_iam_access_key", &["secret", "ses_smtp_password_v4"]),
    ("aws_kms_ciphertext", &["plaintext"]),
    ("random_password", &["result", "bcrypt_hash"]),
    ("tls_private_key", &["private_key_pem", "private_key_openssh", "private_key_pem_pkcs8"]),
];

/// The last words of names that mean a secret wherever they stand.
const WORDS: &[&str] =
    &["password", "passphrase", "secret", "private_key", "auth_token", "secret_key"];

/// Whether an address names what must be taken for a secret.
pub(super) fn is_secret(address: &Address) -> bool {
    let Holder::Resource { resource, .. } = &address.holder else { return false };
    let Some(Step::Member(first)) = address.path.first() else { return false };
    let named = OF_RESOURCES.iter().find(|(kind, _)| *kind == resource.kind);
    if named.is_some_and(|(_, attributes)| attributes.contains(&first.as_str())) {
        return true;
    }
    let last = address.path.iter().rev().find_map(|step| match step {
        Step::Member(name) => Some(name.to_lowercase()),
        Step::Item(_) => None,
    });
    last.is_some_and(|name| is_secret_word(&name))
}

fn is_secret_word(name: &str) -> bool {
    WORDS.iter().any(|word| {
        name.strip_suffix(word).is_some_and(|before| before.is_empty() || before.ends_with('_'))
    })
}
