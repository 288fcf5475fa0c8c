//! How much of a group stops when one member comes or goes.
//!
//! A group at rest, one change, and then steps of a fair schedule until it is at rest again: which partitions had no
//! owner meanwhile, for how many steps, and which members had nothing to read. Nothing is explored here and nothing
//! depends on a clock. How a protocol takes its steps is its own affair ([`Rebalancing`]).

use crate::group::members::FairMembers;
use crate::group::{BEAT, Fair};
use serde::Serialize;
use std::collections::BTreeSet;

/// What happens to a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// One more member comes.
    Joins,
    /// A member is closed, and says so.
    Leaves,
    /// A member crashes, and is missed when its session ends.
    Crashes,
}

/// How a group rebalances.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// Everyone gives up everything first: the classic protocol with the range assignor.
    Eager,
    /// Only what moves is given up: the classic protocol with the cooperative sticky assignor.
    Cooperative,
    /// Only what moves is given up, and nobody waits for everyone: the consumer protocol.
    Consumer,
}

/// A group, and the steps that it takes.
pub trait Rebalancing {
    /// Something happens to it.
    fn change(&mut self, change: Change);

    /// Time goes on by one step.
    fn step(&mut self);

    /// What each member believes to own; `None` for one that does not run.
    fn owned(&self) -> Vec<Option<BTreeSet<i32>>>;

    /// Whether nothing is under way.
    fn is_at_rest(&self) -> bool;

    /// The requests that have reached the coordinator so far, but for questions for offsets and heartbeats that only say
    /// that a member is there.
    fn requests(&self) -> u64;

    /// The generation, or group epoch.
    fn generation(&self) -> i64;
}

/// What a change has cost.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Stop {
    /// Protocol, members and change in one word.
    pub name: String,
    /// The protocol.
    pub protocol: &'static str,
    /// The members before the change.
    pub members: u8,
    /// The change.
    pub change: &'static str,
    /// Steps until every partition has an owner again and nothing is under way.
    pub steps: u32,
    /// Members that had something to read, are still there, and had nothing for a while.
    pub members_stopped: usize,
    /// Steps in which no member at all had anything to read.
    pub all_stopped_steps: u32,
    /// Partitions that had no owner for a while.
    pub partitions_stopped: usize,
    /// Partitions without an owner, summed over the steps.
    pub partition_steps: u64,
    /// Generations that it took.
    pub generations: i64,
    /// Requests that it took, but for questions for offsets and heartbeats that only say that a member is there.
    pub requests: u64,
}

/// The sizes of the groups that are measured.
pub const SIZES: [u8; 5] = [3, 10, 30, 100, 200];

/// The partitions that they share out.
pub const PARTITIONS: u8 = 240;

const PROTOCOLS: [Protocol; 3] = [Protocol::Eager, Protocol::Cooperative, Protocol::Consumer];
const CHANGES: [Change; 3] = [Change::Joins, Change::Leaves, Change::Crashes];

/// A group that has not come to rest after so many steps never will.
const LONGEST: u32 = 2_000;

/// Every protocol, change and size.
///
/// # Errors
/// If a group does not come to rest.
pub fn all(sizes: &[u8], partitions: u8) -> Result<Vec<Stop>, String> {
    let mut stops = Vec::new();
    for change in CHANGES {
        for members in sizes {
            for protocol in PROTOCOLS {
                stops.push(measured(protocol, *members, partitions, change)?);
            }
        }
    }
    Ok(stops)
}

/// One change of a group at rest.
///
/// # Errors
/// If the group does not come to rest, before or after; when its only member goes, it does not.
pub fn measured(protocol: Protocol, members: u8, partitions: u8, change: Change) -> Result<Stop, String> {
    let mut group = protocol.settled(members, partitions)?;
    let mut watched = Watched::new(&*group);
    group.change(change);
    let (mut steps, mut at_rest) = (0, 0);
    while steps - at_rest <= 2 * BEAT {
        if steps == LONGEST {
            return Err(format!("{}: a group of {members} members does not come to rest", protocol.name()));
        }
        steps += 1;
        group.step();
        if !watched.look(&*group) || !group.is_at_rest() {
            at_rest = steps;
        }
    }
    Ok(watched.told(&*group, protocol, members, change, at_rest))
}

/// What is seen of a group from a change on.
struct Watched {
    partitions: BTreeSet<i32>,
    readers: BTreeSet<usize>,
    requests: u64,
    generation: i64,
    stopped: BTreeSet<usize>,
    unowned: BTreeSet<i32>,
    all_stopped_steps: u32,
    partition_steps: u64,
}

impl Watched {
    fn new(group: &dyn Rebalancing) -> Self {
        let owned = group.owned();
        let reads = |(_, owned): &(usize, &Option<BTreeSet<i32>>)| owned.as_ref().is_some_and(|it| !it.is_empty());
        Self {
            partitions: owned.iter().flatten().flatten().copied().collect(),
            readers: owned.iter().enumerate().filter(reads).map(|(member, _)| member).collect(),
            requests: group.requests(),
            generation: group.generation(),
            stopped: BTreeSet::new(),
            unowned: BTreeSet::new(),
            all_stopped_steps: 0,
            partition_steps: 0,
        }
    }

    /// Whether every partition has an owner.
    fn look(&mut self, group: &dyn Rebalancing) -> bool {
        let owned = group.owned();
        let now: BTreeSet<i32> = owned.iter().flatten().flatten().copied().collect();
        let unowned: Vec<_> = self.partitions.difference(&now).copied().collect();
        let is_idle = |member: &usize| owned[*member].as_ref().is_some_and(BTreeSet::is_empty);
        self.stopped.extend(self.readers.iter().copied().filter(is_idle));
        self.all_stopped_steps += u32::from(now.is_empty());
        self.partition_steps += unowned.len() as u64;
        let is_whole = unowned.is_empty();
        self.unowned.extend(unowned);
        is_whole
    }

    fn told(self, group: &dyn Rebalancing, protocol: Protocol, members: u8, change: Change, steps: u32) -> Stop {
        let (protocol, change) = (protocol.name(), change.name());
        Stop {
            name: format!("{protocol}-{change}-{members}"),
            protocol,
            members,
            change,
            steps,
            members_stopped: self.stopped.len(),
            all_stopped_steps: self.all_stopped_steps,
            partitions_stopped: self.unowned.len(),
            partition_steps: self.partition_steps,
            generations: group.generation() - self.generation,
            requests: group.requests() - self.requests,
        }
    }
}

impl Protocol {
    fn settled(self, members: u8, partitions: u8) -> Result<Box<dyn Rebalancing>, String> {
        Ok(match self {
            Self::Eager => Box::new(Fair::settled(false, members, partitions)?),
            Self::Cooperative => Box::new(Fair::settled(true, members, partitions)?),
            Self::Consumer => Box::new(FairMembers::settled(members, partitions)?),
        })
    }

    /// Its name in tables.
    pub fn name(self) -> &'static str {
        match self {
            Self::Eager => "eager",
            Self::Cooperative => "cooperative",
            Self::Consumer => "consumer",
        }
    }
}

impl Change {
    /// Its name in tables.
    pub fn name(self) -> &'static str {
        match self {
            Self::Joins => "joins",
            Self::Leaves => "leaves",
            Self::Crashes => "crashes",
        }
    }
}
