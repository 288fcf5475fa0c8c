//! What the coordinator hears, and what becomes of what it says.

use super::step::Step;
use super::{Blob, Model, Said, State, Turn, Waiting, World, words};
use highwater_spec::assignor::{Assignor, Subscriber};
use highwater_spec::client::consumer::{self, Input, Leads};
use highwater_spec::group::{self, Generation, Joined, MemberId, MemberIdentity, ProtocolName, Record, Reply};
use highwater_spec::machine::Machine;
use highwater_spec::refusal::Refusal;
use highwater_spec::replicated;
use highwater_spec::values::Ticket;
use std::collections::BTreeSet;

impl Step<'_> {
    pub(super) fn coordinate(&mut self, input: replicated::Input<group::Input<Model>>) {
        let commit = match &input {
            replicated::Input::Heard(group::Input::Asked { ticket, .. }) => {
                self.state.waiting.get(ticket).and_then(|waiting| waiting.commits.clone())
            }
            _ => None,
        };
        let is_current = |state: &State, member: &Option<MemberId>, generation: Option<Generation>| {
            let found = state.coordinator.speculative().groups().get(&World::group());
            let is_member = |id: &MemberId| found.is_some_and(|group| group.members.contains_key(id));
            member.as_ref().is_some_and(is_member) && found.map(|group| group.generation) == generation
        };
        let stale = commit.filter(|commit| !is_current(&self.state, &commit.member, commit.generation));
        let mut outputs = self.step(input);
        if self.world.bounds.late_commits == 0 && !self.state.is_deposed() {
            let upto = self.state.coordinator.end();
            outputs.extend(self.step(replicated::Input::Committed { upto }));
        }
        for output in outputs {
            match output {
                replicated::Output::Append { records, .. } => {
                    let is_offset = |record: &Record<Model>| matches!(record, Record::Offset { .. });
                    if let Some(stale) = stale.as_ref().filter(|_| records.iter().any(is_offset)) {
                        self.state.history.edit().stale_commit = Some((stale.member.clone(), stale.generation));
                    }
                    self.trace.extend(records.iter().map(words::record));
                }
                replicated::Output::Do(output) => self.coordinator_says(output),
            }
        }
    }

    fn step(&mut self, input: replicated::Input<group::Input<Model>>) -> Vec<Said> {
        let heard = self.is_watched().then(|| (asker(&self.state, &input), input.clone()));
        let mut outputs = Vec::new();
        self.state.coordinator.edit().step(&self.world.rules, input, &mut outputs);
        if let Some((by, input)) = heard {
            self.note(|| Turn::Coordinator { by, input, outputs: outputs.clone() });
        }
        outputs
    }

    /// A member is told its share.
    fn note_given(&mut self) {
        let groups = self.state.coordinator.speculative().groups();
        let generation = groups.get(&World::group()).map(|group| group.generation);
        if generation > self.state.history.given {
            self.state.history.edit().given = generation;
        }
    }

    fn coordinator_says(&mut self, output: group::Output<Model>) {
        match output {
            group::Output::Reply { ticket, reply } => self.reply(ticket, reply),
            group::Output::SetTimer { timer, .. } => drop(self.state.timers.insert(timer)),
            group::Output::CancelTimer { timer, .. } => drop(self.state.timers.remove(&timer)),
            group::Output::CancelAllTimers => self.state.timers.clear(),
        }
    }

    fn reply(&mut self, ticket: Ticket, reply: Reply<Model>) {
        let Some(Waiting { node, commits }) = self.state.waiting.remove(&ticket) else { return };
        let answer = match reply {
            Reply::Join { member, outcome } => {
                let outcome = outcome.map(|joined| self.joined(member.as_ref(), joined));
                Input::JoinAnswered { member, outcome }
            }
            Reply::Sync(outcome) => {
                if outcome.is_ok() {
                    self.note_given();
                }
                Input::SyncAnswered(outcome.map(|synced| match synced.assignment {
                    Some(Blob::Share(share)) => share,
                    _ => BTreeSet::new(),
                }))
            }
            Reply::Heartbeat(outcome) => Input::HeartbeatAnswered(outcome),
            Reply::CommitOffsets(outcome) => {
                let first = |results: Vec<(_, Result<(), Refusal>)>| results.into_iter().try_for_each(|(_, one)| one);
                let outcome = outcome.and_then(first);
                let generation = commits.as_ref().and_then(|commit| commit.generation);
                if let (Some(commit), Ok(())) = (commits, outcome) {
                    self.state.history.edit().acknowledged.extend(commit.offsets);
                }
                Input::CommitAnswered { generation, outcome }
            }
            _ => return,
        };
        if let Some(node) = node.filter(|node| self.state.nodes[*node].consumer.is_some()) {
            self.trace.push(format!("coordinator answers c{}: {}", node + 1, words::answer(&answer)));
            self.state.nodes[node].edit().answers.push_back(answer);
        }
    }

    fn joined(&self, member: Option<&MemberId>, joined: Joined<Model>) -> consumer::Joined {
        let named = |name: &ProtocolName| Assignor::ALL.into_iter().find(|assignor| assignor.name() == &*name.0);
        let assignor = joined.protocol.as_ref().and_then(named).unwrap_or(Assignor::Range);
        let subscriber = |(member, blob): (MemberIdentity, Blob)| {
            let Blob::Subscription { topics, owned, generation } = blob else { return None };
            Some((member.id?, Subscriber { instance: member.instance, topics, owned, generation, remembered: None }))
        };
        let leads = (joined.leader.as_ref() == member).then(|| Leads {
            skips: joined.skip_assignment,
            members: joined.members.into_iter().filter_map(subscriber).collect(),
        });
        consumer::Joined { generation: joined.generation, assignor, leads }
    }
}

/// Who waits for the answer to what the coordinator hears.
fn asker(state: &State, input: &replicated::Input<group::Input<Model>>) -> Option<u8> {
    let replicated::Input::Heard(group::Input::Asked { ticket, .. }) = input else { return None };
    let node = state.waiting.get(ticket)?.node?;
    u8::try_from(node + 1).ok()
}
