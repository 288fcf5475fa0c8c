//! The door of a node: what every input of its machines passes, and every timer that they have armed.
//!
//! An open door lets everything through at once; that is how brokers run. A door with a [`Keeper`] lets nothing through
//! by itself: what arrives waits, in words, until the keeper passes it on. So a conductor can choose one order of events
//! among all that threads, sockets and clocks could have brought about, and see what waits in between.
//!
//! Not here: what is done with an input (the hosts in [`crate::node`]).

mod entrance;
mod plain;

pub use entrance::{Enters, Entrance};
pub use plain::Plain;

use highwater_spec::values::{Offset, TopicPartition};
use std::fmt;
use std::sync::Arc;
use std::time::Instant;
use tokio::sync::oneshot;

/// Before what something waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Place {
    /// The controller machine.
    Controller,
    /// The broker machine.
    Broker,
    /// A replica.
    Replica(TopicPartition),
    /// What a replica has published, which followers' fetches read.
    Reader(TopicPartition),
    /// The coordinator of the groups in a partition.
    Group(TopicPartition),
}

/// What waits, in words: as `Debug` writes the input, with records' values for bytes ([`Plain`]).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum What {
    /// A machine's input, which has come over a socket or from another thread.
    Input(String),
    /// What one step of the controller wrote. All that waits of earlier steps passes with it, as one delivery.
    Metadata {
        /// The first offset after it (exclusive).
        upto: Offset,
        /// The input that it is by itself.
        text: String,
    },
    /// A timer that is armed. It fires when it is passed.
    Timer(String),
    /// A fetch that is about to read what is published.
    Look(String),
    /// An answer to a producer, on its way out.
    Reply(String),
    /// Someone waits until the replica has heard what it was told before.
    Sync,
    /// The logs are about to be closed.
    Close,
}

impl fmt::Display for What {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Input(text) => write!(f, "input {text}"),
            Self::Metadata { upto, text } => write!(f, "metadata below {upto} {text}"),
            Self::Timer(text) => write!(f, "timer {text}"),
            Self::Look(text) => write!(f, "look {text}"),
            Self::Reply(text) => write!(f, "reply {text}"),
            Self::Sync => f.write_str("sync"),
            Self::Close => f.write_str("close"),
        }
    }
}

/// Called once everything that followed from an input has been carried out.
pub type Done = Box<dyn FnOnce() + Send>;

/// Lets through what waits. Dropped instead, it never passes, as if its connection had broken before.
pub type Pass = Box<dyn FnOnce(Done) + Send>;

/// Decides when what waits at a node's door passes.
pub trait Keeper: Send + Sync {
    /// Something has arrived. The number that comes back names it.
    fn arrived(&self, at: Place, what: What, pass: Pass) -> u64;

    /// What had arrived has gone by itself: a timer was cancelled, a connection closed. Numbers that have passed are
    /// named here as well.
    fn gone(&self, number: u64);

    /// A machine's output that outlives the process has been carried out. A process that is to end between two of them
    /// does not come back from here.
    fn carried_out(&self, at: Place);

    /// What tells this process from others of its broker.
    fn incarnation(&self) -> [u8; 16];
}

/// A node's door.
#[derive(Clone, Default)]
pub struct Door(Option<Arc<dyn Keeper>>);

impl Door {
    /// One that lets everything through at once.
    #[must_use]
    pub fn open() -> Self {
        Self(None)
    }

    /// One with a keeper.
    #[must_use]
    pub fn kept(keeper: Arc<dyn Keeper>) -> Self {
        Self(Some(keeper))
    }

    /// Who keeps it, if anyone does.
    pub(crate) fn keeper(&self) -> Option<&Arc<dyn Keeper>> {
        self.0.as_ref()
    }

    /// Something that outlives the process was carried out.
    pub(crate) fn carried_out(&self, at: Place) {
        if let Some(keeper) = &self.0 {
            keeper.carried_out(at);
        }
    }

    /// Waits until a fetch may read; the answer is to be dropped when it has.
    pub(crate) async fn look(&self, at: Option<Place>, ask: impl FnOnce() -> String) -> Option<Looking> {
        let (keeper, at) = (self.0.as_ref()?, at?);
        let (passed, passes) = oneshot::channel();
        let pass: Pass = Box::new(move |done| drop(passed.send(Looking(Some(done)))));
        let _held = Held::new(keeper, at, What::Look(ask()), pass);
        match passes.await {
            Ok(looking) => Some(looking),
            // The keeper has gone, and the node with it.
            Err(_) => std::future::pending().await,
        }
    }

    /// The time until `deadline`, for a fetch that waits; with a keeper it ends when that says so.
    pub(crate) fn patience(&self, at: Option<Place>, deadline: Instant, ask: impl FnOnce() -> String) -> Patience {
        let kept = self.0.as_ref().zip(at).map(|(keeper, at)| {
            let (passed, passes) = oneshot::channel();
            let pass: Pass = Box::new(move |done| {
                let _ = passed.send(());
                done();
            });
            (Held::new(keeper, at, What::Timer(format!("MaxWait of {}", ask())), pass), passes)
        });
        Patience { deadline, kept, over: false }
    }
}

/// A fetch that may read now.
pub struct Looking(Option<Done>);

impl Drop for Looking {
    fn drop(&mut self) {
        if let Some(done) = self.0.take() {
            done();
        }
    }
}

/// How long a fetch waits.
pub struct Patience {
    deadline: Instant,
    kept: Option<(Held, oneshot::Receiver<()>)>,
    over: bool,
}

impl Patience {
    /// Whether it is over.
    pub(crate) fn is_over(&self) -> bool {
        match self.kept {
            Some(_) => self.over,
            None => Instant::now() >= self.deadline,
        }
    }

    /// Waits until it is.
    pub(crate) async fn over(&mut self) {
        match &mut self.kept {
            Some(_) if self.over => std::future::pending().await,
            Some((_, passes)) => {
                let _ = passes.await;
                self.over = true;
            }
            None => tokio::time::sleep_until(self.deadline.into()).await,
        }
    }
}

/// Something that waits at the door for as long as this is kept.
pub(crate) struct Held {
    keeper: Arc<dyn Keeper>,
    number: u64,
}

impl Held {
    pub(crate) fn new(keeper: &Arc<dyn Keeper>, at: Place, what: What, pass: Pass) -> Self {
        Self { keeper: Arc::clone(keeper), number: keeper.arrived(at, what, pass) }
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.keeper.gone(self.number);
    }
}
