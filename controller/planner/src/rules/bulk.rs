//! How large a spec is (aws.md §1.2).

use std::io;

use serde::Serialize;

use super::finding::{Finding, error};
use super::subject::{SERVICE, Subject, TASK};

/// The most bytes of a block: twice what ECS takes of a task definition, because how it counts is not known.
const BYTES_MAX: usize = 128 * 1024;

/// Whether one of the blocks is so large that nothing else has to be said.
pub(super) fn check(subject: &Subject<'_>, found: &mut Vec<Finding>) -> bool {
    let before = found.len();
    for (path, bytes) in [(TASK, bytes(subject.task)), (SERVICE, bytes(subject.service))] {
        if bytes > BYTES_MAX {
            found.push(
                error(
                    path,
                    format!("has `{bytes}` bytes; more than {BYTES_MAX} are not looked at"),
                )
                .hint("ECS takes 64 KiB of a task definition; keep what is large elsewhere"),
            );
        }
    }
    found.len() > before
}

/// How many bytes something has as JSON.
fn bytes(block: &impl Serialize) -> usize {
    let mut counted = Counted(0);
    let written = serde_json::to_writer(&mut counted, block);
    debug_assert!(written.is_ok(), "counting does not fail");
    counted.0
}

struct Counted(usize);

impl io::Write for Counted {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 += bytes.len();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
