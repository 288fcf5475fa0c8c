//! The scenarios of the museum: each bug as it happened, by the rules of its time, and its sister by today's.

/// A scenario, and its text.
#[derive(Clone, Copy, Debug)]
pub struct Told {
    /// Its file, below `scenarios/`.
    pub name: &'static str,
    /// What it says.
    pub text: &'static str,
}

macro_rules! told {
    ($($name:literal),+ $(,)?) => {
        &[$(Told { name: $name, text: include_str!(concat!("../../../scenarios/", $name)) }),+]
    };
}

/// Those by the rules that broke, and those of losses that are promised to no one.
pub const BROKEN: &[Told] = told![
    "kip-101-1.scenario",
    "kip-101-2.scenario",
    "kip-98.scenario",
    "kafka-5494.scenario",
    "kip-279.scenario",
    "kip-320.scenario",
    "kip-966.scenario",
    "known-epoch.scenario",
    "acks-1.scenario",
    "unclean-election.scenario",
    "at-least-once.scenario",
    "commit-first.scenario",
    "kafka-14639.scenario",
    "kafka-16147.scenario",
    "kafka-8500.scenario",
    "late-commit.scenario",
    "late-heartbeat.scenario",
    "passed-over.scenario",
    "processed-again.scenario",
    "set-back.scenario",
    "stop-the-world.scenario",
    "unfenced-member.scenario",
    "unfenced-zombie.scenario",
];

/// Those that no cluster of ours can play, whatever its rules: its coordinators act on who leads now, and never on what
/// they were told before.
pub const UNPLAYABLE: &[&str] = &["kafka-10614"];

/// The same requests and faults by today's rules: nothing is lost.
pub const MENDED: &[Told] = told![
    "mended/kip-101-1.scenario",
    "mended/kip-101-2.scenario",
    "mended/kip-98.scenario",
    "mended/kafka-5494.scenario",
    "mended/kip-279.scenario",
    "mended/kip-320.scenario",
    "mended/kip-966.scenario",
    "mended/known-epoch.scenario",
];

#[cfg(test)]
mod tests {
    use super::{BROKEN, MENDED, UNPLAYABLE};
    use highwater_checker::museum::{CONSUMER_EXHIBITS, EXHIBITS, GROUP_EXHIBITS, Kind};
    use std::collections::BTreeSet;

    #[test]
    fn every_exhibit_is_here_and_every_bug_of_replication_has_its_sister() {
        let of_groups = GROUP_EXHIBITS.iter().map(|exhibit| exhibit.name);
        let names = of_groups.chain(CONSUMER_EXHIBITS.iter().map(|exhibit| exhibit.name));
        let names = names.chain(EXHIBITS.iter().map(|exhibit| exhibit.name));
        let playable = names.filter(|name| !UNPLAYABLE.contains(name)).map(|name| format!("{name}.scenario"));
        let here = BROKEN.iter().map(|told| told.name.to_owned());
        assert_eq!(here.collect::<BTreeSet<_>>(), playable.collect());
        for exhibit in EXHIBITS {
            let mended = MENDED.iter().any(|told| told.name == format!("mended/{}.scenario", exhibit.name));
            assert_eq!(mended, exhibit.kind == Kind::Bug, "{}", exhibit.name);
        }
    }
}
