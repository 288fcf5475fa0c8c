//! A test aid: what a power loss leaves of a log directory.
//!
//! A killed process leaves every byte that it wrote. To see what becomes of a log when those that weren't flushed are
//! gone, they have to be taken away by hand; which they are is known from the flush marks that logs leave with
//! [`super::LogConfig::record_flush_marks`], and from the recovery points otherwise.

use super::durable::TEMPORARY;
use super::error::Context;
use super::names::{INDEX, LOG, PartitionName, TIME_INDEX, parse_segment_file, segment_file};
use super::offset_checkpoint::{self, RECOVERY_POINTS};
use super::scan::Scan;
use super::segment::Segment;
use super::{StorageError, durable};
use highwater_spec::values::Offset;
use std::fs::{self, OpenOptions};
use std::path::Path;

const MARK: &str = "flush-mark";

/// Cuts every partition's log in `log_dir`, which no process uses, back to what was flushed for certain. `keep` says
/// how many of the bytes that weren't flushed stay of each file, given how many there are.
///
/// # Errors
/// [`StorageError::Io`]; [`StorageError::Malformed`] for a checkpoint or a flush mark.
pub fn power_cut(log_dir: &Path, mut keep: impl FnMut(u64) -> u64) -> Result<(), StorageError> {
    let recovery_points = offset_checkpoint::load(log_dir, RECOVERY_POINTS)?;
    for entry in fs::read_dir(log_dir).context("list", log_dir)? {
        let folder = entry.context("list", log_dir)?.path();
        let name = folder.file_name().and_then(|name| name.to_str()).and_then(PartitionName::of_folder);
        if let Some(name) = name.filter(|_| folder.is_dir()) {
            let noted = recovery_points.get(&name).copied().unwrap_or_default();
            cut_log(&folder, read_mark(&folder)?.unwrap_or(noted), &mut keep)?;
        }
    }
    Ok(())
}

fn cut_log(folder: &Path, flushed: Offset, keep: &mut impl FnMut(u64) -> u64) -> Result<(), StorageError> {
    let mut bases = Vec::new();
    for entry in fs::read_dir(folder).context("list", folder)? {
        let name = entry.context("list", folder)?.file_name();
        if let Some((base, LOG)) = name.to_str().and_then(parse_segment_file) {
            bases.push(base);
        }
    }
    bases.sort_unstable();
    // The last segment that begins at or below the mark holds flushed records; indexes from it on were not flushed.
    let from = bases.partition_point(|base| *base <= flushed).saturating_sub(1);
    for base in &bases[from..] {
        let durable = durable_bytes(folder, *base, flushed)?;
        shorten(&folder.join(segment_file(*base, LOG)), durable, keep)?;
        for ending in [INDEX, TIME_INDEX] {
            shorten(&folder.join(segment_file(*base, ending)), 0, keep)?;
        }
    }
    Ok(())
}

/// How many bytes of a segment belong to batches that end at or below `flushed`.
fn durable_bytes(folder: &Path, base: Offset, flushed: Offset) -> Result<u64, StorageError> {
    let segment = Segment::open(folder, base)?;
    let whole = Scan::headers(&segment, 0).map_while(Result::ok);
    let flushed = whole.take_while(|batch| batch.header.next_offset() <= flushed);
    Ok(flushed.last().map_or(0, |batch| batch.position + batch.header.size() as u64))
}

fn shorten(path: &Path, durable: u64, keep: &mut impl FnMut(u64) -> u64) -> Result<(), StorageError> {
    let Ok(metadata) = path.metadata() else { return Ok(()) };
    let loose = metadata.len().saturating_sub(durable);
    let length = durable + keep(loose).min(loose);
    let file = OpenOptions::new().write(true).open(path).context("open", path)?;
    file.set_len(length).context("cut", path)
}

/// Notes that everything below `flushed` is durable.
pub(super) fn mark(folder: &Path, flushed: Offset) -> Result<(), StorageError> {
    write_mark(folder, read_mark(folder)?.map_or(flushed, |known| known.max(flushed)))
}

/// Notes that the log ends at `end`.
pub(super) fn lower_mark(folder: &Path, end: Offset) -> Result<(), StorageError> {
    write_mark(folder, read_mark(folder)?.map_or(Offset(0), |known| known.min(end)))
}

fn write_mark(folder: &Path, mark: Offset) -> Result<(), StorageError> {
    let (path, temporary) = (folder.join(MARK), folder.join(format!("{MARK}{TEMPORARY}")));
    let text = mark.to_string();
    let line = format!("{text} {:08x}\n", crc32c::crc32c(text.as_bytes()));
    // Only a process dies in a test, never the machine: nothing to flush.
    fs::write(&temporary, line).context("write", &temporary)?;
    fs::rename(&temporary, &path).context("replace", &path)
}

fn read_mark(folder: &Path) -> Result<Option<Offset>, StorageError> {
    let path = folder.join(MARK);
    let Some(text) = durable::read(&path)? else { return Ok(None) };
    let parsed = text.trim_end().split_once(' ').and_then(|(offset, crc)| {
        let crc = u32::from_str_radix(crc, 16).ok().filter(|crc| *crc == crc32c::crc32c(offset.as_bytes()));
        crc.and(offset.parse().ok()).map(Offset)
    });
    let malformed =
        || StorageError::Malformed { path, line: 1, reason: "an offset and its CRC are expected".to_owned() };
    parsed.map(Some).ok_or_else(malformed)
}
