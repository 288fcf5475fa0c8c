//! Text files of offsets: one line per partition, in one file per log directory.
//!
//! The format is Kafka's: a version, a count, and as many lines. Source: Kafka's `CheckpointFile`.

use super::durable;
use super::{PartitionName, StorageError};
use highwater_spec::values::Offset;
use std::collections::BTreeMap;
use std::fmt::Display;
use std::path::Path;

/// How far each log is durable for certain (exclusive).
pub(super) const RECOVERY_POINTS: &str = "recovery-point-offset-checkpoint";
/// Each log's high watermark (exclusive).
pub(super) const HIGH_WATERMARKS: &str = "replication-offset-checkpoint";
/// Each log's first offset (inclusive).
pub(super) const LOG_STARTS: &str = "log-start-offset-checkpoint";
/// Up to where each compacted log has been cleaned (exclusive).
pub(super) const CLEANED: &str = "cleaner-offset-checkpoint";

const VERSION: &str = "0";

pub(super) type Offsets = BTreeMap<PartitionName, Offset>;

pub(super) fn store(folder: &Path, name: &str, offsets: &Offsets) -> Result<(), StorageError> {
    let lines = offsets.iter().map(|(partition, offset)| format!("{} {} {offset}", partition.topic, partition.index));
    durable::replace(folder, name, &text(lines))
}

/// The offsets; none if there is no such file.
pub(super) fn load(folder: &Path, name: &str) -> Result<Offsets, StorageError> {
    let entry = |line: &str| {
        let mut words = line.split(' ');
        let partition = PartitionName::new(words.next()?, words.next()?.parse().ok()?);
        let offset = words.next()?.parse().ok().filter(|offset| *offset >= 0).map(Offset)?;
        words.next().is_none().then_some((partition, offset))
    };
    let entries = lines(&folder.join(name), "topic, partition and offset", entry)?;
    Ok(entries.unwrap_or_default().into_iter().collect())
}

/// A checkpoint's text.
pub(super) fn text(lines: impl Iterator<Item = impl Display>) -> String {
    let lines: Vec<_> = lines.map(|line| format!("{line}\n")).collect();
    format!("{VERSION}\n{}\n{}", lines.len(), lines.concat())
}

/// The lines of a checkpoint, each of which should be `expected`; none if there is no such file.
pub(super) fn lines<T>(
    path: &Path,
    expected: &str,
    entry: impl Fn(&str) -> Option<T>,
) -> Result<Option<Vec<T>>, StorageError> {
    let Some(text) = durable::read(path)? else { return Ok(None) };
    let malformed = |line: usize, reason: String| StorageError::Malformed { path: path.to_owned(), line, reason };
    let mut rows = text.lines();
    if rows.next() != Some(VERSION) {
        return Err(malformed(1, format!("version {VERSION} is expected")));
    }
    let count: Option<usize> = rows.next().and_then(|line| line.parse().ok());
    let count = count.ok_or_else(|| malformed(2, "the number of entries is expected".to_owned()))?;
    let mut entries = Vec::new();
    for (line, row) in rows.enumerate().map(|(index, row)| (index + 3, row)) {
        entries.push(entry(row).ok_or_else(|| malformed(line, format!("{expected} are expected")))?);
    }
    if entries.len() != count {
        return Err(malformed(2, format!("{count} entries are announced, and {} follow", entries.len())));
    }
    Ok(Some(entries))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    fn offsets(entries: &[(&str, i32, i64)]) -> Offsets {
        let entry = |(topic, index, offset): &(&str, i32, i64)| (PartitionName::new(*topic, *index), Offset(*offset));
        entries.iter().map(entry).collect()
    }

    #[test]
    fn is_read_as_it_was_written() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(load(folder.path(), HIGH_WATERMARKS).unwrap(), offsets(&[]));
        let stored = offsets(&[("a", 0, 5), ("a", 1, 0), ("b-c", 12, i64::MAX)]);
        store(folder.path(), HIGH_WATERMARKS, &stored).unwrap();
        assert_eq!(load(folder.path(), HIGH_WATERMARKS).unwrap(), stored);
        let text = fs::read_to_string(folder.path().join(HIGH_WATERMARKS)).unwrap();
        assert_eq!(text, "0\n3\na 0 5\na 1 0\nb-c 12 9223372036854775807\n");
    }

    #[test]
    fn an_error_names_file_and_line() {
        let folder = tempfile::tempdir().unwrap();
        let garbage: [(&[u8], &str); 9] = [
            (b"", "line 1"),
            (b"1\n0\n", "line 1"),
            (b"0\n", "line 2"),
            (b"0\nx\n", "line 2"),
            (b"0\n2\na 0 1\n", "line 2"),
            (b"0\n2\na 0 1\na 1\n", "line 4"),
            (b"0\n1\na 0 -1\n", "line 3"),
            (b"0\n1\na 0 1 1\n", "line 3"),
            (b"0\n1\n\xff", "line 3"),
        ];
        for (bytes, line) in garbage {
            fs::write(folder.path().join(LOG_STARTS), bytes).unwrap();
            let error = load(folder.path(), LOG_STARTS).unwrap_err().to_string();
            assert!(error.contains(LOG_STARTS) && error.contains(line), "{bytes:?}: {error}");
        }
    }
}
