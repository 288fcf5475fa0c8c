//! Followers' fetches, which wait at two doors: as an acknowledgement, and before they read.

use super::board::Entry;
use super::conductor::{Conductor, Outcome};
use super::divergence::Difference;
use super::expected::Wanted;
use highwater_checker::replication::{AskedFetch, Fetch, Model, State, index};
use highwater_spec::replica::{Ask, FetchAnswer};
use highwater_spec::scenario::{Event, What as Happens};
use highwater_spec::values::BrokerId;
use std::sync::Arc;

impl Conductor {
    /// A follower's fetch reads what its leader has published.
    pub(super) fn look(
        &mut self,
        at: BrokerId,
        by: BrokerId,
        ask: &Ask,
        answer: Option<&FetchAnswer<Model>>,
    ) -> Outcome {
        self.finish()?;
        let (look, wait) = (self.wording().look(at, ask), self.wording().max_wait(at, ask));
        let waits = self.find(&wait);
        if let Some(wait) = waits.filter(|_| !self.woken.contains(&by))
            && self.find(&look).is_none()
        {
            self.pass(&wait);
        }
        self.woken.remove(&by);
        let entry = self.await_entry(&look)?;
        self.pass(&entry);
        self.finish()?;
        let about = format!("the fetch of {by} at {at}");
        match (answer, self.find(&wait)) {
            (None, None) => Err(Difference::new(about, "waits for more", "was answered")),
            (None, Some(wait)) if self.world.bounds.atomic_fetches == 1 => self.runs_out(at, by, &look, &wait),
            (None, Some(_)) | (Some(_), None) => Ok(()),
            (Some(FetchAnswer::Records { batches, .. }), Some(wait)) if batches.is_empty() => {
                // Nothing but a high watermark: Kafka's leader sends it when the fetch has waited long enough.
                self.pass(&wait);
                let again = self.await_entry(&look)?;
                self.pass(&again);
                self.finish()
            }
            (Some(answer), Some(_)) => Err(Difference::new(about, format!("is answered {answer:?}"), "waits for more")),
        }
    }

    /// In a world of atomic fetches none waits: this one is answered without records, and asked again as it was.
    fn runs_out(&mut self, at: BrokerId, by: BrokerId, look: &Wanted, wait: &Entry) -> Outcome {
        self.pass(wait);
        let again = self.await_entry(look)?;
        self.pass(&again);
        self.finish()?;
        let Fetch::Asked(asked) = self.state.links.fetches[index(by)] else {
            return Ok(());
        };
        let Some(view) = self.state.process(at).map(|process| Arc::clone(&process.published)) else { return Ok(()) };
        let (high_watermark, log_start) = (view.high_watermark, view.log_start);
        let answer = FetchAnswer::Records { batches: Vec::new(), high_watermark, log_start };
        let answered = self.wording().answer(by, asked.request, answer);
        let entry = self.await_entry(&answered)?;
        self.pass(&entry);
        self.finish()
    }

    /// Takes note of fetches that no one waits for any more, and of connections that broke.
    pub(super) fn note_links(&mut self, event: &Event, after: &State) {
        for broker in after.brokers() {
            let place = index(broker);
            let (before, now) = (&self.state.links.fetches[place], &after.links.fetches[place]);
            let asked = match before {
                Fetch::Asked(asked) | Fetch::Parked(asked) => Some(*asked),
                Fetch::Answered(request, _) => Some(AskedFetch { request: *request, broker_epoch: None }),
                Fetch::Idle => None,
            };
            let current = match now {
                Fetch::Asked(asked) | Fetch::Parked(asked) => Some(asked.request),
                Fetch::Answered(request, _) => Some(*request),
                Fetch::Idle => None,
            };
            let went_on = match event.what {
                Happens::FetchArrives(of) | Happens::FetchAnswered(of) | Happens::Fetches(of) => of == broker,
                Happens::AnswerArrives(at) => at == broker,
                _ => false,
            };
            match asked.filter(|asked| !went_on && current != Some(asked.request)) {
                _ if after.process(broker).is_none() => self.given_up.retain(|(follower, _)| *follower != broker),
                Some(asked) => self.given_up.push((broker, asked)),
                None => {}
            }
            if parked_at(after, broker).is_none() {
                self.woken.remove(&broker);
            }
            if let Some(request) = current
                && (self.state.process(request.leader).is_some() != after.process(request.leader).is_some()
                    || after.process(request.leader).is_none())
            {
                self.cut_off.insert(broker);
            }
        }
    }
}

/// The leader at which a follower's fetch waits.
pub fn parked_at(state: &State, follower: BrokerId) -> Option<BrokerId> {
    match state.links.fetches.get(index(follower))? {
        Fetch::Parked(asked) => Some(asked.request.leader),
        _ => None,
    }
}
