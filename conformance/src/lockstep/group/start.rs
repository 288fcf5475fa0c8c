//! From nothing to where a group's world begins: a controller and a broker that coordinates, and a topic.

use super::meanwhile::Meanwhile;
use super::members::Members;
use super::names::Names;
use super::{BROKER, GroupConductor, is_group};
use crate::lockstep::conductor::Outcome;
use crate::lockstep::divergence::Difference;
use crate::lockstep::nodes::CONTROLLER;
use crate::lockstep::playable::Stage;
use highwater::client::Connection;
use highwater::door::What;
use highwater::wire::messages::find_coordinator::FindCoordinatorRequest;
use highwater_checker::group::{Coordinated, TOPIC};
use std::collections::BTreeMap;
use std::error::Error;
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(10);
const NAME: &str = "t";

impl<W: Coordinated> GroupConductor<W> {
    /// Starts a cluster for a world.
    ///
    /// # Errors
    /// When it does not get where the world begins.
    pub fn start(world: W, stage: Stage) -> Result<Self, Difference> {
        let Stage { runtime, plan, nodes, board, notes } = stage;
        let state = world.initial();
        let mut conductor = Self {
            world,
            state,
            nodes,
            plan,
            board,
            names: Names::default(),
            members: Members::new(runtime, notes),
            looking: None,
            waiting: BTreeMap::new(),
            written: Vec::new(),
            unwritten: Vec::new(),
            meanwhile: Meanwhile::default(),
        };
        conductor.nodes.start(CONTROLLER, [1; 16])?;
        conductor.nodes.start(BROKER, [2; 16])?;
        conductor.await_broker()?;
        let topic = conductor.make_topic(NAME, conductor.world.partitions())?;
        conductor.names = Names::new(topic, TOPIC);
        conductor.await_coordinator()?;
        conductor.compare()?;
        Ok(conductor)
    }

    fn await_broker(&mut self) -> Outcome {
        let takes_part =
            |what: &What| matches!(what, What::Metadata { text, .. } if text.contains("fenced: Some(false)"));
        loop {
            let now = self.board.now();
            match self.flow() {
                Some(entry) if entry.node == BROKER && takes_part(&entry.what) => return self.settle(),
                Some(_) => {}
                None if self.board.wait(now) => {}
                None => return Err(self.stuck("the broker", "takes part")),
            }
        }
    }

    /// Someone looks for the coordinator, and so brings about the topic that it keeps its groups in.
    fn await_coordinator(&mut self) -> Outcome {
        let request = FindCoordinatorRequest {
            key: super::GROUP.to_owned(),
            coordinator_keys: vec![super::GROUP.to_owned()],
            ..Default::default()
        };
        let at = self.plan.address(BROKER).to_string();
        let asked =
            self.members.spawn(async move { Connection::connect(&at, PATIENCE).await?.call(&request).await.map(drop) });
        let loaded = self.await_that("what waits at the coordinator", "that its log was read", |entry| {
            is_group(entry) && entry.what == What::Input("Loaded".to_owned())
        })?;
        self.let_in(&loaded)?;
        self.flow_until("an answer to whoever looks".to_owned(), |_| asked.is_answered())?;
        asked.answer()?.map_err(|error| Box::<dyn Error>::from(error).into())
    }
}
