//! Runs the script against one cluster, request by request, and keeps what came of each.
//!
//! Each request has a connection of its own, unless the case says otherwise. Topics get names of the run.

mod ground;

use super::connection::{Connection, Heard};
use super::exchange::{Exchange, Outcome};
use super::normal::Known;
use super::render;
use super::tree::{self, Tree};
use highwater::wire::messages::{ApiVersionsRequest, MetadataRequest};
use highwater::wire::{Api, ApiKey, Message, RequestMessage, Uuid};
use std::collections::BTreeMap;
use std::io;

/// The correlation id of a request of the script, and of the one behind it that shows whether it was answered.
const CORRELATION: i32 = 7;
const PROBE: i32 = 8;
/// The metadata version that setting up uses: the first with topic ids.
const METADATA: i16 = 12;

/// One run of the script against one cluster.
pub struct Session {
    /// What is of this run only.
    pub known: Known,
    brokers: BTreeMap<i32, String>,
    /// By group.
    coordinators: BTreeMap<String, i32>,
    exchanges: Vec<Exchange>,
    chapter: &'static str,
}

/// A topic of the script.
#[derive(Clone, Debug)]
pub struct Topic {
    /// Its name on the wire, the run included.
    pub name: String,
    /// Its id.
    pub id: Uuid,
    /// The leader of each partition.
    pub leaders: Vec<i32>,
}

/// Why the script can't be run.
#[derive(Debug, thiserror::Error)]
pub enum SessionError {
    /// Nobody listens.
    #[error("cannot reach {address}: {source}; is a broker running there?")]
    Unreachable {
        /// The address.
        address: String,
        /// What the system said.
        source: io::Error,
    },
    /// What the script stands on didn't work.
    #[error("setting up: {0}")]
    SetUp(String),
}

impl Session {
    /// Finds the cluster's brokers. `run` distinguishes this run's topics from all others.
    pub fn new(bootstrap: &str, run: &str) -> Result<Self, SessionError> {
        let known = Known { run: run.to_owned(), ..Known::default() };
        let mut session =
            Self { known, brokers: BTreeMap::new(), coordinators: BTreeMap::new(), exchanges: Vec::new(), chapter: "" };
        let address = bootstrap.split(',').next().unwrap_or_default();
        let about_nothing = MetadataRequest { topics: Some(Vec::new()), ..MetadataRequest::default() };
        let metadata = session.call(address, METADATA, &about_nothing)?;
        for broker in metadata.brokers {
            session.brokers.insert(broker.node_id, format!("{}:{}", broker.host, broker.port));
        }
        session.known.brokers = session.brokers.keys().copied().collect();
        Ok(session)
    }

    /// What was asked and answered.
    pub fn into_exchanges(self) -> Vec<Exchange> {
        self.exchanges
    }

    /// Begins a chapter; the cases' names begin with its name.
    pub fn chapter(&mut self, name: &'static str) {
        self.chapter = name;
    }

    /// Keeps that the chapter could not go on.
    pub fn broken_off(&mut self, error: &SessionError) {
        self.keep("the chapter's end", None, vec![], Outcome::Garbage { why: error.to_string() });
    }

    /// The name on the wire of a topic of this run.
    pub fn name(&self, name: &str) -> String {
        format!("{name}-{}", self.known.run)
    }

    /// Some broker, always the same.
    pub fn any_broker(&self) -> i32 {
        self.brokers.keys().next().copied().unwrap_or(-1)
    }

    /// A broker other than this one.
    pub fn other_broker(&self, than: i32) -> i32 {
        self.brokers.keys().copied().find(|broker| *broker != than).unwrap_or(-1)
    }

    /// Sends a request to some broker, and keeps what comes of it. The answer is returned, if it is one.
    pub fn ask<R: RequestMessage>(&mut self, case: &str, version: i16, request: &R) -> Option<R::Response> {
        self.ask_broker(self.any_broker(), case, version, request)
    }

    /// Sends a request to a certain broker, and keeps what comes of it.
    pub fn ask_broker<R: RequestMessage>(
        &mut self,
        broker: i32,
        case: &str,
        version: i16,
        request: &R,
    ) -> Option<R::Response> {
        let body = match request.to_bytes(version) {
            Ok(body) => body,
            Err(error) => {
                self.keep(case, Some(version), vec![], Outcome::Garbage { why: format!("can't be sent: {error}") });
                return None;
            }
        };
        let answer = self.ask_bytes(broker, case, R::KEY.api(), version, &body)?;
        R::Response::decode(&answer.into(), version).ok()
    }

    /// Sends bytes as the body of a request of this kind and version, sound or not, and keeps what comes of it.
    /// Behind it goes a request that is always answered, so that a request without an answer shows.
    pub fn ask_bytes(&mut self, broker: i32, case: &str, api: &Api, version: i16, body: &[u8]) -> Option<Vec<u8>> {
        let sent = self.told(api, version, body);
        let request = frame(api, version, CORRELATION, body);
        let heard = self.exchange(broker, &request);
        let (outcome, answer) = self.outcome(api, version, heard);
        self.keep(case, Some(version), sent, outcome);
        answer
    }

    /// Sends bytes that may be no frame, and says that nothing follows. Told as `sent`.
    pub fn ask_raw(&mut self, case: &str, sent: &str, bytes: &[u8]) {
        let heard = self.connect(self.any_broker()).map(|mut connection| {
            connection.send(bytes);
            connection.finish();
            connection.hear()
        });
        let outcome = match heard {
            Ok(Heard::Frame(_)) => Outcome::Answered,
            Ok(Heard::Closed) => Outcome::Closed,
            Ok(Heard::Nothing) => Outcome::Nothing,
            Err(error) => Outcome::Garbage { why: error.to_string() },
        };
        self.keep(case, None, vec![sent.to_owned()], outcome);
    }

    /// A request of a kind or version that the tables may not have: what comes of it, read as an ApiVersions answer of
    /// version 0, because no other can be expected.
    pub fn ask_unknown(&mut self, case: &str, key: i16, version: i16, flexible: bool, body: &[u8]) {
        let request = frame_of(key, version, CORRELATION, flexible, body);
        let heard = self.exchange(self.any_broker(), &request);
        let (outcome, _) = self.outcome(ApiKey::ApiVersions.api(), 0, heard);
        self.keep(case, Some(version), vec![format!("key {key} version {version}")], outcome);
    }

    /// A request that isn't a case, and must be answered.
    fn call<R: RequestMessage>(&self, address: &str, version: i16, request: &R) -> Result<R::Response, SessionError> {
        let unreachable = |source| SessionError::Unreachable { address: address.to_owned(), source };
        let api = R::KEY.api();
        let set_up = |why: String| SessionError::SetUp(format!("{} to {address}: {why}", api.name));
        let body = request.to_bytes(version).map_err(|error| set_up(error.to_string()))?;
        let mut connection = Connection::open(address).map_err(unreachable)?;
        connection.send(&frame(api, version, CORRELATION, &body));
        match connection.hear() {
            Heard::Frame(frame) => {
                let header = header_length(api, version);
                let body = frame.get(header..).unwrap_or_default().to_vec().into();
                R::Response::decode(&body, version).map_err(|error| set_up(error.to_string()))
            }
            heard => Err(set_up(format!("{heard:?}"))),
        }
    }

    /// What a request is answered with, and whether the one behind it is.
    fn exchange(&self, broker: i32, request: &[u8]) -> io::Result<(Heard, bool)> {
        let mut connection = self.connect(broker)?;
        let api = ApiKey::ApiVersions.api();
        let probe = ApiVersionsRequest::default().to_bytes(0).unwrap_or_default();
        connection.send(&[request, &frame(api, 0, PROBE, &probe)].concat());
        let heard = connection.hear();
        let is_probe = matches!(&heard, Heard::Frame(frame) if frame.get(..4) == Some(&PROBE.to_be_bytes()[..]));
        Ok((heard, is_probe))
    }

    fn connect(&self, broker: i32) -> io::Result<Connection> {
        Connection::open(&self.address(broker))
    }

    fn address(&self, broker: i32) -> String {
        self.brokers.get(&broker).cloned().unwrap_or_default()
    }

    fn outcome(&self, api: &Api, version: i16, heard: io::Result<(Heard, bool)>) -> (Outcome, Option<Vec<u8>>) {
        let frame = match heard {
            Ok((_, true)) => return (Outcome::NoAnswer, None),
            Ok((Heard::Frame(frame), _)) => frame,
            Ok((Heard::Closed, _)) => return (Outcome::Closed, None),
            Ok((Heard::Nothing, _)) => return (Outcome::Nothing, None),
            Err(error) => return (Outcome::Garbage { why: error.to_string() }, None),
        };
        if frame.get(..4) != Some(&CORRELATION.to_be_bytes()[..]) {
            return (Outcome::Garbage { why: format!("not this request's answer: {}", render::hex(&frame)) }, None);
        }
        let body = frame.get(header_length(api, version)..).unwrap_or_default();
        match tree::read(api.response, version, body) {
            Ok(tree) => (Outcome::answer(&self.normal(api, tree)), Some(body.to_vec())),
            Err(error) => (Outcome::Garbage { why: format!("{error} in {}", render::hex(&frame)) }, None),
        }
    }

    /// Topics by page have an order; elsewhere Kafka promises none.
    fn normal(&self, api: &Api, tree: Tree) -> Tree {
        self.known.normal(tree, api.key != ApiKey::DescribeTopicPartitions)
    }

    fn told(&self, api: &Api, version: i16, body: &[u8]) -> Vec<String> {
        match tree::read(api.request, version, body) {
            Ok(tree) => render::lines(&self.known.normal(tree, false)),
            Err(_) => vec![render::hex(&body[..body.len().min(200)])],
        }
    }

    fn keep(&mut self, case: &str, version: Option<i16>, sent: Vec<String>, outcome: Outcome) {
        let case = format!("{}/{case}", self.chapter);
        self.exchanges.push(Exchange { case, version, sent, outcome });
    }
}

/// The correlation id, and in flexible versions tagged fields, of which there are none.
fn header_length(api: &Api, version: i16) -> usize {
    if api.response_header_version(version) == 1 { 5 } else { 4 }
}

/// A request frame, length included.
fn frame(api: &Api, version: i16, correlation_id: i32, body: &[u8]) -> Vec<u8> {
    frame_of(api.key.code(), version, correlation_id, api.request_header_version(version) == 2, body)
}

/// A request frame of any kind, length included. `flexible`: whether the header has tagged fields.
pub fn frame_of(key: i16, version: i16, correlation_id: i32, flexible: bool, body: &[u8]) -> Vec<u8> {
    const CLIENT_ID: &[u8] = b"highwater-conform";
    let mut frame = Vec::new();
    frame.extend(key.to_be_bytes());
    frame.extend(version.to_be_bytes());
    frame.extend(correlation_id.to_be_bytes());
    frame.extend((CLIENT_ID.len() as i16).to_be_bytes());
    frame.extend(CLIENT_ID);
    frame.extend(flexible.then_some(0));
    frame.extend(body);
    let length = (frame.len() as u32).to_be_bytes();
    [&length[..], &frame].concat()
}
