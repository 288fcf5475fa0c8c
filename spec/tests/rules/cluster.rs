//! A controller of three brokers and one partition, and what it writes into its log.

use highwater_spec::controller::{
    Config, Controller, Heartbeat, HeartbeatReply, Image, Input, Output, Partition, PartitionChange, Record, Register,
    Registration, Reply, Topic,
};
use highwater_spec::machine::Machine;
use highwater_spec::replicated::{self, Replicated};
use highwater_spec::rules::Rules;
use highwater_spec::values::{
    BrokerEpoch, BrokerId, Brokers, IncarnationId, LeaderEpoch, Offset, PartitionEpoch, Ticket, TopicId, TopicPartition,
};
use std::sync::Arc;

pub const TOPIC: TopicId = TopicId([1; 16]);
pub const PARTITION: TopicPartition = TopicPartition { topic: TOPIC, index: 0 };

pub fn set<const N: usize>(ids: [i32; N]) -> Brokers {
    ids.into_iter().map(BrokerId).collect()
}

/// The controller, with what it answered and wrote since it was made.
pub struct Cluster {
    rules: Rules,
    machine: Replicated<Controller>,
    pub outputs: Vec<Output>,
}

/// b1, b2 and b3 are active, with broker epochs 1, 2 and 3; b1 leads in e5, p7, and all are in sync.
pub fn partition() -> Partition {
    Partition {
        replicas: [1, 2, 3].map(BrokerId).to_vec(),
        isr: set([1, 2, 3]),
        elr: Brokers::default(),
        last_known_leader: None,
        leader: Some(BrokerId(1)),
        leader_epoch: LeaderEpoch(5),
        partition_epoch: PartitionEpoch(7),
        recovering: false,
    }
}

impl Cluster {
    /// The partition as given, with `min.insync.replicas` of 2.
    pub fn with(rules: Rules, partition: Partition, fenced: &[i32]) -> Self {
        let config = Config { min_insync_replicas: Some(2), ..Config::default() };
        Self::configured(rules, partition, fenced, config)
    }

    pub fn configured(rules: Rules, partition: Partition, fenced: &[i32], config: Config) -> Self {
        let mut image = Image::default();
        for id in 1..=3 {
            let registration = Registration {
                incarnation: IncarnationId([id as u8; 16]),
                epoch: BrokerEpoch(i64::from(id)),
                fenced: fenced.contains(&id),
                in_controlled_shutdown: false,
            };
            image.apply(&Record::BrokerRegistered { broker: BrokerId(id), registration });
        }
        image.topics.insert(TOPIC, Topic { name: "t".into(), partitions: vec![partition], config });
        Self { rules, ..Self::of(image) }
    }

    /// Today's, with this image.
    pub fn of(image: Image) -> Self {
        let machine = Replicated::new(Controller::new(Arc::new(image)), Offset(10));
        Self { rules: Rules::KAFKA, machine, outputs: Vec::new() }
    }

    pub fn today() -> Self {
        Self::with(Rules::KAFKA, partition(), &[])
    }

    /// Lets the controller hear something, commits what it writes, and returns that.
    pub fn hear(&mut self, input: Input) -> Vec<Record> {
        let mut out = Vec::new();
        for input in [replicated::Input::Heard(input), replicated::Input::Committed { upto: Offset(i64::MAX) }] {
            self.machine.step(&self.rules, input, &mut out);
        }
        let mut written = Vec::new();
        self.outputs.clear();
        for output in out {
            match output {
                replicated::Output::Append { records, .. } => written.extend(records),
                replicated::Output::Do(output) => self.outputs.push(output),
            }
        }
        written
    }

    /// What it answered last.
    pub fn reply(&self) -> Option<&Reply> {
        self.outputs.iter().find_map(|output| if let Output::Reply { reply, .. } = output { Some(reply) } else { None })
    }

    pub fn asked(&mut self, input: Input) -> Reply {
        self.hear(input);
        self.reply().cloned().unwrap()
    }

    pub fn beat(&mut self, heartbeat: Heartbeat) -> (Vec<Record>, HeartbeatReply) {
        let written = self.hear(Input::Heartbeat(heartbeat));
        match self.reply() {
            Some(Reply::Heartbeat(reply)) => (written, *reply),
            other => panic!("{other:?}"),
        }
    }

    pub fn image(&self) -> &Image {
        self.machine.committed().image()
    }

    pub fn now(&self) -> &Partition {
        self.image().partition(PARTITION).unwrap()
    }

    pub fn has_session(&self, broker: i32) -> bool {
        self.machine.committed().sessions().contains_key(&BrokerId(broker))
            || self.machine.speculative().sessions().contains_key(&BrokerId(broker))
    }

    pub fn end(&self) -> Offset {
        self.machine.end()
    }
}

/// A heartbeat of one of the three, which knows all that was written at first and wants nothing.
pub fn heartbeat(broker: i32) -> Heartbeat {
    Heartbeat {
        ticket: Ticket(0),
        broker: BrokerId(broker),
        epoch: BrokerEpoch(i64::from(broker)),
        metadata_end: Offset(10),
        want_fence: false,
        want_shutdown: false,
        choice: None,
    }
}

pub fn expired(broker: i32) -> Input {
    Input::SessionExpired { broker: BrokerId(broker), epoch: BrokerEpoch(i64::from(broker)), choice: None }
}

/// A process that was not there before.
pub fn register(broker: i32, previous_epoch: Option<i64>) -> Input {
    Input::Register(Register {
        ticket: Ticket(0),
        broker: BrokerId(broker),
        incarnation: IncarnationId([99; 16]),
        previous_epoch: previous_epoch.map(BrokerEpoch),
        choice: None,
    })
}

/// The one change of the partition among some records.
pub fn change(records: &[Record]) -> &PartitionChange {
    let mut changes = records.iter().filter_map(|record| match record {
        Record::PartitionChanged { partition: PARTITION, change } => Some(change),
        _ => None,
    });
    let found = changes.next().unwrap_or_else(|| panic!("the partition does not change: {records:?}"));
    assert_eq!(changes.next(), None);
    found
}
