//! What was called, and what was answered.

use std::{
    collections::BTreeMap,
    fs::File,
    io::{self, Write as _},
    path::Path,
};

use bytes::Bytes;
use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Value, json};

use crate::cbor;

/// One call as it was answered.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CallRecord {
    /// The world's time of the call.
    pub time: Timestamp,
    /// The API by its signing name, `ecs` for instance.
    pub api: String,
    /// The operation, `UpdateService` for instance.
    pub operation: String,
    /// The account that was called.
    pub account: String,
    /// The Region that was called.
    pub region: String,
    /// The HTTP status of the answer; 0 if the call was refused before it was read.
    pub status: u16,
    /// The body of the request, as JSON; null for bodies that are not.
    pub request: Value,
    /// The body of the answer, as JSON; null for bodies that are not.
    pub response: Value,
}

/// One call as it is kept: what its bodies say is read when somebody asks.
#[derive(Debug)]
pub(crate) struct KeptCall {
    pub(crate) time: Timestamp,
    pub(crate) api: String,
    pub(crate) operation: String,
    pub(crate) account: String,
    pub(crate) region: String,
    pub(crate) status: u16,
    pub(crate) request: KeptBody,
    pub(crate) response: KeptBody,
}

/// A body as it was sent.
#[derive(Debug)]
pub(crate) enum KeptBody {
    /// JSON, or something that is none.
    Json(Bytes),
    Cbor(Bytes),
    Form(BTreeMap<String, String>),
    None,
}

impl KeptBody {
    fn read(&self) -> Value {
        match self {
            Self::Json(body) => serde_json::from_slice(body).unwrap_or_default(),
            Self::Cbor(body) => cbor::read(body).unwrap_or_default(),
            Self::Form(members) => json!(members),
            Self::None => Value::Null,
        }
    }
}

impl KeptCall {
    fn told(&self) -> CallRecord {
        CallRecord {
            time: self.time,
            api: self.api.clone(),
            operation: self.operation.clone(),
            account: self.account.clone(),
            region: self.region.clone(),
            status: self.status,
            request: self.request.read(),
            response: self.response.read(),
        }
    }
}

/// The calls so far.
#[derive(Debug, Default)]
pub(crate) struct Record {
    calls: Vec<KeptCall>,
    forgotten: usize,
    most: Option<usize>,
    file: Option<File>,
}

impl Record {
    pub(crate) fn add(&mut self, call: KeptCall) {
        if let Some(file) = &mut self.file {
            let line = serde_json::to_string(&call.told()).unwrap_or_default();
            if let Err(error) = writeln!(file, "{line}") {
                tracing::warn!(%error, "cannot write call record");
            }
        }
        self.calls.push(call);
        if let Some(most) = self.most
            && self.calls.len() >= most.saturating_mul(2)
        {
            self.forgotten += self.calls.len() - most;
            self.calls.drain(..self.calls.len() - most);
        }
    }

    /// Keeps at least the newest `most` calls and at most twice as many.
    pub(crate) fn keep(&mut self, most: usize) {
        self.most = Some(most.max(1));
    }

    /// The calls after the first `count` that are asked for by API and operation.
    pub(crate) fn since(
        &self,
        count: usize,
        is_asked_for: impl Fn(&str, &str) -> bool,
    ) -> Vec<CallRecord> {
        let calls = self.calls.iter().skip(count.saturating_sub(self.forgotten));
        let calls = calls.filter(|call| is_asked_for(&call.api, &call.operation));
        calls.map(KeptCall::told).collect()
    }

    pub(crate) fn len(&self) -> usize {
        self.forgotten + self.calls.len()
    }

    pub(crate) fn count(&self, api: &str, operation: &str) -> usize {
        let same = |call: &&KeptCall| call.api == api && call.operation == operation;
        self.calls.iter().filter(same).count()
    }

    pub(crate) fn write_to(&mut self, path: &Path) -> io::Result<()> {
        self.file = Some(File::create(path)?);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(operation: &str) -> KeptCall {
        KeptCall {
            time: Timestamp::UNIX_EPOCH,
            api: "ecs".to_owned(),
            operation: operation.to_owned(),
            account: String::new(),
            region: String::new(),
            status: 200,
            request: KeptBody::None,
            response: KeptBody::None,
        }
    }

    #[test]
    fn a_bounded_record_forgets_the_oldest_and_keeps_positions() {
        let mut record = Record::default();
        record.keep(3);
        for number in 0..20 {
            record.add(call(&number.to_string()));
        }
        assert_eq!(record.len(), 20);
        let newest: Vec<_> =
            record.since(18, |_, _| true).into_iter().map(|call| call.operation).collect();
        assert_eq!(newest, ["18", "19"]);
        assert_eq!(record.count("ecs", "19"), 1);
        assert_eq!(record.count("ecs", "1"), 0);
    }
}
