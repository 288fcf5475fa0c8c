//! The replication world: one partition, the brokers that have a copy of it, the controller, and what may go wrong.
//!
//! The machines are those of the specification, unchanged. The network is what TCP gives: a connection carries one
//! fetch, or one proposal, at a time, and may break. Heartbeats and registrations are answered at once, which leaves
//! nothing out: they carry no state that a later event could overtake. Metadata reaches each broker when it likes.

mod bounds;
mod describe;
mod events;
mod observe;
mod possible;
mod producer;
mod reduce;
mod state;
mod step;
mod symmetry;
mod turn;
mod words;

pub use bounds::Bounds;
pub use state::{AskedFetch, Disk, Fetch, Model, Node, PARTITION, Process, Proposal, State, index};
pub use turn::{Trace, Turn};
pub use words::record as record_in_words;

use crate::engine::{Explorable, Verdict};
use crate::narrated::Narrated;
use crate::shared::{Shared, digest};
use highwater_spec::broker::{self, Broker};
use highwater_spec::controller::{Controller, Image, Partition, Record, Registration, ReplicatedController, Setting};
use highwater_spec::log::{EpochCache, EpochEntry, Found, recover};
use highwater_spec::property::{self, Property};
use highwater_spec::replica::Replica;
use highwater_spec::replicated::Replicated;
use highwater_spec::rules::Rules;
use highwater_spec::scenario::{Event, Numbered, ParseError};
use highwater_spec::values::{BrokerEpoch, BrokerId, Brokers, IncarnationId, LeaderEpoch, Offset, PartitionEpoch};
use highwater_spec::view::History;
use state::{Budget, ControllerNode, Links, broker_at};
use std::sync::Arc;

/// A cluster to be explored.
#[derive(Clone, Debug)]
pub struct World {
    /// How decisions are taken.
    pub rules: Rules,
    /// How much may happen.
    pub bounds: Bounds,
    properties: Vec<Property>,
    names: Vec<&'static str>,
}

impl World {
    /// A cluster in which every property must hold.
    pub fn new(rules: Rules, bounds: Bounds) -> Self {
        let of_producers = if bounds.idempotent == 1 { property::OF_PRODUCERS } else { &[] };
        Self::judged_by(rules, bounds, &[property::ALL, of_producers].concat())
    }

    /// A cluster judged by some properties.
    pub fn judged_by(rules: Rules, bounds: Bounds, properties: &[Property]) -> Self {
        let names = properties.iter().map(|property| property.name).collect();
        Self { rules, bounds, properties: properties.to_vec(), names }
    }

    /// The state after an event, with everything that came of it.
    ///
    /// # Errors
    /// Says why the event can't happen.
    pub fn trace(&self, state: &State, event: &Event) -> Result<(State, Trace), &'static str> {
        let mut trace = Trace::default();
        let after = self.perform(state, event, Some(&mut trace))?;
        Ok((after, trace))
    }

    /// Calls `judge` with the view of a state that properties have.
    pub fn view<T>(&self, state: &State, judge: impl FnOnce(&highwater_spec::view::View<'_>) -> T) -> T {
        observe::with_view(&self.bounds, state, judge)
    }

    /// The properties that it is judged by.
    pub fn judges(&self) -> &[Property] {
        &self.properties
    }

    /// Every broker is up, the first leads and all are in sync; no record has been written.
    fn first_state(&self) -> State {
        let brokers: Vec<_> = (0..usize::from(self.bounds.brokers)).map(broker_at).collect();
        let (image, end) = self.first_image(&brokers);
        let image = Arc::new(image);
        let mut machine: ReplicatedController = Replicated::new(Controller::new(image.clone()), end);
        let activated = highwater_spec::replicated::Input::Heard(highwater_spec::controller::Input::Activated);
        highwater_spec::machine::Machine::step(&mut machine, &self.rules, activated, &mut Vec::new());
        let nodes = brokers.iter().map(|broker| Shared::new(self.first_node(*broker, &image, end))).collect();
        let links = Links::default();
        let mut state = State {
            controller: Shared::new(ControllerNode { machine, base: end, log: Vec::new() }),
            nodes,
            links: Shared::new(links),
            history: Shared::new(History::default()),
            budget: self.budget(),
        };
        self.let_followers_ask(&mut state, &brokers);
        state
    }

    fn first_image(&self, brokers: &[BrokerId]) -> (Image, Offset) {
        let mut image = Image::default();
        let min_isr = Setting::MinInsyncReplicas(Some(u32::from(self.bounds.min_isr)));
        let unclean = Setting::UncleanLeaderElection(Some(self.bounds.unclean == 1));
        // The same epoch for all, so that nothing but their names tells them apart.
        let registrations = brokers.iter().map(|broker| Record::BrokerRegistered {
            broker: *broker,
            registration: Registration {
                incarnation: IncarnationId([0; 16]),
                epoch: BrokerEpoch(0),
                fenced: false,
                in_controlled_shutdown: false,
            },
        });
        let partition = Partition {
            replicas: brokers.to_vec(),
            isr: brokers.iter().copied().collect(),
            elr: Brokers::default(),
            last_known_leader: None,
            leader: brokers.first().copied(),
            leader_epoch: LeaderEpoch(0),
            partition_epoch: PartitionEpoch(0),
            recovering: false,
        };
        let topic = [
            Record::TopicCreated { topic: PARTITION.topic, name: "t".into() },
            Record::ConfigChanged { topic: Some(PARTITION.topic), setting: min_isr },
            Record::ConfigChanged { topic: Some(PARTITION.topic), setting: unclean },
            Record::PartitionCreated { topic: PARTITION.topic, partition },
        ];
        let records: Vec<_> = registrations.chain(topic).collect();
        records.iter().for_each(|record| image.apply(record));
        (image, Offset(records.len() as i64))
    }

    fn first_node(&self, broker: BrokerId, image: &Arc<Image>, end: Offset) -> Node {
        let mut process = Process::fresh(&self.bounds, broker, IncarnationId([0; 16]), None, &Self::empty_disk());
        let epoch = image.brokers[&broker].epoch;
        let mut outputs = Vec::new();
        let heard = [
            broker::Input::SnapshotLoaded { image: image.clone(), end, at: () },
            broker::Input::RegistrationAnswered { outcome: Ok(epoch), at: () },
        ];
        for input in heard {
            highwater_spec::machine::Machine::step(&mut process.broker, &self.rules, input, &mut outputs);
        }
        let mut said = Vec::new();
        for output in outputs {
            if let broker::Output::Tell { input, .. } = output {
                highwater_spec::machine::Machine::step(&mut process.replica, &self.rules, input, &mut said);
            }
        }
        process.published = Arc::new(process.replica.read_view());
        process.image = digest(image);
        let epochs = process.replica.log().epochs.clone();
        Node { disk: Disk { epochs, ..Self::empty_disk() }, process: Some(process) }
    }

    fn let_followers_ask(&self, state: &mut State, brokers: &[BrokerId]) {
        for broker in brokers.iter().skip(1) {
            let process = state.process(*broker).expect("every broker runs at first");
            let request = highwater_spec::replica::FetchRequest {
                leader: brokers[0],
                leader_epoch: LeaderEpoch(0),
                offset: Offset(0),
                last_fetched_epoch: None,
            };
            let asked = state::AskedFetch { request, broker_epoch: process.broker.epoch() };
            state.links.edit().fetches[index(*broker)] = Fetch::Asked(asked);
        }
    }

    fn empty_disk() -> Disk {
        Disk {
            log: Arc::default(),
            flushed: Offset(0),
            epochs: EpochCache::from_iter(Vec::<EpochEntry>::new()),
            checkpoint: Offset(0),
            clean: None,
        }
    }

    fn budget(&self) -> Budget {
        let bounds = &self.bounds;
        Budget {
            records: bounds.records,
            retries: bounds.retries,
            kills: bounds.kills,
            power_losses: bounds.power_losses,
            disk_losses: bounds.disk_losses,
            disk_failures: bounds.disk_failures,
            fences: bounds.fences,
            stops: bounds.stops,
            lags: bounds.lags,
            elections: bounds.elections,
            delays: bounds.delays,
            late_views: bounds.late_views,
            timeouts: bounds.timeouts,
        }
    }
}

impl Process {
    /// A process that has just started on a disk.
    fn fresh(
        bounds: &Bounds,
        broker: BrokerId,
        incarnation: IncarnationId,
        previous: Option<BrokerEpoch>,
        disk: &Disk,
    ) -> Self {
        let recovered = recover(Found {
            start: Offset(0),
            end: Offset(disk.log.len() as i64),
            epochs: disk.epochs.clone(),
            high_watermark: disk.checkpoint,
            producers: bounds.producers(&disk.log),
        });
        let replica = Replica::<Model>::new(broker, recovered);
        let published = Arc::new(replica.read_view());
        Self {
            broker: Broker::new(broker, incarnation, previous),
            replica,
            published,
            readable_below: None,
            unpublished: None,
            image: 0,
            image_is_a_prefix: true,
        }
    }
}

impl Explorable for World {
    type State = State;
    type Event = Event;

    fn initial(&self) -> State {
        self.first_state()
    }

    fn candidates(&self, state: &State, out: &mut Vec<Event>) {
        self.possible(state, out);
    }

    fn apply(&self, state: &State, event: &Event) -> Option<State> {
        self.perform(state, event, None).ok()
    }

    fn fingerprint(&self, state: &State) -> u64 {
        match self.bounds.symmetric {
            1 => reduce::symmetric_fingerprint(state),
            _ => reduce::fingerprint(state),
        }
    }

    fn properties(&self) -> &[&'static str] {
        &self.names
    }

    fn judge(&self, state: &State, verdicts: &mut Vec<Verdict>) {
        observe::with_view(&self.bounds, state, |view| {
            verdicts.extend(self.properties.iter().map(|property| match property.judge(view) {
                property::Verdict::Holds => Verdict::Holds,
                property::Verdict::Unguarded => Verdict::Unguarded,
                property::Verdict::Violated(_) => Verdict::Violated,
            }));
        });
    }

    fn describe(&self, state: &State) -> String {
        self.lines(state).join("\n")
    }
}

impl Narrated for World {
    const KIND: &'static str = "replication";

    fn rules(&self) -> Rules {
        self.rules
    }

    fn bounds(&self) -> Vec<(String, u64)> {
        self.bounds.named()
    }

    fn narrate(&self, state: &State, event: &Event) -> Result<(State, Vec<String>), &'static str> {
        let (after, trace) = self.trace(state, event)?;
        Ok((after, trace.said))
    }

    fn lines(&self, state: &State) -> Vec<String> {
        describe::lines(state)
    }

    fn reason(&self, state: &State, property: &str) -> Option<String> {
        let property = self.properties.iter().find(|known| known.name == property)?;
        match observe::with_view(&self.bounds, state, |view| property.judge(view)) {
            property::Verdict::Violated(reason) => Some(reason),
            _ => None,
        }
    }

    fn read_event(line: &Numbered<'_>) -> Result<Event, ParseError> {
        Event::read(line.words())
    }
}
