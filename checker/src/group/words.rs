//! A group, in words.

use super::{Blob, Model, State};
use highwater_spec::client::consumer::{Input, Output};
use highwater_spec::group::{GroupId, NamedPartition, Record, Role};
use std::collections::BTreeSet;

pub(super) fn record(record: &Record<Model>) -> String {
    match record {
        Record::Group { metadata: Some(group), .. } => {
            let share = |share: &Option<Blob>| match share {
                Some(Blob::Share(share)) => set(share),
                _ => set(&BTreeSet::new()),
            };
            let members = group.members.iter().map(|member| format!("{} {}", member.member, share(&member.assignment)));
            format!("coordinator writes {}: {}", group.generation, members.collect::<Vec<_>>().join(", "))
        }
        Record::Group { metadata: None, .. } => "coordinator deletes the group".to_owned(),
        Record::Offset { partition, committed: Some(committed), .. } => {
            format!("coordinator writes that {partition} is processed below {}", committed.offset)
        }
        Record::Offset { partition, committed: None, .. } => format!("coordinator forgets the offset of {partition}"),
        Record::Consumer { record, .. } => format!("coordinator writes {record:?}"),
    }
}

pub(super) fn answer(answer: &Input) -> String {
    match answer {
        Input::JoinAnswered { member, outcome: Ok(joined) } => {
            let leads = if joined.leads.is_some() { ", which it leads" } else { "" };
            format!("{} is in {}{leads}", name(member.as_ref()), joined.generation)
        }
        Input::JoinAnswered { member, outcome: Err(refusal) } => format!("{refusal} for {}", name(member.as_ref())),
        Input::SyncAnswered(Ok(share)) => format!("its share is {}", set(share)),
        Input::HeartbeatAnswered(Ok(())) => "it is a member".to_owned(),
        Input::CommitAnswered { outcome: Ok(()), .. } => "committed".to_owned(),
        Input::SyncAnswered(Err(refusal))
        | Input::HeartbeatAnswered(Err(refusal))
        | Input::CommitAnswered { outcome: Err(refusal), .. } => refusal.to_string(),
        other => format!("{other:?}"),
    }
}

/// What a consumer says, if it is worth a line.
pub(super) fn consumer_output(member: u8, output: &Output) -> Option<String> {
    let said = match output {
        Output::FindCoordinator => "looks for the coordinator".to_owned(),
        Output::Join { member, owned, .. } if owned.is_empty() => format!("joins as {}", name(member.as_ref())),
        Output::Join { member, owned, .. } => format!("joins as {} with {}", name(member.as_ref()), set(owned)),
        Output::Sync { generation, assignments, .. } if assignments.is_empty() => {
            format!("asks for its share of {generation}")
        }
        Output::Sync { generation, assignments, .. } => {
            let shares = assignments.iter().map(|(to, share)| format!("{to} {}", set(share)));
            format!("shares out {generation}: {}", shares.collect::<Vec<_>>().join(", "))
        }
        Output::Heartbeat { generation, .. } => format!("beats in {generation}"),
        Output::Leave { member } => format!("leaves as {member}"),
        Output::FetchOffsets(partitions) => format!("asks where to begin in {}", set(partitions)),
        Output::FindOffset { partition, at } => format!("asks for the {at:?} of {partition}").to_lowercase(),
        Output::Commit { generation, offsets, .. } => {
            let offsets = offsets.iter().map(|(partition, place)| format!("{partition} below {}", place.offset));
            let generation = generation.map_or_else(|| "no generation".to_owned(), |generation| generation.to_string());
            format!("commits {} in {generation}", offsets.collect::<Vec<_>>().join(", "))
        }
        Output::Deliver { partition, from, .. } => format!("delivers {partition} at {from}"),
        Output::Assigned(partitions) => format!("now reads {} as well", set(partitions)),
        Output::Revoked(partitions) => format!("reads {} no more", set(partitions)),
        Output::Lost(partitions) => format!("has lost {}", set(partitions)),
        Output::CommitFailed(refusal) => format!("hears that its commit failed: {refusal}"),
        Output::Fail(failure) => format!("fails: {failure:?}"),
        Output::Exit => "ends".to_owned(),
        Output::SetTimer(_) | Output::CancelTimer(_) => return None,
        Output::FindLeaders | Output::FindEpochEnd { .. } | Output::Truncated { .. } => return None,
    };
    Some(format!("c{member} {said}"))
}

/// What everyone knows.
pub(super) fn lines(state: &State, id: &GroupId) -> Vec<String> {
    let coordinator = state.coordinator.speculative();
    let mut lines = vec![match coordinator.groups().get(id) {
        _ if coordinator.role() != Role::Active => "nobody coordinates".to_owned(),
        None => "coordinator knows no group".to_owned(),
        Some(group) => {
            let members: Vec<_> = group.members.keys().map(ToString::to_string).collect();
            let members = if members.is_empty() { "no members".to_owned() } else { members.join(" ") };
            format!("coordinator {} {}; {members}", group.state.name(), group.generation)
        }
    }];
    for (node, number) in state.nodes.iter().zip(1..) {
        lines.push(match &node.consumer {
            None => format!("c{number} is down"),
            Some(consumer) => {
                let member = name(consumer.member());
                let generation = consumer.generation().map_or_else(|| "no generation".to_owned(), |at| at.to_string());
                let owned: BTreeSet<_> = consumer.owned().cloned().collect();
                format!("c{number} as {member} in {generation} owns {}", set(&owned))
            }
        });
    }
    let stored = state.coordinator.committed().stored().get(id);
    let offsets = stored.into_iter().flat_map(|stored| &stored.offsets);
    let offsets: Vec<_> = offsets.map(|(partition, at)| format!("{partition} below {}", at.offset)).collect();
    lines.push(format!("committed {}", if offsets.is_empty() { "nothing".to_owned() } else { offsets.join(", ") }));
    let processed = state.history.processed.iter().map(|(partition, offsets)| {
        let offsets: Vec<_> = offsets.iter().map(ToString::to_string).collect();
        format!("{partition} {}", offsets.join(" "))
    });
    let processed: Vec<_> = processed.collect();
    lines.push(format!("processed {}", if processed.is_empty() { "nothing".to_owned() } else { processed.join(", ") }));
    lines
}

fn name(member: Option<&highwater_spec::group::MemberId>) -> String {
    member.map_or_else(|| "no one".to_owned(), ToString::to_string)
}

fn set(partitions: &BTreeSet<NamedPartition>) -> String {
    let partitions: Vec<_> = partitions.iter().map(ToString::to_string).collect();
    format!("{{{}}}", partitions.join(","))
}
