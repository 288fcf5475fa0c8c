//! Putting a cleaned segment in the place of those that it was written from, so that after a crash there are either the
//! old ones or the new one.
//!
//! The new files are flushed as `….log.cleaned`, `….index.cleaned` and so on. Renaming the batches to `….log.swap`, after
//! the indexes, is what counts: before it a start removes what is new, after it what is old. The last batch of a cleaned
//! segment is never removed, so that the segment itself says which ones it replaces. Source: Kafka's
//! `LocalLog.replaceSegments`, `LogLoader.removeTempFilesAndCollectSwapFiles`.

use super::error::Context;
use super::names::{CLEANED, INDEX, LOG, SWAP, TIME_INDEX, parse_segment_file, segment_file};
use super::segment::Segment;
use super::{StorageError, durable};
use highwater_spec::values::Offset;
use std::fs;
use std::path::{Path, PathBuf};

/// A segment that was written, and those whose place it takes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Group {
    /// Where it begins, as the first of them does (inclusive).
    pub(super) base: Offset,
    /// Where the others begin (inclusive).
    pub(super) others: Vec<Offset>,
    /// Where the last of them begins (inclusive).
    pub(super) last: Offset,
}

/// A segment's files. The batches come last to `.swap`, and first to their name.
const KINDS: [&str; 3] = [INDEX, TIME_INDEX, LOG];

/// Puts the segment that was written as `.cleaned` in its place, durably.
pub(super) fn swap(folder: &Path, group: &Group) -> Result<Segment, StorageError> {
    rename_all(folder, group.base, KINDS, CLEANED, SWAP)?;
    durable::sync_folder(folder)?;
    group.others.iter().rev().try_for_each(|base| Segment::remove(folder, *base))?;
    take_name(folder, group.base)?;
    durable::sync_folder(folder)?;
    Segment::open(folder, group.base)
}

/// Removes what was written as `.cleaned`, but for these.
pub(super) fn keep_only(folder: &Path, groups: &[Group]) -> Result<(), StorageError> {
    for (base, path) in named(folder, CLEANED)? {
        if !groups.iter().any(|group| group.base == base) {
            durable::remove(&path)?;
        }
    }
    Ok(())
}

/// At a start: finishes what the last process has begun to put in its place, and removes what it has not.
pub(super) fn finish(folder: &Path) -> Result<(), StorageError> {
    let cleaned = named(folder, CLEANED)?;
    let unfinished = cleaned.iter().map(|(base, _)| *base).min();
    let (doomed, swapped): (Vec<_>, Vec<_>) =
        named(folder, SWAP)?.into_iter().partition(|(base, _)| unfinished.is_some_and(|first| *base >= first));
    // The swapped ones first: without what is `.cleaned` nobody could tell that they don't count.
    doomed.iter().chain(&cleaned).try_for_each(|(_, path)| durable::remove(path))?;
    if swapped.is_empty() {
        return Ok(());
    }
    let mut bases: Vec<_> = swapped.into_iter().map(|(base, _)| base).collect();
    bases.dedup();
    for base in bases {
        if folder.join(segment_file(base, LOG) + SWAP).exists() {
            let end = Segment::open_as(folder, base, SWAP)?.next_offset()?;
            remove_between(folder, base, end)?;
        }
        tracing::info!(folder = %folder.display(), segment = %base, "a cleaned segment takes its place");
        take_name(folder, base)?;
    }
    durable::sync_folder(folder)
}

fn take_name(folder: &Path, base: Offset) -> Result<(), StorageError> {
    let [first, second, last] = KINDS;
    rename_all(folder, base, [last, first, second], SWAP, "")
}

fn rename_all(folder: &Path, base: Offset, kinds: [&str; 3], from: &str, to: &str) -> Result<(), StorageError> {
    for kind in kinds {
        let name = segment_file(base, kind);
        let (old, new) = (folder.join(name.clone() + from), folder.join(name + to));
        match fs::rename(&old, &new) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound && from == SWAP => {}
            renamed => renamed.context("rename", &old)?,
        }
    }
    Ok(())
}

/// Removes the segments that begin after `base` and below `end`.
fn remove_between(folder: &Path, base: Offset, end: Offset) -> Result<(), StorageError> {
    let mut within: Vec<_> = named(folder, "")?.into_iter().map(|(base, _)| base).collect();
    within.retain(|found| *found > base && *found < end);
    within.iter().rev().try_for_each(|base| Segment::remove(folder, *base))
}

/// The segments' files whose names end so after what they hold, by base offset.
fn named(folder: &Path, ending: &str) -> Result<Vec<(Offset, PathBuf)>, StorageError> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).context("list", folder)? {
        let path = entry.context("list", folder)?.path();
        let parsed = path.file_name().and_then(|name| name.to_str()).and_then(parse_segment_file);
        let base = parsed.filter(|(_, kind)| kind.strip_suffix(ending).is_some_and(|kind| KINDS.contains(&kind)));
        if let Some((base, _)) = base {
            found.push((base, path));
        }
    }
    found.sort();
    Ok(found)
}
