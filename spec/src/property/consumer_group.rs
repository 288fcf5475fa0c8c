//! What must hold of a group of the consumer protocol.
//!
//! Source: the TLA+ specifications of KIP-848, whose names for them are given.
//! Verifies: group.consumer.reconcile.*, group.consumer.target, group.consumer.fence, group.consumer.load, group.consumer.offset.commit
//! Can fail: exhibits kafka-16147, late-commit, unfenced-member, passed-over, processed-again,
//! late-heartbeat, set-back; breaks commit-told-before-committed, lost-answer-not-forgiven, static-member-not-recognised.

use super::ensure;
use crate::group::{ConsumerGroup, ConsumerState, GroupEpoch, MemberId, Share};
use crate::values::{Offset, TopicPartition};
use std::collections::{BTreeMap, BTreeSet};

/// A group, as someone sees it who sees everything.
#[derive(Clone, Debug, Default)]
pub struct ConsumerView<'a> {
    /// The group, as its coordinator has decided.
    pub group: Option<&'a ConsumerGroup>,
    /// The partitions of the topics that every member wants to read.
    pub partitions: Share,
    /// What each consumer believes to own.
    pub believers: Vec<(&'a MemberId, &'a Share)>,
    /// The epochs of a member that heard of a lower one than before, if any did.
    pub fallen: Option<(&'a MemberId, GroupEpoch, GroupEpoch)>,
    /// What is committed: of each partition the first offset that was not processed.
    pub committed: BTreeMap<TopicPartition, Offset>,
    /// What has happened.
    pub history: Option<&'a ConsumerHistory>,
}

/// What has happened to a group of the consumer protocol, as far as properties ask.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct ConsumerHistory {
    /// The offsets of each partition that some application has processed.
    pub processed: BTreeMap<TopicPartition, BTreeSet<Offset>>,
    /// The first record that was processed twice, if any was and anyone asks.
    pub reprocessed: Option<(TopicPartition, Offset)>,
    /// Whose commit was accepted, and at which epoch, that was not at it or did not have what it committed.
    pub stray: Option<(MemberId, GroupEpoch)>,
    /// A commit that was accepted below the one before: where, that one, and this one.
    pub set_back: Option<(TopicPartition, Offset, Offset)>,
    /// Who has heard that its epoch is none any more, though it has missed one answer at most and reads only what is its
    /// own.
    pub unforgiven: Option<MemberId>,
    /// The offset of each partition that was acknowledged last.
    pub acknowledged: BTreeMap<TopicPartition, Offset>,
}

/// Something that must hold in every state of a group of the consumer protocol.
#[derive(Clone, Copy, Debug)]
pub struct ConsumerProperty {
    /// Its name, as reports and scenarios have it.
    pub name: &'static str,
    /// Its number in the list of invariants.
    pub number: &'static str,
    /// What it says, in a sentence.
    pub statement: &'static str,
    /// Whether it holds; if not, what is wrong.
    pub check: fn(&ConsumerView<'_>) -> Result<(), String>,
}

/// G-1, `ValidPartitionEpoch`
pub const ONE_ASSIGNEE: ConsumerProperty = ConsumerProperty {
    name: "one-assignee",
    number: "G-1",
    statement: "of each partition one member at most has it, or has yet to give it up",
    check: |view| {
        let members = view.group.into_iter().flat_map(|group| &group.members);
        only_one(members.flat_map(|(id, member)| {
            member.current.assigned.iter().chain(&member.current.revoked).map(move |partition| (id, *partition))
        }))
    },
};

/// G-2, `NoDoubleClientAssignment`
pub const ONE_READER: ConsumerProperty = ConsumerProperty {
    name: "one-reader",
    number: "G-2",
    statement: "no two members believe to own the same partition",
    check: |view| {
        let is_member = |id: &MemberId| view.group.is_some_and(|group| group.members.contains_key(id));
        let believers = view.believers.iter().filter(|(id, _)| is_member(id));
        only_one(believers.flat_map(|(id, owned)| owned.iter().map(move |partition| (*id, *partition))))
    },
};

/// G-3, `ClientSideMemberEpochIsMonotonic`
pub const EPOCHS_RISE: ConsumerProperty = ConsumerProperty {
    name: "epochs-rise",
    number: "G-3",
    statement: "a member that stays never hears of a lower epoch than before",
    check: |view| match view.fallen {
        None => Ok(()),
        Some((id, from, to)) => Err(format!("{id} was at {from} and hears of {to}")),
    },
};

/// G-4, `LegalTargetAssignment`
pub const TARGET_WHOLE: ConsumerProperty = ConsumerProperty {
    name: "target-whole",
    number: "G-4",
    statement: "a target that is up to date gives each partition to one member",
    check: |view| {
        let Some(group) = view.group else { return Ok(()) };
        only_one(group.targets.iter().flat_map(|(id, share)| share.iter().map(move |partition| (id, *partition))))?;
        let is_there = |partition: &TopicPartition| group.targets.values().any(|share| share.contains(partition));
        let lacks = view.partitions.iter().find(|partition| !is_there(partition));
        let is_current = group.epoch == group.target_epoch && !group.members.is_empty();
        ensure(!is_current || lacks.is_none(), || format!("no one is to read {lacks:?} in {}", group.epoch))
    },
};

/// G-5, `ValidMemberEpoch`
pub const ARRIVED_OWNS_ITS_OWN: ConsumerProperty = ConsumerProperty {
    name: "arrived-owns-its-own",
    number: "G-5",
    statement: "a member at the target's epoch has nothing that is not in its target",
    check: |view| {
        let Some(group) = view.group else { return Ok(()) };
        for (id, member) in &group.members {
            let target = group.targets.get(id).cloned().unwrap_or_default();
            let has_arrived = member.current.epoch == Some(group.target_epoch);
            ensure(!has_arrived || member.current.assigned.is_subset(&target), || {
                format!("{id} is at {} with more than its target", group.target_epoch)
            })?;
        }
        Ok(())
    },
};

/// G-6, `ValidStableGroupState`
pub const STABLE_IS_DONE: ConsumerProperty = ConsumerProperty {
    name: "stable-is-done",
    number: "G-6",
    statement: "in a stable group every member has its target",
    check: |view| {
        let Some(group) = view.group.filter(|group| group.state() == ConsumerState::Stable) else { return Ok(()) };
        for (id, member) in &group.members {
            ensure(group.targets.get(id) == Some(&member.current.assigned), || format!("{id} has not its target"))?;
        }
        Ok(())
    },
};

/// G-7. Stronger than what is compared, which is the epoch alone: a member's epoch ends when it gives something up.
pub const HOLDERS_COMMIT: ConsumerProperty = ConsumerProperty {
    name: "holders-commit",
    number: "G-7",
    statement: "whoever's commit is accepted is a member at the epoch that it names, and has each partition or has yet to give it up",
    check: |view| match view.history.and_then(|history| history.stray.as_ref()) {
        None => Ok(()),
        Some((id, epoch)) => Err(format!("{id} has committed at {epoch}")),
    },
};

/// G-8
pub const OFFSETS_RISE: ConsumerProperty = ConsumerProperty {
    name: "offsets-rise",
    number: "G-8",
    statement: "no commit that is accepted is below the one before",
    check: |view| match view.history.and_then(|history| history.set_back) {
        None => Ok(()),
        Some((of, from, to)) => Err(format!("partition {} was committed up to {from}, and now up to {to}", of.index)),
    },
};

/// G-9
pub const OFFSETS_SURVIVE: ConsumerProperty = ConsumerProperty {
    name: "offsets-survive",
    number: "G-9",
    statement: "the committed offset of a partition is not below the one that was acknowledged last",
    check: |view| {
        let Some(history) = view.history else { return Ok(()) };
        for (of, acknowledged) in &history.acknowledged {
            let committed = view.committed.get(of).copied().unwrap_or_default();
            ensure(committed >= *acknowledged, || {
                format!("{acknowledged} of partition {} was acknowledged, and {committed} is committed", of.index)
            })?;
        }
        Ok(())
    },
};

/// G-10
pub const NONE_PASSED_OVER: ConsumerProperty = ConsumerProperty {
    name: "none-passed-over",
    number: "G-10",
    statement: "what lies before the committed offset of a partition has been processed",
    check: |view| {
        let Some(history) = view.history else { return Ok(()) };
        for (of, committed) in &view.committed {
            let processed = history.processed.get(of);
            let is_processed = |offset| processed.is_some_and(|processed| processed.contains(&Offset(offset)));
            let passed_over = (0..committed.0).find(|offset| !is_processed(*offset));
            ensure(passed_over.is_none(), || {
                format!("partition {} is committed up to {committed}, and not all of that was processed", of.index)
            })?;
        }
        Ok(())
    },
};

/// G-11, which Kafka does not promise: at-least-once is not exactly-once.
pub const RECORDS_ONCE: ConsumerProperty = ConsumerProperty {
    name: "records-once",
    number: "G-11",
    statement: "no record is processed by two members, or twice by one",
    check: |view| match view.history.and_then(|history| history.reprocessed) {
        None => Ok(()),
        Some((of, offset)) => Err(format!("{offset} of partition {} was processed twice", of.index)),
    },
};

/// G-15
pub const LOSS_FORGIVEN: ConsumerProperty = ConsumerProperty {
    name: "loss-forgiven",
    number: "G-15",
    statement: "no one is put out for an earlier epoch who has missed one answer at most, and reads only what is its own",
    check: |view| match view.history.and_then(|history| history.unforgiven.as_ref()) {
        None => Ok(()),
        Some(id) => Err(format!("{id} has missed one answer at most, and hears FENCED_MEMBER_EPOCH")),
    },
};

/// G-16
pub const INSTANCE_ONCE: ConsumerProperty = ConsumerProperty {
    name: "instance-once",
    number: "G-16",
    statement: "no two members of a group have one instance id",
    check: |view| {
        let mut known = BTreeMap::new();
        for (id, member) in view.group.iter().flat_map(|group| &group.members) {
            let Some(instance) = &member.metadata.instance else { continue };
            if let Some(other) = known.insert(instance, id) {
                return Err(format!("{other} and {id} both are {instance}"));
            }
        }
        Ok(())
    },
};

/// Every property of a group of the consumer protocol that must hold.
pub const OF_CONSUMERS: &[ConsumerProperty] = &[
    ONE_ASSIGNEE,
    ONE_READER,
    EPOCHS_RISE,
    TARGET_WHOLE,
    ARRIVED_OWNS_ITS_OWN,
    STABLE_IS_DONE,
    HOLDERS_COMMIT,
    OFFSETS_RISE,
    OFFSETS_SURVIVE,
    NONE_PASSED_OVER,
    LOSS_FORGIVEN,
    INSTANCE_ONCE,
];

/// Every property of a group of the consumer protocol that there is, those that need not hold included.
pub const EVERY: &[ConsumerProperty] = &[
    ONE_ASSIGNEE,
    ONE_READER,
    EPOCHS_RISE,
    TARGET_WHOLE,
    ARRIVED_OWNS_ITS_OWN,
    STABLE_IS_DONE,
    HOLDERS_COMMIT,
    OFFSETS_RISE,
    OFFSETS_SURVIVE,
    NONE_PASSED_OVER,
    RECORDS_ONCE,
    LOSS_FORGIVEN,
    INSTANCE_ONCE,
];

fn only_one<'a>(owned: impl Iterator<Item = (&'a MemberId, TopicPartition)>) -> Result<(), String> {
    let mut owners = BTreeMap::new();
    for (id, partition) in owned {
        if let Some(other) = owners.insert(partition, id) {
            return Err(format!("partition {} is {other}'s and {id}'s", partition.index));
        }
    }
    Ok(())
}
