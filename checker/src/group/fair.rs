//! A group that runs as it should: everyone is served, in turn, and nothing goes wrong but what is asked for.
//!
//! The same machines and events as in the world that is explored, by one schedule. In each step whatever was asked
//! before reaches the coordinator, and whatever is answered reaches its consumer, in the members' order; a member beats
//! every [`BEAT`] steps, each at a time of its own.

use super::{Bounds, Event, Node, State, World};
use crate::engine::Explorable;
use crate::stops::{Change, Rebalancing};
use highwater_spec::client::consumer::{Consumer, Timer};
use highwater_spec::group;
use highwater_spec::rules::Rules;
use std::collections::BTreeSet;

/// A heartbeat interval, in steps (`heartbeat.interval.ms`, 3 s by default).
pub const BEAT: u32 = 10;

/// A session, in steps (`session.timeout.ms`, 45 s by default).
pub const SESSION: u32 = 15 * BEAT;

/// A group of the classic protocol.
pub struct Fair {
    world: World,
    state: State,
    step: u32,
    /// When the coordinator gives up the one that has crashed.
    expires: Option<(u8, u32)>,
    requests: u64,
}

impl Fair {
    /// A stable group in which so many members share out so many partitions, and into which one more may come.
    ///
    /// # Errors
    /// If the group does not come to rest.
    pub fn settled(cooperative: bool, members: u8, partitions: u8) -> Result<Self, String> {
        let bounds = Bounds {
            members: members.checked_add(1).ok_or("a group has at most 254 members")?,
            partitions,
            records: 0,
            cooperative: u8::from(cooperative),
            crashes: 1,
            closes: 1,
            ..Bounds::QUIET
        };
        let world = World::judged_by(Rules::KAFKA, bounds, &[]);
        let state = world.initial();
        let mut group = Self { world, state, step: 0, expires: None, requests: 0 };
        for member in 1..=members {
            group.starts(member);
        }
        for _ in 0..SESSION {
            group.step();
            group.happens(Event::JoinEnds);
            if group.is_at_rest() {
                return Ok(group);
            }
        }
        Err(format!("a group of {members} members does not come to rest"))
    }

    fn starts(&mut self, member: u8) {
        self.happens(Event::Starts(member));
        self.happens(Event::Polls(member));
    }

    /// What can't happen does not.
    fn happens(&mut self, event: Event) {
        if let Some(after) = self.world.apply(&self.state, &event) {
            self.state = after;
        }
    }

    fn members(&self) -> impl Iterator<Item = (u8, &Node)> + use<'_> {
        (1..).zip(self.state.nodes.iter().map(|node| &**node))
    }

    /// The members of which something is so.
    fn which(&self, is_so: impl Fn(&Node) -> bool) -> Vec<u8> {
        self.members().filter(|(_, node)| is_so(node)).map(|(member, _)| member).collect()
    }
}

impl Rebalancing for Fair {
    fn change(&mut self, change: Change) {
        let running = self.which(|node| node.consumer.is_some());
        let middle = running.get(running.len() / 2).copied().unwrap_or(1);
        match change {
            Change::Joins => self.starts(self.world.bounds.members),
            Change::Leaves => self.happens(Event::Closes(middle)),
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
        for member in self.which(|node| !node.requests.is_empty()) {
            self.requests += 1;
            self.happens(Event::Arrives(member));
        }
        for member in self.which(|node| !node.answers.is_empty()) {
            self.happens(Event::Answered(member));
        }
        let now = self.step % BEAT;
        let beats = self.which(|node| node.timers.contains(&Timer::Heartbeat));
        for member in beats.into_iter().filter(|member| u32::from(*member) % BEAT == now) {
            self.happens(Event::Fires(member, Timer::Heartbeat));
        }
    }

    fn owned(&self) -> Vec<Option<BTreeSet<i32>>> {
        let owned = |consumer: &Consumer| consumer.owned().map(|partition| partition.index).collect();
        self.members().map(|(_, node)| node.consumer.as_ref().map(owned)).collect()
    }

    fn is_at_rest(&self) -> bool {
        let groups = self.state.coordinator.speculative().groups();
        let is_stable = groups.get(&World::group()).is_some_and(|group| group.state == group::State::Stable);
        let is_idle = |node: &Node| node.requests.is_empty() && node.answers.is_empty();
        is_stable
            && self.expires.is_none()
            && self.state.waiting.is_empty()
            && self.members().all(|(_, node)| is_idle(node))
    }

    fn requests(&self) -> u64 {
        self.requests
    }

    fn generation(&self) -> i64 {
        let groups = self.state.coordinator.speculative().groups();
        groups.get(&World::group()).map_or(0, |group| i64::from(group.generation.0))
    }
}
