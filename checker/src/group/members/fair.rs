//! A group of the consumer protocol that runs as it should, by the schedule of [`crate::group::Fair`].
//!
//! Whoever has given up or got partitions says so at once, as Kafka's consumer does; other heartbeats wait for their time.

use super::{Bounds, Event, Life, Node, State, World};
use crate::engine::Explorable;
use crate::group::{BEAT, SESSION};
use crate::stops::{Change, Rebalancing};
use highwater_spec::group::ConsumerState;
use highwater_spec::rules::Rules;
use std::collections::BTreeSet;

/// A group of the consumer protocol.
pub struct FairMembers {
    world: World,
    state: State,
    step: u32,
    /// When the coordinator gives up the one that has crashed.
    expires: Option<(u8, u32)>,
    /// Who leaves when it has been answered.
    leaves: Option<u8>,
    /// Who has something to say that does not wait for its time.
    hurries: BTreeSet<u8>,
    requests: u64,
}

impl FairMembers {
    /// A stable group in which so many members share out so many partitions, and into which one more may come.
    ///
    /// # Errors
    /// If the group does not come to rest.
    pub fn settled(members: u8, partitions: u8) -> Result<Self, String> {
        let bounds = Bounds {
            members: members.checked_add(1).ok_or("a group has at most 254 members")?,
            partitions,
            crashes: 1,
            leaves: 1,
            ..Bounds::QUIET
        };
        let world = World::judged_by(Rules::KAFKA, bounds, &[]);
        let state = world.initial();
        let mut group =
            Self { world, state, step: 0, expires: None, leaves: None, hurries: BTreeSet::new(), requests: 0 };
        for member in 1..=members {
            group.starts(member);
        }
        for _ in 0..SESSION {
            group.step();
            if group.is_at_rest() {
                return Ok(group);
            }
        }
        Err(format!("a group of {members} members does not come to rest"))
    }

    fn starts(&mut self, member: u8) {
        self.happens(Event::Starts(member));
        self.hurries.insert(member);
    }

    /// Whether it can happen. What can't does not.
    fn happens(&mut self, event: Event) -> bool {
        let after = self.world.apply(&self.state, &event);
        let is_possible = after.is_some();
        self.state = after.unwrap_or_else(|| self.state.clone());
        is_possible
    }

    fn members(&self) -> impl Iterator<Item = (u8, &Node)> + use<'_> {
        (1..).zip(self.state.nodes.iter().map(|node| &**node))
    }

    /// The members of which something is so.
    fn which(&self, is_so: impl Fn(&Node) -> bool) -> Vec<u8> {
        self.members().filter(|(_, node)| is_so(node)).map(|(member, _)| member).collect()
    }

    fn answered(&mut self, member: u8) {
        let owned = |group: &Self| group.life(member).map(|life| life.owned.clone());
        let before = owned(self);
        self.happens(Event::Answered(member));
        let gave_up = self.happens(Event::GivesUp(member));
        if gave_up || owned(self) != before {
            self.hurries.insert(member);
        }
    }

    fn life(&self, member: u8) -> Option<&Life> {
        self.members().find(|(known, _)| *known == member)?.1.life.as_ref()
    }
}

impl Rebalancing for FairMembers {
    fn change(&mut self, change: Change) {
        let running = self.which(|node| node.life.is_some());
        let middle = running.get(running.len() / 2).copied().unwrap_or(1);
        match change {
            Change::Joins => self.starts(self.world.bounds.members),
            Change::Leaves => self.leaves = Some(middle),
            Change::Crashes => {
                self.happens(Event::Crashes(middle));
                self.expires = Some((middle, self.step + SESSION));
            }
        }
    }

    fn step(&mut self) {
        self.step += 1;
        if let Some((member, _)) = self.expires.take_if(|(_, at)| *at == self.step) {
            self.happens(Event::Expires(member, 0));
        }
        for member in self.which(|node| node.said.is_some()) {
            self.happens(Event::Arrives(member));
        }
        for member in self.which(|node| node.answer.is_some()) {
            self.answered(member);
        }
        let now = self.step % BEAT;
        for member in self.which(|node| node.life.is_some() && node.said.is_none()) {
            if self.leaves.take_if(|leaves| *leaves == member).is_some() {
                self.requests += 1;
                self.happens(Event::Leaves(member));
                continue;
            }
            let hurries = self.hurries.remove(&member);
            self.requests += u64::from(hurries);
            if hurries || u32::from(member) % BEAT == now {
                self.happens(Event::Beats(member));
            }
        }
    }

    fn owned(&self) -> Vec<Option<BTreeSet<i32>>> {
        let owned = |life: &Life| life.owned.iter().map(|partition| partition.index).collect();
        self.members().map(|(_, node)| node.life.as_ref().map(owned)).collect()
    }

    fn is_at_rest(&self) -> bool {
        let group = self.state.coordinator.speculative().consumer_group(&World::group());
        let is_stable = group.is_some_and(|group| group.state() == ConsumerState::Stable);
        let is_idle = |life: &Life| life.awaits.is_none();
        is_stable
            && self.expires.is_none()
            && self.leaves.is_none()
            && self.hurries.is_empty()
            && self.members().all(|(_, node)| node.life.as_ref().is_none_or(is_idle))
    }

    fn requests(&self) -> u64 {
        self.requests
    }

    fn generation(&self) -> i64 {
        let group = self.state.coordinator.speculative().consumer_group(&World::group());
        group.map_or(0, |group| i64::from(group.epoch.0))
    }
}
