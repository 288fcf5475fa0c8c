//! A group coordinator over its log, with what it said so far. Answering anyone twice fails.

use crate::carrier::Test;
use highwater_spec::group::*;
use highwater_spec::machine::Machine;
use highwater_spec::refusal::Refusal;
use highwater_spec::replicated::{self, LogBacked, Replicated};
use highwater_spec::rules::Rules;
use highwater_spec::values::{Offset, Ticket};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// The group that everything is about.
pub fn group() -> GroupId {
    "g".into()
}

#[derive(Clone)]
pub struct Coordination {
    pub rules: Rules,
    pub machine: ReplicatedCoordinator<Test>,
    pub config: Config,
    /// The topics that there are.
    pub topics: Arc<KnownTopics>,
    /// The log, committed or not; its offsets begin at 0.
    pub log: Vec<Record<Test>>,
    /// Each request with its answer, once it has one.
    pub answers: BTreeMap<Ticket, Option<Reply<Test>>>,
    pub timers: BTreeMap<Timer, Millis>,
}

impl Coordination {
    pub fn new(config: Config) -> Self {
        let mut coordination = Self {
            rules: Rules::KAFKA,
            machine: Replicated::new(Coordinator::new(config), Offset(0)),
            config,
            topics: Arc::default(),
            log: Vec::new(),
            answers: BTreeMap::new(),
            timers: BTreeMap::new(),
        };
        coordination.load();
        coordination
    }

    pub fn today() -> Self {
        Self::new(Config::default())
    }

    fn load(&mut self) {
        self.hear(Input::TopicsChanged { topics: Arc::clone(&self.topics) });
        self.hear(Input::Elected);
        self.hear(Input::Loaded { at: 0 });
    }

    /// Another broker takes over with what of the log is committed.
    pub fn fail_over(&mut self) {
        self.log.truncate(self.machine.committed_end().0 as usize);
        self.step(replicated::Input::Reverted);
        let mut machine = Coordinator::new(self.config);
        self.log.iter().for_each(|record| machine.apply(record));
        self.machine = Replicated::new(machine, Offset(self.log.len() as i64));
        self.load();
    }

    pub fn hear(&mut self, input: Input<Test>) {
        if let Input::LimitChanged { max_batch } = input {
            self.config.max_batch = max_batch;
        }
        self.step(replicated::Input::Heard(input));
    }

    /// Everything that is written is committed.
    pub fn commit(&mut self) {
        self.step(replicated::Input::Committed { upto: self.machine.end() });
    }

    pub fn step(&mut self, input: replicated::Input<Input<Test>>) {
        let mut out = Vec::new();
        self.machine.step(&self.rules, input, &mut out);
        for output in out {
            match output {
                replicated::Output::Append { base, records } => {
                    let limit = self.config.max_batch;
                    assert!(Test::batch_size(&records) <= limit, "the log takes {limit} at most: {records:?}");
                    assert_eq!(base.0, self.log.len() as i64, "the log has a gap");
                    self.log.extend(records);
                }
                replicated::Output::Do(Output::Reply { ticket, reply }) => {
                    let slot = self.answers.get_mut(&ticket).expect("who was never heard is answered");
                    assert_eq!(slot.replace(reply), None, "{ticket} is answered twice");
                }
                replicated::Output::Do(Output::SetTimer { timer, after, .. }) => {
                    self.timers.insert(timer, after);
                }
                replicated::Output::Do(Output::CancelTimer { timer, .. }) => {
                    self.timers.remove(&timer);
                }
                replicated::Output::Do(Output::CancelAllTimers) => self.timers.clear(),
            }
        }
    }

    /// Lets it hear a request, and nothing else.
    pub fn ask(&mut self, request: Request<Test>) -> Ticket {
        self.ask_about(group(), request)
    }

    pub fn ask_about(&mut self, group: GroupId, request: Request<Test>) -> Ticket {
        let ticket = self.next_ticket();
        self.hear(Input::Asked { ticket, at: 0, group, request });
        ticket
    }

    /// A ticket for a request that is about to be heard.
    pub fn next_ticket(&mut self) -> Ticket {
        let ticket = Ticket(self.answers.len() as u32);
        self.answers.insert(ticket, None);
        ticket
    }

    /// The answer, if there is one yet.
    pub fn answer(&self, ticket: Ticket) -> Option<&Reply<Test>> {
        self.answers[&ticket].as_ref()
    }

    /// A request and its answer, which must be there once it is committed.
    pub fn asked(&mut self, request: Request<Test>) -> Reply<Test> {
        let ticket = self.ask(request);
        self.commit();
        self.answer(ticket).expect("an answer").clone()
    }

    /// An armed timer is due.
    pub fn fire(&mut self, timer: Timer) {
        assert!(self.timers.remove(&timer).is_some(), "{timer:?} is not armed");
        self.hear(Input::TimerFired { at: 0, group: group(), timer });
    }

    /// The offsets that it would forget if `since` were long ago.
    pub fn would_forget(&self, since: u8) -> Vec<NamedPartition> {
        let mut then = self.clone();
        then.hear(Input::RetentionChecked { at: since, group: group(), since });
        let written = then.log.into_iter().skip(self.log.len());
        let forgotten = |record| match record {
            Record::Offset { partition, committed: None, .. } => Some(partition),
            _ => None,
        };
        written.filter_map(forgotten).collect()
    }

    pub fn group(&self) -> &ClassicGroup<Test> {
        &self.machine.speculative().groups()[&group()]
    }

    pub fn state(&self) -> State {
        self.group().state
    }

    /// Dynamic members join, each with its id, and a generation begins. The first of an empty group leads.
    pub fn join_all(&mut self, ids: &[&str]) -> Vec<Ticket> {
        for id in ids {
            self.ask(Request::Join(join(None, id)));
        }
        let tickets = ids.iter().map(|id| self.ask(Request::Join(join(Some(id), "?")))).collect();
        self.begin_generation();
        tickets
    }

    /// The time to join is over.
    pub fn begin_generation(&mut self) {
        while self.state() == State::PreparingRebalance {
            self.fire(Timer::Join);
        }
        self.commit();
    }

    /// A stable group of dynamic members.
    pub fn stable(ids: &[&str]) -> Self {
        let mut coordination = Self::today();
        coordination.join_all(ids);
        coordination.sync_all();
        coordination
    }

    /// Every member asks for its share. Its share is the last byte of its id.
    pub fn sync_all(&mut self) -> Vec<Ticket> {
        let tickets = self.sync_only(&self.group().members.keys().cloned().collect());
        self.commit();
        assert_eq!(self.state(), State::Stable);
        tickets
    }

    pub fn sync_only(&mut self, ids: &BTreeSet<MemberId>) -> Vec<Ticket> {
        let generation = self.group().generation.0;
        let all: Vec<_> = self.group().members.keys().map(|id| (id.clone(), Some(share(id)))).collect();
        let leader = self.group().leader.clone();
        let ask = |id: &MemberId| {
            let known = &self.group().members[id];
            let member = MemberIdentity { id: Some(id.clone()), instance: known.instance.clone() };
            let assignments = if leader.as_ref() == Some(id) { all.clone() } else { Vec::new() };
            let request = Request::Sync(SyncGroup { member, assignments, ..sync("", generation) });
            self.ask(request)
        };
        ids.iter().map(ask).collect()
    }
}

/// What the leader of these tests gives a member.
pub fn share(id: &MemberId) -> u8 {
    *id.0.as_bytes().last().unwrap()
}

pub fn dynamic(id: &str) -> MemberIdentity {
    MemberIdentity { id: Some(id.into()), instance: None }
}

/// A static member; without an id if that is empty.
pub fn fixed(id: &str, instance: &str) -> MemberIdentity {
    MemberIdentity { id: (!id.is_empty()).then(|| id.into()), instance: Some(instance.into()) }
}

pub const SESSION: Millis = Millis(10_000);
pub const REBALANCE: Millis = Millis(60_000);

/// Protocols `names`, all with the metadata `says`, subscribed to topic t.
pub fn protocols(names: &[&str], says: u8) -> Vec<Protocol<Test>> {
    let topics = Some([TopicName::from("t")].into());
    let subscription = Subscription { metadata: says, topics };
    names.iter().map(|name| Protocol { name: (*name).into(), subscription: subscription.clone() }).collect()
}

/// A dynamic member of today's version joins.
pub fn join(id: Option<&str>, fresh: &str) -> JoinGroup<Test> {
    JoinGroup {
        member: MemberIdentity { id: id.map(Into::into), instance: None },
        fresh: fresh.into(),
        client: Client { id: "c".into(), host: "h".into() },
        session_timeout: SESSION,
        rebalance_timeout: REBALANCE,
        protocol_type: "consumer".into(),
        protocols: protocols(&["range"], 0),
        knows_member_id_required: true,
        knows_skip_assignment: true,
    }
}

/// A static member joins.
pub fn join_fixed(id: &str, instance: &str, fresh: &str) -> JoinGroup<Test> {
    JoinGroup { member: fixed(id, instance), ..join(None, fresh) }
}

pub fn sync(id: &str, generation: i32) -> SyncGroup<Test> {
    SyncGroup {
        member: dynamic(id),
        generation: Some(Generation(generation)),
        protocol_type: None,
        protocol: None,
        assignments: Vec::new(),
    }
}

pub fn heartbeat(id: &str, generation: i32) -> Request<Test> {
    Request::Heartbeat { member: dynamic(id), generation: Some(Generation(generation)) }
}

pub fn on(topic: &str, index: i32) -> NamedPartition {
    NamedPartition { topic: topic.into(), index }
}

/// Commits `offset` of t-0; no generation and no id is no one in particular.
pub fn commit(id: &str, generation: Option<i32>, offset: i64) -> CommitOffsets<Test> {
    let given = OffsetToCommit { offset: Offset(offset), leader_epoch: None, metadata: None, metadata_length: 0 };
    CommitOffsets {
        member: MemberIdentity { id: (!id.is_empty()).then(|| id.into()), instance: None },
        generation: generation.map(Generation),
        knows_group_id_not_found: true,
        offsets: vec![(on("t", 0), given)],
    }
}

/// Whether the answer is good, and why not.
pub fn outcome(reply: &Reply<Test>) -> Result<(), Refusal> {
    type Outcome<T = ()> = Result<T, Refusal>;
    fn each<T>(results: &Outcome<Vec<(T, Outcome)>>) -> Outcome {
        results.as_ref().map_err(|refusal| *refusal)?.iter().try_for_each(|(_, outcome)| *outcome)
    }
    match reply {
        Reply::Join { outcome, .. } => outcome.as_ref().map(drop).map_err(|refusal| *refusal),
        Reply::Sync(outcome) => outcome.as_ref().map(drop).map_err(|refusal| *refusal),
        Reply::Heartbeat(outcome) | Reply::Delete(outcome) => *outcome,
        Reply::ConsumerHeartbeat(outcome) => outcome.as_ref().map(drop).map_err(|refusal| *refusal),
        Reply::Leave(results) => each(results),
        Reply::CommitOffsets(results) | Reply::DeleteOffsets(results) => each(results),
        Reply::FetchOffsets(outcome) => outcome.as_ref().map(drop).map_err(|refusal| *refusal),
    }
}
