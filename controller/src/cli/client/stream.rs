//! Server-sent events, as they arrive.

use reqwest::Response;
use serde_json::Value;

use super::ClientError;

/// How long a line may be; the longest holds one service.
const LINE_MAX: usize = 8 << 20;

/// A watch under way.
pub(in crate::cli) struct Stream {
    response: Response,
    server: String,
    parser: Parser,
}

/// What a watch tells.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::cli) enum Happening {
    /// Nothing, but the server is there.
    Beat,
    /// Something.
    Event {
        /// What kind of event: `service`, `source`, ….
        name: String,
        /// Where a later watch goes on.
        id: Option<String>,
        /// What it is about.
        data: Value,
    },
}

impl Stream {
    pub(super) fn new(response: Response, server: String) -> Self {
        Self { response, server, parser: Parser::default() }
    }

    /// Waits for what comes next; `None` when the server ends the stream. Dropping the future loses nothing.
    pub(in crate::cli) async fn next(&mut self) -> Result<Option<Happening>, ClientError> {
        loop {
            if let Some(happening) = self.parser.next() {
                return Ok(Some(happening));
            }
            let chunk = self.response.chunk().await;
            match chunk.map_err(|error| ClientError::unreachable(&self.server, &error))? {
                Some(chunk) => self.parser.push(&chunk),
                None => return Ok(None),
            }
            if self.parser.buffer.len() > LINE_MAX {
                let what = "an event without end".to_owned();
                return Err(ClientError::Strange { server: self.server.clone(), what });
            }
        }
    }
}

/// Cuts a stream of bytes into events.
#[derive(Default)]
struct Parser {
    buffer: Vec<u8>,
    name: String,
    id: Option<String>,
    data: String,
}

impl Parser {
    fn push(&mut self, bytes: &[u8]) {
        self.buffer.extend_from_slice(bytes);
    }

    /// The next event of which every line has arrived.
    fn next(&mut self) -> Option<Happening> {
        while let Some(end) = self.buffer.iter().position(|byte| *byte == b'\n') {
            let line: Vec<u8> = self.buffer.drain(..=end).collect();
            let line = String::from_utf8_lossy(&line);
            if let Some(happening) = self.line(line.trim_end_matches(['\n', '\r'])) {
                return Some(happening);
            }
        }
        None
    }

    fn line(&mut self, line: &str) -> Option<Happening> {
        if line.is_empty() {
            let (name, id) = (std::mem::take(&mut self.name), self.id.take());
            let data = std::mem::take(&mut self.data);
            let data = serde_json::from_str(&data).unwrap_or(Value::Null);
            return (!name.is_empty()).then_some(Happening::Event { name, id, data });
        }
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "" => return Some(Happening::Beat),
            "event" => value.clone_into(&mut self.name),
            "id" => self.id = Some(value.to_owned()),
            "data" => {
                if !self.data.is_empty() {
                    self.data.push('\n');
                }
                self.data.push_str(value);
            }
            _ => {}
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn events_are_found_however_they_are_cut() {
        let text = ": heartbeat\n\nretry: 2000\nevent: start\ndata: {\"complete\":true}\n\n\
                    event: service\nid: a-1\ndata: {\"x\":\ndata: 1}\n\nevent: cut off\n";
        let event = |name: &str, id: Option<&str>, data| Happening::Event {
            name: name.to_owned(),
            id: id.map(str::to_owned),
            data,
        };
        for size in [1, 7, text.len()] {
            let mut parser = Parser::default();
            let mut seen = Vec::new();
            for chunk in text.as_bytes().chunks(size) {
                parser.push(chunk);
                seen.extend(std::iter::from_fn(|| parser.next()));
            }
            assert_eq!(
                seen,
                [
                    Happening::Beat,
                    event("start", None, json!({"complete": true})),
                    event("service", Some("a-1"), json!({"x": 1})),
                ]
            );
        }
    }
}
