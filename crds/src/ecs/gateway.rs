//! A gateway in front of a service.

use super::table::{enumerations, shapes};

shapes! {
    /// Connects a service to a gateway.
    pub struct GatewayConnector {
        /// The name of the port mapping that receives the traffic.
        port_name as "portName": String;
        /// How the gateway finds out which tasks work.
        health_check as "healthCheck": Option<GatewayConnectorHealthCheck>;
        /// Which ways into the gateway lead to the service.
        filters as "filters": Option<GatewayConnectorFilters>;
        /// How long a leaving task still finishes requests.
        deregistration_delay as "deregistrationDelay": Option<GatewayConnectorDeregistrationDelay> => is_defaults();
    }

    /// How a gateway finds out which tasks work.
    pub struct GatewayConnectorHealthCheck {
        /// The protocol of the check.
        health_check_protocol as "healthCheckProtocol": Option<HealthCheckProtocol>;
        /// The port that is asked.
        health_check_port as "healthCheckPort": Option<i32> => limits(1.0, 65535.0);
        /// The path that is asked for.
        health_check_path as "healthCheckPath": Option<String>;
        /// Seconds without an answer after which a check has failed.
        health_check_timeout_seconds as "healthCheckTimeoutSeconds": Option<i32>;
        /// Seconds between checks of one task, about.
        health_check_interval_seconds as "healthCheckIntervalSeconds": Option<i32>;
        /// Successes in a row that make a task healthy.
        healthy_threshold_count as "healthyThresholdCount": Option<i32>;
        /// Failures in a row that make a task unhealthy.
        unhealthy_threshold_count as "unhealthyThresholdCount": Option<i32>;
        /// Which answers are a success.
        matcher as "matcher": Option<GatewayConnectorHealthCheckMatcher>;
    }

    /// Which answers to a health check are a success.
    pub struct GatewayConnectorHealthCheckMatcher {
        /// HTTP codes.
        http_code as "httpCode": Option<String>;
        /// gRPC codes.
        grpc_code as "grpcCode": Option<String>;
    }

    /// Which ways into a gateway lead to a service.
    pub struct GatewayConnectorFilters {
        /// From the Internet, from inside, or both.
        access_types as "accessTypes": Option<Vec<AccessType>> => set();
    }

    /// How long a leaving task still finishes requests.
    pub struct GatewayConnectorDeregistrationDelay {
        /// Seconds. Default: 300.
        timeout_seconds as "timeoutSeconds": Option<i32> => is_integer(300), limits(0.0, 3600.0);
    }
}

enumerations! {
    /// The protocol of a gateway's health check.
    pub enum HealthCheckProtocol { Http = "HTTP", Https = "HTTPS" }

    /// From where a gateway is reached.
    pub enum AccessType { Public = "PUBLIC", Private = "PRIVATE" }
}
