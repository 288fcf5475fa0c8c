//! What the property tests share.

mod cases;

pub use cases::cases;

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
