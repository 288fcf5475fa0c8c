//! The consumers' connections: as many for each as it has requests under way.

use super::ask::ask;
use super::names::Names;
use super::{BROKER, GROUP};
use crate::lockstep::board::Note;
use highwater::client::{ClientError, Connection};
use highwater_checker::group::Model;
use highwater_spec::group::Request;
use highwater_spec::values::Ticket;
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
    /// Connections on which nothing is asked.
    idle: BTreeMap<u8, Vec<Connection>>,
    asking: BTreeMap<Ticket, (u8, Asking)>,
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

    /// A consumer asks; the ticket says which answer is to this.
    pub fn ask(&mut self, member: u8, ticket: Ticket, at: SocketAddr, names: &Names, request: &Request<Model>) {
        let kept = self.idle.entry(member).or_default().pop();
        let (names, request) = (names.clone(), request.clone());
        let asking = self.spawn(async move {
            let mut connection = match kept {
                Some(connection) => connection,
                None => Connection::connect(&at.to_string(), PATIENCE).await?,
            };
            let answer = ask(&mut connection, &names, GROUP.to_owned(), &request).await?;
            Ok((connection, answer))
        });
        self.asking.insert(ticket, (member, asking));
    }

    /// Who has an answer that was not taken.
    pub fn answered(&self) -> Option<u8> {
        self.asking.values().find(|(_, asking)| asking.is_answered()).map(|(member, _)| *member)
    }

    /// Whether there is an answer.
    pub fn is_answered(&self, ticket: Ticket) -> bool {
        self.asking.get(&ticket).is_some_and(|(_, asking)| asking.is_answered())
    }

    /// Takes an answer.
    pub fn answer(&mut self, ticket: Ticket) -> Result<String, Box<dyn Error>> {
        let (member, asking) = self.asking.remove(&ticket).ok_or("nothing was asked")?;
        let (connection, answer) = asking.answer()??;
        self.idle.entry(member).or_default().push(connection);
        Ok(answer)
    }

    /// A consumer's connections end.
    pub fn cut_off(&mut self, member: u8) {
        self.idle.remove(&member);
        let (its, others): (Vec<_>, Vec<_>) =
            std::mem::take(&mut self.asking).into_iter().partition(|(_, (of, _))| *of == member);
        self.asking = others.into_iter().collect();
        for (_, (_, asking)) in its {
            asking.task.abort();
            // The socket is closed when this is over.
            let _ = self.runtime.block_on(asking.task);
        }
    }
}
