//! Real clients, unmodified, against a cluster: one named case for each thing that they do.
//!
//! A case whose client isn't installed is reported as ignored, by its name, with the command that installs the client.
//! Nothing here asserts how long something takes.

mod confluent;
mod consumer_protocol;
mod kcat;
mod mixed;
mod ours;
mod stops;

use crate::programs::Language;
use crate::target::Target;
use libtest_mimic::{Arguments, Conclusion, Failed, Trial};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

/// A client that others wrote.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Client {
    /// kcat, the command-line client.
    Kcat,
    /// confluent-kafka for Python.
    ConfluentKafka,
    /// One whose program tells what happens to it.
    Of(Language),
}

impl Client {
    /// Why the client can't be used, if it can't, and the command that installs it.
    fn missing(self) -> Option<String> {
        match self {
            Self::Kcat => kcat::missing(),
            Self::ConfluentKafka => confluent::missing(),
            Self::Of(language) => language.missing(),
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Kcat => "kcat",
            Self::ConfluentKafka => "confluent-kafka",
            Self::Of(language) => language.name(),
        }
    }
}

/// Where a case happens.
#[derive(Clone, Debug)]
pub struct Stage {
    /// The cluster's addresses.
    pub bootstrap: String,
    /// A topic for this case alone, which doesn't exist yet. Names that begin with it are free as well.
    pub topic: String,
}

type Run = Box<dyn FnOnce(&Stage) -> Result<(), Failed> + Send>;

/// One thing that a client does.
pub struct Case {
    clients: Vec<Client>,
    name: String,
    run: Run,
}

impl Case {
    fn new(
        client: Client,
        name: impl Into<String>,
        run: impl FnOnce(&Stage) -> Result<(), Failed> + Send + 'static,
    ) -> Self {
        Self { clients: vec![client], name: name.into(), run: Box::new(run) }
    }
}

/// Every case of every client.
pub fn cases() -> Vec<Case> {
    kcat::cases()
        .into_iter()
        .chain(confluent::cases())
        .chain(mixed::cases())
        .chain(ours::cases())
        .chain(stops::cases())
        .collect()
}

/// Runs the cases that `arguments` choose against the target, and reports as `cargo test` does. The target ends when
/// all have run.
pub fn run(arguments: &Arguments, target: Target) -> Conclusion {
    let missing = missing();
    for (client, why) in &missing {
        eprintln!("{}'s cases are ignored: {why}", client.name());
    }
    let missing: Vec<_> = missing.into_iter().map(|(client, _)| client).collect();
    let target = Arc::new(target);
    let trials = cases().into_iter().map(|case| trial(case, &missing, Arc::clone(&target))).collect();
    libtest_mimic::run(arguments, trials)
}

/// Whether `arguments` choose any case.
pub fn is_any_chosen(arguments: &Arguments) -> bool {
    let nobody = Arc::new(Target::Given { bootstrap: String::new() });
    cases().into_iter().any(|case| !arguments.is_filtered_out(&trial(case, &[], Arc::clone(&nobody))))
}

/// The clients that can't be used, each with why.
fn missing() -> Vec<(Client, String)> {
    let all = [Client::Kcat, Client::ConfluentKafka].into_iter().chain(Language::ALL.map(Client::Of));
    all.filter_map(|client| Some((client, client.missing()?))).collect()
}

fn trial(case: Case, missing: &[Client], target: Arc<Target>) -> Trial {
    let kind = match case.clients[..] {
        [only] => only.name(),
        _ => "several",
    };
    let ignored = case.clients.iter().any(|client| missing.contains(client));
    let topic = topic(&case.name);
    let run = move || (case.run)(&Stage { bootstrap: target.bootstrap().to_owned(), topic });
    Trial::test(case.name, run).with_kind(kind).with_ignored_flag(ignored)
}

/// A name that no other case, and no other run of this process' machine, has.
fn topic(case: &str) -> String {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let since_1970 = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    format!("{}-{:x}-{:x}-{count}", case.replace(' ', "-"), std::process::id(), since_1970.as_millis())
}

/// A failure, unless `seen` is what was expected.
fn expect<T: PartialEq + std::fmt::Debug>(what: &str, seen: &T, expected: &T) -> Result<(), Failed> {
    if seen == expected {
        return Ok(());
    }
    Err(format!("{what}: {expected:?} was expected, {seen:?} was seen").into())
}

/// A failure, if a client that waits at the end asks more often than its longest wait implies. It may ask twice as
/// often, and a few times when it starts: what is caught is a client that is answered at once, thousands of times.
fn expect_patience(fetches: u64, waited_ms: u64, fetch_wait_ms: u64) -> Result<(), Failed> {
    let most = 2 * waited_ms / fetch_wait_ms + 6;
    if fetches == 0 {
        return Err("no Fetch request was seen".into());
    }
    if fetches <= most {
        return Ok(());
    }
    Err(format!(
        "{fetches} Fetch requests in {waited_ms} ms of silence; with waits of {fetch_wait_ms} ms {most} are enough"
    )
    .into())
}
