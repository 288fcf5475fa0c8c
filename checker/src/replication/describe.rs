//! A state in words: the `= ` lines of a scenario.

use super::state::{Fetch, Node, PARTITION, Process, Proposal, State, value_of};
use super::words::epochs_in_words;
use highwater_spec::replica::{Isr, Role};
use highwater_spec::values::{BrokerId, Offset};
use highwater_spec::view::Entry;

/// One line for the controller, one for each broker, and one for what was promised.
pub fn lines(state: &State) -> Vec<String> {
    let mut lines = vec![controller(state)];
    lines.extend(state.brokers().map(|broker| node(state, broker)));
    lines.extend(links(state));
    lines.push(history(state));
    lines
}

fn name(broker: Option<BrokerId>) -> String {
    broker.map_or_else(|| "none".to_owned(), |broker| broker.to_string())
}

fn controller(state: &State) -> String {
    let image = state.image();
    let mut words = vec![format!("controller end {}", state.controller.end())];
    if let Some(partition) = image.partition(PARTITION) {
        words.push(format!(
            "leader {} {} {}",
            name(partition.leader),
            partition.leader_epoch,
            partition.partition_epoch
        ));
        words.push(format!("isr {} elr {}", partition.isr, partition.elr));
        words.extend(partition.last_known_leader.map(|leader| format!("last-leader {leader}")));
        words.extend(partition.recovering.then(|| "recovering".to_owned()));
    }
    let sessions = state.controller.machine.speculative().sessions();
    for (broker, known) in &image.brokers {
        let fence = match (known.fenced, known.in_controlled_shutdown) {
            (true, _) => "fenced",
            (false, true) => "stopping",
            (false, false) => "active",
        };
        let silent = if sessions.contains_key(broker) { "" } else { " silent" };
        words.push(format!("{broker}/{} {fence}{silent}", known.epoch));
    }
    words.join("; ")
}

fn node(state: &State, broker: BrokerId) -> String {
    let node = state.node(broker);
    let mut words = match &node.process {
        Some(process) => process_words(process),
        None => vec![format!("is down; checkpoint {}", node.disk.checkpoint)],
    };
    words.push(format!("log {}", log(&node.disk.log)));
    words.push(format!("epochs {}", epochs_in_words(&node.disk.epochs)));
    words.extend(disk_words(node));
    format!("{broker} {}", words.join("; "))
}

fn disk_words(node: &Node) -> Vec<String> {
    let flushed = (node.disk.flushed > Offset(0)).then(|| format!("flushed below {}", node.disk.flushed));
    let clean = node.disk.clean.map(|epoch| format!("clean since {epoch}"));
    flushed.into_iter().chain(clean).collect()
}

fn process_words(process: &Process) -> Vec<String> {
    let replica = &process.replica;
    let epoch = replica.leader_epoch().map_or_else(|| "no epoch".to_owned(), |epoch| epoch.to_string());
    let mut words = match replica.role() {
        Role::Unassigned => vec!["has heard nothing".to_owned()],
        Role::Offline(refusal) => vec![format!("is offline {refusal}")],
        Role::Follower(follower) => vec![format!("follows {} {epoch}", name(follower.leader))],
        Role::Leader(leader) => {
            let mut words = vec![format!("leads {epoch} from {}", leader.epoch_start)];
            words.push(match &leader.isr {
                Isr::Committed(isr) => format!("isr {isr}"),
                Isr::Pending { committed, proposal } => format!("isr {committed} proposed {}", proposal.brokers()),
            });
            words.extend(leader.progress.iter().map(|progress| {
                let end = progress.end.map_or_else(|| "?".to_owned(), |end| end.to_string());
                format!("{} at {end}{}", progress.replica, if progress.lagging { " lagging" } else { "" })
            }));
            words.extend(
                leader
                    .waiting
                    .iter()
                    .map(|waiting| format!("m{} waits for {}", value_of(waiting.ticket), waiting.required)),
            );
            words
        }
    };
    words.extend(replica.partition_epoch().map(|epoch| epoch.to_string()));
    words.push(format!("hw {}", replica.high_watermark()));
    words.push(format!("metadata below {}", process.broker.metadata_end()));
    words.extend(process.unpublished.is_some().then(|| "has not published".to_owned()));
    words
}

fn links(state: &State) -> Vec<String> {
    let mut lines = Vec::new();
    for broker in state.brokers() {
        let place = super::state::index(broker);
        match &state.links.fetches[place] {
            Fetch::Idle => {}
            Fetch::Asked(asked) => {
                lines.push(format!("fetch of {broker} to {} at {} asked", asked.request.leader, asked.request.offset))
            }
            Fetch::Parked(asked) => {
                lines.push(format!("fetch of {broker} to {} at {} waits", asked.request.leader, asked.request.offset))
            }
            Fetch::Answered(request, _) => {
                lines.push(format!("fetch of {broker} to {} at {} answered", request.leader, request.offset))
            }
        }
        match &state.links.proposals[place] {
            Proposal::Idle => {}
            Proposal::Asked(..) => lines.push(format!("proposal of {broker} asked")),
            Proposal::Answered(_) => lines.push(format!("proposal of {broker} answered")),
        }
    }
    lines.extend(
        state.links.delayed.iter().map(|(of, asked)| format!("fetch of {of} to {} delayed", asked.request.leader)),
    );
    lines
}

fn log(entries: &[Entry]) -> String {
    let entries: Vec<_> = entries.iter().map(|entry| format!("m{}/{}", entry.value, entry.epoch)).collect();
    if entries.is_empty() { "empty".to_owned() } else { entries.join(" ") }
}

fn history(state: &State) -> String {
    let values = |values: &[u64]| values.iter().map(|value| format!("m{value}")).collect::<Vec<_>>().join(" ");
    let history = &state.history;
    let mut words = vec![format!("committed {}", log(&history.committed))];
    let acknowledged =
        [("acknowledged", &history.acknowledged), ("acknowledged-by-leader", &history.acknowledged_by_leader)];
    let given = acknowledged.into_iter().filter(|(_, given)| !given.is_empty());
    words.extend(given.map(|(how, given)| format!("{how} {}", values(given))));
    words.extend((history.lossy_crashes > 0).then(|| format!("lossy-crashes {}", history.lossy_crashes)));
    words.extend((history.unclean_elections > 0).then(|| "unclean-election".to_owned()));
    words.join("; ")
}
