//! Metadata on its way from the task that fetches it to the broker's thread: all that has come at once, or as much as
//! the door lets through.

use super::broker_host::{Event, Metadata};
use crate::door::{Entrance, Pass, Place, Plain, What};
use highwater_spec::broker::Input;
use highwater_spec::values::Offset;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The way of metadata to the broker.
pub struct Delivery {
    entrance: Entrance<Event>,
    waiting: Arc<Mutex<VecDeque<Waiting>>>,
}

/// The records of one step of the controller, before the door.
struct Waiting {
    /// By what the door's keeper knows it.
    number: u64,
    /// Its place among all that ever waited.
    place: u64,
    metadata: Metadata,
}

impl Delivery {
    /// To the broker behind `entrance`.
    pub fn new(entrance: Entrance<Event>) -> Self {
        Self { entrance, waiting: Arc::default() }
    }

    /// Delivers what the steps of the controller wrote, in order.
    pub fn deliver(&self, steps: Vec<Metadata>) {
        let steps = steps.into_iter().filter(|step| !step.records.is_empty());
        if self.entrance.door().keeper().is_some() {
            return steps.for_each(|step| self.hold(step));
        }
        if let Some(all) = steps.reduce(joined) {
            let _ = self.entrance.send(Event::Metadata(all));
        }
    }

    /// Puts one step before the door. When it passes, so do all that came before it, as one delivery.
    fn hold(&self, metadata: Metadata) {
        let Some(keeper) = self.entrance.door().keeper() else { return };
        let told = Input::<Plain>::MetadataArrived { from: metadata.from, records: metadata.records.clone(), at: () };
        let upto = Offset(metadata.from.0 + metadata.records.len() as i64);
        let mut waiting = lock(&self.waiting);
        let place = waiting.back().map_or(0, |last| last.place + 1);
        let (all, entrance, of_door) = (Arc::clone(&self.waiting), self.entrance.clone(), Arc::clone(keeper));
        let pass: Pass = Box::new(move |done| {
            let mut waiting = lock(&all);
            let count = waiting.partition_point(|step| step.place <= place);
            let passing: Vec<_> = waiting.drain(..count).collect();
            drop(waiting);
            passing.iter().for_each(|step| of_door.gone(step.number));
            match passing.into_iter().map(|step| step.metadata).reduce(joined) {
                Some(all) => entrance.pass(move || Event::Metadata(all))(done),
                None => done(),
            }
        });
        let number = keeper.arrived(Place::Broker, What::Metadata { upto, text: format!("{told:?}") }, pass);
        waiting.push_back(Waiting { number, place, metadata });
    }
}

fn joined(mut earlier: Metadata, later: Metadata) -> Metadata {
    earlier.records.extend(later.records);
    earlier.endpoints.extend(later.endpoints);
    earlier
}

fn lock(waiting: &Mutex<VecDeque<Waiting>>) -> MutexGuard<'_, VecDeque<Waiting>> {
    waiting.lock().unwrap_or_else(PoisonError::into_inner)
}
