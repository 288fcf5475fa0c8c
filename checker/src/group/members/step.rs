//! One event, carried out.

use super::state::{Answer, Life, Node, State, Waiting};
use super::{Event, World, words};
use crate::group::arrival::{BY_ARRIVAL, id_of, no_one};
use crate::group::{Model, Turn};
use highwater_spec::group::{
    Client, ConsumerHeartbeat, Input, MemberIdentity, Millis, Output, Purpose, Reply, Request, Share, Timer,
};
use highwater_spec::machine::Machine;
use highwater_spec::refusal::Refusal;
use highwater_spec::replicated;
use highwater_spec::values::Ticket;

pub(super) type Outcome = Result<(), &'static str>;

/// A state on its way to the next one.
pub(super) struct Step<'a> {
    pub(super) world: &'a World,
    pub(super) state: State,
    pub(super) trace: &'a mut Vec<String>,
    /// For whoever watches the coordinator.
    pub(super) turns: Option<&'a mut Vec<Turn>>,
}

impl<'a> Step<'a> {
    pub(super) fn new(world: &'a World, state: &State, trace: &'a mut Vec<String>) -> Self {
        Self { world, state: state.clone(), trace, turns: None }
    }

    pub(super) fn watched(self, turns: &'a mut Vec<Turn>) -> Self {
        Self { turns: Some(turns), ..self }
    }

    pub(super) fn finish(self) -> State {
        self.state
    }

    /// Takes an event from its budget. What happens to those that are gone costs nothing.
    pub(super) fn spend(&mut self, event: Event) -> Outcome {
        let runs = |member: u8, id: u8| {
            let id = id_of(member, id);
            self.state.nodes.iter().any(|node| node.life.as_ref().is_some_and(|life| life.id == id))
        };
        let left = match event {
            Event::Crashes(_) => &mut self.state.budget.crashes,
            Event::Leaves(_) => &mut self.state.budget.leaves,
            Event::Breaks(_) => &mut self.state.budget.breaks,
            Event::ArrivesLate(_) | Event::CommitArrivesLate(_) => &mut self.state.budget.late_requests,
            Event::Moves => &mut self.state.budget.moves,
            Event::Grows => &mut self.state.budget.grows,
            Event::Expires(member, id) if runs(member, id) => &mut self.state.budget.expiries,
            Event::RunsOut(member, id) if runs(member, id) => &mut self.state.budget.slow,
            _ => return Ok(()),
        };
        *left = left.checked_sub(1).ok_or("its budget is spent")?;
        Ok(())
    }

    pub(super) fn happens(&mut self, event: Event) -> Outcome {
        match event {
            Event::Starts(member) => self.starts(member),
            Event::Crashes(member) => {
                self.life(member)?;
                self.cut_off(member);
                let Node { ids, late_beat, late_commit, .. } = (*self.state.nodes[index(member)]).clone();
                *self.node(member) = Node { ids, late_beat, late_commit, ..Node::default() };
                Ok(())
            }
            Event::Leaves(member) => self.leaves(member),
            Event::Beats(member) => self.beats(member),
            Event::Arrives(member) => {
                let node = self.state.nodes.get(index(member)).ok_or("there is no such consumer")?;
                let beat = node.said.clone().ok_or("it has said nothing")?;
                self.node(member).said = None;
                let beat = self.named(member, beat);
                self.asks(Some(index(member)), beat);
                Ok(())
            }
            Event::Answered(member) => self.answered(member),
            Event::Breaks(member) => {
                self.life(member)?;
                (self.is_busy(member) || self.commits_something(member)).then_some(()).ok_or("nothing is under way")?;
                let misses = self.awaits_answer(member);
                self.cut_off(member);
                self.node(member).life.iter_mut().for_each(|life| {
                    life.unsure = true;
                    life.missed = 2.min(life.missed + u8::from(misses));
                });
                Ok(())
            }
            Event::GivesUp(member) => {
                let awaits = self.life(member)?.awaits.clone().ok_or("it is to give up nothing")?;
                self.settles(member, |life, partition| !life.keeps(partition))?;
                let life = self.node(member).life.as_mut().ok_or("it does not run")?;
                (life.owned, life.awaits) = (awaits, None);
                self.begins(member);
                Ok(())
            }
            Event::Takes(member, partition) => self.takes(member, partition),
            Event::Processes(member, partition) => self.processes(member, partition),
            Event::CommitsOffsets(member) => self.commits(member),
            Event::CommitArrives(member) => self.commit_arrives(member),
            Event::ArrivesLate(member) => {
                let late = self.late(member, |node| node.late_beat.take())?;
                self.asks(None, late);
                Ok(())
            }
            Event::CommitArrivesLate(member) => {
                let late = self.late(member, |node| node.late_commit.take())?;
                self.asks_to_keep(None, late);
                Ok(())
            }
            Event::Expires(member, id) => self.timer_fires(Timer::Session(id_of(member, id))),
            Event::RunsOut(member, id) => self.timer_fires(Timer::Revocation(id_of(member, id))),
            Event::Grows => {
                self.state.partitions += 1;
                self.hears(Input::TopicsChanged { topics: World::topics(self.state.partitions) });
                Ok(())
            }
            Event::Commits => {
                let machine = &self.state.coordinator;
                (machine.end() > machine.committed_end()).then_some(()).ok_or("everything is committed")?;
                let upto = machine.end();
                self.coordinate(replicated::Input::Committed { upto });
                Ok(())
            }
            Event::Moves => {
                self.coordinate(replicated::Input::Reverted);
                World::elected(self.state.partitions).into_iter().for_each(|input| self.hears(input));
                Ok(())
            }
        }
    }

    pub(super) fn life(&self, member: u8) -> Result<&Life, &'static str> {
        let node = self.state.nodes.get(index(member)).ok_or("there is no such consumer")?;
        node.life.as_ref().ok_or("it does not run")
    }

    pub(super) fn node(&mut self, member: u8) -> &mut Node {
        self.state.nodes[index(member)].edit()
    }

    fn is_busy(&self, member: u8) -> bool {
        let has_said = self.state.nodes.get(index(member)).is_some_and(|node| node.said.is_some());
        has_said || self.awaits_answer(member)
    }

    /// Whether the coordinator has heard a heartbeat of which the member has not heard what became.
    fn awaits_answer(&self, member: u8) -> bool {
        let of_it = |waiting: &Waiting| waiting.node == Some(index(member)) && waiting.commit.is_none();
        let is_answered = self.state.nodes.get(index(member)).is_some_and(|node| node.answer.is_some());
        is_answered || self.state.waiting.values().any(of_it)
    }

    pub(super) fn commits_something(&self, member: u8) -> bool {
        let of_it = |waiting: &Waiting| waiting.node == Some(index(member)) && waiting.commit.is_some();
        let is_on_its_way = self.state.nodes.get(index(member)).is_some_and(|node| node.commit.is_some());
        is_on_its_way || self.state.waiting.values().any(of_it)
    }

    /// What is under way between a consumer and the coordinator is lost, or late only. What has reached the coordinator is
    /// carried out; nobody hears of it.
    fn cut_off(&mut self, member: u8) {
        let may_be_late = self.state.budget.late_requests > 0;
        let node = self.node(member);
        node.answer = None;
        node.late_beat = node.said.take().filter(|_| may_be_late).or(node.late_beat.take());
        node.late_commit = node.commit.take().filter(|_| may_be_late).or(node.late_commit.take());
        self.turns.iter_mut().for_each(|turns| turns.push(Turn::CutOff(member)));
        let of_it = |waiting: &&mut Waiting| waiting.node == Some(index(member));
        self.state.waiting.values_mut().filter(of_it).for_each(|waiting| waiting.node = None);
    }

    fn starts(&mut self, member: u8) -> Outcome {
        let node = self.state.nodes.get(index(member)).ok_or("there is no such consumer")?;
        if node.life.is_some() || self.is_busy(member) {
            return Err("it runs, or has yet to be heard");
        }
        let id = match self.world.bounds.by_arrival {
            0 => {
                let node = self.node(member);
                node.ids += 1;
                id_of(member, node.ids - 1)
            }
            _ => no_one(),
        };
        self.node(member).life = Some(Life::new(id));
        Ok(())
    }

    /// Who is heard of for the first time gets the next id, where ids are given by arrival. Its client has chosen it
    /// before, but what it is matters to no one until then.
    fn named(&mut self, member: u8, beat: ConsumerHeartbeat) -> ConsumerHeartbeat {
        if beat.member.id != Some(no_one()) {
            return beat;
        }
        let id = id_of(BY_ARRIVAL, self.state.arrived);
        // One that leaves before it was heard of leaves no trace, nor a gap.
        if let Some(life) = self.node(member).life.as_mut() {
            life.id = id.clone();
            self.state.arrived += 1;
        }
        ConsumerHeartbeat { member: MemberIdentity { id: Some(id), ..beat.member }, ..beat }
    }

    fn leaves(&mut self, member: u8) -> Outcome {
        let purpose = if self.world.bounds.fixed == 1 { Purpose::Pause } else { Purpose::Leave };
        let beat = self.beat(member, self.life(member)?, purpose);
        (!self.is_busy(member)).then_some(()).ok_or("it waits for an answer")?;
        self.settles(member, |_, _| true)?;
        let node = self.node(member);
        (node.life, node.said) = (None, Some(beat));
        Ok(())
    }

    fn beats(&mut self, member: u8) -> Outcome {
        let life = self.life(member)?;
        let beat = match life.epoch {
            Some(epoch) => {
                let quiet = ConsumerHeartbeat {
                    owned: Some(life.owned.clone()),
                    ..self.beat(member, life, Purpose::Stay(epoch))
                };
                if life.unsure { full(quiet) } else { quiet }
            }
            None => full(ConsumerHeartbeat { owned: Some(Share::new()), ..self.beat(member, life, Purpose::Join) }),
        };
        (!self.is_busy(member)).then_some(()).ok_or("it waits for an answer")?;
        self.node(member).said = Some(beat);
        Ok(())
    }

    fn beat(&self, member: u8, life: &Life, purpose: Purpose) -> ConsumerHeartbeat {
        let instance = (self.world.bounds.fixed == 1).then(|| format!("i{member}").as_str().into());
        ConsumerHeartbeat {
            member: MemberIdentity { id: Some(life.id.clone()), instance },
            fresh: None,
            client: Client { id: "c".into(), host: "h".into() },
            purpose,
            rack: None,
            rebalance_timeout: None,
            topics: None,
            regex: None,
            assignor: None,
            owned: None,
        }
    }

    /// What it hears of the group.
    fn answered(&mut self, member: u8) -> Outcome {
        let answer = self.node(member).answer.take().ok_or("nothing was answered")?;
        self.trace.push(format!("c{member} hears {}", words::answer(&answer)));
        let Some(life) = self.node(member).life.as_mut() else { return Ok(()) };
        life.missed = 0;
        match answer {
            Ok(Some(told)) if told.member == life.id => {
                life.fallen = life.epoch.filter(|before| *before > told.epoch).or(life.fallen);
                life.epoch = Some(told.epoch);
                life.unsure = false;
                match told.assigned {
                    Some(share) if life.owned.is_subset(&share) => (life.owned, life.awaits) = (share, None),
                    Some(share) => life.awaits = Some(share),
                    None => {}
                }
            }
            Err(Refusal::FencedMemberEpoch | Refusal::UnknownMemberId | Refusal::GroupIdNotFound) => life.starts_over(),
            Err(_) => life.unsure = true,
            Ok(_) => {}
        }
        self.begins(member);
        Ok(())
    }

    /// Takes what is late. Once no more can be, nothing is.
    fn late<T>(&mut self, member: u8, take: impl FnOnce(&mut Node) -> Option<T>) -> Result<T, &'static str> {
        self.state.nodes.get(index(member)).ok_or("there is no such consumer")?;
        let late = take(self.node(member)).ok_or("nothing is late")?;
        if self.state.budget.late_requests == 0 {
            for node in
                self.state.nodes.iter_mut().filter(|node| node.late_beat.is_some() || node.late_commit.is_some())
            {
                let node = node.edit();
                (node.late_beat, node.late_commit) = (None, None);
            }
        }
        Ok(late)
    }

    fn asks(&mut self, waits: Option<usize>, beat: ConsumerHeartbeat) {
        let free = (0..).map(Ticket).find(|ticket| !self.state.waiting.contains_key(ticket)).unwrap_or_default();
        self.state.waiting.insert(free, Waiting { node: waits, commit: None });
        let request = Request::ConsumerHeartbeat(beat);
        self.hears(Input::Asked { ticket: free, at: (), group: World::group(), request });
    }

    fn timer_fires(&mut self, timer: Timer) -> Outcome {
        self.state.timers.remove(&timer).then_some(()).ok_or("it is not armed")?;
        self.hears(Input::TimerFired { at: (), group: World::group(), timer });
        Ok(())
    }

    pub(super) fn hears(&mut self, input: Input<Model>) {
        self.coordinate(replicated::Input::Heard(input));
        let machine = &self.state.coordinator;
        if self.world.bounds.late_commits == 0 && machine.end() > machine.committed_end() {
            let upto = machine.end();
            self.coordinate(replicated::Input::Committed { upto });
        }
    }

    fn coordinate(&mut self, input: replicated::Input<Input<Model>>) {
        let heard = self.turns.is_some().then(|| (self.asker(&input), input.clone()));
        let commit = self.commit_in(&input);
        let mut outputs = Vec::new();
        let rules = self.world.rules;
        self.state.coordinator.edit().step(&rules, input, &mut outputs);
        if let (Some((by, input)), Some(turns)) = (heard, &mut self.turns) {
            turns.push(Turn::Coordinator { by, input, outputs: outputs.clone() });
        }
        for output in outputs {
            match output {
                replicated::Output::Append { records, .. } => {
                    commit.iter().for_each(|heard| self.note_commit(heard, &records));
                    self.trace.extend(records.iter().map(words::record));
                }
                replicated::Output::Do(output) => self.carry_out(output),
            }
        }
    }

    /// Who waits for the answer to what the coordinator hears.
    fn asker(&self, input: &replicated::Input<Input<Model>>) -> Option<u8> {
        let replicated::Input::Heard(Input::Asked { ticket, .. }) = input else { return None };
        let node = self.state.waiting.get(ticket)?.node?;
        u8::try_from(node + 1).ok()
    }

    /// Whether someone is put out who is to be forgiven. Who joins names no epoch that could be an earlier one.
    fn note_fence(&mut self, node: usize, answer: &Answer) {
        let Some(life) = self.state.nodes[node].life.as_ref() else { return };
        let group = self.state.coordinator.speculative().consumer_group(&World::group());
        let known = group.and_then(|group| group.members.get(&life.id));
        let reads_its_own = known.is_some_and(|member| life.owned.is_subset(&member.current.assigned));
        let is_put_out = *answer == Err(Refusal::FencedMemberEpoch) && life.epoch.is_some();
        if is_put_out && reads_its_own && life.missed <= 1 {
            self.state.history.edit().unforgiven = Some(life.id.clone());
        }
    }

    fn carry_out(&mut self, output: Output<Model>) {
        match output {
            Output::Reply { ticket, reply } => {
                let Some(Waiting { node, commit }) = self.state.waiting.remove(&ticket) else { return };
                match (node, commit, reply) {
                    (Some(node), None, Reply::ConsumerHeartbeat(answer)) => {
                        self.note_fence(node, &answer);
                        self.state.nodes[node].edit().answer = Some(answer);
                    }
                    (node, Some(commit), Reply::CommitOffsets(outcome)) => self.commit_answered(node, commit, outcome),
                    _ => {}
                }
            }
            Output::SetTimer { timer, .. } => drop(self.state.timers.insert(timer)),
            Output::CancelTimer { timer, .. } => drop(self.state.timers.remove(&timer)),
            Output::CancelAllTimers => self.state.timers.clear(),
        }
    }
}

/// The same with everything that a member can say.
fn full(beat: ConsumerHeartbeat) -> ConsumerHeartbeat {
    ConsumerHeartbeat { rebalance_timeout: Some(Millis(1)), topics: Some([World::topic()].into()), ..beat }
}

pub(super) fn index(member: u8) -> usize {
    usize::from(member).wrapping_sub(1)
}
