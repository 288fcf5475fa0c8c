//! Kinds of worlds: what the catalogue, the museum and the command line have to know of one.
//!
//! A kind is a module with a `World` and its `Bounds`, and an entry in the table at the end of this file. Not here: what
//! happens in a world ([`crate::engine::Explorable`]), and how it is told ([`Narrated`]).

use crate::group::members;
use crate::narrated::Narrated;
use crate::{cleaning, controller, group, producing, reading, replication};
use highwater_spec::property::cleaning::{CleaningProperty, OF_CLEANING};
use highwater_spec::property::consumer_group::{self, ConsumerProperty};
use highwater_spec::property::group::{EVERY as OF_GROUPS, GroupProperty};
use highwater_spec::property::producing::{OF_PRODUCING, ProducingProperty};
use highwater_spec::property::reading::{OF_READING, ReadingProperty};
use highwater_spec::property::{self, Property};
use highwater_spec::rules::Rules;
use highwater_spec::scenario::{Expects, Scenario};
use std::fmt::Debug;

/// A kind of world.
pub trait Kind: Narrated + Clone + Into<Model> {
    /// How much may happen in it.
    type Bounds: Bounded<World = Self>;
    /// What is judged in it.
    type Property: Promise;
    /// What its worlds have, as in "worlds with a compacted log".
    const HAS: &'static str;
    /// What its properties are called, as in "property of a group".
    const PROPERTY: &'static str;

    /// Every property that there is, those that need not hold included.
    fn every() -> Vec<Self::Property>;

    /// A world in which all that Kafka promises must hold.
    fn promised(rules: Rules, bounds: Self::Bounds) -> Self;

    /// A world judged by one property or none.
    fn judged(rules: Rules, bounds: Self::Bounds, property: Option<Self::Property>) -> Self;
}

/// What a kind's bounds have in common: see [`crate::bounds`].
pub trait Bounded: Copy + Debug + Sync + 'static {
    /// The world that they bound.
    type World: Kind<Bounds = Self>;
    /// Nothing happens that need not.
    const QUIET: Self;
    /// Their names, and what each stands for.
    const DESCRIBED: &'static [(&'static str, &'static str)];

    /// These bounds with one changed.
    ///
    /// # Errors
    /// Names what is unknown or out of range.
    fn with(self, name: &str, value: u64) -> Result<Self, String>;

    /// Those that are always told, and those that are not as in [`Bounded::QUIET`].
    fn named(&self) -> Vec<(String, u64)>;

    /// These bounds with some changed.
    ///
    /// # Errors
    /// Names what is unknown or out of range.
    fn changed<'a>(self, changed: impl IntoIterator<Item = &'a (String, u64)>) -> Result<Self, String> {
        changed.into_iter().try_fold(self, |bounds, (name, value)| bounds.with(name, *value))
    }
}

/// What properties of any kind have in common.
pub trait Promise: Copy + Debug + Sync + 'static {
    /// Its name, its number and what it says.
    fn told(&self) -> Told;

    /// The same statement, wherever Kafka promises it or not.
    #[must_use]
    fn unconditional(self) -> Self {
        self
    }
}

/// A property as people are told of it.
#[derive(Clone, Debug)]
pub struct Told {
    /// Its number in the list of invariants.
    pub number: &'static str,
    /// Its name.
    pub name: &'static str,
    /// What it says, in a sentence.
    pub statement: &'static str,
    /// The conditions under which Kafka promises it.
    pub guards: Vec<&'static str>,
}

impl Promise for Property {
    fn told(&self) -> Told {
        let guards = self.guards.iter().map(|guard| guard.name).collect();
        Told { number: self.number, name: self.name, statement: self.statement, guards }
    }

    fn unconditional(self) -> Self {
        Self::unconditional(self)
    }
}

/// The property of a kind of world called `name`.
///
/// # Errors
/// Lists the properties that there are.
pub fn property_called<W: Kind>(name: &str) -> Result<W::Property, String> {
    let every = W::every();
    every.iter().find(|property| property.told().name == name).copied().ok_or_else(|| {
        let names: Vec<_> = every.iter().map(|property| property.told().name).collect();
        format!("no {} is called {name:?}; there are {}", W::PROPERTY, names.join(", "))
    })
}

/// What is done with a world of whatever kind.
pub trait Visitor {
    /// What comes of it.
    type Answer;

    /// Does it.
    fn visit<W: Kind>(self, world: &W) -> Self::Answer;
}

/// A kind as people are told of it.
#[derive(Clone, Debug)]
pub struct About {
    /// What its worlds have.
    pub has: &'static str,
    /// The names of its bounds, and what each stands for.
    pub bounds: &'static [(&'static str, &'static str)],
    /// What may be judged.
    pub properties: Vec<Told>,
}

fn about<W: Kind>() -> About {
    let properties = W::every().iter().map(Promise::told).collect();
    About { has: W::HAS, bounds: W::Bounds::DESCRIBED, properties }
}

/// The world that a scenario's header names.
fn of_scenario<W: Kind>(scenario: &Scenario) -> Result<Model, String> {
    let base = Rules::baseline(scenario.rules.name())?;
    let overrides = scenario.rules.values();
    let rules = overrides.iter().try_fold(base, |rules, (field, way)| rules.with(field.as_str(), way.as_str()))?;
    let mut bounds = scenario.world.values().iter();
    let bounds = bounds.try_fold(W::Bounds::QUIET, |bounds, (name, value)| bounds.with(name.as_str(), *value))?;
    let property = match &scenario.expects {
        None => None,
        Some(Expects::Breaks(name)) => Some(property_called::<W>(name.as_str())?.unconditional()),
        Some(Expects::Holds(name)) => Some(property_called::<W>(name.as_str())?),
    };
    Ok(W::judged(rules, bounds, property).into())
}

/// Declares what the types of properties that are promised everywhere have in common.
macro_rules! promised_everywhere {
    ($($property:ty),*) => {$(
        impl Promise for $property {
            fn told(&self) -> Told {
                Told { number: self.number, name: self.name, statement: self.statement, guards: Vec::new() }
            }
        }
    )*};
}

promised_everywhere!(GroupProperty, ConsumerProperty, CleaningProperty, ProducingProperty, ReadingProperty);

/// Declares the kinds: each one's module, the type of its properties and all of them, what its worlds have, and what its
/// properties are called.
macro_rules! kinds {
    ($($(#[$doc:meta])* $kind:ident($module:ident), $property:ty, $every:expr, $has:literal, $called:literal;)*) => {
        /// A world to explore.
        #[derive(Clone, Debug)]
        pub enum Model {
            $($(#[$doc])* $kind($module::World),)*
        }

        impl Model {
            /// The world that a scenario's header names, judged by the property that it speaks of: a broken one wherever
            /// Kafka promises it or not.
            ///
            /// # Errors
            /// Names what is unknown.
            pub fn of_scenario(scenario: &Scenario) -> Result<Self, String> {
                match scenario.world.name() {
                    $($module::World::KIND => of_scenario::<$module::World>(scenario),)*
                    other => {
                        let known = [$($module::World::KIND),*];
                        Err(format!("no kind of world is called {other:?}; there are {}", known.join(", ")))
                    }
                }
            }

            /// Does something with the world, whatever its kind.
            pub fn visit<V: Visitor>(&self, visitor: V) -> V::Answer {
                match self {
                    $(Self::$kind(world) => visitor.visit(world),)*
                }
            }
        }

        /// Every kind.
        pub fn every() -> Vec<About> {
            vec![$(about::<$module::World>()),*]
        }

        $(
            impl From<$module::World> for Model {
                fn from(world: $module::World) -> Self {
                    Self::$kind(world)
                }
            }

            impl Kind for $module::World {
                type Bounds = $module::Bounds;
                type Property = $property;
                const HAS: &'static str = $has;
                const PROPERTY: &'static str = $called;

                fn every() -> Vec<$property> {
                    $every.to_vec()
                }

                fn promised(rules: Rules, bounds: $module::Bounds) -> Self {
                    Self::new(rules, bounds)
                }

                fn judged(rules: Rules, bounds: $module::Bounds, property: Option<$property>) -> Self {
                    Self::judged_by(rules, bounds, property.as_slice())
                }
            }
        )*
    };
}

kinds! {
    /// Brokers, controller and what may go wrong between them.
    Replication(replication), Property, property::every(), "brokers", "property";
    /// The controller alone.
    Controller(controller), Property, property::every(), "the controller alone", "property";
    /// A consumer group and its coordinator.
    Group(group), GroupProperty, OF_GROUPS, "a consumer group", "property of a group";
    /// A group of the consumer protocol.
    Members(members), ConsumerProperty, consumer_group::EVERY, "a group of the consumer protocol",
        "property of a group of the consumer protocol";
    /// A compacted log.
    Cleaning(cleaning), CleaningProperty, OF_CLEANING, "a compacted log", "property of a compacted log";
    /// A producer and its partition's leader.
    Producing(producing), ProducingProperty, OF_PRODUCING, "a producer", "property of what a producer writes";
    /// A consumer, and its partition's leaders.
    Reading(reading), ReadingProperty, OF_READING, "a log that is cut while it is read", "property of what a consumer reads";
}
