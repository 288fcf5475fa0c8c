//! A reader's world, in words.

use super::state::{Asked, Question, State};
use highwater_spec::client::consumer::{Input, Output, Place};
use highwater_spec::values::{LeaderEpoch, Offset};
use highwater_spec::view::Entry;

fn place(Place { offset, epoch }: &Place) -> String {
    epoch.map_or_else(|| offset.to_string(), |epoch| format!("{offset}/{epoch}"))
}

fn under(epoch: Option<LeaderEpoch>) -> String {
    epoch.map(|epoch| format!(" under {epoch}")).unwrap_or_default()
}

fn entry(entry: &Entry) -> String {
    format!("m{}/{}", entry.value, entry.epoch)
}

/// What a consumer says, if it is worth a line.
pub(super) fn output(output: &Output) -> Option<String> {
    match output {
        Output::Deliver { from, upto, .. } => Some(format!("consumer delivers {from} to {upto}")),
        Output::Truncated { at, diverges: Some(diverges), .. } => {
            Some(format!("consumer says that what it read below {at} is cut from {diverges} on"))
        }
        Output::Truncated { at, diverges: None, .. } => {
            Some(format!("consumer says that what it read below {at} is cut, and nobody knows from where on"))
        }
        Output::FindEpochEnd { at, leader, .. } => {
            Some(format!("consumer asks{} where the epoch ends that it read up to {}", under(Some(*leader)), place(at)))
        }
        Output::Commit { offsets, .. } => {
            let offsets: Vec<_> = offsets.values().map(place).collect();
            Some(format!("consumer commits {}", offsets.join(" ")))
        }
        Output::FindLeaders => Some("consumer looks for the leader".to_owned()),
        Output::FindOffset { .. } => Some("consumer begins where auto.offset.reset tells".to_owned()),
        _ => None,
    }
}

/// What a leader says.
pub(super) fn answer(input: &Input) -> Option<String> {
    match input {
        Input::Fetched { from, upto, .. } if from == upto => Some("there is nothing yet".to_owned()),
        Input::Fetched { from, upto, .. } => Some(format!("leader sends {from} to {upto}")),
        Input::FetchRefused { refusal, .. } | Input::EpochEndAnswered { outcome: Err(refusal), .. } => {
            Some(format!("leader refuses: {refusal}"))
        }
        Input::EpochEndAnswered { outcome: Ok(Some(found)), .. } => {
            Some(format!("leader says that {} ends at {}", found.epoch, found.end))
        }
        Input::EpochEndAnswered { outcome: Ok(None), .. } => Some("leader knows no such epoch".to_owned()),
        _ => None,
    }
}

fn question(question: &Question) -> String {
    let answered = if question.answer.is_some() { ", answered" } else { "" };
    match question.asked {
        Asked::Records(from, epoch) => format!("fetch from {from}{}{answered}", under(epoch)),
        Asked::EpochEnd(at, epoch) => format!("end of the epoch up to {}{}{answered}", place(&at), under(Some(epoch))),
    }
}

pub(super) fn lines(state: &State) -> Vec<String> {
    let logs = (0..).zip(&state.logs).map(|(epoch, log)| {
        let log: Vec<_> = log.iter().map(entry).collect();
        format!("log of {} [{}]", LeaderEpoch(epoch), log.join(" "))
    });
    let mut lines: Vec<_> = logs.collect();
    let in_words = |(at, read): &(Offset, Entry)| format!("{at}:{}", entry(read));
    let read: Vec<_> = state.read.iter().map(in_words).collect();
    let committed = state.committed.as_ref().map_or_else(|| "nothing".to_owned(), place);
    lines.push(format!("application has [{}], committed {committed}", read.join(" ")));
    let questions: Vec<_> = state.questions.iter().map(question).collect();
    lines.push(format!("under way [{}]", questions.join("; ")));
    lines
}
