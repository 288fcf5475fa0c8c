//! `.kafka_cleanshutdown`: the last process flushed everything before it went.
//!
//! Since KIP-966 it also says which broker epoch that process had. Source: Kafka's `CleanShutdownFileHandler`.

use super::StorageError;
use super::durable;
use highwater_spec::values::BrokerEpoch;
use serde::{Deserialize, Serialize};
use std::path::Path;

const NAME: &str = ".kafka_cleanshutdown";

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Content {
    version: i32,
    broker_epoch: i64,
}

/// What the last process left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shutdown {
    /// Nothing: it was killed, or there was none.
    Unclean,
    /// The mark of a clean shutdown, with its broker epoch unless it had none, or the mark can't be read.
    Clean(Option<BrokerEpoch>),
}

/// Reads the mark, and removes it for good: from now on a crash is a crash.
pub(super) fn take(folder: &Path) -> Result<Shutdown, StorageError> {
    let path = folder.join(NAME);
    let text = match durable::read(&path) {
        Ok(None) => return Ok(Shutdown::Unclean),
        Ok(Some(text)) => text,
        Err(StorageError::Malformed { .. }) => String::new(),
        Err(other) => return Err(other),
    };
    let content: Option<Content> = serde_json::from_str(&text).ok();
    durable::remove(&path)?;
    durable::sync_folder(folder)?;
    let epoch = content.map(|content| content.broker_epoch).filter(|epoch| *epoch >= 0);
    Ok(Shutdown::Clean(epoch.map(BrokerEpoch)))
}

/// Leaves the mark. Everything else is on the disk before.
pub(super) fn leave(folder: &Path, epoch: Option<BrokerEpoch>) -> Result<(), StorageError> {
    let broker_epoch = epoch.map_or(-1, |epoch| epoch.0);
    durable::replace(folder, NAME, &format!("{{\"version\":0,\"brokerEpoch\":{broker_epoch}}}"))
}
