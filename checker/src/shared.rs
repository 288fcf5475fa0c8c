//! A part of a state that many states share.
//!
//! States differ in little from the ones that they come from. A [`Shared`] part is copied when it is edited and not
//! before, and its hash is computed once, for each way of renaming brokers.

use ahash::RandomState;
use std::fmt;
use std::hash::Hash;
use std::ops::Deref;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Hashes a value in the same way in every run.
pub fn digest<T: Hash + ?Sized>(value: &T) -> u64 {
    // Any fixed seeds will do; these are digits of pi.
    RandomState::with_seeds(0x243f_6a88_85a3_08d3, 0x1319_8a2e_0370_7344, 0xa409_3822_299f_31d0, 0x082e_fa98_ec4e_6c89)
        .hash_one(value)
}

/// A copy-on-write value with a cached hash.
pub struct Shared<T>(Arc<Cached<T>>);

/// How many permutations of names a value's hashes are kept for: those of three brokers.
pub const PERMUTATIONS: usize = 6;

struct Cached<T> {
    /// One for each permutation of names, the first being none; 0 until it is asked for.
    hashes: [AtomicU64; PERMUTATIONS],
    value: T,
}

impl<T> Shared<T> {
    /// A new value.
    pub fn new(value: T) -> Self {
        Self(Arc::new(Cached { hashes: Default::default(), value }))
    }
}

impl<T: Clone> Shared<T> {
    /// The value, for changing it; others that share it keep theirs.
    pub fn edit(&mut self) -> &mut T {
        let cached = Arc::make_mut(&mut self.0);
        cached.hashes = Default::default();
        &mut cached.value
    }
}

impl<T: Hash> Shared<T> {
    /// The value's hash.
    pub fn digest(&self) -> u64 {
        self.digest_kept(0, digest)
    }

    /// The hash of what `rename`, the permutation with this number, makes of the value.
    pub fn digest_renamed(&self, permutation: usize, rename: impl FnOnce(&T) -> T) -> u64 {
        self.digest_kept(permutation, |value| digest(&rename(value)))
    }

    fn digest_kept(&self, permutation: usize, of: impl FnOnce(&T) -> u64) -> u64 {
        let kept = &self.0.hashes[permutation];
        match kept.load(Ordering::Relaxed) {
            0 => {
                let hash = of(&self.0.value).max(1);
                kept.store(hash, Ordering::Relaxed);
                hash
            }
            known => known,
        }
    }
}

impl<T> Clone for Shared<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<T: Clone> Clone for Cached<T> {
    fn clone(&self) -> Self {
        // Copied to be edited: no hash would stay true.
        Self { hashes: Default::default(), value: self.value.clone() }
    }
}

impl<T> Deref for Shared<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0.value
    }
}

impl<T: PartialEq> PartialEq for Shared<T> {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0) || self.0.value == other.0.value
    }
}

impl<T: fmt::Debug> fmt::Debug for Shared<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.value.fmt(f)
    }
}
