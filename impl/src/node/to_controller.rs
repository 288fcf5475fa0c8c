//! What the broker machine asks of the controller, over sockets: registration and heartbeats on one connection, ISR
//! changes on another, so that neither waits for the other.
//!
//! A request whose answer does not come is answered here as timed out; the machine asks again when it sees fit.

use super::alive::Alive;
use super::broker_host::Event;
use super::cluster::Endpoint;
use super::metadata_records::{broker_or_none, ids};
use super::reach::Reach;
use crate::client::{ClientError, Connection};
use crate::door::Entrance;
use crate::wire::messages::{alter_partition, broker_heartbeat, broker_registration};
use crate::wire::{RequestMessage, Uuid};
use highwater_spec::broker::Input;
use highwater_spec::controller::{HeartbeatReply, IsrChange};
use highwater_spec::refusal::Refusal;
use highwater_spec::replica::{IsrState, ProposalsOutcome};
use highwater_spec::values::{
    BrokerEpoch, BrokerId, IncarnationId, LeaderEpoch, Offset, PartitionEpoch, TopicPartition,
};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::{Mutex, mpsc};
use tokio::task::JoinSet;

/// A request of the broker machine.
#[derive(Clone, Debug)]
pub enum Call {
    /// BrokerRegistration.
    Register {
        /// This process.
        incarnation: IncarnationId,
        /// What the last process wrote down when it shut down cleanly.
        previous_epoch: Option<BrokerEpoch>,
    },
    /// BrokerHeartbeat.
    Heartbeat {
        /// The registration.
        epoch: BrokerEpoch,
        /// The first metadata offset not applied (exclusive).
        metadata_end: Offset,
        /// It wants to be fenced.
        want_fence: bool,
        /// It wants to stop.
        want_shutdown: bool,
    },
    /// AlterPartition.
    AlterPartition {
        /// The registration.
        broker_epoch: BrokerEpoch,
        /// The changes.
        changes: Vec<IsrChange>,
    },
}

/// One connection to the controller that is made again when it breaks. Requests go one after another.
pub struct Channel {
    controller: Endpoint,
    timeout: Duration,
    connection: Mutex<Option<Connection>>,
    reach: Arc<Reach>,
}

impl Channel {
    /// A channel that connects when it is first used.
    pub fn new(controller: Endpoint, timeout: Duration, reach: Arc<Reach>) -> Self {
        Self { controller, timeout, connection: Mutex::new(None), reach }
    }

    /// Asks, and waits for the answer for at most the channel's timeout. Nothing is sent twice: whether a request may be
    /// is for whoever asks to know.
    ///
    /// # Errors
    /// When the controller can't be reached, or does not answer. It may have carried out the request all the same.
    pub async fn call<R: RequestMessage>(&self, request: &R) -> Result<R::Response, ClientError> {
        let mut held = self.connection.lock().await;
        let answer = self.ask(&mut held, request).await;
        self.reach.note(&answer);
        answer
    }

    /// As [`Channel::call`], of a request that may be carried out twice: where the controller closed a connection that
    /// was held, perhaps while the request was on its way, it is sent again on another one.
    ///
    /// # Errors
    /// As for [`Channel::call`].
    async fn call_repeatable<R: RequestMessage>(&self, request: &R) -> Result<R::Response, ClientError> {
        let mut held = self.connection.lock().await;
        let was_held = held.is_some();
        let mut answer = self.ask(&mut held, request).await;
        if was_held && matches!(answer, Err(ClientError::Broken { .. })) {
            answer = self.ask(&mut held, request).await;
        }
        self.reach.note(&answer);
        answer
    }

    async fn ask<R: RequestMessage>(
        &self,
        held: &mut Option<Connection>,
        request: &R,
    ) -> Result<R::Response, ClientError> {
        let address = self.controller.to_string();
        let mut connection = Connection::held_or_new(held.take(), &address, self.timeout).await?;
        // A connection goes back only after a whole answer: a late one must not be taken for the next.
        let answer = tokio::time::timeout(self.timeout, connection.call(request)).await;
        let answer = answer.unwrap_or_else(|_| Err(ClientError::timed_out(&address)))?;
        *held = Some(connection);
        Ok(answer)
    }
}

/// Who asks.
pub struct Caller {
    /// The broker.
    pub me: BrokerId,
    /// Its cluster.
    pub cluster_id: String,
    /// Where clients reach it.
    pub endpoint: Endpoint,
    /// Its log directory.
    pub directory: Uuid,
    /// Where the controller is.
    pub controller: Endpoint,
    /// How long an answer may take.
    pub timeout: Duration,
    /// Whether the controller answers.
    pub reach: Arc<Reach>,
    /// Takes the answers.
    pub inbox: Entrance<Event>,
}

impl Caller {
    /// Carries out calls until no one can make any more.
    pub async fn run(self, mut calls: mpsc::UnboundedReceiver<Call>, alive: Alive) {
        let caller = Arc::new(self);
        let (lifecycle, of_lifecycle) = mpsc::unbounded_channel();
        let (isrs, of_isrs) = mpsc::unbounded_channel();
        // They end with this.
        let mut workers = JoinSet::new();
        for calls in [of_lifecycle, of_isrs] {
            let (caller, alive) = (Arc::clone(&caller), alive.clone());
            workers.spawn(async move {
                let _alive = alive;
                caller.work(calls).await;
            });
        }
        while let Some(call) = calls.recv().await {
            let to = if matches!(call, Call::AlterPartition { .. }) { &isrs } else { &lifecycle };
            let _ = to.send(call);
        }
    }

    async fn work(self: Arc<Self>, mut calls: mpsc::UnboundedReceiver<Call>) {
        let channel = Channel::new(self.controller.clone(), self.timeout, Arc::clone(&self.reach));
        while let Some(call) = calls.recv().await {
            let input = self.carry_out(&channel, call).await;
            let _ = self.inbox.send(Event::Heard(input));
        }
    }

    async fn carry_out(&self, channel: &Channel, call: Call) -> Input<crate::carrier::Net> {
        match call {
            Call::Register { incarnation, previous_epoch } => {
                let answer = channel.call_repeatable(&self.registration(incarnation, previous_epoch)).await;
                let outcome = heard(answer, "registration").and_then(|response| {
                    refused(response.error_code, "registration").map(|()| BrokerEpoch(response.broker_epoch))
                });
                Input::RegistrationAnswered { outcome, at: Instant::now() }
            }
            Call::Heartbeat { epoch, metadata_end, want_fence, want_shutdown } => {
                let request = broker_heartbeat::BrokerHeartbeatRequest {
                    broker_id: self.me.0,
                    broker_epoch: epoch.0,
                    current_metadata_offset: metadata_end.0 - 1,
                    want_fence,
                    want_shut_down: want_shutdown,
                    ..Default::default()
                };
                let outcome = heard(channel.call_repeatable(&request).await, "heartbeat").and_then(|response| {
                    refused(response.error_code, "heartbeat").map(|()| HeartbeatReply {
                        is_caught_up: response.is_caught_up,
                        is_fenced: response.is_fenced,
                        should_shut_down: response.should_shut_down,
                    })
                });
                Input::HeartbeatAnswered(outcome)
            }
            Call::AlterPartition { broker_epoch, changes } => {
                let answer = channel.call(&self.alter_partition(broker_epoch, &changes)).await;
                Input::AlterPartitionAnswered(heard(answer, "AlterPartition").and_then(altered))
            }
        }
    }

    fn registration(
        &self,
        incarnation: IncarnationId,
        previous_epoch: Option<BrokerEpoch>,
    ) -> broker_registration::BrokerRegistrationRequest {
        broker_registration::BrokerRegistrationRequest {
            broker_id: self.me.0,
            cluster_id: self.cluster_id.clone(),
            incarnation_id: Uuid(incarnation.0),
            listeners: vec![broker_registration::Listener {
                name: "PLAINTEXT".to_owned(),
                host: self.endpoint.host.clone(),
                port: self.endpoint.port,
                security_protocol: 0,
            }],
            log_dirs: vec![self.directory],
            previous_broker_epoch: previous_epoch.map_or(-1, |epoch| epoch.0),
            ..Default::default()
        }
    }

    fn alter_partition(
        &self,
        broker_epoch: BrokerEpoch,
        changes: &[IsrChange],
    ) -> alter_partition::AlterPartitionRequest {
        let topics = changes.iter().map(|IsrChange { partition, proposal }| {
            let members = proposal.members.iter().map(|(broker, epoch)| alter_partition::request::BrokerState {
                broker_id: broker.0,
                broker_epoch: epoch.map_or(-1, |epoch| epoch.0),
            });
            let change = alter_partition::request::PartitionData {
                partition_index: partition.index,
                leader_epoch: proposal.leader_epoch.0,
                new_isr: ids(&proposal.brokers()),
                new_isr_with_epochs: members.collect(),
                partition_epoch: proposal.partition_epoch.0,
                ..Default::default()
            };
            alter_partition::request::TopicData { topic_id: partition.topic.into(), partitions: vec![change] }
        });
        alter_partition::AlterPartitionRequest {
            broker_id: self.me.0,
            broker_epoch: broker_epoch.0,
            topics: topics.collect(),
        }
    }
}

/// Each change by itself, or the whole request refused.
fn altered(response: alter_partition::AlterPartitionResponse) -> ProposalsOutcome {
    refused(response.error_code, "AlterPartition")?;
    let mut outcomes = Vec::new();
    for topic in response.topics {
        for answer in topic.partitions {
            let partition = TopicPartition { topic: topic.topic_id.into(), index: answer.partition_index };
            let outcome = match Refusal::from_code(answer.error_code) {
                None => Ok(IsrState {
                    leader_epoch: LeaderEpoch(answer.leader_epoch),
                    partition_epoch: PartitionEpoch(answer.partition_epoch),
                    isr: answer.isr.into_iter().filter_map(broker_or_none).collect(),
                }),
                Some(refusal) => Err(refusal),
            };
            outcomes.push((partition, outcome));
        }
    }
    Ok(outcomes)
}

fn heard<T>(answer: Result<T, ClientError>, what: &str) -> Result<T, Refusal> {
    answer.map_err(|error| {
        tracing::debug!(%error, "the controller did not answer a {what}");
        Refusal::RequestTimedOut
    })
}

fn refused(code: i16, what: &str) -> Result<(), Refusal> {
    match Refusal::from_code(code) {
        None => Ok(()),
        Some(refusal) => {
            tracing::warn!(%refusal, "the controller refused a {what}");
            Err(refusal)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::messages::alter_partition::response::{PartitionData, TopicData};

    #[test]
    fn each_partition_hears_its_own_answer() {
        let taken = PartitionData { partition_index: 0, partition_epoch: 7, isr: vec![1, 2], ..Default::default() };
        let code = Refusal::InvalidUpdateVersion.code();
        let refused = PartitionData { partition_index: 1, error_code: code, ..Default::default() };
        let topic = TopicData { topic_id: Uuid([3; 16]), partitions: vec![taken, refused] };
        let response = alter_partition::AlterPartitionResponse { topics: vec![topic], ..Default::default() };
        let outcomes = altered(response).expect("it is not refused as a whole");
        let [(first, Ok(state)), (second, Err(refusal))] = outcomes.as_slice() else { panic!("{outcomes:?}") };
        assert_eq!((first.index, state.partition_epoch), (0, PartitionEpoch(7)));
        assert_eq!((second.index, *refusal), (1, Refusal::InvalidUpdateVersion));
    }
}
