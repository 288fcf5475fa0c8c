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
    let by_processes = [
        killed::cases(),
        cut_off::cases(),
        min_isr::cases(),
        elections::cases(),
        groups::cases(),
        readers::cases(),
        restarts::cases(),
    ];
    // These know what our broker flushes, and what it says.
    let of_ours = [power::cases(), bad_bytes::cases()];
    let by_processes = by_processes.into_iter().flatten().map(Case::also_on_apache_kafka);
    by_processes.chain(of_ours.into_iter().flatten()).collect()
}
