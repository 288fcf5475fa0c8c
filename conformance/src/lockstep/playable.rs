//! Which worlds can be played on a cluster, and who conducts it then.

use super::board::{Board, Note};
use super::conductor::Conductor;
use super::divergence::Difference;
use super::group::GroupConductor;
use super::nodes::{Nodes, Plan};
use highwater_checker::group::{self, Coordinated, members};
use highwater_checker::narrated::Narrated;
use highwater_checker::replication;
use highwater_spec::scenario::Event;
use std::sync::Arc;
use std::sync::mpsc::Sender;
use tokio::runtime::Runtime;

/// What a cluster begins with.
pub struct Stage {
    pub(super) runtime: Arc<Runtime>,
    pub(super) plan: Arc<Plan>,
    pub(super) nodes: Box<dyn Nodes>,
    pub(super) board: Board,
    /// What stands on the board comes from here.
    pub(super) notes: Sender<Note>,
}

/// A world that can be played on a cluster.
pub trait Playable: Narrated {
    /// How many brokers it has.
    fn brokers(&self) -> u8;

    /// Gets a cluster to where it begins.
    ///
    /// # Errors
    /// When it does not get there.
    fn start(&self, stage: Stage) -> Result<Box<dyn Conducted<Self::Event>>, Difference>;
}

/// A cluster in the hands of a conductor.
pub trait Conducted<E> {
    /// Lets one event happen.
    ///
    /// # Errors
    /// The first difference.
    fn step(&mut self, event: &E) -> Result<(), Difference>;

    /// How often it did what the model leaves out.
    fn excused(&self) -> usize {
        0
    }
}

impl Playable for replication::World {
    fn brokers(&self) -> u8 {
        self.bounds.brokers
    }

    fn start(&self, stage: Stage) -> Result<Box<dyn Conducted<Event>>, Difference> {
        let Stage { runtime, plan, nodes, board, .. } = stage;
        Ok(Box::new(Conductor::start(self.clone(), runtime, plan, nodes, board)?))
    }
}

impl Conducted<Event> for Conductor {
    fn step(&mut self, event: &Event) -> Result<(), Difference> {
        Self::step(self, event)
    }

    fn excused(&self) -> usize {
        self.excused
    }
}

impl Playable for group::World {
    fn brokers(&self) -> u8 {
        1
    }

    fn start(&self, stage: Stage) -> Result<Box<dyn Conducted<group::Event>>, Difference> {
        Ok(Box::new(GroupConductor::start(self.clone(), stage)?))
    }
}

impl Playable for members::World {
    fn brokers(&self) -> u8 {
        1
    }

    fn start(&self, stage: Stage) -> Result<Box<dyn Conducted<members::Event>>, Difference> {
        Ok(Box::new(GroupConductor::start(self.clone(), stage)?))
    }
}

impl<W: Coordinated> Conducted<W::Event> for GroupConductor<W> {
    fn step(&mut self, event: &W::Event) -> Result<(), Difference> {
        Self::step(self, event)
    }
}
