//! The thread that hosts this broker's group coordinators: it steps them, and carries out what they say.
//!
//! It decides nothing: `highwater_spec::group` does. What a step appends goes through the partition's shard like a
//! client's batch with acks=all; when the shard answers, it is committed. When it can't be written, or leadership goes,
//! the coordinator reverts, and a new one begins with what the log says.

use super::load::{LoadError, Loaded, load};
use super::records::batch;
use super::retention::checks;
use crate::carrier::{Durable, Timestamp};
use crate::cells::{Drained, Published};
use crate::door::{Done, Enters, Entrance, Place, Plain, What};
use crate::node::broker_host::Shards;
use crate::node::cluster::Cluster;
use crate::node::log_configs::LogConfigs;
use crate::node::partitions::Partitions;
use crate::node::shard::{self, Produced};
use crate::node::tickets::Tickets;
use crate::node::timers::Timers;
use highwater_spec::controller::Topic;
use highwater_spec::group::{
    Aftermath, Appended, Config, Coordinator, GroupId, Input, KnownTopic, KnownTopics, Output, Record,
    ReplicatedCoordinator, Reply, Request, Tenure, Timer,
};
use highwater_spec::machine::Machine;
use highwater_spec::refusal::Refusal;
use highwater_spec::replica::{Acks, ProduceOutcome};
use highwater_spec::replicated;
use highwater_spec::rules::Rules;
use highwater_spec::values::{BrokerId, Offset, TopicId, TopicPartition};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::runtime::Handle;
use tokio::sync::oneshot;
use tokio::task::JoinSet;

/// A coordinator waits for its records as long as it leads: a write that takes long is no failure.
const AS_LONG_AS_IT_TAKES: Duration = Duration::from_secs(10 * 365 * 24 * 3600);

/// What reaches the coordinators' thread.
pub enum Event {
    /// The metadata have changed: who leads what may have, too.
    ClusterChanged,
    /// A log has been read, or not.
    Loaded(TopicPartition, Term, Result<Loaded, LoadError>),
    /// What a step appended is committed, or never will be.
    Written(Written),
    /// A client asks.
    Asked(Ask),
    /// Someone looks at what is committed.
    Looked(TopicPartition, Look),
    /// Someone looks at what is committed, everywhere.
    LookedAtAll(LookAtAll),
    /// What no one has needed since is to be forgotten.
    UnneededSince(Timestamp),
    /// A timer that the door has let through.
    Due(TimerName),
    /// To be called when everything sent before has been taken note of.
    Mark(Done),
}

/// Which of a partition's coordinators something is about: each begins a term.
pub type Term = u64;

/// Looks at a coordinator, if there is one.
pub type Look = Box<dyn FnOnce(Option<&ReplicatedCoordinator<Durable>>) + Send>;

/// Looks at every coordinator.
pub type LookAtAll = Box<dyn FnOnce(&mut dyn Iterator<Item = &ReplicatedCoordinator<Durable>>) + Send>;

/// A client's request.
pub struct Ask {
    /// The partition that has the group.
    pub partition: TopicPartition,
    /// The group.
    pub group: GroupId,
    /// What it wants.
    pub request: Request<Durable>,
    /// Takes the answer.
    pub reply: oneshot::Sender<Reply<Durable>>,
}

/// How an append ended.
pub struct Written {
    partition: TopicPartition,
    term: Term,
    appended: Appended,
    outcome: Option<ProduceOutcome>,
}

impl Enters for Event {
    /// That leadership or topics have changed waits at other doors, and what only looks changes nothing.
    fn arrival(&self) -> Option<(Place, What)> {
        let (partition, text) = match self {
            Self::Asked(ask) => (ask.partition, format!("{:?} of {}", ask.request.recast::<Plain>(), ask.group)),
            Self::Loaded(partition, ..) => (*partition, "Loaded".to_owned()),
            Self::Written(written) => (written.partition, "Written".to_owned()),
            _ => return None,
        };
        Some((Place::Group(partition), What::Input(text)))
    }

    fn mark(done: Done) -> Self {
        Self::Mark(done)
    }
}

/// What the thread works with.
pub struct Surroundings {
    /// This broker.
    pub me: BrokerId,
    /// The rules in force.
    pub rules: Rules,
    /// What coordinators decide by.
    pub config: Config,
    /// How large a batch each log takes.
    pub log_configs: LogConfigs,
    /// The cluster, as this broker knows it.
    pub cluster: Arc<Published<Cluster>>,
    /// Take what is appended.
    pub shards: Shards,
    /// The replicas here.
    pub partitions: Arc<Partitions>,
    /// Runs what waits.
    pub runtime: Handle,
}

/// A timer of a group.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct TimerName {
    partition: TopicPartition,
    group: GroupId,
    timer: Timer,
}

/// One coordinator.
struct Hosted {
    term: Term,
    machine: ReplicatedCoordinator<Durable>,
}

/// The thread's own state.
pub struct GroupHost {
    around: Surroundings,
    entrance: Entrance<Event>,
    coordinators: BTreeMap<TopicPartition, Hosted>,
    /// The leaderships that were acted on.
    tenures: BTreeMap<TopicPartition, Tenure>,
    /// The topics, as the coordinators were last told.
    topics: Arc<KnownTopics>,
    /// How large a batch the coordinators' log takes, as they were last told.
    max_batch: u64,
    terms: Term,
    timers: Timers<TimerName>,
    tickets: Tickets<oneshot::Sender<Reply<Durable>>>,
    /// What waits for logs and appends; it ends with this.
    waiting: JoinSet<()>,
}

impl GroupHost {
    /// A thread that hosts nothing yet.
    pub fn new(around: Surroundings, entrance: Entrance<Event>) -> Self {
        let before = entrance.clone();
        let hold = move |name: &TimerName| {
            let (name, told) = (name.clone(), format!("{:?} of {}", name.timer, name.group));
            before.hold_timer(Place::Group(name.partition), told, move || Event::Due(name))
        };
        let max_batch = around.config.max_batch;
        Self {
            around,
            entrance,
            coordinators: BTreeMap::new(),
            tenures: BTreeMap::new(),
            topics: Arc::default(),
            max_batch,
            terms: 0,
            timers: Timers::before(hold),
            tickets: Tickets::new(),
            waiting: JoinSet::new(),
        }
    }

    /// Runs until the inbox is closed.
    pub fn run(mut self) {
        let mut events = Vec::new();
        while self.entrance.drain(&mut events, self.timers.next()) != Drained::Closed {
            for event in events.drain(..) {
                self.heard(event);
            }
            while let Some(name) = self.timers.take_due(Instant::now()) {
                self.due(name);
            }
            while self.waiting.try_join_next().is_some() {}
        }
    }

    fn heard(&mut self, event: Event) {
        match event {
            Event::ClusterChanged => {
                self.follow_limit();
                self.follow_topics();
                self.follow_leadership();
            }
            Event::Loaded(partition, term, loaded) => self.loaded(partition, term, loaded),
            Event::Written(written) => self.written(written),
            Event::Asked(ask) => self.asked(ask),
            Event::UnneededSince(since) => self.check_retention(since),
            Event::Looked(partition, look) => look(self.coordinators.get(&partition).map(|hosted| &hosted.machine)),
            Event::LookedAtAll(look) => look(&mut self.coordinators.values().map(|hosted| &hosted.machine)),
            Event::Due(name) if self.timers.take(&name) => self.due(name),
            Event::Due(_) => {}
            Event::Mark(done) => done(),
        }
    }

    fn due(&mut self, TimerName { partition, group, timer }: TimerName) {
        self.tell(partition, Input::TimerFired { at: Timestamp::now(), group, timer });
    }

    /// Every coordinator hears of its log's `max.message.bytes` when that has changed.
    fn follow_limit(&mut self) {
        let cluster = self.around.cluster.read();
        let Some((topic, _)) = cluster.topic_named(super::placement::TOPIC) else { return };
        let max_batch = self.around.log_configs.produced_to(&cluster, topic).max_message_bytes as u64;
        if max_batch != self.max_batch {
            self.max_batch = max_batch;
            let led: Vec<_> = self.coordinators.keys().copied().collect();
            led.into_iter().for_each(|id| self.tell(id, Input::LimitChanged { max_batch }));
        }
    }

    /// A coordinator that has just been made hears of what the log does not carry.
    fn tell_surroundings(&mut self, partition: TopicPartition) {
        self.tell(partition, Input::LimitChanged { max_batch: self.max_batch });
        self.tell_topics(partition);
    }

    /// Every coordinator hears of the topics when they have changed.
    fn follow_topics(&mut self) {
        let topics = known_topics(&self.around.cluster.read());
        if topics != *self.topics {
            self.topics = Arc::new(topics);
            let led: Vec<_> = self.coordinators.keys().copied().collect();
            led.into_iter().for_each(|id| self.tell_topics(id));
        }
    }

    fn tell_topics(&mut self, partition: TopicPartition) {
        let topics = Arc::clone(&self.topics);
        self.tell(partition, Input::TopicsChanged { topics });
    }

    /// A coordinator for each partition that this broker leads, anew for each leadership: in between somebody else may
    /// have led, and have written.
    fn follow_leadership(&mut self) {
        let cluster = self.around.cluster.read();
        let found = cluster.topic_named(super::placement::TOPIC);
        let (topic, partitions) = found.map(|(id, topic)| (id, topic.partitions.as_slice())).unwrap_or_default();
        let is_gone = |id: &TopicPartition| id.topic != topic;
        self.coordinators
            .keys()
            .copied()
            .filter(is_gone)
            .collect::<Vec<_>>()
            .into_iter()
            .for_each(|id| self.resign(id));
        self.tenures.retain(|id, _| !is_gone(id));
        for (index, partition) in (0..).zip(partitions) {
            let id = TopicPartition { topic, index };
            if self.tenures.entry(id).or_default().hears(&self.around.rules, partition.leader_epoch) {
                self.resign(id);
                if partition.leader == Some(self.around.me) {
                    self.elect(id);
                }
            }
        }
    }

    fn elect(&mut self, partition: TopicPartition) {
        self.terms += 1;
        let term = self.terms;
        let machine = ReplicatedCoordinator::new(Coordinator::new(self.around.config), Offset(0));
        self.coordinators.insert(partition, Hosted { term, machine });
        self.tell_surroundings(partition);
        self.tell(partition, Input::Elected);
        let (shards, partitions) = (self.around.shards.clone(), Arc::clone(&self.around.partitions));
        let (config, entrance) = (self.around.config, self.entrance.clone());
        let load = async move {
            let loaded = load(shards, partitions, partition, config).await;
            let _ = entrance.send(Event::Loaded(partition, term, loaded));
        };
        self.waiting.spawn_on(load, &self.around.runtime);
    }

    fn loaded(&mut self, partition: TopicPartition, term: Term, loaded: Result<Loaded, LoadError>) {
        let Some(hosted) = self.of_term(partition, term) else { return };
        match loaded {
            Ok(Loaded { coordinator, end }) => {
                hosted.machine = ReplicatedCoordinator::new(coordinator, end);
                tracing::debug!(partition = partition.index, %end, "groups are coordinated here");
                self.tell_surroundings(partition);
                self.tell(partition, Input::Loaded { at: Timestamp::now() });
            }
            Err(LoadError::NotLeading) => self.resign(partition),
            Err(error) => {
                tracing::error!(partition = partition.index, %error, "its groups can't be coordinated");
                self.resign(partition);
            }
        }
    }

    fn resign(&mut self, partition: TopicPartition) {
        self.step(partition, replicated::Input::Reverted);
        self.coordinators.remove(&partition);
        self.timers.cancel_all(|name| name.partition == partition);
    }

    fn check_retention(&mut self, since: Timestamp) {
        let all = self.coordinators.iter();
        let checks: Vec<_> = all.flat_map(|(id, hosted)| checks(*id, hosted.machine.speculative(), since)).collect();
        checks.into_iter().for_each(|(partition, input)| self.tell(partition, input));
    }

    fn asked(&mut self, Ask { partition, group, request, reply }: Ask) {
        if !self.coordinators.contains_key(&partition) {
            let _ = reply.send(request.refused(Refusal::NotCoordinator));
            return;
        }
        let ticket = self.tickets.issue(reply);
        self.tell(partition, Input::Asked { ticket, at: Timestamp::now(), group, request });
    }

    fn tell(&mut self, partition: TopicPartition, input: Input<Durable>) {
        self.step(partition, replicated::Input::Heard(input));
    }

    /// One turn: step the machine, carry out what it says, in order.
    fn step(&mut self, partition: TopicPartition, input: replicated::Input<Input<Durable>>) {
        let Some(hosted) = self.coordinators.get_mut(&partition) else { return };
        let (mut outputs, term) = (Vec::new(), hosted.term);
        hosted.machine.step(&self.around.rules, input, &mut outputs);
        for output in outputs {
            match output {
                replicated::Output::Append { base, records } => self.append(partition, term, base, &records),
                replicated::Output::Do(output) => self.carry_out(partition, output),
            }
        }
    }

    fn carry_out(&mut self, partition: TopicPartition, output: Output<Durable>) {
        match output {
            Output::Reply { ticket, reply } => {
                if let Some(waits) = self.tickets.redeem(ticket) {
                    let _ = waits.send(reply);
                }
            }
            Output::SetTimer { group, timer, after } => {
                let after = Duration::from_millis(after.0.max(0).unsigned_abs().into());
                self.timers.set(TimerName { partition, group, timer }, Instant::now() + after);
            }
            Output::CancelTimer { group, timer } => self.timers.cancel(&TimerName { partition, group, timer }),
            Output::CancelAllTimers => self.timers.cancel_all(|name| name.partition == partition),
        }
    }

    /// Hands the records to the shard as one batch. Its answer comes back as an event.
    fn append(&mut self, partition: TopicPartition, term: Term, base: Offset, records: &[Record<Durable>]) {
        let count = u32::try_from(records.len()).unwrap_or(u32::MAX);
        let appended = Appended { base, upto: base.plus(count) };
        let (reply, answer) = oneshot::channel();
        match batch(records) {
            Ok(bytes) => {
                let timeout = AS_LONG_AS_IT_TAKES;
                let produced = Produced { partition, acks: Acks::All, count, producer: None, bytes, timeout, reply };
                self.around.shards.send(partition, shard::Event::Produced(produced));
            }
            Err(error) => {
                tracing::error!(partition = partition.index, %error, "a coordinator's records can't be written");
                drop(reply);
            }
        }
        let entrance = self.entrance.clone();
        let wait = async move {
            let outcome = answer.await.ok().map(|answer| answer.outcome);
            let _ = entrance.send(Event::Written(Written { partition, term, appended, outcome }));
        };
        self.waiting.spawn_on(wait, &self.around.runtime);
    }

    fn written(&mut self, Written { partition, term, appended, outcome }: Written) {
        if self.of_term(partition, term).is_none() {
            return;
        }
        match appended.ended(outcome, self.leads(partition)) {
            Aftermath::Committed(upto) => self.step(partition, replicated::Input::Committed { upto }),
            Aftermath::BeginAnew => {
                tracing::warn!(partition = partition.index, ?outcome, "a coordinator's records were not written");
                self.resign(partition);
                self.elect(partition);
            }
            Aftermath::Resign => self.resign(partition),
        }
    }

    /// Whether this broker leads a partition, as far as it has heard.
    fn leads(&self, partition: TopicPartition) -> bool {
        let cluster = self.around.cluster.read();
        cluster.partition(partition).is_some_and(|found| found.leader == Some(self.around.me))
    }

    fn of_term(&mut self, partition: TopicPartition, term: Term) -> Option<&mut Hosted> {
        self.coordinators.get_mut(&partition).filter(|hosted| hosted.term == term)
    }
}

/// The topics, as coordinators hear of them.
fn known_topics(cluster: &Cluster) -> KnownTopics {
    let known = |(id, topic): (&TopicId, &Topic)| {
        let partitions = u32::try_from(topic.partitions.len()).unwrap_or(u32::MAX);
        (topic.name.as_str().into(), KnownTopic { id: *id, partitions })
    };
    cluster.image.topics.iter().map(known).collect()
}
