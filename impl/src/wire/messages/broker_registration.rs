//! BrokerRegistration: a broker makes itself known to the controller (KIP-631).

use crate::wire::table::message;
use crate::wire::uuid::Uuid;

message! {
    /// Registers one run of a broker.
    BrokerRegistrationRequest, versions 0-4, flexible 0+ {
        broker_id: i32, versions 0+;
        cluster_id: String, versions 0+;
        incarnation_id: Uuid, versions 0+;
        listeners: Vec<Listener>, versions 0+;
        features: Vec<Feature>, versions 0+;
        rack: Option<String>, versions 0+, nullable 0+;
        is_migrating_zk_broker: bool, versions 1+;
        log_dirs: Vec<Uuid>, versions 2+;
        /// The epoch before a clean shutdown; −1 if there is none.
        previous_broker_epoch: i64, versions 3+, default -1;
    }
    /// An address at which the broker listens.
    Listener {
        name: String, versions 0+;
        host: String, versions 0+;
        port: u16, versions 0+;
        security_protocol: i16, versions 0+;
    }
    /// The levels of one feature that the broker could work at.
    Feature {
        name: String, versions 0+;
        min_supported_version: i16, versions 0+;
        max_supported_version: i16, versions 0+;
    }
}

message! {
    /// The epoch of the registration.
    BrokerRegistrationResponse, versions 0-4, flexible 0+ {
        throttle_time_ms: i32, versions 0+;
        error_code: i16, versions 0+;
        broker_epoch: i64, versions 0+, default -1;
    }
}
