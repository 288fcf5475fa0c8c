//! One event, carried out.

use super::{Blob, Commit, Event, Leadership, Model, Node, State, Waiting, World, words};
use crate::shared::Shared;
use highwater_spec::assignor::{Assignor, Subscriber};
use highwater_spec::client::consumer::{self, Consumer, End, Input, Leads, Output, Timer};
use highwater_spec::group::{
    self, Client, CommitOffsets, Generation, JoinGroup, Joined, MemberId, MemberIdentity, Millis, OffsetToCommit,
    Protocol, ProtocolName, Record, Reply, Request, Role, Subscription, SyncGroup,
};
use highwater_spec::machine::Machine;
use highwater_spec::refusal::Refusal;
use highwater_spec::replicated;
use highwater_spec::values::{Offset, Ticket};
use std::collections::{BTreeMap, BTreeSet};

type Outcome = Result<(), &'static str>;

/// A state on its way to the next one.
pub(super) struct Step<'a> {
    world: &'a World,
    state: State,
    trace: &'a mut Vec<String>,
}

impl<'a> Step<'a> {
    pub(super) fn new(world: &'a World, state: &State, trace: &'a mut Vec<String>) -> Self {
        Self { world, state: state.clone(), trace }
    }

    pub(super) fn finish(self) -> State {
        self.state
    }

    /// Takes an event from its budget.
    pub(super) fn spend(&mut self, event: Event) -> Outcome {
        let is_alive = |state: &State, member: u8, id: u8| {
            let Some(node) = state.nodes.get(index(member)) else { return false };
            let is_offered = |consumer: &Consumer| consumer.member().is_none() && id + 1 == node.ids;
            let is_its = |consumer: &Consumer| consumer.member() == Some(&id_of(member, id)) || is_offered(consumer);
            node.consumer.as_ref().is_some_and(is_its)
        };
        let is_initial = |state: &State| {
            let groups = state.coordinator.speculative().groups();
            groups.get(&World::group()).is_some_and(|group| group.initial.is_some())
        };
        let left = match event {
            Event::Crashes(_) => &mut self.state.budget.crashes,
            Event::Closes(_) => &mut self.state.budget.closes,
            Event::Breaks(_) => &mut self.state.budget.breaks,
            Event::Moves => &mut self.state.budget.moves,
            Event::Returns => &mut self.state.budget.returns,
            Event::Fires(_, Timer::Poll) => &mut self.state.budget.slow_polls,
            Event::Fires(_, Timer::Commit) => &mut self.state.budget.commits,
            Event::Expires(member, id) if is_alive(&self.state, member, id) => &mut self.state.budget.expiries,
            Event::JoinEnds if is_initial(&self.state) => return Ok(()),
            Event::JoinEnds | Event::SyncEnds => &mut self.state.budget.impatience,
            _ => return Ok(()),
        };
        *left = left.checked_sub(1).ok_or("its budget is spent")?;
        Ok(())
    }

    pub(super) fn happens(&mut self, event: Event) -> Outcome {
        match event {
            Event::Starts(member) => self.starts(member),
            Event::Crashes(member) => self.crashes(member),
            Event::Polls(member) => self.polls(member),
            Event::Processes(member) => self.processes(member),
            Event::Closes(member) => {
                self.running(member)?;
                let delivered = std::mem::take(&mut self.node(member).delivered);
                self.process(delivered);
                self.hears(member, Input::Closed)
            }
            Event::Arrives(member) => self.arrives(member),
            Event::Answered(member) => {
                self.running(member)?;
                let answer = self.node(member).answers.pop_front().ok_or("nothing was answered")?;
                self.hears(member, answer)
            }
            Event::Breaks(member) => {
                self.running(member)?;
                self.cut_off(member);
                self.hears(member, Input::CoordinatorLost)
            }
            Event::Fetches(member, partition) => self.fetches(member, partition),
            Event::Fires(member, timer) => self.fires(member, timer),
            Event::Expires(member, id) => self.timer_fires(group::Timer::Session(id_of(member, id))),
            Event::JoinEnds => self.timer_fires(group::Timer::Join),
            Event::SyncEnds => self.timer_fires(group::Timer::Sync),
            Event::Commits => {
                let machine = &self.state.coordinator;
                (machine.end() > machine.committed_end()).then_some(()).ok_or("everything is committed")?;
                (!self.state.is_deposed()).then_some(()).ok_or("another broker leads its log")?;
                let upto = machine.end();
                self.coordinate(replicated::Input::Committed { upto });
                Ok(())
            }
            Event::Moves => self.moves(),
            Event::Returns => self.returns(),
            Event::Unloads => self.unloads(),
            Event::Loads => self.loads(),
        }
    }

    pub(super) fn count_readers(&mut self) {
        if self.world.counts_readers {
            let reads =
                |node: &&Shared<Node>| node.consumer.as_ref().is_some_and(|consumer| consumer.owned().next().is_some());
            let readers = self.state.nodes.iter().filter(reads).count();
            if readers > self.state.history.readers {
                self.state.history.edit().readers = readers;
            }
        }
    }

    fn running(&self, member: u8) -> Result<&Consumer, &'static str> {
        let node = self.state.nodes.get(index(member)).ok_or("there is no such consumer")?;
        node.consumer.as_ref().ok_or("it does not run")
    }

    fn node(&mut self, member: u8) -> &mut Node {
        self.state.nodes[index(member)].edit()
    }

    fn starts(&mut self, member: u8) -> Outcome {
        let is_busy = self.state.waiting.values().any(|waiting| waiting.node == Some(index(member)));
        let node = self.state.nodes.get(index(member)).ok_or("there is no such consumer")?;
        if node.failed {
            return Err("it has failed for good");
        }
        if node.consumer.is_some() || !node.requests.is_empty() || is_busy {
            return Err("it runs, or has yet to be heard");
        }
        let config = self.world.config(member);
        self.node(member).consumer = Some(Consumer::new(config));
        let topics = BTreeMap::from([(World::topic(), u32::from(self.world.bounds.partitions))]);
        self.hears(member, Input::TopicsSeen(topics))
    }

    fn crashes(&mut self, member: u8) -> Outcome {
        self.running(member)?;
        self.cut_off(member);
        let ids = self.node(member).ids;
        *self.node(member) = Node { ids, ..Node::default() };
        Ok(())
    }

    fn polls(&mut self, member: u8) -> Outcome {
        self.running(member)?;
        let delivered = std::mem::take(&mut self.node(member).delivered);
        match self.world.bounds.hasty {
            0 => self.process(delivered),
            _ => self.node(member).taken.extend(delivered),
        }
        self.hears(member, Input::Polled)
    }

    fn processes(&mut self, member: u8) -> Outcome {
        self.running(member)?;
        let taken = std::mem::take(&mut self.node(member).taken);
        self.process(taken);
        Ok(())
    }

    fn process(&mut self, records: Vec<(group::NamedPartition, Offset)>) {
        for (partition, offset) in records {
            let history = self.state.history.edit();
            let is_new = history.processed.entry(partition.clone()).or_default().insert(offset);
            if !is_new && history.reprocessed.is_none() {
                history.reprocessed = Some((partition, offset));
            }
        }
    }

    /// Everything under way between a consumer and the coordinator is lost. What has reached the coordinator is carried
    /// out; nobody hears of it.
    fn cut_off(&mut self, member: u8) {
        self.state.waiting.values_mut().filter(|waiting| waiting.node == Some(index(member))).for_each(|waiting| {
            waiting.node = None;
        });
        let node = self.node(member);
        node.requests.clear();
        node.answers.clear();
    }

    fn fetches(&mut self, member: u8, partition: u8) -> Outcome {
        let partition = World::partition(partition);
        let consumer = self.running(member)?;
        let found = consumer.positions().find(|(of, _)| **of == partition);
        let (_, from) = found.ok_or("it does not read there")?;
        let upto = from.plus(1);
        (upto.0 <= i64::from(self.world.bounds.records)).then_some(()).ok_or("there are no more records")?;
        self.hears(member, Input::Fetched { partition, from, upto })
    }

    fn fires(&mut self, member: u8, timer: Timer) -> Outcome {
        self.running(member)?;
        if !self.node(member).timers.remove(&timer) {
            return Err("it is not set");
        }
        if timer == Timer::Heartbeat && !self.is_idle(member) {
            return Err("something else is under way that tells as much");
        }
        self.hears(member, Input::TimerFired(timer))?;
        if timer == Timer::Heartbeat && !self.node(member).requests.is_empty() {
            // At once: between its question and its answer nothing could come of what an answer to something else
            // doesn't tell.
            self.arrives(member)?;
            let answer = self.node(member).answers.pop_front().ok_or("it is not answered")?;
            self.hears(member, answer)?;
        }
        Ok(())
    }

    /// Whether nothing is under way between a consumer and the coordinator.
    fn is_idle(&self, member: u8) -> bool {
        let node = &self.state.nodes[index(member)];
        let waits = self.state.waiting.values().any(|waiting| waiting.node == Some(index(member)));
        node.requests.is_empty() && node.answers.is_empty() && !waits
    }

    fn timer_fires(&mut self, timer: group::Timer) -> Outcome {
        if !self.state.timers.remove(&timer) {
            return Err("it is not set");
        }
        let fired = group::Input::TimerFired { at: (), group: World::group(), timer };
        self.coordinate(replicated::Input::Heard(fired));
        Ok(())
    }

    fn moves(&mut self) -> Outcome {
        self.no_coordinator(|step| {
            step.coordinate(replicated::Input::Reverted);
            step.coordinate(replicated::Input::Heard(group::Input::Elected));
            step.coordinate(replicated::Input::Heard(group::Input::Loaded { at: () }));
        })
    }

    /// Every consumer loses its coordinator, to which something happens.
    fn no_coordinator(&mut self, happens: impl FnOnce(&mut Self)) -> Outcome {
        let running: Vec<_> = (1..=self.world.bounds.members).filter(|member| self.running(*member).is_ok()).collect();
        (1..=self.world.bounds.members).for_each(|member| self.cut_off(member));
        happens(self);
        running.into_iter().try_for_each(|member| self.hears(member, Input::CoordinatorLost))
    }

    /// The broker leads in the epoch after the next one. What it has to do about either waits.
    fn returns(&mut self) -> Outcome {
        let known =
            self.state.heard.is_empty().then_some(self.state.tenure).ok_or("it has yet to act on the last one")?;
        let epoch = known.epoch().unwrap_or_default();
        let (lost, won) = (epoch.next(), epoch.next().next());
        self.state.heard.extend([Leadership::Lost(lost), Leadership::Won(won)]);
        Ok(())
    }

    fn unloads(&mut self) -> Outcome {
        let lost = |known: &&Leadership| matches!(known, Leadership::Lost(_));
        let Some(Leadership::Lost(epoch)) = self.state.heard.iter().find(lost).copied() else {
            return Err("no leadership was lost");
        };
        self.state.heard.remove(&Leadership::Lost(epoch));
        if !self.state.tenure.hears(&self.world.rules, epoch) {
            self.trace.push(format!("coordinator knows better than {epoch}"));
            return Ok(());
        }
        self.trace.push("coordinator forgets its groups".to_owned());
        self.no_coordinator(|step| step.coordinate(replicated::Input::Reverted))
    }

    fn loads(&mut self) -> Outcome {
        let won = |known: &&Leadership| matches!(known, Leadership::Won(_));
        let Some(Leadership::Won(epoch)) = self.state.heard.iter().find(won).copied() else {
            return Err("no leadership was won");
        };
        self.state.heard.remove(&Leadership::Won(epoch));
        if !self.state.tenure.hears(&self.world.rules, epoch) {
            return Ok(());
        }
        self.trace.push(format!("coordinator has its groups from the log in {epoch}"));
        self.moves()
    }

    /// The oldest request of a connection reaches the coordinator, which answers one at a time.
    fn arrives(&mut self, member: u8) -> Outcome {
        let at = index(member);
        if self.state.waiting.values().any(|waiting| waiting.node == Some(at)) {
            return Err("an earlier request waits");
        }
        let requests = &self.state.nodes.get(at).ok_or("there is no such consumer")?.requests;
        requests.front().ok_or("nothing was asked")?;
        let Some(request) = self.node(member).requests.pop_front() else { return Ok(()) };
        let commits = match &request {
            Output::Commit { member, generation, offsets } => {
                Some(Commit { member: member.clone(), generation: *generation, offsets: offsets.clone() })
            }
            _ => None,
        };
        let ticket = self.state.waiting.keys().map(|ticket| ticket.next()).max().unwrap_or_default();
        let request = self.request(member, request)?;
        self.state.waiting.insert(ticket, Waiting { node: Some(at), commits });
        let asked = group::Input::Asked { ticket, at: (), group: World::group(), request };
        self.coordinate(replicated::Input::Heard(asked));
        Ok(())
    }

    fn request(&mut self, member: u8, asked: Output) -> Result<Request<Model>, &'static str> {
        let config = self.world.config(member);
        let named = |id: Option<MemberId>| MemberIdentity { id, instance: config.instance.clone() };
        Ok(match asked {
            Output::Join { member: id, owned, generation } => {
                let fresh = id_of(member, self.node(member).ids);
                // One that is refused at once is not given to anyone.
                if id.is_none() && self.state.coordinator.speculative().role() == Role::Active {
                    self.node(member).ids += 1;
                }
                let blob = Blob::Subscription { topics: config.topics.clone(), owned, generation };
                let subscription = Subscription { metadata: blob, topics: Some(config.topics.clone()) };
                let protocol =
                    |assignor: &Assignor| Protocol { name: assignor.name().into(), subscription: subscription.clone() };
                Request::Join(JoinGroup {
                    member: named(id),
                    fresh,
                    client: Client { id: "c".into(), host: "h".into() },
                    session_timeout: Millis(45_000),
                    rebalance_timeout: Millis(300_000),
                    protocol_type: "consumer".into(),
                    protocols: config.assignors.iter().map(protocol).collect(),
                    knows_member_id_required: true,
                    knows_skip_assignment: true,
                })
            }
            Output::Sync { member, generation, assignments } => Request::Sync(SyncGroup {
                member: named(Some(member)),
                generation: Some(generation),
                protocol_type: None,
                protocol: None,
                assignments: assignments.into_iter().map(|(to, share)| (to, Some(Blob::Share(share)))).collect(),
            }),
            Output::Heartbeat { member, generation } => {
                Request::Heartbeat { member: named(Some(member)), generation: Some(generation) }
            }
            Output::Leave { member } => Request::Leave(vec![named(Some(member))]),
            Output::Commit { member, generation, offsets } => Request::CommitOffsets(CommitOffsets {
                member: named(member),
                generation,
                knows_group_id_not_found: true,
                offsets: offsets.into_iter().map(|(of, offset)| (of, to_commit(offset))).collect(),
            }),
            _ => return Err("it is no request"),
        })
    }

    fn coordinate(&mut self, input: replicated::Input<group::Input<Model>>) {
        let commit = match &input {
            replicated::Input::Heard(group::Input::Asked { ticket, .. }) => {
                self.state.waiting.get(ticket).and_then(|waiting| waiting.commits.clone())
            }
            _ => None,
        };
        let is_current = |state: &State, member: &Option<MemberId>, generation: Option<Generation>| {
            let found = state.coordinator.speculative().groups().get(&World::group());
            let is_member = |id: &MemberId| found.is_some_and(|group| group.members.contains_key(id));
            member.as_ref().is_some_and(is_member) && found.map(|group| group.generation) == generation
        };
        let stale = commit.filter(|commit| !is_current(&self.state, &commit.member, commit.generation));
        let mut outputs = Vec::new();
        self.state.coordinator.edit().step(&self.world.rules, input, &mut outputs);
        if self.world.bounds.late_commits == 0 && !self.state.is_deposed() {
            let upto = self.state.coordinator.end();
            let committed = replicated::Input::Committed { upto };
            self.state.coordinator.edit().step(&self.world.rules, committed, &mut outputs);
        }
        for output in outputs {
            match output {
                replicated::Output::Append { records, .. } => {
                    let is_offset = |record: &Record<Model>| matches!(record, Record::Offset { .. });
                    if let Some(stale) = stale.as_ref().filter(|_| records.iter().any(is_offset)) {
                        self.state.history.edit().stale_commit = Some((stale.member.clone(), stale.generation));
                    }
                    self.trace.extend(records.iter().map(words::record));
                }
                replicated::Output::Do(output) => self.coordinator_says(output),
            }
        }
    }

    /// A member is told its share.
    fn note_given(&mut self) {
        let groups = self.state.coordinator.speculative().groups();
        let generation = groups.get(&World::group()).map(|group| group.generation);
        if generation > self.state.history.given {
            self.state.history.edit().given = generation;
        }
    }

    fn coordinator_says(&mut self, output: group::Output<Model>) {
        match output {
            group::Output::Reply { ticket, reply } => self.reply(ticket, reply),
            group::Output::SetTimer { timer, .. } => drop(self.state.timers.insert(timer)),
            group::Output::CancelTimer { timer, .. } => drop(self.state.timers.remove(&timer)),
            group::Output::CancelAllTimers => self.state.timers.clear(),
        }
    }

    fn reply(&mut self, ticket: Ticket, reply: Reply<Model>) {
        let Some(Waiting { node, commits }) = self.state.waiting.remove(&ticket) else { return };
        let answer = match reply {
            Reply::Join { member, outcome } => {
                let outcome = outcome.map(|joined| self.joined(member.as_ref(), joined));
                Input::JoinAnswered { member, outcome }
            }
            Reply::Sync(outcome) => {
                if outcome.is_ok() {
                    self.note_given();
                }
                Input::SyncAnswered(outcome.map(|synced| match synced.assignment {
                    Some(Blob::Share(share)) => share,
                    _ => BTreeSet::new(),
                }))
            }
            Reply::Heartbeat(outcome) => Input::HeartbeatAnswered(outcome),
            Reply::CommitOffsets(outcome) => {
                let first = |results: Vec<(_, Result<(), Refusal>)>| results.into_iter().try_for_each(|(_, one)| one);
                let outcome = outcome.and_then(first);
                let generation = commits.as_ref().and_then(|commit| commit.generation);
                if let (Some(commit), Ok(())) = (commits, outcome) {
                    self.state.history.edit().acknowledged.extend(commit.offsets);
                }
                Input::CommitAnswered { generation, outcome }
            }
            _ => return,
        };
        if let Some(node) = node.filter(|node| self.state.nodes[*node].consumer.is_some()) {
            self.trace.push(format!("coordinator answers c{}: {}", node + 1, words::answer(&answer)));
            self.state.nodes[node].edit().answers.push_back(answer);
        }
    }

    fn joined(&self, member: Option<&MemberId>, joined: Joined<Model>) -> consumer::Joined {
        let named = |name: &ProtocolName| Assignor::ALL.into_iter().find(|assignor| assignor.name() == &*name.0);
        let assignor = joined.protocol.as_ref().and_then(named).unwrap_or(Assignor::Range);
        let subscriber = |(member, blob): (MemberIdentity, Blob)| {
            let Blob::Subscription { topics, owned, generation } = blob else { return None };
            Some((member.id?, Subscriber { instance: member.instance, topics, owned, generation }))
        };
        let leads = (joined.leader.as_ref() == member).then(|| Leads {
            skips: joined.skip_assignment,
            members: joined.members.into_iter().filter_map(subscriber).collect(),
        });
        consumer::Joined { generation: joined.generation, assignor, leads }
    }

    /// A consumer hears something, and what it says is carried out.
    fn hears(&mut self, member: u8, input: Input) -> Outcome {
        let mut outputs = Vec::new();
        let rules = self.world.rules;
        let Some(consumer) = self.node(member).consumer.as_mut() else { return Err("it does not run") };
        consumer.step(&rules, input, &mut outputs);
        for output in outputs {
            self.trace.extend(words::consumer_output(member, &output));
            self.consumer_says(member, output)?;
        }
        Ok(())
    }

    /// What is looked up is found at once.
    fn consumer_says(&mut self, member: u8, output: Output) -> Outcome {
        match output {
            Output::FindCoordinator => {
                self.cut_off(member);
                return self.hears(member, Input::CoordinatorFound);
            }
            Output::FetchOffsets(partitions) => {
                let partitions: Vec<_> = partitions.into_iter().collect();
                let found =
                    self.state.coordinator.fetch_offsets(&group::Reader::default(), &World::group(), Some(&partitions));
                let offset = |found: Option<group::CommittedOffset<Model>>| found.map(|found| found.offset);
                let answer = found.map(|found| found.into_iter().map(|(of, found)| (of, offset(found))).collect());
                return self.hears(member, Input::OffsetsAnswered(answer));
            }
            Output::Leave { .. } => {
                self.cut_off(member);
                self.node(member).requests.push_back(output);
            }
            Output::Join { .. } | Output::Sync { .. } | Output::Heartbeat { .. } | Output::Commit { .. } => {
                self.node(member).requests.push_back(output)
            }
            Output::FindOffset { partition, at } => {
                let offset = match at {
                    End::Earliest => Offset(0),
                    End::Latest => Offset(i64::from(self.world.bounds.records)),
                };
                return self.hears(member, Input::OffsetFound { partition, offset });
            }
            Output::Deliver { partition, from, upto } => {
                let offsets = (from.0..upto.0).map(|offset| (partition.clone(), Offset(offset)));
                self.node(member).delivered.extend(offsets);
            }
            Output::SetTimer(timer) => drop(self.node(member).timers.insert(timer)),
            Output::CancelTimer(timer) => drop(self.node(member).timers.remove(&timer)),
            Output::Fail(_) | Output::Exit => {
                let node = self.node(member);
                node.failed |= matches!(output, Output::Fail(_));
                (node.consumer, node.timers) = (None, BTreeSet::new());
                node.answers.clear();
                (node.delivered, node.taken) = (Vec::new(), Vec::new());
            }
            Output::Assigned(_) | Output::Revoked(_) | Output::Lost(_) | Output::CommitFailed(_) => {}
        }
        Ok(())
    }
}

fn index(member: u8) -> usize {
    usize::from(member).wrapping_sub(1)
}

fn id_of(member: u8, id: u8) -> MemberId {
    MemberId::from(format!("c{member}.{id}").as_str())
}

fn to_commit(offset: Offset) -> OffsetToCommit<Model> {
    OffsetToCommit { offset, leader_epoch: None, metadata: None, metadata_length: 0 }
}
