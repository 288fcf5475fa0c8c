//! What else changes in the metadata: a topic is made that no group of the world reads.
//!
//! With each change a broker looks again at who leads the coordinator's log. As long as that is the same leadership
//! nothing may come of it, so the model knows nothing of such changes, and whatever does come of one is a difference.

use super::{BROKER, GroupConductor};
use crate::lockstep::conductor::Outcome;
use crate::lockstep::divergence::Difference;
use crate::lockstep::nodes::CONTROLLER;
use highwater::client::{ClientError, Connection};
use highwater::door::What;
use highwater::wire::messages::create_topics::{CreatableReplicaAssignment, CreatableTopic, CreateTopicsRequest};
use highwater_checker::group::Coordinated;
use highwater_spec::values::TopicId;
use std::error::Error;
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(10);

/// What has changed beside the world.
#[derive(Clone, Copy, Debug, Default)]
pub struct Meanwhile {
    /// The topics that were made.
    topics: u32,
    /// Whether one was in this leadership.
    is_done: bool,
}

impl Meanwhile {
    /// The log is led anew.
    pub fn begins_anew(&mut self) {
        self.is_done = false;
    }
}

impl<W: Coordinated> GroupConductor<W> {
    /// Something else changes: once in each leadership, as soon as a member has a timer, which a coordinator that began
    /// anew would have forgotten. More often would find no more, and walks have many steps.
    pub(super) fn meanwhile(&mut self) -> Outcome {
        if self.meanwhile.is_done || W::timers(&self.state).is_empty() {
            return Ok(());
        }
        self.meanwhile = Meanwhile { topics: self.meanwhile.topics + 1, is_done: true };
        self.make_topic(&format!("meanwhile-{}", self.meanwhile.topics), 1).map(drop)
    }

    /// Makes a topic. The broker has heard of it when this returns.
    pub(super) fn make_topic(&mut self, name: &str, partitions: u8) -> Outcome<TopicId> {
        let assignments = (0..i32::from(partitions))
            .map(|partition_index| CreatableReplicaAssignment { partition_index, broker_ids: vec![BROKER.0] });
        let topic = CreatableTopic {
            name: name.to_owned(),
            num_partitions: -1,
            replication_factor: -1,
            assignments: assignments.collect(),
            configs: Vec::new(),
        };
        let request = CreateTopicsRequest { topics: vec![topic], timeout_ms: i32::MAX, validate_only: false };
        let at = self.plan.address(CONTROLLER).to_string();
        let made = self.members.spawn(async move {
            let answer = Connection::connect(&at, PATIENCE).await?.call(&request).await?;
            Ok::<_, ClientError>(answer.topics.into_iter().next())
        });
        self.hears_of(name)?;
        self.flow_until("a topic".to_owned(), |_| made.is_answered())?;
        self.settle()?;
        let made = made.answer()?.map_err(Box::<dyn Error>::from)?;
        match made {
            Some(made) if made.error_code == 0 => Ok(TopicId(made.topic_id.0)),
            other => Err(Difference::unplayed(format!("the topic was not made: {other:?}"))),
        }
    }

    /// Waits until the broker hears that there is such a topic.
    fn hears_of(&mut self, topic: &str) -> Outcome {
        let named = format!("name: {topic:?}");
        loop {
            let now = self.board.now();
            match self.flow() {
                Some(entry) if entry.node == BROKER => {
                    if matches!(&entry.what, What::Metadata { text, .. } if text.contains(&named)) {
                        return Ok(());
                    }
                }
                Some(_) => {}
                None if self.board.wait(now) => {}
                None => return Err(self.stuck("another topic", "is known to the broker")),
            }
        }
    }
}
