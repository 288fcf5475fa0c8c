//! How long a search may run and how much memory it may take, and noticing in time.
//!
//! Not here: what a search that was stopped reports (`report.rs`).

use std::fmt;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// Reading the resident set costs tens of microseconds, so it is read at most this often.
const SAMPLE_EVERY: Duration = Duration::from_millis(50);

/// What stopped a search before it had seen everything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Limit {
    /// It ran out of time.
    Time,
    /// It ran out of memory.
    Memory,
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Limit::Time => "time limit",
            Limit::Memory => "memory limit",
        })
    }
}

/// A memory limit was asked for where the memory in use can't be read, so it couldn't be obeyed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LimitUnknown;

impl fmt::Display for LimitUnknown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "a memory limit can't be obeyed here: the memory in use is read from \
             /proc/self/status, which only Linux has; leave the memory limit out",
        )
    }
}

impl std::error::Error for LimitUnknown {}

/// Watches the limits of one search, on behalf of all its workers.
pub(super) struct Watch {
    started: Instant,
    time_limit: Option<Duration>,
    memory_limit: Option<u64>,
    /// Milliseconds after the start at which memory is to be read again.
    next_sample: AtomicU64,
    peak_memory: AtomicU64,
    hit: OnceLock<Limit>,
}

impl Watch {
    /// Starts the clock.
    pub(super) fn start(time_limit: Option<Duration>, memory_limit: Option<u64>) -> Result<Watch, LimitUnknown> {
        if memory_limit.is_some() && resident_bytes().is_none() {
            return Err(LimitUnknown);
        }
        Ok(Watch {
            started: Instant::now(),
            time_limit,
            memory_limit,
            next_sample: AtomicU64::new(0),
            peak_memory: AtomicU64::new(0),
            hit: OnceLock::new(),
        })
    }

    /// Whether a limit is reached, now or earlier. Cheap enough for every few hundred states.
    pub(super) fn exceeded(&self) -> bool {
        if self.hit.get().is_none() {
            self.test();
        }
        self.hit.get().is_some()
    }

    /// The limit that was reached first, if any was.
    pub(super) fn hit(&self) -> Option<Limit> {
        self.hit.get().copied()
    }

    /// How long the search has been running.
    pub(super) fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }

    /// The largest resident set seen, this moment's included.
    pub(super) fn peak_memory(&self) -> Option<u64> {
        let resident = resident_bytes()?;
        Some(resident.max(self.peak_memory.fetch_max(resident, Ordering::Relaxed)))
    }

    fn test(&self) {
        let elapsed = self.elapsed();
        if self.time_limit.is_some_and(|limit| elapsed >= limit) {
            let _ = self.hit.set(Limit::Time); // whichever limit is noticed first is the one
        }
        if self.is_my_sample(elapsed)
            && let Some(resident) = resident_bytes()
        {
            self.peak_memory.fetch_max(resident, Ordering::Relaxed);
            if self.memory_limit.is_some_and(|limit| resident >= limit) {
                let _ = self.hit.set(Limit::Memory);
            }
        }
    }

    /// One worker at a time takes a sample.
    fn is_my_sample(&self, elapsed: Duration) -> bool {
        let now = elapsed.as_millis() as u64;
        let due = self.next_sample.load(Ordering::Relaxed);
        let next = now + SAMPLE_EVERY.as_millis() as u64;
        now >= due && (self.next_sample).compare_exchange(due, next, Ordering::Relaxed, Ordering::Relaxed).is_ok()
    }
}

/// The memory of this process that is in RAM; `None` where there is no `/proc`.
fn resident_bytes() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kilobytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kilobytes * 1024)
}
