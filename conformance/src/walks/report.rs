//! What walks covered, for people and for programs.

use super::{Graph, Outcome, Walk};
use highwater_spec::marks::{self, Mark, Passed};
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::time::Duration;

/// What walks of one or more worlds covered.
#[derive(Clone, Debug, Default)]
pub struct Report {
    grounds: Vec<Covered>,
    passed: BTreeMap<Mark, Passed>,
}

/// What the walks of one world covered.
#[derive(Clone, Debug)]
pub struct Covered {
    name: String,
    bounds: String,
    states: usize,
    edges: usize,
    walked: usize,
    walks: usize,
    steps: usize,
    /// The walks that would take every edge, and their steps.
    planned: (usize, usize),
    diverged: usize,
    took: Duration,
}

/// What marks show of the rules.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Marked {
    /// How many rules have marks.
    pub rules: usize,
    /// Those of which no mark was passed.
    pub rules_not_passed: Vec<&'static str>,
    /// How many guards there are.
    pub guards: usize,
    /// Those that were not seen both ways, and how they were seen.
    pub guards_one_way: Vec<(&'static str, &'static str)>,
}

impl Marked {
    fn one_way_in_words(&self) -> Vec<String> {
        self.guards_one_way.iter().map(|(guard, how)| format!("{guard} ({how})")).collect()
    }
}

impl Covered {
    /// What came of replaying walks of one world. `planned` are all its walks.
    pub fn new<E: Clone + PartialEq>(
        name: &str,
        bounds: &str,
        graph: &Graph<E>,
        planned: &[Walk<E>],
        outcome: &Outcome,
    ) -> Self {
        Self {
            name: name.to_owned(),
            bounds: bounds.to_owned(),
            states: graph.states(),
            edges: graph.edges().len(),
            walked: outcome.walked.iter().filter(|walked| **walked).count(),
            walks: outcome.walks,
            steps: outcome.steps,
            planned: (planned.len(), planned.iter().map(|walk| walk.edges.len()).sum()),
            diverged: outcome.diverged.len(),
            took: outcome.took,
        }
    }
}

impl Report {
    /// Adds a world, and the marks that its walks passed.
    pub fn add(&mut self, covered: Covered, marks: &BTreeMap<Mark, Passed>) {
        self.grounds.push(covered);
        for (mark, passed) in marks {
            let sum = self.passed.entry(*mark).or_default();
            sum.met += passed.met;
            sum.unmet += passed.unmet;
        }
    }

    /// Whether no walk diverged.
    #[must_use]
    pub fn is_good(&self) -> bool {
        self.grounds.iter().all(|ground| ground.diverged == 0)
    }

    /// Which rules and guards were passed.
    #[must_use]
    pub fn marked(&self) -> Marked {
        let passed = |mark: &Mark| self.passed.get(mark).copied().unwrap_or_default();
        let rules: BTreeSet<_> = marks::ALL.iter().map(Mark::rule).collect();
        let seen: BTreeSet<_> = self.passed.keys().map(Mark::rule).collect();
        let guards: Vec<_> = marks::ALL.iter().filter(|mark| mark.is_guard).collect();
        let one_way = |mark: &&Mark| match passed(mark) {
            Passed { met: 0, unmet: 0 } => Some((mark.id, "never asked")),
            Passed { met: 0, .. } => Some((mark.id, "never met")),
            Passed { unmet: 0, .. } => Some((mark.id, "always met")),
            _ => None,
        };
        Marked {
            rules: rules.len(),
            rules_not_passed: rules.difference(&seen).copied().collect(),
            guards: guards.len(),
            guards_one_way: guards.iter().filter_map(one_way).collect(),
        }
    }

    fn sum(&self, of: impl Fn(&Covered) -> usize) -> usize {
        self.grounds.iter().map(of).sum()
    }

    fn steps_per_second(&self) -> f64 {
        let took: Duration = self.grounds.iter().map(|ground| ground.took).sum();
        self.sum(|ground| ground.steps) as f64 / took.as_secs_f64().max(f64::EPSILON)
    }

    /// The numbers, without any structure below the first level.
    #[must_use]
    pub fn json(&self) -> Value {
        let mut flat = Map::new();
        flat.insert("command".into(), "highwater-conform walks".into());
        let mut add = |name: &str, value: usize| drop(flat.insert(name.to_owned(), value.into()));
        for ground in &self.grounds {
            let name = ground.name.replace('-', "_");
            add(&format!("{name}_states"), ground.states);
            add(&format!("{name}_edges"), ground.edges);
            add(&format!("{name}_edges_covered"), ground.walked);
            add(&format!("{name}_walks"), ground.walks);
            add(&format!("{name}_steps"), ground.steps);
        }
        let marked = self.marked();
        add("states", self.sum(|ground| ground.states));
        add("edges", self.sum(|ground| ground.edges));
        add("edges_covered", self.sum(|ground| ground.walked));
        add("walks", self.sum(|ground| ground.walks));
        add("walks_planned", self.sum(|ground| ground.planned.0));
        add("steps", self.sum(|ground| ground.steps));
        add("steps_planned", self.sum(|ground| ground.planned.1));
        add("diverged", self.sum(|ground| ground.diverged));
        add("rules", marked.rules);
        add("rules_covered", marked.rules - marked.rules_not_passed.len());
        add("guards", marked.guards);
        add("guards_covered_both_ways", marked.guards - marked.guards_one_way.len());
        add("steps_per_second", self.steps_per_second() as usize);
        flat.insert("rules_not_covered".into(), marked.rules_not_passed.join(", ").into());
        flat.insert("guards_not_covered_both_ways".into(), marked.one_way_in_words().join(", ").into());
        Value::Object(flat)
    }
}

impl fmt::Display for Covered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, bounds, states, edges, walked, walks, steps, planned, .. } = self;
        writeln!(f, "{name}: {bounds}")?;
        writeln!(f, "  {states} states, {edges} edges, {walked} of them covered")?;
        writeln!(f, "  {walks} of {} walks, {steps} of {} steps; fewer can't take every edge", planned.0, planned.1)
    }
}

/// What is to be said of all worlds together.
impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Where no machine was stepped there is nothing to tell.
        if !self.passed.is_empty() {
            let marked = self.marked();
            let rules = marked.rules - marked.rules_not_passed.len();
            write!(f, "rules: {rules} of {} covered", marked.rules)?;
            list(f, &marked.rules_not_passed)?;
            let guards = marked.guards - marked.guards_one_way.len();
            write!(f, "guards: {guards} of {} covered both ways", marked.guards)?;
            list(f, &marked.one_way_in_words())?;
        }
        writeln!(f, "{:.0} steps per second", self.steps_per_second())
    }
}

/// What is missing from what was just said, and the end of the line.
fn list(f: &mut fmt::Formatter<'_>, missing: &[impl AsRef<str>]) -> fmt::Result {
    let opening = if missing.is_empty() { "" } else { "; not" };
    write!(f, "{opening}")?;
    missing.iter().try_for_each(|word| write!(f, "\n  {}", word.as_ref()))?;
    writeln!(f)
}
