//! What the property tests share.

use highwater_spec::rules::Rules;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};

/// Every baseline, with up to two decisions taken otherwise.
pub fn rules() -> impl Strategy<Value = Rules> {
    (select(Rules::BASELINES), vec(any::<(Index, Index)>(), 0..=2)).prop_map(|((_, base), overrides)| {
        overrides.into_iter().fold(base, |rules, (decision, variant)| {
            let &(field, variants) = decision.get(Rules::DECISIONS);
            rules.with(field, variant.get::<&str>(variants)).unwrap()
        })
    })
}

/// So many cases, unless `PROPTEST_CASES` says otherwise, and no file that remembers the failures.
pub fn cases(cases: u32) -> ProptestConfig {
    let given = ProptestConfig::default();
    let cases = std::env::var_os("PROPTEST_CASES").map_or(cases, |_| given.cases);
    ProptestConfig { cases, failure_persistence: None, max_shrink_iters: 20_000, ..given }
}
