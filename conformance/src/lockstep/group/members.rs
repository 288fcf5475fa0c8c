//! The consumers' connections: one for each, and one request at a time on it.

use super::ask::ask;
use super::names::Names;
use super::{BROKER, GROUP};
use crate::lockstep::board::Note;
use highwater::client::{ClientError, Connection};
use highwater_checker::group::Model;
use highwater_spec::group::Request;
use std::collections::BTreeMap;
use std::error::Error;
use std::net::SocketAddr;
use std::sync::mpsc::Sender;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::runtime::Runtime;
use tokio::task::JoinHandle;

/// No verdict rests on it: a broker that does not take a connection by then never will.
const PATIENCE: Duration = Duration::from_secs(10);

/// A request under way: it gives the connection back with the answer.
type Asking = Asked<Result<(Connection, String), ClientError>>;

/// Something that was asked.
pub struct Asked<T> {
    answer: Arc<Mutex<Option<T>>>,
    task: JoinHandle<()>,
}

impl<T> Asked<T> {
    /// Whether there is an answer.
    pub fn is_answered(&self) -> bool {
        self.answer.lock().unwrap_or_else(PoisonError::into_inner).is_some()
    }

    /// Takes it.
    pub fn answer(self) -> Result<T, Box<dyn Error>> {
        self.answer.lock().unwrap_or_else(PoisonError::into_inner).take().ok_or_else(|| "there is no answer yet".into())
    }
}

/// The consumers of a group, as the network sees them.
pub struct Members {
    runtime: Arc<Runtime>,
    /// Told whenever an answer has come, so that nobody has to look for it.
    notes: Sender<Note>,
    idle: BTreeMap<u8, Connection>,
    asking: BTreeMap<u8, Asking>,
}

impl Members {
    /// None yet.
    pub fn new(runtime: Arc<Runtime>, notes: Sender<Note>) -> Self {
        Self { runtime, notes, idle: BTreeMap::new(), asking: BTreeMap::new() }
    }

    /// Runs something that asks a broker, and tells the board when it is done.
    pub fn spawn<T: Send + 'static>(&self, asks: impl Future<Output = T> + Send + 'static) -> Asked<T> {
        let (notes, answer) = (self.notes.clone(), Arc::new(Mutex::new(None)));
        let slot = Arc::clone(&answer);
        let task = self.runtime.spawn(async move {
            let answer = asks.await;
            *slot.lock().unwrap_or_else(PoisonError::into_inner) = Some(answer);
            // Nothing waits under this number: it only wakes whoever looks.
            let _ = notes.send(Note::Gone(BROKER, 0));
        });
        Asked { answer, task }
    }

    /// A consumer asks. It must not wait for another answer.
    pub fn ask(
        &mut self,
        member: u8,
        at: SocketAddr,
        names: &Names,
        request: &Request<Model>,
    ) -> Result<(), Box<dyn Error>> {
        if self.waits(member) {
            return Err("a consumer asks before it is answered".into());
        }
        let (kept, names, request) = (self.idle.remove(&member), names.clone(), request.clone());
        let asking = self.spawn(async move {
            let mut connection = match kept {
                Some(connection) => connection,
                None => Connection::connect(&at.to_string(), PATIENCE).await?,
            };
            let answer = ask(&mut connection, &names, GROUP.to_owned(), &request).await?;
            Ok((connection, answer))
        });
        self.asking.insert(member, asking);
        Ok(())
    }

    /// Whether a consumer waits for an answer, or has one that was not taken.
    pub fn waits(&self, member: u8) -> bool {
        self.asking.contains_key(&member)
    }

    /// Who waits.
    pub fn waiting(&self) -> impl Iterator<Item = u8> {
        self.asking.keys().copied()
    }

    /// Whether it has been answered, or never will be.
    pub fn is_answered(&self, member: u8) -> bool {
        self.asking.get(&member).is_some_and(Asked::is_answered)
    }

    /// Takes the answer.
    pub fn answer(&mut self, member: u8) -> Result<String, Box<dyn Error>> {
        let asking = self.asking.remove(&member).ok_or("nothing was asked")?;
        let (connection, answer) = asking.answer()??;
        self.idle.insert(member, connection);
        Ok(answer)
    }

    /// Its connection ends.
    pub fn cut_off(&mut self, member: u8) {
        self.idle.remove(&member);
        if let Some(asking) = self.asking.remove(&member) {
            asking.task.abort();
            // The socket is closed when this is over.
            let _ = self.runtime.block_on(asking.task);
        }
    }
}
