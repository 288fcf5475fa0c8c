//! What consumers read: where they begin, how far they are, and what they commit.
//!
//! A consumer commits before it gives up partitions or leaves, as Kafka's does with `enable.auto.commit`, and whenever
//! it has processed something. It has one commit under way at a time, over a connection of its own, so that it overtakes
//! heartbeats and is overtaken. Where to begin it asks at once when it takes a partition: nobody else may commit there
//! from then on. The answer to a commit reaches it at once, for all that it does with it is to go on.

use super::state::{Commit, Life, Position, State, Waiting};
use super::step::{Outcome, Step, index};
use super::{World, partition, words};
use crate::group::{Model, Turn};
use highwater_spec::group::{
    CommitOffsets, Generation, Input, MemberIdentity, NamedPartition, OffsetToCommit, PartitionResults, Reader, Record,
    Request,
};
use highwater_spec::refusal::Refusal;
use highwater_spec::replicated;
use highwater_spec::values::{Offset, Ticket, TopicPartition};
use std::collections::BTreeMap;

/// A commit that the coordinator hears, and how things were before.
pub(super) struct Heard {
    commit: Commit,
    is_held: bool,
    before: BTreeMap<TopicPartition, Offset>,
}

impl Step<'_> {
    /// It asks where to begin in what it owns.
    pub(super) fn begins(&mut self, member: u8) {
        let has_records = self.world.bounds.records > 0;
        let Some(life) = self.node(member).life.as_mut().filter(|_| has_records) else { return };
        life.positions.retain(|partition, _| life.owned.contains(partition));
        let new: Vec<_> = life.owned.iter().filter(|known| !life.positions.contains_key(known)).map(named).collect();
        if new.is_empty() {
            return;
        }
        let reader = Reader { member: Some(life.id.clone()), epoch: life.epoch };
        let found = self.state.coordinator.fetch_offsets(&reader, &World::group(), Some(&new));
        if let Some(turns) = &mut self.turns {
            let (reader, partitions, found) = (reader.clone(), new.clone(), found.clone());
            turns.push(Turn::LookedUp { by: member, reader, partitions, found });
        }
        self.trace.push(format!("c{member} asks where to begin, and hears {}", words::beginnings(&found)));
        let found = found.into_iter().flatten();
        let begin = |committed: Option<highwater_spec::group::CommittedOffset<Model>>| {
            Position::at(committed.map_or(Offset(0), |committed| committed.offset))
        };
        let positions: Vec<_> = found.map(|(of, committed)| (numbered(&of), begin(committed))).collect();
        if let Some(life) = self.node(member).life.as_mut() {
            life.positions.extend(positions);
        }
    }

    pub(super) fn takes(&mut self, member: u8, index: u8) -> Outcome {
        (self.world.bounds.hasty == 1).then_some(()).ok_or("it processes what it takes at once")?;
        let mut position = self.next_record(member, index)?;
        position.taken = position.taken.plus(1);
        self.set_position(member, index, position);
        Ok(())
    }

    pub(super) fn processes(&mut self, member: u8, index: u8) -> Outcome {
        let mut position = match self.world.bounds.hasty {
            0 => self.next_record(member, index)?,
            _ => {
                let position = self.position(member, index)?;
                (position.taken > position.processed).then_some(position).ok_or("it has taken nothing")?
            }
        };
        let history = self.state.history.edit();
        let is_new = history.processed.entry(partition(index)).or_default().insert(position.processed);
        if !is_new && self.world.counts_repeats && history.reprocessed.is_none() {
            history.reprocessed = Some((partition(index), position.processed));
        }
        position.processed = position.processed.plus(1);
        position.taken = position.taken.max(position.processed);
        self.set_position(member, index, position);
        Ok(())
    }

    fn position(&self, member: u8, index: u8) -> Result<Position, &'static str> {
        self.life(member)?.positions.get(&partition(index)).copied().ok_or("it does not read there")
    }

    /// Where it is in a partition of which it may take another record.
    fn next_record(&self, member: u8, index: u8) -> Result<Position, &'static str> {
        let position = self.position(member, index)?;
        self.life(member)?.keeps(&partition(index)).then_some(()).ok_or("it is to give that up")?;
        (position.taken == position.processed).then_some(()).ok_or("it has yet to process what it took")?;
        let records = i64::from(self.world.bounds.records);
        (position.taken.0 < records).then_some(position).ok_or("there are no more records")
    }

    fn set_position(&mut self, member: u8, index: u8, position: Position) {
        if let Some(life) = self.node(member).life.as_mut() {
            life.positions.insert(partition(index), position);
        }
    }

    /// How far a consumer says that it is.
    fn done(&self, position: &Position) -> Offset {
        if self.world.bounds.hasty == 1 { position.taken } else { position.processed }
    }

    /// Before it gives up partitions it waits until what it has done there is kept, or for too long.
    pub(super) fn settles(&mut self, member: u8, gives_up: impl Fn(&Life, &TopicPartition) -> bool) -> Outcome {
        let life = self.life(member)?;
        let is_open = |(of, at): (&TopicPartition, &Position)| gives_up(life, of) && self.done(at) > at.settled;
        if life.positions.iter().any(is_open) {
            let left = self.state.budget.impatience.checked_sub(1);
            self.state.budget.impatience = left.ok_or("it has yet to commit what it has done there")?;
        }
        Ok(())
    }

    /// It commits all that it has done, if there is anything new.
    pub(super) fn commits(&mut self, member: u8) -> Outcome {
        (!self.commits_something(member)).then_some(()).ok_or("a commit is under way")?;
        let life = self.life(member)?;
        let epoch = life.epoch.ok_or("it is no member")?;
        let has_news = life.positions.values().any(|position| self.done(position) > position.settled);
        has_news.then_some(()).ok_or("there is nothing to commit")?;
        let offsets = life.positions.iter().map(|(of, position)| (*of, self.done(position))).collect();
        let commit = Commit { member: life.id.clone(), epoch, offsets };
        self.trace.push(format!("c{member} commits {} at {epoch}", words::offsets(&commit.offsets)));
        self.node(member).commit = Some(commit);
        Ok(())
    }

    pub(super) fn commit_arrives(&mut self, member: u8) -> Outcome {
        let node = self.state.nodes.get(index(member)).ok_or("there is no such consumer")?;
        let commit = node.commit.clone().ok_or("it has committed nothing")?;
        self.node(member).commit = None;
        self.asks_to_keep(Some(index(member)), commit);
        Ok(())
    }

    pub(super) fn asks_to_keep(&mut self, waits: Option<usize>, commit: Commit) {
        let request = Request::CommitOffsets(CommitOffsets {
            member: MemberIdentity { id: Some(commit.member.clone()), instance: None },
            generation: Some(Generation(commit.epoch.0)),
            knows_group_id_not_found: true,
            offsets: commit.offsets.iter().map(|(of, offset)| (named(of), to_commit(*offset))).collect(),
        });
        let free = (0..).map(Ticket).find(|ticket| !self.state.waiting.contains_key(ticket)).unwrap_or_default();
        self.state.waiting.insert(free, Waiting { node: waits, commit: Some(commit) });
        self.hears(Input::Asked { ticket: free, at: (), group: World::group(), request });
    }

    pub(super) fn commit_answered(&mut self, node: Option<usize>, commit: Commit, outcome: PartitionResults) {
        let outcome = outcome.and_then(|each| each.into_iter().try_for_each(|(_, one)| one));
        if outcome.is_ok() {
            self.state.history.edit().acknowledged.extend(&commit.offsets);
        }
        let Some(node) = node else { return };
        self.trace.push(format!("c{} hears that its commit is {}", node + 1, words::outcome(&outcome)));
        // One that is behind tries again when it has heard of its epoch; any other refusal is the last word.
        let is_over = outcome != Err(Refusal::StaleMemberEpoch);
        let Some(life) = self.state.nodes[node].edit().life.as_mut() else { return };
        if life.id == commit.member && is_over {
            for (of, offset) in &commit.offsets {
                if let Some(position) = life.positions.get_mut(of) {
                    position.settled = position.settled.max(*offset);
                }
            }
        }
    }

    /// The commit in what the coordinator is about to hear.
    pub(super) fn commit_in(&self, input: &replicated::Input<Input<Model>>) -> Option<Heard> {
        let replicated::Input::Heard(Input::Asked { ticket, .. }) = input else { return None };
        let commit = self.state.waiting.get(ticket)?.commit.clone()?;
        let group = self.state.coordinator.speculative().consumer_group(&World::group());
        let is_held = group.and_then(|group| group.members.get(&commit.member)).is_some_and(|member| {
            let current = &member.current;
            current.epoch == Some(commit.epoch) && commit.offsets.keys().all(|of| current.owns(*of))
        });
        let before = kept(self.state.coordinator.speculative());
        Some(Heard { commit, is_held, before })
    }

    /// The coordinator has written a commit.
    pub(super) fn note_commit(&mut self, heard: &Heard, records: &[Record<Model>]) {
        for record in records {
            let Record::Offset { partition, committed: Some(committed), .. } = record else { continue };
            let (of, at) = (numbered(partition), committed.offset);
            if !heard.is_held {
                self.state.history.edit().stray = Some((heard.commit.member.clone(), heard.commit.epoch));
            }
            if let Some(before) = heard.before.get(&of).filter(|before| **before > at) {
                self.state.history.edit().set_back = Some((of, *before, at));
            }
        }
    }
}

/// The offsets that a coordinator has.
pub(super) fn kept(coordinator: &highwater_spec::group::Coordinator<Model>) -> BTreeMap<TopicPartition, Offset> {
    let stored = coordinator.stored().get(&World::group());
    stored.into_iter().flat_map(|stored| &stored.offsets).map(|(of, at)| (numbered(of), at.offset)).collect()
}

impl State {
    /// The offsets that are committed.
    pub(super) fn committed(&self) -> BTreeMap<TopicPartition, Offset> {
        kept(self.coordinator.committed())
    }
}

fn named(of: &TopicPartition) -> NamedPartition {
    NamedPartition { topic: World::topic(), index: of.index }
}

fn numbered(of: &NamedPartition) -> TopicPartition {
    TopicPartition { index: of.index, ..partition(0) }
}

fn to_commit(offset: Offset) -> OffsetToCommit<Model> {
    OffsetToCommit { offset, leader_epoch: None, metadata: None, metadata_length: 0 }
}
