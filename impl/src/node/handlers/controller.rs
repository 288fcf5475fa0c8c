//! What the controller answers brokers, and through them administrators.
//!
//! Source: Kafka's `ControllerApis`.

use super::describe::{self, meant_for};
use super::topics::Forwarded;
use super::{api_versions, configs, errors};
use crate::cells::{Inbox, Parked, Published};
use crate::config::NodeConfig;
use crate::node::cluster::Endpoint;
use crate::node::connection::{Pending, Reply, Service};
use crate::node::controller_host::{Ask, Committed};
use crate::node::metadata_records::ids;
use crate::node::topic_configs;
use crate::storage::LogReader;
use crate::wire::messages::create_topics::{
    CreatableTopic, CreatableTopicResult, CreateTopicsRequest, CreateTopicsResponse,
};
use crate::wire::messages::delete_topics::{DeletableTopicResult, DeleteTopicsRequest, DeleteTopicsResponse};
use crate::wire::messages::describe_cluster::{DescribeClusterBroker, DescribeClusterRequest, DescribeClusterResponse};
use crate::wire::messages::{
    RequestHeader, alter_partition, broker_heartbeat, broker_registration, fetch, unregister_broker,
};
use crate::wire::{Listener, Request, Response, Uuid};
use bytes::Bytes;
use highwater_spec::controller::{
    Config, CreateTopic, Heartbeat, Input, IsrChange, Register, Reply as Answer, Setting,
};
use highwater_spec::refusal::Refusal;
use highwater_spec::replica::IsrProposal;
use highwater_spec::values::{
    BrokerEpoch, BrokerId, IncarnationId, LeaderEpoch, Offset, PartitionEpoch, Ticket, TopicId, TopicPartition,
};
use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::{Notify, oneshot};

/// Nobody may have a topic of the metadata log's name.
const METADATA_TOPIC: &str = "__cluster_metadata";
const NO_TIME: &str = "The request allows no time: timeout_ms must be above 0.";

/// What the answers are made from.
pub struct ControllerService {
    /// This node.
    pub me: BrokerId,
    /// Where it listens.
    pub endpoint: Endpoint,
    /// The cluster's id.
    pub cluster_id: String,
    /// Takes what the machine is to decide.
    pub inbox: Arc<Inbox<Ask>>,
    /// What is committed.
    pub committed: Arc<Published<Committed>>,
    /// Wakes who waits for more of it.
    pub log_grew: Arc<Parked>,
    /// Reads the metadata log.
    pub log: LogReader,
    /// The node's configuration.
    pub config: Arc<NodeConfig>,
}

impl Service for ControllerService {
    fn listener(&self) -> Listener {
        Listener::Controller
    }

    fn begin(self: Arc<Self>, header: &RequestHeader, request: Request, _from: SocketAddr) -> Pending {
        let version = header.request_api_version;
        Box::pin(async move { self.answer(version, request).await })
    }

    fn unsupported_api_versions(&self) -> Response {
        api_versions::unsupported(Listener::Controller).into()
    }
}

impl ControllerService {
    async fn answer(&self, version: i16, request: Request) -> Reply {
        let response: Response = match request {
            Request::ApiVersions(request) => api_versions::answer(Listener::Controller, version, &request).into(),
            Request::BrokerRegistration(request) => self.register(request).await.into(),
            Request::BrokerHeartbeat(request) => self.heartbeat(request).await.into(),
            Request::AlterPartition(request) => self.alter_partition(request).await.into(),
            Request::UnregisterBroker(request) => self.unregister(request).await.into(),
            Request::CreateTopics(request) => self.create_topics(version, request).await.into(),
            Request::DeleteTopics(request) => self.delete_topics(request).await.into(),
            Request::DescribeCluster(request) => self.describe_cluster(version, &request).into(),
            Request::Fetch(request) => self.fetch(request).await.into(),
            other => return Reply::Close(format!("{} is a broker's to answer", other.key())),
        };
        Reply::Response(response)
    }

    /// Asks the machine. No answer means that the controller is stopping.
    async fn ask(
        &self,
        endpoint: Option<(IncarnationId, Endpoint)>,
        input: impl FnOnce(Ticket) -> Input + Send + 'static,
    ) -> Answer {
        let (reply, answer) = oneshot::channel();
        let _ = self.inbox.send(Ask { input: Box::new(input), endpoint, reply });
        answer.await.unwrap_or(Answer::Refused(Refusal::NotController))
    }

    async fn register(
        &self,
        request: broker_registration::BrokerRegistrationRequest,
    ) -> broker_registration::BrokerRegistrationResponse {
        let refused = |error_code| broker_registration::BrokerRegistrationResponse { error_code, ..Default::default() };
        if request.cluster_id != self.cluster_id {
            return refused(errors::INCONSISTENT_CLUSTER_ID);
        }
        let incarnation = IncarnationId(request.incarnation_id.0);
        let listener = request.listeners.into_iter().next();
        let endpoint = listener.map(|listener| (incarnation, Endpoint { host: listener.host, port: listener.port }));
        let broker = BrokerId(request.broker_id);
        let previous_epoch = Some(request.previous_broker_epoch).filter(|epoch| *epoch >= 0).map(BrokerEpoch);
        let input =
            move |ticket| Input::Register(Register { ticket, broker, incarnation, previous_epoch, choice: None });
        match self.ask(endpoint, input).await {
            Answer::Registered(epoch) => {
                broker_registration::BrokerRegistrationResponse { broker_epoch: epoch.0, ..Default::default() }
            }
            other => refused(code_of(&other)),
        }
    }

    async fn heartbeat(
        &self,
        request: broker_heartbeat::BrokerHeartbeatRequest,
    ) -> broker_heartbeat::BrokerHeartbeatResponse {
        let input = move |ticket| {
            Input::Heartbeat(Heartbeat {
                ticket,
                broker: BrokerId(request.broker_id),
                epoch: BrokerEpoch(request.broker_epoch),
                metadata_end: Offset(request.current_metadata_offset.saturating_add(1)),
                want_fence: request.want_fence,
                want_shutdown: request.want_shut_down,
                choice: None,
            })
        };
        match self.ask(None, input).await {
            Answer::Heartbeat(reply) => broker_heartbeat::BrokerHeartbeatResponse {
                is_caught_up: reply.is_caught_up,
                is_fenced: reply.is_fenced,
                should_shut_down: reply.should_shut_down,
                ..Default::default()
            },
            other => broker_heartbeat::BrokerHeartbeatResponse { error_code: code_of(&other), ..Default::default() },
        }
    }

    async fn alter_partition(
        &self,
        request: alter_partition::AlterPartitionRequest,
    ) -> alter_partition::AlterPartitionResponse {
        let mut changes = Vec::new();
        for topic in request.topics {
            for data in topic.partitions {
                let with_epochs = data.new_isr_with_epochs.iter().map(|member| {
                    let epoch = Some(member.broker_epoch).filter(|epoch| *epoch >= 0).map(BrokerEpoch);
                    (BrokerId(member.broker_id), epoch)
                });
                let without = data.new_isr.iter().map(|broker| (BrokerId(*broker), None));
                let members =
                    if data.new_isr_with_epochs.is_empty() { without.collect() } else { with_epochs.collect() };
                let partition = TopicPartition { topic: topic.topic_id.into(), index: data.partition_index };
                let leader_epoch = LeaderEpoch(data.leader_epoch);
                let partition_epoch = PartitionEpoch(data.partition_epoch);
                changes.push(IsrChange { partition, proposal: IsrProposal { leader_epoch, partition_epoch, members } });
            }
        }
        let (broker, broker_epoch) = (BrokerId(request.broker_id), BrokerEpoch(request.broker_epoch));
        let input = move |ticket| Input::AlterPartition { ticket, broker, broker_epoch, changes };
        let outcomes = match self.ask(None, input).await {
            Answer::AlteredPartitions(outcomes) => outcomes,
            other => {
                return alter_partition::AlterPartitionResponse { error_code: code_of(&other), ..Default::default() };
            }
        };
        let committed = self.committed.read();
        let mut topics: BTreeMap<TopicId, Vec<alter_partition::response::PartitionData>> = BTreeMap::new();
        for (partition, outcome) in outcomes {
            let leader = committed.image.partition(partition).and_then(|found| found.leader);
            let data = match outcome {
                Ok(state) => alter_partition::response::PartitionData {
                    partition_index: partition.index,
                    leader_id: leader.map_or(-1, |leader| leader.0),
                    leader_epoch: state.leader_epoch.0,
                    isr: ids(&state.isr),
                    partition_epoch: state.partition_epoch.0,
                    ..Default::default()
                },
                Err(refusal) => alter_partition::response::PartitionData {
                    partition_index: partition.index,
                    error_code: refusal.code(),
                    ..Default::default()
                },
            };
            topics.entry(partition.topic).or_default().push(data);
        }
        let topics = topics
            .into_iter()
            .map(|(topic, partitions)| alter_partition::response::TopicData { topic_id: topic.into(), partitions });
        alter_partition::AlterPartitionResponse { topics: topics.collect(), ..Default::default() }
    }

    async fn unregister(
        &self,
        request: unregister_broker::UnregisterBrokerRequest,
    ) -> unregister_broker::UnregisterBrokerResponse {
        let broker = BrokerId(request.broker_id);
        let answer = self.ask(None, move |ticket| Input::Unregister { ticket, broker, choice: None }).await;
        unregister_broker::UnregisterBrokerResponse { error_code: code_of(&answer), ..Default::default() }
    }

    async fn create_topics(&self, version: i16, request: CreateTopicsRequest) -> CreateTopicsResponse {
        let mut times: BTreeMap<String, usize> = BTreeMap::new();
        request.topics.iter().for_each(|topic| *times.entry(topic.name.clone()).or_default() += 1);
        let mut topics = Vec::with_capacity(request.topics.len());
        let mut answered = BTreeSet::new();
        for topic in request.topics {
            let name = topic.name.clone();
            if !answered.insert(name.clone()) {
                continue;
            }
            let outcome = match times.get(&name) {
                _ if request.timeout_ms <= 0 => Err((errors::REQUEST_TIMED_OUT, NO_TIME.to_owned())),
                Some(2..) => Err((errors::INVALID_REQUEST, "Duplicate topic name.".to_owned())),
                _ if name == METADATA_TOPIC => {
                    Err((errors::INVALID_REQUEST, format!("Creation of internal topic {name} is prohibited.")))
                }
                _ => self.create_topic(topic, request.validate_only).await,
            };
            topics.push(self.created(version, name, outcome));
        }
        CreateTopicsResponse { topics, ..Default::default() }
    }

    async fn create_topic(&self, topic: CreatableTopic, validate_only: bool) -> Result<Created, (i16, String)> {
        let assignment = assignment(&topic)?;
        let mut config = Config::default();
        for given in &topic.configs {
            if let Some(fault) = topic_configs::fault(&given.name, given.value.as_deref()) {
                return Err((Refusal::InvalidConfig.code(), fault));
            }
            let setting = Setting::from_text(&given.name, given.value.as_deref());
            setting.iter().for_each(|setting| config.apply(setting));
        }
        let partitions = if topic.num_partitions == -1 { self.config.num_partitions } else { topic.num_partitions };
        let replication_factor = match topic.replication_factor {
            -1 => self.config.default_replication_factor,
            given => given,
        };
        let (partitions, replication_factor) = match assignment.first() {
            Some(replicas) => (assignment.len() as i32, replicas.len() as i16),
            None => (partitions, replication_factor),
        };
        let name = topic.name.clone();
        let (id, first) = (random_topic_id(), u32::from_be_bytes(random()));
        let wanted = CreateTopic {
            id,
            name: topic.name,
            partitions,
            replication_factor,
            first,
            assignment,
            config: config.clone(),
            validate_only,
        };
        match self.ask(None, move |ticket| Input::CreateTopic { ticket, topic: wanted }).await {
            Answer::Created(id) => {
                let id = if validate_only { TopicId::default() } else { id };
                Ok(Created { id, partitions, replication_factor, config })
            }
            other => Err((code_of(&other), refusal_message(&other, &name))),
        }
    }

    fn created(&self, version: i16, name: String, outcome: Result<Created, (i16, String)>) -> CreatableTopicResult {
        let unknown = CreatableTopicResult { name, num_partitions: -1, replication_factor: -1, ..Default::default() };
        match outcome {
            Ok(created) => CreatableTopicResult {
                topic_id: created.id.into(),
                num_partitions: created.partitions,
                replication_factor: created.replication_factor,
                configs: (version >= 5)
                    .then(|| configs::of_created(&created.config, &self.committed.read().image.defaults)),
                ..unknown
            },
            Err((error_code, message)) => {
                CreatableTopicResult { error_code, error_message: Some(message), configs: Some(Vec::new()), ..unknown }
            }
        }
    }

    async fn delete_topics(&self, request: DeleteTopicsRequest) -> DeleteTopicsResponse {
        let timeout_ms = request.timeout_ms;
        let topics = request.in_newest().topics;
        let mut responses = Vec::with_capacity(topics.len());
        let mut answered = BTreeSet::new();
        for topic in &topics {
            let times = topics.iter().filter(|other| (&other.name, other.topic_id) == (&topic.name, topic.topic_id));
            let (twice, late) = (times.count() > 1, timeout_ms <= 0);
            let refused = |error_code, message: &str| DeletableTopicResult {
                name: topic.name.clone(),
                topic_id: topic.topic_id,
                error_code,
                error_message: Some(message.to_owned()),
            };
            if !answered.insert((topic.name.clone(), topic.topic_id)) {
                continue;
            }
            responses.push(match (twice, late) {
                (_, true) => refused(errors::REQUEST_TIMED_OUT, NO_TIME),
                (true, _) => refused(errors::INVALID_REQUEST, "Duplicate topic name or id."),
                _ => self.delete_topic(topic.name.clone(), topic.topic_id).await,
            });
        }
        DeleteTopicsResponse { responses, ..Default::default() }
    }

    async fn delete_topic(&self, name: Option<String>, id: Uuid) -> DeletableTopicResult {
        let committed = self.committed.read();
        let failed = |name, topic_id, error_code, message: &str| DeletableTopicResult {
            name,
            topic_id,
            error_code,
            error_message: Some(message.to_owned()),
        };
        let topic = match (&name, id) {
            (Some(_), id) if id != Uuid::ZERO => {
                return failed(name, id, errors::INVALID_REQUEST, "You may not specify both topic name and topic id.");
            }
            (None, Uuid::ZERO) => {
                return failed(name, id, errors::INVALID_REQUEST, "Neither topic name nor id were specified.");
            }
            (Some(wanted), _) => committed.image.topics.iter().find(|(_, topic)| topic.name == *wanted),
            (None, id) => committed.image.topics.get_key_value(&TopicId::from(id)),
        };
        let Some((topic, known)) = topic.map(|(id, topic)| (*id, topic.name.clone())) else {
            let by_id = name.is_none();
            let code = if by_id { errors::UNKNOWN_TOPIC_ID } else { errors::UNKNOWN_TOPIC_OR_PARTITION };
            return failed(name, id, code, "This server does not host this topic.");
        };
        let answer = self.ask(None, move |ticket| Input::DeleteTopic { ticket, topic }).await;
        let error_code = code_of(&answer);
        DeletableTopicResult { name: Some(known), topic_id: topic.into(), error_code, error_message: None }
    }

    fn describe_cluster(&self, version: i16, request: &DescribeClusterRequest) -> DescribeClusterResponse {
        if let Err(refused) = meant_for(describe::CONTROLLERS, version, request) {
            return refused;
        }
        let own = DescribeClusterBroker {
            broker_id: self.me.0,
            host: self.endpoint.host.clone(),
            port: self.endpoint.port.into(),
            ..Default::default()
        };
        DescribeClusterResponse {
            endpoint_type: describe::CONTROLLERS,
            cluster_id: self.cluster_id.clone(),
            controller_id: self.me.0,
            brokers: vec![own],
            ..Default::default()
        }
    }

    /// The metadata log, as far as it is committed. Who has it all waits for more, as long as it says.
    async fn fetch(&self, request: fetch::FetchRequest) -> fetch::FetchResponse {
        let asked = request.topics.first().and_then(|topic| Some((topic.topic_id, topic.partitions.first()?)));
        let Some((topic, partition)) =
            asked.filter(|(topic, partition)| *topic == Uuid::METADATA_TOPIC && partition.partition == 0)
        else {
            return fetch::FetchResponse { error_code: errors::UNKNOWN_TOPIC_ID, ..Default::default() };
        };
        let from = Offset(partition.fetch_offset);
        let deadline = Instant::now() + Duration::from_millis(request.max_wait_ms.max(0).unsigned_abs().into());
        let end = self.committed_beyond(from, deadline).await;
        let most = usize::try_from(partition.partition_max_bytes).unwrap_or(0);
        let (reader, known) = (self.log.clone(), Offset(0) <= from && from <= end);
        let reading = tokio::task::spawn_blocking(move || match known && from < end {
            true => reader.read(from, end, most, true),
            false => Ok(Bytes::new()),
        });
        let (error_code, records) = match reading.await.expect("reading a log does not panic") {
            Ok(records) if known => (errors::NONE, records),
            Ok(_) => (Refusal::OffsetOutOfRange.code(), Bytes::new()),
            Err(error) => {
                tracing::error!(%error, "the metadata log can't be read");
                (errors::STORAGE_ERROR, Bytes::new())
            }
        };
        let data = fetch::PartitionData {
            error_code,
            high_watermark: end.0,
            last_stable_offset: end.0,
            log_start_offset: 0,
            records: Some(records),
            ..Default::default()
        };
        let topic = fetch::FetchableTopicResponse { topic_id: topic, partitions: vec![data], ..Default::default() };
        fetch::FetchResponse { responses: vec![topic], ..Default::default() }
    }

    async fn committed_beyond(&self, from: Offset, deadline: Instant) -> Offset {
        let woken = Arc::new(Notify::new());
        let parked = self.log_grew.register(Arc::clone(&woken) as Arc<_>);
        loop {
            let end = self.committed.read().end;
            if end > from || Instant::now() >= deadline {
                drop(parked);
                return end;
            }
            let _ = tokio::time::timeout_at(deadline.into(), woken.notified()).await;
        }
    }
}

/// A topic that was made.
struct Created {
    id: TopicId,
    partitions: i32,
    replication_factor: i16,
    config: Config,
}

/// The replicas that a request places by itself, by partition.
fn assignment(topic: &CreatableTopic) -> Result<Vec<Vec<BrokerId>>, (i16, String)> {
    if topic.assignments.is_empty() {
        return Ok(Vec::new());
    }
    if topic.num_partitions != -1 || topic.replication_factor != -1 {
        let message = "A manual partition assignment was specified, but numPartitions or replicationFactor was not -1.";
        return Err((errors::INVALID_REQUEST, message.to_owned()));
    }
    let mut placed: BTreeMap<i32, Vec<BrokerId>> = BTreeMap::new();
    for given in &topic.assignments {
        let replicas = given.broker_ids.iter().copied().map(BrokerId).collect();
        if placed.insert(given.partition_index, replicas).is_some() {
            let message =
                format!("Found multiple manual partition assignments for partition {}", given.partition_index);
            return Err((Refusal::InvalidReplicaAssignment.code(), message));
        }
    }
    if !placed.keys().copied().eq(0..placed.len() as i32) {
        let message = "partitions should be a consecutive 0-based integer sequence".to_owned();
        return Err((Refusal::InvalidReplicaAssignment.code(), message));
    }
    Ok(placed.into_values().collect())
}

fn code_of(answer: &Answer) -> i16 {
    match answer {
        Answer::Refused(refusal) => refusal.code(),
        _ => errors::NONE,
    }
}

fn refusal_message(answer: &Answer, topic: &str) -> String {
    match answer {
        Answer::Refused(Refusal::TopicAlreadyExists) => format!("Topic '{topic}' already exists."),
        Answer::Refused(Refusal::InvalidTopic) => format!(
            "Topic name '{topic}' is invalid: it is empty, '.', '..', longer than 249 characters, has a character other \
             than ASCII letters, digits, '.', '_' and '-', or differs from another only in '.' and '_'."
        ),
        Answer::Refused(Refusal::PolicyViolation) => {
            "Excessively large number of partitions per request: at most 10000 are allowed.".to_owned()
        }
        Answer::Refused(Refusal::InvalidPartitions) => "Number of partitions was set to an invalid non-positive value.".to_owned(),
        Answer::Refused(Refusal::InvalidReplicationFactor) => {
            "The replication factor is below 1 or above the number of registered brokers, or no broker is alive.".to_owned()
        }
        Answer::Refused(Refusal::InvalidReplicaAssignment) => {
            "The manual assignment names a broker twice or one that is not registered, differs in length, or has no broker \
             that is alive."
                .to_owned()
        }
        Answer::Refused(refusal) => refusal.to_string(),
        _ => String::new(),
    }
}

/// Never one of Kafka's own, nor one that a flag could be mistaken for.
fn random_topic_id() -> TopicId {
    loop {
        let id = Uuid(random());
        if id != Uuid::ZERO && id != Uuid::METADATA_TOPIC && !id.to_string().starts_with('-') {
            return id.into();
        }
    }
}

/// Bytes from the system's generator.
pub fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).expect("the system has a source of random bytes");
    bytes
}
