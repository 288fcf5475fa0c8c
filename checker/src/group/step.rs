//! One event, carried out.

use super::arrival::{BY_ARRIVAL, id_of};
use super::{Event, Model, Node, State, Turn, World, words};
use crate::shared::Shared;
use highwater_spec::client::consumer::{Consumer, End, Input, Output, Timer};
use highwater_spec::group;
use highwater_spec::machine::Machine;
use highwater_spec::replicated;
use highwater_spec::values::Offset;
use std::collections::{BTreeMap, BTreeSet};

pub(super) type Outcome = Result<(), &'static str>;

/// A state on its way to the next one.
pub(super) struct Step<'a> {
    pub(super) world: &'a World,
    pub(super) state: State,
    pub(super) trace: &'a mut Vec<String>,
    /// For whoever watches the coordinator.
    turns: Option<&'a mut Vec<Turn>>,
}

impl<'a> Step<'a> {
    pub(super) fn new(world: &'a World, state: &State, trace: &'a mut Vec<String>) -> Self {
        Self { world, state: state.clone(), trace, turns: None }
    }

    pub(super) fn watched(self, turns: &'a mut Vec<Turn>) -> Self {
        Self { turns: Some(turns), ..self }
    }

    pub(super) fn is_watched(&self) -> bool {
        self.turns.is_some()
    }

    pub(super) fn note(&mut self, turn: impl FnOnce() -> Turn) {
        if let Some(turns) = &mut self.turns {
            turns.push(turn());
        }
    }

    pub(super) fn finish(self) -> State {
        self.state
    }

    /// Takes an event from its budget.
    pub(super) fn spend(&mut self, event: Event) -> Outcome {
        let is_alive = |state: &State, member: u8, id: u8| {
            let of_it = |node: &Node, consumer: &Consumer| match consumer.member() {
                Some(known) => *known == id_of(member, id),
                None => id + 1 == node.ids,
            };
            let is_its = |node: &Shared<Node>| node.consumer.as_ref().is_some_and(|consumer| of_it(node, consumer));
            match member {
                BY_ARRIVAL => state.nodes.iter().any(is_its),
                _ => state.nodes.get(index(member)).is_some_and(is_its),
            }
        };
        let is_initial = |state: &State| {
            let groups = state.coordinator.speculative().groups();
            groups.get(&World::group()).is_some_and(|group| group.initial.is_some())
        };
        let left = match event {
            Event::Crashes(_) => &mut self.state.budget.crashes,
            Event::Closes(_) => &mut self.state.budget.closes,
            Event::Breaks(_) => &mut self.state.budget.breaks,
            Event::ArrivesLate(_) => &mut self.state.budget.late_requests,
            Event::Moves => &mut self.state.budget.moves,
            Event::Returns => &mut self.state.budget.returns,
            Event::LooksAgain => &mut self.state.budget.repeats,
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
            Event::ArrivesLate(member) => self.arrives_late(member),
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
            Event::LooksAgain => self.looks_again(),
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

    pub(super) fn running(&self, member: u8) -> Result<&Consumer, &'static str> {
        let node = self.state.nodes.get(index(member)).ok_or("there is no such consumer")?;
        node.consumer.as_ref().ok_or("it does not run")
    }

    pub(super) fn node(&mut self, member: u8) -> &mut Node {
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
        let ids = self.ids_after(member);
        let late = self.node(member).late.take();
        *self.node(member) = Node { ids, late, ..Node::default() };
        Ok(())
    }

    /// How many ids a consumer has been offered, as far as that matters after its life: not where nobody is offered them
    /// again.
    fn ids_after(&mut self, member: u8) -> u8 {
        if self.world.bounds.by_arrival == 1 { 0 } else { self.node(member).ids }
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

    /// Everything under way between a consumer and the coordinator is lost, unless the request that was next is late only.
    /// What has reached the coordinator is carried out; nobody hears of it.
    pub(super) fn cut_off(&mut self, member: u8) {
        self.note(|| Turn::CutOff(member));
        self.state.waiting.values_mut().filter(|waiting| waiting.node == Some(index(member))).for_each(|waiting| {
            waiting.node = None;
        });
        let may_be_late = self.state.budget.late_requests > 0;
        let node = self.node(member);
        let next = std::mem::take(&mut node.requests).pop_front();
        node.late = next.filter(|_| may_be_late).or(node.late.take());
        node.answers.clear();
    }

    fn fetches(&mut self, member: u8, partition: u8) -> Outcome {
        let partition = World::partition(partition);
        let consumer = self.running(member)?;
        let found = consumer.positions().find(|(of, _)| **of == partition);
        let (_, from) = found.ok_or("it does not read there")?;
        let upto = from.plus(1);
        (upto.0 <= i64::from(self.world.bounds.records)).then_some(()).ok_or("there are no more records")?;
        self.hears(member, Input::Fetched { partition, from, under: None, upto, epoch: None })
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

    /// A consumer hears something, and what it says is carried out.
    pub(super) fn hears(&mut self, member: u8, input: Input) -> Outcome {
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
                let (partitions, reader) = (partitions.into_iter().collect::<Vec<_>>(), group::Reader::default());
                let found = self.state.coordinator.fetch_offsets(&reader, &World::group(), Some(&partitions));
                self.note(|| Turn::LookedUp { by: member, reader, partitions, found: found.clone() });
                let offset = |found: Option<group::CommittedOffset<Model>>| found.map(|found| found.offset.into());
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
                let ids = self.ids_after(member);
                let node = self.node(member);
                node.failed |= matches!(output, Output::Fail(_));
                (node.consumer, node.timers) = (None, BTreeSet::new());
                node.ids = ids;
                node.answers.clear();
                (node.delivered, node.taken) = (Vec::new(), Vec::new());
            }
            Output::Assigned(_) | Output::Revoked(_) | Output::Lost(_) | Output::CommitFailed(_) => {}
            // Nothing in this world has leader epochs.
            Output::FindLeaders | Output::FindEpochEnd { .. } | Output::Truncated { .. } => {}
        }
        Ok(())
    }
}

pub(super) fn index(member: u8) -> usize {
    usize::from(member).wrapping_sub(1)
}
