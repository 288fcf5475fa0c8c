//! Running a scenario: which step does the specification not allow, and why?

use super::args::RunArgs;
use highwater_checker::catalog::Model;
use highwater_checker::narrated::Narrated;
use highwater_checker::story::{self, Parting};
use highwater_spec::scenario::{Expects, Scenario};

/// Runs a scenario and says what came of it. True if the specification allows every step, and what the scenario
/// expects is so.
pub fn run(args: &RunArgs) -> Result<bool, String> {
    let name = args.file.display();
    let text = std::fs::read_to_string(&args.file).map_err(|error| format!("can't read {name}: {error}"))?;
    let scenario: Scenario = text.parse().map_err(|error| format!("{name}: {error}"))?;
    let in_header = |error| format!("{name}: in the header: {error}");
    match Model::of_scenario(&scenario).map_err(in_header)? {
        Model::Replication(world) => run_in(&world, args, &scenario),
        Model::Controller(world) => run_in(&world, args, &scenario),
    }
}

fn run_in<W: Narrated>(world: &W, args: &RunArgs, scenario: &Scenario) -> Result<bool, String> {
    let name = args.file.display();
    let parted = |parting: Parting| {
        println!("{name}: line {}: the specification parts from the scenario here:\n  {}", parting.line, parting.what);
    };
    let told;
    let scenario = if args.rewrite {
        match story::retell(world, scenario) {
            Err(parting) => return Ok(told_apart(parted, parting)),
            Ok(anew) => {
                std::fs::write(&args.file, anew.to_string()).map_err(|error| format!("can't write {name}: {error}"))?;
                told = anew;
                &told
            }
        }
    } else {
        scenario
    };
    match story::follow(world, scenario) {
        Err(parting) => Ok(told_apart(parted, parting)),
        Ok(end) => {
            println!("{name}: the specification allows all of its {} steps", scenario.steps().count());
            Ok(expected(world, scenario, &end))
        }
    }
}

fn told_apart(tell: impl FnOnce(Parting), parting: Parting) -> bool {
    tell(parting);
    false
}

fn expected<W: Narrated>(world: &W, scenario: &Scenario, end: &W::State) -> bool {
    let (must_break, property) = match &scenario.expects {
        None => return true,
        Some(Expects::Breaks(property)) => (true, property.as_str()),
        Some(Expects::Holds(property)) => (false, property.as_str()),
    };
    let reason = world.reason(end, property);
    match &reason {
        Some(reason) => println!("{property} does not hold at its end: {reason}"),
        None => println!("{property} holds at its end"),
    }
    reason.is_some() == must_break
}
