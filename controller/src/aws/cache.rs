//! Answers that never change, kept as text within a budget of bytes.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, PoisonError};

use serde_json::Value;

/// Immutable JSON by ARN; when the budget is spent, what was not asked for the longest is dropped.
///
/// Kept as text because parsed JSON takes several times the memory and is quick to parse again.
#[derive(Debug)]
pub(super) struct Cache {
    bytes_max: usize,
    content: Mutex<Content>,
}

#[derive(Debug, Default)]
struct Content {
    entries: HashMap<String, Entry>,
    /// The keys by the time of their last use.
    order: BTreeMap<u64, String>,
    uses: u64,
    bytes: usize,
}

#[derive(Debug)]
struct Entry {
    text: Box<str>,
    used: u64,
}

impl Cache {
    pub(super) fn new(bytes_max: usize) -> Self {
        Self { bytes_max, content: Mutex::default() }
    }

    /// The JSON of `arn`, if it is still here.
    pub(super) fn get(&self, arn: &str) -> Option<Value> {
        let mut content = self.content.lock().unwrap_or_else(PoisonError::into_inner);
        let Content { entries, order, uses, .. } = &mut *content;
        let entry = entries.get_mut(arn)?;
        *uses += 1;
        if let Some(key) = order.remove(&entry.used) {
            order.insert(*uses, key);
        }
        entry.used = *uses;
        serde_json::from_str(&entry.text).ok()
    }

    /// Keeps `value` under `arn`.
    pub(super) fn put(&self, arn: &str, value: &Value) {
        let text = value.to_string().into_boxed_str();
        let mut content = self.content.lock().unwrap_or_else(PoisonError::into_inner);
        content.remove(arn);
        content.uses += 1;
        let used = content.uses;
        content.bytes += cost(arn, &text);
        content.order.insert(used, arn.to_owned());
        content.entries.insert(arn.to_owned(), Entry { text, used });
        while content.bytes > self.bytes_max {
            let Some((_, oldest)) = content.order.pop_first() else { break };
            content.remove(&oldest);
        }
    }

    /// Forgets `arn`.
    pub(super) fn forget(&self, arn: &str) {
        self.content.lock().unwrap_or_else(PoisonError::into_inner).remove(arn);
    }
}

impl Content {
    fn remove(&mut self, arn: &str) {
        if let Some(entry) = self.entries.remove(arn) {
            self.order.remove(&entry.used);
            self.bytes -= cost(arn, &entry.text);
        }
    }
}

/// Bytes that an entry takes: its text, its key twice, and the tables' share.
fn cost(arn: &str, text: &str) -> usize {
    text.len() + 2 * arn.len() + 128
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_was_not_asked_for_the_longest_goes_first() {
        let cache = Cache::new(3 * cost("a", "1"));
        for arn in ["a", "b", "c"] {
            cache.put(arn, &json!(1));
        }
        assert_eq!(cache.get("a"), Some(json!(1)));
        cache.put("d", &json!(1));
        assert_eq!(cache.get("b"), None);
        assert_eq!(cache.get("a"), Some(json!(1)));
        assert_eq!(cache.get("c"), Some(json!(1)));
        assert_eq!(cache.get("d"), Some(json!(1)));
    }

    #[test]
    fn the_budget_holds_whatever_is_put_in() {
        let cache = Cache::new(10_000);
        for number in 0..2_000 {
            cache
                .put(&format!("arn{}", number % 700), &json!({ "text": "x".repeat(number % 300) }));
            let content = cache.content.lock().unwrap();
            assert!(content.bytes <= 10_000);
            assert_eq!(content.entries.len(), content.order.len());
        }
        cache.put("huge", &json!("x".repeat(20_000)));
        assert_eq!(cache.get("huge"), None);
        assert_eq!(cache.content.lock().unwrap().bytes, 0);
    }

    #[test]
    fn a_second_put_replaces_and_forget_forgets() {
        let cache = Cache::new(10_000);
        cache.put("a", &json!(1));
        cache.put("a", &json!(2));
        assert_eq!(cache.get("a"), Some(json!(2)));
        cache.forget("a");
        assert_eq!(cache.get("a"), None);
        assert_eq!(cache.content.lock().unwrap().bytes, 0);
    }
}
