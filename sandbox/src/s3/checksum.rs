//! Checksums: `Content-MD5` and the `x-amz-checksum-*` family.

use std::collections::BTreeMap;

use aws_smithy_types::base64;
use md5::{Digest, Md5};
use sha2::Sha256;

use super::{answer::Refusal, route::Call};

const CRC32: u64 = 0xEDB8_8320;
const CRC32C: u64 = 0x82F6_3B78;
const CRC64_NVME: u64 = 0x9A6C_9329_AC4B_C9B5;

/// The MD5 of some bytes.
pub(super) fn md5(bytes: &[u8]) -> [u8; 16] {
    Md5::digest(bytes).into()
}

/// The checksums that a request promises, in its headers or behind its body, by the names of their headers.
pub(super) fn promised(
    call: &Call<'_>,
    trailers: &BTreeMap<String, String>,
) -> BTreeMap<String, String> {
    let headers = call.request.headers().iter().filter_map(|(name, value)| {
        Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned()))
    });
    let mut promised = trailers.clone();
    promised.extend(headers);
    promised.retain(|name, _| {
        name.strip_prefix("x-amz-checksum-")
            .is_some_and(|algorithm| !["algorithm", "type", "mode"].contains(&algorithm))
    });
    promised
}

/// The quoted MD5 that is the `ETag` of an object written in one piece.
pub(super) fn etag(body: &[u8]) -> String {
    format!("\"{}\"", hex::encode(Md5::digest(body)))
}

/// Refuses a body that is not the one that `Content-MD5` promises.
pub(super) fn verify_md5(promised: &str, body: &[u8]) -> Result<(), Refusal> {
    let promised =
        base64::decode(promised).ok().filter(|digest| digest.len() == 16).ok_or_else(|| {
            Refusal::new(400, "InvalidDigest", "The Content-MD5 you specified was invalid.")
        })?;
    if promised == Md5::digest(body).to_vec() {
        return Ok(());
    }
    Err(Refusal::new(
        400,
        "BadDigest",
        "The Content-MD5 you specified did not match what we received.",
    ))
}

/// Refuses a body that is not the one that the checksum promises; SHA-1 is believed.
pub(super) fn verify(header: &str, promised: &str, body: &[u8]) -> Result<(), Refusal> {
    let algorithm = header.strip_prefix("x-amz-checksum-").unwrap_or(header);
    match compute(algorithm, body) {
        Some(actual) if actual != promised => Err(Refusal::new(
            400,
            "BadDigest",
            &format!(
                "The {} you specified did not match the calculated checksum.",
                algorithm.to_uppercase()
            ),
        )),
        Some(_) | None => Ok(()),
    }
}

/// The checksum in the form of its header, for the algorithms known here.
pub(super) fn compute(algorithm: &str, body: &[u8]) -> Option<String> {
    let short = |polynomial: u64| {
        let value = crc(body, polynomial, u64::from(u32::MAX));
        value.to_be_bytes().get(4..).map(base64::encode)
    };
    match algorithm {
        "crc32" => short(CRC32),
        "crc32c" => short(CRC32C),
        "crc64nvme" => Some(base64::encode(crc(body, CRC64_NVME, u64::MAX).to_be_bytes())),
        "sha256" => Some(base64::encode(Sha256::digest(body))),
        _ => None,
    }
}

/// A reflected CRC whose register starts with, and is finally turned by, `ones`.
fn crc(body: &[u8], polynomial: u64, ones: u64) -> u64 {
    let mut register = ones;
    for byte in body {
        register ^= u64::from(*byte);
        for _ in 0..8 {
            let carry = register & 1;
            register = (register >> 1) ^ (polynomial * carry);
        }
    }
    register ^ ones
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn check_values_of_the_published_algorithms() {
        let hexadecimal = |algorithm: &str| {
            hex::encode(base64::decode(compute(algorithm, b"123456789").unwrap()).unwrap())
        };
        assert_eq!(hexadecimal("crc32"), "cbf43926");
        assert_eq!(hexadecimal("crc32c"), "e3069283");
        assert_eq!(hexadecimal("crc64nvme"), "ae8b14860a799888");
        assert_eq!(etag(b""), "\"d41d8cd98f00b204e9800998ecf8427e\"");
    }

    #[test]
    fn wrong_promises_are_refused() {
        assert_eq!(
            verify("x-amz-checksum-crc32", "AAAAAA==", b"x").unwrap_err().error.code,
            "BadDigest"
        );
        assert!(verify("x-amz-checksum-crc32", "jNxR8Q==", b"x").is_err());
        assert_eq!(verify_md5("short", b"x").unwrap_err().error.code, "InvalidDigest");
        assert_eq!(
            verify_md5("1B2M2Y8AsgTpgAmY7PhCfg==", b"x").unwrap_err().error.code,
            "BadDigest"
        );
        assert!(verify_md5("1B2M2Y8AsgTpgAmY7PhCfg==", b"").is_ok());
    }
}
