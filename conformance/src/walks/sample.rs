//! A part of many walks, drawn by a seed.

use super::Walk;

/// Walks drawn without putting back until they have `steps` steps together, or there are no more. The same seed draws
/// the same ones. Their numbers, in ascending order.
#[must_use]
pub fn sample<E>(walks: &[Walk<E>], seed: u64, steps: usize) -> Vec<usize> {
    let (mut random, mut left) = (Random(seed), (0..walks.len()).collect::<Vec<_>>());
    let (mut drawn, mut taken) = (Vec::new(), 0);
    while taken < steps && !left.is_empty() {
        let walk = left.swap_remove(random.below(left.len()));
        taken += walks[walk].events.len();
        drawn.push(walk);
    }
    drawn.sort_unstable();
    drawn
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
            assert!(total >= steps.min(210) && least < steps.max(1), "{steps} steps of {drawn:?}");
        }
    }
}
