//! What may happen next.
//!
//! Not here: what comes of it, and so whether it really can ([`World::perform`], in `events.rs`).

use super::World;
use super::state::{Fetch, Process, Proposal, State, index, value_of};
use highwater_spec::broker::Stage;
use highwater_spec::replica::{Acks, ReadRole};
use highwater_spec::scenario::{Event, What};
use highwater_spec::values::{BrokerId, Offset};

impl World {
    /// Every event that could happen in `state`; some of them can't (see [`World::perform`]).
    pub(super) fn possible(&self, state: &State, out: &mut Vec<Event>) {
        for broker in state.brokers() {
            let mut add = |what: What| self.add(state, what, out);
            match state.process(broker) {
                Some(process) => self.of_running(state, broker, process, &mut add),
                None => self.of_stopped(state, broker, &mut add),
            }
            add(What::SessionExpires(broker));
        }
        if state.budget.elections > 0 {
            self.add(state, What::ElectsPreferred, out);
        }
    }

    fn add(&self, state: &State, what: What, out: &mut Vec<Event>) {
        let elects = matches!(what, What::SessionExpires(_) | What::Beats(_) | What::Starts(_) | What::Stops(_));
        if self.bounds.symmetric == 1 && elects {
            let choices = state.brokers().map(|choice| Event { choice: Some(choice), ..what.into() });
            return out.extend(choices);
        }
        out.push(what.into());
        let writes = matches!(
            what,
            What::Learns { .. }
                | What::AnswerArrives(_)
                | What::Produce { .. }
                | What::Fetches(_)
                | What::Beats(_)
                | What::FetchArrives(_)
        );
        if self.bounds.interrupts == 1 && writes && state.budget.kills > 0 {
            out.extend((1..=2).map(|count| Event { cut_short: Some(count), ..what.into() }));
        }
        if writes && state.budget.late_views > 0 {
            out.push(Event { publish_late: true, ..what.into() });
        }
    }

    fn of_running(&self, state: &State, broker: BrokerId, process: &Process, add: &mut impl FnMut(What)) {
        self.of_clients(state, broker, process, add);
        self.of_links(state, broker, add);
        if process.unpublished.is_some() {
            add(What::Publishes(broker));
        }
        if state.budget.lags > 0
            && let Some(leader) = process.replica.leader()
        {
            leader.isr.committed().iter().filter(|member| *member != broker).for_each(|follower| {
                add(What::Lags { leader: broker, follower });
            });
        }
        for upto in state.controller.step_ends(process.broker.metadata_end()) {
            add(What::Learns { broker, upto });
        }
        let fenced = state.image().brokers.get(&broker).is_some_and(|known| known.fenced);
        if fenced || process.broker.stage() == Stage::ShuttingDown {
            add(What::Beats(broker));
        }
        if state.budget.stops > 0 && process.broker.stage() == Stage::Running {
            add(What::Stops(broker));
        }
        if state.budget.disk_failures > 0 {
            add(What::DiskFails(broker));
        }
        if state.budget.disk_losses > 0 {
            add(What::LosesDisk(broker));
        }
        self.ends_of(state, broker, process, add);
    }

    fn of_stopped(&self, state: &State, broker: BrokerId, add: &mut impl FnMut(What)) {
        add(What::Starts(broker));
        if state.budget.power_losses > 0 {
            let disk = &state.node(broker).disk;
            let checkpoint = disk.checkpoint;
            let lost = (disk.flushed.0..disk.log.len() as i64).map(Offset);
            lost.for_each(|keeps| add(What::LosesPower { broker, keeps, checkpoint }));
        }
    }

    fn of_clients(&self, state: &State, broker: BrokerId, process: &Process, add: &mut impl FnMut(What)) {
        if matches!(process.published.role, ReadRole::Leader { .. }) {
            let next = self.bounds.records - state.budget.records + 1;
            let retried = if state.budget.retries > 0 { 1..next } else { next..next };
            let new = (state.budget.records > 0).then_some(next);
            let choices: &[Acks] = match self.bounds.acks {
                0 => &[Acks::All],
                1 => &[Acks::Leader],
                _ => &[Acks::All, Acks::Leader],
            };
            for value in retried.chain(new) {
                choices.iter().for_each(|acks| add(What::Produce { value, to: broker, acks: *acks }));
            }
        }
        if state.budget.timeouts > 0
            && let Some(leader) = process.replica.leader()
        {
            let values = leader.waiting.iter().map(|waiting| value_of(waiting.ticket));
            values.for_each(|value| add(What::ProduceTimesOut { value, at: broker }));
        }
    }

    fn of_links(&self, state: &State, broker: BrokerId, add: &mut impl FnMut(What)) {
        match &state.links.fetches[index(broker)] {
            Fetch::Idle => {}
            Fetch::Asked(_) if self.bounds.atomic_fetches == 1 => add(What::Fetches(broker)),
            Fetch::Asked(_) => add(What::FetchArrives(broker)),
            Fetch::Parked(_) => add(What::FetchAnswered(broker)),
            Fetch::Answered(..) => add(What::AnswerArrives(broker)),
        }
        if state.budget.delays > 0 && matches!(state.links.fetches[index(broker)], Fetch::Asked(_)) {
            add(What::FetchDelayed(broker));
        }
        match state.links.proposals[index(broker)] {
            Proposal::Idle => {}
            Proposal::Asked(..) => add(What::ProposalArrives(broker)),
            Proposal::Answered(_) => add(What::ProposalAnswered(broker)),
        }
        for (follower, asked) in &state.links.delayed {
            if asked.request.leader == broker {
                add(What::DelayedFetchArrives(*follower));
            }
        }
    }

    fn ends_of(&self, state: &State, broker: BrokerId, process: &Process, add: &mut impl FnMut(What)) {
        let high_watermark = process.replica.high_watermark().0;
        let lowest = if self.bounds.checkpoints == 1 { 0 } else { high_watermark };
        if state.budget.kills > 0 {
            (lowest..=high_watermark).for_each(|at| add(What::Killed { broker, checkpoint: Offset(at) }));
        }
        if state.budget.power_losses > 0 {
            let disk = &state.node(broker).disk;
            for keeps in disk.flushed.0..=disk.log.len() as i64 {
                (lowest..=high_watermark).for_each(|at| {
                    add(What::LosesPower { broker, keeps: Offset(keeps), checkpoint: Offset(at) });
                });
            }
        }
    }
}
