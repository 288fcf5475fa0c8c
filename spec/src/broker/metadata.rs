//! From metadata records to what each replica must hear.
//!
//! Rules: `broker.metadata.*`. Source: Kafka's `BrokerMetadataPublisher`, `ReplicaManager.applyDelta`.

use super::{Broker, Output, Stage};
use crate::controller::{Image, Record};
use crate::machine::Carrier;
use crate::marks::{guard, rule};
use crate::replica::{self, Assignment, Peer};
use crate::values::{BrokerId, Offset, TopicId, TopicPartition};
use std::collections::BTreeSet;
use std::sync::Arc;

/// What some records concern.
#[derive(Default)]
struct Delta {
    partitions: BTreeSet<TopicPartition>,
    deleted: BTreeSet<TopicPartition>,
    surroundings: bool,
}

impl<C: Carrier> Broker<C> {
    /// `broker.metadata.order`: records are folded in once, in order, without gaps. `broker.metadata.whole`: replicas
    /// hear where a delivery ends, not what lay between.
    pub(super) fn metadata_arrived(
        &mut self,
        from: Offset,
        records: &[Record],
        at: C::Stamp,
        out: &mut Vec<Output<C>>,
    ) {
        let Ok(known) = usize::try_from(self.metadata_end.0.saturating_sub(from.0)) else { return };
        rule!("broker.metadata.order");
        let mut delta = Delta::default();
        for record in records.iter().skip(known) {
            delta.note_before(self.me, &self.image, record);
            Arc::make_mut(&mut self.image).apply(record);
            self.metadata_end = self.metadata_end.next();
            delta.note_after(&self.image, record);
        }
        if self.published {
            self.tell(&delta, at, out);
        } else {
            self.publish_first(at, out);
            self.beat_once_published(out);
        }
    }

    /// `broker.heartbeat.ready`: what it waits for, to be unfenced, need not wait for the next heartbeat's time.
    fn beat_once_published(&self, out: &mut Vec<Output<C>>) {
        if guard!("broker.heartbeat.ready", self.published && self.stage == Stage::Running) {
            self.beat(out);
        }
    }

    /// `broker.metadata.first`: replicas hear nothing before the broker's own registration, and then the whole image
    /// at once: what its last process was told no longer counts.
    pub(super) fn publish_first(&mut self, at: C::Stamp, out: &mut Vec<Output<C>>) {
        let heard_of_itself = || self.epoch.is_some_and(|epoch| self.metadata_end.0 > epoch.0);
        if !self.published && guard!("broker.metadata.first", heard_of_itself()) {
            self.published = true;
            let partitions = self.image.partitions().map(|(id, _)| id).collect();
            self.tell(&Delta { partitions, ..Delta::default() }, at, out);
        }
    }

    fn tell(&self, delta: &Delta, at: C::Stamp, out: &mut Vec<Output<C>>) {
        rule!("broker.metadata.whole");
        for partition in delta.deleted.iter().copied() {
            out.push(Output::Tell { partition, input: replica::Input::Deleted });
        }
        for (partition, found) in self.image.partitions().filter(|(_, found)| found.replicas.contains(&self.me)) {
            if delta.partitions.contains(&partition) {
                let input = replica::Input::Assigned(self.assignment(partition, found, at));
                out.push(Output::Tell { partition, input });
            } else if delta.surroundings {
                let peers = self.peers(found);
                let min_insync_replicas = self.image.min_insync_replicas(partition.topic);
                let input = replica::Input::ClusterChanged { peers, min_insync_replicas };
                out.push(Output::Tell { partition, input });
            }
        }
    }

    /// Tells every replica that this broker hosts, if they have been told anything yet.
    pub(super) fn tell_hosted(&self, what: impl Fn(TopicPartition) -> replica::Input<C>, out: &mut Vec<Output<C>>) {
        let hosted = self.image.partitions().filter(|(_, found)| self.published && found.replicas.contains(&self.me));
        out.extend(hosted.map(|(partition, _)| Output::Tell { partition, input: what(partition) }));
    }

    fn assignment(&self, id: TopicPartition, partition: &crate::controller::Partition, at: C::Stamp) -> Assignment<C> {
        Assignment {
            leader: partition.leader,
            leader_epoch: partition.leader_epoch,
            partition_epoch: partition.partition_epoch,
            replicas: partition.replicas.iter().copied().collect(),
            isr: partition.isr.clone(),
            min_insync_replicas: self.image.min_insync_replicas(id.topic),
            peers: self.peers(partition),
            at,
        }
    }

    fn peers(&self, partition: &crate::controller::Partition) -> Vec<Peer> {
        let others = partition.replicas.iter().filter(|broker| **broker != self.me);
        let known = others.filter_map(|broker| self.image.brokers.get(broker).map(|found| (*broker, found)));
        known.map(|(broker, found)| Peer { broker, epoch: found.epoch, active: found.is_active() }).collect()
    }
}

impl Delta {
    /// Notes what a record is about to take away.
    fn note_before(&mut self, me: BrokerId, image: &Image, record: &Record) {
        if let Record::TopicRemoved { topic } = record {
            let gone = image
                .partitions()
                .filter(|(id, found)| id.topic == *topic && found.replicas.contains(&me))
                .map(|(id, _)| id);
            self.deleted.extend(gone);
        }
    }

    /// Notes what a record has changed.
    fn note_after(&mut self, image: &Image, record: &Record) {
        match record {
            Record::BrokerRegistered { .. }
            | Record::BrokerChanged { .. }
            | Record::BrokerUnregistered { .. }
            | Record::ConfigChanged { .. } => self.surroundings = true,
            Record::PartitionCreated { topic, .. } => self.partitions.extend(last_partition(image, *topic)),
            Record::PartitionChanged { partition, .. } => {
                self.partitions.insert(*partition);
            }
            Record::ElrCleared { topic } => {
                let concerned = image.partitions().filter(|(id, _)| topic.is_none_or(|topic| topic == id.topic));
                self.partitions.extend(concerned.map(|(id, _)| id));
            }
            Record::TopicCreated { .. } | Record::TopicRemoved { .. } | Record::ProducerIdsAllocated { .. } => {}
        }
    }
}

fn last_partition(image: &Image, topic: TopicId) -> Option<TopicPartition> {
    let last = image.topics.get(&topic)?.partitions.len().checked_sub(1)?;
    Some(TopicPartition { topic, index: i32::try_from(last).ok()? })
}
