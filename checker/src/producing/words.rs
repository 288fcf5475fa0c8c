//! A producer's world, in words.

use super::State;
use highwater_spec::client::producer::{Outcome, Output, Request};
use highwater_spec::values::Ticket;

pub(super) fn records(records: &[Ticket]) -> String {
    let records: Vec<_> = records.iter().map(|record| format!("m{}", record.0)).collect();
    records.join(" ")
}

fn request(request: &Request) -> String {
    let numbers = request.numbers.map(|(identity, first)| format!(" as {}/{}", identity.epoch.0, first.0));
    records(&request.records) + &numbers.unwrap_or_default()
}

/// What a producer says, if it is worth a line.
pub(super) fn output(output: &Output) -> Option<String> {
    match output {
        Output::Send(sent) if sent.attempt > 1 => Some(format!("producer sends {} again", request(sent))),
        Output::Send(sent) => Some(format!("producer sends {}", request(sent))),
        Output::Done { records: done, outcome, .. } => {
            Some(format!("producer says of {} that it is {}", records(done), told(outcome)))
        }
        _ => None,
    }
}

fn told(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Acked(Some(offset)) => format!("at {offset}"),
        Outcome::Acked(None) => "written".to_owned(),
        Outcome::Refused(code) => format!("refused ({})", code.0),
        Outcome::Unknown(code) => format!("in doubt ({})", code.0),
    }
}

pub(super) fn lines(state: &State) -> Vec<String> {
    let committed = usize::try_from(state.leader.committed.0).unwrap_or(0);
    let log = state.leader.log.iter().map(|(record, numbered)| {
        let numbers = numbered.map(|numbered| format!("/{}/{}", numbered.epoch.0, numbered.first.0));
        format!("m{}{}", record.0, numbers.unwrap_or_default())
    });
    let log: Vec<_> = log.collect();
    let requests: Vec<_> = state.asked.iter().map(request).collect();
    vec![
        format!("log [{}] committed to {committed}", log.join(" ")),
        format!("under way to the leader [{}]", requests.join(", ")),
    ]
}
