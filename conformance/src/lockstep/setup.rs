//! From nothing to the state in which the model begins: every broker runs, the first leads, the others have asked for
//! records, and nothing was written.

use super::board::{Board, Entry};
use super::client::Clients;
use super::conductor::{Conductor, is_always_armed, wanted};
use super::disk::TOPIC;
use super::divergence::Difference;
use super::expected::Wording;
use super::names::Names;
use super::nodes::{CONTROLLER, Nodes, Plan};
use highwater::client::Connection;
use highwater::door::{Place, What};
use highwater::wire::messages::create_topics::{
    CreatableReplicaAssignment, CreatableTopic, CreatableTopicConfig, CreateTopicsRequest,
};
use highwater_checker::engine::Explorable;
use highwater_checker::replication::World;
use highwater_spec::values::{BrokerEpoch, BrokerId, IncarnationId, Offset, TopicId};
use std::collections::{BTreeMap, BTreeSet};
use std::error::Error;
use std::sync::Arc;
use std::time::Duration;
use tokio::runtime::Runtime;

const PATIENCE: Duration = Duration::from_secs(10);

impl Conductor {
    /// Starts a cluster for a world.
    ///
    /// # Errors
    /// When it does not get where the world begins.
    pub fn start(
        world: World,
        runtime: Arc<Runtime>,
        plan: Arc<Plan>,
        nodes: Box<dyn Nodes>,
        board: Board,
    ) -> Result<Self, Difference> {
        let state = world.initial();
        let names =
            Names { topic: TopicId([0; 16]), shift: 0, first_epochs: BTreeMap::new(), processes: BTreeMap::new() };
        let clients = Clients::new(Arc::clone(&runtime), names.topic);
        let mut conductor = Self {
            world,
            state,
            nodes,
            plan,
            board,
            names,
            clients,
            processes: 0,
            timers: Default::default(),
            given_up: Vec::new(),
            cut_off: Default::default(),
            woken: Default::default(),
            excused: 0,
            unanswered: 0,
            told: BTreeMap::new(),
        };
        conductor.start_nodes()?;
        let topic = conductor.make_topic(&runtime)?;
        conductor.names.topic = topic;
        conductor.clients = Clients::new(runtime, topic);
        conductor.let_followers_ask()?;
        Ok(conductor)
    }

    fn start_nodes(&mut self) -> Result<(), Difference> {
        let brokers: Vec<_> = self.state.brokers().collect();
        for node in [CONTROLLER].into_iter().chain(brokers.iter().copied()) {
            self.processes += 1;
            let incarnation = [self.processes; 16];
            self.names.processes.insert(node, IncarnationId(incarnation));
            self.nodes.start(node, incarnation)?;
        }
        let mut taking_part: BTreeSet<BrokerId> = BTreeSet::new();
        loop {
            let now = self.board.now();
            let waits = self.board.waiting().any(is_input);
            if taking_part.len() == brokers.len() && !waits && !self.is_under_way() {
                return Ok(());
            }
            if let Some(What::Metadata { text, .. }) = self.let_pass(now)? {
                taking_part.extend(brokers.iter().copied().filter(|broker| is_unfenced(&text, *broker)));
            }
        }
    }

    /// Lets pass what has come first; waits if there is nothing.
    fn let_pass(&mut self, now: u64) -> Result<Option<What>, Difference> {
        let next = self.board.waiting().find(|entry| is_input(entry)).cloned();
        let next = self.board.free().or(next);
        let Some(entry) = next else {
            return match self.board.wait(now) {
                true => Ok(None),
                false => Err(self.stuck()),
            };
        };
        self.let_in(&entry);
        Ok(Some(entry.what))
    }

    /// Lets something pass, and takes note of what it says.
    fn let_in(&mut self, entry: &Entry) {
        self.pass(entry);
        let What::Input(text) = &entry.what else { return };
        if text.starts_with("Register(") || text.starts_with("Heartbeat(") {
            self.unanswered += 1;
        } else if text.starts_with("RegistrationAnswered") || text.starts_with("HeartbeatAnswered") {
            self.unanswered = self.unanswered.saturating_sub(1);
        }
        let epoch = text.strip_prefix("RegistrationAnswered { outcome: Ok(BrokerEpoch(");
        let epoch = epoch.and_then(|rest| rest.split_once(')')?.0.parse().ok());
        self.names.first_epochs.extend(epoch.map(|epoch| (entry.node, BrokerEpoch(epoch))));
    }

    fn make_topic(&mut self, runtime: &Runtime) -> Result<TopicId, Difference> {
        let bounds = self.world.bounds;
        let config = |name: &str, value: String| CreatableTopicConfig { name: name.to_owned(), value: Some(value) };
        let broker_ids = self.state.brokers().map(|broker| broker.0).collect();
        let topic = CreatableTopic {
            name: TOPIC.to_owned(),
            num_partitions: -1,
            replication_factor: -1,
            assignments: vec![CreatableReplicaAssignment { partition_index: 0, broker_ids }],
            configs: vec![
                config("min.insync.replicas", bounds.min_isr.to_string()),
                config("unclean.leader.election.enable", (bounds.unclean == 1).to_string()),
            ],
        };
        let request = CreateTopicsRequest { topics: vec![topic], timeout_ms: i32::MAX, validate_only: false };
        let at = self.plan.address(CONTROLLER).to_string();
        let made = runtime.spawn(async move {
            let answer = Connection::connect(&at, PATIENCE).await?.call(&request).await?;
            Ok::<_, highwater::client::ClientError>(answer.topics.into_iter().next())
        });
        while !made.is_finished() {
            let next = self.board.waiting().find(|entry| entry.node == CONTROLLER && is_input(entry)).cloned();
            match next {
                Some(entry) => self.let_in(&entry),
                None => std::thread::yield_now(),
            }
        }
        let made = runtime.block_on(made).map_err(Box::<dyn Error>::from)?.map_err(Box::<dyn Error>::from)?;
        let made = made.ok_or_else(|| Box::<dyn Error>::from("no topic in the answer to CreateTopics"))?;
        match made.error_code {
            0 => Ok(TopicId(made.topic_id.0)),
            code => Err(Box::<dyn Error>::from(format!("the topic was not made: error {code}")).into()),
        }
    }

    /// Lets everyone hear of the topic; the followers' first fetches stay at the leader's door.
    fn let_followers_ask(&mut self) -> Result<(), Difference> {
        loop {
            let now = self.board.now();
            let specified = Wording(&self.names).all(&self.state);
            let waiting: Vec<_> = self.board.waiting().cloned().collect();
            if let Some(shift) = self.shift(&waiting) {
                self.names.shift = shift;
            }
            let is_there = |wanted: &_| waiting.iter().any(|entry| super::conductor::is(entry, wanted));
            let held = |entry: &&Entry| matches!(entry.at, Place::Replica(_) | Place::Reader(_)) && is_fetch(entry);
            let passes = waiting.iter().find(|entry| is_input(entry) && !held(entry)).cloned();
            let passes = self.board.free().or(passes);
            match passes {
                Some(entry) => self.let_in(&entry),
                None if !self.is_under_way() && specified.iter().all(is_there) => break,
                None if !self.board.wait(now) => return Err(self.stuck()),
                None => {}
            }
        }
        let armed: Vec<_> = self.board.waiting().filter(is_armed).map(wanted).collect();
        self.timers.extend(armed);
        self.settle()
    }

    /// How much further the metadata log reaches than the model's: known once its end has come to a door.
    fn shift(&self, waiting: &[Entry]) -> Option<i64> {
        let upto = waiting.iter().filter_map(|entry| match entry.what {
            What::Metadata { upto, .. } => Some(upto),
            _ => None,
        });
        let end: Option<Offset> = upto.max();
        end.map(|end| end.0 - self.state.controller.end().0)
    }

    /// Whether anything that was let in has not come to its end.
    fn is_under_way(&self) -> bool {
        self.unanswered > 0 || self.board.is_busy()
    }

    fn stuck(&mut self) -> Difference {
        let waiting: Vec<_> = self.board.waiting().map(|entry| super::conductor::in_words(&wanted(entry))).collect();
        Difference::new("the start of the cluster", "goes on", waiting.join("\n             "))
    }
}

/// Whether some records say that a broker takes part from then on.
fn is_unfenced(records: &str, broker: BrokerId) -> bool {
    let begin = format!("BrokerChanged {{ broker: {broker:?},");
    records
        .split(&begin)
        .skip(1)
        .any(|change| change.split('}').next().is_some_and(|change| change.contains("fenced: Some(false)")))
}

fn is_input(entry: &Entry) -> bool {
    match &entry.what {
        What::Input(_) | What::Metadata { .. } | What::Look(_) => true,
        What::Timer(text) => text == "TimerFired(FetchRetry)",
        What::Sync | What::Close => false,
    }
}

fn is_fetch(entry: &Entry) -> bool {
    match &entry.what {
        What::Input(text) => text.starts_with("FollowerFetched"),
        What::Look(_) => true,
        _ => false,
    }
}

fn is_armed(entry: &&Entry) -> bool {
    matches!(&entry.what, What::Timer(text) if !is_always_armed(text) && !text.starts_with("MaxWait"))
}
