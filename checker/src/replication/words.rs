//! What machines say, in words: the `< ` lines of a scenario.

use super::state::{Model, value_of};
use highwater_spec::broker;
use highwater_spec::controller::{PartitionChange, Record};
use highwater_spec::log::{Batch, EpochCache};
use highwater_spec::replica::{Output, ProduceOutcome, ReadRole, Timer};
use highwater_spec::values::BrokerId;

/// What a replica says.
pub fn replica_output(of: BrokerId, output: &Output<Model>) -> String {
    match output {
        Output::StoreEpochs(epochs) => format!("{of} stores epochs {}", epochs_in_words(epochs)),
        Output::Append(batches) => format!("{of} appends {}", batches_in_words(batches)),
        Output::Truncate { to } => format!("{of} truncates to {to}"),
        Output::TruncateFully { at } => format!("{of} begins a new log at {at}"),
        Output::ReadProducers { upto } => format!("{of} reads producers below {upto}"),
        Output::Flush { upto } => format!("{of} flushes below {upto}"),
        Output::Reply { ticket, outcome } => {
            format!("{of} answers m{} {}", value_of(*ticket), outcome_in_words(outcome))
        }
        Output::Fetch(request) => {
            let epoch = request.last_fetched_epoch.map_or_else(|| "none".to_owned(), |epoch| epoch.to_string());
            let (leader, in_epoch, offset) = (request.leader, request.leader_epoch, request.offset);
            format!("{of} fetches from {leader} in {in_epoch} at {offset} last {epoch}")
        }
        Output::AskLogEnds(request) => format!("{of} asks {} for the ends of its log", request.leader),
        Output::CancelFetch => format!("{of} stops fetching"),
        Output::ProposeIsr(proposal) => {
            let members: Vec<_> = proposal
                .members
                .iter()
                .map(|(member, epoch)| epoch.map_or_else(|| member.to_string(), |epoch| format!("{member}/{epoch}")))
                .collect();
            format!("{of} proposes isr {{{}}} from {}", members.join(","), proposal.partition_epoch)
        }
        Output::SetTimer { timer: Timer::Lag(follower), .. } => format!("{of} sets lag timer of {follower}"),
        Output::SetTimer { timer: Timer::FetchRetry, .. } => format!("{of} sets fetch timer"),
        Output::Publish(view) => {
            let role = match view.role {
                ReadRole::Leader { .. } => "leader",
                ReadRole::NotLeader => "follower",
                ReadRole::Offline(_) => "offline",
            };
            let epoch = view.leader_epoch.map_or_else(|| "none".to_owned(), |epoch| epoch.to_string());
            format!("{of} publishes {role} {epoch} hw {} end {}", view.high_watermark, view.log_end)
        }
        Output::DeleteLog => format!("{of} deletes its log"),
    }
}

/// What a broker says.
pub fn broker_output(of: BrokerId, output: &broker::Output<Model>) -> String {
    match output {
        broker::Output::Register { previous_epoch, .. } => match previous_epoch {
            Some(epoch) => format!("{of} registers after a clean shutdown in {epoch}"),
            None => format!("{of} registers"),
        },
        broker::Output::Heartbeat { epoch, metadata_end, want_fence, want_shutdown } => {
            let wants = match (want_fence, want_shutdown) {
                (false, false) => "",
                (true, false) => " wants fence",
                (false, true) => " wants shutdown",
                (true, true) => " wants fence and shutdown",
            };
            format!("{of} heartbeats in {epoch} metadata below {metadata_end}{wants}")
        }
        broker::Output::AlterPartition { broker_epoch, .. } => format!("{of} sends its proposal in {broker_epoch}"),
        // What the replica makes of it is said by the replica.
        broker::Output::Tell { .. } => format!("{of} tells its replica"),
        broker::Output::CloseLogs => format!("{of} closes its logs"),
        broker::Output::WriteCleanShutdown { epoch } => format!("{of} marks a clean shutdown in {epoch}"),
        broker::Output::Exit => format!("{of} exits"),
        broker::Output::SetTimer(timer) => format!("{of} sets {} timer", timer_in_words(*timer)),
    }
}

/// What the controller writes.
pub fn record(record: &Record) -> String {
    match record {
        Record::BrokerRegistered { broker, registration } => {
            format!("controller registers {broker} as {}", registration.epoch)
        }
        Record::BrokerChanged { broker, fenced: Some(true), .. } => format!("controller fences {broker}"),
        Record::BrokerChanged { broker, fenced: Some(false), .. } => format!("controller unfences {broker}"),
        Record::BrokerChanged { broker, .. } => format!("controller lets {broker} shut down"),
        Record::BrokerUnregistered { broker } => format!("controller forgets {broker}"),
        Record::TopicCreated { name, .. } => format!("controller creates topic {name}"),
        Record::PartitionCreated { .. } => "controller creates a partition".to_owned(),
        Record::PartitionChanged { change, .. } => format!("controller changes {}", change_in_words(change)),
        Record::TopicRemoved { .. } => "controller removes the topic".to_owned(),
        Record::ConfigChanged { .. } => "controller configures".to_owned(),
        Record::ProducerIdsAllocated { broker, next, .. } => {
            format!("controller gives {broker} the producer ids below {next}")
        }
        Record::ElrCleared { .. } => "controller clears the elr".to_owned(),
    }
}

fn change_in_words(change: &PartitionChange) -> String {
    let name = |broker: &Option<BrokerId>| broker.map_or_else(|| "none".to_owned(), |broker| broker.to_string());
    let mut words = Vec::new();
    words.extend(change.leader.as_ref().map(|leader| format!("leader={}", name(leader))));
    words.extend(change.isr.as_ref().map(|isr| format!("isr={isr}")));
    words.extend(change.elr.as_ref().map(|elr| format!("elr={elr}")));
    words.extend(change.last_known_leader.as_ref().map(|leader| format!("last-leader={}", name(leader))));
    words.extend(change.recovering.map(|recovering| format!("recovering={recovering}")));
    words.join(" ")
}

fn timer_in_words(timer: broker::Timer) -> &'static str {
    match timer {
        broker::Timer::Registration => "registration",
        broker::Timer::Heartbeat => "heartbeat",
        broker::Timer::AlterPartitionRetry => "proposal",
    }
}

fn outcome_in_words(outcome: &ProduceOutcome) -> String {
    match outcome {
        ProduceOutcome::Acked { base } => format!("acknowledged at {base}"),
        ProduceOutcome::Duplicate { base, .. } => format!("acknowledged at {base} again"),
        ProduceOutcome::Undersized { base } => format!("at {base}, of too few replicas"),
        ProduceOutcome::Refused(refusal) => format!("refused {refusal}"),
        ProduceOutcome::Unknown(refusal) => format!("unknown {refusal}"),
    }
}

fn batches_in_words(batches: &[Batch<Model>]) -> String {
    let batches: Vec<_> =
        batches.iter().map(|batch| format!("m{}/{} at {}", batch.bytes, batch.epoch, batch.base)).collect();
    batches.join(", ")
}

/// Epochs and where they begin.
pub fn epochs_in_words(epochs: &EpochCache) -> String {
    let entries: Vec<_> = epochs.entries().iter().map(|entry| format!("{}@{}", entry.epoch, entry.start)).collect();
    if entries.is_empty() { "none".to_owned() } else { entries.join(" ") }
}
