//! Failures, on processes of ours, and some of Apache Kafka's: killed, asleep, cut off, without power, and what has become of every value that was
//! written meanwhile.
//!
//! Each case has a cluster of its own. A case waits for conditions and never for time, and asserts none. What is judged
//! (`judge`): every acknowledged value is where it was acknowledged, what was refused is nowhere, nothing is
//! there twice, each writer's order is kept, and at the end all copies are the same, byte for byte. Where real consumers
//! read meanwhile, [what they tell](crate::histories) is judged.

mod ask;
pub mod binary;
mod cases;
mod cluster;
mod copy;
mod history;
mod judge;
mod load;
mod log;
mod member;
pub mod port;
mod process;
mod program;
mod proxy;
mod stage;
pub(crate) mod until;
mod writer;

pub use program::Program;

use crate::programs::Language;
use cluster::Wish;
use libtest_mimic::{Arguments, Conclusion, Failed, Trial};
use stage::{Stage, play};
use std::sync::Arc;

type Run = Box<dyn FnOnce(&Program) -> Result<(), Failed> + Send>;

/// One thing that goes wrong.
struct Case {
    name: &'static str,
    /// The client of others that it needs, if any.
    client: Option<Language>,
    /// Whether Apache's nodes can be let fail like this, and keep the same promises.
    on_apache_kafka: bool,
    run: Run,
}

impl Case {
    fn new(
        name: &'static str,
        wish: Wish,
        script: impl AsyncFnOnce(&mut Stage) -> Result<(), Failed> + Send + 'static,
    ) -> Self {
        let run = Box::new(move |program: &Program| play(program, wish, script));
        Self { name, client: None, on_apache_kafka: false, run }
    }

    fn also_on_apache_kafka(mut self) -> Self {
        self.on_apache_kafka = true;
        self
    }

    fn needs(mut self, client: Language) -> Self {
        self.client = Some(client);
        self
    }

    /// Why it can't be played, if it can't.
    fn missing(&self) -> Option<String> {
        self.client.and_then(Language::missing)
    }
}

/// Runs the cases that `arguments` choose on nodes of `program`, and reports as `cargo test` does.
pub fn run(arguments: &Arguments, program: Program) -> Conclusion {
    let program = Arc::new(program);
    let is_for = |case: &Case| case.on_apache_kafka || matches!(*program, Program::Highwater(_));
    let trial = |case: Case| {
        let program = Arc::clone(&program);
        let missing = case.missing();
        missing.iter().for_each(|missing| eprintln!("{} is ignored: {missing}", case.name));
        Trial::test(case.name, move || (case.run)(&program)).with_ignored_flag(missing.is_some())
    };
    libtest_mimic::run(arguments, cases::all().into_iter().filter(is_for).map(trial).collect())
}
