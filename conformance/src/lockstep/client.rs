//! The conductor's own clients: producers that wait for their answers, and a consumer that reads from the beginning.

use super::disk::TOPIC;
use super::plain::record;
use bytes::Bytes;
use highwater::client::{ClientError, Connection};
use highwater::records::{BatchBuilder, records, split};
use highwater::wire::Uuid;
use highwater::wire::messages::elect_leaders::{ElectLeadersRequest, TopicPartitions};
use highwater::wire::messages::fetch::{FetchPartition, FetchRequest, FetchTopic};
use highwater::wire::messages::produce::{PartitionProduceData, ProduceRequest, TopicProduceData};
use highwater_spec::producer::Sequenced;
use highwater_spec::replica::Acks;
use highwater_spec::values::{BrokerId, TopicId};
use std::collections::BTreeMap;
use std::error::Error;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::runtime::Runtime;
use tokio::sync::Notify;
use tokio::task::yield_now;
use tokio::time::timeout;

/// No verdict rests on it: a broker that has not answered by then never will.
const PATIENCE: Duration = Duration::from_secs(10);
const MAX_BYTES: i32 = 1 << 20;
/// ElectLeaders' number for an election of preferred replicas.
const PREFERRED: i8 = 0;

/// What a producer was told: the error code, and the offset.
pub type Told = (i16, i64);

/// The clients of one cluster.
pub struct Clients {
    runtime: Arc<Runtime>,
    topic: TopicId,
    readers: BTreeMap<BrokerId, Connection>,
    answers: Arc<Mutex<BTreeMap<u8, Vec<Told>>>>,
    answered: Arc<Notify>,
}

impl Clients {
    /// Clients of a topic.
    pub fn new(runtime: Arc<Runtime>, topic: TopicId) -> Self {
        let (readers, answers, answered) = Default::default();
        Self { runtime, topic, readers, answers, answered }
    }

    /// Sends a record on a connection of its own, with its number if its producer has an id; the answer is noted when it
    /// comes.
    pub fn produce(
        &self,
        to: SocketAddr,
        value: u8,
        acks: Acks,
        sequenced: Option<Sequenced>,
    ) -> Result<(), Box<dyn Error>> {
        let mut builder = BatchBuilder::new();
        if let Some(Sequenced { producer, epoch, first, .. }) = sequenced {
            builder = builder.producer(producer.0, epoch.0, first.0);
        }
        builder.push(0, None, Some(record(value).as_bytes()), &[])?;
        let records = Some(builder.build()?);
        let data = PartitionProduceData { index: 0, records };
        let topic =
            TopicProduceData { name: TOPIC.to_owned(), topic_id: Uuid(self.topic.0), partition_data: vec![data] };
        let acks = match acks {
            Acks::None => 0,
            Acks::Leader => 1,
            Acks::All => -1,
        };
        let request = ProduceRequest { acks, timeout_ms: i32::MAX, topic_data: vec![topic], ..Default::default() };
        let (answers, answered) = (Arc::clone(&self.answers), Arc::clone(&self.answered));
        self.runtime.spawn(async move {
            let answer = async { Connection::connect(&to.to_string(), PATIENCE).await?.call(&request).await };
            let answer: Result<_, ClientError> = answer.await;
            let told = answer.ok().and_then(|answer| {
                let partition = answer.responses.into_iter().flat_map(|topic| topic.partition_responses).next()?;
                Some((partition.error_code, partition.base_offset))
            });
            if let Some(told) = told {
                answers.lock().unwrap_or_else(PoisonError::into_inner).entry(value).or_default().push(told);
                answered.notify_one();
            }
        });
        Ok(())
    }

    /// Asks the controller to put the preferred replica in charge. Who leads then is seen elsewhere.
    pub fn elect_preferred(&self, controller: SocketAddr) {
        let partitions = TopicPartitions { topic: TOPIC.to_owned(), partitions: vec![0] };
        let request = ElectLeadersRequest {
            election_type: PREFERRED,
            topic_partitions: Some(vec![partitions]),
            timeout_ms: i32::MAX,
        };
        self.runtime.spawn(async move {
            let mut connection = Connection::connect(&controller.to_string(), PATIENCE).await?;
            connection.call(&request).await.map(drop)
        });
    }

    /// What producers have been told of each record so far. One that was sent again may have several answers, and comes
    /// on several connections: they have no order.
    pub fn answers(&self) -> BTreeMap<u8, Vec<Told>> {
        let mut answers = self.answers.lock().unwrap_or_else(PoisonError::into_inner).clone();
        answers.values_mut().for_each(|told| told.sort_unstable());
        answers
    }

    /// Waits until there are `count` answers to a record, and tells what there is in the end.
    pub fn wait_for_answers(&self, value: u8, count: usize) -> Vec<Told> {
        let told = || self.answers().remove(&value).unwrap_or_default();
        let all = async {
            while told().len() < count {
                self.answered.notified().await;
            }
        };
        let _ = self.runtime.block_on(async { timeout(PATIENCE, all).await });
        told()
    }

    /// What a consumer is told that reads from the beginning, in words. `meanwhile` is called until that is known.
    pub fn read(
        &mut self,
        broker: BrokerId,
        at: SocketAddr,
        mut meanwhile: impl FnMut(),
    ) -> Result<String, Box<dyn Error>> {
        let partition = FetchPartition { partition_max_bytes: MAX_BYTES, ..Default::default() };
        let topic = FetchTopic { topic_id: Uuid(self.topic.0), partitions: vec![partition], ..Default::default() };
        let request = FetchRequest { max_bytes: MAX_BYTES, topics: vec![topic], ..Default::default() };
        let kept = self.readers.remove(&broker);
        let exchange = async {
            let mut connection = match kept {
                Some(connection) => connection,
                None => Connection::connect(&at.to_string(), PATIENCE).await?,
            };
            let answer = connection.call(&request).await?;
            Ok::<_, ClientError>((connection, answer))
        };
        let attending = async {
            loop {
                meanwhile();
                yield_now().await;
            }
        };
        let (connection, answer) = self.runtime.block_on(async {
            tokio::select! {
                answer = timeout(PATIENCE, exchange) => answer,
                () = attending => unreachable!("it has no end"),
            }
        })??;
        self.readers.insert(broker, connection);
        let data = answer.responses.into_iter().flat_map(|topic| topic.partitions).next();
        let data = data.ok_or("no partition in the answer to a fetch")?;
        match data.error_code {
            0 => Ok(format!("reads {} below {}", values(data.records.unwrap_or_default())?, data.high_watermark)),
            code => Ok(format!("is refused {code}")),
        }
    }

    /// A broker's process has ended.
    pub fn forget(&mut self, broker: BrokerId) {
        self.readers.remove(&broker);
    }
}

fn values(batches: Bytes) -> Result<String, Box<dyn Error>> {
    let mut said = Vec::new();
    for batch in split(batches) {
        let (header, batch) = batch?;
        let epoch = header.leader_epoch.map(|epoch| epoch.to_string()).unwrap_or_default();
        for record in records(&batch, MAX_BYTES as usize)? {
            said.push(format!("{}/{epoch}", String::from_utf8_lossy(&record?.value.unwrap_or_default())));
        }
    }
    Ok(if said.is_empty() { "nothing".to_owned() } else { said.join(" ") })
}
