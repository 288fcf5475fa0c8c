//! What the property tests share.

use highwater_spec::rules::Rules;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use proptest::test_runner::RngSeed;

/// Every baseline, with up to two decisions taken otherwise.
pub fn rules() -> impl Strategy<Value = Rules> {
    (select(Rules::BASELINES), vec(any::<(Index, Index)>(), 0..=2)).prop_map(|((_, base), overrides)| {
        overrides.into_iter().fold(base, |rules, (decision, variant)| {
            let &(field, variants) = decision.get(Rules::DECISIONS);
            rules.with(field, variant.get::<&str>(variants)).unwrap()
        })
    })
}

/// So many cases, the same in every run, and no file that remembers the failures. `PROPTEST_CASES` sets another number,
/// and then they are new ones in every run: for hunting.
pub fn cases(cases: u32) -> ProptestConfig {
    let given = ProptestConfig::default();
    let hunting = std::env::var_os("PROPTEST_CASES").is_some();
    let (cases, rng_seed) = if hunting { (given.cases, given.rng_seed) } else { (cases, RngSeed::Fixed(966)) };
    ProptestConfig { cases, rng_seed, failure_persistence: None, max_shrink_iters: 20_000, ..given }
}
