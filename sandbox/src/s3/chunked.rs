//! The `aws-chunked` content encoding: chunks with or without signatures, then trailing headers.

use std::collections::BTreeMap;

use bytes::{Bytes, BytesMut};

use super::{answer::Refusal, route::Call};

/// The content of a request, and the headers that came behind it.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Payload {
    pub(super) body: Bytes,
    pub(super) trailers: BTreeMap<String, String>,
}

/// The request's content without its transfer form.
pub(super) fn payload(call: &Call<'_>) -> Result<Payload, Refusal> {
    let is_streaming =
        call.header("x-amz-content-sha256").is_some_and(|hash| hash.starts_with("STREAMING-"));
    let is_chunked = call.header("content-encoding").is_some_and(|encodings| {
        encodings.split(',').any(|encoding| encoding.trim() == "aws-chunked")
    });
    if !is_streaming && !is_chunked {
        return Ok(Payload { body: call.request.body().clone(), trailers: BTreeMap::new() });
    }
    let payload = decode(call.request.body()).ok_or_else(incomplete)?;
    let promised =
        call.header("x-amz-decoded-content-length").and_then(|length| length.parse().ok());
    if promised.is_some_and(|length: usize| length != payload.body.len()) {
        return Err(incomplete());
    }
    Ok(payload)
}

/// Chunks are `<hex length>[;chunk-signature=...]\r\n<bytes>\r\n`; the one of length zero ends them.
fn decode(encoded: &[u8]) -> Option<Payload> {
    let mut body = BytesMut::new();
    let mut rest = encoded;
    loop {
        let (line, after) = take_line(rest)?;
        let length = line.split(';').next().unwrap_or_default().trim();
        let length = usize::from_str_radix(length, 16).ok()?;
        if length == 0 {
            return Some(Payload { body: body.freeze(), trailers: trailers(after) });
        }
        body.extend_from_slice(after.get(..length)?);
        rest = after.get(length..)?.strip_prefix(b"\r\n")?;
    }
}

fn trailers(mut rest: &[u8]) -> BTreeMap<String, String> {
    let mut trailers = BTreeMap::new();
    while let Some((line, after)) = take_line(rest) {
        if let Some((name, value)) = line.split_once(':') {
            trailers.insert(name.trim().to_lowercase(), value.trim().to_owned());
        }
        rest = after;
    }
    trailers
}

fn take_line(bytes: &[u8]) -> Option<(&str, &[u8])> {
    let end = bytes.windows(2).position(|pair| pair == b"\r\n")?;
    let line = std::str::from_utf8(bytes.get(..end)?).ok()?;
    Some((line, bytes.get(end + 2..)?))
}

fn incomplete() -> Refusal {
    Refusal::new(
        400,
        "IncompleteBody",
        "You did not provide the number of bytes specified by the Content-Length HTTP header",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unsigned_chunks_with_a_trailer() {
        let encoded = b"5\r\nhello\r\n6\r\n world\r\n0\r\nx-amz-checksum-crc32:DUoRhQ==\r\n\r\n";
        let payload = decode(encoded).unwrap();
        assert_eq!(payload.body, "hello world");
        assert_eq!(payload.trailers["x-amz-checksum-crc32"], "DUoRhQ==");
    }

    #[test]
    fn signed_chunks() {
        let encoded = b"5;chunk-signature=ab\r\nhello\r\n0;chunk-signature=cd\r\n\r\n";
        assert_eq!(decode(encoded).unwrap().body, "hello");
    }

    #[test]
    fn cut_off_content_is_refused() {
        for encoded in ["", "5\r\nhel", "5\r\nhello", "zz\r\nhello\r\n0\r\n\r\n", "5\r\nhello\r\n"]
        {
            assert_eq!(decode(encoded.as_bytes()), None, "{encoded:?}");
        }
    }
}
