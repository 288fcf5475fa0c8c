//! What a broker has on its disk, read from its files; and what a power loss takes of it.

use bytes::Bytes;
use highwater::records::{check_copied, records, split};
use highwater_checker::replication::Disk;
use highwater_spec::log::{EpochCache, EpochEntry};
use highwater_spec::values::{LeaderEpoch, Offset};
use highwater_spec::view::Entry;
use std::error::Error;
use std::fs::{self, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

/// The topic of which every lockstep cluster has one partition.
pub const TOPIC: &str = "t";
const FIRST_SEGMENT: &str = "00000000000000000000";
const MOST: usize = 1 << 20;
/// An entry of the offset index: four bytes of relative offset, four of position.
const INDEX_ENTRY: usize = 8;

/// The files of a broker.
#[derive(Clone, Debug)]
pub struct Files {
    dir: PathBuf,
}

/// One batch of one record, and where in the file it begins.
struct Found {
    entry: Entry,
    at: u64,
    size: u64,
}

impl Files {
    /// Below a log directory.
    pub fn below(dir: PathBuf) -> Self {
        Self { dir }
    }

    fn folder(&self) -> PathBuf {
        self.dir.join(format!("{TOPIC}-0"))
    }

    fn segment(&self, ending: &str) -> PathBuf {
        self.folder().join(format!("{FIRST_SEGMENT}.{ending}"))
    }

    /// What a model's disk would say, in words: the log, the epochs, and whether the shutdown was clean. A log that was
    /// not opened since its machine lost power may have a torn end.
    pub fn told(&self, opened: bool) -> Result<String, Box<dyn Error>> {
        let batches = if opened { self.batches()? } else { self.whole_batches()? };
        let log: Vec<_> = batches.into_iter().map(|found| found.entry).collect();
        if opened {
            self.check_index()?;
        }
        let epochs = self.epochs()?;
        Ok(in_words(&log, &epochs, self.dir.join(".kafka_cleanshutdown").exists()))
    }

    /// The records, up to an end that is torn.
    pub fn log(&self) -> Result<Vec<Entry>, Box<dyn Error>> {
        Ok(self.whole_batches()?.into_iter().map(|found| found.entry).collect())
    }

    fn batches(&self) -> Result<Vec<Found>, Box<dyn Error>> {
        found_in(&Bytes::from(read(&self.segment("log"))?))
    }

    fn whole_batches(&self) -> Result<Vec<Found>, Box<dyn Error>> {
        let bytes = Bytes::from(read(&self.segment("log"))?);
        let whole = split(bytes.clone()).map_while(|batch| batch.ok().filter(|(_, batch)| check_copied(batch).is_ok()));
        let size: usize = whole.map(|(_, batch)| batch.len()).sum();
        found_in(&bytes.slice(..size))
    }

    /// Each entry of the index points to the beginning of the batch that has its offset.
    fn check_index(&self) -> Result<(), Box<dyn Error>> {
        let batches = self.batches()?;
        let index = read(&self.segment("index"))?;
        for entry in index.chunks_exact(INDEX_ENTRY) {
            let (relative, position) = (number(&entry[..4]), u64::from(number(&entry[4..])));
            if batches.get(relative as usize).is_none_or(|batch| batch.at != position) {
                return Err(format!("the index says that offset {relative} is at byte {position}").into());
            }
        }
        Ok(())
    }

    fn epochs(&self) -> Result<EpochCache, Box<dyn Error>> {
        let text = read(&self.folder().join("leader-epoch-checkpoint"))?;
        let text = String::from_utf8(text)?;
        let entries = text.lines().skip(2).map(|line| {
            let (epoch, start) = line.split_once(' ').ok_or("an epoch and an offset")?;
            Ok(EpochEntry { epoch: LeaderEpoch(epoch.parse()?), start: Offset(start.parse()?) })
        });
        let entries: Result<Vec<_>, Box<dyn Error>> = entries.collect();
        Ok(EpochCache::from_iter(entries?))
    }

    /// The high watermark that was last written down.
    pub fn checkpoint(&self) -> Result<Offset, Box<dyn Error>> {
        let text = String::from_utf8(read(&self.dir.join("replication-offset-checkpoint"))?)?;
        let line = text.lines().find_map(|line| line.strip_prefix(&format!("{TOPIC} 0 ")));
        Ok(Offset(line.map_or(Ok(0), str::parse)?))
    }

    /// Has the high watermark last written down be `offset`, as if it had not been written since.
    pub fn set_checkpoint(&self, offset: Offset) -> io::Result<()> {
        fs::write(self.dir.join("replication-offset-checkpoint"), format!("0\n1\n{TOPIC} 0 {offset}\n"))
    }

    /// Takes what lies at and above `keeps` (exclusive bound of what stays). Of the batch that follows, all bytes stay
    /// but the last, which is damaged: a write may have been torn there.
    pub fn lose_power(&self, keeps: Offset) -> Result<(), Box<dyn Error>> {
        let batches = self.batches()?;
        let kept = usize::try_from(keeps.0)?;
        let Some(torn) = batches.get(kept) else { return Ok(()) };
        let path = self.segment("log");
        let mut bytes = fs::read(&path)?;
        let end = usize::try_from(torn.at + torn.size)?;
        bytes.truncate(end);
        if let Some(last) = bytes.last_mut() {
            *last = !*last;
        }
        fs::write(&path, bytes)?;
        for ending in ["index", "timeindex"] {
            if self.segment(ending).exists() {
                OpenOptions::new().write(true).open(self.segment(ending))?.set_len(0)?;
            }
        }
        Ok(())
    }

    /// A new disk.
    pub fn lose_all(&self) -> io::Result<()> {
        for entry in fs::read_dir(&self.dir)? {
            let path = entry?.path();
            // A broker whose disk is replaced is given its identity again by whoever replaces it.
            match path.file_name().and_then(|name| name.to_str()) {
                Some("meta.properties") => {}
                _ if path.is_dir() => fs::remove_dir_all(path)?,
                _ => fs::remove_file(path)?,
            }
        }
        Ok(())
    }
}

/// What a broker of the model has on its disk.
pub fn of_model(disk: &Disk) -> String {
    in_words(&disk.log, &disk.epochs, disk.clean.is_some())
}

fn in_words(log: &[Entry], epochs: &EpochCache, clean: bool) -> String {
    let log: Vec<_> = log.iter().map(|entry| format!("m{}/{}", entry.value, entry.epoch)).collect();
    let epochs: Vec<_> = epochs.entries().iter().map(|entry| format!("{}@{}", entry.epoch, entry.start)).collect();
    let said = |list: Vec<String>, nothing: &str| if list.is_empty() { nothing.to_owned() } else { list.join(" ") };
    let clean = if clean { "; clean" } else { "" };
    format!("log {}; epochs {}{clean}", said(log, "empty"), said(epochs, "none"))
}

/// The batches of a log, all of which must be whole.
fn found_in(log: &Bytes) -> Result<Vec<Found>, Box<dyn Error>> {
    let (mut found, mut at) = (Vec::new(), 0);
    for batch in split(log.clone()) {
        let (header, batch) = batch?;
        check_copied(&batch)?;
        if header.base_offset != Offset(found.len() as i64) {
            return Err(format!("a batch at offset {} where {} is due", header.base_offset, found.len()).into());
        }
        for record in records(&batch, MOST)? {
            let value = record?.value.unwrap_or_default();
            let value = std::str::from_utf8(&value)?.trim_start_matches('m').parse()?;
            let epoch = header.leader_epoch.ok_or("a batch without a leader epoch")?;
            found.push(Found { entry: Entry { epoch, value }, at, size: batch.len() as u64 });
        }
        at += batch.len() as u64;
    }
    Ok(found)
}

fn read(path: &Path) -> io::Result<Vec<u8>> {
    match fs::read(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        other => other,
    }
}

fn number(bytes: &[u8]) -> u32 {
    bytes.iter().fold(0, |number, byte| number << 8 | u32::from(*byte))
}
