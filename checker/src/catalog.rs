//! The worlds that are checked, by name.

use crate::group::members;
use crate::narrated::Narrated;
use crate::{cleaning, controller, group, producing, replication};
use highwater_spec::property::cleaning::CleaningProperty;
use highwater_spec::property::consumer_group::ConsumerProperty;
use highwater_spec::property::group::GroupProperty;
use highwater_spec::property::producing::{OF_PRODUCING, ProducingProperty};
use highwater_spec::property::{self, Property};
use highwater_spec::rules::Rules;
use highwater_spec::scenario::{Expects, Scenario};

/// A world to explore.
#[derive(Clone, Debug)]
pub enum Model {
    /// Brokers, controller and what may go wrong between them.
    Replication(replication::World),
    /// The controller alone.
    Controller(controller::World),
    /// A consumer group and its coordinator.
    Group(group::World),
    /// A compacted log.
    Cleaning(cleaning::World),
    /// A group of the consumer protocol.
    Members(members::World),
    /// A producer and its partition's leader.
    Producing(producing::World),
}

impl Model {
    /// The world that a scenario's header names, judged by the property that it speaks of, wherever Kafka promises it
    /// or not.
    ///
    /// # Errors
    /// Names what is unknown.
    pub fn of_scenario(scenario: &Scenario) -> Result<Self, String> {
        let base = Rules::baseline(scenario.rules.name())?;
        let overrides = scenario.rules.values();
        let rules = overrides.iter().try_fold(base, |rules, (field, way)| rules.with(field.as_str(), way.as_str()))?;
        let bounds = || scenario.world.values().iter().map(|(name, value)| (name.as_str(), *value));
        let kind = scenario.world.name();
        if kind == group::World::KIND {
            let quiet = group::Bounds::QUIET;
            let bounds = bounds().try_fold(quiet, |bounds, (name, value)| bounds.with(name, value))?;
            let judged =
                scenario.expects.as_ref().map(|expects| group_property_called(expects.property())).transpose()?;
            return Ok(Self::Group(group::World::judged_by(rules, bounds, judged.as_slice())));
        }
        if kind == cleaning::World::KIND {
            let quiet = cleaning::Bounds::QUIET;
            let bounds = bounds().try_fold(quiet, |bounds, (name, value)| bounds.with(name, value))?;
            let judged =
                scenario.expects.as_ref().map(|expects| cleaning_property_called(expects.property())).transpose()?;
            return Ok(Self::Cleaning(cleaning::World::judged_by(rules, bounds, judged.as_slice())));
        }
        if kind == members::World::KIND {
            let quiet = members::Bounds::QUIET;
            let bounds = bounds().try_fold(quiet, |bounds, (name, value)| bounds.with(name, value))?;
            let judged =
                scenario.expects.as_ref().map(|expects| consumer_property_called(expects.property())).transpose()?;
            return Ok(Self::Members(members::World::judged_by(rules, bounds, judged.as_slice())));
        }
        if kind == producing::World::KIND {
            let quiet = producing::Bounds::QUIET;
            let bounds = bounds().try_fold(quiet, |bounds, (name, value)| bounds.with(name, value))?;
            let judged =
                scenario.expects.as_ref().map(|expects| producing_property_called(expects.property())).transpose()?;
            return Ok(Self::Producing(producing::World::judged_by(rules, bounds, judged.as_slice())));
        }
        let judged: Vec<_> = match &scenario.expects {
            None => Vec::new(),
            Some(Expects::Breaks(name)) => vec![property_called(name.as_str())?.unconditional()],
            Some(Expects::Holds(name)) => vec![property_called(name.as_str())?],
        };
        match kind {
            replication::World::KIND => {
                let quiet = replication::Bounds::QUIET;
                let bounds = bounds().try_fold(quiet, |bounds, (name, value)| bounds.with(name, value))?;
                Ok(Self::Replication(replication::World::judged_by(rules, bounds, &judged)))
            }
            controller::World::KIND => {
                let quiet = controller::Bounds::QUIET;
                let bounds = bounds().try_fold(quiet, |bounds, (name, value)| bounds.with(name, value))?;
                Ok(Self::Controller(controller::World::judged_by(rules, bounds, &judged)))
            }
            other => Err(format!(
                "no kind of world is called {other:?}; there are {}, {}, {}, {}, {} and {}",
                replication::World::KIND,
                controller::World::KIND,
                group::World::KIND,
                cleaning::World::KIND,
                members::World::KIND,
                producing::World::KIND
            )),
        }
    }
}

/// The property called `name`.
///
/// # Errors
/// Lists the properties that there are.
pub fn property_called(name: &str) -> Result<Property, String> {
    let every = property::every();
    every.iter().find(|property| property.name == name).copied().ok_or_else(|| {
        let names: Vec<_> = every.iter().map(|property| property.name).collect();
        format!("no property is called {name:?}; there are {}", names.join(", "))
    })
}

/// The property of a group called `name`.
///
/// # Errors
/// Lists the properties that there are.
pub fn group_property_called(name: &str) -> Result<GroupProperty, String> {
    let every = property::group::EVERY;
    every.iter().find(|property| property.name == name).copied().ok_or_else(|| {
        let names: Vec<_> = every.iter().map(|property| property.name).collect();
        format!("no property of a group is called {name:?}; there are {}", names.join(", "))
    })
}

/// The property of a compacted log called `name`.
///
/// # Errors
/// Lists the properties that there are.
pub fn cleaning_property_called(name: &str) -> Result<CleaningProperty, String> {
    let every = property::cleaning::OF_CLEANING;
    every.iter().find(|property| property.name == name).copied().ok_or_else(|| {
        let names: Vec<_> = every.iter().map(|property| property.name).collect();
        format!("no property of a compacted log is called {name:?}; there are {}", names.join(", "))
    })
}

/// The property of a group of the consumer protocol called `name`.
///
/// # Errors
/// Lists the properties that there are.
pub fn consumer_property_called(name: &str) -> Result<ConsumerProperty, String> {
    let every = property::consumer_group::EVERY;
    every.iter().find(|property| property.name == name).copied().ok_or_else(|| {
        let names: Vec<_> = every.iter().map(|property| property.name).collect();
        format!("no property of a group of the consumer protocol is called {name:?}; there are {}", names.join(", "))
    })
}

/// The property of what a producer writes called `name`.
///
/// # Errors
/// Lists the properties that there are.
pub fn producing_property_called(name: &str) -> Result<ProducingProperty, String> {
    OF_PRODUCING.iter().find(|property| property.name == name).copied().ok_or_else(|| {
        let names: Vec<_> = OF_PRODUCING.iter().map(|property| property.name).collect();
        format!("no property of what a producer writes is called {name:?}; there are {}", names.join(", "))
    })
}

/// One entry of the catalogue.
#[derive(Clone, Copy, Debug)]
pub struct Entry {
    /// Its name.
    pub name: &'static str,
    /// What it is for, in a few words.
    pub about: &'static str,
    /// Whether it is checked with `--deep` only.
    pub deep: bool,
    bounds: Limits,
}

#[derive(Clone, Copy, Debug)]
enum Limits {
    Replication(replication::Bounds),
    Controller(controller::Bounds),
    Group(group::Bounds),
    Cleaning(cleaning::Bounds),
    Members(members::Bounds),
    Producing(producing::Bounds),
}

impl Entry {
    /// The world, with some bounds changed.
    ///
    /// # Errors
    /// Names the bound that is unknown or out of range.
    pub fn model(&self, rules: Rules, changed: &[(String, u64)]) -> Result<Model, String> {
        Ok(match self.bounds {
            Limits::Replication(bounds) => {
                let bounds = changed.iter().try_fold(bounds, |bounds, (name, value)| bounds.with(name, *value))?;
                Model::Replication(replication::World::new(rules, bounds))
            }
            Limits::Controller(bounds) => {
                let bounds = changed.iter().try_fold(bounds, |bounds, (name, value)| bounds.with(name, *value))?;
                Model::Controller(controller::World::new(rules, bounds))
            }
            Limits::Group(bounds) => {
                let bounds = changed.iter().try_fold(bounds, |bounds, (name, value)| bounds.with(name, *value))?;
                Model::Group(group::World::new(rules, bounds))
            }
            Limits::Cleaning(bounds) => {
                let bounds = changed.iter().try_fold(bounds, |bounds, (name, value)| bounds.with(name, *value))?;
                Model::Cleaning(cleaning::World::new(rules, bounds))
            }
            Limits::Members(bounds) => {
                let bounds = changed.iter().try_fold(bounds, |bounds, (name, value)| bounds.with(name, *value))?;
                Model::Members(members::World::new(rules, bounds))
            }
            Limits::Producing(bounds) => {
                let bounds = changed.iter().try_fold(bounds, |bounds, (name, value)| bounds.with(name, *value))?;
                Model::Producing(producing::World::new(rules, bounds))
            }
        })
    }

    /// Its bounds, in words.
    pub fn bounds(&self) -> String {
        let named = match self.bounds {
            Limits::Replication(bounds) => bounds.named(),
            Limits::Controller(bounds) => bounds.named(),
            Limits::Group(bounds) => bounds.named(),
            Limits::Cleaning(bounds) => bounds.named(),
            Limits::Members(bounds) => bounds.named(),
            Limits::Producing(bounds) => bounds.named(),
        };
        named.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join(" ")
    }
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

const fn replication(name: &'static str, about: &'static str, bounds: replication::Bounds) -> Entry {
    Entry { name, about, deep: false, bounds: Limits::Replication(bounds) }
}

const fn controller(name: &'static str, about: &'static str, bounds: controller::Bounds) -> Entry {
    Entry { name, about, deep: false, bounds: Limits::Controller(bounds) }
}

const fn group(name: &'static str, about: &'static str, bounds: group::Bounds) -> Entry {
    Entry { name, about, deep: false, bounds: Limits::Group(bounds) }
}

const fn cleaning(name: &'static str, about: &'static str, bounds: cleaning::Bounds) -> Entry {
    Entry { name, about, deep: false, bounds: Limits::Cleaning(bounds) }
}

const fn members(name: &'static str, about: &'static str, bounds: members::Bounds) -> Entry {
    Entry { name, about, deep: false, bounds: Limits::Members(bounds) }
}

const fn producing(name: &'static str, about: &'static str, bounds: producing::Bounds) -> Entry {
    Entry { name, about, deep: false, bounds: Limits::Producing(bounds) }
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
    replication("three-brokers-kill", "a process is killed", replication::Bounds { records: 2, kills: 1, ..THREE }),
    replication(
        "three-brokers-power",
        "a machine loses power, and what was not flushed",
        replication::Bounds { min_isr: 2, records: 1, power_losses: 1, ..THREE },
    ),
    replication(
        "three-brokers-fence",
        "a broker is fenced though it runs",
        replication::Bounds { records: 2, fences: 1, ..THREE },
    ),
    replication(
        "three-brokers-isr",
        "followers lag, leave the ISR and return",
        replication::Bounds { records: 2, lags: 2, ..ATOMIC },
    ),
    replication(
        "three-brokers-pair",
        "two false fences, with atomic fetches",
        replication::Bounds { min_isr: 2, records: 1, fences: 2, ..ATOMIC },
    ),
    replication(
        "two-brokers",
        "everything that can go wrong, each in pairs small enough",
        replication::Bounds {
            min_isr: 2,
            records: 1,
            kills: 1,
            power_losses: 1,
            fences: 1,
            atomic_proposals: 1,
            ..QUIET
        },
    ),
    replication(
        "two-brokers-torn",
        "kills between two writes, late views, lagging checkpoints",
        replication::Bounds { records: 1, kills: 2, late_views: 1, interrupts: 1, checkpoints: 1, ..QUIET },
    ),
    replication(
        "two-brokers-restart",
        "clean shutdowns, power losses and requests of an earlier life",
        replication::Bounds { records: 1, min_isr: 2, stops: 1, power_losses: 1, delays: 1, ..QUIET },
    ),
    replication(
        "acks",
        "acks=1 and acks=all against min.insync.replicas",
        replication::Bounds { min_isr: 2, records: 2, acks: 2, lags: 1, timeouts: 1, disk_failures: 1, ..QUIET },
    ),
    replication(
        "idempotence",
        "a producer with an id sends again, across a failover and a truncation",
        replication::Bounds {
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
    controller(
        "controller",
        "whatever brokers and operators may ask",
        controller::Bounds {
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
    controller(
        "controller-log",
        "a metadata log that loses what was not committed",
        controller::Bounds {
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
    group("group-crash", "a consumer crashes", group::Bounds { crashes: 1, ..MEMBERS }),
    group(
        "group-cooperative",
        "a consumer crashes, and the others keep what they own",
        group::Bounds { cooperative: 1, crashes: 1, ..MEMBERS },
    ),
    group("group-static", "a static member comes back", group::Bounds { fixed: 1, crashes: 1, ..MEMBERS }),
    group("group-session", "a session ends though the consumer lives", group::Bounds { expiries: 1, ..MEMBERS }),
    group(
        "group-move",
        "the coordinator moves, and what was not committed is lost",
        group::Bounds { moves: 1, late_commits: 1, ..MEMBERS },
    ),
    group(
        "group-late",
        "a rebalance waits no longer for a static member, which commits late",
        group::Bounds { fixed: 1, impatience: 1, commits: 1, ..MEMBERS },
    ),
    group(
        "group-return",
        "the coordinator's broker loses its log, has it again at once, and hears of it once more",
        group::Bounds { returns: 1, repeats: 1, partitions: 1, ..MEMBERS },
    ),
    group("group-break", "a connection breaks, and a consumer ends", group::Bounds { breaks: 1, closes: 1, ..MEMBERS }),
    group(
        "group-slow",
        "a consumer is not polled for too long, leaves, and comes back",
        group::Bounds { partitions: 3, slow_polls: 1, by_arrival: 1, ..MEMBERS },
    ),
    group("group-three", "three consumers come, one after another", group::Bounds { partitions: 3, ..THREE_MEMBERS }),
    group(
        "group-three-cooperative",
        "three consumers come, and keep what they own",
        group::Bounds { partitions: 3, cooperative: 1, ..UNREAD },
    ),
    group("group-three-crash", "one of three consumers crashes", group::Bounds { crashes: 1, ..UNREAD }),
    group(
        "group-three-session",
        "a session ends though the consumer lives, one of three",
        group::Bounds { expiries: 1, ..UNREAD },
    ),
    group(
        "group-three-break",
        "one of three consumers asks again, be it that nobody has heard it or that it has not heard the answer",
        group::Bounds { cooperative: 1, breaks: 1, ..UNREAD },
    ),
    cleaning(
        "cleaning",
        "a compacted log is written, cleaned, read again and copied",
        cleaning::Bounds {
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
    cleaning(
        "cleaning-crowded",
        "there is room for one key only in each round of cleaning",
        cleaning::Bounds {
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
    members(
        "consumers-three",
        "three members of the consumer protocol come, one after another",
        members::Bounds { partitions: 3, ..THREE_CONSUMERS },
    ),
    members("consumers-three-leave", "one of three members leaves", members::Bounds { leaves: 1, ..THREE_CONSUMERS }),
    members(
        "consumers-three-break",
        "one of three members asks again, be it that nobody has heard it or that it has not heard the answer",
        members::Bounds { partitions: 3, breaks: 1, ..THREE_CONSUMERS },
    ),
    members(
        "consumers-three-slow",
        "one of three members takes too long to give up partitions",
        members::Bounds { slow: 1, ..THREE_CONSUMERS },
    ),
    members(
        "consumers-three-move",
        "three members lose their coordinator, and what it had not committed",
        members::Bounds { moves: 1, late_commits: 1, ..THREE_CONSUMERS },
    ),
    members(
        "consumers-silent",
        "a session ends, a connection breaks, and partitions are given up too late",
        members::Bounds { expiries: 1, breaks: 1, slow: 1, ..CONSUMERS },
    ),
    members(
        "consumers-static",
        "a static member goes and comes back, and the topic grows",
        members::Bounds { fixed: 1, leaves: 1, grows: 1, ..CONSUMERS },
    ),
    members(
        "consumers-move",
        "the coordinator moves, and what was not committed is lost",
        members::Bounds { moves: 1, late_commits: 1, leaves: 1, ..CONSUMERS },
    ),
    members(
        "consumers-commit",
        "members commit what they have processed, give up too soon to hear of it, and fall silent",
        members::Bounds { records: 1, expiries: 1, impatience: 1, ..CONSUMERS },
    ),
    members(
        "consumers-commit-move",
        "commits are told when the log has them, and the coordinator moves",
        members::Bounds { records: 1, moves: 1, late_commits: 1, ..CONSUMERS },
    ),
    producing(
        "producer",
        "a producer with an id sends again what broken connections and a new leader leave in doubt",
        producing::Bounds { records: 4, in_flight: 3, breaks: 2, delays: 1, failovers: 1, ..producing::Bounds::QUIET },
    ),
    producing(
        "producer-gives-up",
        "a producer with an id gives up what takes too long",
        producing::Bounds { records: 4, breaks: 2, expiries: 2, failovers: 1, ..producing::Bounds::QUIET },
    ),
    deep(members(
        "deep-consumers",
        "three members of the consumer protocol come, and one crashes",
        members::Bounds { partitions: 3, crashes: 1, ..THREE_CONSUMERS },
    )),
    deep(members(
        "deep-consumers-silent",
        "a session ends though the member lives, one of three",
        members::Bounds { expiries: 1, ..THREE_CONSUMERS },
    )),
    deep(group(
        "deep-group-crash",
        "one of three consumers crashes, and the others keep what they own",
        group::Bounds { cooperative: 1, crashes: 1, ..UNREAD },
    )),
    deep(group(
        "deep-group-close",
        "one of three consumers ends, and the others keep what they own",
        group::Bounds { cooperative: 1, closes: 1, ..UNREAD },
    )),
    deep(group(
        "deep-group-slow",
        "one of three consumers is not polled for too long",
        group::Bounds { cooperative: 1, slow_polls: 1, ..UNREAD },
    )),
    deep(group("deep-group-move", "three consumers lose their coordinator", group::Bounds { moves: 1, ..UNREAD })),
    deep(replication(
        "deep-kill-and-fence",
        "a kill and a false fence, with atomic fetches",
        replication::Bounds { records: 1, kills: 1, fences: 1, ..ATOMIC },
    )),
    deep(replication(
        "deep-power-and-fence",
        "a power loss and a false fence, with atomic fetches",
        replication::Bounds { min_isr: 2, records: 1, power_losses: 1, fences: 1, ..ATOMIC },
    )),
    deep(replication(
        "deep-isr",
        "two ISR changes and a false fence, with atomic fetches",
        replication::Bounds { records: 1, lags: 2, fences: 1, ..ATOMIC },
    )),
    deep(replication(
        "deep-two-brokers",
        "a kill, a false fence, a clean shutdown and an ISR change",
        replication::Bounds {
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
    deep(controller(
        "deep-controller",
        "three brokers and more of everything",
        controller::Bounds {
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
