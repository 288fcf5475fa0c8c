//! Bugs of Kafka's history, found again: each with the rules under which it breaks, and the twin that holds.
//!
//! An exhibit proves two things: that the world is rich enough for the bug to happen in it, and that the property
//! notices. A property without an exhibit is not trusted.

use crate::group::members;
use crate::kind::{self, Bounded, Kind as _, Model, Promise};
use crate::replication::Bounds;
use crate::{cleaning, group, producing, reading};
use highwater_spec::property;
use highwater_spec::property::cleaning::OFFSETS_ONCE;
use highwater_spec::property::consumer_group::{
    HOLDERS_COMMIT, NONE_PASSED_OVER, OFFSETS_RISE, ONE_READER, RECORDS_ONCE,
};
use highwater_spec::property::group::{
    COMMITS_FENCED, COMMITTED_PROCESSED, LEADER_COORDINATES, ONE_BELIEVER, PROCESSED_ONCE, SOMEONE_READS,
};
use highwater_spec::property::producing::{SENT_IN_ORDER, SENT_ONCE};
use highwater_spec::property::reading::READ_OF_ONE_LOG;
use highwater_spec::rules::{
    CleanedEnd, CommitEpoch, CommitFencing, CoordinatorEpoch, Elr, FetchFencing, KnownBatches, KnownEpoch, Release,
    Rules, StaticRejoin, StickyClaims, Truncation,
};
use std::fmt::Debug;

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
pub struct Case<B: Bounded> {
    /// How decisions are taken.
    pub rules: Rules,
    /// How much may happen.
    pub bounds: B,
    /// What is judged.
    pub property: PropertyOf<B>,
}

/// What is judged in a world with these bounds.
type PropertyOf<B> = <<B as Bounded>::World as kind::Kind>::Property;

impl<B: Bounded> Case<B> {
    /// The world to explore.
    pub fn world(&self) -> B::World {
        B::World::judged(self.rules, self.bounds, Some(self.property))
    }
}

/// A case of whatever kind of world.
pub trait Casing: Debug + Sync {
    /// How decisions are taken.
    fn rules(&self) -> Rules;

    /// How much may happen, by name.
    fn bounds(&self) -> Vec<(String, u64)>;

    /// The name of what is judged.
    fn property(&self) -> &'static str;

    /// The world to explore, perhaps by other rules and with some bounds changed.
    ///
    /// # Errors
    /// Names the bound that is unknown or out of range.
    fn model(&self, rules: Option<Rules>, changed: &[(String, u64)]) -> Result<Model, String>;
}

impl<B: Bounded> Casing for Case<B> {
    fn rules(&self) -> Rules {
        self.rules
    }

    fn bounds(&self) -> Vec<(String, u64)> {
        self.bounds.named()
    }

    fn property(&self) -> &'static str {
        self.property.told().name
    }

    fn model(&self, rules: Option<Rules>, changed: &[(String, u64)]) -> Result<Model, String> {
        let (rules, bounds) = (rules.unwrap_or(self.rules), self.bounds.changed(changed)?);
        Ok(Self { rules, bounds, ..*self }.world().into())
    }
}

/// One exhibit, with cases of one kind of world or of any.
#[derive(Clone, Copy, Debug)]
pub struct Exhibit<C = &'static dyn Casing> {
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

/// Every exhibit, of whatever kind of world.
pub fn all() -> impl Iterator<Item = Exhibit> {
    let of_partitions = EXHIBITS.iter().map(Exhibit::erased);
    let of_groups = GROUP_EXHIBITS.iter().map(Exhibit::erased);
    let of_consumers = CONSUMER_EXHIBITS.iter().map(Exhibit::erased);
    let of_logs = CLEANING_EXHIBITS.iter().map(Exhibit::erased);
    let of_producers = PRODUCING_EXHIBITS.iter().map(Exhibit::erased);
    let of_readers = READING_EXHIBITS.iter().map(Exhibit::erased);
    let of_members = of_groups.chain(of_consumers);
    of_partitions.chain(of_members).chain(of_logs).chain(of_producers).chain(of_readers)
}

impl<B: Bounded> Exhibit<Case<B>> {
    fn erased(&'static self) -> Exhibit {
        let Self { name, title, kind, broken, mended } = self;
        Exhibit { name, title, kind: *kind, broken, mended }
    }

    /// The same bounds and property, by other rules.
    const fn bug(
        name: &'static str,
        title: &'static str,
        [broken, mended]: [Rules; 2],
        bounds: B,
        property: PropertyOf<B>,
    ) -> Self {
        let (broken, mended) = (Case { rules: broken, bounds, property }, Case { rules: mended, bounds, property });
        Self { name, title, kind: Kind::Bug, broken, mended }
    }

    /// The same property by Kafka's rules, with other bounds.
    const fn loss(name: &'static str, title: &'static str, [broken, mended]: [B; 2], property: PropertyOf<B>) -> Self {
        let rules = Rules::KAFKA;
        let (broken, mended) = (Case { rules, bounds: broken, property }, Case { rules, bounds: mended, property });
        Self { name, title, kind: Kind::ExpectedLoss, broken, mended }
    }
}

const TWO: Bounds = Bounds { brokers: 2, atomic_fetches: 1, atomic_proposals: 1, ..Bounds::QUIET };
const THREE: Bounds = Bounds { brokers: 3, atomic_fetches: 1, atomic_proposals: 1, ..Bounds::QUIET };

/// Every exhibit, the oldest bug first.
pub const EXHIBITS: &[Exhibit<Case<Bounds>>] = &[
    Exhibit::bug(
        "kip-101-1",
        "a follower truncates to its own lagging high watermark, leads, and what was acknowledged is gone; until 0.11",
        [Rules::V0_10, Rules { truncation: Truncation::OnFetch, ..Rules::V0_10 }],
        Bounds { min_isr: 2, records: 1, kills: 1, stops: 1, atomic_fetches: 0, ..TWO },
        property::ACKNOWLEDGED_SURVIVES,
    ),
    Exhibit::bug(
        "kip-101-2",
        "a replica that lost its tail leads again, and another keeps other records at the same offsets; until 0.11",
        [Rules::V0_10, Rules { truncation: Truncation::OnFetch, ..Rules::V0_10 }],
        Bounds { records: 3, acks: 1, power_losses: 1, fences: 1, ..TWO },
        property::LOG_MATCHING,
    ),
    Exhibit::bug(
        "kip-98",
        "a producer hears no answer, sends its record again, and both are written; until 0.11",
        [Rules::V0_10, Rules { known_batches: KnownBatches::LastFive, ..Rules::V0_10 }],
        Bounds { records: 1, retries: 1, idempotent: 1, ..TWO },
        property::WRITTEN_ONCE,
    ),
    Exhibit::bug(
        "kafka-5494",
        "of two records under way the first is sent again, and only the second is known: it seems to be missing; 0.11",
        [Rules::V0_11, Rules { known_batches: KnownBatches::LastFive, ..Rules::V0_11 }],
        Bounds { records: 2, retries: 1, idempotent: 1, ..TWO },
        property::RETRY_RECOGNISED,
    ),
    Exhibit::bug(
        "kip-279",
        "a leader that never heard of an epoch tells where it ends, too far; until 2.0",
        [Rules::V0_11, Rules { truncation: Truncation::OnFetch, ..Rules::V0_11 }],
        Bounds { min_isr: 2, records: 3, acks: 1, fences: 2, ..TWO },
        property::LOG_MATCHING,
    ),
    Exhibit::bug(
        "kip-320",
        "a follower of an earlier epoch is counted for a record that it has not; until 2.1",
        [Rules::V2_0, Rules { fetch_fencing: FetchFencing::LeaderEpoch, ..Rules::V2_0 }],
        Bounds { records: 2, fences: 1, elections: 1, ..THREE },
        property::CANDIDATE_COMPLETENESS,
    ),
    Exhibit::bug(
        "kip-966",
        "the last in-sync replica loses its tail and leads again, and the others follow it; before ELRs, a preview in 4.0 and on in new clusters of 4.1",
        [Rules::V3_9, Rules { elr: Elr::On, ..Rules::V3_9 }],
        Bounds { min_isr: 2, records: 1, power_losses: 1, fences: 1, ..TWO },
        property::ACKNOWLEDGED_SURVIVES,
    ),
    Exhibit::bug(
        "known-epoch",
        "metadata that a leader knows already makes it forget whom it has just proposed for the ISR; the code of 4.1",
        [Rules::V4_1, Rules { known_epoch: KnownEpoch::Ignored, ..Rules::V4_1 }],
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
    Exhibit::loss(
        "unclean-election",
        "unclean.leader.election.enable: a replica that is not in sync leads, and its log is all there is",
        [Bounds { records: 1, fences: 2, unclean: 1, ..TWO }, Bounds { records: 1, fences: 2, unclean: 0, ..TWO }],
        property::ACKNOWLEDGED_SURVIVES.unconditional(),
    ),
];

const GROUP: group::Bounds = group::Bounds::QUIET;
const UNCHECKED: Rules = Rules { commit_fencing: CommitFencing::Unchecked, ..Rules::KAFKA };

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
pub const GROUP_EXHIBITS: &[Exhibit<Case<group::Bounds>>] = &[
    Exhibit::bug(
        "unfenced-zombie",
        "a consumer that was silent for too long commits what another one reads by now; where no one is fenced",
        [UNCHECKED, Rules::KAFKA],
        group::Bounds { expiries: 1, ..GROUP },
        COMMITS_FENCED,
    ),
    Exhibit::loss(
        "commit-first",
        "an application asks for more before it has processed what it has, and crashes: a record is passed over",
        [group::Bounds { hasty: 1, crashes: 1, ..GROUP }, group::Bounds { hasty: 0, crashes: 1, ..GROUP }],
        COMMITTED_PROCESSED,
    ),
    Exhibit::loss(
        "at-least-once",
        "a consumer processes a record and crashes before it has committed: another one processes it again",
        [group::Bounds { crashes: 1, ..GROUP }, group::Bounds { crashes: 0, ..GROUP }],
        PROCESSED_ONCE,
    ),
    Exhibit::bug(
        "kafka-8500",
        "two consumers have one instance id; the later one is given the earlier one's member id, and both read; before 2.3",
        [SHARED_ID, Rules::KAFKA],
        ONE_INSTANCE,
        ONE_BELIEVER,
    ),
    Exhibit::bug(
        "kafka-14639",
        "a member that missed a generation says what it owns, and is not believed: a partition is taken from it and given away at once; until 3.5",
        [LATEST_CLAIMS, Rules::KAFKA],
        CLAIMED,
        ONE_BELIEVER,
    ),
    Exhibit::bug(
        "kafka-10614",
        "a broker loses its groups' log and has it again, loads it, and then forgets the groups as it should have done before; until 3.0",
        [NO_EPOCH, Rules::KAFKA],
        RETURNS,
        LEADER_COORDINATES,
    ),
    Exhibit::loss(
        "stop-the-world",
        "one more consumer comes, the others give up all that they own first, and nobody reads anything: eager",
        [ONE_MORE, group::Bounds { cooperative: 1, ..ONE_MORE }],
        SOMEONE_READS,
    ),
];

const TWICE_CLEANED: cleaning::Bounds =
    cleaning::Bounds { records: 1, cleanings: 2, retentions: 1, crashes: 1, copies: 1, ..cleaning::Bounds::QUIET };

/// Every exhibit of compacted logs.
pub const CLEANING_EXHIBITS: &[Exhibit<Case<cleaning::Bounds>>] = &[Exhibit::bug(
    "kafka-17076",
    "a log's last batch loses its records to the cleaner and goes, so that a copy ends earlier and gives offsets again; until 4.0",
    [Rules { cleaned_end: CleanedEnd::Lost, ..Rules::KAFKA }, Rules::KAFKA],
    TWICE_CLEANED,
    OFFSETS_ONCE,
)];

const CONSUMERS: members::Bounds = members::Bounds::QUIET;
const TOO_SOON: Rules = Rules { release: Release::WhenTold, ..Rules::KAFKA };
const ANY_EARLIER: Rules = Rules { commit_epoch: CommitEpoch::UpToItsOwn, ..Rules::KAFKA };
const COMMITS: members::Bounds = members::Bounds { records: 1, ..CONSUMERS };
const SILENT: members::Bounds = members::Bounds { partitions: 1, records: 1, expiries: 1, ..CONSUMERS };
const ALONE: members::Bounds = members::Bounds { members: 1, partitions: 1, records: 1, ..CONSUMERS };
const LATE: members::Bounds = members::Bounds { breaks: 1, late_requests: 1, ..CONSUMERS };
const LATE_ALONE: members::Bounds = members::Bounds { records: 2, breaks: 1, late_requests: 1, ..ALONE };

/// Every exhibit of groups of the consumer protocol.
pub const CONSUMER_EXHIBITS: &[Exhibit<Case<members::Bounds>>] = &[
    Exhibit::bug(
        "kafka-16147",
        "a partition that its member has yet to give up counts as free, and another one gets it; previews of KIP-848",
        [TOO_SOON, Rules::KAFKA],
        CONSUMERS,
        ONE_READER,
    ),
    Exhibit::bug(
        "late-commit",
        "a commit of an earlier epoch arrives when its partition is another member's, and takes it back; where earlier epochs count",
        [ANY_EARLIER, Rules::KAFKA],
        COMMITS,
        OFFSETS_RISE,
    ),
    Exhibit::bug(
        "unfenced-member",
        "a member that was put out commits all the same; where no one is fenced",
        [UNCHECKED, Rules::KAFKA],
        SILENT,
        HOLDERS_COMMIT,
    ),
    Exhibit::loss(
        "passed-over",
        "an application takes a record, commits and has yet to process it: whoever comes next passes it over",
        [members::Bounds { hasty: 1, ..ALONE }, ALONE],
        NONE_PASSED_OVER,
    ),
    Exhibit::loss(
        "processed-again",
        "a member is put out before it has committed what it has processed: another one processes it again",
        [SILENT, members::Bounds { expiries: 0, ..SILENT }],
        RECORDS_ONCE,
    ),
    Exhibit::loss(
        "late-heartbeat",
        "a heartbeat that says that its member reads nothing is late, and is believed when the member is to give up what it reads by then",
        [LATE, members::Bounds { late_requests: 0, ..LATE }],
        ONE_READER,
    ),
    Exhibit::loss(
        "set-back",
        "a commit is late and comes after the next one: the offset falls",
        [LATE_ALONE, members::Bounds { late_requests: 0, ..LATE_ALONE }],
        OFFSETS_RISE,
    ),
];

const UNNUMBERED: producing::Bounds = producing::Bounds { breaks: 1, idempotent: 0, ..producing::Bounds::QUIET };
const REFUSED: producing::Bounds = producing::Bounds { breaks: 1, refusals: 1, ..producing::Bounds::QUIET };
const GIVEN_UP: producing::Bounds =
    producing::Bounds { records: 3, breaks: 1, delays: 1, expiries: 1, ..producing::Bounds::QUIET };

/// Every exhibit of what a producer writes.
pub const PRODUCING_EXHIBITS: &[Exhibit<Case<producing::Bounds>>] = &[
    Exhibit::loss(
        "sent-twice",
        "a producer without an id hears no answer and sends its record again: both are written",
        [UNNUMBERED, producing::Bounds { idempotent: 1, ..UNNUMBERED }],
        SENT_ONCE,
    ),
    Exhibit::loss(
        "overtaken",
        "two records without numbers are under way at once, both are sent again, and change places",
        [UNNUMBERED, producing::Bounds { idempotent: 1, ..UNNUMBERED }],
        SENT_IN_ORDER,
    ),
    Exhibit::loss(
        "first-overtaken",
        "a new producer's first record is refused for a moment and the second one taken: of whom nothing is known no numbers are missing",
        [REFUSED, producing::Bounds { in_flight: 1, ..REFUSED }],
        SENT_IN_ORDER,
    ),
    Exhibit::loss(
        "given-up-in-doubt",
        "a record is given up and the next one numbered anew; then what was under way before arrives, and that one is written twice",
        [GIVEN_UP, producing::Bounds { delays: 0, ..GIVEN_UP }],
        SENT_ONCE,
    ),
];

const CUT: reading::Bounds = reading::Bounds::QUIET;
const RETURNED: reading::Bounds = reading::Bounds { elections: 2, returns: 1, ..CUT };

/// Every exhibit of what a consumer reads.
pub const READING_EXHIBITS: &[Exhibit<Case<reading::Bounds>>] = &[
    Exhibit::bug(
        "silent-cut",
        "what a consumer has read is cut, other records take its place, and it reads on behind them; until 2.3",
        [Rules::V2_0, Rules { fetch_fencing: FetchFencing::LeaderEpoch, ..Rules::V2_0 }],
        CUT,
        READ_OF_ONE_LOG,
    ),
    Exhibit::loss(
        "hidden-cut",
        "what a consumer has read is cut, and a replica leads that has never heard of it, but has as much of what an earlier election had cut",
        [RETURNED, reading::Bounds { elections: 1, ..RETURNED }],
        READ_OF_ONE_LOG,
    ),
];
