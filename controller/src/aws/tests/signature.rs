//! The signature covers our JSON: computed again here from what went out, as AWS does.

use serde_json::json;
use sha2::{Digest, Sha256};

use super::canned::{Canned, Heard, Reply};

/// HMAC-SHA256 by its definition, RFC 2104.
fn hmac(key: &[u8], message: &[u8]) -> Vec<u8> {
    assert!(key.len() <= 64);
    let pad =
        |byte: u8| (0..64).map(|at| key.get(at).copied().unwrap_or(0) ^ byte).collect::<Vec<u8>>();
    let inner = Sha256::new().chain_update(pad(0x36)).chain_update(message).finalize();
    Sha256::new().chain_update(pad(0x5c)).chain_update(inner).finalize().to_vec()
}

fn between<'text>(text: &'text str, start: &str, end: char) -> &'text str {
    text.split_once(start).unwrap().1.split(end).next().unwrap()
}

/// Signature Version 4 of the request, with the keys that an AWS within this process is called with.
fn signature(heard: &Heard) -> String {
    let authorization = &heard.headers["authorization"];
    let names = between(authorization, "SignedHeaders=", ',');
    let scope = between(authorization, "Credential=", ',').split_once('/').unwrap().1;
    let headers: String = names
        .split(';')
        .map(|name| match heard.headers.get(name) {
            Some(value) => format!("{name}:{}\n", value.trim()),
            None => format!("{name}:ecs.eu-west-1.amazonaws.com\n"),
        })
        .collect();
    let payload = hex::encode(Sha256::digest(&heard.body));
    let canonical = format!("POST\n/\n\n{headers}\n{names}\n{payload}");
    let to_sign = format!(
        "AWS4-HMAC-SHA256\n{}\n{scope}\n{}",
        heard.headers["x-amz-date"],
        hex::encode(Sha256::digest(canonical.as_bytes()))
    );
    let key =
        scope.split('/').fold(b"AWS4made-up".to_vec(), |key, part| hmac(&key, part.as_bytes()));
    hex::encode(hmac(&key, to_sign.as_bytes()))
}

#[tokio::test(start_paused = true)]
async fn the_signature_is_of_our_body() {
    let answer = json!({ "service": {} }).to_string();
    let canned = Canned::new([Reply::Answer(200, answer)]);
    let account = canned.account().await;
    account.update_service(&json!({ "service": "web", "desiredCount": 3 })).await.unwrap();

    let mut heard = canned.heard().remove(0);
    let given = between(&heard.headers["authorization"], "Signature=", ',').to_owned();
    assert_eq!(signature(&heard), given);
    let names = between(&heard.headers["authorization"], "SignedHeaders=", ',').to_owned();
    assert!(names.split(';').any(|name| name == "content-length"), "{names}");
    assert!(heard.headers["x-amz-date"].starts_with("20261121T0000"), "{heard:?}");
    heard.body[3] ^= 1;
    assert_ne!(signature(&heard), given);
}
