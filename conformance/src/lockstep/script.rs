//! Scenarios that can be played on a cluster.

use super::divergence::Divergence;
use super::ensemble::Ensemble;
use highwater_checker::group::{self, members};
use highwater_checker::kind::Model;
use highwater_checker::narrated::Narrated;
use highwater_checker::replication::World;
use highwater_checker::story::{self, Parting};
use highwater_spec::rules::Rules;
use highwater_spec::scenario::{Event, ParseError, Scenario};

/// A scenario that can be played: its world, and its events.
#[derive(Clone, Debug)]
pub enum Script {
    /// Brokers and their controller.
    Replication(World, Vec<Event>),
    /// A group of the classic protocol.
    Group(group::World, Vec<group::Event>),
    /// A group of the consumer protocol.
    Consumers(members::World, Vec<members::Event>),
}

impl Script {
    /// Of a scenario's text.
    ///
    /// # Errors
    /// When the text is none, when it is of another kind of world, and when the specification does not allow it.
    pub fn read(text: &str) -> Result<Self, String> {
        let scenario: Scenario = text.parse().map_err(|error: ParseError| error.to_string())?;
        match Model::of_scenario(&scenario)? {
            Model::Replication(world) => events(&world, &scenario).map(|events| Self::Replication(world, events)),
            Model::Group(world) => events(&world, &scenario).map(|events| Self::Group(world, events)),
            Model::Members(world) => events(&world, &scenario).map(|events| Self::Consumers(world, events)),
            Model::Controller(_) | Model::Cleaning(_) | Model::Producing(_) | Model::Reading(_) => {
                Err("only replication, group and consumers worlds can be played on a cluster".to_owned())
            }
        }
    }

    /// How many events it has.
    #[must_use]
    pub fn events(&self) -> usize {
        match self {
            Self::Replication(_, events) => events.len(),
            Self::Group(_, events) => events.len(),
            Self::Consumers(_, events) => events.len(),
        }
    }

    /// The rules that it is played by.
    #[must_use]
    pub fn rules(&self) -> Rules {
        match self {
            Self::Replication(world, _) => world.rules,
            Self::Group(world, _) => world.rules,
            Self::Consumers(world, _) => world.rules,
        }
    }

    /// Plays it: see [`Ensemble::play`].
    ///
    /// # Errors
    /// The first difference.
    pub fn play(&self, ensemble: &Ensemble) -> Result<usize, Box<Divergence>> {
        match self {
            Self::Replication(world, events) => ensemble.play(world, events),
            Self::Group(world, events) => ensemble.play(world, events),
            Self::Consumers(world, events) => ensemble.play(world, events),
        }
    }
}

fn events<W: Narrated>(world: &W, scenario: &Scenario) -> Result<Vec<W::Event>, String> {
    let told = |parting: Parting| format!("line {}: {}", parting.line, parting.what);
    story::follow(world, scenario).map_err(told)?;
    let events = scenario.steps().map(|step| W::read_event(&step.input));
    events.collect::<Result<_, _>>().map_err(|error| error.to_string())
}
