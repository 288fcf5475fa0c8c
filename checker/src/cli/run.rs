//! Running a scenario: which step does the specification not allow, and why?

use super::args::RunArgs;
use super::{say, write_whole};
use highwater_checker::kind::{Kind, Model, Visitor};
use highwater_checker::narrated::Narrated;
use highwater_checker::story::{self, Parting};
use highwater_spec::scenario::{Expects, Scenario};
use std::fs::File;
use std::io::Read;
use std::path::Path;

/// Runs a scenario and says what came of it. True if the specification allows every step, and what the scenario
/// expects is so.
pub fn run(args: &RunArgs) -> Result<bool, String> {
    let name = args.file.display();
    let text = read(&args.file).map_err(|error| format!("can't read {name}: {error}"))?;
    let scenario: Scenario = text.parse().map_err(|error| format!("{name}: {error}"))?;
    let in_header = |error| format!("{name}: in the header: {error}");
    let model = Model::of_scenario(&scenario).map_err(in_header)?;
    model.visit(Running { args, scenario: &scenario })
}

/// A scenario to be run in its world.
struct Running<'a> {
    args: &'a RunArgs,
    scenario: &'a Scenario,
}

impl Visitor for Running<'_> {
    type Answer = Result<bool, String>;

    fn visit<W: Kind>(self, world: &W) -> Self::Answer {
        run_in(world, self.args, self.scenario)
    }
}

/// No story is longer.
const LONGEST: u64 = 64 << 20;

fn read(file: &Path) -> std::io::Result<String> {
    let mut text = String::new();
    let read = File::open(file)?.take(LONGEST + 1).read_to_string(&mut text)?;
    if read as u64 > LONGEST {
        return Err(std::io::Error::other("it is longer than 64 MiB, and so no scenario"));
    }
    Ok(text)
}

fn run_in<W: Narrated>(world: &W, args: &RunArgs, scenario: &Scenario) -> Result<bool, String> {
    let name = args.file.display();
    let followed = match args.rewrite {
        false => Ok(None),
        true => story::retell(world, scenario).map(Some),
    };
    let followed = followed.and_then(|anew| {
        let end = story::follow(world, anew.as_ref().unwrap_or(scenario))?;
        Ok((anew, end))
    });
    match followed {
        Err(Parting { line, what, unreadable: true }) => Err(format!("{name}: line {line}, {what}")),
        Err(Parting { line, what, .. }) => {
            say(&format!("{name}: line {line}: the specification does not allow this:\n  {what}"));
            Ok(false)
        }
        Ok((anew, end)) => {
            if let Some(anew) = anew {
                write_whole(&args.file, &anew.to_string())?;
            }
            say(&format!("{name}: the specification allows all of its {} steps", scenario.steps().count()));
            Ok(expected(world, scenario, &end))
        }
    }
}

fn expected<W: Narrated>(world: &W, scenario: &Scenario, end: &W::State) -> bool {
    let (must_break, property) = match &scenario.expects {
        None => return true,
        Some(Expects::Breaks(property)) => (true, property.as_str()),
        Some(Expects::Holds(property)) => (false, property.as_str()),
    };
    let reason = world.reason(end, property);
    let as_expected = reason.is_some() == must_break;
    let header = if as_expected { "as its header says" } else { "and its header says otherwise" };
    match &reason {
        Some(reason) => say(&format!("{property} does not hold at its end, {header}: {reason}")),
        None => say(&format!("{property} holds at its end, {header}")),
    }
    as_expected
}
