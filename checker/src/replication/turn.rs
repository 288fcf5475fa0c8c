//! What an event brought about, machine by machine: for whoever wants to see the same happen elsewhere.

use super::state::Model;
use highwater_spec::replica::Ask;
use highwater_spec::values::BrokerId;
use highwater_spec::{broker, controller, replica};

/// One step of one machine, or one look at what it has published.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Turn {
    /// A replica heard something.
    Replica {
        /// Its broker.
        at: BrokerId,
        /// What it heard.
        input: replica::Input<Model>,
        /// What it said.
        outputs: Vec<replica::Output<Model>>,
    },
    /// A broker heard something.
    Broker {
        /// Which.
        at: BrokerId,
        /// What it heard.
        input: broker::Input<Model>,
        /// What it said.
        outputs: Vec<broker::Output<Model>>,
    },
    /// The controller heard something.
    Controller {
        /// What it heard.
        input: controller::Input,
        /// The sessions that it extended.
        extended: Vec<BrokerId>,
    },
    /// A producer was answered.
    Answered {
        /// Who answered.
        by: BrokerId,
        /// The record that it had sent.
        value: u8,
        /// What it was told.
        outcome: replica::ProduceOutcome,
    },
    /// A follower's fetch read what the leader has published.
    Look {
        /// The leader.
        at: BrokerId,
        /// The follower.
        by: BrokerId,
        /// What it asked.
        ask: Ask,
        /// What there was to say, if anything.
        answer: Option<replica::FetchAnswer<Model>>,
    },
}

/// Everything that came of one event, in the order in which it came.
#[derive(Clone, Debug, Default)]
pub struct Trace {
    /// What machines ordered, in words.
    pub said: Vec<String>,
    /// Their steps.
    pub turns: Vec<Turn>,
}
