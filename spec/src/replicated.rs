//! A machine whose state is a fold of a log that may lose its tail, or its leadership.
//!
//! Whoever keeps state in records (the controller, the group coordinator; later the transaction coordinator) decides on what it
//! has *said* so far, and answers only once that is *committed*. The log itself is the shell's: appended and flushed
//! by one controller, replicated by a quorum.
//!
//! Rules: `log-backed.*`. Source: Kafka's `QuorumController`, `CoordinatorRuntime`.

use crate::machine::Machine;
use crate::rules::Rules;
use crate::symmetry::{Names, Renamed};
use crate::values::Offset;
use std::collections::VecDeque;
use std::fmt::Debug;
use std::hash::Hash;

/// A machine that can be wrapped in [`Replicated`].
pub trait LogBacked: Clone + Eq + Hash {
    /// A fact.
    type Input;
    /// A change of the state, as the log keeps it.
    type Record: Clone + Eq + Hash + Debug;
    /// An instruction, carried out once the records of its step are committed.
    type Output: Clone + Eq + Hash + Debug;

    /// Reads the state and says which records change it; the first will lie at `at`. Of the state it may change only
    /// what the log does not carry; the rest is for [`LogBacked::apply`].
    fn decide(&mut self, rules: &Rules, input: Self::Input, at: Offset, decision: &mut Decision<Self>);

    /// Folds one record into the state.
    fn apply(&mut self, record: &Self::Record);

    /// Whether an instruction waits until everything that was said before it is committed. One that rests on nothing
    /// in the log need not.
    fn waits(_output: &Self::Output) -> bool {
        true
    }

    /// Hears that one of its records is committed, and says what that allows. Of the state it may change only what the
    /// log does not carry.
    fn written(&mut self, _record: &Self::Record, _out: &mut Vec<Self::Output>) {}

    /// Says its last: leadership of the log is lost, and the state with it. `unsaid` are the instructions whose records
    /// will never be committed.
    fn lost(&self, _unsaid: Vec<Self::Output>, _out: &mut Vec<Self::Output>) {}
}

/// What a step decided.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Decision<M: LogBacked> {
    /// The records, in order. They are appended together or not at all.
    pub records: Vec<M::Record>,
    /// What to do once they are committed, or at once ([`LogBacked::waits`]).
    pub outputs: Vec<M::Output>,
}

impl<M: LogBacked> Default for Decision<M> {
    fn default() -> Self {
        Self { records: Vec::new(), outputs: Vec::new() }
    }
}

/// A [`LogBacked`] machine with the part of its state that is committed and the part that is only said.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Replicated<M: LogBacked> {
    committed: M,
    committed_end: Offset,
    speculative: M,
    speculative_end: Offset,
    pending: VecDeque<Pending<M>>,
}

/// A step whose records are not committed yet.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Pending<M: LogBacked> {
    /// The log end offset after its records (exclusive).
    end: Offset,
    records: Vec<M::Record>,
    outputs: Vec<M::Output>,
}

/// What a [`Replicated`] machine hears.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Input<I> {
    /// A fact for the machine inside.
    Heard(I),
    /// Every record below `upto` (exclusive) is committed.
    Committed {
        /// The first offset not committed.
        upto: Offset,
    },
    /// Leadership of the log is lost: what is not committed never was.
    Reverted,
}

/// What a [`Replicated`] machine says.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Output<R, O> {
    /// Append these records, together, at `base`.
    Append {
        /// The offset of the first.
        base: Offset,
        /// The records.
        records: Vec<R>,
    },
    /// An instruction of the machine inside, whose grounds are committed.
    Do(O),
}

impl<M: LogBacked> Replicated<M> {
    /// Wraps a machine whose state is the fold of everything below `end` (exclusive).
    pub fn new(machine: M, end: Offset) -> Self {
        Self {
            committed: machine.clone(),
            committed_end: end,
            speculative: machine,
            speculative_end: end,
            pending: VecDeque::new(),
        }
    }

    /// The state as committed.
    pub fn committed(&self) -> &M {
        &self.committed
    }

    /// The state as decided on, committed or not.
    pub fn speculative(&self) -> &M {
        &self.speculative
    }

    /// The first offset not committed.
    pub fn committed_end(&self) -> Offset {
        self.committed_end
    }

    /// The log end offset (exclusive).
    pub fn end(&self) -> Offset {
        self.speculative_end
    }

    /// `log-backed.speculate`: decide on what was said so far, and let no one hear of it. `log-backed.at-once`: what does
    /// not rest on the log is said without waiting for it.
    fn heard(&mut self, rules: &Rules, input: M::Input, out: &mut Vec<Output<M::Record, M::Output>>) {
        let mut decision = Decision::default();
        let base = self.speculative_end;
        self.speculative.decide(rules, input, base, &mut decision);
        let Decision { records, outputs } = decision;
        if records.is_empty() && self.pending.is_empty() {
            return out.extend(outputs.into_iter().map(Output::Do));
        }
        records.iter().for_each(|record| self.speculative.apply(record));
        self.speculative_end = base.plus(u32::try_from(records.len()).unwrap_or(u32::MAX));
        if !records.is_empty() {
            out.push(Output::Append { base, records: records.clone() });
        }
        let (outputs, at_once): (Vec<_>, Vec<_>) = outputs.into_iter().partition(M::waits);
        out.extend(at_once.into_iter().map(Output::Do));
        if !records.is_empty() || !outputs.is_empty() {
            self.pending.push_back(Pending { end: self.speculative_end, records, outputs });
        }
    }

    /// `log-backed.answer`: what was decided is answered once it is committed, in order. An answer that read what was
    /// only said waits for it too. `log-backed.written`: and the machine learns which of its records are.
    fn commit(&mut self, upto: Offset, out: &mut Vec<Output<M::Record, M::Output>>) {
        while self.pending.front().is_some_and(|pending| pending.end <= upto) {
            let Some(pending) = self.pending.pop_front() else { return };
            pending.records.iter().for_each(|record| self.committed.apply(record));
            self.committed_end = self.committed_end.max(pending.end);
            let mut allowed = Vec::new();
            pending.records.iter().for_each(|record| self.speculative.written(record, &mut allowed));
            out.extend(allowed.into_iter().map(Output::Do));
            out.extend(pending.outputs.into_iter().map(Output::Do));
        }
    }

    /// `log-backed.revert`: back to what is committed. What the log does not carry (sessions, say) goes too, since it
    /// was only ever kept in the state that is dropped; `log-backed.lost`: but first the machine may say its last.
    fn revert(&mut self, out: &mut Vec<Output<M::Record, M::Output>>) {
        let unsaid = self.pending.drain(..).flat_map(|pending| pending.outputs).collect();
        let mut last = Vec::new();
        self.speculative.lost(unsaid, &mut last);
        out.extend(last.into_iter().map(Output::Do));
        self.speculative = self.committed.clone();
        self.speculative_end = self.committed_end;
    }
}

impl<M: LogBacked + Renamed> Renamed for Replicated<M>
where
    M::Record: Renamed,
    M::Output: Renamed,
{
    fn renamed(&self, names: Names<'_>) -> Self {
        let pending = self.pending.iter().map(|pending| Pending {
            end: pending.end,
            records: pending.records.renamed(names),
            outputs: pending.outputs.renamed(names),
        });
        Self {
            committed: self.committed.renamed(names),
            speculative: self.speculative.renamed(names),
            pending: pending.collect(),
            ..*self
        }
    }
}

impl<M: LogBacked> Machine for Replicated<M> {
    type Input = Input<M::Input>;
    type Output = Output<M::Record, M::Output>;

    fn step(&mut self, rules: &Rules, input: Self::Input, out: &mut Vec<Self::Output>) {
        match input {
            Input::Heard(input) => self.heard(rules, input, out),
            Input::Committed { upto } => self.commit(upto, out),
            Input::Reverted => self.revert(out),
        }
    }
}
