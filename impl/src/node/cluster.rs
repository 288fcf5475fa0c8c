//! What a node knows of its cluster, for whoever answers requests: the metadata's image, names, and addresses.

pub use crate::config::Endpoint;
use highwater_spec::controller::{Image, Partition, Topic};
use highwater_spec::values::{BrokerId, IncarnationId, TopicId, TopicPartition};
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

/// The addresses of processes. Machines have no use for them, so that they lie beside the image and not in it; the log
/// carries them in the registrations.
#[derive(Clone, Debug, Default)]
pub struct Addresses(BTreeMap<IncarnationId, Endpoint>);

impl Addresses {
    /// Notes where a process listens.
    pub fn note(&mut self, incarnation: IncarnationId, endpoint: Endpoint) {
        self.0.insert(incarnation, endpoint);
    }

    /// Where a process listens.
    pub fn of(&self, incarnation: IncarnationId) -> Option<&Endpoint> {
        self.0.get(&incarnation)
    }

    /// Forgets the processes that no broker is any more.
    pub fn keep(&mut self, image: &Image) {
        self.0.retain(|incarnation, _| image.brokers.values().any(|known| known.incarnation == *incarnation));
    }
}

/// The cluster, as of some metadata offset.
#[derive(Clone, Debug, Default)]
pub struct Cluster {
    /// The metadata.
    pub image: Arc<Image>,
    /// Where brokers listen.
    pub addresses: Arc<Addresses>,
    names: Arc<HashMap<String, TopicId>>,
}

impl Cluster {
    /// What `image` says. Names are looked through anew only when a topic came or went since `before`.
    pub fn new(image: Arc<Image>, addresses: Arc<Addresses>, before: &Self) -> Self {
        let same =
            image.topics.len() == before.image.topics.len() && image.topics.keys().eq(before.image.topics.keys());
        let names = match same {
            true => Arc::clone(&before.names),
            false => Arc::new(image.topics.iter().map(|(id, topic)| (topic.name.clone(), *id)).collect()),
        };
        Self { image, addresses, names }
    }

    /// The topic of a name.
    pub fn topic_named(&self, name: &str) -> Option<(TopicId, &Topic)> {
        let id = *self.names.get(name)?;
        Some((id, self.image.topics.get(&id)?))
    }

    /// The topic of an id.
    pub fn topic(&self, id: TopicId) -> Option<&Topic> {
        self.image.topics.get(&id)
    }

    /// One partition.
    pub fn partition(&self, id: TopicPartition) -> Option<&Partition> {
        self.image.partition(id)
    }

    /// The topics by name, in the names' order.
    pub fn topics_by_name(&self) -> BTreeMap<&str, (TopicId, &Topic)> {
        self.image.topics.iter().map(|(id, topic)| (topic.name.as_str(), (*id, topic))).collect()
    }

    /// Where a broker listens, whether or not it is fenced.
    pub fn endpoint(&self, broker: BrokerId) -> Option<&Endpoint> {
        self.addresses.of(self.image.brokers.get(&broker)?.incarnation)
    }

    /// Where a broker listens that is not fenced: what clients are told.
    pub fn live_endpoint(&self, broker: BrokerId) -> Option<&Endpoint> {
        let registration = self.image.brokers.get(&broker)?;
        self.addresses.of(registration.incarnation).filter(|_| !registration.fenced)
    }

    /// The brokers that are not fenced, by id.
    pub fn live_brokers(&self) -> impl Iterator<Item = (BrokerId, &Endpoint)> {
        let ids = self.image.brokers.keys();
        ids.filter_map(|broker| self.live_endpoint(*broker).map(|endpoint| (*broker, endpoint)))
    }
}
