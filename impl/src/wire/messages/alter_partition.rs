//! AlterPartition: a leader proposes an ISR to the controller (KIP-497, KIP-903).

pub use request::AlterPartitionRequest;
pub use response::AlterPartitionResponse;

/// The request and its parts.
pub mod request {
    use crate::wire::table::message;
    use crate::wire::uuid::Uuid;

    message! {
        /// Proposes ISRs.
        AlterPartitionRequest, versions 2-3, flexible 0+ {
            broker_id: i32, versions 0+;
            broker_epoch: i64, versions 0+, default -1;
            topics: Vec<TopicData>, versions 0+;
        }
        /// One topic.
        TopicData {
            topic_id: Uuid, versions 2+;
            partitions: Vec<PartitionData>, versions 0+;
        }
        /// One partition.
        PartitionData {
            partition_index: i32, versions 0+;
            leader_epoch: i32, versions 0+;
            new_isr: Vec<i32>, versions 0-2;
            new_isr_with_epochs: Vec<BrokerState>, versions 3+;
            /// 0: recovered; 1: elected out of sync and not yet recovered.
            leader_recovery_state: i8, versions 1+;
            partition_epoch: i32, versions 0+;
        }
        /// A member of the ISR, at the epoch at which it joins.
        BrokerState {
            broker_id: i32, versions 3+;
            broker_epoch: i64, versions 3+, default -1;
        }
    }
}

/// The response and its parts.
pub mod response {
    use crate::wire::table::message;
    use crate::wire::uuid::Uuid;

    message! {
        /// What became of the proposals.
        AlterPartitionResponse, versions 2-3, flexible 0+ {
            throttle_time_ms: i32, versions 0+;
            error_code: i16, versions 0+;
            topics: Vec<TopicData>, versions 0+;
        }
        /// One topic.
        TopicData {
            topic_id: Uuid, versions 2+;
            partitions: Vec<PartitionData>, versions 0+;
        }
        /// One partition as the controller has it now.
        PartitionData {
            partition_index: i32, versions 0+;
            error_code: i16, versions 0+;
            leader_id: i32, versions 0+;
            leader_epoch: i32, versions 0+;
            isr: Vec<i32>, versions 0+;
            /// 0: recovered; 1: elected out of sync and not yet recovered.
            leader_recovery_state: i8, versions 1+;
            partition_epoch: i32, versions 0+;
        }
    }
}
