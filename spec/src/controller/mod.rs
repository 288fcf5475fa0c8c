//! The controller: who is alive, where topics lie, who leads and who is in sync.
//!
//! Its state is an [`Image`], a fold of the metadata log, and beside it the brokers' sessions, which it alone keeps.
//! Wrapped in [`crate::replicated::Replicated`] it answers only what is committed.
//!
//! Not here: how the log is replicated; how brokers act on it (`broker`, `replica`). Source: KIP-500, KIP-631,
//! KIP-841, KIP-903, KIP-966; Kafka 4.1's `ReplicationControlManager`, `ClusterControlManager`,
//! `BrokerHeartbeatManager`.

mod alter_partition;
mod brokers;
pub mod config;
mod election;
mod image;
mod message;
mod producer_ids;
mod symmetry;
mod topics;

pub use brokers::{BrokerState, HeartbeatFacts, Session, next_broker_state};
pub use config::{Config, Setting};
pub use election::Election;
pub use image::{Image, Partition, PartitionChange, Record, Registration, Topic};
pub use message::{CreateTopic, Heartbeat, HeartbeatReply, Input, IsrChange, Output, Register, Reply};
pub use producer_ids::PRODUCER_IDS_PER_BLOCK;
pub use topics::{MAX_PARTITIONS, is_valid_topic_name};

use crate::replicated::{Decision, LogBacked, Replicated};
use crate::rules::Rules;
use crate::values::{BrokerId, Offset, TopicPartition};
use election::ChangeBuilder;
use std::collections::BTreeMap;
use std::sync::Arc;

/// The controller, over a log.
pub type ReplicatedController = Replicated<Controller>;

/// The active controller.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Controller {
    /// Shared with whoever looks at it; copied before it changes.
    image: Arc<Image>,
    /// The brokers that have been heard from within `broker.session.timeout.ms`. Not in the log.
    sessions: BTreeMap<BrokerId, Session>,
}

impl Controller {
    /// A controller that begins with what a log says.
    #[must_use]
    pub fn new(image: Arc<Image>) -> Self {
        Self { image, sessions: BTreeMap::new() }
    }

    /// The cluster's metadata.
    #[must_use]
    pub fn image(&self) -> &Arc<Image> {
        &self.image
    }

    /// The brokers that have been heard from lately.
    #[must_use]
    pub fn sessions(&self) -> &BTreeMap<BrokerId, Session> {
        &self.sessions
    }

    /// Appends a change for each partition that `concerns` picks, as `shape` shapes it.
    fn change_partitions(
        &self,
        rules: &Rules,
        concerns: impl Fn(&Partition) -> bool,
        shape: impl for<'a> Fn(ChangeBuilder<'a>) -> ChangeBuilder<'a>,
        records: &mut Vec<Record>,
    ) {
        for (id, partition) in self.image.partitions().filter(|(_, partition)| concerns(partition)) {
            let builder = shape(ChangeBuilder::new(rules, &self.image, id, partition));
            records.extend(builder.build().map(|change| Record::PartitionChanged { partition: id, change }));
        }
    }

    /// ElectLeaders, and the elections that the controller holds by itself.
    fn elect(
        &self,
        rules: &Rules,
        id: TopicPartition,
        election: Election,
        choice: Option<BrokerId>,
        records: &mut Vec<Record>,
    ) -> Reply {
        use crate::refusal::Refusal;
        let Some(partition) = self.image.partition(id) else {
            return Reply::Refused(Refusal::UnknownTopicOrPartition);
        };
        let needless = match election {
            Election::Preferred => {
                partition.leader.is_some() && partition.leader == partition.replicas.first().copied()
            }
            Election::Unclean | Election::Online => partition.leader.is_some(),
        };
        if needless {
            return Reply::Refused(Refusal::ElectionNotNeeded);
        }
        let builder = ChangeBuilder::new(rules, &self.image, id, partition).election(election).choice(choice);
        match builder.build() {
            Some(change) => {
                records.push(Record::PartitionChanged { partition: id, change });
                Reply::Elected
            }
            None => Reply::Refused(match election {
                Election::Preferred => Refusal::PreferredLeaderNotAvailable,
                Election::Unclean | Election::Online => Refusal::EligibleLeadersNotAvailable,
            }),
        }
    }

    /// `controller.elect.unclean`: a topic that prefers a lossy leader gets one as soon as someone is alive.
    fn elect_for_leaderless(&self, rules: &Rules, choice: Option<BrokerId>, records: &mut Vec<Record>) {
        let leaderless = self.image.partitions().filter(|(_, partition)| partition.leader.is_none());
        for (id, partition) in leaderless.filter(|(id, _)| self.image.allows_unclean_election(id.topic)) {
            let change = ChangeBuilder::new(rules, &self.image, id, partition).choice(choice).build();
            records.extend(change.map(|change| Record::PartitionChanged { partition: id, change }));
        }
    }
}

impl LogBacked for Controller {
    type Input = Input;
    type Record = Record;
    type Output = Output;

    fn decide(&mut self, rules: &Rules, input: Input, at: Offset, decision: &mut Decision<Self>) {
        let Decision { records, outputs } = decision;
        let mut answer = |ticket, reply| outputs.push(Output::Reply { ticket, reply });
        match input {
            Input::Activated => self.begin_sessions(outputs),
            Input::Register(register) => self.register(rules, &register, at, records, outputs),
            Input::Heartbeat(heartbeat) => self.heartbeat(rules, &heartbeat, at, records, outputs),
            Input::SessionExpired { broker, epoch, choice } => {
                self.session_expired(rules, broker, epoch, choice, records);
            }
            Input::Unregister { ticket, broker, choice } => {
                let reply = self.unregister(rules, broker, choice, records);
                answer(ticket, reply);
            }
            Input::AlterPartition { ticket, broker, broker_epoch, changes } => {
                let reply = self.alter_partition(rules, broker, broker_epoch, &changes, records);
                answer(ticket, reply);
            }
            Input::AllocateProducerIds { ticket, broker, broker_epoch } => {
                let reply = self.allocate_producer_ids(broker, broker_epoch, records);
                answer(ticket, reply);
            }
            Input::ElectLeader { ticket, partition, election, choice } => {
                let reply = self.elect(rules, partition, election, choice, records);
                answer(ticket, reply);
            }
            Input::LeaderlessChecked { choice } => self.elect_for_leaderless(rules, choice, records),
            Input::CreateTopic { ticket, topic } => {
                let reply = self.create_topic(topic, records);
                answer(ticket, reply);
            }
            Input::DeleteTopic { ticket, topic } => {
                let reply = self.delete_topic(topic, records);
                answer(ticket, reply);
            }
            Input::Configure { ticket, topic, config } => {
                let reply = self.configure(rules, topic, config, records);
                answer(ticket, reply);
            }
        }
    }

    fn apply(&mut self, record: &Record) {
        Arc::make_mut(&mut self.image).apply(record);
    }
}
