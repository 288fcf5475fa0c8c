//! InitProducerId: a producer gets an id (KIP-98, KIP-360).

use crate::wire::table::message;

message! {
    /// Asks for an id, or to go on with one.
    InitProducerIdRequest, versions 0-5, flexible 2+ {
        /// Null: the producer has no transactions.
        transactional_id: Option<String>, versions 0+, nullable 0+;
        transaction_timeout_ms: i32, versions 0+;
        producer_id: i64, versions 3+, default -1;
        producer_epoch: i16, versions 3+, default -1;
        /// Of a version that is not final (KIP-939), as is what follows.
        enable_2_pc: bool, versions 6+;
        keep_prepared_txn: bool, versions 6+;
    }
}

message! {
    /// The id, and the epoch to use it in.
    InitProducerIdResponse, versions 0-5, flexible 2+ {
        throttle_time_ms: i32, versions 0+;
        error_code: i16, versions 0+;
        producer_id: i64, versions 0+, default -1;
        producer_epoch: i16, versions 0+;
        /// Of a version that is not final (KIP-939), as is what follows.
        ongoing_txn_producer_id: i64, versions 6+, default -1;
        ongoing_txn_producer_epoch: i16, versions 6+, default -1;
    }
}
