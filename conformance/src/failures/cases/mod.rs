//! The cases. What each shows is in its name.

mod bad_bytes;
mod cut_off;
mod elections;
mod groups;
mod killed;
mod min_isr;
mod power;
mod readers;
mod restarts;

use super::Case;

pub(super) fn all() -> Vec<Case> {
    let all = [
        killed::cases(),
        cut_off::cases(),
        min_isr::cases(),
        elections::cases(),
        groups::cases(),
        readers::cases(),
        power::cases(),
        restarts::cases(),
        bad_bytes::cases(),
    ];
    all.into_iter().flatten().collect()
}
