//! A connection to one broker, for produce requests alone: one request at a time, in order, each with what has come
//! together meanwhile.

use super::code_of;
use crate::client::{Acks, ClientError, Connection, ErrorCode, Partition};
use crate::wire::messages::ProduceRequest;
use crate::wire::messages::produce::{PartitionProduceData, TopicProduceData};
use crate::wire::uuid::Uuid;
use bytes::Bytes;
use highwater_spec::client::Code;
use highwater_spec::client::producer::BatchId;
use highwater_spec::values::Offset;
use std::collections::BTreeMap;
use std::time::Duration;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender};
use tokio::time::timeout;

/// A batch on its way.
#[derive(Debug)]
pub(super) struct Parcel {
    pub partition: Partition,
    pub topic_id: Uuid,
    pub batch: BatchId,
    pub attempt: u32,
    pub bytes: Bytes,
}

/// What came of it.
#[derive(Debug)]
pub(super) struct Answer {
    pub partition: Partition,
    pub batch: BatchId,
    pub attempt: u32,
    pub outcome: Result<Option<Offset>, (Code, String)>,
}

/// How a sender goes about it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Manner {
    pub acks: Acks,
    /// How long a connection may take.
    pub connect: Duration,
    /// How long followers may take.
    pub within: Duration,
    /// How long an answer may take.
    pub answer: Duration,
}

/// Sends until nobody has anything to send.
pub(super) async fn run(
    address: String,
    manner: Manner,
    mut parcels: UnboundedReceiver<Parcel>,
    answers: UnboundedSender<Answer>,
) {
    let mut connection = None;
    let mut held = None;
    loop {
        let Some(first) = (match held.take() {
            Some(held) => Some(held),
            None => parcels.recv().await,
        }) else {
            return;
        };
        let mut together = BTreeMap::from([(first.partition.clone(), first)]);
        // A request has one batch of a partition.
        while let Ok(next) = parcels.try_recv() {
            if together.contains_key(&next.partition) {
                held = Some(next);
                break;
            }
            together.insert(next.partition.clone(), next);
        }
        let outcomes = send(&mut connection, &address, manner, &together).await;
        if outcomes.is_err() {
            connection = None;
        }
        for (partition, parcel) in together {
            let outcome = match &outcomes {
                Ok(outcomes) => outcomes.get(&partition).cloned().unwrap_or_else(|| Err(unanswered(&address))),
                Err(error) => Err((code_of(error), error.to_string())),
            };
            let answer = Answer { partition, batch: parcel.batch, attempt: parcel.attempt, outcome };
            if answers.send(answer).is_err() {
                return;
            }
        }
    }
}

type Outcomes = BTreeMap<Partition, Result<Option<Offset>, (Code, String)>>;

async fn send(
    connection: &mut Option<Connection>,
    address: &str,
    manner: Manner,
    parcels: &BTreeMap<Partition, Parcel>,
) -> Result<Outcomes, ClientError> {
    let mut usable = Connection::held_or_new(connection.take(), address, manner.connect).await?;
    let request = request(manner, parcels);
    let answered = if manner.acks == Acks::None {
        let told = timeout(manner.answer, usable.tell(&request)).await;
        told.unwrap_or_else(|_| Err(ClientError::timed_out(address)))?;
        parcels.keys().map(|partition| (partition.clone(), Ok(None))).collect()
    } else {
        let answer = timeout(manner.within + manner.answer, usable.call(&request)).await;
        let answer = answer.unwrap_or_else(|_| Err(ClientError::timed_out(address)))?;
        let names: BTreeMap<_, _> =
            parcels.iter().map(|(partition, parcel)| (parcel.topic_id, partition.topic.clone())).collect();
        let mut outcomes = Outcomes::new();
        for topic in answer.responses {
            // Older versions name topics, later ones identify them.
            let name = names.get(&topic.topic_id).filter(|_| topic.name.is_empty()).unwrap_or(&topic.name);
            for found in topic.partition_responses {
                let partition = Partition { topic: name.clone(), index: found.index };
                let outcome = match ErrorCode(found.error_code) {
                    ErrorCode::NONE => Ok(Some(Offset(found.base_offset)).filter(|offset| offset.0 >= 0)),
                    code => Err((Code(code.0), reason(&partition, code, found.error_message))),
                };
                outcomes.insert(partition, outcome);
            }
        }
        outcomes
    };
    *connection = Some(usable);
    Ok(answered)
}

fn reason(partition: &Partition, code: ErrorCode, message: Option<String>) -> String {
    ClientError::Refused { subject: format!("partition {partition}"), code, message }.to_string()
}

fn request(manner: Manner, parcels: &BTreeMap<Partition, Parcel>) -> ProduceRequest {
    let mut topics: BTreeMap<&str, TopicProduceData> = BTreeMap::new();
    for (partition, parcel) in parcels {
        let topic = topics.entry(&partition.topic).or_default();
        (topic.name, topic.topic_id) = (partition.topic.clone(), parcel.topic_id);
        let records = Some(parcel.bytes.clone());
        topic.partition_data.push(PartitionProduceData { index: partition.index, records });
    }
    ProduceRequest {
        acks: manner.acks.wire(),
        timeout_ms: i32::try_from(manner.within.as_millis()).unwrap_or(i32::MAX),
        topic_data: topics.into_values().collect(),
        ..Default::default()
    }
}

fn unanswered(address: &str) -> (Code, String) {
    (Code::NETWORK_EXCEPTION, format!("{address} answered without it"))
}
