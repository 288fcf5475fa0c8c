//! The worlds that are checked, by name.

use crate::group::members;
use crate::kind::{Bounded, Kind, Model};
use crate::{cleaning, controller, group, producing, reading, replication};
use highwater_spec::rules::Rules;
use std::fmt::Debug;

/// One entry of the catalogue.
#[derive(Clone, Copy, Debug)]
pub struct Entry {
    /// Its name.
    pub name: &'static str,
    /// What it is for, in a few words.
    pub about: &'static str,
    /// Whether it is checked with `--deep` only.
    pub deep: bool,
    bounds: &'static dyn Limits,
}

/// Bounds of a world of whatever kind.
trait Limits: Debug + Sync {
    /// The world, with some bounds changed.
    fn model(&self, rules: Rules, changed: &[(String, u64)]) -> Result<Model, String>;

    /// The bounds by name.
    fn told(&self) -> Vec<(String, u64)>;
}

impl<B: Bounded> Limits for B {
    fn model(&self, rules: Rules, changed: &[(String, u64)]) -> Result<Model, String> {
        Ok(B::World::promised(rules, self.changed(changed)?).into())
    }

    fn told(&self) -> Vec<(String, u64)> {
        self.named()
    }
}

impl Entry {
    /// The world, with some bounds changed.
    ///
    /// # Errors
    /// Names the bound that is unknown or out of range.
    pub fn model(&self, rules: Rules, changed: &[(String, u64)]) -> Result<Model, String> {
        self.bounds.model(rules, changed)
    }

    /// Its bounds, in words.
    pub fn bounds(&self) -> String {
        in_words(&self.bounds.told())
    }
}

/// Bounds as people write them.
pub fn in_words(bounds: &[(String, u64)]) -> String {
    bounds.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join(" ")
}

/// The entry called `name`.
///
/// # Errors
/// Lists the entries that there are.
pub fn find(name: &str) -> Result<&'static Entry, String> {
    WORLDS.iter().find(|entry| entry.name == name).ok_or_else(|| {
        let known: Vec<_> = WORLDS.iter().map(|entry| entry.name).collect();
        format!("no world is called {name:?}; there are {}", known.join(", "))
    })
}

const fn world(name: &'static str, about: &'static str, bounds: &'static dyn Limits) -> Entry {
    Entry { name, about, deep: false, bounds }
}

const fn deep(entry: Entry) -> Entry {
    Entry { deep: true, ..entry }
}

const QUIET: replication::Bounds = replication::Bounds::QUIET;
const THREE: replication::Bounds = replication::Bounds { brokers: 3, ..QUIET };
const ATOMIC: replication::Bounds = replication::Bounds { atomic_fetches: 1, atomic_proposals: 1, ..THREE };
const ASKED: controller::Bounds = controller::Bounds::QUIET;
const MEMBERS: group::Bounds = group::Bounds::QUIET;
/// Three consumers, of which it does not matter which is which.
const THREE_MEMBERS: group::Bounds = group::Bounds { members: 3, by_arrival: 1, ..MEMBERS };
/// The same without records, where who is in the group matters, and not what is read.
const UNREAD: group::Bounds = group::Bounds { records: 0, ..THREE_MEMBERS };
const CONSUMERS: members::Bounds = members::Bounds::QUIET;
const THREE_CONSUMERS: members::Bounds = members::Bounds { members: 3, by_arrival: 1, ..CONSUMERS };

/// Every world, in the order in which they are checked.
pub const WORLDS: &[Entry] = &[
    world("three-brokers-kill", "a process is killed", &replication::Bounds { records: 2, kills: 1, ..THREE }),
    world(
        "three-brokers-power",
        "a machine loses power, and what was not flushed",
        &replication::Bounds { min_isr: 2, records: 1, power_losses: 1, ..THREE },
    ),
    world(
        "three-brokers-fence",
        "a broker is fenced though it runs",
        &replication::Bounds { records: 2, fences: 1, ..THREE },
    ),
    world(
        "three-brokers-isr",
        "followers lag, leave the ISR and return",
        &replication::Bounds { records: 2, lags: 2, ..ATOMIC },
    ),
    world(
        "three-brokers-pair",
        "two false fences, with atomic fetches",
        &replication::Bounds { min_isr: 2, records: 1, fences: 2, ..ATOMIC },
    ),
    world(
        "two-brokers",
        "everything that can go wrong, each in pairs small enough",
        &replication::Bounds {
            min_isr: 2,
            records: 1,
            kills: 1,
            power_losses: 1,
            fences: 1,
            atomic_proposals: 1,
            ..QUIET
        },
    ),
    world(
        "two-brokers-torn",
        "kills between two writes, late views, lagging checkpoints",
        &replication::Bounds { records: 1, kills: 2, late_views: 1, interrupts: 1, checkpoints: 1, ..QUIET },
    ),
    world(
        "two-brokers-restart",
        "clean shutdowns, power losses and requests of an earlier life",
        &replication::Bounds { records: 1, min_isr: 2, stops: 1, power_losses: 1, delays: 1, ..QUIET },
    ),
    world(
        "acks",
        "acks=1 and acks=all against min.insync.replicas",
        &replication::Bounds { min_isr: 2, records: 2, acks: 2, lags: 1, timeouts: 1, disk_failures: 1, ..QUIET },
    ),
    world(
        "idempotence",
        "a producer with an id sends again, across a failover and a truncation",
        &replication::Bounds {
            records: 3,
            retries: 2,
            fences: 1,
            kills: 1,
            idempotent: 1,
            atomic_fetches: 1,
            atomic_proposals: 1,
            ..QUIET
        },
    ),
    world(
        "controller",
        "whatever brokers and operators may ask",
        &controller::Bounds {
            min_isr: 2,
            registrations: 1,
            fences: 2,
            beats: 2,
            proposals: 1,
            elections: 1,
            configs: 1,
            topics: 1,
            ..ASKED
        },
    ),
    world(
        "controller-log",
        "a metadata log that loses what was not committed",
        &controller::Bounds {
            min_isr: 2,
            registrations: 1,
            fences: 1,
            beats: 2,
            proposals: 1,
            late_commits: 1,
            reverts: 1,
            ..ASKED
        },
    ),
    world("group-crash", "a consumer crashes", &group::Bounds { crashes: 1, ..MEMBERS }),
    world(
        "group-cooperative",
        "a consumer crashes, and the others keep what they own",
        &group::Bounds { cooperative: 1, crashes: 1, ..MEMBERS },
    ),
    world("group-static", "a static member comes back", &group::Bounds { fixed: 1, crashes: 1, ..MEMBERS }),
    world("group-session", "a session ends though the consumer lives", &group::Bounds { expiries: 1, ..MEMBERS }),
    world(
        "group-move",
        "the coordinator moves, and what was not committed is lost",
        &group::Bounds { moves: 1, late_commits: 1, ..MEMBERS },
    ),
    world(
        "group-late",
        "a rebalance waits no longer for a static member, which commits late",
        &group::Bounds { fixed: 1, impatience: 1, commits: 1, ..MEMBERS },
    ),
    world(
        "group-return",
        "the coordinator's broker loses its log, has it again at once, and hears of it once more",
        &group::Bounds { returns: 1, repeats: 1, partitions: 1, ..MEMBERS },
    ),
    world(
        "group-break",
        "a connection breaks, and a consumer ends",
        &group::Bounds { breaks: 1, closes: 1, ..MEMBERS },
    ),
    world(
        "group-overtaken",
        "a request is heard when its connection is gone, and after what was asked on the next one",
        &group::Bounds { breaks: 1, late_requests: 1, partitions: 1, ..MEMBERS },
    ),
    world(
        "group-slow",
        "a consumer is not polled for too long, leaves, and comes back",
        &group::Bounds { partitions: 3, slow_polls: 1, by_arrival: 1, ..MEMBERS },
    ),
    world("group-three", "three consumers come, one after another", &group::Bounds { partitions: 3, ..THREE_MEMBERS }),
    world(
        "group-three-cooperative",
        "three consumers come, and keep what they own",
        &group::Bounds { partitions: 3, cooperative: 1, ..UNREAD },
    ),
    world("group-three-crash", "one of three consumers crashes", &group::Bounds { crashes: 1, ..UNREAD }),
    world(
        "group-three-session",
        "a session ends though the consumer lives, one of three",
        &group::Bounds { expiries: 1, ..UNREAD },
    ),
    world(
        "group-three-break",
        "one of three consumers asks again, be it that nobody has heard it or that it has not heard the answer",
        &group::Bounds { cooperative: 1, breaks: 1, ..UNREAD },
    ),
    world(
        "cleaning",
        "a compacted log is written, cleaned, read again and copied",
        &cleaning::Bounds {
            keys: 2,
            records: 4,
            idempotent: 1,
            rolls: 2,
            cleanings: 2,
            retentions: 1,
            crashes: 1,
            copies: 1,
            ..cleaning::Bounds::QUIET
        },
    ),
    world(
        "cleaning-crowded",
        "there is room for one key only in each round of cleaning",
        &cleaning::Bounds {
            keys: 2,
            records: 3,
            rolls: 2,
            cleanings: 3,
            retentions: 2,
            crashes: 1,
            crowded: 1,
            ..cleaning::Bounds::QUIET
        },
    ),
    world(
        "consumers-three",
        "three members of the consumer protocol come, one after another",
        &members::Bounds { partitions: 3, ..THREE_CONSUMERS },
    ),
    world("consumers-three-leave", "one of three members leaves", &members::Bounds { leaves: 1, ..THREE_CONSUMERS }),
    world(
        "consumers-three-break",
        "one of three members asks again, be it that nobody has heard it or that it has not heard the answer",
        &members::Bounds { partitions: 3, breaks: 1, ..THREE_CONSUMERS },
    ),
    world(
        "consumers-three-slow",
        "one of three members takes too long to give up partitions",
        &members::Bounds { slow: 1, ..THREE_CONSUMERS },
    ),
    world(
        "consumers-three-move",
        "three members lose their coordinator, and what it had not committed",
        &members::Bounds { moves: 1, late_commits: 1, ..THREE_CONSUMERS },
    ),
    world(
        "consumers-silent",
        "a session ends, a connection breaks, and partitions are given up too late",
        &members::Bounds { expiries: 1, breaks: 1, slow: 1, ..CONSUMERS },
    ),
    world(
        "consumers-static",
        "a static member goes and comes back, and the topic grows",
        &members::Bounds { fixed: 1, leaves: 1, grows: 1, ..CONSUMERS },
    ),
    world(
        "consumers-move",
        "the coordinator moves, and what was not committed is lost",
        &members::Bounds { moves: 1, late_commits: 1, leaves: 1, ..CONSUMERS },
    ),
    world(
        "consumers-commit",
        "members commit what they have processed, give up too soon to hear of it, and fall silent",
        &members::Bounds { records: 1, expiries: 1, impatience: 1, ..CONSUMERS },
    ),
    world(
        "consumers-commit-move",
        "commits are told when the log has them, and the coordinator moves",
        &members::Bounds { records: 1, moves: 1, late_commits: 1, ..CONSUMERS },
    ),
    world(
        "producer",
        "a producer with an id sends again what broken connections and a new leader leave in doubt",
        &producing::Bounds { records: 4, in_flight: 3, breaks: 2, delays: 1, failovers: 1, ..producing::Bounds::QUIET },
    ),
    world(
        "producer-gives-up",
        "a producer with an id gives up what takes too long",
        &producing::Bounds { records: 4, breaks: 2, expiries: 2, failovers: 1, ..producing::Bounds::QUIET },
    ),
    world(
        "reader",
        "a log is cut while it is read, and the reader starts anew from what it has committed",
        &reading::Bounds { restarts: 1, ..reading::Bounds::QUIET },
    ),
    world(
        "reader-twice",
        "a log is cut twice while it is read",
        &reading::Bounds { elections: 2, ..reading::Bounds::QUIET },
    ),
    deep(world(
        "deep-consumers",
        "three members of the consumer protocol come, and one crashes",
        &members::Bounds { partitions: 3, crashes: 1, ..THREE_CONSUMERS },
    )),
    deep(world(
        "deep-consumers-silent",
        "a session ends though the member lives, one of three",
        &members::Bounds { expiries: 1, ..THREE_CONSUMERS },
    )),
    deep(world(
        "deep-group-crash",
        "one of three consumers crashes, and the others keep what they own",
        &group::Bounds { cooperative: 1, crashes: 1, ..UNREAD },
    )),
    deep(world(
        "deep-group-close",
        "one of three consumers ends, and the others keep what they own",
        &group::Bounds { cooperative: 1, closes: 1, ..UNREAD },
    )),
    deep(world(
        "deep-group-slow",
        "one of three consumers is not polled for too long",
        &group::Bounds { cooperative: 1, slow_polls: 1, ..UNREAD },
    )),
    deep(world("deep-group-move", "three consumers lose their coordinator", &group::Bounds { moves: 1, ..UNREAD })),
    deep(world(
        "deep-kill-and-fence",
        "a kill and a false fence, with atomic fetches",
        &replication::Bounds { records: 1, kills: 1, fences: 1, ..ATOMIC },
    )),
    deep(world(
        "deep-power-and-fence",
        "a power loss and a false fence, with atomic fetches",
        &replication::Bounds { min_isr: 2, records: 1, power_losses: 1, fences: 1, ..ATOMIC },
    )),
    deep(world(
        "deep-isr",
        "two ISR changes and a false fence, with atomic fetches",
        &replication::Bounds { records: 1, lags: 2, fences: 1, ..ATOMIC },
    )),
    deep(world(
        "deep-two-brokers",
        "a kill, a false fence, a clean shutdown and an ISR change",
        &replication::Bounds {
            min_isr: 2,
            records: 1,
            kills: 1,
            fences: 1,
            stops: 1,
            lags: 1,
            atomic_fetches: 1,
            atomic_proposals: 1,
            ..QUIET
        },
    )),
    deep(world(
        "deep-controller",
        "three brokers and more of everything",
        &controller::Bounds {
            brokers: 3,
            min_isr: 2,
            registrations: 1,
            fences: 2,
            beats: 3,
            proposals: 1,
            elections: 1,
            ..ASKED
        },
    )),
];
