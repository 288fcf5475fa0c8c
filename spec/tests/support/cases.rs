//! How many cases a property is tried with.

use proptest::prelude::*;
use proptest::test_runner::RngSeed;

/// So many cases, the same in every run, and no file that remembers the failures. `PROPTEST_CASES` sets another number,
/// and then they are new ones in every run: for hunting.
pub fn cases(cases: u32) -> ProptestConfig {
    let given = ProptestConfig::default();
    let hunting = std::env::var_os("PROPTEST_CASES").is_some();
    let (cases, rng_seed) = if hunting { (given.cases, given.rng_seed) } else { (cases, RngSeed::Fixed(966)) };
    ProptestConfig { cases, rng_seed, failure_persistence: None, max_shrink_iters: 20_000, ..given }
}
