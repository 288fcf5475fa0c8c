//! What comes of each event, and why some can't happen.
//!
//! Not here: which events are worth trying (`possible.rs`).

use super::state::{AskedFetch, Fetch, PARTITION, Process, Proposal, State, index, ticket};
use super::step::Step;
use super::turn::Trace;
use super::{Bounds, World, observe};
use crate::shared::digest;
use highwater_spec::broker::{self, Stage};
use highwater_spec::controller::{self, Election};
use highwater_spec::replica::{self, Acks, FetchAnswer, Produce};
use highwater_spec::scenario::{Event, What};
use highwater_spec::values::{BrokerId, IncarnationId, Offset, Ticket};
use std::sync::Arc;

/// Why an event can't happen in a state.
pub type Forbidden = &'static str;

/// Stops unless a condition holds.
fn only_if(condition: bool, otherwise: Forbidden) -> Result<(), Forbidden> {
    if condition { Ok(()) } else { Err(otherwise) }
}

/// Takes one from a budget.
fn spend(budget: &mut u8, exhausted: Forbidden) -> Result<(), Forbidden> {
    *budget = budget.checked_sub(1).ok_or(exhausted)?;
    Ok(())
}

impl World {
    /// The state after `event`.
    ///
    /// # Errors
    /// Says why it can't happen.
    pub(super) fn perform(&self, state: &State, event: &Event, trace: Option<&mut Trace>) -> Result<State, Forbidden> {
        let mut step = Step::new(&self.rules, &self.bounds, state.clone());
        step.choice = event.choice;
        step.cut_short = event.cut_short;
        step.publish_late = event.publish_late;
        step.trace = trace;
        let known =
            |broker: BrokerId| only_if(broker.0 >= 1 && index(broker) < state.nodes.len(), "there is no such broker");
        concerned(&event.what).into_iter().flatten().try_for_each(known)?;
        self.happen(&mut step, &event.what)?;
        if event.cut_short.is_some() {
            only_if(step.killed.is_some(), "the step has not that many durable outputs")?;
            spend(&mut step.state.budget.kills, "no kill is left")?;
        }
        if event.publish_late {
            only_if(!step.publish_late, "the step publishes nothing")?;
            spend(&mut step.state.budget.late_views, "no late view is left")?;
        }
        let mut after = step.finish(Offset(0));
        self.reduce(&mut after);
        Ok(after)
    }

    fn happen(&self, step: &mut Step<'_>, what: &What) -> Result<(), Forbidden> {
        match *what {
            What::Produce { value, to, acks } => produce(step, &self.bounds, value, to, acks),
            What::ProduceTimesOut { value, at } => produce_times_out(step, value, at),
            What::FetchArrives(of) => self.fetch_arrives(step, of),
            What::FetchAnswered(of) => fetch_answered(step, of),
            What::AnswerArrives(at) => answer_arrives(step, at),
            What::Fetches(by) => self.fetches(step, by),
            What::FetchDelayed(of) => fetch_delayed(step, of),
            What::DelayedFetchArrives(of) => delayed_fetch_arrives(step, of),
            What::Lags { leader, follower } => lags(step, leader, follower),
            What::ProposalArrives(of) => self.proposal_arrives(step, of),
            What::ProposalAnswered(to) => proposal_answered(step, to),
            What::Learns { broker, upto } => learns(step, broker, upto),
            What::Publishes(broker) => publishes(step, broker),
            What::Beats(broker) => beats(step, broker),
            What::SessionExpires(of) => session_expires(step, of),
            What::Killed { broker, checkpoint } => {
                spend(&mut step.state.budget.kills, "no kill is left")?;
                dies(step, broker, checkpoint)
            }
            What::LosesPower { broker, keeps, checkpoint } => loses_power(step, broker, keeps, checkpoint),
            What::LosesDisk(broker) => loses_disk(step, broker),
            What::DiskFails(broker) => disk_fails(step, broker),
            What::Starts(broker) => starts(step, broker),
            What::Stops(broker) => stops(step, broker),
            What::ElectsPreferred => elects_preferred(step),
            What::ElectsForLeaderless => {
                let choice = step.choice;
                step.ask_controller(controller::Input::LeaderlessChecked { choice });
                Ok(())
            }
        }
    }

    fn fetch_arrives(&self, step: &mut Step<'_>, of: BrokerId) -> Result<(), Forbidden> {
        let Fetch::Asked(asked) = step.state.links.fetches[index(of)] else { return Err("no fetch is on its way") };
        only_if(serves(step, asked.request.leader), "its leader does not serve yet")?;
        match step.fetch_arrives(of, asked) {
            // A refusal leaves nothing behind at the leader, so its way back can be left out.
            Some(FetchAnswer::Refused(refusal)) => {
                let answer = FetchAnswer::Refused(refusal);
                step.tell_replica(of, replica::Input::FetchAnswered { asked: asked.request, answer });
            }
            Some(answer) => step.state.links.edit().fetches[index(of)] = Fetch::Answered(asked.request, answer),
            None => step.state.links.edit().fetches[index(of)] = Fetch::Parked(asked),
        }
        Ok(())
    }

    fn fetches(&self, step: &mut Step<'_>, by: BrokerId) -> Result<(), Forbidden> {
        let Fetch::Asked(asked) = step.state.links.fetches[index(by)] else { return Err("it does not fetch") };
        only_if(serves(step, asked.request.leader), "its leader does not serve yet")?;
        if let Some(answer) = step.fetch_arrives(by, asked) {
            step.tell_replica(by, replica::Input::FetchAnswered { asked: asked.request, answer });
        }
        Ok(())
    }

    fn proposal_arrives(&self, step: &mut Step<'_>, of: BrokerId) -> Result<(), Forbidden> {
        only_if(matches!(step.state.links.proposals[index(of)], Proposal::Asked(..)), "no proposal is on its way")?;
        let outcome = step.proposal_arrives(of);
        step.state.links.edit().proposals[index(of)] = Proposal::Answered(outcome);
        match self.bounds.atomic_proposals {
            1 => proposal_answered(step, of),
            _ => Ok(()),
        }
    }
}

/// Whether a broker answers clients and followers: it has heard what the metadata says since it started.
fn serves(step: &Step<'_>, broker: BrokerId) -> bool {
    step.state.process(broker).is_some_and(|process| process.broker.is_published())
}

/// The brokers that an event names.
fn concerned(what: &What) -> [Option<BrokerId>; 2] {
    match *what {
        What::Produce { to: broker, .. }
        | What::ProduceTimesOut { at: broker, .. }
        | What::FetchArrives(broker)
        | What::FetchAnswered(broker)
        | What::AnswerArrives(broker)
        | What::Fetches(broker)
        | What::FetchDelayed(broker)
        | What::DelayedFetchArrives(broker)
        | What::ProposalArrives(broker)
        | What::ProposalAnswered(broker)
        | What::Learns { broker, .. }
        | What::Publishes(broker)
        | What::Beats(broker)
        | What::SessionExpires(broker)
        | What::Killed { broker, .. }
        | What::LosesPower { broker, .. }
        | What::LosesDisk(broker)
        | What::DiskFails(broker)
        | What::Starts(broker)
        | What::Stops(broker) => [Some(broker), None],
        What::Lags { leader, follower } => [Some(leader), Some(follower)],
        What::ElectsPreferred | What::ElectsForLeaderless => [None, None],
    }
}

fn produce(step: &mut Step<'_>, bounds: &Bounds, value: u8, to: BrokerId, acks: Acks) -> Result<(), Forbidden> {
    let next = bounds.records - step.state.budget.records.min(bounds.records) + 1;
    only_if((1..=next).contains(&value), "records are produced in turn")?;
    match value == next {
        true => spend(&mut step.state.budget.records, "no record is left")?,
        false => spend(&mut step.state.budget.retries, "no retry is left")?,
    }
    only_if(step.state.process(to).is_some(), "it does not run")?;
    let request =
        Produce { ticket: ticket(value, acks), acks, count: 1, producer: bounds.sequenced(value), bytes: value };
    step.tell_replica(to, replica::Input::Produced(vec![request]));
    Ok(())
}

fn produce_times_out(step: &mut Step<'_>, value: u8, at: BrokerId) -> Result<(), Forbidden> {
    spend(&mut step.state.budget.timeouts, "no timeout is left")?;
    let leader = step.state.process(at).and_then(|process| process.replica.leader());
    let ticket = ticket(value, Acks::All);
    let waits = leader.is_some_and(|leader| leader.waiting.iter().any(|waiting| waiting.ticket == ticket));
    only_if(waits, "no one waits for it there")?;
    step.tell_replica(at, replica::Input::ProduceTimedOut(ticket));
    Ok(())
}

fn fetch_answered(step: &mut Step<'_>, of: BrokerId) -> Result<(), Forbidden> {
    let Fetch::Parked(asked) = step.state.links.fetches[index(of)] else { return Err("no fetch of it waits") };
    let answer = step.look(of, &asked.request).ok_or("there is nothing to say")?;
    step.state.links.edit().fetches[index(of)] = Fetch::Answered(asked.request, answer);
    Ok(())
}

fn answer_arrives(step: &mut Step<'_>, at: BrokerId) -> Result<(), Forbidden> {
    match std::mem::take(&mut step.state.links.edit().fetches[index(at)]) {
        Fetch::Answered(asked, answer) => {
            step.tell_replica(at, replica::Input::FetchAnswered { asked, answer });
            Ok(())
        }
        _ => Err("no answer is on its way"),
    }
}

fn fetch_delayed(step: &mut Step<'_>, of: BrokerId) -> Result<(), Forbidden> {
    spend(&mut step.state.budget.delays, "no delay is left")?;
    let Fetch::Asked(asked) = step.state.links.fetches[index(of)] else { return Err("no fetch is on its way") };
    step.state.links.edit().delayed.push((of, asked));
    Ok(())
}

fn delayed_fetch_arrives(step: &mut Step<'_>, of: BrokerId) -> Result<(), Forbidden> {
    let delayed = &mut step.state.links.edit().delayed;
    let place = delayed.iter().position(|(follower, _)| *follower == of).ok_or("no fetch of it was delayed")?;
    let (_, asked): (BrokerId, AskedFetch) = delayed.remove(place);
    only_if(serves(step, asked.request.leader), "its leader does not serve yet")?;
    step.fetch_arrives(of, asked);
    Ok(())
}

fn lags(step: &mut Step<'_>, leader: BrokerId, follower: BrokerId) -> Result<(), Forbidden> {
    spend(&mut step.state.budget.lags, "no lag is left")?;
    let process = step.state.process(leader).ok_or("it does not run")?;
    let leads = process.replica.leader().ok_or("it does not lead")?;
    let at_end = leads.end_of(follower) == Some(process.replica.log().end);
    only_if(
        leads.isr.committed().contains(follower) && !at_end && !leads.isr.is_pending(),
        "nothing would come of it",
    )?;
    step.tell_replica(leader, replica::Input::TimerFired(replica::Timer::Lag(follower)));
    Ok(())
}

fn proposal_answered(step: &mut Step<'_>, to: BrokerId) -> Result<(), Forbidden> {
    match std::mem::take(&mut step.state.links.edit().proposals[index(to)]) {
        Proposal::Answered(outcome) => {
            step.tell_broker(to, broker::Input::AlterPartitionAnswered(outcome));
            Ok(())
        }
        _ => Err("no answer to a proposal is on its way"),
    }
}

fn learns(step: &mut Step<'_>, broker: BrokerId, upto: Offset) -> Result<(), Forbidden> {
    let process = step.state.process(broker).ok_or("it does not run")?;
    let from = process.broker.metadata_end();
    let controller = &step.state.controller;
    only_if(controller.step_ends(from).any(|end| end == upto), "no step of the controller ends there")?;
    let place = |offset: Offset| usize::try_from(offset.0 - controller.base.0).unwrap_or(0);
    let logged = &controller.log[place(from)..place(upto)];
    let records = logged.iter().map(|logged| logged.record.clone()).collect();
    let expected = logged.last().map(|logged| logged.digest);
    step.tell_broker(broker, broker::Input::MetadataArrived { from, records, at: () });
    if let Some(process) = &mut step.node(broker).process {
        process.image = digest(process.broker.image());
        process.image_is_a_prefix = Some(process.image) == expected;
    }
    Ok(())
}

fn publishes(step: &mut Step<'_>, broker: BrokerId) -> Result<(), Forbidden> {
    let process = step.node(broker).process.as_mut().ok_or("it does not run")?;
    process.published = process.unpublished.take().ok_or("it has nothing to publish")?;
    process.readable_below = None;
    observe::exposed(&mut step.state, step.rules, broker);
    Ok(())
}

fn beats(step: &mut Step<'_>, broker: BrokerId) -> Result<(), Forbidden> {
    only_if(step.state.process(broker).is_some(), "it does not run")?;
    step.tell_broker(broker, broker::Input::TimerFired(broker::Timer::Heartbeat));
    Ok(())
}

fn session_expires(step: &mut Step<'_>, of: BrokerId) -> Result<(), Forbidden> {
    let session = step.state.controller.machine.speculative().sessions().get(&of);
    let epoch = session.ok_or("it has no session")?.epoch;
    if step.state.process(of).is_some() {
        spend(&mut step.state.budget.fences, "it runs, and no false fence is left")?;
    }
    let choice = step.choice;
    step.ask_controller(controller::Input::SessionExpired { broker: of, epoch, choice });
    Ok(())
}

fn dies(step: &mut Step<'_>, broker: BrokerId, checkpoint: Offset) -> Result<(), Forbidden> {
    let process = step.state.process(broker).ok_or("it does not run")?;
    only_if(checkpoint <= process.replica.high_watermark(), "its high watermark was never there")?;
    step.end_process(broker, Some(checkpoint));
    Ok(())
}

fn loses_power(step: &mut Step<'_>, broker: BrokerId, keeps: Offset, checkpoint: Offset) -> Result<(), Forbidden> {
    spend(&mut step.state.budget.power_losses, "no power loss is left")?;
    if step.state.process(broker).is_some() {
        dies(step, broker, checkpoint)?;
    }
    let disk = &mut step.node(broker).disk;
    only_if(disk.checkpoint == checkpoint, "that is not the high watermark that it had written down")?;
    let end = Offset(disk.log.len() as i64);
    only_if(disk.flushed <= keeps && keeps <= end, "it keeps at least what it had flushed, and no more than it had")?;
    Arc::make_mut(&mut disk.log).truncate(usize::try_from(keeps.0).unwrap_or(0));
    if keeps < end {
        step.state.history.edit().lossy_crashes += 1;
    }
    Ok(())
}

fn loses_disk(step: &mut Step<'_>, broker: BrokerId) -> Result<(), Forbidden> {
    spend(&mut step.state.budget.disk_losses, "no disk loss is left")?;
    dies(step, broker, Offset(0))?;
    step.node(broker).disk = World::empty_disk();
    step.state.history.edit().lossy_crashes += 1;
    Ok(())
}

fn disk_fails(step: &mut Step<'_>, broker: BrokerId) -> Result<(), Forbidden> {
    spend(&mut step.state.budget.disk_failures, "no disk failure is left")?;
    only_if(step.state.process(broker).is_some(), "it does not run")?;
    step.tell_replica(broker, replica::Input::Failed { unanswered: Vec::new() });
    step.tell_broker(broker, broker::Input::ReplicaFailed);
    Ok(())
}

fn starts(step: &mut Step<'_>, broker: BrokerId) -> Result<(), Forbidden> {
    only_if(step.state.process(broker).is_none(), "it runs already")?;
    let has_session = step.state.controller.machine.speculative().sessions().contains_key(&broker);
    only_if(!has_session, "its last process still has a session")?;
    let last = step.state.image().brokers.get(&broker).map(|known| known.incarnation);
    // No one tells more than two processes of one broker apart.
    let incarnation = IncarnationId([u8::from(last == Some(IncarnationId([0; 16]))); 16]);
    let (image, end) = (step.state.image().clone(), step.state.controller.end());
    let bounds = step.bounds;
    let node = step.node(broker);
    let previous_epoch = node.disk.clean.take();
    let process = Process::fresh(bounds, broker, incarnation, previous_epoch, &node.disk);
    node.disk.checkpoint = Offset(0);
    node.process = Some(process);
    let loaded = digest(&image);
    step.tell_broker(broker, broker::Input::SnapshotLoaded { image, end, at: () });
    if let Some(process) = &mut step.node(broker).process {
        process.image = loaded;
    }
    step.tell_broker(broker, broker::Input::Started);
    Ok(())
}

fn stops(step: &mut Step<'_>, broker: BrokerId) -> Result<(), Forbidden> {
    spend(&mut step.state.budget.stops, "no clean shutdown is left")?;
    let process = step.state.process(broker).ok_or("it does not run")?;
    only_if(process.broker.stage() == Stage::Running, "it is on its way out already")?;
    step.tell_broker(broker, broker::Input::ShutdownAsked);
    Ok(())
}

fn elects_preferred(step: &mut Step<'_>) -> Result<(), Forbidden> {
    spend(&mut step.state.budget.elections, "no election is left")?;
    let (ticket, choice) = (Ticket(0), step.choice);
    let input = controller::Input::ElectLeader { ticket, partition: PARTITION, election: Election::Preferred, choice };
    let before = step.state.controller.end();
    step.ask_controller(input);
    only_if(step.state.controller.end() != before, "nothing would come of it")
}
