//! The cases. What each shows is in its name.

mod bad_bytes;
mod cut_off;
mod killed;
mod min_isr;
mod power;
mod restarts;

use super::Case;

pub(super) fn all() -> Vec<Case> {
    [killed::cases(), cut_off::cases(), min_isr::cases(), power::cases(), restarts::cases(), bad_bytes::cases()]
        .into_iter()
        .flatten()
        .collect()
}
