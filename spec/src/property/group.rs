//! What must hold of a consumer group.
//!
//! A [`GroupProperty`] is a statement about a [`GroupView`]: what the coordinator has shared out, what each consumer
//! believes to own, and what was committed and processed.
//!
//! Source: KIP-62; the TLA+ specifications of KIP-848, which say the same of its protocol.
//! Verifies: group.rebalance.complete, group.sync.store, group.offset.fence, group.coordinator.load, group.coordinator.epoch, client.consumer.revoke
//! Can fail: exhibits unfenced-zombie, commit-first, at-least-once, kafka-8500, kafka-14639, kafka-10614, stop-the-world;
//! breaks shares-overlap, eager-keeps-what-it-owns,
//! share-told-before-written, commit-told-before-committed.

use super::ensure;
use crate::group::{Generation, MemberId, NamedPartition};
use crate::values::{LeaderEpoch, Offset};
use std::collections::{BTreeMap, BTreeSet};

/// A group, as someone sees it who sees everything.
#[derive(Clone, Debug, Default)]
pub struct GroupView<'a> {
    /// The coordinator's generation.
    pub generation: Generation,
    /// The members that the coordinator knows, and the share of each once it is known.
    pub members: BTreeMap<&'a MemberId, BTreeSet<NamedPartition>>,
    /// The consumers that believe to be members, in which generation, and what each believes to own.
    pub believers: Vec<(&'a MemberId, Generation, BTreeSet<&'a NamedPartition>)>,
    /// The generation that is written down.
    pub written: Option<Generation>,
    /// What is committed: of each partition the first offset that was not processed.
    pub committed: BTreeMap<&'a NamedPartition, Offset>,
    /// Whether the coordinator's broker leads the coordinator's log, and has acted on all that it heard of that.
    pub leads: bool,
    /// Whether the coordinator answers.
    pub coordinates: bool,
    /// What has happened.
    pub history: Option<&'a GroupHistory>,
}

/// What has happened to a group, as far as properties ask.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct GroupHistory {
    /// The offsets of each partition that some application has processed.
    pub processed: BTreeMap<NamedPartition, BTreeSet<Offset>>,
    /// The first offset that was processed twice, if any.
    pub reprocessed: Option<(NamedPartition, Offset)>,
    /// A commit that was accepted from someone who was not a member of the generation.
    pub stale_commit: Option<(Option<MemberId>, Option<Generation>)>,
    /// The highest generation in which a member was told its share.
    pub given: Option<Generation>,
    /// The offset of each partition that was acknowledged last.
    pub acknowledged: BTreeMap<NamedPartition, Offset>,
    /// The leader epoch of the log in which the coordinator began last, as far as it knows one.
    pub begun: Option<LeaderEpoch>,
    /// One in which it began although it had in this one or in a later one.
    pub begun_again: Option<LeaderEpoch>,
    /// The most consumers that have owned something at once, where anyone asks.
    pub readers: usize,
}

/// Something that must hold in every state of a group.
#[derive(Clone, Copy, Debug)]
pub struct GroupProperty {
    /// Its name, as reports and scenarios have it.
    pub name: &'static str,
    /// Its number in the list of invariants.
    pub number: &'static str,
    /// What it says, in a sentence.
    pub statement: &'static str,
    /// Whether it holds; if not, what is wrong.
    pub check: fn(&GroupView<'_>) -> Result<(), String>,
}

/// G-1
pub const ONE_OWNER: GroupProperty = GroupProperty {
    name: "one-owner",
    number: "G-1",
    statement: "what the coordinator has shared out it has given to one member each",
    check: |view| {
        let mut owners = BTreeMap::new();
        for (member, share) in &view.members {
            for partition in share {
                let other = owners.insert(partition, member);
                ensure(other.is_none(), || format!("{partition} is {member}'s and someone else's"))?;
            }
        }
        Ok(())
    },
};

/// G-2
pub const ONE_BELIEVER: GroupProperty = GroupProperty {
    name: "one-believer",
    number: "G-2",
    statement: "no two members of the generation believe to own the same partition",
    check: |view| {
        let is_current =
            |member: &MemberId, generation| generation == view.generation && view.members.contains_key(member);
        let current = view.believers.iter().filter(|(member, generation, _)| is_current(member, *generation));
        let mut owners = BTreeMap::new();
        for (member, _, owned) in current {
            for partition in owned {
                if let Some(other) = owners.insert(*partition, *member) {
                    let both = if other == *member { "two that are".to_owned() } else { format!("{other} and") };
                    return Err(format!("{both} {member} read {partition} in {}", view.generation));
                }
            }
        }
        Ok(())
    },
};

/// G-2'
pub const COMMITS_FENCED: GroupProperty = GroupProperty {
    name: "commits-fenced",
    number: "G-2'",
    statement: "whoever commits is a member of the generation",
    check: |view| match view.history.and_then(|history| history.stale_commit.as_ref()) {
        None => Ok(()),
        Some((member, generation)) => {
            let who = member.as_ref().map_or_else(|| "no one".to_owned(), ToString::to_string);
            let generation = generation.map_or_else(|| "no generation".to_owned(), |generation| generation.to_string());
            Err(format!("{who} of {generation} committed"))
        }
    },
};

/// G-3
pub const GENERATION_KEPT: GroupProperty = GroupProperty {
    name: "generation-kept",
    number: "G-3",
    statement: "a generation in which someone was told a share is never followed by an earlier one",
    check: |view| {
        let given = view.history.and_then(|history| history.given);
        let word = |generation: Option<Generation>| generation.map_or_else(|| "none".to_owned(), |it| it.to_string());
        ensure(view.written >= given, || {
            format!("shares were told in {}, and {} is what is written", word(given), word(view.written))
        })
    },
};

/// G-7
pub const COMMITS_SURVIVE: GroupProperty = GroupProperty {
    name: "commits-survive",
    number: "G-7",
    statement: "the committed offset is not below the one that was acknowledged last",
    check: |view| {
        let Some(history) = view.history else { return Ok(()) };
        for (partition, acknowledged) in &history.acknowledged {
            let committed = view.committed.get(partition).copied().unwrap_or_default();
            ensure(committed >= *acknowledged, || {
                format!("{acknowledged} of {partition} was acknowledged, and {committed} is committed")
            })?;
        }
        Ok(())
    },
};

/// G-10
pub const COMMITTED_PROCESSED: GroupProperty = GroupProperty {
    name: "committed-processed",
    number: "G-10",
    statement: "what lies before a committed offset has been processed",
    check: |view| {
        let Some(history) = view.history else { return Ok(()) };
        for (partition, committed) in &view.committed {
            let processed = history.processed.get(*partition);
            let is_processed = |offset| processed.is_some_and(|processed| processed.contains(&Offset(offset)));
            if let Some(passed_over) = (0..committed.0).find(|offset| !is_processed(*offset)) {
                return Err(format!(
                    "{partition} is committed up to {committed}, and no one has processed {passed_over}"
                ));
            }
        }
        Ok(())
    },
};

/// G-11, which Kafka does not promise: at-least-once is not exactly-once.
pub const PROCESSED_ONCE: GroupProperty = GroupProperty {
    name: "processed-once",
    number: "G-11",
    statement: "no record is processed twice",
    check: |view| match view.history.and_then(|history| history.reprocessed.as_ref()) {
        None => Ok(()),
        Some((partition, offset)) => Err(format!("{offset} of {partition} was processed twice")),
    },
};

/// G-12
pub const LEADER_COORDINATES: GroupProperty = GroupProperty {
    name: "leader-coordinates",
    number: "G-12",
    statement: "a broker that leads the coordinator's log, and has acted on that, coordinates",
    check: |view| ensure(view.coordinates || !view.leads, || "the leader of the log coordinates nothing".to_owned()),
};

/// G-13, which only cooperative assignors promise, where no member crashes.
pub const SOMEONE_READS: GroupProperty = GroupProperty {
    name: "someone-reads",
    number: "G-13",
    statement: "where two consumers have read at once, there is always one that reads",
    check: |view| {
        let has_two = view.history.is_some_and(|history| history.readers > 1);
        let reads = view.believers.iter().any(|(_, _, owned)| !owned.is_empty());
        ensure(reads || !has_two, || format!("none of {} members owns anything", view.members.len()))
    },
};

/// G-14
pub const LEADERSHIP_ONCE: GroupProperty = GroupProperty {
    name: "leadership-once",
    number: "G-14",
    statement: "a coordinator begins once in each leader epoch of its log, and never in an earlier one than before",
    check: |view| match view.history.and_then(|history| history.begun_again) {
        None => Ok(()),
        Some(epoch) => Err(format!("the coordinator has forgotten what was under way, and begun once more in {epoch}")),
    },
};

/// Every property of a group that must hold.
pub const OF_A_GROUP: &[GroupProperty] = &[
    ONE_OWNER,
    ONE_BELIEVER,
    COMMITS_FENCED,
    GENERATION_KEPT,
    COMMITS_SURVIVE,
    COMMITTED_PROCESSED,
    LEADER_COORDINATES,
    LEADERSHIP_ONCE,
];

/// Every property of a group that there is, those that need not hold included.
pub const EVERY: &[GroupProperty] = &[
    ONE_OWNER,
    ONE_BELIEVER,
    COMMITS_FENCED,
    GENERATION_KEPT,
    COMMITS_SURVIVE,
    COMMITTED_PROCESSED,
    PROCESSED_ONCE,
    LEADER_COORDINATES,
    SOMEONE_READS,
    LEADERSHIP_ONCE,
];
