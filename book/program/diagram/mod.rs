//! A scenario as a sequence diagram: time runs downwards, each member of the cluster has a lane.
//!
//! [`story`] says what there is to see in which order, [`layout`] where it goes, [`svg`] how it is written down. Colours
//! and line widths are the style sheet's (`book/highwater.css`). Not here: the scenario's text, which stands below.

mod layout;
mod said;
mod state;
mod story;
mod svg;
#[cfg(test)]
mod tests;

use highwater_checker::catalog::{Model, property_called};
use highwater_checker::narrated::Narrated;
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
    let (scenario, ending) = followed(&scenario)?;
    let story = story::story(&scenario, ending).map_err(|error| format!(":{}: {}", error.line, error.message))?;
    Ok(svg::figure(name, &scenario, &layout::laid_out(&story)))
}

/// The scenario with all that its writer left out, and how it ends.
fn followed(scenario: &Scenario) -> Result<(Scenario, Option<Ending>), String> {
    let parted = |parting: Parting| format!(":{}: {}", parting.line, parting.what);
    let Model::Replication(world) = Model::of_scenario(scenario).map_err(|what| format!(": {what}"))? else {
        return Err(": it has no brokers; only scenarios of the replication world are drawn".to_owned());
    };
    let end = told::follow(&world, scenario).map_err(parted)?;
    let whole = told::retell(&world, scenario).map_err(parted)?;
    let (Some(Expects::Breaks(name)) | Some(Expects::Holds(name))) = &scenario.expects else {
        return Ok((whole, None));
    };
    let property = property_called(name.as_str())?;
    let broken = world.reason(&end, property.name);
    match (&scenario.expects, &broken) {
        (Some(Expects::Breaks(name)), None) => {
            Err(format!(":4: it says that it breaks {name}, which holds at its end"))
        }
        (Some(Expects::Holds(name)), Some(why)) => Err(format!(":4: it says that {name} holds; at its end {why}")),
        _ => Ok((whole, Some(Ending { property, broken }))),
    }
}
