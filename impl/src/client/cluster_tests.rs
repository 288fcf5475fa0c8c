//! A client against brokers that are a few lines of script: whom it asks, and when it asks again.

use super::{Acks, Client, ClientError, ErrorCode, Partition, Patience};
use crate::config::Endpoint;
use crate::wire::messages::api_versions::ApiVersion;
use crate::wire::messages::describe_topic_partitions as describe;
use crate::wire::messages::metadata::{MetadataResponseBroker, MetadataResponsePartition, MetadataResponseTopic};
use crate::wire::messages::produce::{PartitionProduceResponse, TopicProduceResponse};
use crate::wire::messages::{ApiVersionsResponse, DescribeTopicPartitionsResponse, MetadataResponse, ProduceResponse};
use crate::wire::{API, Request, Response, frame};
use bytes::Bytes;
use highwater_spec::values::Offset;
use std::sync::atomic::{AtomicI32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream};

/// Whoever waits for so long waits for ever.
const LONG: Duration = Duration::from_secs(u32::MAX as u64);
const PATIENT: Patience = Patience { connect: LONG, answer: LONG, success: LONG };
const IMPATIENT: Patience = Patience { success: Duration::ZERO, ..PATIENT };

/// What the brokers of a cluster answer, by broker.
type Script = dyn Fn(i32, Request) -> Response + Send + Sync;

/// Two brokers, and where they are.
struct Cluster {
    endpoints: [Endpoint; 2],
    /// Who leads, as metadata say; 0 for a cluster that has just started, of which the first one asked knows nothing.
    leader: AtomicI32,
    /// Who was asked to append: one entry for each Produce.
    produced: Mutex<Vec<i32>>,
}

impl Cluster {
    /// Broker 1 leads partition 0 of topic `t`; `produce` says what a broker answers to Produce.
    async fn start(produce: impl Fn(&Self, i32) -> (ErrorCode, i64) + Copy + Send + Sync + 'static) -> Arc<Self> {
        let listeners = [listen().await, listen().await];
        let endpoints = listeners.each_ref().map(|listener| endpoint(&listener.local_addr().unwrap().to_string()));
        let cluster = Arc::new(Self { endpoints, leader: AtomicI32::new(1), produced: Mutex::default() });
        for (listener, broker) in listeners.into_iter().zip(1..) {
            let told = Arc::clone(&cluster);
            let script = move |broker, request| told.answer(broker, request, produce);
            tokio::spawn(accept(listener, broker, Arc::new(script)));
        }
        cluster
    }

    fn answer(&self, broker: i32, request: Request, produce: impl Fn(&Self, i32) -> (ErrorCode, i64)) -> Response {
        match request {
            Request::Metadata(request) => {
                let names = request.topics.unwrap_or_default().into_iter().filter_map(|topic| topic.name);
                self.metadata(names.collect()).into()
            }
            Request::Produce(_) => {
                self.produced.lock().unwrap().push(broker);
                let (code, base_offset) = produce(self, broker);
                let answer = PartitionProduceResponse { error_code: code.0, base_offset, ..Default::default() };
                let topic = TopicProduceResponse { partition_responses: vec![answer], ..Default::default() };
                ProduceResponse { responses: vec![topic], ..Default::default() }.into()
            }
            Request::DescribeTopicPartitions(request) => page(request.cursor).into(),
            other => panic!("nobody should ask {other:?}"),
        }
    }

    fn metadata(&self, names: Vec<String>) -> MetadataResponse {
        let broker = |(at, node_id): (&Endpoint, i32)| MetadataResponseBroker {
            node_id,
            host: at.host.clone(),
            port: at.port.into(),
            ..Default::default()
        };
        let knows = self.leader.compare_exchange(0, 1, Ordering::SeqCst, Ordering::SeqCst).is_err();
        let leader_id = self.leader.load(Ordering::SeqCst);
        let topic = |name: String| match name.as_str() {
            "t" if knows => MetadataResponseTopic {
                name: Some(name),
                partitions: vec![MetadataResponsePartition { leader_id, ..Default::default() }],
                ..Default::default()
            },
            _ => MetadataResponseTopic { error_code: 3, name: Some(name), ..Default::default() },
        };
        MetadataResponse {
            brokers: self.endpoints.iter().zip(1..).filter(|_| knows).map(broker).collect(),
            topics: names.into_iter().map(topic).collect(),
            ..Default::default()
        }
    }

    fn client(&self, patience: Patience) -> Client {
        Client::new(vec![self.endpoints[0].clone()], patience)
    }

    fn produced(&self) -> Vec<i32> {
        self.produced.lock().unwrap().clone()
    }
}

/// Topics a and b with two partitions each, one partition a page.
fn page(cursor: Option<describe::Cursor>) -> DescribeTopicPartitionsResponse {
    let cursor = cursor.unwrap_or(describe::Cursor { topic_name: "a".into(), partition_index: 0 });
    let partition =
        |partition_index| describe::DescribeTopicPartitionsResponsePartition { partition_index, ..Default::default() };
    let next =
        |topic_name: &str, partition_index| Some(describe::Cursor { topic_name: topic_name.into(), partition_index });
    let next_cursor = match (cursor.topic_name.as_str(), cursor.partition_index) {
        ("a", 0) => next("a", 1),
        ("a", _) => next("b", 0),
        (_, 0) => next("b", 1),
        _ => None,
    };
    let topic = describe::DescribeTopicPartitionsResponseTopic {
        name: Some(cursor.topic_name),
        partitions: vec![partition(cursor.partition_index)],
        ..Default::default()
    };
    DescribeTopicPartitionsResponse { topics: vec![topic], next_cursor, ..Default::default() }
}

fn endpoint(address: &str) -> Endpoint {
    Endpoint::parse(address).unwrap()
}

async fn listen() -> TcpListener {
    TcpListener::bind("127.0.0.1:0").await.unwrap()
}

async fn accept(listener: TcpListener, broker: i32, script: Arc<Script>) {
    while let Ok((stream, _)) = listener.accept().await {
        tokio::spawn(serve(stream, broker, Arc::clone(&script)));
    }
}

async fn serve(mut stream: TcpStream, broker: i32, script: Arc<Script>) {
    while let Ok(length) = stream.read_i32().await {
        let mut request = vec![0; usize::try_from(length).unwrap()];
        stream.read_exact(&mut request).await.unwrap();
        let (header, request) = frame::decode_request(&Bytes::from(request)).unwrap();
        let response = match request {
            Request::ApiVersions(_) => versions().into(),
            request => script(broker, request),
        };
        let version = header.request_api_version;
        let response = frame::encode_response(version, header.correlation_id, &response).unwrap();
        stream.write_all(&response).await.unwrap();
    }
}

fn versions() -> ApiVersionsResponse {
    let version = |api: &&crate::wire::Api| ApiVersion {
        api_key: api.key.code(),
        min_version: api.advertised.min,
        max_version: api.advertised.max,
    };
    ApiVersionsResponse { api_keys: API.iter().map(version).collect(), ..Default::default() }
}

fn partition(topic: &str, index: i32) -> Partition {
    Partition { topic: topic.into(), index }
}

async fn produce(client: &mut Client, partition: &Partition) -> Result<Option<Offset>, ClientError> {
    client.produce(partition, Acks::All, Duration::ZERO, Bytes::from_static(b"a batch")).await
}

#[tokio::test]
async fn who_does_not_lead_any_more_is_not_asked_again() {
    let cluster = Cluster::start(|cluster, broker| {
        if broker == 1 {
            cluster.leader.store(2, Ordering::SeqCst);
            return (ErrorCode::NOT_LEADER_OR_FOLLOWER, -1);
        }
        (ErrorCode::NONE, 7)
    });
    let cluster = cluster.await;
    let mut client = cluster.client(PATIENT);
    let batch = Bytes::from_static(b"a batch");
    let appended = client.produce(&partition("t", 0), Acks::Leader, Duration::ZERO, batch).await;
    assert_eq!(appended.unwrap(), Some(Offset(7)));
    assert_eq!(cluster.produced(), [1, 2]);
}

/// It may have appended the batch, and been deposed while it waited for the others.
#[tokio::test]
async fn a_deposed_leader_leaves_doubt_with_acks_all() {
    let cluster = Cluster::start(|_, _| (ErrorCode::NOT_LEADER_OR_FOLLOWER, -1)).await;
    let error = produce(&mut cluster.client(PATIENT), &partition("t", 0)).await.unwrap_err();
    assert!(!error.had_no_effect(), "{error}");
    assert_eq!(cluster.produced(), [1]);
}

#[tokio::test]
async fn what_may_have_been_appended_is_not_sent_again() {
    for code in [ErrorCode::REQUEST_TIMED_OUT, ErrorCode::NOT_ENOUGH_REPLICAS_AFTER_APPEND] {
        let cluster = Cluster::start(move |_, _| (code, -1)).await;
        let error = produce(&mut cluster.client(PATIENT), &partition("t", 0)).await.unwrap_err();
        assert_eq!(error.to_string(), format!("partition t-0: {code}"));
        assert!(!error.had_no_effect());
        assert_eq!(cluster.produced(), [1]);
    }
}

#[tokio::test]
async fn patience_ends() {
    let cluster = Cluster::start(|_, _| (ErrorCode::NOT_ENOUGH_REPLICAS, -1)).await;
    let error = produce(&mut cluster.client(IMPATIENT), &partition("t", 0)).await.unwrap_err();
    assert_eq!(error.to_string(), "partition t-0: NOT_ENOUGH_REPLICAS (19)");
    assert!(error.had_no_effect() && error.passes());
    assert_eq!(cluster.produced(), [1]);
}

#[tokio::test]
async fn what_does_not_exist_is_named() {
    let cluster = Cluster::start(|_, _| (ErrorCode::NONE, 0)).await;
    let mut client = cluster.client(IMPATIENT);
    let error = produce(&mut client, &partition("other", 0)).await.unwrap_err();
    assert_eq!(error.to_string(), "topic other does not exist");
    let error = produce(&mut client, &partition("t", 3)).await.unwrap_err();
    assert_eq!(error.to_string(), "topic t has no partition 3; its partitions are 0 to 0");
    cluster.leader.store(-1, Ordering::SeqCst);
    client.forget_topics();
    let error = produce(&mut client, &partition("t", 0)).await.unwrap_err();
    assert_eq!(error.to_string(), "partition t-0: LEADER_NOT_AVAILABLE (5)");
    assert_eq!(cluster.produced(), [] as [i32; 0]);
}

#[tokio::test]
async fn a_server_that_is_down_is_passed_over() {
    let cluster = Cluster::start(|_, _| (ErrorCode::NONE, 0)).await;
    // Bound, but not listening: nobody else can get the port, and nobody answers at it.
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let down = endpoint(&socket.local_addr().unwrap().to_string());
    let mut client = Client::new(vec![down.clone(), cluster.endpoints[0].clone()], PATIENT);
    client.metadata(None).await.unwrap();
    assert_eq!(client.brokers().keys().copied().collect::<Vec<_>>(), [1, 2]);
    // And a cluster of which nobody was ever reached is not waited for.
    let error = Client::new(vec![down], PATIENT).topic("t").await.unwrap_err();
    assert!(matches!(error, ClientError::Unreachable { .. }), "{error}");
    let error = Client::new(Vec::new(), PATIENT).topic("t").await.unwrap_err();
    assert!(matches!(error, ClientError::NoServer), "{error}");
}

#[tokio::test]
async fn pages_are_put_together() {
    let cluster = Cluster::start(|_, _| (ErrorCode::NONE, 0)).await;
    let topics = cluster.client(PATIENT).describe_topics(&[]).await.unwrap();
    let topics: Vec<_> = topics.into_iter().map(|topic| (topic.name.unwrap(), topic.partitions.len())).collect();
    assert_eq!(topics, [("a".to_owned(), 2), ("b".to_owned(), 2)]);
}

#[tokio::test]
async fn a_broker_that_knows_of_no_broker_yet_is_asked_again() {
    let cluster = Cluster::start(|_, _| (ErrorCode::NONE, 0)).await;
    cluster.leader.store(0, Ordering::SeqCst);
    let found = cluster.client(PATIENT).topic_within("t", LONG).await.unwrap();
    assert_eq!(found.partitions[0].leader_id, 1);
}
