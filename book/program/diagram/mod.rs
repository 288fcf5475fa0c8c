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

use highwater_checker::catalog::Model;
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
    let ending = match &scenario.expects {
        None => None,
        Some(Expects::Breaks(property) | Expects::Holds(property)) => {
            let property = highwater_checker::catalog::property_called(property.as_str())?;
            let broken = highwater_checker::narrated::Narrated::reason(&world, &end, property.name);
            Some(Ending { property, broken })
        }
    };
    Ok((whole, ending))
}
