//! The second engine: the same model, explored by [Stateright](https://www.stateright.rs).
//!
//! It shares no code with `search.rs`, so that equal counts mean something; and its Explorer lets people
//! click through a model. It is not used for counterexamples: with several threads its are not shortest.

use std::collections::BTreeSet;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::io;
use std::net::{TcpListener, ToSocketAddrs};
use std::sync::{Arc, OnceLock};

use ::stateright::{Checker, CheckerBuilder, HasDiscoveries, Model, Property};

use super::{Explorable, Verdict};

/// What Stateright says about a model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Count {
    /// Distinct states, the initial one included.
    pub distinct: u64,
    /// States reached, each as often as it was reached, the initial one once more.
    pub generated: u64,
    /// The properties that are violated somewhere, in the model's order.
    pub violated: Vec<&'static str>,
}

/// Explores all of `model`, depth first.
pub fn count_with_stateright<E: Explorable>(model: Arc<E>, workers: usize) -> Count {
    let adapter = Adapter { model: Arc::clone(&model), readable: false };
    let checker = endless(adapter).threads(workers.max(1)).spawn_dfs().join();
    let discoveries = checker.discoveries();
    Count {
        distinct: checker.unique_state_count() as u64,
        generated: checker.state_count() as u64,
        violated: (model.properties().iter().copied()).filter(|name| discoveries.contains_key(name)).collect(),
    }
}

/// Serves Stateright's Explorer on `address` until the process ends. Returns only if it can't.
pub fn serve<E: Explorable>(model: Arc<E>, address: impl ToSocketAddrs + Clone) -> io::Result<()> {
    TcpListener::bind(address.clone())?; // closed again at once: Explorer panics where this is an error
    let adapter = Adapter { model, readable: true };
    endless(adapter).serve(address);
    Err(io::Error::other("Stateright's Explorer ended by itself"))
}

/// A checker that goes on after violations, whatever is violated.
fn endless<E: Explorable>(adapter: Adapter<E>) -> CheckerBuilder<Adapter<E>> {
    // No `.symmetry()`: breadth-first and on-demand checking ignore it, and our fingerprints are of
    // canonical forms already, so symmetric states are one state to Stateright as they are to us.
    let never = HasDiscoveries::AnyOf(BTreeSet::new());
    adapter.checker().finish_when(never)
}

/// An [`Explorable`] as Stateright's `Model`.
struct Adapter<E> {
    model: Arc<E>,
    /// Whether states will be printed.
    readable: bool,
}

/// A state with what Stateright asks of a state by itself, without the model at hand.
struct Seen<E: Explorable> {
    state: E::State,
    fingerprint: u64,
    /// A bit for each violated property, judged when first asked for: most states are duplicates.
    violated: OnceLock<u32>,
    /// Describes the state. `None` unless states will be printed, for threads would fight over the count.
    describer: Option<Arc<E>>,
}

/// An event that prints as people read it, also where Stateright prints it with `Debug`.
#[derive(Clone, PartialEq)]
struct Step<Event>(Event);

impl<E: Explorable> Adapter<E> {
    fn seen(&self, state: E::State) -> Seen<E> {
        Seen {
            fingerprint: self.model.fingerprint(&state),
            violated: OnceLock::new(),
            describer: self.readable.then(|| Arc::clone(&self.model)),
            state,
        }
    }

    fn violated(&self, seen: &Seen<E>) -> u32 {
        *seen.violated.get_or_init(|| {
            let mut verdicts = Vec::new();
            self.model.judge(&seen.state, &mut verdicts);
            (verdicts.iter().enumerate())
                .filter(|(_, verdict)| **verdict == Verdict::Violated)
                .fold(0, |bits, (index, _)| bits | 1 << index)
        })
    }
}

impl<E: Explorable> Model for Adapter<E> {
    type State = Seen<E>;
    type Action = Step<E::Event>;

    fn init_states(&self) -> Vec<Seen<E>> {
        vec![self.seen(self.model.initial())]
    }

    fn actions(&self, seen: &Seen<E>, actions: &mut Vec<Step<E::Event>>) {
        let mut events = Vec::new();
        self.model.candidates(&seen.state, &mut events);
        actions.extend(events.into_iter().map(Step));
    }

    fn next_state(&self, seen: &Seen<E>, action: Step<E::Event>) -> Option<Seen<E>> {
        let state = self.model.apply(&seen.state, &action.0)?;
        Some(self.seen(state))
    }

    fn properties(&self) -> Vec<Property<Self>> {
        let names = self.model.properties();
        assert!(names.len() <= MOST_PROPERTIES, "extend `conditions`");
        // Stateright doesn't go on from a state in which every property is violated, nor from any state
        // if there is no property. So there is one that always holds.
        let unstoppable = Property::always("(every state is explored)", |_, _| true);
        (names.iter().zip(conditions()))
            .map(|(name, condition)| Property::always(name, condition))
            .chain([unstoppable])
            .collect()
    }
}

/// How Stateright asks for a property: by a function pointer, which can't know an index.
type Condition<E> = fn(&Adapter<E>, &Seen<E>) -> bool;

/// As many properties as [`conditions`] has functions for.
const MOST_PROPERTIES: usize = 24;

/// So there is a function for each index.
fn conditions<E: Explorable>() -> [Condition<E>; MOST_PROPERTIES] {
    fn holds<E: Explorable, const INDEX: u32>(adapter: &Adapter<E>, seen: &Seen<E>) -> bool {
        adapter.violated(seen) & 1 << INDEX == 0
    }
    macro_rules! holds {
        ($($index:literal)*) => { [$(holds::<E, $index>),*] };
    }
    holds!(0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23)
}

impl<E: Explorable> Clone for Seen<E> {
    fn clone(&self) -> Self {
        Seen {
            state: self.state.clone(),
            fingerprint: self.fingerprint,
            violated: self.violated.clone(),
            describer: self.describer.clone(),
        }
    }
}

impl<E: Explorable> PartialEq for Seen<E> {
    fn eq(&self, other: &Self) -> bool {
        self.fingerprint == other.fingerprint
    }
}

impl<E: Explorable> Hash for Seen<E> {
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        hasher.write_u64(self.fingerprint);
    }
}

/// What Explorer shows.
impl<E: Explorable> fmt::Debug for Seen<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.describer {
            Some(model) => f.write_str(&model.describe(&self.state)),
            None => self.state.fmt(f),
        }
    }
}

/// What Explorer shows.
impl<Event: fmt::Display> fmt::Debug for Step<Event> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::super::toys::Counters;
    use super::*;

    #[test]
    fn explorer_prints_what_people_read() {
        let adapter = Adapter { model: Arc::new(Counters::new(2, 3)), readable: true };
        let initial = adapter.init_states().remove(0);
        let mut actions = Vec::new();
        adapter.actions(&initial, &mut actions);

        assert_eq!(adapter.format_action(&actions[1]), "counter 1 goes up");
        assert_eq!(format!("{initial:#?}"), "counters at 0 0");
        let outcome = adapter.format_step(&initial, actions[1].clone());
        assert_eq!(outcome.as_deref(), Some("counters at 0 1"));
    }

    #[test]
    fn an_address_in_use_is_an_error() {
        let taken = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = taken.local_addr().unwrap();
        assert!(serve(Arc::new(Counters::new(1, 1)), address).is_err());
    }

    #[test]
    fn each_property_has_its_own_condition() {
        let adapter = Adapter { model: Arc::new(Counters::new(1, 1)), readable: false };
        for (index, condition) in conditions().into_iter().enumerate() {
            let seen = adapter.seen(adapter.model.initial());
            seen.violated.set(1 << index).unwrap();
            let broken: Vec<_> = (conditions().iter()).map(|other| !other(&adapter, &seen)).collect();
            assert!(!condition(&adapter, &seen));
            assert_eq!(broken.iter().filter(|broken| **broken).count(), 1);
        }
    }
}
