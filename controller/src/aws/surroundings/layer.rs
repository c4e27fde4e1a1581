//! What the configuration of an image says, which is a layer of it (aws.md §6.3).
//!
//! ECR gives no layers itself. It signs an address of S3 where one lies for an hour; whoever has the address needs no other
//! right. So nothing of ours goes there with the request, no credentials least of all, and what comes back is believed
//! because its digest is the one that was asked for.

use std::fmt;

use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::Intercept;
use aws_smithy_runtime_api::client::interceptors::context::BeforeTransmitInterceptorContextMut;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::config_bag::ConfigBag;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::super::account::Account;
use super::super::answer::text;
use super::super::error::Error;
use super::super::operation::Operation;
use super::super::s3;
use super::super::sdk_error::{Sent, from_sdk};
use super::json_send;
use super::repository::{Repository, platform_of};

/// The most bytes of a configuration; real ones have a few thousand.
const CONFIGURATION_MAX: u64 = 4 << 20;

/// Where a layer lies, for an hour. Whoever knows it can read the layer.
#[derive(Clone)]
pub struct LayerAddress(String);

impl fmt::Debug for LayerAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LayerAddress")
    }
}

impl Account {
    /// Where a layer of a repository lies.
    pub async fn layer_address(
        &self,
        repository: &Repository,
        digest: &str,
    ) -> Result<LayerAddress, Error> {
        let operation = Operation::GetDownloadUrlForLayer;
        let body = repository.body(json!({ "layerDigest": digest }));
        let send = json_send!(ecr.get_download_url_for_layer);
        let name = repository.name.as_str();
        let answer = self.inner.connection.ask_json(operation, name, &body, send).await?;
        let address = text(&answer, "downloadUrl").map(str::to_owned).map(LayerAddress);
        address.ok_or_else(|| Error::unexpected(operation, name, "the answer names no address"))
    }

    /// What an image runs on, `linux/arm64/v8`, by its configuration at this address; `None` where that does not say.
    pub async fn configured_platform(
        &self,
        address: &LayerAddress,
        digest: &str,
    ) -> Result<Option<String>, Error> {
        let operation = Operation::GetObject;
        let unexpected = |message: &str| Error::unexpected(operation, digest, message);
        let attempt = || async {
            let read = self.layer(address, digest);
            tokio::time::timeout(s3::BODY_TIMEOUT, read).await.unwrap_or_else(|_| {
                let seconds = s3::BODY_TIMEOUT.as_secs();
                Err(unexpected(&format!("no complete answer within {seconds} s")))
            })
        };
        let content = self.inner.connection.calls.repeat(operation, None, attempt).await?;
        if format!("sha256:{}", hex::encode(Sha256::digest(&content))) != digest {
            return Err(unexpected("what lies there has another digest"));
        }
        let configuration: Value = serde_json::from_slice(&content)
            .map_err(|_| unexpected("the configuration of the image is not JSON"))?;
        Ok(platform_of(&configuration))
    }

    async fn layer(&self, address: &LayerAddress, digest: &str) -> Result<Vec<u8>, Error> {
        // The address takes the place of bucket and key.
        let request = self.inner.connection.clients.layers.get_object().bucket("layer").key(digest);
        let answer = request.customize().interceptor(At(address.clone())).send().await;
        let answer = answer
            .map_err(|error| from_sdk(Operation::GetObject, digest, Sent::Perhaps, &error))?;
        s3::body(answer.body, CONFIGURATION_MAX, digest).await
    }
}

/// Sends a request to a signed address and nothing with it. S3 refuses what is signed twice, and headers of its own that the
/// signature does not hold.
#[derive(Debug)]
struct At(LayerAddress);

impl Intercept for At {
    fn name(&self) -> &'static str {
        "At"
    }

    fn modify_before_transmit(
        &self,
        context: &mut BeforeTransmitInterceptorContextMut<'_>,
        _components: &RuntimeComponents,
        _bag: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let request = context.request_mut();
        let names: Vec<String> =
            request.headers().iter().map(|(name, _)| name.to_owned()).collect();
        for name in names {
            request.headers_mut().remove(name);
        }
        let LayerAddress(address) = &self.0;
        request.set_uri(address.as_str())?;
        Ok(())
    }
}
