//! From where ECS reads secrets (aws.md §4.4).
//!
//! Only ARNs are quoted: whatever else stands in `valueFrom` may be a secret that was pasted into the wrong place.

use crds::ecs::environment::Secret;

use super::finding::{Finding, error, warning};
use super::subject::{SERVICE, Subject};
use super::words::{each, is_open};

/// How many parts the ARN of a whole secret has, and how many with key, stage and version.
const WHOLE_PARTS: usize = 7;
const SUFFIXED_PARTS: usize = 10;

pub(super) fn check(subject: &Subject<'_>, found: &mut Vec<Finding>) {
    for (at, container) in &subject.containers {
        all(subject, at, "secrets", container.secrets.as_deref(), found);
        let options =
            container.log_configuration.as_ref().and_then(|log| log.secret_options.as_deref());
        all(subject, &format!("{at}.logConfiguration"), "secretOptions", options, found);
        if let Some(credentials) = &container.repository_credentials {
            let path = format!("{at}.repositoryCredentials.credentialsParameter");
            registry_credentials(path, &credentials.credentials_parameter, found);
        }
    }
    let connect = subject.service.service_connect_configuration.as_ref();
    let log = connect.and_then(|connect| connect.log_configuration.as_ref());
    let at = format!("{SERVICE}.serviceConnectConfiguration.logConfiguration");
    all(subject, &at, "secretOptions", log.and_then(|log| log.secret_options.as_deref()), found);
}

fn all(
    subject: &Subject<'_>,
    at: &str,
    member: &str,
    secrets: Option<&[Secret]>,
    found: &mut Vec<Finding>,
) {
    for (at, secret) in each(at, member, secrets) {
        if secret.name.is_empty() {
            found.push(error(format!("{at}.name"), "is empty, and a secret needs a name"));
        }
        let text = secret.value_from.as_str();
        if !is_open(text) {
            value_from(subject, format!("{at}.valueFrom"), text, found);
        }
    }
}

fn value_from(subject: &Subject<'_>, path: String, text: &str, found: &mut Vec<Finding>) {
    let parts: Vec<&str> = text.split(':').collect();
    match parts.as_slice() {
        ["arn", _, "ssm", region, account, resource @ ..] => {
            parameter_arn(path, text, region, account, &resource.join(":"), found);
        }
        ["arn", _, "secretsmanager", region, account, "secret", name, ..] => {
            account_and_region(&path, text, region, account, found);
            secret_arn(path.clone(), text, &parts, found);
            random_suffix(path.clone(), text, name, found);
            old_platform(subject, path, text, parts.len(), found);
        }
        ["arn", ..] => found.push(
            error(path, format!("`{text}` is neither a parameter nor a secret"))
                .hint("give the ARN of an SSM parameter or of a Secrets Manager secret"),
        ),
        _ => parameter_name(path, text, found),
    }
}

/// The credentials of a private registry: a whole secret, by its ARN, or by its name in the same region.
fn registry_credentials(path: String, text: &str, found: &mut Vec<Finding>) {
    if is_open(text) {
        return;
    }
    let parts: Vec<&str> = text.split(':').collect();
    match parts.as_slice() {
        ["arn", _, "secretsmanager", region, account, "secret", name] => {
            account_and_region(&path, text, region, account, found);
            random_suffix(path, text, name, found);
        }
        ["arn", _, "secretsmanager", _, _, "secret", _, ..] => found.push(
            error(
                path,
                format!(
                    "`{text}` names a part of a secret; the registry's credentials are the whole"
                ),
            )
            .hint("leave out what follows the secret's name"),
        ),
        ["arn", ..] => found.push(
            error(path, format!("`{text}` is not the ARN of a secret"))
                .hint("keep the registry's credentials in Secrets Manager"),
        ),
        _ => {}
    }
}

/// An SSM parameter by its name, in the task's own region.
fn parameter_name(path: String, text: &str, found: &mut Vec<Finding>) {
    let is_name = |text: &str| {
        !text.is_empty()
            && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_.-/".contains(&byte))
    };
    if let Some((name, _)) = text.split_once(':')
        && is_name(name)
    {
        found.push(
            warning(
                path,
                "names a label or version of a parameter, which AWS does not document here",
            )
            .hint("give the parameter's name alone; ECS reads its newest value"),
        );
    } else if !is_name(text) {
        found.push(
            error(path, "is neither the name of an SSM parameter nor an ARN")
                .hint("it says where the value is kept, and not the value"),
        );
    } else if text.contains('/') && !text.starts_with('/') {
        found.push(
            error(path, "is not the name of an SSM parameter: one with `/` in it begins with `/`")
                .hint("put `/` before it; for a Secrets Manager secret give its ARN"),
        );
    }
}

fn parameter_arn(
    path: String,
    text: &str,
    region: &str,
    account: &str,
    resource: &str,
    found: &mut Vec<Finding>,
) {
    account_and_region(&path, text, region, account, found);
    match resource.strip_prefix("parameter/") {
        Some("") => {
            found.push(error(path, format!("`{text}` has no parameter's name")));
        }
        Some(name) if name.starts_with('/') => found.push(
            error(path, format!("`{text}` has two slashes before the parameter's name"))
                .hint(format!("use `{}`", text.replacen("parameter//", "parameter/", 1))),
        ),
        Some(name) if name.contains(':') => found.push(
            warning(path, format!("`{text}` names a label or version of a parameter, which AWS does not document here"))
                .hint("give the parameter's ARN alone; ECS reads its newest value"),
        ),
        Some(_) => {}
        None => found.push(
            error(path, format!("`{text}` is not the ARN of a parameter"))
                .hint("it reads `arn:aws:ssm:<region>:<account>:parameter/<name>`"),
        ),
    }
}

fn account_and_region(
    path: &str,
    text: &str,
    region: &str,
    account: &str,
    found: &mut Vec<Finding>,
) {
    let is_account = account.len() == 12 && account.bytes().all(|byte| byte.is_ascii_digit());
    if region.is_empty() {
        found.push(error(path, format!("`{text}` has no region")));
    } else if !is_account {
        found.push(error(path, format!("`{text}` has no account of 12 digits")));
    }
}

/// When any suffix is used all three colons are there, and stage and version exclude each other.
fn secret_arn(path: String, text: &str, parts: &[&str], found: &mut Vec<Finding>) {
    let count = parts.len();
    if count != WHOLE_PARTS && count != SUFFIXED_PARTS {
        let finding = error(
            path,
            format!(
                "`{text}` has `{}` colons after the secret's name; there are none or three",
                count - WHOLE_PARTS.min(count)
            ),
        );
        found.push(if count < SUFFIXED_PARTS {
            finding.hint(format!("use `{text}{}`", ":".repeat(SUFFIXED_PARTS - count)))
        } else {
            finding.hint("it ends in `:<json-key>:<version-stage>:<version-id>`, each of them possibly empty")
        });
        return;
    }
    if let [.., stage, version] = parts
        && count == SUFFIXED_PARTS
        && !stage.is_empty()
        && !version.is_empty()
    {
        found.push(
            error(
                path,
                format!(
                    "`{text}` names both the version stage `{stage}` and the version `{version}`"
                ),
            )
            .hint("give one of the two"),
        );
    }
}

/// Secrets Manager ends every ARN with six characters of its own.
fn random_suffix(path: String, text: &str, name: &str, found: &mut Vec<Finding>) {
    let suffix = name.rsplit_once('-').map_or("", |(_, suffix)| suffix);
    if suffix.len() != 6 || !suffix.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        found.push(
            warning(path, format!("`{text}` is not the whole ARN of a secret, which ends its name in `-` and 6 characters"))
                .hint("copy the ARN from Secrets Manager"),
        );
    }
}

fn old_platform(
    subject: &Subject<'_>,
    path: String,
    text: &str,
    parts: usize,
    found: &mut Vec<Finding>,
) {
    let Some(version) = subject.older_platform() else { return };
    let is_too_old = parts == SUFFIXED_PARTS || version != "1.3.0";
    if is_too_old {
        found.push(
            error(path, format!("`{text}` cannot be read on Fargate {version}"))
                .hint("use platformVersion `1.4.0` or `LATEST`"),
        );
    }
}
