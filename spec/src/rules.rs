//! History as data: each field is one decision, its variants the ways in which Kafka has taken it.
//!
//! [`Rules::KAFKA`] is today (4.1 or later). A baseline such as [`Rules::V0_10`] is an old data plane under today's
//! controller: a variant changes a decision, never a message. Rules are an argument of every step and never part of
//! a state.

use std::fmt;
use std::str::FromStr;

macro_rules! decisions {
    ($($(#[$doc:meta])* $field:ident: $type:ident { $($(#[$vdoc:meta])* $variant:ident,)* })*) => {
        $(
            $(#[$doc])*
            #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
            pub enum $type { $($(#[$vdoc])* $variant,)* }
        )*

        /// How each decision is taken.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub struct Rules {
            $($(#[$doc])* pub $field: $type,)*
        }

        impl Rules {
            /// The names of the decisions, each with the names of its variants.
            pub const DECISIONS: &'static [(&'static str, &'static [&'static str])] =
                &[$((stringify!($field), &[$(stringify!($variant)),*])),*];

            /// These rules with the decision `field` taken in the way `variant`.
            ///
            /// # Errors
            /// Names what is unknown and lists what is known.
            pub fn with(mut self, field: &str, variant: &str) -> Result<Self, String> {
                match (field, variant) {
                    $($((stringify!($field), stringify!($variant)) => self.$field = $type::$variant,)*)*
                    _ => return Err(unknown(field, variant)),
                }
                Ok(self)
            }

            /// The decisions that differ from `base`, as (field, variant).
            #[must_use]
            pub fn overrides(&self, base: &Self) -> Vec<(&'static str, String)> {
                let mut different = Vec::new();
                $(if self.$field != base.$field {
                    different.push((stringify!($field), format!("{:?}", self.$field)));
                })*
                different
            }
        }
    };
}

decisions! {
    /// How a follower finds the point up to which its log agrees with its leader's.
    truncation: Truncation {
        /// It cuts at its own high watermark when it begins to follow. Until 0.11.
        HighWatermark,
        /// It asks once for the end of its last epoch. From 0.11 (KIP-101).
        EpochOnce,
        /// It asks for the largest epoch not above its own until they agree. From 2.0 (KIP-279).
        EpochIterated,
        /// Every fetch names the last epoch, and the leader answers where they part. From 2.7 (KIP-595).
        OnFetch,
    }
    /// Whether a leader compares the leader epoch of a fetch with its own.
    fetch_fencing: FetchFencing {
        /// It does not, and tells no consumer of it. Until 2.1.
        Unfenced,
        /// An older epoch is fenced, a newer one unknown. From 2.1 (KIP-320).
        LeaderEpoch,
    }
    /// Whose log ends the high watermark waits for.
    hw_quorum: HwQuorum {
        /// The ISR last confirmed: a replica that the controller has just admitted does not count.
        CommittedIsr,
        /// The maximal ISR: a proposed member counts at once, a leaving one until confirmed. From 2.7 (KIP-497).
        MaximalIsr,
        /// The maximal ISR, and every eligible replica that is caught up though not yet in it.
        MaximalIsrAndCaughtUp,
    }
    /// Whether the high watermark may advance while the ISR is smaller than `min.insync.replicas`.
    hw_gate: HwGate {
        /// It may. Until KIP-966.
        Open,
        /// It stands still. From KIP-966.
        MinIsr,
    }
    /// What a follower must have reached to join the ISR.
    isr_admission: IsrAdmission {
        /// The leader's high watermark, which lags after an election. Until 2.1 (KAFKA-7128).
        HighWatermark,
        /// The high watermark and the start of the leader's epoch.
        HighWatermarkAndEpochStart,
    }
    /// Whether an ISR change is tied to the incarnation of the broker that fetched.
    isr_broker_epoch: IsrBrokerEpoch {
        /// It is not. Until 3.5.
        Unchecked,
        /// The broker epoch of the fetch must be the registered one, at the leader and at the controller (KIP-903).
        Checked,
    }
    /// What a leader makes of metadata whose partition epoch it knows already, from the answer to its own proposal.
    known_epoch: KnownEpoch {
        /// It takes the ISR from it, and forgets a later proposal that the controller may have accepted by now. So
        /// does the code of Kafka up to 4.1 (`Partition.makeLeader`).
        Overrides,
        /// It says nothing new. So does the TLA+ specification of KIP-966.
        Ignored,
    }
    /// Which batches of a producer with an id its partition knows again.
    known_batches: KnownBatches {
        /// None: there were no ids, and what is sent again is written again. Until 0.11.
        None,
        /// The last one, which is too few for a client with more than one under way. 0.11 (KAFKA-5494).
        Last,
        /// The last five. From 1.0.
        LastFive,
    }
    /// Whether replicas that were in the ISR when it fell below `min.insync.replicas` may still lead.
    elr: Elr {
        /// They may not, and the last in-sync replica stays in the ISR even when it fails. Before 4.0, and there unless
        /// the preview is switched on.
        Off,
        /// They form the ELR, and an unclean restart leaves it (KIP-966).
        On,
    }
    /// Whether a log that is cleaned still says how far it goes. No baseline differs in it: the worlds that have one
    /// don't clean.
    cleaned_end: CleanedEnd {
        /// Not if its last batch has lost every record: then it goes too. Until 4.0 (KAFKA-17076).
        Lost,
        /// It does: that batch stays, without records. From 4.0.
        Kept,
    }
    /// Whose offsets a group coordinator keeps.
    commit_fencing: CommitFencing {
        /// Anyone's. Until 0.9, when consumers agreed by way of ZooKeeper and brokers knew of no groups.
        Unchecked,
        /// Those of members of the group's present generation. From 0.9.
        Generation,
    }
    /// At which epochs a member of a group of the consumer protocol may commit.
    commit_epoch: CommitEpoch {
        /// At its own and at earlier ones, as if a late commit could do no harm. No release does so: those that take
        /// earlier ones keep for each partition the epoch since which the member has it (KIP-1251).
        UpToItsOwn,
        /// At its own alone. Until KIP-1251.
        ItsOwn,
    }
    /// When a partition that a member of a consumer group is told to give up counts as free.
    release: Release {
        /// As soon as the member is told, and another one gets it meanwhile. In the first previews of KIP-848 it came to
        /// this where such a partition went back and forth (KAFKA-16147).
        WhenTold,
        /// When the member says that it owns it no more.
        WhenGivenUp,
    }
    /// Whether a group coordinator remembers in which epoch its broker won or lost the leadership of its log.
    coordinator_epoch: CoordinatorEpoch {
        /// It does what it is told in the order in which it is told. Until 3.0 (KAFKA-10614).
        Ignored,
        /// It acts on nothing that is earlier than what it has acted on. From 3.0.
        Checked,
    }
    /// Whose word on what it owns a sticky assignor believes.
    sticky_claims: StickyClaims {
        /// That of the members of the latest generation alone; what others say they own counts as no one's. Until 3.5
        /// (KAFKA-14639).
        OfLatestGeneration,
        /// Everyone's, and of two who claim one partition that of the later generation. From 3.5.
        OfEachPartition,
    }
    /// Which member id a static member has that starts anew.
    static_rejoin: StaticRejoin {
        /// A new one in a stable group; in any other that of its last life, which may still be there. As static members
        /// were first built, before 2.3 (KAFKA-8500).
        SharedWhileRebalancing,
        /// A new one, and its last life is fenced. From 2.3.
        Renewed,
    }
}

impl Rules {
    /// Kafka 4.1 or later, with eligible leader replicas. In [`Rules::known_epoch`] it follows the TLA+ specification of
    /// KIP-966, and not that release's code, which breaks a property there.
    ///
    /// Whatever the rules, the machines depart from the code of 4.1 in small things that no client can tell: a broker
    /// whose shutdown has begun is not unfenced again (`controller.broker.no-return`), one that is unregistered leaves
    /// the ELR too, its epoch is the offset of its own record and not of its step's first, of several proposals for one
    /// partition the last one waits (`broker.isr.one-request`), and assignments that go back in the leader epoch are
    /// ignored (`replica.lead.epoch`), which no controller sends.
    pub const KAFKA: Self = Self {
        truncation: Truncation::OnFetch,
        fetch_fencing: FetchFencing::LeaderEpoch,
        hw_quorum: HwQuorum::MaximalIsrAndCaughtUp,
        hw_gate: HwGate::MinIsr,
        isr_admission: IsrAdmission::HighWatermarkAndEpochStart,
        isr_broker_epoch: IsrBrokerEpoch::Checked,
        known_epoch: KnownEpoch::Ignored,
        known_batches: KnownBatches::LastFive,
        elr: Elr::On,
        cleaned_end: CleanedEnd::Kept,
        commit_fencing: CommitFencing::Generation,
        commit_epoch: CommitEpoch::ItsOwn,
        release: Release::WhenGivenUp,
        coordinator_epoch: CoordinatorEpoch::Checked,
        sticky_claims: StickyClaims::OfEachPartition,
        static_rejoin: StaticRejoin::Renewed,
    };

    /// The code of Kafka 4.1, to the letter.
    pub const V4_1: Self = Self { known_epoch: KnownEpoch::Overrides, ..Self::KAFKA };

    /// Kafka 3.9: no eligible leader replicas.
    pub const V3_9: Self = Self { elr: Elr::Off, ..Self::KAFKA };

    /// The data plane of Kafka 2.0 (KIP-279, before KIP-320) under today's controller.
    pub const V2_0: Self = Self {
        truncation: Truncation::EpochIterated,
        fetch_fencing: FetchFencing::Unfenced,
        isr_admission: IsrAdmission::HighWatermark,
        isr_broker_epoch: IsrBrokerEpoch::Unchecked,
        ..Self::KAFKA
    };

    /// The data plane of Kafka 0.11 (KIP-101, before KIP-279) under today's controller.
    pub const V0_11: Self = Self { truncation: Truncation::EpochOnce, known_batches: KnownBatches::Last, ..Self::V2_0 };

    /// The data plane of Kafka 0.10 (before leader epochs in the log, and before producers had ids) under today's controller.
    pub const V0_10: Self =
        Self { truncation: Truncation::HighWatermark, known_batches: KnownBatches::None, ..Self::V2_0 };

    /// Every baseline by name, today's first.
    pub const BASELINES: &'static [(&'static str, Self)] = &[
        ("KAFKA", Self::KAFKA),
        ("V4_1", Self::V4_1),
        ("V3_9", Self::V3_9),
        ("V2_0", Self::V2_0),
        ("V0_11", Self::V0_11),
        ("V0_10", Self::V0_10),
    ];

    /// Whether eligible leader replicas are kept.
    #[must_use]
    pub fn keeps_elr(&self) -> bool {
        self.elr == Elr::On
    }

    /// The baseline called `name`.
    ///
    /// # Errors
    /// Lists the baselines that there are.
    pub fn baseline(name: &str) -> Result<Self, String> {
        Self::BASELINES.iter().find(|(known, _)| *known == name).map(|(_, rules)| *rules).ok_or_else(|| {
            let known: Vec<_> = Self::BASELINES.iter().map(|(known, _)| *known).collect();
            format!("no rules are called {name:?}; there are {}", known.join(", "))
        })
    }

    /// The baseline from which these rules differ least, with what differs.
    #[must_use]
    pub fn described(&self) -> (&'static str, Vec<(&'static str, String)>) {
        let all = Self::BASELINES.iter().map(|(name, base)| (*name, self.overrides(base)));
        all.min_by_key(|(_, overrides)| overrides.len()).unwrap_or(("KAFKA", Vec::new()))
    }
}

impl fmt::Display for Rules {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (name, overrides) = self.described();
        f.write_str(name)?;
        overrides.iter().try_for_each(|(field, variant)| write!(f, " {field}={variant}"))
    }
}

/// Rules as a command line names them: a baseline, and what differs from it, as in `KAFKA,truncation=OnFetch`.
impl FromStr for Rules {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut parts = text.split([',', ' ']);
        let base = Self::baseline(parts.next().unwrap_or_default())?;
        parts.try_fold(base, |rules, part| {
            let (field, way) =
                part.split_once('=').ok_or_else(|| format!("`{part}` is not like `truncation=OnFetch`"))?;
            rules.with(field, way)
        })
    }
}

fn unknown(field: &str, variant: &str) -> String {
    match Rules::DECISIONS.iter().find(|(known, _)| *known == field) {
        Some((_, variants)) => format!("{field} can't be {variant:?}; it is one of {}", variants.join(", ")),
        None => {
            let known: Vec<_> = Rules::DECISIONS.iter().map(|(known, _)| *known).collect();
            format!("no decision is called {field:?}; there are {}", known.join(", "))
        }
    }
}
