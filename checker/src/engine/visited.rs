//! The states found so far: each one's fingerprint, and its parent's, from which a path can be walked back;
//! and who finds a new one first.
//!
//! The states themselves aren't kept; two that share a fingerprint are taken for one, with the
//! probability that a report states.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::{Mutex, RwLock, RwLockReadGuard};

/// How many parts the set has: enough for workers to seldom wait for each other.
pub(super) const SHARDS: usize = 64;

/// A map by fingerprints. Iterated only to fill another.
type ByFingerprint<Value> = HashMap<u64, Value, BuildHasherDefault<AsItIs>>;

/// Which part a fingerprint belongs to: by bits that a hash table makes no other use of.
fn shard_of(fingerprint: u64) -> usize {
    (fingerprint >> 40) as usize % SHARDS
}

/// The set, in parts that can be written to independently.
pub(super) struct Visited {
    /// Fingerprint -> parent's fingerprint, of every state found before this round.
    parents: Vec<RwLock<ByFingerprint<u64>>>,
    /// Who claims to have found a state first, in this round.
    claims: Vec<Mutex<ByFingerprint<Claim>>>,
}

/// A claim to have found a state first.
struct Claim {
    rank: Rank,
    parent: u64,
}

/// When one worker alone would have found a state, in a round: the chunk, and how many it found before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Rank {
    pub(super) chunk: u32,
    pub(super) index: u32,
}

impl Visited {
    /// An empty set.
    pub(super) fn new() -> Visited {
        Visited {
            parents: (0..SHARDS).map(|_| RwLock::default()).collect(),
            claims: (0..SHARDS).map(|_| Mutex::default()).collect(),
        }
    }

    /// Locks what earlier rounds found, once for many states.
    pub(super) fn finder(&self) -> Finder<'_> {
        Finder { parents: self.parents.iter().map(|p| p.read().unwrap()).collect(), claims: &self.claims }
    }

    /// Whether the claim of this rank is the one that won.
    pub(super) fn has_won(&self, fingerprint: u64, rank: Rank) -> bool {
        let claims = self.claims[shard_of(fingerprint)].lock().unwrap();
        claims[&fingerprint].rank == rank
    }

    /// Ends a round for one shard: what was claimed is known from now on.
    pub(super) fn settle(&self, shard: usize) {
        let mut parents = self.parents[shard].write().unwrap();
        let mut claims = self.claims[shard].lock().unwrap();
        parents.reserve(claims.len()); // growing while another table drains into it would cluster
        let claims = claims.drain();
        parents.extend(claims.map(|(fingerprint, claim)| (fingerprint, claim.parent)));
    }

    /// The fingerprints from `from` back to the initial state, which is its own parent; then reversed.
    pub(super) fn path_to(&self, from: u64) -> Vec<u64> {
        let known = self.finder();
        let mut path = vec![from];
        loop {
            let last = path[path.len() - 1];
            match known.parents[shard_of(last)][&last] {
                parent if parent == last => break,
                parent => path.push(parent),
            }
        }
        path.reverse();
        path
    }
}

/// The set as one worker sees it during a round.
pub(super) struct Finder<'a> {
    parents: Vec<RwLockReadGuard<'a, ByFingerprint<u64>>>,
    claims: &'a [Mutex<ByFingerprint<Claim>>],
}

impl Finder<'_> {
    /// Claims a state, unless it was known before this round or someone of lower rank has claimed it.
    ///
    /// A claim stands until someone of lower rank, who was slower, takes it away.
    pub(super) fn claim(&self, fingerprint: u64, parent: u64, rank: Rank) -> bool {
        let shard = shard_of(fingerprint);
        let claim = Claim { rank, parent };
        match self.claims[shard].lock().unwrap().entry(fingerprint) {
            Entry::Occupied(other) if other.get().rank < rank => false,
            Entry::Occupied(mut other) => {
                other.insert(claim);
                true
            }
            Entry::Vacant(_) if self.parents[shard].contains_key(&fingerprint) => false,
            Entry::Vacant(free) => {
                free.insert(claim);
                true
            }
        }
    }
}

/// A fingerprint is a hash already.
#[derive(Default)]
struct AsItIs(u64);

impl Hasher for AsItIs {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write_u64(&mut self, value: u64) {
        self.0 = value;
    }

    fn write(&mut self, _: &[u8]) {
        unreachable!("only fingerprints are hashed");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EARLY: Rank = Rank { chunk: 1, index: 9 };
    const LATE: Rank = Rank { chunk: 2, index: 0 };

    #[test]
    fn the_lower_rank_wins_whoever_comes_first() {
        for ranks in [[EARLY, LATE], [LATE, EARLY]] {
            let visited = Visited::new();
            let claimed = ranks.map(|rank| visited.finder().claim(7, u64::from(rank.chunk), rank));
            assert_eq!(claimed, [true, ranks[1] == EARLY]);
            assert!(visited.has_won(7, EARLY));
            assert!(!visited.has_won(7, LATE));

            (0..SHARDS).for_each(|shard| visited.settle(shard));
            assert_eq!(visited.finder().parents[shard_of(7)][&7], 1);
        }
    }

    #[test]
    fn what_is_settled_can_not_be_claimed() {
        let visited = Visited::new();
        assert!(visited.finder().claim(7, 7, LATE));
        assert!(visited.finder().claim(8, 7, LATE));
        (0..SHARDS).for_each(|shard| visited.settle(shard));
        assert!(!visited.finder().claim(7, 3, EARLY));
        assert!(visited.finder().claim(9, 8, EARLY));
        (0..SHARDS).for_each(|shard| visited.settle(shard));
        assert_eq!(visited.path_to(9), [7, 8, 9]);
    }
}
