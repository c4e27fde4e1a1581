//! What a container finds in its environment.

use super::table::{enumerations, shapes};

shapes! {
    /// A name and its value.
    pub struct KeyValuePair {
        /// The name.
        name as "name": String;
        /// The value; anybody who may describe the task definition can read it. Default: empty.
        value as "value": Option<String> => is_text("");
    }

    /// A value that ECS reads once, when the task starts.
    pub struct Secret {
        /// The name under which the container or the log driver finds it.
        name as "name": String;
        /// An SSM parameter's name or ARN, or a Secrets Manager ARN, which may end in
        /// `:<json-key>:<version-stage>:<version-id>`.
        value_from as "valueFrom": String;
    }

    /// A file of environment variables in S3. Where files repeat a name the first one counts.
    pub struct EnvironmentFile {
        /// The ARN of the S3 object; its name ends in `.env`.
        value as "value": String;
        /// Where the file is: `s3`.
        r#type as "type": EnvironmentFileType => is_text("s3");
    }
}

enumerations! {
    /// Where a file of environment variables is.
    pub enum EnvironmentFileType { S3 = "s3" }
}
