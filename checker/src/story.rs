//! A run of a world as a scenario, and a scenario as a run.

use crate::narrated::Narrated;
use highwater_spec::scenario::{
    Expects, Line, LineKind, Numbered, RulesLine, Scenario, Settings, Step, Unprintable, Word,
};

/// Where a scenario and the specification part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parting {
    /// The line of the scenario's text, from 1.
    pub line: usize,
    /// What is wrong there.
    pub what: String,
    /// Whether the line can't even be read.
    pub unreadable: bool,
}

impl Parting {
    fn new(line: usize, what: String) -> Self {
        Self { line, what, unreadable: false }
    }
}

/// Writes down what events do to a world.
///
/// # Errors
/// If an event can't happen, or a text can't be written down.
pub fn tell<W: Narrated>(world: &W, events: &[W::Event], expects: Option<Expects>) -> Result<Scenario, String> {
    let mut scenario = header(world, expects).map_err(|error| error.to_string())?;
    let mut push = |line: Line| scenario.push(line).map_err(|error| error.to_string());
    let mut state = world.initial();
    let mut before = world.lines(&state);
    before.iter().try_for_each(|line| push(Line::state(line)))?;
    for event in events {
        let (after, outputs) = world.narrate(&state, event).map_err(|why| format!("`{event}` can't happen: {why}"))?;
        push(Line::blank())?;
        push(Line::input(&event.to_string()))?;
        outputs.iter().try_for_each(|output| push(Line::output(output)))?;
        let now = world.lines(&after);
        news(&before, &now).try_for_each(|line| push(Line::state(line)))?;
        (state, before) = (after, now);
    }
    Ok(scenario)
}

fn header<W: Narrated>(world: &W, expects: Option<Expects>) -> Result<Scenario, Unprintable> {
    let named = Settings::named(Word::new(W::KIND)?);
    let bounds =
        world.bounds().into_iter().try_fold(named, |named, (name, value)| named.with(Word::new(name)?, value))?;
    let (baseline, overrides) = world.rules().described();
    let named: RulesLine = Settings::named(Word::new(baseline)?);
    let rules = overrides
        .into_iter()
        .try_fold(named, |named, (field, variant)| named.with(Word::new(field)?, Word::new(variant)?))?;
    Ok(Scenario::new(bounds, rules, expects))
}

/// The lines of `now` that `before` has not.
fn news<'a>(before: &'a [String], now: &'a [String]) -> impl Iterator<Item = &'a String> {
    now.iter().filter(|line| !before.contains(line))
}

/// Runs a scenario, and returns the state that it leads to.
///
/// A step may leave its outputs out, or all but some lines of its state; what it tells must be so.
///
/// # Errors
/// Says at which line the specification parts from it, and why.
pub fn follow<W: Narrated>(world: &W, scenario: &Scenario) -> Result<W::State, Parting> {
    let mut state = world.initial();
    states_agree(&world.lines(&state), scenario.initial_states())?;
    for step in scenario.steps() {
        let (after, outputs) = happen(world, &state, &step)?;
        outputs_agree(&outputs, &step)?;
        states_agree(&world.lines(&after), step.states.iter().copied())?;
        state = after;
    }
    Ok(state)
}

fn happen<W: Narrated>(world: &W, state: &W::State, step: &Step<'_>) -> Result<(W::State, Vec<String>), Parting> {
    let line = step.input.number;
    let event = W::read_event(&step.input).map_err(|error| {
        let what = format!("column {}: {}", error.column, error.message);
        Parting { line: error.line, what, unreadable: true }
    })?;
    let impossible = |why| Parting::new(line, format!("`{event}` can't happen here: {why}"));
    world.narrate(state, &event).map_err(impossible)
}

fn outputs_agree(outputs: &[String], step: &Step<'_>) -> Result<(), Parting> {
    let mut said = outputs.iter();
    for told in &step.outputs {
        let (line, text) = (told.number, told.line.text());
        let what = match said.next() {
            Some(said) if same(said, text) => continue,
            Some(said) => format!("the specification says `{said}` here, not `{text}`"),
            None => format!("the specification does not say `{text}`, nor anything more in this step"),
        };
        return Err(Parting::new(line, what));
    }
    match said.next().filter(|_| !step.outputs.is_empty()) {
        None => Ok(()),
        Some(said) => {
            let line = step.outputs.last().map_or(step.input.number, |last| last.number + 1);
            Err(Parting::new(line, format!("the specification goes on: `{said}`")))
        }
    }
}

fn states_agree<'a>(state: &[String], told: impl Iterator<Item = Numbered<'a>>) -> Result<(), Parting> {
    for told in told {
        let text = told.line.text();
        if !state.iter().any(|line| same(line, text)) {
            let what = format!("the scenario has       {text}\n  the specification has  {}", nearest(state, text));
            return Err(Parting::new(told.number, what));
        }
    }
    Ok(())
}

/// Spaces do not count.
fn same(one: &str, other: &str) -> bool {
    one.split_whitespace().eq(other.split_whitespace())
}

/// The line of a state that begins as `text` does, for people to compare.
fn nearest(state: &[String], text: &str) -> String {
    let subject = text.split_whitespace().next().unwrap_or_default();
    let found = state.iter().find(|line| line.split_whitespace().next() == Some(subject));
    found.map_or_else(|| format!("no line about {subject}"), |line| line.trim().to_owned())
}

/// The same scenario with every output and state told anew; comments stay where they are, but for those behind lines
/// that are told anew.
///
/// # Errors
/// Says which event can't happen.
pub fn retell<W: Narrated>(world: &W, scenario: &Scenario) -> Result<Scenario, Parting> {
    let mut told = Scenario::new(scenario.world.clone(), scenario.rules.clone(), scenario.expects.clone());
    let mut push = |line: Line| told.push(line).expect("an input comes before its outputs");
    let mut state = world.initial();
    let mut before = world.lines(&state);
    before.iter().for_each(|line| push(Line::state(line)));
    let mut steps = scenario.steps();
    for numbered in scenario.numbered() {
        match numbered.line.kind() {
            LineKind::Output | LineKind::State => {}
            LineKind::Comment | LineKind::Blank => push(numbered.line.clone()),
            LineKind::Input => {
                let step = steps.next().expect("every input is a step");
                let (after, outputs) = happen(world, &state, &step)?;
                push(numbered.line.clone());
                outputs.iter().for_each(|output| push(Line::output(output)));
                let now = world.lines(&after);
                news(&before, &now).for_each(|line| push(Line::state(line)));
                (state, before) = (after, now);
            }
        }
    }
    Ok(told)
}
