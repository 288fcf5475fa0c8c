//! Fetch of the metadata log, by which brokers follow the controller (KIP-595, KIP-631).

use super::ControllerService;
use crate::node::handlers::errors;
use crate::wire::Uuid;
use crate::wire::messages::fetch;
use bytes::Bytes;
use highwater_spec::refusal::Refusal;
use highwater_spec::values::Offset;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::Notify;

impl ControllerService {
    /// The metadata log, as far as it is committed. Who has it all waits for more, as long as it says.
    pub(super) async fn fetch(&self, request: fetch::FetchRequest) -> fetch::FetchResponse {
        let asked = request.topics.first().and_then(|topic| Some((topic.topic_id, topic.partitions.first()?)));
        let Some((topic, partition)) =
            asked.filter(|(topic, partition)| *topic == Uuid::METADATA_TOPIC && partition.partition == 0)
        else {
            return fetch::FetchResponse { error_code: errors::UNKNOWN_TOPIC_ID, ..Default::default() };
        };
        let from = Offset(partition.fetch_offset);
        let deadline = Instant::now() + Duration::from_millis(request.max_wait_ms.max(0).unsigned_abs().into());
        let end = self.committed_beyond(from, deadline).await;
        let most = usize::try_from(partition.partition_max_bytes).unwrap_or(0);
        let (reader, known) = (self.log.clone(), Offset(0) <= from && from <= end);
        let reading = tokio::task::spawn_blocking(move || match known && from < end {
            true => reader.read(from, end, most, true),
            false => Ok(Bytes::new()),
        });
        let (error_code, records) = match reading.await.expect("reading a log does not panic") {
            Ok(records) if known => (errors::NONE, records),
            Ok(_) => (Refusal::OffsetOutOfRange.code(), Bytes::new()),
            Err(error) => {
                tracing::error!(%error, "the metadata log can't be read");
                (errors::STORAGE_ERROR, Bytes::new())
            }
        };
        let data = fetch::PartitionData {
            error_code,
            high_watermark: end.0,
            last_stable_offset: end.0,
            log_start_offset: 0,
            records: Some(records),
            ..Default::default()
        };
        let topic = fetch::FetchableTopicResponse { topic_id: topic, partitions: vec![data], ..Default::default() };
        fetch::FetchResponse { responses: vec![topic], ..Default::default() }
    }

    async fn committed_beyond(&self, from: Offset, deadline: Instant) -> Offset {
        let woken = Arc::new(Notify::new());
        let parked = self.log_grew.register(Arc::clone(&woken) as Arc<_>);
        loop {
            let end = self.committed.read().end;
            if end > from || Instant::now() >= deadline {
                drop(parked);
                return end;
            }
            let _ = tokio::time::timeout_at(deadline.into(), woken.notified()).await;
        }
    }
}
