//! A cluster as a client sees it: its brokers, connections to them, and who leads what.

use super::{ClientError, Connection, ErrorCode, Partition};
use crate::config::Endpoint;
use crate::wire::RequestMessage;
use crate::wire::messages::metadata::{MetadataRequestTopic, MetadataResponsePartition, MetadataResponseTopic};
use crate::wire::messages::{MetadataRequest, MetadataResponse};
use std::collections::BTreeMap;
use std::time::Duration;
use tokio::time::{Instant, sleep, timeout};

/// How long a client waits before it asks again.
const BACKOFF: Duration = Duration::from_millis(50);
/// How long a topic may be unknown before it is said not to exist: brokers hear of a new one a little later.
const UNKNOWN_TOPIC: Duration = Duration::from_millis(500);

/// How long a client waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Patience {
    /// For a connection.
    pub connect: Duration,
    /// For an answer, beyond the time that the request allows the server.
    pub answer: Duration,
    /// For success, where asking again may help.
    pub success: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        let [connect, answer, success] = [3, 10, 15].map(Duration::from_secs);
        Self { connect, answer, success }
    }
}

/// A client of one cluster. One request at a time.
#[derive(Debug)]
pub struct Client {
    patience: Patience,
    bootstrap: Vec<Endpoint>,
    brokers: BTreeMap<i32, Endpoint>,
    /// Whether anyone has answered yet. One who has just started may know of no broker, itself included.
    is_answered: bool,
    topics: BTreeMap<String, MetadataResponseTopic>,
    /// By address. A connection is kept only while nothing is under way on it.
    connections: BTreeMap<String, Connection>,
}

impl Client {
    /// A client that begins with any of these servers. Nothing is asked yet.
    #[must_use]
    pub fn new(bootstrap: Vec<Endpoint>, patience: Patience) -> Self {
        let (brokers, topics, connections) = Default::default();
        Self { patience, bootstrap, brokers, is_answered: false, topics, connections }
    }

    /// The brokers that were alive when metadata were last read, by id.
    #[must_use]
    pub fn brokers(&self) -> &BTreeMap<i32, Endpoint> {
        &self.brokers
    }

    /// How long this client waits.
    #[must_use]
    pub fn patience(&self) -> Patience {
        self.patience
    }

    /// Asks one broker. `takes` is how long the request allows it to answer.
    ///
    /// # Errors
    /// [`ClientError::UnknownBroker`], or what [`Connection::call`] says.
    pub async fn ask<R: RequestMessage>(
        &mut self,
        broker: i32,
        request: &R,
        takes: Duration,
    ) -> Result<R::Response, ClientError> {
        let mut connection = self.connection(broker).await?;
        let answer = timeout(takes + self.patience.answer, connection.call(request)).await;
        let answer = answer.unwrap_or_else(|_| Err(ClientError::timed_out(connection.address())))?;
        self.keep(connection);
        Ok(answer)
    }

    /// Tells one broker something that it doesn't answer.
    ///
    /// # Errors
    /// As [`Client::ask`].
    pub async fn tell<R: RequestMessage>(&mut self, broker: i32, request: &R) -> Result<(), ClientError> {
        let mut connection = self.connection(broker).await?;
        let told = timeout(self.patience.answer, connection.tell(request)).await;
        told.unwrap_or_else(|_| Err(ClientError::timed_out(connection.address())))?;
        self.keep(connection);
        Ok(())
    }

    /// Asks whichever server can be reached: those known to be alive, then those to begin with.
    ///
    /// # Errors
    /// Why the last one can't be reached, or what [`Connection::call`] says.
    pub async fn ask_any<R: RequestMessage>(
        &mut self,
        request: &R,
        takes: Duration,
    ) -> Result<R::Response, ClientError> {
        let servers = self.brokers.values().chain(&self.bootstrap).map(ToString::to_string);
        let servers: Vec<_> = servers.collect();
        let mut last = ClientError::NoServer;
        for address in servers {
            let mut connection = match self.connection_to(address).await {
                Ok(connection) => connection,
                Err(error) => {
                    last = error;
                    continue;
                }
            };
            let answer = timeout(takes + self.patience.answer, connection.call(request)).await;
            let answer = answer.unwrap_or_else(|_| Err(ClientError::timed_out(connection.address())))?;
            self.keep(connection);
            return Ok(answer);
        }
        Err(last)
    }

    async fn connection(&mut self, broker: i32) -> Result<Connection, ClientError> {
        let endpoint = self.brokers.get(&broker).ok_or(ClientError::UnknownBroker(broker))?;
        self.connection_to(endpoint.to_string()).await
    }

    async fn connection_to(&mut self, address: String) -> Result<Connection, ClientError> {
        Connection::held_or_new(self.connections.remove(&address), &address, self.patience.connect).await
    }

    fn keep(&mut self, connection: Connection) {
        self.connections.insert(connection.address().to_owned(), connection);
    }

    /// Tries until it succeeds, fails for good, or patience ends. What is known about topics is forgotten in between. A
    /// cluster that was never reached is not waited for: its address is probably wrong.
    ///
    /// # Errors
    /// What the last attempt said.
    pub async fn patiently<T>(
        &mut self,
        mut attempt: impl AsyncFnMut(&mut Self) -> Result<T, ClientError>,
        asks_again_after: impl Fn(&ClientError) -> bool,
    ) -> Result<T, ClientError> {
        let deadline = Instant::now() + self.patience.success;
        loop {
            match attempt(self).await {
                Err(error) if asks_again_after(&error) && Instant::now() < deadline && self.is_answered => {
                    tracing::debug!(%error, "asked again");
                    self.forget_topics();
                    sleep(BACKOFF).await;
                }
                outcome => return outcome,
            }
        }
    }

    /// Asks anew who leads what, next time.
    pub fn forget_topics(&mut self) {
        self.topics.clear();
    }

    /// The cluster, and these topics or all. Never creates one.
    ///
    /// # Errors
    /// As [`Client::ask_any`]. What is wrong with a topic stands in the answer.
    pub async fn metadata(&mut self, topics: Option<&[&str]>) -> Result<MetadataResponse, ClientError> {
        let named = |name: &&str| MetadataRequestTopic { name: Some((*name).to_owned()), ..Default::default() };
        let request = MetadataRequest {
            topics: topics.map(|topics| topics.iter().map(named).collect()),
            allow_auto_topic_creation: false,
            ..Default::default()
        };
        let answer = self.ask_any(&request, Duration::ZERO).await?;
        let endpoint =
            |host: &str, port: i32| Endpoint { host: host.to_owned(), port: u16::try_from(port).unwrap_or(0) };
        let brokers = answer.brokers.iter().map(|broker| (broker.node_id, endpoint(&broker.host, broker.port)));
        self.brokers = brokers.collect();
        self.is_answered = true;
        Ok(answer)
    }

    /// One topic, from memory if it is there.
    ///
    /// # Errors
    /// [`ClientError::UnknownTopic`], or why nobody could be asked.
    pub async fn topic(&mut self, name: &str) -> Result<MetadataResponseTopic, ClientError> {
        self.topic_within(name, UNKNOWN_TOPIC).await
    }

    /// The topic, if the cluster knows it by then.
    pub(super) async fn topic_within(
        &mut self,
        name: &str,
        unknown: Duration,
    ) -> Result<MetadataResponseTopic, ClientError> {
        let deadline = Instant::now() + unknown.min(self.patience.success);
        if let Some(known) = self.topics.get(name) {
            return Ok(known.clone());
        }
        let read = async |client: &mut Self| match client.read_topic(name).await {
            Err(ClientError::UnknownTopic(_)) if Instant::now() < deadline => Err(unknown_yet(name)),
            outcome => outcome,
        };
        self.patiently(read, ClientError::passes).await
    }

    async fn read_topic(&mut self, name: &str) -> Result<MetadataResponseTopic, ClientError> {
        let answer = self.metadata(Some(&[name])).await?;
        let topic = answer.topics.into_iter().find(|topic| topic.name.as_deref() == Some(name));
        let topic = topic.ok_or_else(|| ClientError::UnknownTopic(name.to_owned()))?;
        match ErrorCode(topic.error_code) {
            ErrorCode::UNKNOWN_TOPIC_OR_PARTITION => return Err(ClientError::UnknownTopic(name.to_owned())),
            code => code.of(|| format!("topic {name}"))?,
        }
        self.topics.insert(name.to_owned(), topic.clone());
        Ok(topic)
    }

    /// Who leads a partition, and its topic.
    ///
    /// # Errors
    /// That there is no such topic or partition, or that nobody leads it now.
    pub async fn leader(&mut self, partition: &Partition) -> Result<(i32, MetadataResponseTopic), ClientError> {
        let topic = self.topic(&partition.topic).await?;
        let is_asked_for = |found: &&MetadataResponsePartition| found.partition_index == partition.index;
        let Some(found) = topic.partitions.iter().find(is_asked_for) else {
            return Err(ClientError::UnknownPartition {
                topic: partition.topic.clone(),
                partition: partition.index,
                partitions: topic.partitions.len(),
            });
        };
        if found.leader_id < 0 {
            return Err(ClientError::refused(format!("partition {partition}"), ErrorCode::LEADER_NOT_AVAILABLE));
        }
        Ok((found.leader_id, topic))
    }
}

fn unknown_yet(topic: &str) -> ClientError {
    ClientError::refused(format!("topic {topic}"), ErrorCode::UNKNOWN_TOPIC_OR_PARTITION)
}
