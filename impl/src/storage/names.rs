//! What files and folders are called.

use highwater_spec::values::Offset;
use std::fmt;

/// The ending of a segment's batches.
pub(super) const LOG: &str = "log";
/// The ending of a segment's offset index.
pub(super) const INDEX: &str = "index";
/// The ending of a segment's time index.
pub(super) const TIME_INDEX: &str = "timeindex";
/// The ending of a note of producers.
pub(super) const SNAPSHOT: &str = "snapshot";
/// The endings of a segment's other files.
pub(super) const OTHERS: [&str; 2] = ["txnindex", SNAPSHOT];
/// What is added to the names of a segment's files while a cleaner writes it.
pub(super) const CLEANED: &str = ".cleaned";
/// What is added when it is whole, and takes the place of others.
pub(super) const SWAP: &str = ".swap";
/// The ending of a folder that was set aside.
pub(super) const STRAY: &str = "-stray";
/// The ending of a folder that is about to be removed.
pub(super) const DELETE: &str = "-delete";

/// `00000000000000000042.log` for offset 42 and `log`.
pub(super) fn segment_file(base: Offset, ending: &str) -> String {
    format!("{:020}.{ending}", base.0)
}

/// The base offset in a segment file's name, and its ending.
pub(super) fn parse_segment_file(name: &str) -> Option<(Offset, &str)> {
    let (base, ending) = name.split_once('.')?;
    let digits = base.len() == 20 && base.bytes().all(|byte| byte.is_ascii_digit());
    digits.then_some(Offset(base.parse().ok()?)).map(|base| (base, ending))
}

/// One partition, by its topic's name: what a partition's folder and the lines of a checkpoint are named after.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PartitionName {
    /// The topic's name.
    pub topic: String,
    /// The partition's number within it, from 0.
    pub index: i32,
}

impl PartitionName {
    /// The partition `index` of `topic`.
    #[must_use]
    pub fn new(topic: impl Into<String>, index: i32) -> Self {
        Self { topic: topic.into(), index }
    }

    /// The partition that a folder of this name belongs to.
    #[must_use]
    pub fn of_folder(name: &str) -> Option<Self> {
        let (topic, index) = name.rsplit_once('-')?;
        let digits = !index.is_empty() && index.bytes().all(|byte| byte.is_ascii_digit());
        (digits && !topic.is_empty()).then_some(Self::new(topic, index.parse().ok()?))
    }
}

impl fmt::Display for PartitionName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.topic, self.index)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn segment_files_are_named_by_their_base_offset() {
        assert_eq!(segment_file(Offset(42), LOG), "00000000000000000042.log");
        assert_eq!(parse_segment_file("00000000000000000042.log"), Some((Offset(42), "log")));
        assert_eq!(parse_segment_file("00000000000000000042.log.deleted"), Some((Offset(42), "log.deleted")));
        assert_eq!(parse_segment_file("99999999999999999999.log"), None, "not an offset");
        assert_eq!(parse_segment_file("42.log"), None);
        assert_eq!(parse_segment_file("leader-epoch-checkpoint"), None);
    }

    #[test]
    fn folders_are_named_by_topic_and_partition() {
        assert_eq!(PartitionName::of_folder("a-b-12"), Some(PartitionName::new("a-b", 12)));
        assert_eq!(PartitionName::new("a-b", 12).to_string(), "a-b-12");
        for other in ["a", "a-", "-1", "a-1.0f-delete", "a-+1", "a-99999999999"] {
            assert_eq!(PartitionName::of_folder(other), None, "{other}");
        }
    }
}
