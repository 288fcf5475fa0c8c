//! A part of many walks, drawn by a seed, in which all happens that happens in any of them.

use super::Walk;
use std::collections::HashSet;
use std::hash::Hash;

/// Walks drawn without putting back: first those in which something happens that happened in none before, then any,
/// until they have `steps` steps together or there are no more. The same seed draws the same ones. Their numbers, in
/// ascending order.
#[must_use]
pub fn sample<E: Eq + Hash>(walks: &[Walk<E>], seed: u64, steps: usize) -> Vec<usize> {
    let order = shuffled(walks.len(), seed);
    let mut happened = HashSet::new();
    let tells_new = |walk: &usize| walks[*walk].events.iter().filter(|event| happened.insert(*event)).count() > 0;
    let (mut drawn, others): (Vec<_>, Vec<_>) = order.into_iter().partition(tells_new);
    let mut taken: usize = drawn.iter().map(|walk| walks[*walk].events.len()).sum();
    for walk in others {
        if taken >= steps {
            break;
        }
        taken += walks[walk].events.len();
        drawn.push(walk);
    }
    drawn.sort_unstable();
    drawn
}

/// The numbers below `count`, in an order that the seed decides.
fn shuffled(count: usize, seed: u64) -> Vec<usize> {
    let (mut random, mut left) = (Random(seed), (0..count).collect::<Vec<_>>());
    (0..count).map(|_| left.swap_remove(random.below(left.len()))).collect()
}

/// Pseudorandom numbers that are the same everywhere: SplitMix64, by Steele, Lea and Flood (2014).
pub(super) struct Random(pub(super) u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `bound`, which is not 0. (That some come more often by far less than one in a billion is no one's
    /// concern.)
    pub(super) fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound as u64) as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn walks() -> Vec<Walk<u8>> {
        (1..=20).map(|length| Walk { edges: vec![0; length], events: vec![0; length] }).collect()
    }

    #[test]
    fn a_seed_draws_the_same_walks_again() {
        let walks = walks();
        assert_eq!(sample(&walks, 7, 50), sample(&walks, 7, 50));
        assert!((8..20).any(|seed| sample(&walks, seed, 50) != sample(&walks, 7, 50)), "the seed makes no difference");
    }

    #[test]
    fn no_more_walks_than_needed_and_none_twice() {
        let walks = walks();
        for (seed, steps) in (0..50).zip([0, 1, 30, 100, 209, 210, 1000].into_iter().cycle()) {
            let drawn = sample(&walks, seed, steps);
            assert!(drawn.windows(2).all(|pair| pair[0] < pair[1]), "{drawn:?}");
            let length = |walk: &usize| walks[*walk].events.len();
            let total: usize = drawn.iter().map(length).sum();
            let least = drawn.iter().map(|last| total - length(last)).min().unwrap_or(0);
            assert!(total >= steps.min(210), "{steps} steps of {drawn:?}");
            assert!(least < steps || drawn.len() == 1, "one of {drawn:?} is not needed for {steps} steps");
        }
    }

    #[test]
    fn whatever_happens_in_a_walk_happens_in_one_that_is_drawn() {
        let walks: Vec<_> = (0..100_u8).map(|at| Walk { edges: vec![0; 2], events: vec![at / 10, 100] }).collect();
        for seed in 0..20 {
            let drawn = sample(&walks, seed, 0);
            let happened: HashSet<_> = drawn.iter().map(|walk| walks[*walk].events[0]).collect();
            assert_eq!((drawn.len(), happened.len()), (10, 10), "{drawn:?}");
        }
    }
}
