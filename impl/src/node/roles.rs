//! The two roles of a node: which threads and tasks each consists of, and how it starts and stops.

use super::NodeError;
use super::alive::{Alive, Gone, alive};
use super::broker_host::{self, BrokerHost, Life, Shards};
use super::checkpoints::{self, Checkpoints};
use super::cleaner::{Cleaner, Stopped};
use super::cluster::Cluster;
use super::connection::{self, Limits, Service};
use super::controller_host::{self, Committed, ControllerHost};
use super::delivery::Delivery;
use super::fetcher::{self, Fetcher};
use super::group::{self, Groups, host::GroupHost};
use super::handlers::broker::BrokerService;
use super::handlers::controller::{ControllerService, random};
use super::handlers::describe::CONTROLLERS;
use super::log_configs::LogConfigs;
use super::log_dirs::LogDirs;
use super::metadata_fetcher::MetadataFetcher;
use super::metadata_log::MetadataLog;
use super::partitions::Partitions;
use super::producer_expiry;
use super::producer_ids::ProducerIds;
use super::reach::Reach;
use super::shard::{self, Shard};
use super::to_controller::{Call, Caller, Channel};
use crate::cells::{Parked, Published};
use crate::client::{ClientError, Connection};
use crate::config::{Endpoint, NodeConfig};
use crate::door::{Done, Door, Entrance};
use crate::storage::StorageError;
use crate::wire::messages::describe_cluster::DescribeClusterRequest;
use highwater_spec::broker::{Broker, Input};
use highwater_spec::controller::Config;
use highwater_spec::group::Millis;
use highwater_spec::rules::Rules;
use highwater_spec::values::{IncarnationId, TopicPartition};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::thread;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::{mpsc, watch};
use tokio::task::{JoinHandle, JoinSet};

/// How long an answer of another node may take beyond what it is allowed to wait.
const ANSWER: Duration = Duration::from_secs(30);
/// Until a registration, an AlterPartition or a fetch of metadata is tried again.
const RETRY: Duration = Duration::from_millis(100);
/// How often partitions without a leader are looked at.
const LEADERLESS: Duration = Duration::from_secs(1);

/// What both roles of a node share.
pub struct Common {
    /// The node's configuration.
    pub config: Arc<NodeConfig>,
    /// The rules in force.
    pub rules: Rules,
    /// What machines' inputs pass.
    pub door: Door,
    /// Where the controller is.
    pub quorum: Endpoint,
    /// The cluster's id.
    pub cluster_id: String,
    /// The log directory.
    pub log_dirs: Arc<LogDirs>,
}

/// A node as a controller.
pub struct ControllerRole {
    address: SocketAddr,
    entrance: Entrance<controller_host::Event>,
    /// `None` while it runs, then what ended it; an empty text is a clean end.
    ended: watch::Receiver<Option<String>>,
    accepting: JoinHandle<()>,
    gone: Option<Gone>,
    thread: thread::JoinHandle<()>,
}

impl ControllerRole {
    /// Reads the metadata log, and serves.
    pub fn start(common: &Common, listener: TcpListener, address: SocketAddr) -> Result<Self, NodeError> {
        let config = &common.config;
        let log = MetadataLog::open(&config.log_dirs)?;
        let entrance = Entrance::new(common.door.clone());
        let committed = Arc::new(Published::new(Committed::default()));
        let log_grew = Arc::new(Parked::new());
        let service = ControllerService {
            me: config.node_id,
            endpoint: common.quorum.clone(),
            cluster_id: common.cluster_id.clone(),
            entrance: entrance.clone(),
            committed: Arc::clone(&committed),
            log_grew: Arc::clone(&log_grew),
            log: log.reader(),
            config: Arc::clone(config),
        };
        let timing = controller_host::Timing {
            session: config.broker_session_timeout,
            leaderless: LEADERLESS,
            checkpoint: config.log_flush_offset_checkpoint_interval.max(RETRY),
        };
        let host = ControllerHost::open(log, common.rules, timing, committed, log_grew, entrance.clone())?;
        let defaults = Config {
            min_insync_replicas: u32::try_from(config.min_insync_replicas).ok(),
            unclean_leader_election: config.unclean_leader_election_enable.then_some(true),
            ..Config::default()
        };
        let (ending, ended) = watch::channel(None);
        let of_thread = entrance.clone();
        let thread = spawn("controller", move || {
            let outcome = host.run(defaults);
            of_thread.close();
            let _ = ending.send(Some(outcome.err().map(|error| error.to_string()).unwrap_or_default()));
        })?;
        let (alive, gone) = alive();
        let accepting = tokio::spawn(accept(listener, Arc::new(service), limits(config), alive));
        Ok(Self { address, entrance, ended, accepting, gone: Some(gone), thread })
    }

    /// Ends its connections, wherever they are, and waits until nothing leaves them any more.
    pub async fn cut_off(&mut self) {
        self.accepting.abort();
        let _ = (&mut self.accepting).await;
        if let Some(gone) = self.gone.take() {
            gone.wait().await;
        }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Waits until it has failed, and says why.
    pub async fn failed(&self) -> String {
        match self.ended.clone().wait_for(Option::is_some).await {
            Ok(reason) => reason.clone().unwrap_or_default(),
            Err(_) => "its thread panicked".to_owned(),
        }
    }

    /// Commits what was asked, and stops.
    pub async fn shutdown(mut self) {
        self.accepting.abort();
        self.entrance.close();
        let _ = self.ended.wait_for(Option::is_some).await;
        let _ = tokio::task::spawn_blocking(move || self.thread.join()).await;
    }
}

/// A node as a broker.
pub struct BrokerRole {
    address: SocketAddr,
    entrance: Entrance<broker_host::Event>,
    shards: Shards,
    log_dir: PathBuf,
    life: watch::Receiver<Life>,
    tasks: Vec<JoinHandle<()>>,
    gone: Option<Gone>,
    threads: Vec<thread::JoinHandle<()>>,
    checkpoints: Entrance<checkpoints::Event>,
    groups: Entrance<group::host::Event>,
    cleaner: Stopped,
}

impl BrokerRole {
    /// Begins to take part in the cluster.
    pub fn start(common: &Common, listener: TcpListener, address: SocketAddr) -> Result<Self, NodeError> {
        let config = &common.config;
        let me = config.node_id;
        let partitions = Arc::new(Partitions::default());
        let cluster = Arc::new(Published::new(Cluster::default()));
        let entrance = Entrance::new(common.door.clone());
        let (living, life) = watch::channel(Life::default());
        let (fetches, fetch_events) = mpsc::unbounded_channel();
        let (calls, called) = mpsc::unbounded_channel();

        let around = Arc::new(shard::Surroundings {
            me,
            rules: common.rules,
            log_dirs: Arc::clone(&common.log_dirs),
            partitions: Arc::clone(&partitions),
            fetcher: fetches.clone(),
            broker: entrance.clone(),
            lag: config.replica_lag_time_max,
            fetch_backoff: config.replica_fetch_backoff,
        });
        let mut threads = Vec::new();
        let shards = start_shards(&around, &common.door, config.num_io_threads, &mut threads)?;
        let fetcher = fetcher::Surroundings {
            me,
            cluster: Arc::clone(&cluster),
            life: life.clone(),
            shards: shards.clone(),
            max_wait: config.replica_fetch_wait_max,
            partition_bytes: size(config.replica_fetch_max_bytes),
            response_bytes: size(config.replica_fetch_response_max_bytes),
            timeout: ANSWER,
        };
        let groups = Entrance::new(common.door.clone());
        threads.push(start_groups(common, &groups, &shards, &partitions, &cluster)?);
        let told = (entrance.clone(), groups.clone());
        threads.push(start_host(common, told, &shards, &partitions, &cluster, living, calls)?);
        let checkpoints = Entrance::new(common.door.clone());
        threads.push(start_checkpoints(common, &partitions, &checkpoints)?);
        let cleaner = Stopped::default();
        // Who decides the order of events at the door decides nothing of this one, which is no machine's.
        if config.log_cleaner_enable && common.door.keeper().is_none() {
            threads.push(start_cleaner(common, &shards, &partitions, &cleaner)?);
        }
        let reach = Arc::new(Reach::new(format!("the controller at {}", common.quorum)));
        let to_controller = || Channel::new(common.quorum.clone(), ANSWER, Arc::clone(&reach));
        let service = BrokerService {
            me,
            cluster_id: common.cluster_id.clone(),
            rules: common.rules,
            groups: Groups::new(groups.clone(), Arc::clone(&cluster)),
            cluster,
            partitions: Arc::clone(&partitions),
            log_configs: LogConfigs::new(config),
            shards: shards.clone(),
            controller: to_controller(),
            producer_ids: ProducerIds::new(me, life.clone(), to_controller()),
            config: Arc::clone(config),
            door: common.door.clone(),
        };
        let metadata = MetadataFetcher {
            me,
            controller: common.quorum.clone(),
            max_wait: config.replica_fetch_wait_max,
            timeout: ANSWER,
            backoff: RETRY,
            reach: Arc::clone(&reach),
            delivery: Delivery::new(entrance.clone()),
            life: life.clone(),
        };
        let (alive, gone) = alive();
        let retention = config.offsets_retention_minutes.saturating_mul(60_000);
        let retention_check = config.offsets_retention_check_interval;
        let expiration = config.producer_id_expiration;
        let expiration_check = config.producer_id_expiration_check_interval;
        let tasks = vec![
            tokio::spawn(Fetcher::new(fetcher, fetches, alive.clone()).run(fetch_events)),
            tokio::spawn(caller(common, address, &entrance, reach).run(called, alive.clone())),
            tokio::spawn(metadata.run()),
            tokio::spawn(group::retention::run(groups.clone(), retention, retention_check)),
            tokio::spawn(producer_expiry::run(shards.clone(), expiration, expiration_check)),
            tokio::spawn(accept_once_ready(life.clone(), listener, Arc::new(service), limits(config), alive)),
        ];
        let log_dir = config.log_dirs.clone();
        Ok(Self {
            address,
            entrance,
            shards,
            log_dir,
            life,
            tasks,
            gone: Some(gone),
            threads,
            checkpoints,
            groups,
            cleaner,
        })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Ends its connections, wherever they are, and waits until nothing leaves them any more.
    pub async fn cut_off(&mut self) {
        for task in std::mem::take(&mut self.tasks) {
            task.abort();
            let _ = task.await;
        }
        if let Some(gone) = self.gone.take() {
            gone.wait().await;
        }
    }

    /// What others see of its life.
    pub fn life(&self) -> watch::Receiver<Life> {
        self.life.clone()
    }

    /// Waits until it takes part.
    pub async fn ready(&self) {
        let _ = self.life.clone().wait_for(|life| life.unfenced || life.ended).await;
    }

    /// Waits until it has ended.
    pub async fn ended(&self) {
        let _ = self.life.clone().wait_for(|life| life.ended).await;
    }

    /// Lets a flush of a partition's log fail.
    pub fn fail_disk(&self, partition: TopicPartition, done: Done) {
        let source = std::io::Error::other("a failure that was asked for");
        let failed = StorageError::Io { action: "flush", path: self.log_dir.clone(), source };
        self.shards.send(partition, shard::Event::Flushed(partition, Err(failed)));
        self.shards.send(partition, shard::Event::Mark(done));
    }

    /// Lets the machine know that it is to stop.
    pub fn ask_to_stop(&self) {
        let _ = self.entrance.send(broker_host::Event::Heard(Input::ShutdownAsked));
    }

    /// Hands over what it leads, closes its logs, and ends.
    pub async fn shutdown(self) {
        self.ask_to_stop();
        self.ended().await;
        self.end().await;
    }

    /// Ends where it stands.
    pub async fn abort(self) {
        self.entrance.close();
        self.shards.all().iter().for_each(Entrance::close);
        self.end().await;
    }

    async fn end(self) {
        self.checkpoints.close();
        self.cleaner.stop();
        self.groups.close();
        for task in self.tasks {
            task.abort();
            let _ = task.await;
        }
        // Only now is the log directory free: whoever starts the node again finds it unlocked.
        let threads = self.threads;
        let joined = tokio::task::spawn_blocking(move || {
            for thread in threads {
                let _ = thread.join();
            }
        });
        let _ = joined.await;
    }
}

/// Waits for the controller as long as it takes: without it there is nothing to do.
pub async fn ask_cluster_id(controller: &Endpoint) -> String {
    loop {
        match try_cluster_id(controller).await {
            Ok(id) => return id,
            Err(error) => tracing::info!(%controller, %error, "waiting for the controller"),
        }
        tokio::time::sleep(RETRY).await;
    }
}

async fn try_cluster_id(controller: &Endpoint) -> Result<String, ClientError> {
    let mut connection = Connection::connect(&controller.to_string(), ANSWER).await?;
    let request = DescribeClusterRequest { endpoint_type: CONTROLLERS, ..Default::default() };
    Ok(connection.call(&request).await?.cluster_id)
}

fn start_shards(
    around: &Arc<shard::Surroundings>,
    door: &Door,
    count: usize,
    threads: &mut Vec<thread::JoinHandle<()>>,
) -> Result<Shards, NodeError> {
    let mut entrances = Vec::with_capacity(count);
    for number in 0..count {
        let (entrance, around) = (Entrance::new(door.clone()), Arc::clone(around));
        entrances.push(entrance.clone());
        threads.push(spawn(&format!("shard-{number}"), move || Shard::new(around, entrance).run())?);
    }
    Ok(Shards::new(entrances))
}

fn start_groups(
    common: &Common,
    entrance: &Entrance<group::host::Event>,
    shards: &Shards,
    partitions: &Arc<Partitions>,
    cluster: &Arc<Published<Cluster>>,
) -> Result<thread::JoinHandle<()>, NodeError> {
    let config = &common.config;
    let around = group::host::Surroundings {
        me: config.node_id,
        rules: common.rules,
        config: highwater_spec::group::Config {
            min_session_timeout: Millis(config.group_min_session_timeout),
            max_session_timeout: Millis(config.group_max_session_timeout),
            initial_rebalance_delay: Millis(config.group_initial_rebalance_delay),
            max_size: config.group_max_size,
            consumer_session_timeout: Millis(config.group_consumer_session_timeout),
            consumer_heartbeat_interval: Millis(config.group_consumer_heartbeat_interval),
            consumer_max_size: config.group_consumer_max_size,
            max_offset_metadata: config.offset_metadata_max_bytes,
            max_batch: u64::from(config.message_max_bytes),
            ..Default::default()
        },
        log_configs: LogConfigs::new(config),
        cluster: Arc::clone(cluster),
        shards: shards.clone(),
        partitions: Arc::clone(partitions),
        runtime: tokio::runtime::Handle::current(),
    };
    let host = GroupHost::new(around, entrance.clone());
    spawn("groups", move || host.run())
}

fn start_host(
    common: &Common,
    (entrance, groups): (Entrance<broker_host::Event>, Entrance<group::host::Event>),
    shards: &Shards,
    partitions: &Arc<Partitions>,
    cluster: &Arc<Published<Cluster>>,
    life: watch::Sender<Life>,
    controller: mpsc::UnboundedSender<Call>,
) -> Result<thread::JoinHandle<()>, NodeError> {
    let config = &common.config;
    let around = broker_host::Surroundings {
        rules: common.rules,
        shards: shards.clone(),
        partitions: Arc::clone(partitions),
        log_dirs: Arc::clone(&common.log_dirs),
        log_configs: LogConfigs::new(config),
        controller,
        cluster: Arc::clone(cluster),
        groups,
        life,
        timing: broker_host::Timing { heartbeat: config.broker_heartbeat_interval, retry: RETRY },
    };
    let incarnation = common.door.keeper().map_or_else(random, |keeper| keeper.incarnation());
    let machine = Broker::new(config.node_id, IncarnationId(incarnation), common.log_dirs.previous_broker_epoch());
    let _ = entrance.send(broker_host::Event::Heard(Input::Started));
    spawn("broker", move || BrokerHost::new(machine, around, entrance).run())
}

fn start_checkpoints(
    common: &Common,
    partitions: &Arc<Partitions>,
    entrance: &Entrance<checkpoints::Event>,
) -> Result<thread::JoinHandle<()>, NodeError> {
    let checkpoints = Checkpoints {
        log_dirs: Arc::clone(&common.log_dirs),
        partitions: Arc::clone(partitions),
        recovery_points: common.config.log_flush_offset_checkpoint_interval,
        high_watermarks: common.config.replica_high_watermark_checkpoint_interval,
    };
    let entrance = entrance.clone();
    spawn("checkpoints", move || checkpoints.run(&entrance))
}

fn start_cleaner(
    common: &Common,
    shards: &Shards,
    partitions: &Arc<Partitions>,
    stopped: &Stopped,
) -> Result<thread::JoinHandle<()>, NodeError> {
    let cleaner = Cleaner::new(
        shards.clone(),
        Arc::clone(partitions),
        Arc::clone(&common.log_dirs),
        common.config.log_cleaner_dedupe_buffer_size,
    )?;
    let (backoff, stopped) = (common.config.log_cleaner_backoff.max(Duration::from_millis(1)), stopped.clone());
    spawn("cleaner", move || cleaner.run(backoff, &stopped))
}

fn caller(common: &Common, address: SocketAddr, entrance: &Entrance<broker_host::Event>, reach: Arc<Reach>) -> Caller {
    let advertised = common.config.network.broker.as_ref().map(|broker| broker.advertised.clone());
    let mut endpoint = advertised.unwrap_or(Endpoint { host: address.ip().to_string(), port: 0 });
    if endpoint.port == 0 {
        endpoint.port = address.port();
    }
    Caller {
        me: common.config.node_id,
        cluster_id: common.cluster_id.clone(),
        endpoint,
        directory: common.log_dirs.directory_id(),
        controller: common.quorum.clone(),
        timeout: common.config.broker_session_timeout,
        reach,
        inbox: entrance.clone(),
    }
}

/// Serves from when the broker has heard what the metadata says: before, it would deny topics that exist.
async fn accept_once_ready<S: Service>(
    mut life: watch::Receiver<Life>,
    listener: TcpListener,
    service: Arc<S>,
    limits: Limits,
    alive: Alive,
) {
    let knows = |life: &Life| life.ended || life.epoch.is_some_and(|epoch| life.metadata_end.0 > epoch.0);
    if life.wait_for(knows).await.is_ok_and(|life| !life.ended) {
        accept(listener, service, limits, alive).await;
    }
}

/// Serves every connection; they end with this.
async fn accept<S: Service>(listener: TcpListener, service: Arc<S>, limits: Limits, alive: Alive) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, from)) => {
                    let (service, alive) = (Arc::clone(&service), alive.clone());
                    connections.spawn(async move {
                        let _alive = alive;
                        connection::serve(stream, from, service, limits).await;
                    });
                }
                Err(error) => {
                    // Too many open files, as a rule: those that are open may close.
                    tracing::error!(%error, "a connection was not accepted");
                    tokio::time::sleep(RETRY).await;
                }
            },
            Some(_) = connections.join_next(), if !connections.is_empty() => {}
        }
    }
}

fn limits(config: &NodeConfig) -> Limits {
    Limits {
        request_bytes: config.socket_request_max_bytes as usize,
        bytes_under_way: config.queued_max_bytes_per_connection as usize,
        requests_under_way: config.queued_max_requests_per_connection,
        idle: config.connections_max_idle,
    }
}

fn size(bytes: u32) -> i32 {
    i32::try_from(bytes).unwrap_or(i32::MAX)
}

fn spawn(name: &str, run: impl FnOnce() + Send + 'static) -> Result<thread::JoinHandle<()>, NodeError> {
    thread::Builder::new().name(name.to_owned()).spawn(run).map_err(NodeError::Thread)
}
