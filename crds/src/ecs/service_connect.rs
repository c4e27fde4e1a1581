//! Service Connect.

use super::logging::LogConfiguration;
use super::shape::{Absent, Unit};
use super::table::{enumerations, shapes};
use super::volume::Switch;

shapes! {
    /// A service's part in Service Connect.
    pub struct ServiceConnectConfiguration {
        /// Whether it takes part. Default without the block: false.
        enabled as "enabled": bool => is_boolean(false);
        /// The Cloud Map namespace, its name or ARN. Default: the cluster's.
        namespace as "namespace": Option<String> => unit(Unit::Namespace), absent(Absent::Server);
        /// The ports that other services can call. None: the service only calls others.
        services as "services": Option<Vec<ServiceConnectService>> => keyed_by(&["portName"]);
        /// Where the proxy's own output goes.
        log_configuration as "logConfiguration": Option<LogConfiguration>;
        /// What the proxy writes about each request. Default: nothing.
        access_log_configuration as "accessLogConfiguration": Option<ServiceConnectAccessLogConfiguration>;
        /// Settings of the proxy's container.
        container_configurations as "containerConfigurations": Option<Vec<ServiceConnectContainerConfiguration>>;
    }

    /// A port that other services can call.
    pub struct ServiceConnectService {
        /// The name of the port mapping.
        port_name as "portName": String;
        /// The name in Cloud Map. Default: the port's name.
        discovery_name as "discoveryName": Option<String>;
        /// The name and port by which clients call it, at most one.
        client_aliases as "clientAliases": Option<Vec<ServiceConnectClientAlias>> => keyed_by(&["port"]);
        /// The port on which the proxy listens. Default: the container's with `awsvpc`, else chosen.
        ingress_port_override as "ingressPortOverride": Option<i32> => limits(0.0, 65535.0);
        /// How long the proxy waits.
        timeout as "timeout": Option<TimeoutConfiguration>;
        /// Encrypts traffic between proxies.
        tls as "tls": Option<ServiceConnectTlsConfiguration>;
    }

    /// A name and port by which clients call a service.
    pub struct ServiceConnectClientAlias {
        /// The port.
        port as "port": i32 => limits(0.0, 65535.0);
        /// The host name, at most 127 characters. Default: `<discoveryName>.<namespace>`.
        dns_name as "dnsName": Option<String> => absent(Absent::Server);
        /// Which requests go to the new revision while a deployment tests it.
        test_traffic_rules as "testTrafficRules": Option<ServiceConnectTestTrafficRules>;
    }

    /// Which requests are test traffic.
    pub struct ServiceConnectTestTrafficRules {
        /// By a header.
        header as "header": ServiceConnectTestTrafficHeaderRules;
    }

    /// A header that marks test traffic.
    pub struct ServiceConnectTestTrafficHeaderRules {
        /// The header's name.
        name as "name": String;
        /// The header's value. Default: any.
        value as "value": Option<ServiceConnectTestTrafficHeaderMatchRules>;
    }

    /// The value of a header that marks test traffic.
    pub struct ServiceConnectTestTrafficHeaderMatchRules {
        /// This value and no other.
        exact as "exact": String;
    }

    /// How long a proxy waits.
    pub struct TimeoutConfiguration {
        /// Seconds after which an idle connection is closed; 0 never. Default: 300 for HTTP, 3600 for TCP.
        idle_timeout_seconds as "idleTimeoutSeconds": Option<i32> => absent(Absent::Server);
        /// Seconds for one request, not for TCP; 0 for ever. Default: 15.
        per_request_timeout_seconds as "perRequestTimeoutSeconds": Option<i32> => absent(Absent::Server);
    }

    /// Encryption between proxies.
    pub struct ServiceConnectTlsConfiguration {
        /// Who signs the certificates.
        issuer_certificate_authority as "issuerCertificateAuthority": ServiceConnectTlsCertificateAuthority;
        /// The KMS key for the certificates' keys: its identifier or ARN.
        kms_key as "kmsKey": Option<String> => unit(Unit::ArnOrName);
        /// The role by which ECS asks for certificates.
        role_arn as "roleArn": Option<String> => unit(Unit::RoleName);
    }

    /// Who signs certificates.
    pub struct ServiceConnectTlsCertificateAuthority {
        /// The ARN of a private certificate authority.
        aws_pca_authority_arn as "awsPcaAuthorityArn": Option<String>;
    }

    /// What a proxy writes about each request.
    pub struct ServiceConnectAccessLogConfiguration {
        /// Lines for people or JSON.
        format as "format": AccessLogFormat;
        /// Whether the query part of addresses is written; it may hold secrets. Default: `DISABLED`.
        include_query_parameters as "includeQueryParameters": Option<Switch> => is_text("DISABLED");
    }

    /// Settings of a proxy's container.
    pub struct ServiceConnectContainerConfiguration {
        /// How much the proxy writes about itself. Default: `info`.
        log_level as "logLevel": Option<ProxyLogLevel> => is_text("info");
    }
}

enumerations! {
    /// The form of access logs.
    pub enum AccessLogFormat { Text = "TEXT", Json = "JSON" }

    /// How much a proxy writes about itself.
    pub enum ProxyLogLevel { Debug = "debug", Info = "info" }
}
