//! How a container is reached, and by which names it reaches others.

use super::table::{enumerations, shapes};

/// What tells the port mappings of a container apart.
pub const PORT_KEY: &[&str] = &["containerPort", "containerPortRange", "protocol"];

shapes! {
    /// A port of a container that is reachable from outside it.
    pub struct PortMapping {
        /// The port inside the container.
        container_port as "containerPort": Option<i32> => limits(0.0, 65535.0);
        /// The port of the host. With `awsvpc` and `host` it is the container's; with `bridge` 0 lets the host choose.
        host_port as "hostPort": Option<i32> => limits(0.0, 65535.0);
        /// The transport. Default: `tcp`.
        protocol as "protocol": Option<TransportProtocol> => is_text("tcp");
        /// The name by which Service Connect and VPC Lattice know the port: at most 64 of `a-z`, `0-9`, `_`, `-`.
        name as "name": Option<String>;
        /// What is spoken on the port, for Service Connect's metrics and retries. Default: plain TCP.
        app_protocol as "appProtocol": Option<ApplicationProtocol>;
        /// A range of ports, `8000-8010`, instead of `containerPort`. With `bridge` and `awsvpc`.
        container_port_range as "containerPortRange": Option<String>;
    }

    /// A line of the container's `/etc/hosts`.
    pub struct HostEntry {
        /// The host name.
        hostname as "hostname": String;
        /// The address.
        ip_address as "ipAddress": String;
    }
}

enumerations! {
    /// A transport protocol.
    pub enum TransportProtocol { Tcp = "tcp", Udp = "udp" }

    /// What is spoken on a port.
    pub enum ApplicationProtocol { Http = "http", Http2 = "http2", Grpc = "grpc" }
}
