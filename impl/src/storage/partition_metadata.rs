//! `partition.metadata`: which topic a partition's folder belongs to, whatever that topic is called.

use super::StorageError;
use super::durable;
use super::meta_properties::{id_text, parse_id};
use highwater_spec::values::TopicId;
use std::path::Path;

const NAME: &str = "partition.metadata";
const VERSION_LINE: &str = "version: 0";

pub(super) fn store(folder: &Path, topic: TopicId) -> Result<(), StorageError> {
    durable::replace(folder, NAME, &format!("{VERSION_LINE}\ntopic_id: {}", id_text(topic.0)))
}

/// The topic; none if there is no such file, as in the metadata log.
pub(super) fn load(folder: &Path) -> Result<Option<TopicId>, StorageError> {
    let path = folder.join(NAME);
    let Some(text) = durable::read(&path)? else { return Ok(None) };
    let malformed =
        |line, reason: &str| StorageError::Malformed { path: path.clone(), line, reason: reason.to_owned() };
    let mut lines = text.lines();
    if lines.next() != Some(VERSION_LINE) {
        return Err(malformed(1, "version: 0 is expected"));
    }
    let id = lines.next().and_then(|line| line.strip_prefix("topic_id: ")).and_then(parse_id);
    id.map(|id| Some(TopicId(id))).ok_or_else(|| malformed(2, "topic_id: and 22 letters of base64 are expected"))
}
