//! Group coordinators: one for each partition of `__consumer_offsets` that this broker leads.
//!
//! They decide nothing here: `highwater_spec::group` does. [`host`] is their thread, [`load`] reads what an earlier
//! coordinator left, [`records`] is how the log says it, [`placement`] says which partition has a group.

mod consumer_records;
pub mod host;
#[cfg(test)]
mod host_tests;
mod load;

pub mod placement;
mod records;
pub mod retention;
mod subscription;

use crate::carrier::Durable;
use crate::cells::Published;
use crate::door::Entrance;
use crate::node::cluster::Cluster;
use crate::wire::{DecodeError, GroupRecord};
use bytes::Bytes;
use highwater_spec::group::{GroupId, Record, ReplicatedCoordinator, Reply, Request};
use highwater_spec::refusal::Refusal;
use highwater_spec::values::TopicPartition;
use host::{Ask, Event, Look};
use std::sync::Arc;
use tokio::sync::oneshot;

pub use subscription::subscription;

/// A record of `__consumer_offsets`, as a coordinator takes it from its log.
///
/// # Errors
/// If it is of no kind or version that is known here, or is damaged.
pub fn read_record(key: &Bytes, value: Option<&Bytes>) -> Result<Record<Durable>, DecodeError> {
    GroupRecord::decode(key, value).map(records::from_wire)
}

/// The coordinators of this broker, for whoever answers requests.
#[derive(Clone)]
pub struct Groups {
    entrance: Entrance<Event>,
    cluster: Arc<Published<Cluster>>,
}

impl Groups {
    /// Those on the thread behind `entrance`.
    pub fn new(entrance: Entrance<Event>, cluster: Arc<Published<Cluster>>) -> Self {
        Self { entrance, cluster }
    }

    /// Asks the coordinator of a group, and waits for its answer.
    pub async fn ask(&self, group: GroupId, request: Request<Durable>) -> Reply<Durable> {
        let gone = request.refused(Refusal::NotCoordinator);
        let Some(partition) = self.partition_of(&group) else { return gone };
        let (reply, answer) = oneshot::channel();
        let _ = self.entrance.send(Event::Asked(Ask { partition, group, request, reply }));
        answer.await.unwrap_or(gone)
    }

    /// Looks at what the coordinator of a group has committed.
    ///
    /// # Errors
    /// If there is none here, or what `read` says.
    pub async fn look<T: Send + 'static>(
        &self,
        group: &GroupId,
        read: impl FnOnce(&ReplicatedCoordinator<Durable>) -> Result<T, Refusal> + Send + 'static,
    ) -> Result<T, Refusal> {
        let partition = self.partition_of(group).ok_or(Refusal::NotCoordinator)?;
        let (reply, answer) = oneshot::channel();
        let look: Look = Box::new(move |found| {
            let _ = reply.send(found.ok_or(Refusal::NotCoordinator).and_then(read));
        });
        let _ = self.entrance.send(Event::Looked(partition, look));
        answer.await.unwrap_or(Err(Refusal::NotCoordinator))
    }

    /// Looks at every coordinator here, one after another.
    ///
    /// # Errors
    /// The first error that `read` has.
    pub async fn look_at_all<T: Send + 'static>(
        &self,
        read: impl Fn(&ReplicatedCoordinator<Durable>) -> Result<Vec<T>, Refusal> + Send + 'static,
    ) -> Result<Vec<T>, Refusal> {
        let (reply, answer) = oneshot::channel();
        let _ = self.entrance.send(Event::LookedAtAll(Box::new(move |all| {
            let found = all.map(read).collect::<Result<Vec<_>, _>>();
            let _ = reply.send(found.map(|found| found.into_iter().flatten().collect()));
        })));
        answer.await.unwrap_or(Err(Refusal::NotCoordinator))
    }

    fn partition_of(&self, group: &GroupId) -> Option<TopicPartition> {
        placement::partition_of(&self.cluster.read(), group)
    }
}
