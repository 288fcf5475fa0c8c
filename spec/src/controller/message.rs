//! What the controller hears, and what it says.

use super::{Config, Election};
use crate::refusal::Refusal;
use crate::replica::{IsrProposal, IsrState};
use crate::values::{BrokerEpoch, BrokerId, IncarnationId, Offset, ProducerId, Ticket, TopicId, TopicPartition};

/// A fact that the controller takes note of.
///
/// `choice` is for models only: the candidate to take among those that are as good, in place of the order of replicas.
/// A broker's shell passes `None`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Input {
    /// This controller is the active one from now on.
    Activated,
    /// A broker's process has started.
    Register(Register),
    /// A broker is alive.
    Heartbeat(Heartbeat),
    /// A broker has not been heard from for `broker.session.timeout.ms`.
    SessionExpired {
        /// Which.
        broker: BrokerId,
        /// The registration whose session it was.
        epoch: BrokerEpoch,
        /// Whom to elect among equals.
        choice: Option<BrokerId>,
    },
    /// A broker is gone for good.
    Unregister {
        /// Who waits.
        ticket: Ticket,
        /// Which.
        broker: BrokerId,
        /// Whom to elect among equals.
        choice: Option<BrokerId>,
    },
    /// A broker asks for ISR changes of partitions that it leads.
    AlterPartition {
        /// Who waits.
        ticket: Ticket,
        /// The broker.
        broker: BrokerId,
        /// Its registration.
        broker_epoch: BrokerEpoch,
        /// The changes.
        changes: Vec<IsrChange>,
    },
    /// A broker has no ids left for producers.
    AllocateProducerIds {
        /// Who waits.
        ticket: Ticket,
        /// The broker.
        broker: BrokerId,
        /// Its registration.
        broker_epoch: BrokerEpoch,
    },
    /// Someone asks for an election.
    ElectLeader {
        /// Who waits.
        ticket: Ticket,
        /// For which partition.
        partition: TopicPartition,
        /// How far it may go.
        election: Election,
        /// Whom to elect among equals.
        choice: Option<BrokerId>,
    },
    /// It is time to look at partitions without a leader.
    LeaderlessChecked {
        /// Whom to elect among equals.
        choice: Option<BrokerId>,
    },
    /// Someone asks for a topic.
    CreateTopic {
        /// Who waits.
        ticket: Ticket,
        /// What it is to be.
        topic: CreateTopic,
    },
    /// Someone asks to delete a topic.
    DeleteTopic {
        /// Who waits.
        ticket: Ticket,
        /// Which.
        topic: TopicId,
    },
    /// Someone sets a configuration.
    Configure {
        /// Who waits.
        ticket: Ticket,
        /// For one topic, or for the cluster.
        topic: Option<TopicId>,
        /// The whole configuration from now on.
        config: Config,
    },
}

/// BrokerRegistration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Register {
    /// Who waits.
    pub ticket: Ticket,
    /// The broker.
    pub broker: BrokerId,
    /// Its process.
    pub incarnation: IncarnationId,
    /// The epoch that its last process wrote down when it shut down cleanly.
    pub previous_epoch: Option<BrokerEpoch>,
    /// Whom to elect among equals (models only).
    pub choice: Option<BrokerId>,
}

/// BrokerHeartbeat.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Heartbeat {
    /// Who waits.
    pub ticket: Ticket,
    /// The broker.
    pub broker: BrokerId,
    /// Its registration.
    pub epoch: BrokerEpoch,
    /// The first metadata offset that it has not applied (exclusive; Kafka sends the last that it has).
    pub metadata_end: Offset,
    /// It wants to be fenced.
    pub want_fence: bool,
    /// It wants to shut down.
    pub want_shutdown: bool,
    /// Whom to elect among equals (models only).
    pub choice: Option<BrokerId>,
}

/// One proposed ISR.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct IsrChange {
    /// Of which partition.
    pub partition: TopicPartition,
    /// What is proposed.
    pub proposal: IsrProposal,
}

/// A topic to be.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct CreateTopic {
    /// Its identity, chosen at random by the shell.
    pub id: TopicId,
    /// Its name.
    pub name: String,
    /// How many partitions, when the controller places them.
    pub partitions: i32,
    /// How many replicas each, when the controller places them.
    pub replication_factor: i16,
    /// Where to begin placing: an arbitrary number.
    pub first: u32,
    /// The replicas of each partition, when whoever asks places them; empty otherwise.
    pub assignment: Vec<Vec<BrokerId>>,
    /// Its configuration.
    pub config: Config,
    /// Whether to say only what would be answered.
    pub validate_only: bool,
}

/// An instruction to the shell.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Output {
    /// Answer a request.
    Reply {
        /// Who waits.
        ticket: Ticket,
        /// The answer.
        reply: Reply,
    },
    /// Let the session of a broker expire `broker.session.timeout.ms` from now, and not earlier.
    ExtendSession {
        /// Which.
        broker: BrokerId,
        /// Its registration.
        epoch: BrokerEpoch,
    },
}

/// The answer to a request.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Reply {
    /// Registered, with this epoch.
    Registered(BrokerEpoch),
    /// Heard.
    Heartbeat(HeartbeatReply),
    /// Each ISR change by itself.
    AlteredPartitions(Vec<(TopicPartition, Result<IsrState, Refusal>)>),
    /// These ids are the broker's to give out.
    ProducerIds {
        /// The first of them (inclusive).
        first: ProducerId,
        /// How many there are.
        count: u32,
    },
    /// A leader was elected.
    Elected,
    /// The topic exists.
    Created(TopicId),
    /// The topic is gone.
    Deleted,
    /// Configured.
    Configured,
    /// The broker is unregistered.
    Unregistered,
    /// Refused, as a whole.
    Refused(Refusal),
}

/// What a broker learns from a heartbeat.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HeartbeatReply {
    /// It has applied its own registration.
    pub is_caught_up: bool,
    /// It is fenced.
    pub is_fenced: bool,
    /// It may stop now.
    pub should_shut_down: bool,
}
