//! Which repository a call tells of.

use crds::WebhookProvider;
use serde_json::Value;

/// The end of the repository's address, `acme/shop`, or what a program says of it; `None` where the call does not say.
pub(super) fn named(provider: WebhookProvider, body: &Value) -> Option<String> {
    let text = |pointer: &str| body.pointer(pointer).and_then(Value::as_str).map(str::to_owned);
    match provider {
        WebhookProvider::Github => text("/repository/full_name"),
        WebhookProvider::Gitlab => text("/project/path_with_namespace"),
        // Cloud has the whole name, Data Center its parts.
        WebhookProvider::Bitbucket => text("/repository/full_name").or_else(|| {
            let (project, slug) = (text("/repository/project/key")?, text("/repository/slug")?);
            Some(format!("{project}/{slug}"))
        }),
        WebhookProvider::Generic => text("/repository"),
    }
}
