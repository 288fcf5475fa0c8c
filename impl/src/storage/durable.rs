//! Small files that are replaced whole: after a crash there is the old one or the new one.

use super::error::Context;
use super::{StorageError, watch};
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;

/// The ending of a file that isn't finished; such a file means nothing at a start.
pub(super) const TEMPORARY: &str = ".tmp";

/// Replaces `folder/name` by `text`, which is on the disk when this returns.
pub(super) fn replace(folder: &Path, name: &str, text: &str) -> Result<(), StorageError> {
    let temporary = folder.join(format!("{name}{TEMPORARY}"));
    let path = folder.join(name);
    let mut file = File::create(&temporary).context("create", &temporary)?;
    file.write_all(text.as_bytes()).context("write", &temporary)?;
    sync(&file, &temporary)?;
    watch::asked(watch::Ask::Rename, &temporary);
    fs::rename(&temporary, &path).context("replace", &path)?;
    sync_folder(folder)
}

/// Makes durable what `path`, open as `file`, has.
pub(super) fn sync(file: &File, path: &Path) -> Result<(), StorageError> {
    watch::asked(watch::Ask::Sync, path);
    file.sync_all().context("flush", path)
}

/// Makes durable what `path`, open as `file`, has, but for times.
pub(super) fn sync_data(file: &File, path: &Path) -> Result<(), StorageError> {
    watch::asked(watch::Ask::Sync, path);
    file.sync_data().context("flush", path)
}

/// Makes durable which files `folder` has.
pub(super) fn sync_folder(folder: &Path) -> Result<(), StorageError> {
    sync(&File::open(folder).context("flush", folder)?, folder)
}

/// The file's text; none if there is no such file.
pub(super) fn read(path: &Path) -> Result<Option<String>, StorageError> {
    absent_is_none(fs::read(path)).context("read", path)?.map_or(Ok(None), |bytes| {
        let line = 1 + bytes.utf8_chunks().next().map_or(0, |chunk| chunk.valid().matches('\n').count());
        let malformed = |_| StorageError::Malformed { path: path.to_owned(), line, reason: "it is no text".to_owned() };
        String::from_utf8(bytes).map(Some).map_err(malformed)
    })
}

/// Removes a file that may be absent.
pub(super) fn remove(path: &Path) -> Result<(), StorageError> {
    absent_is_none(fs::remove_file(path)).context("remove", path).map(drop)
}

fn absent_is_none<T>(result: io::Result<T>) -> io::Result<Option<T>> {
    match result {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        other => other.map(Some),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use watch::Ask;

    #[test]
    fn a_file_is_on_the_disk_before_it_takes_the_place_of_another() {
        let dir = tempfile::tempdir().unwrap();
        let asked = watch::during(|| replace(dir.path(), "checkpoint", "text").unwrap());
        let temporary = dir.path().join("checkpoint.tmp");
        let expected = [(Ask::Sync, temporary.clone()), (Ask::Rename, temporary), (Ask::Sync, dir.path().to_owned())];
        assert_eq!(asked, expected);
        assert_eq!(read(&dir.path().join("checkpoint")).unwrap().as_deref(), Some("text"));
    }
}
