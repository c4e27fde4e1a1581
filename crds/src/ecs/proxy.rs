//! The App Mesh proxy of a task.

use super::environment::KeyValuePair;
use super::table::{enumerations, shapes};

shapes! {
    /// The container that proxies the task's traffic for App Mesh.
    pub struct ProxyConfiguration {
        /// The kind of proxy. Default: `APPMESH`.
        r#type as "type": Option<ProxyConfigurationType> => is_text("APPMESH");
        /// The container that is the proxy.
        container_name as "containerName": String;
        /// The network settings of the proxy, `ProxyIngressPort` for instance.
        properties as "properties": Option<Vec<KeyValuePair>> => keyed_by(&["name"]);
    }
}

enumerations! {
    /// The kind of a proxy.
    pub enum ProxyConfigurationType { AppMesh = "APPMESH" }
}
