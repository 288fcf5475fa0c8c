//! A group of the consumer protocol, in words.

use super::state::{Answer, State};
use crate::group::Model;
use highwater_spec::group::{
    CommittedOffset, ConsumerGroup, ConsumerRecord, Current, FetchedOffsets, GroupId, MemberId, Progress, Record, Share,
};
use highwater_spec::refusal::Refusal;
use highwater_spec::values::{Offset, TopicPartition};
use std::collections::BTreeMap;

pub(super) fn record(record: &Record<Model>) -> String {
    let record = match record {
        Record::Consumer { record, .. } => record,
        Record::Offset { partition, committed: Some(committed), .. } => {
            return format!("coordinator writes that p{} is processed below {}", partition.index, committed.offset);
        }
        other => return format!("coordinator writes {other:?}"),
    };
    let written = match record {
        ConsumerRecord::Group(Some(epochs)) => format!("that the group is at {}", epochs.epoch),
        ConsumerRecord::Group(None) => "that there is no group".to_owned(),
        ConsumerRecord::Member(id, Some(_)) => format!("who {id} is"),
        ConsumerRecord::Member(id, None) => format!("that {id} is no member"),
        ConsumerRecord::TargetEpoch(Some(epoch)) => format!("that the target is for {epoch}"),
        ConsumerRecord::TargetEpoch(None) => "that there is no target".to_owned(),
        ConsumerRecord::Target(id, Some(share)) => format!("that {id} is to have {}", set(share)),
        ConsumerRecord::Target(id, None) => format!("that {id} is to have nothing"),
        ConsumerRecord::Current(id, Some(current)) => format!("that {id} is {}", progress(current)),
        ConsumerRecord::Current(id, None) => format!("that {id} has nothing"),
    };
    format!("coordinator writes {written}")
}

pub(super) fn answer(answer: &Answer) -> String {
    match answer {
        Ok(Some(told)) => match &told.assigned {
            Some(share) => format!("that it is at {} and has {}", told.epoch, set(share)),
            None => format!("that it is at {}", told.epoch),
        },
        Ok(None) => "that it has left".to_owned(),
        Err(refusal) => refusal.to_string(),
    }
}

pub(super) fn offsets(offsets: &BTreeMap<TopicPartition, Offset>) -> String {
    let offsets: Vec<_> = offsets.iter().map(|(of, offset)| format!("p{} below {offset}", of.index)).collect();
    if offsets.is_empty() { "nothing".to_owned() } else { offsets.join(", ") }
}

/// What a consumer hears that asks where to begin.
pub(super) fn beginnings(found: &Result<FetchedOffsets<Model>, Refusal>) -> String {
    let begin = |committed: &Option<CommittedOffset<Model>>| match committed {
        Some(committed) => format!("at {}", committed.offset),
        None => "anywhere".to_owned(),
    };
    match found {
        Ok(found) => {
            let found = found.iter().map(|(of, committed)| format!("p{} {}", of.index, begin(committed)));
            found.collect::<Vec<_>>().join(", ")
        }
        Err(refusal) => refusal.to_string(),
    }
}

/// What became of a commit.
pub(super) fn outcome(outcome: &Result<(), Refusal>) -> String {
    match outcome {
        Ok(()) => "kept".to_owned(),
        Err(refusal) => format!("refused: {refusal}"),
    }
}

pub(super) fn lines(state: &State, group: &GroupId) -> Vec<String> {
    let mut lines = Vec::new();
    match state.coordinator.speculative().consumer_group(group) {
        None => lines.push("coordinator: no group".to_owned()),
        Some(found) => lines.extend(group_lines(found)),
    }
    for (number, node) in (1..).zip(&state.nodes) {
        let Some(life) = &node.life else {
            lines.push(format!("c{number} does not run"));
            continue;
        };
        let epoch = life.epoch.map_or_else(|| "no member yet".to_owned(), |epoch| epoch.to_string());
        let gives_up = match &life.awaits {
            Some(awaits) => format!(", gives up {}", set(&life.owned.difference(awaits).copied().collect())),
            None => String::new(),
        };
        lines.push(format!("c{number} as {}: {epoch}, reads {}{gives_up}", life.id, set(&life.owned)));
    }
    if state.budget.records > 0 {
        lines.push(format!("committed {}", offsets(&state.committed())));
        let processed = state.history.processed.iter().map(|(of, records)| {
            let records: Vec<_> = records.iter().map(ToString::to_string).collect();
            format!("p{} {}", of.index, records.join(" "))
        });
        let processed: Vec<_> = processed.collect();
        let processed = if processed.is_empty() { "nothing".to_owned() } else { processed.join(", ") };
        lines.push(format!("processed {processed}"));
    }
    lines
}

fn group_lines(group: &ConsumerGroup) -> Vec<String> {
    let state = group.state().name();
    let mut lines = vec![format!("coordinator: {} {state}, target of {}", group.epoch, group.target_epoch)];
    let nothing = Share::new();
    let target = |id: &MemberId| set(group.targets.get(id).unwrap_or(&nothing));
    let members = group.members.iter();
    lines.extend(members.map(|(id, member)| format!("  {id} {}, to have {}", progress(&member.current), target(id))));
    lines
}

fn progress(current: &Current) -> String {
    let epoch = current.epoch.map_or_else(|| "away".to_owned(), |epoch| format!("at {epoch}"));
    let revoked = match current.progress {
        Progress::UnrevokedPartitions => format!(", to give up {}", set(&current.revoked)),
        _ => String::new(),
    };
    format!("{epoch} with {}{revoked}", set(&current.assigned))
}

fn set(share: &Share) -> String {
    let names: Vec<_> = share.iter().map(|partition| format!("p{}", partition.index)).collect();
    format!("{{{}}}", names.join(" "))
}
