//! Renaming the brokers of a state.

use super::state::{
    AskedFetch, ControllerNode, Fetch, Links, Logged, MAX_BROKERS, Node, Process, Proposal, broker_at, index,
};
use crate::shared::digest;
use highwater_spec::symmetry::{Names, Renamed};
use std::sync::Arc;

impl Renamed for Node {
    fn renamed(&self, names: Names<'_>) -> Self {
        Self { disk: self.disk.clone(), process: self.process.renamed(names) }
    }
}

impl Renamed for Process {
    fn renamed(&self, names: Names<'_>) -> Self {
        let broker = self.broker.renamed(names);
        Self {
            image: digest(broker.image()),
            broker,
            replica: self.replica.renamed(names),
            published: Arc::new(self.published.renamed(names)),
            unpublished: self.unpublished.as_ref().map(|view| Arc::new(view.renamed(names))),
            ..*self
        }
    }
}

impl Renamed for ControllerNode {
    fn renamed(&self, names: Names<'_>) -> Self {
        // The digests tell one image from another in their own names, and say nothing more of a renamed log.
        let logged =
            |logged: &Logged| Logged { record: logged.record.renamed(names), ends_step: logged.ends_step, digest: 0 };
        Self { machine: self.machine.renamed(names), base: self.base, log: self.log.iter().map(logged).collect() }
    }
}

impl Renamed for Links {
    fn renamed(&self, names: Names<'_>) -> Self {
        let mut delayed: Vec<_> =
            self.delayed.iter().map(|(broker, asked)| (names(*broker), asked.renamed(names))).collect();
        delayed.sort_by_key(|(broker, _)| *broker);
        Self { fetches: moved(&self.fetches, names), proposals: moved(&self.proposals, names), delayed }
    }
}

/// Each broker's value, renamed, at the broker's new place.
fn moved<T: Renamed + Default>(values: &[T; MAX_BROKERS], names: Names<'_>) -> [T; MAX_BROKERS] {
    let mut moved: [T; MAX_BROKERS] = Default::default();
    for (place, value) in values.iter().enumerate() {
        moved[index(names(broker_at(place)))] = value.renamed(names);
    }
    moved
}

impl Renamed for AskedFetch {
    fn renamed(&self, names: Names<'_>) -> Self {
        Self { request: self.request.renamed(names), ..*self }
    }
}

impl Renamed for Fetch {
    fn renamed(&self, names: Names<'_>) -> Self {
        match self {
            Self::Idle => Self::Idle,
            Self::Asked(asked) => Self::Asked(asked.renamed(names)),
            Self::Parked(asked) => Self::Parked(asked.renamed(names)),
            Self::Answered(request, answer) => Self::Answered(request.renamed(names), answer.clone()),
        }
    }
}

impl Renamed for Proposal {
    fn renamed(&self, names: Names<'_>) -> Self {
        match self {
            Self::Idle => Self::Idle,
            Self::Asked(epoch, changes) => Self::Asked(*epoch, changes.renamed(names)),
            Self::Answered(outcome) => Self::Answered(outcome.renamed(names)),
        }
    }
}
