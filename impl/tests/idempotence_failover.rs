//! What is known of a producer when its leader is killed: whoever leads next knows the same.

use highwater::client::{Client, Connection, NewTopic, Patience};
use highwater::config::{Endpoint, NodeConfig, Settings};
use highwater::door::Door;
use highwater::node::Node;
use highwater::records::BatchBuilder;
use highwater::wire::Uuid;
use highwater::wire::messages::metadata::{MetadataRequest, MetadataRequestTopic};
use highwater::wire::messages::produce::{PartitionProduceData, ProduceRequest, TopicProduceData};
use highwater_spec::rules::Rules;
use std::collections::BTreeMap;
use std::time::Duration;
use tempfile::TempDir;

const NONE: i16 = 0;
const OUT_OF_ORDER_SEQUENCE_NUMBER: i16 = 45;
const CONTROLLER: i32 = 100;

/// A controller and three brokers in this process.
struct Cluster {
    controller: Node,
    brokers: BTreeMap<i32, Node>,
    _dir: TempDir,
}

async fn node(dir: &TempDir, id: i32, role: &str, controller: &str) -> Node {
    let (listener, path) = (if role == "broker" { "PLAINTEXT" } else { "CONTROLLER" }, dir.path().join(id.to_string()));
    let mut settings = Settings::default();
    let all = [
        ("node.id", id.to_string()),
        ("process.roles", role.to_owned()),
        ("listeners", format!("{listener}://127.0.0.1:0")),
        ("controller.quorum.voters", format!("{CONTROLLER}@{controller}")),
        ("log.dirs", path.to_str().expect("a path in UTF-8").to_owned()),
        ("num.io.threads", "1".to_owned()),
        ("broker.heartbeat.interval.ms", "100".to_owned()),
        ("broker.session.timeout.ms", "2000".to_owned()),
        ("min.insync.replicas", "2".to_owned()),
    ];
    all.into_iter().for_each(|(name, value)| settings.add_flag(name, value));
    let config = NodeConfig::read(&settings).expect("a valid configuration");
    Node::start(config, Rules::KAFKA, Door::open()).await.expect("a node that starts")
}

impl Cluster {
    async fn start() -> Self {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let controller = node(&dir, CONTROLLER, "controller", "127.0.0.1:0").await;
        let address = controller.controller_address().expect("a controller listens").to_string();
        let mut brokers = BTreeMap::new();
        for id in 1..=3 {
            brokers.insert(id, node(&dir, id, "broker", &address).await);
        }
        for broker in brokers.values() {
            broker.ready().await;
        }
        Self { controller, brokers, _dir: dir }
    }

    fn address(&self, id: i32) -> String {
        self.brokers[&id].broker_address().expect("a broker listens").to_string()
    }

    async fn connect(&self, id: i32) -> Connection {
        Connection::connect(&self.address(id), Duration::from_secs(10)).await.expect("a connection")
    }

    async fn create_topic(&self, name: &str) -> Uuid {
        let address = self.brokers[&1].broker_address().expect("a broker listens");
        let endpoint = Endpoint { host: "127.0.0.1".to_owned(), port: address.port() };
        let mut client = Client::new(vec![endpoint], Patience::default());
        let topic =
            NewTopic { name: name.to_owned(), partitions: Some(1), replication_factor: Some(3), ..NewTopic::default() };
        client.create_topic(topic).await.expect("a new topic");
        self.leader(name, |_| true).await.1
    }

    /// Who leads, when a broker says that it is one who `fits`; and the topic's id.
    async fn leader(&self, name: &str, fits: impl Fn(i32) -> bool) -> (i32, Uuid) {
        loop {
            for id in self.brokers.keys() {
                let asked = MetadataRequestTopic { name: Some(name.to_owned()), ..Default::default() };
                let request = MetadataRequest { topics: Some(vec![asked]), ..Default::default() };
                let answer = self.connect(*id).await.call(&request).await.expect("an answer");
                let topic = &answer.topics[0];
                let leader = topic.partitions.first().map(|partition| partition.leader_id);
                if let Some(leader) = leader.filter(|leader| *leader >= 0 && fits(*leader)) {
                    return (leader, topic.topic_id);
                }
            }
        }
    }
}

/// Two records of producer 7; the code and the base offset, once the broker leads and has enough replicas.
async fn send(connection: &mut Connection, topic: Uuid, first: i32) -> (i16, i64) {
    const TRY_AGAIN: [i16; 4] = [6, 7, 19, 20];
    let mut batch = BatchBuilder::new().producer(7, 0, first);
    for value in [b"a", b"b"] {
        batch.push(1, None, Some(value), &[]).expect("a record that fits");
    }
    let batch = batch.build().expect("a batch that fits");
    loop {
        let data = PartitionProduceData { index: 0, records: Some(batch.clone()) };
        let topic_data = TopicProduceData { topic_id: topic, partition_data: vec![data], ..Default::default() };
        let request = ProduceRequest { acks: -1, timeout_ms: 5000, topic_data: vec![topic_data], ..Default::default() };
        let response = connection.call(&request).await.expect("an answer");
        let answer = &response.responses[0].partition_responses[0];
        if !TRY_AGAIN.contains(&answer.error_code) {
            return (answer.error_code, answer.base_offset);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_retry_after_a_failover_is_known_again() {
    let mut cluster = Cluster::start().await;
    let topic = cluster.create_topic("t").await;
    let (first, _) = cluster.leader("t", |_| true).await;
    let mut connection = cluster.connect(first).await;
    for number in [0, 2, 4] {
        assert_eq!(send(&mut connection, topic, number).await, (NONE, number.into()));
    }
    drop(connection);
    cluster.brokers.remove(&first).expect("it runs").abort(|| ()).await;

    let (second, _) = cluster.leader("t", |leader| leader != first).await;
    let mut connection = cluster.connect(second).await;
    for number in [0, 2, 4] {
        assert_eq!(send(&mut connection, topic, number).await, (NONE, number.into()), "its follower had it");
    }
    assert_eq!(send(&mut connection, topic, 8).await, (OUT_OF_ORDER_SEQUENCE_NUMBER, -1));
    assert_eq!(send(&mut connection, topic, 6).await, (NONE, 6));
    drop(connection);
    for broker in std::mem::take(&mut cluster.brokers).into_values() {
        broker.abort(|| ()).await;
    }
    cluster.controller.shutdown().await;
}
