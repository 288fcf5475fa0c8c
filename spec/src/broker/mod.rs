//! A broker: one process of a server, from its start to its end.
//!
//! It registers, proves that it is alive, folds the metadata log into an image, tells its replicas what concerns them,
//! and carries their proposed ISRs to the controller, one request at a time.
//!
//! Not here: which fetch is sent when (`replica::follower` asks; a fetcher per leader only gathers the requests that
//! go to one broker). Source: KIP-631, KIP-497; Kafka's `BrokerLifecycleManager`, `AlterPartitionManager`,
//! `ReplicaManager.applyDelta`.

mod message;
mod metadata;
mod recast;
mod symmetry;

pub use message::{Input, Output, Timer};

use crate::controller::{HeartbeatReply, Image, IsrChange};
use crate::machine::{Carrier, Machine};
use crate::marks::{guard, rule};
use crate::refusal::Refusal;
use crate::replica::{self, IsrProposal, ProposalsOutcome};
use crate::rules::Rules;
use crate::values::{BrokerEpoch, BrokerId, IncarnationId, Offset, TopicPartition};
use std::collections::BTreeMap;
use std::hash::{Hash, Hasher};
use std::marker::PhantomData;
use std::sync::Arc;

/// One process of a broker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Broker<C: Carrier> {
    me: BrokerId,
    incarnation: IncarnationId,
    /// What the last process wrote down when it shut down cleanly.
    previous_epoch: Option<BrokerEpoch>,
    epoch: Option<BrokerEpoch>,
    stage: Stage,
    /// A replica's disk failed: the broker asks to be fenced, so that others lead.
    failed: bool,
    /// Shared with whoever looks at it; copied before it changes.
    image: Arc<Image>,
    /// The first metadata offset not in the image (exclusive).
    metadata_end: Offset,
    /// Whether the replicas have heard what the image says.
    published: bool,
    /// The request that awaits its answer.
    in_flight: Option<Vec<IsrChange>>,
    /// The latest proposal of each partition that waits its turn.
    unsent: BTreeMap<TopicPartition, IsrProposal>,
    carrier: PhantomData<C>,
}

/// Where a broker stands in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Stage {
    /// Not registered yet.
    Registering,
    /// Registered; heartbeats tell whether it is fenced.
    Running,
    /// It has asked to stop, and hands over what it leads.
    ShuttingDown,
    /// It may stop, and closes its logs first.
    Closing,
}

/// The image is compared and not hashed: it is large, and where it ends says nearly as much.
impl<C: Carrier> Hash for Broker<C> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (self.me, self.incarnation, self.previous_epoch, self.epoch, self.stage, self.failed).hash(state);
        (self.metadata_end, self.published, &self.in_flight, &self.unsent).hash(state);
    }
}

impl<C: Carrier> Broker<C> {
    /// A process that has just started; it registers when it hears [`Input::Started`].
    #[must_use]
    pub fn new(me: BrokerId, incarnation: IncarnationId, previous_epoch: Option<BrokerEpoch>) -> Self {
        Self {
            me,
            incarnation,
            previous_epoch,
            epoch: None,
            stage: Stage::Registering,
            failed: false,
            image: Arc::default(),
            metadata_end: Offset(0),
            published: false,
            in_flight: None,
            unsent: BTreeMap::new(),
            carrier: PhantomData,
        }
    }

    /// Its id.
    #[must_use]
    pub fn me(&self) -> BrokerId {
        self.me
    }

    /// Its registration, once it has one.
    #[must_use]
    pub fn epoch(&self) -> Option<BrokerEpoch> {
        self.epoch
    }

    /// Where it stands.
    #[must_use]
    pub fn stage(&self) -> Stage {
        self.stage
    }

    /// The metadata as far as it has heard.
    #[must_use]
    pub fn image(&self) -> &Arc<Image> {
        &self.image
    }

    /// The first metadata offset that it has not heard (exclusive).
    #[must_use]
    pub fn metadata_end(&self) -> Offset {
        self.metadata_end
    }

    /// Whether its replicas have heard what the metadata says.
    #[must_use]
    pub fn is_published(&self) -> bool {
        self.published
    }

    /// `broker.register`: refused while an earlier process still has a session, it tries again.
    fn registered(&mut self, outcome: Result<BrokerEpoch, Refusal>, at: C::Stamp, out: &mut Vec<Output<C>>) {
        guard!("broker.register", outcome.is_ok());
        match outcome {
            Ok(epoch) if self.stage == Stage::Registering => {
                self.epoch = Some(epoch);
                self.stage = Stage::Running;
                self.publish_first(at, out);
                self.beat(out);
            }
            Ok(_) => {}
            Err(_) => out.push(Output::SetTimer(Timer::Registration)),
        }
    }

    /// `broker.heartbeat`: says how far its metadata reaches, and what it wants.
    pub(super) fn beat(&self, out: &mut Vec<Output<C>>) {
        if let Some(epoch) = self.epoch.filter(|_| self.stage != Stage::Closing) {
            rule!("broker.heartbeat");
            out.push(Output::Heartbeat {
                epoch,
                metadata_end: self.metadata_end,
                want_fence: self.failed,
                want_shutdown: self.stage == Stage::ShuttingDown,
            });
        }
    }

    fn heartbeat_answered(&mut self, outcome: Result<HeartbeatReply, Refusal>, out: &mut Vec<Output<C>>) {
        let may_stop = outcome.is_ok_and(|reply| reply.should_shut_down);
        if may_stop && self.stage == Stage::ShuttingDown {
            self.stage = Stage::Closing;
            self.tell_hosted(|_| replica::Input::Closing, out);
            out.push(Output::CloseLogs);
        } else {
            out.push(Output::SetTimer(Timer::Heartbeat));
        }
    }

    /// `broker.shutdown.clean`: the mark is the last thing written, after every log is flushed. It names the epoch, so
    /// that the controller can tell that nothing came in between.
    fn logs_closed(&mut self, out: &mut Vec<Output<C>>) {
        let clean = guard!("broker.shutdown.clean", self.stage == Stage::Closing && !self.failed);
        if let Some(epoch) = self.epoch.filter(|_| clean) {
            out.push(Output::WriteCleanShutdown { epoch });
        }
        out.push(Output::Exit);
    }

    /// `broker.isr.one-request`: one AlterPartition under way; of each partition the latest proposal waits.
    fn isr_proposed(&mut self, partition: TopicPartition, proposal: IsrProposal, out: &mut Vec<Output<C>>) {
        self.unsent.insert(partition, proposal);
        self.send_proposals(out);
    }

    fn send_proposals(&mut self, out: &mut Vec<Output<C>>) {
        if guard!("broker.isr.one-request", self.in_flight.is_none()) && !self.unsent.is_empty() {
            let waiting = std::mem::take(&mut self.unsent).into_iter();
            self.in_flight = Some(waiting.map(|(partition, proposal)| IsrChange { partition, proposal }).collect());
            self.send_in_flight(out);
        }
    }

    fn send_in_flight(&self, out: &mut Vec<Output<C>>) {
        let (Some(changes), Some(broker_epoch)) = (&self.in_flight, self.epoch) else { return };
        let signed = changes.iter().map(|change| IsrChange {
            partition: change.partition,
            proposal: self.signed(&change.proposal, broker_epoch),
        });
        out.push(Output::AlterPartition { broker_epoch, changes: signed.collect() });
    }

    /// A leader vouches for itself with its own registration.
    fn signed(&self, proposal: &IsrProposal, own: BrokerEpoch) -> IsrProposal {
        let members = proposal.members.iter();
        let signed = members.map(|(member, epoch)| (*member, if *member == self.me { Some(own) } else { *epoch }));
        IsrProposal { members: signed.collect(), ..*proposal }
    }

    /// `broker.isr.retry`: a request that was refused as a whole, or lost, is sent again as it was.
    fn alter_partition_answered(&mut self, outcome: ProposalsOutcome, out: &mut Vec<Output<C>>) {
        let Ok(answers) = outcome else {
            rule!("broker.isr.retry");
            return out.push(Output::SetTimer(Timer::AlterPartitionRetry));
        };
        for IsrChange { partition, proposal } in self.in_flight.take().unwrap_or_default() {
            let found = answers.iter().find(|(answered, _)| *answered == partition);
            let outcome = found.map_or(Err(Refusal::RequestTimedOut), |(_, outcome)| outcome.clone());
            out.push(Output::Tell { partition, input: replica::Input::IsrAnswered { proposal, outcome } });
        }
        self.send_proposals(out);
    }
}

impl<C: Carrier> Machine for Broker<C> {
    type Input = Input<C>;
    type Output = Output<C>;

    fn step(&mut self, _rules: &Rules, input: Input<C>, out: &mut Vec<Output<C>>) {
        match input {
            Input::Started | Input::TimerFired(Timer::Registration) => {
                if self.stage == Stage::Registering {
                    let (incarnation, previous_epoch) = (self.incarnation, self.previous_epoch);
                    out.push(Output::Register { incarnation, previous_epoch });
                }
            }
            Input::RegistrationAnswered { outcome, at } => self.registered(outcome, at, out),
            Input::HeartbeatAnswered(outcome) => self.heartbeat_answered(outcome, out),
            Input::TimerFired(Timer::Heartbeat) => self.beat(out),
            Input::SnapshotLoaded { image, end, at } => {
                // `broker.metadata.snapshot`: never in place of what has been heard already.
                if guard!("broker.metadata.snapshot", !self.published && end > self.metadata_end) {
                    self.image = image;
                    self.metadata_end = end;
                    self.publish_first(at, out);
                }
            }
            Input::MetadataArrived { from, records, at } => self.metadata_arrived(from, &records, at, out),
            Input::IsrProposed { partition, proposal } => self.isr_proposed(partition, proposal, out),
            Input::AlterPartitionAnswered(outcome) => self.alter_partition_answered(outcome, out),
            Input::TimerFired(Timer::AlterPartitionRetry) => self.send_in_flight(out),
            Input::ShutdownAsked => {
                if self.stage == Stage::Running {
                    self.stage = Stage::ShuttingDown;
                    self.beat(out);
                } else if self.stage == Stage::Registering {
                    out.push(Output::Exit);
                }
            }
            Input::LogsClosed => self.logs_closed(out),
            Input::ReplicaFailed => {
                self.failed = true;
                self.beat(out);
            }
        }
    }
}
