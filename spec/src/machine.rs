//! What a machine is, and what it leaves to the program around it.

use crate::rules::Rules;
use std::fmt::Debug;
use std::hash::Hash;

/// A protocol's decisions, as a function of what happened.
///
/// A machine is *pure* (no I/O, clock or randomness), *total* (every input is legal in every state, and none makes
/// it panic) and *decides* (a shell that carries out its outputs has nothing left to decide).
///
/// Outputs are carried out in order. When one fails, the rest of that step's outputs are dropped and the failure is
/// the machine's next input.
pub trait Machine: Clone + Eq + Hash {
    /// A fact, in the past tense.
    type Input;
    /// An instruction, in the imperative.
    type Output;

    /// Takes note of one fact and says what is to be done about it.
    fn step(&mut self, rules: &Rules, input: Self::Input, out: &mut Vec<Self::Output>);
}

/// The types that a machine only hands on: small values in the model, network buffers and clock readings in a broker.
pub trait Carrier: Clone + Eq + Hash + Debug + 'static {
    /// The bytes of one batch.
    type Bytes: Clone + Eq + Hash + Debug;
    /// A reading of the clock. Machines store it, name it in the timers that they ask for, and compare it at most with
    /// one that they are handed; in a model all moments are one.
    type Stamp: Copy + Ord + Hash + Debug;
}

/// How what one carrier hands on looks in another: for recordings, and for comparing a model's messages with a
/// broker's.
pub trait Recast<From: Carrier>: Carrier {
    /// The same batch.
    fn bytes(from: &From::Bytes) -> Self::Bytes;
    /// The same moment.
    fn stamp(from: From::Stamp) -> Self::Stamp;
}
