//! Failures, on processes of ours: killed, asleep, cut off, without power, and what has become of every value that was
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
mod proxy;
mod stage;
pub(crate) mod until;
mod writer;

use crate::programs::Language;
use cluster::Wish;
use libtest_mimic::{Arguments, Conclusion, Failed, Trial};
use stage::{Stage, play};
use std::path::Path;
use std::sync::Arc;

type Run = Box<dyn FnOnce(&Path) -> Result<(), Failed> + Send>;

/// One thing that goes wrong.
struct Case {
    name: &'static str,
    /// The client of others that it needs, if any.
    client: Option<Language>,
    run: Run,
}

impl Case {
    fn new(
        name: &'static str,
        wish: Wish,
        script: impl AsyncFnOnce(&mut Stage) -> Result<(), Failed> + Send + 'static,
    ) -> Self {
        Self { name, client: None, run: Box::new(move |binary| play(binary, wish, script)) }
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

/// Runs the cases that `arguments` choose with the broker's program `binary`, and reports as `cargo test` does.
pub fn run(arguments: &Arguments, binary: &Path) -> Conclusion {
    let binary: Arc<Path> = binary.into();
    let trial = |case: Case| {
        let binary = Arc::clone(&binary);
        let missing = case.missing();
        missing.iter().for_each(|missing| eprintln!("{} is ignored: {missing}", case.name));
        Trial::test(case.name, move || (case.run)(&binary)).with_ignored_flag(missing.is_some())
    };
    libtest_mimic::run(arguments, cases::all().into_iter().map(trial).collect())
}
