//! The metadata log, fetched from the controller by a broker: Fetch of `__cluster_metadata`, from the broker's own
//! process's start on.

use super::broker_host::{Life, Metadata};
use super::cluster::Endpoint;
use super::delivery::Delivery;
use super::metadata_log::{self, MetadataLogError};
use super::metadata_records;
use super::reach::Reach;
use crate::client::{ClientError, Connection};
use crate::wire::Uuid;
use crate::wire::messages::fetch;
use highwater_spec::controller::Image;
use highwater_spec::values::{BrokerId, Offset};
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;

/// How much metadata one answer may bring, in bytes.
const MAX_BYTES: i32 = 8 << 20;

/// What the task works with.
pub struct MetadataFetcher {
    /// This broker.
    pub me: BrokerId,
    /// Where the controller is.
    pub controller: Endpoint,
    /// How long a fetch may wait there for records.
    pub max_wait: Duration,
    /// How long an answer may take beyond that.
    pub timeout: Duration,
    /// Until a failed fetch is tried again.
    pub backoff: Duration,
    /// Whether the controller answers.
    pub reach: Arc<Reach>,
    /// Takes the records to the broker.
    pub delivery: Delivery,
    /// Tells when the broker has ended.
    pub life: watch::Receiver<Life>,
}

#[derive(Debug, thiserror::Error)]
enum FetchError {
    #[error(transparent)]
    Client(#[from] ClientError),
    #[error(transparent)]
    Log(#[from] MetadataLogError),
    #[error("the controller refuses with error code {0}")]
    Refused(i16),
}

impl MetadataFetcher {
    /// Fetches until the broker ends.
    pub async fn run(self) {
        let mut life = self.life.clone();
        tokio::select! {
            () = self.fetch_forever() => {}
            ended = life.wait_for(|life| life.ended) => drop(ended),
        }
    }

    async fn fetch_forever(&self) {
        // Names of topics stand in some records; they are looked up in the fold of those before.
        let (mut image, mut end) = (Image::default(), Offset(0));
        loop {
            match self.fetch_while_connected(&mut image, &mut end).await {
                Err(FetchError::Client(error)) => self.reach.note(&Err::<Infallible, _>(error)),
                Err(error) => {
                    tracing::warn!(controller = %self.controller, %error, "the metadata log can't be fetched");
                }
                Ok(never) => match never {},
            }
            tokio::time::sleep(self.backoff).await;
        }
    }

    async fn fetch_while_connected(&self, image: &mut Image, end: &mut Offset) -> Result<Infallible, FetchError> {
        let name = self.controller.to_string();
        let mut connection = Connection::connect(&name, self.timeout).await?;
        loop {
            let request = self.request(*end);
            let answer = tokio::time::timeout(self.max_wait + self.timeout, connection.call(&request)).await;
            let answer = answer.unwrap_or_else(|_| Err(ClientError::timed_out(&name)));
            self.reach.note(&answer);
            let response = answer?;
            let found = response.responses.into_iter().flat_map(|topic| topic.partitions).next();
            let Some(found) = found else { return Err(FetchError::Refused(response.error_code)) };
            if found.error_code != 0 {
                return Err(FetchError::Refused(found.error_code));
            }
            self.hand_over(found.records.unwrap_or_default(), image, end)?;
        }
    }

    fn hand_over(&self, batches: bytes::Bytes, image: &mut Image, end: &mut Offset) -> Result<(), FetchError> {
        let mut steps = Vec::new();
        for step in metadata_log::decode(&batches)? {
            let mut metadata = Metadata { from: *end, records: Vec::new(), endpoints: Vec::new() };
            for (offset, record) in step {
                if offset < *end {
                    continue;
                }
                let unknown = |error| MetadataLogError::Unknown(offset, error);
                let (record, endpoint) = metadata_records::decode(&record, image).map_err(unknown)?;
                image.apply(&record);
                metadata.records.push(record);
                metadata.endpoints.extend(endpoint);
                *end = offset.next();
            }
            steps.push(metadata);
        }
        self.delivery.deliver(steps);
        Ok(())
    }

    fn request(&self, from: Offset) -> fetch::FetchRequest {
        fetch::FetchRequest {
            replica_state: fetch::ReplicaState { replica_id: self.me.0, replica_epoch: -1 },
            max_wait_ms: i32::try_from(self.max_wait.as_millis()).unwrap_or(i32::MAX),
            min_bytes: 1,
            max_bytes: MAX_BYTES,
            topics: vec![fetch::FetchTopic {
                topic_id: Uuid::METADATA_TOPIC,
                partitions: vec![fetch::FetchPartition {
                    partition: 0,
                    fetch_offset: from.0,
                    partition_max_bytes: MAX_BYTES,
                    ..Default::default()
                }],
                ..Default::default()
            }],
            ..Default::default()
        }
    }
}
