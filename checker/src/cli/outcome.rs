//! What became of one search, ready to be printed.

use super::table::grouped;
use highwater_checker::engine::{Limit, Report};
use serde::Serialize;

/// One line of the table.
#[derive(Debug, Serialize)]
pub struct Outcome {
    /// The world or exhibit.
    pub name: String,
    /// How much could happen.
    pub bounds: String,
    /// How decisions were taken.
    pub rules: String,
    /// Distinct states.
    pub distinct: u64,
    /// States reached, each as often as it was reached.
    pub generated: u64,
    /// Events from the first state to the last.
    pub depth: u64,
    /// States found and not explored.
    pub unexplored: u64,
    /// Seconds.
    pub seconds: f64,
    /// The process's largest resident memory meanwhile, in bytes.
    pub memory: Option<u64>,
    /// The chance that two states were taken for one.
    pub collision: f64,
    /// The limit that cut it short.
    pub stopped_by: Option<String>,
    /// What was judged.
    pub properties: Vec<Judged>,
    /// Whether this is as it must be.
    pub passed: bool,
    /// What that was, in words.
    pub verdict: String,
}

/// What became of one property.
#[derive(Debug, Serialize)]
pub struct Judged {
    /// Its name.
    pub name: &'static str,
    /// In how many states Kafka promises it.
    pub promised_in: u64,
    /// The events of a shortest counterexample.
    pub counterexample: Option<Vec<String>>,
    /// What is wrong at its end.
    pub because: Option<String>,
}

impl Outcome {
    /// Whether a limit came before an answer.
    pub fn is_undecided(&self) -> bool {
        !self.passed
            && self.stopped_by.is_some()
            && self.properties.iter().all(|judged| judged.counterexample.is_none())
    }

    /// The outcome of a search in which something must hold, or must break.
    pub fn of<E: ToString>(name: String, bounds: String, rules: String, report: &Report<E>, must_break: bool) -> Self {
        let properties: Vec<_> = report
            .properties
            .iter()
            .map(|property| Judged {
                name: property.name,
                promised_in: property.judged,
                counterexample: property.violation.as_ref().map(|events| events.iter().map(E::to_string).collect()),
                because: None,
            })
            .collect();
        let steps = properties.iter().filter_map(|judged| judged.counterexample.as_ref()).map(Vec::len).min();
        let empty = properties.iter().find(|judged| judged.promised_in == 0);
        let cut = report.stopped_by.map(|limit| match limit {
            Limit::Time => "time limit".to_owned(),
            Limit::Memory => "memory limit".to_owned(),
        });
        let (passed, verdict) = match (must_break, steps, &cut, empty) {
            (true, Some(steps), _, _) => (true, format!("caught in {steps} steps")),
            (false, Some(steps), _, _) => (false, format!("BROKEN in {steps} steps")),
            (_, None, Some(limit), _) => {
                (false, format!("UNDECIDED: {limit}, {} states unexplored", grouped(report.frontier)))
            }
            (true, None, None, _) => (false, "NOT CAUGHT".to_owned()),
            (false, None, None, Some(judged)) => (false, format!("EMPTY: {} is promised in no state", judged.name)),
            (false, None, None, None) => (report.proves_all(), "holds".to_owned()),
        };
        Self {
            name,
            bounds,
            rules,
            distinct: report.distinct,
            generated: report.generated,
            depth: report.depth,
            unexplored: report.frontier,
            seconds: report.elapsed.as_secs_f64(),
            memory: report.peak_memory,
            collision: report.collision_probability(),
            stopped_by: cut,
            properties,
            passed,
            verdict,
        }
    }
}
