//! UnregisterBroker: forget a broker that will not return.

use crate::wire::table::message;

message! {
    /// Removes a registration.
    UnregisterBrokerRequest, versions 0-0, flexible 0+ {
        broker_id: i32, versions 0+;
    }
}

message! {
    /// Whether it was removed.
    UnregisterBrokerResponse, versions 0-0, flexible 0+ {
        throttle_time_ms: i32, versions 0+;
        error_code: i16, versions 0+;
        error_message: Option<String>, versions 0+, nullable 0+;
    }
}
