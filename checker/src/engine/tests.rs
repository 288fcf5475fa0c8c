//! The engine against numbers known in closed form, against itself and against Stateright.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::stateright::{Count, count_with_stateright};
use super::toys::{Counters, EQUAL_ARE_SMALL, Jugs, Line, Pour, SUM_BELOW, Up};
use super::*;

const PATIENT: Search = Search { workers: 1, time_limit: None, memory_limit: None, stop_on: StopOn::Never };

fn run<E: Explorable>(search: &Search, model: &E) -> Report<E::Event> {
    let progress = Progress::default();
    let report = search.run(model, &progress).unwrap();
    assert_eq!(progress.distinct(), report.distinct);
    assert_eq!(progress.generated(), report.generated);
    assert_eq!(progress.depth(), report.depth);
    assert_eq!(progress.frontier(), report.frontier);
    report
}

/// The report of all numbers of workers, which must agree in everything but time and memory.
fn run_with_any_workers<E: Explorable>(search: &Search, model: &E) -> Report<E::Event> {
    let mut reports = [1, 2, 4].map(|workers| {
        let report = run(&Search { workers, ..search.clone() }, model);
        Report { elapsed: Duration::ZERO, peak_memory: None, ..report }
    });
    let [one, rest @ ..] = &mut reports;
    for other in rest {
        assert_eq!(format!("{one:?}"), format!("{other:?}"));
    }
    one.clone()
}

fn stateright<E: Explorable>(model: E) -> [Count; 2] {
    let model = Arc::new(model);
    [1, 2].map(|workers| count_with_stateright(Arc::clone(&model), workers))
}

fn assert_reaches<E: Explorable>(model: &E, events: &[E::Event], verdict: Verdict) {
    let state = events.iter().fold(model.initial(), |state, event| {
        let mut candidates = Vec::new();
        model.candidates(&state, &mut candidates);
        assert!(candidates.contains(event));
        model.apply(&state, event).unwrap()
    });
    let mut verdicts = Vec::new();
    model.judge(&state, &mut verdicts);
    assert_eq!(verdicts[0], verdict);
}

#[test]
fn counts_are_those_of_the_formula() {
    let report = run_with_any_workers(&PATIENT, &Counters::new(5, 6));
    assert_eq!(report.distinct, 7u64.pow(5));
    assert_eq!(report.generated, 1 + 5 * 6 * 7u64.pow(4));
    assert_eq!(report.depth, 5 * 6);
    assert_eq!(report.frontier, 0);
    assert_eq!(report.stopped_by, None);
    assert!(report.proves_all());

    let [guarded, other] = &report.properties[..] else {
        panic!("two properties, not {:?}", report.properties);
    };
    assert_eq!((guarded.name, guarded.judged), (SUM_BELOW, 7u64.pow(5)));
    assert_eq!((other.name, other.judged), (EQUAL_ARE_SMALL, 7));
}

#[test]
fn counts_are_those_of_the_formula_with_cycles_too() {
    let model = Counters { wraps: true, ..Counters::new(4, 6) };
    let report = run_with_any_workers(&PATIENT, &model);
    assert_eq!(report.distinct, 7u64.pow(4));
    assert_eq!(report.generated, 1 + 4 * 7u64.pow(4));
    assert_eq!(report.depth, 4 * 6);
    assert!(report.proves_all());
}

/// Workers that pause come to the same states in another order each time.
#[test]
fn it_does_not_matter_who_is_faster() {
    let model = Counters { pause: Duration::from_micros(1), sum_below: 9, ..Counters::new(6, 3) };
    for _ in 0..3 {
        let report = run_with_any_workers(&PATIENT, &model);
        assert_eq!(report.distinct, 4u64.pow(6));
    }
}

#[test]
fn stateright_counts_the_same() {
    for (counters, symmetric) in [(1, false), (4, false), (4, true)] {
        let model = Counters { symmetric, sum_below: 9, ..Counters::new(counters, 6) };
        let report = run(&PATIENT, &model);
        let expected = Count {
            distinct: report.distinct,
            generated: report.generated,
            violated: report.violated().map(|property| property.name).collect(),
        };
        for count in stateright(model) {
            assert_eq!(count, expected);
        }
    }
}

#[test]
fn symmetric_states_are_one_state() {
    let model = Counters { symmetric: true, sum_below: 17, ..Counters::new(4, 6) };
    let report = run_with_any_workers(&PATIENT, &model);
    assert_eq!(report.distinct, 210); // C(4 + 6, 4)
    assert_eq!(report.properties[1].judged, 7);

    let events = report.properties[0].violation.as_ref().unwrap();
    assert_eq!(events.len(), 17);
    assert_reaches(&model, events, Verdict::Violated);
}

#[test]
fn a_violation_is_reached_the_shortest_way() {
    for stop_on in [StopOn::FirstViolation, StopOn::Never] {
        let search = Search { stop_on, ..PATIENT };
        let report = run_with_any_workers(&search, &Jugs);
        let events = report.properties[0].violation.as_ref().unwrap();
        assert_eq!(events.len(), 6);
        assert_reaches(&Jugs, events, Verdict::Violated);
        assert_eq!(events[0], Pour::Fill(1));
        assert!(!report.proves_all());
    }
}

#[test]
fn cycles_and_self_loops_end() {
    let report = run_with_any_workers(&PATIENT, &Jugs);
    assert_eq!((report.distinct, report.generated), (16, 1 + 16 * 6));
    for count in stateright(Jugs) {
        assert_eq!((count.distinct, count.generated), (16, 1 + 16 * 6));
        assert_eq!(count.violated, ["never-four"]);
    }
}

#[test]
fn the_first_violation_ends_the_search_with_its_level() {
    let model = Counters { sum_below: 3, ..Counters::new(3, 9) };
    let search = Search { stop_on: StopOn::FirstViolation, ..PATIENT };
    let report = run_with_any_workers(&search, &model);
    assert_eq!(report.depth, 3);
    assert_eq!(report.distinct, 1 + 3 + 6 + 10);
    assert_eq!(report.frontier, 10);
    assert_eq!(report.stopped_by, None);
    assert!(!report.is_exhaustive());
    assert_eq!(report.violated().count(), 1);

    let beyond = run_with_any_workers(&PATIENT, &model);
    assert_eq!(beyond.distinct, 1000);
    let [first, later] = [report, beyond].map(|r| r.properties[0].violation.clone());
    assert_eq!(first, later); // whatever else is found later, the nearest stays
}

#[test]
fn the_initial_state_is_judged() {
    let model = Counters { sum_below: 0, ..Counters::new(2, 2) };
    let search = Search { stop_on: StopOn::FirstViolation, ..PATIENT };
    let report = run_with_any_workers(&search, &model);
    assert_eq!(report.distinct, 1);
    assert_eq!(report.properties[0].violation, Some(Vec::<Up>::new()));
}

#[test]
fn everything_is_explored_whatever_is_violated() {
    for properties in [vec![], vec!["always-violated"], vec!["one", "two"]] {
        let model = Line { properties: properties.clone() };
        assert_eq!(run_with_any_workers(&PATIENT, &model).distinct, 101);
        for count in stateright(model) {
            assert_eq!(count.distinct, 101);
            assert_eq!(count.violated, properties);
        }
    }
}

#[test]
fn a_time_limit_is_obeyed_and_reported() {
    for workers in [1, 2] {
        let search = Search { workers, time_limit: Some(Duration::from_millis(200)), ..PATIENT };
        let started = Instant::now();
        let report = run(&search, &Counters::new(12, 20));
        assert!(started.elapsed() < Duration::from_millis(1200));
        assert_eq!(report.stopped_by, Some(Limit::Time));
        assert!(report.frontier > 0 && report.distinct > 1);
        assert!(!report.proves_all() && report.violated().count() == 0);
    }
}

#[test]
fn a_time_limit_is_obeyed_by_slow_models() {
    let search = Search { time_limit: Some(Duration::from_millis(400)), ..PATIENT };
    let model = Counters { pause: Duration::from_millis(3), ..Counters::new(12, 20) };
    let report = run(&search, &model);
    assert_eq!(report.stopped_by, Some(Limit::Time));
    assert!(report.elapsed < Duration::from_millis(1100));
}

#[test]
fn a_limit_that_cut_nothing_short_is_no_matter() {
    let search = Search {
        time_limit: Some(Duration::from_secs(3600)),
        memory_limit: cfg!(target_os = "linux").then_some(1 << 50),
        ..PATIENT
    };
    assert!(run(&search, &Counters::new(3, 3)).proves_all());
}

#[cfg(target_os = "linux")]
#[test]
fn a_memory_limit_is_obeyed_and_reported() {
    let in_use = run(&PATIENT, &Jugs).peak_memory.unwrap();
    assert!(in_use > 100_000, "a process of {in_use} bytes");
    let search = Search {
        workers: 2,
        memory_limit: Some(in_use + 64_000_000),
        time_limit: Some(Duration::from_secs(60)), // in case the memory limit is ignored
        ..PATIENT
    };
    let report = run(&search, &Counters::new(12, 20));
    assert_eq!(report.stopped_by, Some(Limit::Memory));
    assert!(report.peak_memory.unwrap() < in_use + 512_000_000);
    assert!(!report.proves_all());
}

#[test]
#[should_panic]
fn a_panic_in_any_worker_ends_the_search() {
    let model = Counters { panics_at: 12, ..Counters::new(6, 9) };
    let search = Search { workers: 4, ..PATIENT };
    run(&search, &model);
}

#[test]
fn collisions_become_likelier_with_the_square() {
    let mut report = run(&PATIENT, &Jugs);
    report.distinct = 1 << 32;
    assert_eq!(report.collision_probability(), 0.5);
    report.distinct = 1 << 22;
    assert_eq!(report.collision_probability(), 0.5f64.powi(21));
}
