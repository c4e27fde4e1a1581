//! Tags.

use super::table::shapes;

shapes! {
    /// One tag of a resource. Keys are unique and do not begin with `aws:`.
    pub struct Tag {
        /// The key, 1-128 characters.
        key as "key": String;
        /// The value, 0-256 characters. Default: empty.
        value as "value": Option<String> => is_text("");
    }
}
