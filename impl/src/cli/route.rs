//! Which partition each record of `highwater produce` goes to.

use clap::ValueEnum;
use highwater::client::Partition;
use highwater::client::producer::{NewRecord, Producer};
use highwater::wire::messages::metadata::MetadataResponseTopic;
use highwater_spec::client::partitioner::{Addressed, Partitioner, Partitions, Sticky};

/// How partitions are chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum PartitionerName {
    Uniform,
    Sticky,
    #[value(name = "roundrobin")]
    RoundRobin,
}

/// A partitioner, and the topic that it chooses from.
pub struct Route {
    partitioner: Partitioner,
    topic: String,
    /// Every record's, if it is not chosen.
    explicit: Option<i32>,
    count: u32,
    available: Vec<i32>,
    /// The bytes of the record that is chosen for now, if it has no key.
    keyless: Option<u32>,
    batch_bytes: u32,
}

impl Route {
    /// Who chooses in this way.
    pub fn new(name: PartitionerName, explicit: Option<i32>, batch_bytes: u32, topic: MetadataResponseTopic) -> Self {
        let partitioner = match name {
            PartitionerName::Uniform => Partitioner::default(),
            PartitionerName::Sticky => Partitioner::Sticky(Sticky::default()),
            PartitionerName::RoundRobin => Partitioner::RoundRobin(0),
        };
        let led = topic.partitions.iter().filter(|partition| partition.leader_id >= 0);
        let mut available: Vec<_> = led.map(|partition| partition.partition_index).collect();
        available.sort_unstable();
        let count = u32::try_from(topic.partitions.len()).unwrap_or(u32::MAX);
        let topic = topic.name.unwrap_or_default();
        Self { partitioner, topic, explicit, count, available, keyless: None, batch_bytes }
    }

    fn named(&self, index: i32) -> Partition {
        Partition { topic: self.topic.clone(), index }
    }

    /// The partition of a record that is about to be given to this producer.
    pub fn choose(&mut self, record: &NewRecord, producer: &Producer) -> Partition {
        let addressed = Addressed { partition: self.explicit, key: record.key.as_deref() };
        let is_keyless = addressed.partition.is_none() && addressed.key.is_none();
        self.keyless = is_keyless.then(|| Producer::bytes(record));
        let partitions = Partitions { count: self.count, available: &self.available };
        let mut chosen = self.partitioner.choose(&addressed, &partitions, draw()).unwrap_or_default();
        if let (true, Partitioner::Sticky(sticky)) = (is_keyless, &mut self.partitioner) {
            let partition = Partition { topic: self.topic.clone(), index: chosen };
            let (_, is_open) = producer.waiting(&partition);
            if !is_open {
                sticky.batch_begins(chosen, &partitions, draw());
                chosen = sticky.partition(&partitions, draw());
            }
        }
        self.named(chosen)
    }

    /// That record was given to that partition.
    pub fn given(&mut self, partition: &Partition, producer: &Producer) {
        let (Partitioner::Uniform(uniform), Some(bytes)) = (&mut self.partitioner, self.keyless) else { return };
        let (_, is_open) = producer.waiting(partition);
        uniform.appended(bytes, self.batch_bytes, is_open);
        if !is_open {
            let waiting = |index: &i32| {
                let (batches, _) = producer.waiting(&Partition { topic: self.topic.clone(), index: *index });
                (*index, batches)
            };
            let waiting: Vec<_> = self.available.iter().map(waiting).collect();
            uniform.waiting(&waiting, self.count);
        }
    }
}

/// A number drawn at random; 0 if the system has none.
fn draw() -> u32 {
    getrandom::u32().unwrap_or_default() & 0x7fff_ffff
}
