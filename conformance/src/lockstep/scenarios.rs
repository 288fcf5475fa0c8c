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
];

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
    use super::{BROKEN, MENDED};
    use highwater_checker::museum::{EXHIBITS, Kind};

    #[test]
    fn every_exhibit_is_here_and_every_bug_has_its_sister() {
        for exhibit in EXHIBITS {
            let file = format!("{}.scenario", exhibit.name);
            assert!(BROKEN.iter().any(|told| told.name == file), "{file}");
            let mended = MENDED.iter().any(|told| told.name == format!("mended/{file}"));
            assert_eq!(mended, exhibit.kind == Kind::Bug, "{file}");
        }
        assert_eq!(BROKEN.len(), EXHIBITS.len());
    }
}
