//! Checking: every world must hold, every exhibit must break, and its twin must hold.

use super::args::{CheckArgs, Named, named};
use super::outcome::Outcome;
use super::{say, table, write_whole};
use highwater_checker::catalog::{Entry, WORLDS, in_words};
use highwater_checker::engine::{Progress, Search};
use highwater_checker::kind::{Kind, Visitor};
use highwater_checker::museum::{self, Exhibit};
use highwater_checker::story;
use highwater_spec::rules::Rules;
use highwater_spec::scenario::{Expects, Scenario, Word};
use indicatif::{ProgressBar, ProgressStyle};
use std::time::Duration;

/// What one search showed, with the scenario of its counterexample.
struct Searched {
    outcome: Outcome,
    scenario: Option<Scenario>,
}

/// Checks what was asked for, and prints the results. True if all is as it must be.
pub fn check(args: &CheckArgs) -> Result<bool, String> {
    let mut results = Vec::new();
    for named in asked(args)? {
        match named {
            Named::World(entry) => results.push(check_world(entry, args)?),
            Named::Exhibit(exhibit) => results.extend(check_exhibit(&exhibit, args)?),
        }
        if args.fail_fast && results.iter().any(|searched: &Searched| !searched.outcome.passed) {
            break;
        }
    }
    let passed = print(args, &results)?;
    if let Some(file) = &args.scenario {
        match results.iter().find_map(|searched| searched.scenario.as_ref()) {
            Some(told) => write_whole(file, &told.to_string())?,
            None => eprintln!("highwater-check: nothing written to {}: there is no counterexample", file.display()),
        }
    }
    Ok(passed)
}

/// What to check, in order.
fn asked(args: &CheckArgs) -> Result<Vec<Named>, String> {
    if let Some(name) = &args.name {
        return Ok(vec![named(name)?]);
    }
    let worlds = WORLDS.iter().filter(|entry| args.deep || !entry.deep).map(Named::World);
    Ok(worlds.chain(museum::all().map(Named::Exhibit)).collect())
}

fn print(args: &CheckArgs, results: &[Searched]) -> Result<bool, String> {
    let passed = results.iter().all(|searched| searched.outcome.passed);
    let outcomes: Vec<_> = results.iter().map(|searched| &searched.outcome).collect();
    if args.json {
        let all = serde_json::json!({ "passed": passed, "results": outcomes });
        say(&serde_json::to_string_pretty(&all).map_err(|error| error.to_string())?);
    } else {
        // Before the table, whose legend is long.
        let unexpected = results.iter().filter(|searched| !searched.outcome.passed);
        unexpected.filter_map(|searched| searched.scenario.as_ref()).for_each(|scenario| say(&format!("{scenario}\n")));
        say(&table::table(&outcomes));
    }
    Ok(passed)
}

fn check_world(entry: &Entry, args: &CheckArgs) -> Result<Searched, String> {
    let model = entry.model(args.rules.unwrap_or(Rules::KAFKA), &args.bounds)?;
    model.visit(Searching { name: entry.name, search: &args.search(), must_break: false })
}

/// The case that must break and its twin, or one case by rules of the user's own, which is told as it comes.
fn check_exhibit(exhibit: &Exhibit, args: &CheckArgs) -> Result<Vec<Searched>, String> {
    let cases = [(exhibit.broken, true, ""), (exhibit.mended, false, " twin")];
    let cases = &cases[..if args.rules.is_some() { 1 } else { 2 }];
    let mut results = Vec::new();
    for (case, must_break, suffix) in cases.iter().copied() {
        let name = format!("{}{suffix}", exhibit.name);
        let searching =
            Searching { name: &name, search: &args.search(), must_break: must_break && args.rules.is_none() };
        results.push(case.model(args.rules, &args.bounds)?.visit(searching)?);
    }
    Ok(results)
}

/// A search to be made in a world.
struct Searching<'a> {
    name: &'a str,
    search: &'a Search,
    must_break: bool,
}

impl Visitor for Searching<'_> {
    type Answer = Result<Searched, String>;

    fn visit<W: Kind>(self, world: &W) -> Self::Answer {
        search(self.name, world, self.search, self.must_break)
    }
}

fn search<W: Kind>(name: &str, world: &W, search: &Search, must_break: bool) -> Result<Searched, String> {
    let progress = Progress::default();
    let searched = watched(name, &progress, || search.run(world, &progress));
    let report = searched.map_err(|error| format!("--memory-limit: {error}"))?;
    let bounds = in_words(&world.bounds());
    let mut outcome = Outcome::of(name.to_owned(), bounds, world.rules().to_string(), &report, must_break);
    let shortest = report.violated().min_by_key(|property| property.violation.as_ref().map_or(0, Vec::len));
    let mut scenario = None;
    if let Some(property) = shortest {
        let events = property.violation.as_deref().unwrap_or_default();
        let expects = Word::new(property.name).map(Expects::Breaks).map_err(|error| error.to_string())?;
        let told = story::tell(world, events, Some(expects))?;
        let end = story::follow(world, &told).map_err(|parting| format!("line {}: {}", parting.line, parting.what))?;
        if let Some(judged) = outcome.properties.iter_mut().find(|judged| judged.name == property.name) {
            judged.because = world.reason(&end, property.name);
        }
        scenario = Some(told);
    }
    Ok(Searched { outcome, scenario })
}

/// Runs `work` while a line on the terminal tells how far it is.
fn watched<T: Send>(name: &str, progress: &Progress, work: impl FnOnce() -> T + Send) -> T {
    let bar = ProgressBar::new_spinner();
    let style = ProgressStyle::with_template("{spinner} {msg} {elapsed}");
    bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_spinner()));
    let message = || {
        let (distinct, generated) = (table::grouped(progress.distinct()), table::grouped(progress.generated()));
        format!(
            "{name:<22} {distinct} states, {generated} reached, depth {}, {} to explore",
            progress.depth(),
            table::grouped(progress.frontier())
        )
    };
    let done = std::thread::scope(|scope| {
        let working = scope.spawn(work);
        while !working.is_finished() {
            bar.set_message(message());
            bar.tick();
            std::thread::sleep(Duration::from_millis(50));
        }
        working.join()
    });
    bar.finish_and_clear();
    if bar.is_hidden() {
        eprintln!("{}", message());
    }
    done.unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}
