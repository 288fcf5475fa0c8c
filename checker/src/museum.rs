//! Bugs of Kafka's history, found again: each with the rules under which it breaks, and the twin that holds.
//!
//! An exhibit proves two things: that the world is rich enough for the bug to happen in it, and that the property
//! notices. A property without an exhibit is not trusted.

use crate::group::members;
use crate::narrated::Narrated;
use crate::replication::{Bounds, World};
use crate::{cleaning, group};
use highwater_spec::property::cleaning::{CleaningProperty, OFFSETS_ONCE};
use highwater_spec::property::consumer_group::{
    ConsumerProperty, HOLDERS_COMMIT, NONE_PASSED_OVER, OFFSETS_RISE, ONE_READER, RECORDS_ONCE,
};
use highwater_spec::property::group::{
    COMMITS_FENCED, COMMITTED_PROCESSED, GroupProperty, LEADER_COORDINATES, ONE_BELIEVER, PROCESSED_ONCE, SOMEONE_READS,
};
use highwater_spec::property::{self, Property};
use highwater_spec::rules::{
    CleanedEnd, CommitEpoch, CommitFencing, CoordinatorEpoch, Elr, FetchFencing, KnownBatches, KnownEpoch, Release,
    Rules, StaticRejoin, StickyClaims, Truncation,
};

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

/// One case of a consumer group.
#[derive(Clone, Copy, Debug)]
pub struct GroupCase {
    /// How decisions are taken.
    pub rules: Rules,
    /// How much may happen.
    pub bounds: group::Bounds,
    /// What is judged.
    pub property: GroupProperty,
}

/// One case of a compacted log.
#[derive(Clone, Copy, Debug)]
pub struct CleaningCase {
    /// How decisions are taken.
    pub rules: Rules,
    /// How much may happen.
    pub bounds: cleaning::Bounds,
    /// What is judged.
    pub property: CleaningProperty,
}

/// One case of a group of the consumer protocol.
#[derive(Clone, Copy, Debug)]
pub struct ConsumerCase {
    /// How decisions are taken.
    pub rules: Rules,
    /// How much may happen.
    pub bounds: members::Bounds,
    /// What is judged.
    pub property: ConsumerProperty,
}

/// A case of some kind of world.
pub trait Casing: Copy {
    /// The kind of world.
    type World: Narrated;

    /// The world to explore.
    fn world(&self) -> Self::World;

    /// The case by other rules, with some bounds changed.
    ///
    /// # Errors
    /// Names the bound that is unknown or out of range.
    fn changed(self, rules: Option<Rules>, bounds: &[(String, u64)]) -> Result<Self, String>;
}

/// One exhibit.
#[derive(Clone, Copy, Debug)]
pub struct Exhibit<C = Case> {
    /// Its name, also that of its scenario.
    pub name: &'static str,
    /// What it is, in a sentence.
    pub title: &'static str,
    /// What it shows.
    pub kind: Kind,
    /// The case that breaks.
    pub broken: C,
    /// Its twin, which holds.
    pub mended: C,
}

impl Casing for Case {
    type World = World;

    fn world(&self) -> World {
        World::judged_by(self.rules, self.bounds, &[self.property])
    }

    fn changed(mut self, rules: Option<Rules>, bounds: &[(String, u64)]) -> Result<Self, String> {
        self.rules = rules.unwrap_or(self.rules);
        self.bounds = bounds.iter().try_fold(self.bounds, |bounds, (name, value)| bounds.with(name, *value))?;
        Ok(self)
    }
}

impl Casing for GroupCase {
    type World = group::World;

    fn world(&self) -> group::World {
        group::World::judged_by(self.rules, self.bounds, &[self.property])
    }

    fn changed(mut self, rules: Option<Rules>, bounds: &[(String, u64)]) -> Result<Self, String> {
        self.rules = rules.unwrap_or(self.rules);
        self.bounds = bounds.iter().try_fold(self.bounds, |bounds, (name, value)| bounds.with(name, *value))?;
        Ok(self)
    }
}

impl Casing for CleaningCase {
    type World = cleaning::World;

    fn world(&self) -> cleaning::World {
        cleaning::World::judged_by(self.rules, self.bounds, &[self.property])
    }

    fn changed(mut self, rules: Option<Rules>, bounds: &[(String, u64)]) -> Result<Self, String> {
        self.rules = rules.unwrap_or(self.rules);
        self.bounds = bounds.iter().try_fold(self.bounds, |bounds, (name, value)| bounds.with(name, *value))?;
        Ok(self)
    }
}

impl Casing for ConsumerCase {
    type World = members::World;

    fn world(&self) -> members::World {
        members::World::judged_by(self.rules, self.bounds, &[self.property])
    }

    fn changed(mut self, rules: Option<Rules>, bounds: &[(String, u64)]) -> Result<Self, String> {
        self.rules = rules.unwrap_or(self.rules);
        self.bounds = bounds.iter().try_fold(self.bounds, |bounds, (name, value)| bounds.with(name, *value))?;
        Ok(self)
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

const GROUP: group::Bounds = group::Bounds::QUIET;
const UNCHECKED: Rules = Rules { commit_fencing: CommitFencing::Unchecked, ..Rules::KAFKA };

const fn group_case(rules: Rules, bounds: group::Bounds, property: GroupProperty) -> GroupCase {
    GroupCase { rules, bounds, property }
}

/// One member id, and two consumers that have it.
const SHARED_ID: Rules = Rules { static_rejoin: StaticRejoin::SharedWhileRebalancing, ..Rules::KAFKA };
const ONE_INSTANCE: group::Bounds = group::Bounds { same_instance: 1, partitions: 1, records: 0, ..GROUP };

const LATEST_CLAIMS: Rules = Rules { sticky_claims: StickyClaims::OfLatestGeneration, ..Rules::KAFKA };
const CLAIMED: group::Bounds =
    group::Bounds { cooperative: 1, uncommitted: 1, breaks: 2, partitions: 1, records: 0, ..GROUP };
const NO_EPOCH: Rules = Rules { coordinator_epoch: CoordinatorEpoch::Ignored, ..Rules::KAFKA };
const RETURNS: group::Bounds = group::Bounds { returns: 1, partitions: 1, records: 0, ..GROUP };
const ONE_MORE: group::Bounds = group::Bounds { members: 3, records: 0, ..GROUP };

/// Every exhibit of consumer groups.
pub const GROUP_EXHIBITS: &[Exhibit<GroupCase>] = &[
    Exhibit {
        name: "unfenced-zombie",
        title: "a consumer that was silent for too long commits what another one reads by now; where no one is fenced",
        kind: Kind::Bug,
        broken: group_case(UNCHECKED, group::Bounds { expiries: 1, ..GROUP }, COMMITS_FENCED),
        mended: group_case(Rules::KAFKA, group::Bounds { expiries: 1, ..GROUP }, COMMITS_FENCED),
    },
    Exhibit {
        name: "commit-first",
        title: "an application asks for more before it has processed what it has, and crashes: a record is passed over",
        kind: Kind::ExpectedLoss,
        broken: group_case(Rules::KAFKA, group::Bounds { hasty: 1, crashes: 1, ..GROUP }, COMMITTED_PROCESSED),
        mended: group_case(Rules::KAFKA, group::Bounds { hasty: 0, crashes: 1, ..GROUP }, COMMITTED_PROCESSED),
    },
    Exhibit {
        name: "at-least-once",
        title: "a consumer processes a record and crashes before it has committed: another one processes it again",
        kind: Kind::ExpectedLoss,
        broken: group_case(Rules::KAFKA, group::Bounds { crashes: 1, ..GROUP }, PROCESSED_ONCE),
        mended: group_case(Rules::KAFKA, group::Bounds { crashes: 0, ..GROUP }, PROCESSED_ONCE),
    },
    Exhibit {
        name: "kafka-8500",
        title: "two consumers have one instance id; the later one is given the earlier one's member id, and both read; before 2.3",
        kind: Kind::Bug,
        broken: group_case(SHARED_ID, ONE_INSTANCE, ONE_BELIEVER),
        mended: group_case(Rules::KAFKA, ONE_INSTANCE, ONE_BELIEVER),
    },
    Exhibit {
        name: "kafka-14639",
        title: "a member that missed a generation says what it owns, and is not believed: a partition is taken from it and given away at once; until 3.5",
        kind: Kind::Bug,
        broken: group_case(LATEST_CLAIMS, CLAIMED, ONE_BELIEVER),
        mended: group_case(Rules::KAFKA, CLAIMED, ONE_BELIEVER),
    },
    Exhibit {
        name: "kafka-10614",
        title: "a broker loses its groups' log and has it again, loads it, and then forgets the groups as it should have done before; until 3.0",
        kind: Kind::Bug,
        broken: group_case(NO_EPOCH, RETURNS, LEADER_COORDINATES),
        mended: group_case(Rules::KAFKA, RETURNS, LEADER_COORDINATES),
    },
    Exhibit {
        name: "stop-the-world",
        title: "one more consumer comes, the others give up all that they own first, and nobody reads anything: eager",
        kind: Kind::ExpectedLoss,
        broken: group_case(Rules::KAFKA, ONE_MORE, SOMEONE_READS),
        mended: group_case(Rules::KAFKA, group::Bounds { cooperative: 1, ..ONE_MORE }, SOMEONE_READS),
    },
];

const TWICE_CLEANED: cleaning::Bounds =
    cleaning::Bounds { records: 1, cleanings: 2, retentions: 1, crashes: 1, copies: 1, ..cleaning::Bounds::QUIET };

/// Every exhibit of compacted logs.
pub const CLEANING_EXHIBITS: &[Exhibit<CleaningCase>] = &[Exhibit {
    name: "kafka-17076",
    title: "a log's last batch loses its records to the cleaner and goes, so that a copy ends earlier and gives offsets again; until 4.0",
    kind: Kind::Bug,
    broken: CleaningCase {
        rules: Rules { cleaned_end: CleanedEnd::Lost, ..Rules::KAFKA },
        bounds: TWICE_CLEANED,
        property: OFFSETS_ONCE,
    },
    mended: CleaningCase { rules: Rules::KAFKA, bounds: TWICE_CLEANED, property: OFFSETS_ONCE },
}];

const CONSUMERS: members::Bounds = members::Bounds::QUIET;
const TOO_SOON: Rules = Rules { release: Release::WhenTold, ..Rules::KAFKA };
const ANY_EARLIER: Rules = Rules { commit_epoch: CommitEpoch::UpToItsOwn, ..Rules::KAFKA };
const COMMITS: members::Bounds = members::Bounds { records: 1, ..CONSUMERS };
const SILENT: members::Bounds = members::Bounds { partitions: 1, records: 1, expiries: 1, ..CONSUMERS };
const ALONE: members::Bounds = members::Bounds { members: 1, partitions: 1, records: 1, ..CONSUMERS };

const fn consumer_case(rules: Rules, bounds: members::Bounds, property: ConsumerProperty) -> ConsumerCase {
    ConsumerCase { rules, bounds, property }
}

/// Every exhibit of groups of the consumer protocol.
pub const CONSUMER_EXHIBITS: &[Exhibit<ConsumerCase>] = &[
    Exhibit {
        name: "kafka-16147",
        title: "a partition that its member has yet to give up counts as free, and another one gets it; previews of KIP-848",
        kind: Kind::Bug,
        broken: consumer_case(TOO_SOON, CONSUMERS, ONE_READER),
        mended: consumer_case(Rules::KAFKA, CONSUMERS, ONE_READER),
    },
    Exhibit {
        name: "late-commit",
        title: "a commit of an earlier epoch arrives when its partition is another member's, and takes it back; where earlier epochs count",
        kind: Kind::Bug,
        broken: consumer_case(ANY_EARLIER, COMMITS, OFFSETS_RISE),
        mended: consumer_case(Rules::KAFKA, COMMITS, OFFSETS_RISE),
    },
    Exhibit {
        name: "unfenced-member",
        title: "a member that was put out commits all the same; where no one is fenced",
        kind: Kind::Bug,
        broken: consumer_case(UNCHECKED, SILENT, HOLDERS_COMMIT),
        mended: consumer_case(Rules::KAFKA, SILENT, HOLDERS_COMMIT),
    },
    Exhibit {
        name: "passed-over",
        title: "an application takes a record, commits and has yet to process it: whoever comes next passes it over",
        kind: Kind::ExpectedLoss,
        broken: consumer_case(Rules::KAFKA, members::Bounds { hasty: 1, ..ALONE }, NONE_PASSED_OVER),
        mended: consumer_case(Rules::KAFKA, ALONE, NONE_PASSED_OVER),
    },
    Exhibit {
        name: "processed-again",
        title: "a member is put out before it has committed what it has processed: another one processes it again",
        kind: Kind::ExpectedLoss,
        broken: consumer_case(Rules::KAFKA, SILENT, RECORDS_ONCE),
        mended: consumer_case(Rules::KAFKA, members::Bounds { expiries: 0, ..SILENT }, RECORDS_ONCE),
    },
];
