//! What was called, and what was answered.

use std::{
    fs::File,
    io::{self, Write as _},
    path::Path,
};

use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;

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

/// The calls so far.
#[derive(Debug, Default)]
pub(crate) struct Record {
    calls: Vec<CallRecord>,
    forgotten: usize,
    most: Option<usize>,
    file: Option<File>,
}

impl Record {
    pub(crate) fn add(&mut self, call: CallRecord) {
        if let Some(file) = &mut self.file {
            let line = serde_json::to_string(&call).unwrap_or_default();
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

    /// The calls after the first `count`.
    pub(crate) fn since(&self, count: usize) -> Vec<CallRecord> {
        self.calls.iter().skip(count.saturating_sub(self.forgotten)).cloned().collect()
    }

    pub(crate) fn len(&self) -> usize {
        self.forgotten + self.calls.len()
    }

    pub(crate) fn count(&self, api: &str, operation: &str) -> usize {
        let same = |call: &&CallRecord| call.api == api && call.operation == operation;
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

    fn call(operation: &str) -> CallRecord {
        CallRecord {
            time: Timestamp::UNIX_EPOCH,
            api: "ecs".to_owned(),
            operation: operation.to_owned(),
            account: String::new(),
            region: String::new(),
            status: 200,
            request: Value::Null,
            response: Value::Null,
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
        let newest: Vec<_> = record.since(18).into_iter().map(|call| call.operation).collect();
        assert_eq!(newest, ["18", "19"]);
        assert_eq!(record.count("ecs", "19"), 1);
        assert_eq!(record.count("ecs", "1"), 0);
    }
}
