//! What the metadata log holds: each record is a change of the cluster (KIP-631).

use crate::wire::table::message;
use crate::wire::uuid::Uuid;

message! {
    /// A broker has registered.
    RegisterBrokerRecord, versions 0-3, flexible 0+ {
        broker_id: i32, versions 0+;
        is_migrating_zk_broker: bool, versions 2+;
        incarnation_id: Uuid, versions 0+;
        broker_epoch: i64, versions 0+;
        end_points: Vec<BrokerEndpoint>, versions 0+;
        features: Vec<BrokerFeature>, versions 0+;
        rack: Option<String>, versions 0+, nullable 0+;
        fenced: bool, versions 0+, default true;
        in_controlled_shutdown: bool, versions 1+;
        log_dirs: Vec<Uuid>, versions 3+, tag 0;
    }
    /// An address at which it listens.
    BrokerEndpoint {
        name: String, versions 0+;
        host: String, versions 0+;
        port: u16, versions 0+;
        security_protocol: i16, versions 0+;
    }
    /// The levels of one feature that it could work at.
    BrokerFeature {
        name: String, versions 0+;
        min_supported_version: i16, versions 0+;
        max_supported_version: i16, versions 0+;
    }
}

message! {
    /// A registration is gone.
    UnregisterBrokerRecord, versions 0-0, flexible 0+ {
        broker_id: i32, versions 0+;
        broker_epoch: i64, versions 0+;
    }
}

message! {
    /// A topic exists.
    TopicRecord, versions 0-0, flexible 0+ {
        name: String, versions 0+;
        topic_id: Uuid, versions 0+;
    }
}

message! {
    /// A partition exists, in this state.
    PartitionRecord, versions 0-2, flexible 0+ {
        partition_id: i32, versions 0+, default -1;
        topic_id: Uuid, versions 0+;
        replicas: Vec<i32>, versions 0+;
        isr: Vec<i32>, versions 0+;
        removing_replicas: Vec<i32>, versions 0+;
        adding_replicas: Vec<i32>, versions 0+;
        leader: i32, versions 0+, default -1;
        /// 0: recovered; 1: elected out of sync and not yet recovered.
        leader_recovery_state: i8, versions 0+, tag 0;
        leader_epoch: i32, versions 0+, default -1;
        partition_epoch: i32, versions 0+, default -1;
        directories: Vec<Uuid>, versions 1+;
        eligible_leader_replicas: Option<Vec<i32>>, versions 2+, nullable 2+, tag 1, default None;
        last_known_elr: Option<Vec<i32>>, versions 2+, nullable 2+, tag 2, default None;
    }
}

message! {
    /// A setting has changed.
    ConfigRecord, versions 0-0, flexible 0+ {
        /// 2: a topic; 4: a broker.
        resource_type: i8, versions 0+;
        resource_name: String, versions 0+;
        name: String, versions 0+;
        /// None: no longer set.
        value: Option<String>, versions 0+, nullable 0+;
    }
}

message! {
    /// A partition has changed: what is not at its default.
    PartitionChangeRecord, versions 0-2, flexible 0+ {
        partition_id: i32, versions 0+, default -1;
        topic_id: Uuid, versions 0+;
        /// None, like all lists here: unchanged.
        isr: Option<Vec<i32>>, versions 0+, nullable 0+, tag 0, default None;
        /// −2: unchanged; −1: none.
        leader: i32, versions 0+, tag 1, default -2;
        replicas: Option<Vec<i32>>, versions 0+, nullable 0+, tag 2, default None;
        removing_replicas: Option<Vec<i32>>, versions 0+, nullable 0+, tag 3, default None;
        adding_replicas: Option<Vec<i32>>, versions 0+, nullable 0+, tag 4, default None;
        /// −1: unchanged; 0: recovered; 1: elected out of sync and not yet recovered.
        leader_recovery_state: i8, versions 0+, tag 5, default -1;
        directories: Option<Vec<Uuid>>, versions 1+, nullable 1+, tag 8, default None;
        eligible_leader_replicas: Option<Vec<i32>>, versions 2+, nullable 2+, tag 6, default None;
        last_known_elr: Option<Vec<i32>>, versions 2+, nullable 2+, tag 7, default None;
    }
}

message! {
    /// A topic is gone, with its partitions.
    RemoveTopicRecord, versions 0-0, flexible 0+ {
        topic_id: Uuid, versions 0+;
    }
}

message! {
    /// The cluster works at this level of a feature.
    FeatureLevelRecord, versions 0-0, flexible 0+ {
        name: String, versions 0+;
        feature_level: i16, versions 0+;
    }
}

message! {
    /// A registration has changed.
    BrokerRegistrationChangeRecord, versions 0-2, flexible 0+ {
        broker_id: i32, versions 0+;
        broker_epoch: i64, versions 0+;
        /// −1: unfence; 0: unchanged; 1: fence.
        fenced: i8, versions 0+, tag 0;
        /// 0: unchanged; 1: begins.
        in_controlled_shutdown: i8, versions 1+, tag 1;
        log_dirs: Vec<Uuid>, versions 2+, tag 2;
    }
}

message! {
    /// A broker has been given ids for producers.
    ProducerIdsRecord, versions 0-0, flexible 0+ {
        broker_id: i32, versions 0+;
        broker_epoch: i64, versions 0+, default -1;
        /// The first id of the next block.
        next_producer_id: i64, versions 0+;
    }
}

message! {
    /// Nothing has changed; the log moves on.
    NoOpRecord, versions 0-0, flexible 0+ {}
}

message! {
    /// Eligible leader replicas are forgotten: those of one topic, or of all if the name is empty.
    ClearElrRecord, versions 0-0, flexible 0+ {
        topic_name: String, versions 0+;
    }
}
