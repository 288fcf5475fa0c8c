//! What the controller answers brokers, and through them administrators.
//!
//! Source: Kafka's `ControllerApis`.

mod create_topics;
mod delete_topics;
mod elect_leaders;
mod isr;
mod metadata_log;
mod producer_ids;

use super::describe::{self, meant_for};
use super::{api_versions, errors};
use crate::cells::{Parked, Published};
use crate::config::NodeConfig;
use crate::door::Entrance;
use crate::node::cluster::Endpoint;
use crate::node::connection::{Pending, Reply, Service};
use crate::node::controller_host::{Ask, Committed, Event};
use crate::storage::LogReader;
use crate::wire::messages::describe_cluster::{DescribeClusterBroker, DescribeClusterRequest, DescribeClusterResponse};
use crate::wire::messages::{RequestHeader, broker_heartbeat, broker_registration, unregister_broker};
use crate::wire::{Listener, Request, Response};
use highwater_spec::controller::{Heartbeat, Input, Register, Reply as Answer};
use highwater_spec::refusal::Refusal;
use highwater_spec::values::{BrokerEpoch, BrokerId, IncarnationId, Offset, Ticket};
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::sync::oneshot;

/// What the answers are made from.
pub struct ControllerService {
    /// This node.
    pub me: BrokerId,
    /// Where it listens.
    pub endpoint: Endpoint,
    /// The cluster's id.
    pub cluster_id: String,
    /// Takes what the machine is to decide.
    pub entrance: Entrance<Event>,
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
            Request::AllocateProducerIds(request) => self.allocate_producer_ids(request).await.into(),
            Request::BrokerRegistration(request) => self.register(request).await.into(),
            Request::BrokerHeartbeat(request) => self.heartbeat(request).await.into(),
            Request::AlterPartition(request) => self.alter_partition(request).await.into(),
            Request::UnregisterBroker(request) => self.unregister(request).await.into(),
            Request::CreateTopics(request) => self.create_topics(version, request).await.into(),
            Request::DeleteTopics(request) => self.delete_topics(request).await.into(),
            Request::ElectLeaders(request) => self.elect_leaders(request).await.into(),
            Request::DescribeCluster(request) => self.describe_cluster(version, &request).into(),
            Request::Fetch(request) => self.fetch(request).await.into(),
            other => return Reply::Close(format!("{} is a broker's to answer", other.key())),
        };
        Reply::Response(response)
    }

    /// Asks the machine, now; what it answers can be awaited. No answer means that the controller is stopping.
    fn ask(
        &self,
        endpoint: Option<(IncarnationId, Endpoint)>,
        input: impl Fn(Ticket) -> Input + Send + 'static,
    ) -> impl Future<Output = Answer> {
        let (reply, answer) = oneshot::channel();
        let _ = self.entrance.send(Event::Asked(Ask { input: Box::new(input), endpoint, reply }));
        async { answer.await.unwrap_or(Answer::Refused(Refusal::NotController)) }
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

    async fn unregister(
        &self,
        request: unregister_broker::UnregisterBrokerRequest,
    ) -> unregister_broker::UnregisterBrokerResponse {
        let broker = BrokerId(request.broker_id);
        let answer = self.ask(None, move |ticket| Input::Unregister { ticket, broker, choice: None }).await;
        unregister_broker::UnregisterBrokerResponse { error_code: code_of(&answer), ..Default::default() }
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
}

fn code_of(answer: &Answer) -> i16 {
    match answer {
        Answer::Refused(refusal) => refusal.code(),
        _ => errors::NONE,
    }
}

/// Bytes from the system's generator.
pub fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).expect("the system has a source of random bytes");
    bytes
}
