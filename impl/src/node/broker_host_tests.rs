//! The broker's thread by itself: in which order others learn what it has heard.

use super::broker_host::{BrokerHost, Event, Metadata, Shards, Surroundings, Timing};
use super::cluster::Cluster;
use super::log_configs::LogConfigs;
use super::log_dirs::LogDirs;
use crate::cells::Published;
use crate::door::{Door, Entrance, Keeper, Pass, Place, What};
use crate::storage::LogDir;
use highwater_spec::broker::{Broker, Input};
use highwater_spec::controller::{Partition, Record, Registration};
use highwater_spec::rules::Rules;
use highwater_spec::values::{
    BrokerEpoch, BrokerId, IncarnationId, LeaderEpoch, Offset, PartitionEpoch, TopicId, TopicPartition,
};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tokio::sync::{mpsc, watch};

const ME: BrokerId = BrokerId(1);
const P: TopicPartition = TopicPartition { topic: TopicId([7; 16]), index: 0 };
const NEVER: Duration = Duration::from_secs(3600);

/// Notes of each thing that a shard is told whether handlers know its partition already.
struct Looks {
    cluster: Arc<Published<Cluster>>,
    known: Mutex<BTreeMap<Place, bool>>,
}

impl Keeper for Looks {
    fn arrived(&self, at: Place, _: What, _: Pass) -> u64 {
        self.known.lock().unwrap().insert(at, self.cluster.read().partition(P).is_some());
        0
    }

    fn gone(&self, _: u64) {}

    fn carried_out(&self, _: Place) {}

    fn incarnation(&self) -> [u8; 16] {
        [0; 16]
    }
}

fn registered() -> Vec<Record> {
    let incarnation = IncarnationId::default();
    let registration = Registration { incarnation, epoch: BrokerEpoch(0), fenced: true, in_controlled_shutdown: false };
    vec![Record::BrokerRegistered { broker: ME, registration }]
}

fn created() -> Vec<Record> {
    let partition = Partition {
        replicas: vec![ME],
        isr: [ME].into_iter().collect(),
        elr: Default::default(),
        last_known_leader: None,
        leader: Some(ME),
        leader_epoch: LeaderEpoch(0),
        partition_epoch: PartitionEpoch(0),
        recovering: false,
    };
    vec![
        Record::TopicCreated { topic: P.topic, name: "t".into() },
        Record::PartitionCreated { topic: P.topic, partition },
    ]
}

/// Who was sent here by the metadata that handlers show asks the shard, and must not be there before it was told.
#[test]
fn shards_are_told_before_handlers_see_it() {
    let dir = tempfile::tempdir().unwrap();
    let log_dirs = Arc::new(LogDirs::new(LogDir::open(dir.path(), "cluster", ME).unwrap()));
    let cluster = Arc::new(Published::new(Cluster::default()));
    let looks = Arc::new(Looks { cluster: Arc::clone(&cluster), known: Mutex::default() });
    let shard = Entrance::new(Door::kept(Arc::clone(&looks) as Arc<dyn Keeper>));
    let around = Surroundings {
        rules: Rules::KAFKA,
        shards: Shards::new(vec![shard]),
        partitions: Arc::default(),
        log_dirs,
        log_configs: LogConfigs::of_a_broker(),
        controller: mpsc::unbounded_channel().0,
        cluster: Arc::clone(&cluster),
        groups: Entrance::new(Door::open()),
        life: watch::channel(Default::default()).0,
        timing: Timing { heartbeat: NEVER, retry: NEVER },
    };
    let entrance = Entrance::new(Door::open());
    let host = BrokerHost::new(Broker::new(ME, IncarnationId::default(), None), around, entrance.clone());
    let metadata = |from, records| Event::Metadata(Metadata { from: Offset(from), records, endpoints: Vec::new() });
    let outcome = Ok(BrokerEpoch(0));
    let events = [
        Event::Heard(Input::RegistrationAnswered { outcome, at: Instant::now() }),
        metadata(0, registered()),
        metadata(1, created()),
    ];
    events.into_iter().for_each(|event| assert!(entrance.send(event).is_ok()));
    entrance.close();
    host.run();
    assert!(cluster.read().partition(P).is_some(), "shown in the end");
    assert_eq!(looks.known.lock().unwrap().get(&Place::Replica(P)), Some(&false));
}
