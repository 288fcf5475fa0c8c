//! Forgetting producers that have written nothing for a long time.
//!
//! When a producer last wrote is told by the time of its last batch, as in Kafka. Source: Kafka's
//! `LogManager.removeExpiredProducers`, `ProducerStateManager.isProducerExpired`.

use super::broker_host::Shards;
use super::shard::Event;
use highwater_spec::producer::Producers;
use highwater_spec::values::{ProducerId, Timestamp};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Lets every shard look for producers silent for `expiration`, time and again.
pub async fn run(shards: Shards, expiration: Duration, every: Duration) {
    loop {
        tokio::time::sleep(every).await;
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().saturating_sub(expiration);
        let before = Timestamp(i64::try_from(since.as_millis()).unwrap_or(i64::MAX));
        for shard in shards.all() {
            let _ = shard.send(Event::ProducersSilentSince(before));
        }
    }
}

/// Those whose last batch is not younger than `since`.
pub fn silent(producers: &Producers, since: Timestamp) -> Vec<ProducerId> {
    let last = producers.iter().filter_map(|(id, producer)| Some((id, producer.last()?.timestamp)));
    last.filter(|(_, timestamp)| *timestamp <= since).map(|(id, _)| id).collect()
}
