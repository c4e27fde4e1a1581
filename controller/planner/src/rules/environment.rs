//! What a container finds in its environment (aws.md §4.3).

use std::collections::BTreeSet;

use crds::ecs::ContainerDefinition;
use crds::ecs::environment::KeyValuePair;

use super::finding::{Finding, error, warning};
use super::subject::{Subject, TASK};
use super::words::{each, has_any, is_open};

const MAX_FILES: usize = 10;

/// Words by which names of variables say that their value is secret.
const SECRET_WORDS: &[&str] =
    &["PASSWORD", "PASSWD", "PASSPHRASE", "SECRET", "TOKEN", "APIKEY", "DSN", "CREDENTIALS"];

/// Pairs of words that say so together.
const SECRET_PAIRS: &[(&str, &str)] = &[
    ("API", "KEY"),
    ("PRIVATE", "KEY"),
    ("ACCESS", "KEY"),
    ("SIGNING", "KEY"),
    ("ENCRYPTION", "KEY"),
];

/// How tokens begin whose makers mark them.
const TOKEN_PREFIXES: &[&str] = &[
    "ghp_",
    "gho_",
    "ghs_",
    "github_pat_",
    "glpat-",
    "xoxb-",
    "xoxp-",
    "sk_live_",
    "rk_live_",
    "npm_",
    "AIza",
];

/// Last words of names that speak about a secret and are none.
const ABOUT_SECRETS: &[&str] = &[
    "ARN",
    "ENABLED",
    "EXPIRATION",
    "EXPIRY",
    "FILE",
    "HEADER",
    "ID",
    "ISSUER",
    "LENGTH",
    "LIFETIME",
    "NAME",
    "PATH",
    "SECONDS",
    "TIMEOUT",
    "TTL",
    "TYPE",
    "URI",
    "URL",
    "VERSION",
];

pub(super) fn check(subject: &Subject<'_>, found: &mut Vec<Finding>) {
    files(subject, found);
    for (at, container) in &subject.containers {
        for (at, variable) in each(at, "environment", container.environment.as_deref()) {
            if variable.name.is_empty() {
                found.push(error(format!("{at}.name"), "is empty, and a variable needs a name"));
            }
            plaintext_secret(&at, variable, found);
        }
        unique_names(at, container, found);
    }
}

/// The environment files of all containers together.
fn files(subject: &Subject<'_>, found: &mut Vec<Finding>) {
    let mut count = 0;
    for (at, container) in &subject.containers {
        let files = container.environment_files.as_deref();
        if has_any(files) && subject.is_windows && subject.is_fargate {
            found.push(error(
                format!("{at}.environmentFiles"),
                "is not possible for Windows on Fargate",
            ));
        }
        for (at, file) in each(at, "environmentFiles", files) {
            count += 1;
            self::file(format!("{at}.value"), &file.value, found);
        }
    }
    if count > MAX_FILES {
        found.push(error(
            format!("{TASK}.containerDefinitions"),
            format!("have `{count}` environment files; a task takes {MAX_FILES}"),
        ));
    }
}

fn file(path: String, arn: &str, found: &mut Vec<Finding>) {
    if is_open(arn) {
        return;
    }
    let object = arn
        .strip_prefix("arn:")
        .and_then(|rest| rest.split_once(":s3:::"))
        .map(|(_, object)| object);
    let is_object = object
        .and_then(|object| object.split_once('/'))
        .is_some_and(|(bucket, key)| !bucket.is_empty() && !key.is_empty());
    if !is_object {
        found.push(
            error(path, format!("`{arn}` is not the ARN of an object in S3"))
                .hint("it reads `arn:aws:s3:::<bucket>/<key>.env`"),
        );
    } else if arn.strip_suffix(".env").is_none() {
        found
            .push(error(path, format!("`{arn}` does not end in `.env`")).hint("rename the object"));
    }
}

/// One name, one value. Between `environment` and `secrets` that ECS refuses it is not confirmed.
fn unique_names(at: &str, container: &ContainerDefinition, found: &mut Vec<Finding>) {
    let mut variables = BTreeSet::new();
    for (at, variable) in each(at, "environment", container.environment.as_deref()) {
        let name = variable.name.as_str();
        if !is_open(name) && !variables.insert(name) {
            found.push(error(
                format!("{at}.name"),
                format!("`{name}` is already the name of another variable"),
            ));
        }
    }
    let mut secrets = BTreeSet::new();
    for (at, secret) in each(at, "secrets", container.secrets.as_deref()) {
        let name = secret.name.as_str();
        let path = format!("{at}.name");
        if is_open(name) {
            continue;
        }
        if !secrets.insert(name) {
            found.push(error(path, format!("`{name}` is already the name of another secret")));
        } else if variables.contains(name) {
            found.push(
                warning(
                    path,
                    format!("`{name}` is a variable in environment too; ECS may refuse it"),
                )
                .hint("leave one of the two out"),
            );
        }
    }
}

/// Anybody who may describe the task definition reads its environment. The value stays out of the message.
fn plaintext_secret(at: &str, variable: &KeyValuePair, found: &mut Vec<Finding>) {
    let Some(value) = variable.value.as_deref().filter(|value| is_plain(value)) else { return };
    let message = if has_password_in_url(value) {
        format!("`{}` holds an address with a password in plain text", variable.name)
    } else if value.contains("PRIVATE KEY-----") {
        format!("`{}` holds a private key in plain text", variable.name)
    } else if is_marked_token(value) {
        format!("`{}` holds a token in plain text", variable.name)
    } else if names_secret(&variable.name) {
        format!("`{}` looks like a secret in plain text", variable.name)
    } else {
        return;
    };
    found.push(warning(format!("{at}.value"), message).hint(
        "put it into SSM Parameter Store or Secrets Manager and refer to it under `secrets`",
    ));
}

/// Whether a value may be a secret at all: not empty, not a reference to one, not a switch or a number.
fn is_plain(value: &str) -> bool {
    let value = value.trim();
    !value.is_empty()
        && !is_open(value)
        && !value.starts_with("arn:")
        && !value.starts_with('/')
        && !["true", "false", "none", "null"].iter().any(|word| value.eq_ignore_ascii_case(word))
}

fn names_secret(name: &str) -> bool {
    let words = words(name);
    let is_about = words.last().is_some_and(|last| ABOUT_SECRETS.contains(&last.as_str()));
    let has_word = words.iter().any(|word| SECRET_WORDS.contains(&word.as_str()));
    let has_pair = words.windows(2).any(|pair| match pair {
        [first, second] => SECRET_PAIRS.contains(&(first.as_str(), second.as_str())),
        _ => false,
    });
    !is_about && (has_word || has_pair)
}

/// The words of `dbPassword`, `DB_PASSWORD` and `db.password`, in capitals.
fn words(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut after_lower = false;
    for letter in name.chars() {
        let starts = letter.is_uppercase() && after_lower;
        after_lower = letter.is_lowercase() || letter.is_ascii_digit();
        if !letter.is_alphanumeric() || starts {
            words.push(String::new());
        }
        if letter.is_alphanumeric()
            && let Some(word) = words.last_mut()
        {
            word.extend(letter.to_uppercase());
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

/// Whether a value has the form of a token that its maker marks as one, of an AWS access key, or of a signed JWT.
fn is_marked_token(value: &str) -> bool {
    let value = value.trim();
    let is_access_key = value.len() == 20
        && (value.starts_with("AKIA") || value.starts_with("ASIA"))
        && value.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit());
    let is_jwt = value.len() > 60 && value.starts_with("eyJ") && value.matches('.').count() == 2;
    let is_prefixed =
        value.len() >= 20 && TOKEN_PREFIXES.iter().any(|prefix| value.starts_with(prefix));
    is_access_key || is_jwt || is_prefixed
}

/// `scheme://user:password@host`
fn has_password_in_url(value: &str) -> bool {
    let Some((_, rest)) = value.split_once("://") else { return false };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let Some((user, _)) = authority.rsplit_once('@') else { return false };
    user.split_once(':').is_some_and(|(_, password)| !password.is_empty())
}

#[cfg(test)]
mod tests {
    use super::{has_password_in_url, is_marked_token, names_secret};

    #[test]
    fn names_of_secrets_are_told_from_names_about_them() {
        for name in [
            "PASSWORD",
            "DB_PASSWORD",
            "dbPassword",
            "API_KEY",
            "apiKey",
            "STRIPE_APIKEY",
            "SENTRY_DSN",
            "jwt.secret",
            "AWS_SECRET_ACCESS_KEY",
        ] {
            assert!(names_secret(name), "{name}");
        }
        for name in [
            "TOKEN_TTL",
            "SECRET_ARN",
            "PASSWORD_FILE",
            "TOKENIZER",
            "KEY",
            "SECRETARY",
            "AWS_ACCESS_KEY_ID",
            "SSO_TOKEN_URL",
        ] {
            assert!(!names_secret(name), "{name}");
        }
    }

    #[test]
    fn tokens_are_known_by_their_marks() {
        let made_up = "x".repeat(36);
        for token in [
            format!("ghp_{made_up}"),
            format!("xoxb-{made_up}"),
            "AKIA".to_owned() + "IOSFODNN7EXAMPLE",
        ] {
            assert!(is_marked_token(&token), "{token}");
        }
        assert!(is_marked_token(&format!("eyJ{made_up}.{made_up}.{made_up}")));
        for plain in ["AKIA", "ghp_", "hello", "eyJ", "npm_config_registry", "v1.2.3"] {
            assert!(!is_marked_token(plain), "{plain}");
        }
    }

    #[test]
    fn addresses_with_passwords_are_told_from_those_without() {
        assert!(has_password_in_url("postgres://shop:hunter2@db.internal/shop"));
        assert!(has_password_in_url("amqp://shop:p@ss@queue:5672"));
        assert!(!has_password_in_url("postgres://shop@db.internal:5432/shop"));
        assert!(!has_password_in_url("https://example.com/a:b@c"));
        assert!(!has_password_in_url("user:password@host"));
    }
}
