//! Hashing what few worlds use as nothing where it is not used.
//!
//! Which of several equally short counterexamples is shown depends on the fingerprints of states. A field that a new
//! capability adds must not change those of worlds without it: what was recorded of them would no longer be found.

use std::hash::{Hash, Hasher};

/// Hashes `value` unless it is the default.
pub fn hash<T: Hash + Default + PartialEq>(value: &T, state: &mut impl Hasher) {
    if *value != T::default() {
        value.hash(state);
    }
}
