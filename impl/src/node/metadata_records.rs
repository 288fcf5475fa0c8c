//! The controller's records as Kafka writes them, one for one, so that an offset means the same here and there.
//!
//! Source: Kafka's `metadata/src/main/resources/common/metadata/*.json`, `MetadataRecordSerde`.

use super::cluster::{Addresses, Endpoint};
use crate::wire::messages::metadata_records::{
    BrokerEndpoint, BrokerRegistrationChangeRecord, ClearElrRecord, ConfigRecord, PartitionChangeRecord,
    PartitionRecord, ProducerIdsRecord, RegisterBrokerRecord, RemoveTopicRecord, TopicRecord, UnregisterBrokerRecord,
};
use crate::wire::{MetadataRecord, Uuid};
use highwater_spec::controller::{Image, Partition, PartitionChange, Record, Registration, Setting};
use highwater_spec::values::{
    BrokerEpoch, BrokerId, Brokers, IncarnationId, LeaderEpoch, PartitionEpoch, ProducerId, TopicId, TopicPartition,
};

/// Kafka's number of a configuration's kind.
pub const TOPIC_RESOURCE: i8 = 2;
/// Kafka's number of a configuration's kind; with an empty name it is the cluster's defaults.
pub const BROKER_RESOURCE: i8 = 4;
/// What a listener for clients is called.
const LISTENER: &str = "PLAINTEXT";
const NO_LEADER: i32 = -1;
const LEADER_UNCHANGED: i32 = -2;

/// Why a record of the metadata log can't be folded in.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the metadata log has a record that this release does not know: {0}")]
pub struct UnknownRecord(String);

/// Writes records; `before` is the image that they change.
pub fn encode(records: &[Record], before: &Image, addresses: &Addresses) -> Vec<MetadataRecord> {
    let mut image = before.clone();
    let mut encoded = Vec::with_capacity(records.len());
    for record in records {
        encoded.push(encode_one(record, &image, addresses));
        image.apply(record);
    }
    encoded
}

fn encode_one(record: &Record, image: &Image, addresses: &Addresses) -> MetadataRecord {
    let name_of = |topic: TopicId| image.topics.get(&topic).map(|topic| topic.name.clone()).unwrap_or_default();
    match record {
        Record::BrokerRegistered { broker, registration } => {
            let endpoint = addresses.of(registration.incarnation);
            let end_points = endpoint.map(|endpoint| BrokerEndpoint {
                name: LISTENER.to_owned(),
                host: endpoint.host.clone(),
                port: endpoint.port,
                security_protocol: 0,
            });
            MetadataRecord::RegisterBrokerRecord(RegisterBrokerRecord {
                broker_id: broker.0,
                incarnation_id: Uuid(registration.incarnation.0),
                broker_epoch: registration.epoch.0,
                end_points: end_points.into_iter().collect(),
                fenced: registration.fenced,
                in_controlled_shutdown: registration.in_controlled_shutdown,
                ..Default::default()
            })
        }
        Record::BrokerChanged { broker, epoch, fenced, in_controlled_shutdown } => {
            MetadataRecord::BrokerRegistrationChangeRecord(BrokerRegistrationChangeRecord {
                broker_id: broker.0,
                broker_epoch: epoch.0,
                fenced: fenced.map_or(0, |fenced| if fenced { 1 } else { -1 }),
                in_controlled_shutdown: i8::from(*in_controlled_shutdown),
                ..Default::default()
            })
        }
        Record::BrokerUnregistered { broker } => {
            let broker_epoch = image.brokers.get(broker).map_or(-1, |known| known.epoch.0);
            MetadataRecord::UnregisterBrokerRecord(UnregisterBrokerRecord { broker_id: broker.0, broker_epoch })
        }
        Record::TopicCreated { topic, name } => {
            MetadataRecord::TopicRecord(TopicRecord { name: name.clone(), topic_id: (*topic).into() })
        }
        Record::PartitionCreated { topic, partition } => {
            let index = image.topics.get(topic).map_or(0, |topic| topic.partitions.len());
            MetadataRecord::PartitionRecord(encode_partition(
                *topic,
                i32::try_from(index).unwrap_or(i32::MAX),
                partition,
            ))
        }
        Record::PartitionChanged { partition, change } => {
            MetadataRecord::PartitionChangeRecord(encode_change(*partition, change))
        }
        Record::TopicRemoved { topic } => {
            MetadataRecord::RemoveTopicRecord(RemoveTopicRecord { topic_id: (*topic).into() })
        }
        Record::ConfigChanged { topic, setting } => MetadataRecord::ConfigRecord(ConfigRecord {
            resource_type: topic.map_or(BROKER_RESOURCE, |_| TOPIC_RESOURCE),
            resource_name: topic.map(name_of).unwrap_or_default(),
            name: setting.name().to_owned(),
            value: setting.value(),
        }),
        Record::ProducerIdsAllocated { broker, broker_epoch, next } => {
            MetadataRecord::ProducerIdsRecord(ProducerIdsRecord {
                broker_id: broker.0,
                broker_epoch: broker_epoch.0,
                next_producer_id: next.0,
            })
        }
        Record::ElrCleared { topic } => {
            MetadataRecord::ClearElrRecord(ClearElrRecord { topic_name: topic.map(name_of).unwrap_or_default() })
        }
    }
}

fn encode_partition(topic: TopicId, index: i32, partition: &Partition) -> PartitionRecord {
    PartitionRecord {
        partition_id: index,
        topic_id: topic.into(),
        replicas: partition.replicas.iter().map(|broker| broker.0).collect(),
        isr: ids(&partition.isr),
        leader: partition.leader.map_or(NO_LEADER, |leader| leader.0),
        leader_recovery_state: i8::from(partition.recovering),
        leader_epoch: partition.leader_epoch.0,
        partition_epoch: partition.partition_epoch.0,
        eligible_leader_replicas: Some(ids(&partition.elr)).filter(|elr| !elr.is_empty()),
        last_known_elr: partition.last_known_leader.map(|leader| vec![leader.0]),
        ..Default::default()
    }
}

fn encode_change(partition: TopicPartition, change: &PartitionChange) -> PartitionChangeRecord {
    PartitionChangeRecord {
        partition_id: partition.index,
        topic_id: partition.topic.into(),
        isr: change.isr.as_ref().map(ids),
        leader: change.leader.map_or(LEADER_UNCHANGED, |leader| leader.map_or(NO_LEADER, |leader| leader.0)),
        leader_recovery_state: change.recovering.map_or(-1, i8::from),
        eligible_leader_replicas: change.elr.as_ref().map(ids),
        last_known_elr: change.last_known_leader.map(|leader| leader.iter().map(|leader| leader.0).collect()),
        ..Default::default()
    }
}

/// Reads one record; `image` is the fold of those before it. `None` for one that says nothing of interest.
///
/// # Errors
/// [`UnknownRecord`]: what it says would be lost.
pub fn decode(
    record: &MetadataRecord,
    image: &Image,
) -> Result<(Record, Option<(IncarnationId, Endpoint)>), UnknownRecord> {
    let topic_named = |name: &str| image.topics.iter().find(|(_, topic)| topic.name == name).map(|(id, _)| *id);
    let unknown = || UnknownRecord(format!("{record:?}"));
    let decoded = match record {
        MetadataRecord::RegisterBrokerRecord(record) => return Ok(decode_registration(record)),
        MetadataRecord::BrokerRegistrationChangeRecord(record) => Record::BrokerChanged {
            broker: BrokerId(record.broker_id),
            epoch: BrokerEpoch(record.broker_epoch),
            fenced: Some(record.fenced).filter(|fenced| *fenced != 0).map(|fenced| fenced > 0),
            in_controlled_shutdown: record.in_controlled_shutdown > 0,
        },
        MetadataRecord::UnregisterBrokerRecord(record) => {
            Record::BrokerUnregistered { broker: BrokerId(record.broker_id) }
        }
        MetadataRecord::TopicRecord(record) => {
            Record::TopicCreated { topic: record.topic_id.into(), name: record.name.clone() }
        }
        MetadataRecord::PartitionRecord(record) => {
            Record::PartitionCreated { topic: record.topic_id.into(), partition: decode_partition(record) }
        }
        MetadataRecord::PartitionChangeRecord(record) => Record::PartitionChanged {
            partition: TopicPartition { topic: record.topic_id.into(), index: record.partition_id },
            change: decode_change(record),
        },
        MetadataRecord::RemoveTopicRecord(record) => Record::TopicRemoved { topic: record.topic_id.into() },
        MetadataRecord::ConfigRecord(record) => {
            let topic = match record.resource_type {
                TOPIC_RESOURCE => Some(topic_named(&record.resource_name).ok_or_else(unknown)?),
                _ => None,
            };
            let setting = Setting::from_text(&record.name, record.value.as_deref()).ok_or_else(unknown)?;
            Record::ConfigChanged { topic, setting }
        }
        MetadataRecord::ProducerIdsRecord(record) => Record::ProducerIdsAllocated {
            broker: BrokerId(record.broker_id),
            broker_epoch: BrokerEpoch(record.broker_epoch),
            next: ProducerId(record.next_producer_id),
        },
        MetadataRecord::ClearElrRecord(record) if record.topic_name.is_empty() => Record::ElrCleared { topic: None },
        MetadataRecord::ClearElrRecord(record) => {
            Record::ElrCleared { topic: Some(topic_named(&record.topic_name).ok_or_else(unknown)?) }
        }
        _ => return Err(unknown()),
    };
    Ok((decoded, None))
}

fn decode_registration(record: &RegisterBrokerRecord) -> (Record, Option<(IncarnationId, Endpoint)>) {
    let incarnation = IncarnationId(record.incarnation_id.0);
    let registration = Registration {
        incarnation,
        epoch: BrokerEpoch(record.broker_epoch),
        fenced: record.fenced,
        in_controlled_shutdown: record.in_controlled_shutdown,
    };
    let endpoint = record.end_points.first();
    let endpoint = endpoint.map(|found| (incarnation, Endpoint { host: found.host.clone(), port: found.port }));
    (Record::BrokerRegistered { broker: BrokerId(record.broker_id), registration }, endpoint)
}

fn decode_partition(record: &PartitionRecord) -> Partition {
    let last_known = record.last_known_elr.iter().flatten().next();
    Partition {
        replicas: record.replicas.iter().copied().map(BrokerId).collect(),
        isr: brokers(&record.isr),
        elr: record.eligible_leader_replicas.as_deref().map(brokers).unwrap_or_default(),
        last_known_leader: last_known.copied().map(BrokerId),
        leader: broker_or_none(record.leader),
        leader_epoch: LeaderEpoch(record.leader_epoch),
        partition_epoch: PartitionEpoch(record.partition_epoch),
        recovering: record.leader_recovery_state > 0,
    }
}

fn decode_change(record: &PartitionChangeRecord) -> PartitionChange {
    let last_known = record.last_known_elr.as_ref();
    PartitionChange {
        leader: (record.leader != LEADER_UNCHANGED).then(|| broker_or_none(record.leader)),
        isr: record.isr.as_deref().map(brokers),
        elr: record.eligible_leader_replicas.as_deref().map(brokers),
        last_known_leader: last_known.map(|known| known.first().copied().map(BrokerId)),
        recovering: (record.leader_recovery_state >= 0).then_some(record.leader_recovery_state > 0),
    }
}

/// A broker's id as Kafka writes it, with −1 for none.
pub fn broker_or_none(id: i32) -> Option<BrokerId> {
    (id >= 0).then_some(BrokerId(id))
}

/// A set of brokers as Kafka writes it.
pub fn ids(brokers: &Brokers) -> Vec<i32> {
    brokers.iter().map(|broker| broker.0).collect()
}

fn brokers(ids: &[i32]) -> Brokers {
    ids.iter().copied().map(BrokerId).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const TOPIC: TopicId = TopicId([7; 16]);
    const INCARNATION: IncarnationId = IncarnationId([9; 16]);

    fn broker() -> impl Strategy<Value = BrokerId> {
        (0..5_i32).prop_map(BrokerId)
    }

    fn brokers() -> impl Strategy<Value = Brokers> {
        prop::collection::vec(broker(), 0..4).prop_map(|all| all.into_iter().collect())
    }

    fn partition() -> impl Strategy<Value = Partition> {
        let who = (prop::collection::vec(broker(), 1..4), brokers(), brokers(), prop::option::of(broker()));
        let state = (prop::option::of(broker()), 0..9_i32, 0..9_i32, any::<bool>());
        (who, state).prop_map(
            |((replicas, isr, elr, last_known_leader), (leader, leader_epoch, partition_epoch, recovering))| {
                Partition {
                    replicas,
                    isr,
                    elr,
                    last_known_leader,
                    leader,
                    leader_epoch: LeaderEpoch(leader_epoch),
                    partition_epoch: PartitionEpoch(partition_epoch),
                    recovering,
                }
            },
        )
    }

    fn change() -> impl Strategy<Value = PartitionChange> {
        let leader = prop::option::of(prop::option::of(broker()));
        let known = prop::option::of(prop::option::of(broker()));
        let sets = (prop::option::of(brokers()), prop::option::of(brokers()));
        (leader, sets, known, prop::option::of(any::<bool>())).prop_map(
            |(leader, (isr, elr), last_known_leader, recovering)| PartitionChange {
                leader,
                isr,
                elr,
                last_known_leader,
                recovering,
            },
        )
    }

    fn setting() -> impl Strategy<Value = Setting> {
        prop_oneof![
            prop::option::of(1..5_u32).prop_map(Setting::MinInsyncReplicas),
            prop::option::of(any::<bool>()).prop_map(Setting::UncleanLeaderElection),
            prop::option::of("[a-z]{0,4}").prop_map(|value| Setting::Other { name: "retention.ms".to_owned(), value }),
        ]
    }

    fn record() -> impl Strategy<Value = Record> {
        let registration =
            (0..9_i64, any::<bool>(), any::<bool>()).prop_map(|(epoch, fenced, in_controlled_shutdown)| {
                let epoch = BrokerEpoch(epoch);
                Registration { incarnation: INCARNATION, epoch, fenced, in_controlled_shutdown }
            });
        let of = |topic: bool| topic.then_some(TOPIC);
        prop_oneof![
            (broker(), registration)
                .prop_map(|(broker, registration)| Record::BrokerRegistered { broker, registration }),
            (broker(), 0..9_i64, prop::option::of(any::<bool>()), any::<bool>()).prop_map(
                |(broker, epoch, fenced, in_controlled_shutdown)| Record::BrokerChanged {
                    broker,
                    epoch: BrokerEpoch(epoch),
                    fenced,
                    in_controlled_shutdown
                }
            ),
            broker().prop_map(|broker| Record::BrokerUnregistered { broker }),
            partition().prop_map(|partition| Record::PartitionCreated { topic: TOPIC, partition }),
            (0..3_i32, change()).prop_map(|(index, change)| Record::PartitionChanged {
                partition: TopicPartition { topic: TOPIC, index },
                change
            }),
            Just(Record::TopicRemoved { topic: TOPIC }),
            Just(Record::TopicCreated { topic: TOPIC, name: "t".to_owned() }),
            (any::<bool>(), setting())
                .prop_map(move |(topic, setting)| Record::ConfigChanged { topic: of(topic), setting }),
            (broker(), 0..9_i64, any::<i64>()).prop_map(|(broker, epoch, next)| Record::ProducerIdsAllocated {
                broker,
                broker_epoch: BrokerEpoch(epoch),
                next: ProducerId(next),
            }),
            any::<bool>().prop_map(move |topic| Record::ElrCleared { topic: of(topic) }),
        ]
    }

    proptest! {
        /// Through Kafka's bytes and back: nothing that a machine says is lost on the way.
        #[test]
        fn records_come_back(record in record()) {
            let mut image = Image::default();
            image.apply(&Record::TopicCreated { topic: TOPIC, name: "t".to_owned() });
            let mut addresses = Addresses::default();
            let endpoint = Endpoint { host: "h".to_owned(), port: 9092 };
            addresses.note(INCARNATION, endpoint.clone());
            let encoded = encode(std::slice::from_ref(&record), &image, &addresses);
            prop_assert_eq!(encoded.len(), 1, "one for one: the offsets must agree");
            let bytes = encoded[0].encode().expect("a record that fits");
            let read = MetadataRecord::decode(&bytes).expect("what was written");
            let (decoded, found) = decode(&read, &image).expect("a known record");
            prop_assert_eq!(&decoded, &record);
            let registered = matches!(record, Record::BrokerRegistered { .. });
            prop_assert_eq!(found, registered.then_some((INCARNATION, endpoint)));
        }
    }

    #[test]
    fn partitions_are_numbered_as_they_are_made() {
        let partition = Partition {
            replicas: vec![BrokerId(1)],
            isr: Brokers::only(BrokerId(1)),
            elr: Brokers::default(),
            last_known_leader: None,
            leader: Some(BrokerId(1)),
            leader_epoch: LeaderEpoch(0),
            partition_epoch: PartitionEpoch(0),
            recovering: false,
        };
        let made = Record::PartitionCreated { topic: TOPIC, partition };
        let records = [Record::TopicCreated { topic: TOPIC, name: "t".to_owned() }, made.clone(), made];
        let encoded = encode(&records, &Image::default(), &Addresses::default());
        let numbers = encoded.iter().filter_map(|record| match record {
            MetadataRecord::PartitionRecord(record) => Some(record.partition_id),
            _ => None,
        });
        assert_eq!(numbers.collect::<Vec<_>>(), [0, 1]);
    }
}
