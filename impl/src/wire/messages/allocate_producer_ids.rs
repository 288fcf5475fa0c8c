//! AllocateProducerIds: a broker is given ids for producers (KIP-730).

use crate::wire::table::message;

message! {
    /// Asks for a block of ids.
    AllocateProducerIdsRequest, versions 0-0, flexible 0+ {
        broker_id: i32, versions 0+;
        broker_epoch: i64, versions 0+, default -1;
    }
}

message! {
    /// The block.
    AllocateProducerIdsResponse, versions 0-0, flexible 0+ {
        throttle_time_ms: i32, versions 0+;
        error_code: i16, versions 0+;
        /// The first id (inclusive).
        producer_id_start: i64, versions 0+;
        producer_id_len: i32, versions 0+;
    }
}
