//! What can be wrong with a history.

use std::fmt;

/// A promise that was broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// A partition had two owners at once: in the coordinator's view, in one generation, or among members in good
    /// standing.
    TwoOwners,
    /// A commit was accepted from a member that others had replaced.
    FencedCommit,
    /// A commit that was accepted is less than one that had been accepted before, and nobody meant that.
    CommitMovedBack,
    /// An offset that was accepted is not the one that is told, or from which the next owner reads.
    LostCommit,
    /// A committed offset was told that nobody had committed.
    NeverCommitted,
    /// A value was acknowledged, and readers passed its place without seeing it.
    LostWrite,
    /// A value that is written once at most is at two places.
    Duplicate,
    /// Values of one sender lie in another order than it sent them.
    NonmonotonicSend,
    /// A reader went back within one assignment.
    NonmonotonicPoll,
    /// One offset has two values, or a value isn't where it was acknowledged.
    InconsistentOffsets,
    /// A value that was refused was delivered.
    AbortedRead,
    /// A value was delivered that nobody sent.
    NeverSent,
}

impl Kind {
    /// Its name: Jepsen's, where Jepsen has one.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::TwoOwners => "two-owners",
            Self::FencedCommit => "fenced-commit",
            Self::CommitMovedBack => "commit-moved-back",
            Self::LostCommit => "lost-commit",
            Self::NeverCommitted => "never-committed",
            Self::LostWrite => "lost-write",
            Self::Duplicate => "duplicate",
            Self::NonmonotonicSend => "nonmonotonic-send",
            Self::NonmonotonicPoll => "nonmonotonic-poll",
            Self::InconsistentOffsets => "inconsistent-offsets",
            Self::AbortedRead => "aborted-read",
            Self::NeverSent => "never-sent",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// One anomaly of a history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Anomaly {
    /// Which promise.
    pub kind: Kind,
    /// Who, what and when.
    pub what: String,
}

impl Anomaly {
    pub(super) fn new(kind: Kind, what: impl Into<String>) -> Self {
        Self { kind, what: what.into() }
    }
}

impl fmt::Display for Anomaly {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.kind, self.what)
    }
}
