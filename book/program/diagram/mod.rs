//! A scenario as a sequence diagram: time runs downwards, each member of the cluster has a lane.
//!
//! [`story`] says what there is to see in which order, [`layout`] where it goes, [`svg`] how it is written down. Colours
//! and line widths are the style sheet's (`book/highwater.css`). A consumer group has no lanes yet, and is told as a list:
//! [`listed`]. Not here: the scenario's text, which stands below.

mod layout;
mod listed;
mod said;
mod state;
mod story;
mod svg;
#[cfg(test)]
mod tests;

use highwater_checker::kind::{Kind, Model, Visitor, property_called};
use highwater_checker::narrated::Narrated;
use highwater_checker::replication::World;
use highwater_checker::story::{self as told, Parting};
use highwater_spec::property::Property;
use highwater_spec::scenario::{Expects, Scenario};

/// How a scenario ends.
struct Ending {
    property: Property,
    /// Why it does not hold, if it doesn't.
    broken: Option<String>,
}

/// A scenario's text as a figure in SVG and HTML.
///
/// # Errors
/// If it can't be read, or the specification does not allow it; begins with `:line`, where one is to blame.
pub fn drawn(name: &str, text: &str) -> Result<String, String> {
    let scenario = text.parse::<Scenario>().map_err(|error| format!(":{}: {}", error.line, error.message))?;
    match Model::of_scenario(&scenario).map_err(|what| format!(": {what}"))? {
        Model::Replication(world) => {
            let (scenario, broken) = followed(&world, &scenario)?;
            let ending = match &scenario.expects {
                Some(expects) => Some(Ending { property: property_called::<World>(expects.property())?, broken }),
                None => None,
            };
            let story =
                story::story(&scenario, ending).map_err(|error| format!(":{}: {}", error.line, error.message))?;
            Ok(svg::figure(name, &scenario, &layout::laid_out(&story)))
        }
        Model::Controller(_) => Err(": a controller by itself is not drawn".to_owned()),
        other => other.visit(Listed { name, scenario: &scenario }),
    }
}

/// A scenario without lanes.
struct Listed<'a> {
    name: &'a str,
    scenario: &'a Scenario,
}

impl Visitor for Listed<'_> {
    type Answer = Result<String, String>;

    fn visit<W: Kind>(self, world: &W) -> Self::Answer {
        let (scenario, broken) = followed(world, self.scenario)?;
        Ok(listed::figure(self.name, &scenario, broken.as_deref()))
    }
}

/// The scenario with all that its writer left out, and why its property does not hold at its end, if it doesn't.
fn followed<W: Narrated>(world: &W, scenario: &Scenario) -> Result<(Scenario, Option<String>), String> {
    let parted = |parting: Parting| format!(":{}: {}", parting.line, parting.what);
    let end = told::follow(world, scenario).map_err(parted)?;
    let whole = told::retell(world, scenario).map_err(parted)?;
    let broken = scenario.expects.as_ref().and_then(|expects| world.reason(&end, expects.property()));
    match (&scenario.expects, &broken) {
        (Some(Expects::Breaks(name)), None) => {
            Err(format!(":4: it says that it breaks {name}, which holds at its end"))
        }
        (Some(Expects::Holds(name)), Some(why)) => Err(format!(":4: it says that {name} holds; at its end {why}")),
        _ => Ok((whole, broken)),
    }
}
