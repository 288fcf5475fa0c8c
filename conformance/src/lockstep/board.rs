//! What waits at the doors of all nodes, as far as they have told.

use highwater::door::{Place, What};
use highwater_spec::values::BrokerId;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::Duration;

/// Something that waits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// At whose door.
    pub node: BrokerId,
    /// Under which number.
    pub number: u64,
    /// Before what.
    pub at: Place,
    /// What it is.
    pub what: What,
}

/// What a door tells.
#[derive(Clone, Debug)]
pub enum Note {
    /// Something waits.
    Arrived(Entry),
    /// Something has gone by itself.
    Gone(BrokerId, u64),
    /// All that followed from what passed has been carried out.
    Done(BrokerId, u64),
    /// A process has stopped between two outputs.
    Stopped(BrokerId),
    /// A process has ended by itself.
    Ended(BrokerId),
}

/// What waits, everywhere.
#[derive(Debug)]
pub struct Board {
    notes: Receiver<Note>,
    waiting: BTreeMap<(BrokerId, u64), Entry>,
    under_way: BTreeSet<(BrokerId, u64)>,
    stopped: BTreeSet<BrokerId>,
    ended: BTreeSet<BrokerId>,
    /// How many notes were taken.
    taken: u64,
    /// How long a cluster may do nothing before what is awaited is said to be missing.
    patience: Duration,
}

impl Board {
    /// A board on which nothing stands yet.
    pub fn new(notes: Receiver<Note>, patience: Duration) -> Self {
        let (under_way, stopped, ended) = Default::default();
        Self { notes, waiting: BTreeMap::new(), under_way, stopped, ended, taken: 0, patience }
    }

    /// What waits now.
    pub fn waiting(&mut self) -> impl Iterator<Item = &Entry> {
        while let Ok(note) = self.notes.try_recv() {
            self.take(note);
        }
        self.waiting.values()
    }

    /// How much has happened. Whoever looks, and then waits, says how much had happened before it looked.
    pub fn now(&self) -> u64 {
        self.taken
    }

    /// Waits until something has happened `since`; false if nothing does.
    pub fn wait(&mut self, since: u64) -> bool {
        if self.taken > since {
            return true;
        }
        match self.notes.recv_timeout(self.patience) {
            Ok(note) => {
                self.take(note);
                true
            }
            Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => false,
        }
    }

    fn take(&mut self, note: Note) {
        self.taken += 1;
        match note {
            Note::Arrived(entry) => drop(self.waiting.insert((entry.node, entry.number), entry)),
            Note::Gone(node, number) => {
                self.waiting.remove(&(node, number));
            }
            Note::Done(node, number) => {
                self.under_way.remove(&(node, number));
            }
            Note::Stopped(node) => {
                self.stopped.insert(node);
            }
            Note::Ended(node) => {
                self.under_way.retain(|(of, _)| *of != node);
                self.ended.insert(node);
            }
        }
    }

    /// Something that is no machine's concern, and may go on: logs are about to be closed, or someone waits until a
    /// replica has heard what it was told, and it has.
    pub fn free(&mut self) -> Option<Entry> {
        let waiting: Vec<_> = self.waiting().cloned().collect();
        let told = |entry: &Entry| matches!(&entry.what, What::Input(text) if ["Assigned", "ClusterChanged", "Closing"].iter().any(|told| text.starts_with(told)));
        let is_free = |entry: &&Entry| match entry.what {
            What::Close => true,
            What::Sync => !waiting.iter().any(|other| other.node == entry.node && other.at == entry.at && told(other)),
            _ => false,
        };
        waiting.iter().find(is_free).cloned()
    }

    /// An entry is passed: it waits no more, and something is under way.
    pub fn passes(&mut self, entry: &Entry) {
        self.waiting.remove(&(entry.node, entry.number));
        self.under_way.insert((entry.node, entry.number));
    }

    /// Something is done that no entry stands for; the number names it.
    pub fn begins(&mut self, node: BrokerId) -> u64 {
        let number = u64::MAX;
        self.under_way.insert((node, number));
        number
    }

    /// An entry is discarded.
    pub fn forgets(&mut self, entry: &Entry) {
        self.waiting.remove(&(entry.node, entry.number));
    }

    /// Whether anything that passed is still being carried out.
    pub fn is_busy(&self) -> bool {
        !self.under_way.is_empty()
    }

    /// Whether a process has stopped between two outputs.
    pub fn has_stopped(&self, node: BrokerId) -> bool {
        self.stopped.contains(&node)
    }

    /// Whether a process has ended by itself.
    pub fn has_ended(&self, node: BrokerId) -> bool {
        self.ended.contains(&node)
    }

    /// A process has ended, and with it all that waited at its door.
    pub fn clear(&mut self, node: BrokerId) {
        while let Ok(note) = self.notes.try_recv() {
            self.take(note);
        }
        self.waiting.retain(|(of, _), _| *of != node);
        self.under_way.retain(|(of, _)| *of != node);
        self.stopped.remove(&node);
        self.ended.remove(&node);
    }
}
