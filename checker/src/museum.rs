//! Bugs of Kafka's history, found again: each with the rules under which it breaks, and the twin that holds.
//!
//! An exhibit proves two things: that the world is rich enough for the bug to happen in it, and that the property
//! notices. A property without an exhibit is not trusted.

use crate::replication::{Bounds, World};
use highwater_spec::property::{self, Property};
use highwater_spec::rules::{Elr, FetchFencing, KnownBatches, KnownEpoch, Rules, Truncation};

/// What an exhibit shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A bug: rules that break what Kafka promises.
    Bug,
    /// No bug: what is lost where Kafka promises nothing.
    ExpectedLoss,
}

/// One case: how decisions are taken, and how much may happen.
#[derive(Clone, Copy, Debug)]
pub struct Case {
    /// How decisions are taken.
    pub rules: Rules,
    /// How much may happen.
    pub bounds: Bounds,
    /// What is judged.
    pub property: Property,
}

/// One exhibit.
#[derive(Clone, Copy, Debug)]
pub struct Exhibit {
    /// Its name, also that of its scenario.
    pub name: &'static str,
    /// What it is, in a sentence.
    pub title: &'static str,
    /// What it shows.
    pub kind: Kind,
    /// The case that breaks.
    pub broken: Case,
    /// Its twin, which holds.
    pub mended: Case,
}

impl Case {
    /// The cluster to explore.
    pub fn world(&self) -> World {
        World::judged_by(self.rules, self.bounds, &[self.property])
    }
}

impl Exhibit {
    /// The same bounds and property, by other rules.
    const fn bug(
        name: &'static str,
        title: &'static str,
        broken: Rules,
        mended: Rules,
        bounds: Bounds,
        property: Property,
    ) -> Self {
        let (broken, mended) = (Case { rules: broken, bounds, property }, Case { rules: mended, bounds, property });
        Self { name, title, kind: Kind::Bug, broken, mended }
    }
}

const TWO: Bounds = Bounds { brokers: 2, atomic_fetches: 1, atomic_proposals: 1, ..Bounds::QUIET };
const THREE: Bounds = Bounds { brokers: 3, atomic_fetches: 1, atomic_proposals: 1, ..Bounds::QUIET };

/// Every exhibit, the oldest bug first.
pub const EXHIBITS: &[Exhibit] = &[
    Exhibit::bug(
        "kip-101-1",
        "a follower truncates to its own lagging high watermark, leads, and what was acknowledged is gone; until 0.11",
        Rules::V0_10,
        Rules { truncation: Truncation::OnFetch, ..Rules::V0_10 },
        Bounds { min_isr: 2, records: 1, kills: 1, stops: 1, atomic_fetches: 0, ..TWO },
        property::ACKNOWLEDGED_SURVIVES,
    ),
    Exhibit::bug(
        "kip-101-2",
        "a replica that lost its tail leads again, and another keeps other records at the same offsets; until 0.11",
        Rules::V0_10,
        Rules { truncation: Truncation::OnFetch, ..Rules::V0_10 },
        Bounds { records: 3, acks: 1, power_losses: 1, fences: 1, ..TWO },
        property::LOG_MATCHING,
    ),
    Exhibit::bug(
        "kip-98",
        "a producer hears no answer, sends its record again, and both are written; until 0.11",
        Rules::V0_10,
        Rules { known_batches: KnownBatches::LastFive, ..Rules::V0_10 },
        Bounds { records: 1, retries: 1, idempotent: 1, ..TWO },
        property::WRITTEN_ONCE,
    ),
    Exhibit::bug(
        "kafka-5494",
        "of two records under way the first is sent again, and only the second is known: it seems to be missing; 0.11",
        Rules::V0_11,
        Rules { known_batches: KnownBatches::LastFive, ..Rules::V0_11 },
        Bounds { records: 2, retries: 1, idempotent: 1, ..TWO },
        property::RETRY_RECOGNISED,
    ),
    Exhibit::bug(
        "kip-279",
        "a leader that never heard of an epoch tells where it ends, too far; until 2.0",
        Rules::V0_11,
        Rules { truncation: Truncation::OnFetch, ..Rules::V0_11 },
        Bounds { min_isr: 2, records: 3, acks: 1, fences: 2, ..TWO },
        property::LOG_MATCHING,
    ),
    Exhibit::bug(
        "kip-320",
        "a follower of an earlier epoch is counted for a record that it has not; until 2.1",
        Rules::V2_0,
        Rules { fetch_fencing: FetchFencing::LeaderEpoch, ..Rules::V2_0 },
        Bounds { records: 2, fences: 1, elections: 1, ..THREE },
        property::CANDIDATE_COMPLETENESS,
    ),
    Exhibit::bug(
        "kip-966",
        "the last in-sync replica loses its tail and leads again, and the others follow it; before ELRs, a preview in 4.0 and on in new clusters of 4.1",
        Rules::V3_9,
        Rules { elr: Elr::On, ..Rules::V3_9 },
        Bounds { min_isr: 2, records: 1, power_losses: 1, fences: 1, ..TWO },
        property::ACKNOWLEDGED_SURVIVES,
    ),
    Exhibit::bug(
        "known-epoch",
        "metadata that a leader knows already makes it forget whom it has just proposed for the ISR; the code of 4.1",
        Rules::V4_1,
        Rules { known_epoch: KnownEpoch::Ignored, ..Rules::V4_1 },
        Bounds { records: 1, lags: 1, fences: 1, ..THREE },
        property::CANDIDATE_COMPLETENESS,
    ),
    Exhibit {
        name: "acks-1",
        title: "acks=1: the leader acknowledges, and fails before anyone has a copy",
        kind: Kind::ExpectedLoss,
        broken: Case {
            rules: Rules::KAFKA,
            bounds: Bounds { records: 1, acks: 1, fences: 1, ..TWO },
            property: property::LEADER_ACKNOWLEDGED_SURVIVES,
        },
        mended: Case {
            rules: Rules::KAFKA,
            bounds: Bounds { records: 1, acks: 0, fences: 1, ..TWO },
            property: property::ACKNOWLEDGED_SURVIVES,
        },
    },
    Exhibit {
        name: "unclean-election",
        title: "unclean.leader.election.enable: a replica that is not in sync leads, and its log is all there is",
        kind: Kind::ExpectedLoss,
        broken: Case {
            rules: Rules::KAFKA,
            bounds: Bounds { records: 1, fences: 2, unclean: 1, ..TWO },
            property: property::ACKNOWLEDGED_SURVIVES.unconditional(),
        },
        mended: Case {
            rules: Rules::KAFKA,
            bounds: Bounds { records: 1, fences: 2, unclean: 0, ..TWO },
            property: property::ACKNOWLEDGED_SURVIVES.unconditional(),
        },
    },
];
