//! The thread that hosts the broker machine: it steps it, and carries out what it says.
//!
//! It decides nothing: `highwater_spec::broker` does. What a step says to replicas reaches their shards in the order in
//! which it was said.

use super::cluster::{Addresses, Cluster, Endpoint};
use super::group;
use super::log_configs::LogConfigs;
use super::log_dirs::LogDirs;
use super::partitions::Partitions;
use super::shard::{self, Told};
use super::timers::Timers;
use super::to_controller::Call;
use crate::carrier::Net;
use crate::cells::{Drained, Published};
use crate::door::{Done, Enters, Entrance, Place, Plain, What};
use crate::storage::PartitionName;
use highwater_spec::broker::{Broker, Input, Output, Stage, Timer};
use highwater_spec::controller::Record;
use highwater_spec::machine::Machine;
use highwater_spec::replica;
use highwater_spec::rules::Rules;
use highwater_spec::values::{BrokerEpoch, IncarnationId, Offset, TopicPartition};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::{mpsc, oneshot, watch};

/// Between two heartbeats while a broker waits for leave to stop.
const SHUTDOWN_HEARTBEAT: Duration = Duration::from_millis(50);

/// What reaches the broker machine.
pub enum Event {
    /// A fact as it is.
    Heard(Input<Net>),
    /// More of the metadata log, which has passed the door by then.
    Metadata(Metadata),
    /// A timer that the door has let through.
    Due(Timer),
    /// To be called when everything sent before has been taken note of.
    Mark(Done),
}

/// Committed records of the metadata log, and where the processes that they register listen.
pub struct Metadata {
    /// The offset of the first record.
    pub from: Offset,
    /// The records, without gaps.
    pub records: Vec<Record>,
    /// Where processes listen.
    pub endpoints: Vec<(IncarnationId, Endpoint)>,
}

impl Enters for Event {
    fn arrival(&self) -> Option<(Place, What)> {
        match self {
            Self::Heard(input) => Some((Place::Broker, What::Input(format!("{:?}", input.recast::<Plain>())))),
            Self::Metadata(_) | Self::Due(_) | Self::Mark(_) => None,
        }
    }

    fn mark(done: Done) -> Self {
        Self::Mark(done)
    }
}

/// The shards of one broker, and which of them has a partition.
#[derive(Clone)]
pub struct Shards(Arc<[Entrance<shard::Event>]>);

impl Shards {
    /// These.
    pub fn new(entrances: Vec<Entrance<shard::Event>>) -> Self {
        Self(entrances.into())
    }

    /// Hands an event to the shard of a partition. A shard ends only with its broker, so that nothing is lost that
    /// anyone still waits for.
    pub fn send(&self, partition: TopicPartition, event: shard::Event) {
        let _ = self.0[self.index_of(partition)].send(event);
    }

    /// All of them.
    pub fn all(&self) -> &[Entrance<shard::Event>] {
        &self.0
    }

    /// The number of the shard that has a partition.
    pub fn index_of(&self, partition: TopicPartition) -> usize {
        // Topic ids are random, so that their bytes spread by themselves; neighbours in a topic go to different shards.
        let [.., a, b, c, d] = partition.topic.0;
        let mixed = u32::from_be_bytes([a, b, c, d]).wrapping_add(partition.index.cast_unsigned());
        mixed as usize % self.0.len()
    }
}

/// What others may learn of the broker's life.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Life {
    /// Its registration, once it has one.
    pub epoch: Option<BrokerEpoch>,
    /// The first metadata offset that it has not heard (exclusive).
    pub metadata_end: Offset,
    /// Whether the controller has let it take part.
    pub unfenced: bool,
    /// Whether it has ended.
    pub ended: bool,
}

/// How long the machine's timers run.
#[derive(Clone, Copy, Debug)]
pub struct Timing {
    /// `broker.heartbeat.interval.ms`.
    pub heartbeat: Duration,
    /// Until a registration or an AlterPartition is tried again.
    pub retry: Duration,
}

/// What the host works with.
pub struct Surroundings {
    /// The rules in force.
    pub rules: Rules,
    /// The broker's shards.
    pub shards: Shards,
    /// What its replicas show.
    pub partitions: Arc<Partitions>,
    /// Where logs lie.
    pub log_dirs: Arc<LogDirs>,
    /// How logs are kept.
    pub log_configs: LogConfigs,
    /// Takes calls to the controller.
    pub controller: mpsc::UnboundedSender<Call>,
    /// What handlers see of the cluster.
    pub cluster: Arc<Published<Cluster>>,
    /// Hears when that changes.
    pub groups: Entrance<group::host::Event>,
    /// What others see of the broker's life.
    pub life: watch::Sender<Life>,
    /// How long timers run.
    pub timing: Timing,
}

/// The thread's own state.
pub struct BrokerHost {
    machine: Broker<Net>,
    around: Surroundings,
    entrance: Entrance<Event>,
    timers: Timers<Timer>,
    addresses: Arc<Addresses>,
    names: HashMap<TopicPartition, PartitionName>,
}

impl BrokerHost {
    /// A host whose broker has not started yet.
    pub fn new(machine: Broker<Net>, around: Surroundings, entrance: Entrance<Event>) -> Self {
        let before = entrance.clone();
        let hold = move |timer: &Timer| {
            let (timer, told) = (*timer, format!("{:?}", Input::<Plain>::TimerFired(*timer)));
            before.hold_timer(Place::Broker, told, move || Event::Due(timer))
        };
        Self {
            machine,
            around,
            entrance,
            timers: Timers::before(hold),
            addresses: Arc::default(),
            names: HashMap::new(),
        }
    }

    /// Runs until the broker's life ends.
    pub fn run(mut self) {
        let mut events = Vec::new();
        while !self.around.life.borrow().ended
            && self.entrance.drain(&mut events, self.timers.next()) != Drained::Closed
        {
            for event in events.drain(..) {
                match event {
                    Event::Heard(input) => self.turn(input),
                    Event::Metadata(metadata) => self.metadata(metadata),
                    Event::Due(timer) => {
                        if self.timers.take(&timer) {
                            self.turn(Input::TimerFired(timer));
                        }
                    }
                    Event::Mark(done) => done(),
                }
            }
            while let Some(timer) = self.timers.take_due(Instant::now()) {
                self.turn(Input::TimerFired(timer));
            }
        }
        self.entrance.close();
        self.around.shards.all().iter().for_each(|shard| shard.close());
        self.around.life.send_modify(|life| life.ended = true);
    }

    fn metadata(&mut self, Metadata { from, records, endpoints }: Metadata) {
        if !endpoints.is_empty() {
            let addresses = Arc::make_mut(&mut self.addresses);
            endpoints.into_iter().for_each(|(incarnation, endpoint)| addresses.note(incarnation, endpoint));
        }
        self.turn(Input::MetadataArrived { from, records, at: Instant::now() });
    }

    /// One turn: step the machine, carry out what it says, in order, and show what it knows.
    fn turn(&mut self, input: Input<Net>) {
        let unfenced = match &input {
            Input::HeartbeatAnswered(Ok(reply)) => Some(!reply.is_fenced),
            _ => None,
        };
        let mut outputs = Vec::new();
        let knew = self.machine.is_published();
        self.machine.step(&self.around.rules, input, &mut outputs);
        // Before the replicas are told anything: what they fetch says which registration fetches it.
        let epoch = self.machine.epoch();
        self.around.life.send_if_modified(|life| std::mem::replace(&mut life.epoch, epoch) != epoch);
        if self.machine.is_published() && !knew {
            self.set_strays_aside();
        }
        for output in outputs {
            self.carry_out(output);
        }
        self.show(unfenced);
    }

    /// Before the first replica is opened: what the metadata does not know must not be in the way of what it does.
    fn set_strays_aside(&self) {
        let (image, me) = (self.machine.image(), self.machine.me());
        let belongs = |id| image.partition(id).is_some_and(|partition| partition.replicas.contains(&me));
        if let Err(error) = self.around.log_dirs.set_strays_aside(belongs) {
            tracing::error!(%error, "logs of topics that are gone were not set aside");
        }
    }

    /// Handlers see the metadata once the shards have been told: what they then ask of a shard comes after it.
    fn show(&mut self, unfenced: Option<bool>) {
        let shown = self.around.cluster.read();
        if !Arc::ptr_eq(&shown.image, self.machine.image()) {
            let image = Arc::clone(self.machine.image());
            Arc::make_mut(&mut self.addresses).keep(&image);
            self.around.cluster.publish(Cluster::new(image, Arc::clone(&self.addresses), &shown));
            let _ = self.around.groups.send(group::host::Event::ClusterChanged);
        }
        let (epoch, metadata_end) = (self.machine.epoch(), self.machine.metadata_end());
        self.around.life.send_if_modified(|life| {
            let now = Life { epoch, metadata_end, unfenced: unfenced.unwrap_or(life.unfenced), ended: life.ended };
            std::mem::replace(life, now) != now
        });
    }

    fn carry_out(&mut self, output: Output<Net>) {
        match output {
            Output::Register { incarnation, previous_epoch } => {
                self.call(Call::Register { incarnation, previous_epoch })
            }
            Output::Heartbeat { epoch, metadata_end, want_fence, want_shutdown } => {
                self.call(Call::Heartbeat { epoch, metadata_end, want_fence, want_shutdown });
            }
            Output::AlterPartition { broker_epoch, changes } => {
                self.call(Call::AlterPartition { broker_epoch, changes })
            }
            Output::Tell { partition, input } => self.tell(partition, input),
            Output::CloseLogs => self.close_logs(),
            Output::WriteCleanShutdown { epoch } => {
                if let Err(error) = self.around.log_dirs.write_clean_shutdown(epoch) {
                    tracing::error!(%error, "the mark of a clean shutdown was not written: the next start recovers");
                }
                self.entrance.door().carried_out(Place::Broker);
            }
            Output::Exit => self.around.life.send_modify(|life| life.ended = true),
            Output::SetTimer(timer) => {
                let runs = match timer {
                    // As in Kafka, a broker that waits for leave to stop asks sooner.
                    Timer::Heartbeat if self.machine.stage() == Stage::ShuttingDown => {
                        self.around.timing.heartbeat.min(SHUTDOWN_HEARTBEAT)
                    }
                    Timer::Heartbeat => self.around.timing.heartbeat,
                    Timer::Registration | Timer::AlterPartitionRetry => self.around.timing.retry,
                };
                self.timers.set(timer, Instant::now() + runs);
            }
        }
    }

    fn call(&self, call: Call) {
        // The tasks that call end only with the node.
        let _ = self.around.controller.send(call);
    }

    fn tell(&mut self, partition: TopicPartition, input: replica::Input<Net>) {
        let image = self.machine.image();
        let topic = image.topics.get(&partition.topic);
        if let Some(topic) = topic.filter(|_| !self.names.contains_key(&partition)) {
            let name = PartitionName::new(topic.name.as_str(), partition.index);
            self.names.insert(partition, name);
        }
        let Some(name) = self.names.get(&partition).cloned() else { return };
        if matches!(input, replica::Input::Deleted) {
            self.names.remove(&partition);
        }
        let deleted = matches!(input, replica::Input::Deleted);
        let config = self.around.log_configs.of(topic.map(|topic| &topic.config), &image.defaults);
        self.around.shards.send(partition, shard::Event::Told(Told { partition, name, config, input }));
        if deleted {
            // A topic of the same name may follow, in another shard and in the same folder: first the old one goes.
            let (done, gone) = oneshot::channel();
            self.around
                .shards
                .send(partition, shard::Event::Sync(partition, Box::new(move || done.send(()).unwrap_or_default())));
            let _ = gone.blocking_recv();
        }
    }

    /// Waits until every shard has closed its logs; what they reached goes into the checkpoints.
    fn close_logs(&mut self) {
        let shown = self.around.partitions.all();
        let closing = self.around.shards.all().iter().map(|shard| {
            let (done, closed) = oneshot::channel();
            let _ = shard.send(shard::Event::Close(done));
            closed
        });
        let closing: Vec<_> = closing.collect();
        let mut clean = true;
        for closed in closing {
            clean &= closed.blocking_recv().unwrap_or(false);
        }
        let written = self.around.log_dirs.write_checkpoints(&shown);
        if let Err(error) = &written {
            tracing::error!(%error, "checkpoints were not written: the next start recovers");
        }
        if !clean || written.is_err() {
            self.turn(Input::ReplicaFailed);
        }
        self.turn(Input::LogsClosed);
    }
}
