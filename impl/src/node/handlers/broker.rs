//! What a broker answers its clients and followers.

use super::{
    api_versions, configs, describe, errors, fetch, group, list_offsets, metadata, produce, producers, topics,
};
use crate::cells::Published;
use crate::config::NodeConfig;
use crate::door::Door;
use crate::node::broker_host::Shards;
use crate::node::cluster::Cluster;
use crate::node::connection::{Pending, Reply, Service};
use crate::node::group::Groups;
use crate::node::log_configs::LogConfigs;
use crate::node::partitions::{Partition, Partitions};
use crate::node::producer_ids::ProducerIds;
use crate::node::shard::Event;
use crate::node::to_controller::Channel;
use crate::wire::messages::RequestHeader;
use crate::wire::{Listener, Request, Response};
use highwater_spec::rules::Rules;
use highwater_spec::values::{BrokerId, TopicPartition};
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::sync::oneshot;

/// What the answers are made from.
pub struct BrokerService {
    /// This broker.
    pub me: BrokerId,
    /// The cluster's id.
    pub cluster_id: String,
    /// The rules in force.
    pub rules: Rules,
    /// The cluster, as this broker knows it.
    pub cluster: Arc<Published<Cluster>>,
    /// The replicas here.
    pub partitions: Arc<Partitions>,
    /// How logs are kept.
    pub log_configs: LogConfigs,
    /// Take what is for a replica.
    pub shards: Shards,
    /// Takes what only the controller can answer.
    pub controller: Channel,
    /// The ids that producers get.
    pub producer_ids: ProducerIds,
    /// The broker's configuration.
    pub config: Arc<NodeConfig>,
    /// What followers' fetches pass.
    pub door: Door,
    /// The group coordinators here.
    pub groups: Groups,
}

impl Service for BrokerService {
    fn listener(&self) -> Listener {
        Listener::Broker
    }

    fn begin(self: Arc<Self>, header: &RequestHeader, request: Request, from: SocketAddr) -> Pending {
        let version = header.request_api_version;
        match request {
            // Begun at once, so that what one client produces is appended in the order in which it came.
            Request::Produce(request) => produce::begin(&self, version, request),
            Request::JoinGroup(request) => {
                let client = group::client(header, from);
                Box::pin(async move {
                    Reply::Response(group::membership::join(&self, version, client, request).await.into())
                })
            }
            Request::ConsumerGroupHeartbeat(request) => {
                let client = group::client(header, from);
                Box::pin(async move {
                    Reply::Response(group::consumer::heartbeat(&self, version, client, request).await.into())
                })
            }
            request => Box::pin(async move { self.answer(version, request).await }),
        }
    }

    fn unsupported_api_versions(&self) -> Response {
        api_versions::unsupported(Listener::Broker).into()
    }
}

impl BrokerService {
    /// The replica of a partition, as far along as the metadata that this broker shows: who was sent here by it must not
    /// find less.
    ///
    /// # Errors
    /// The code for a partition that is not there, or has no replica here.
    pub async fn hosted(&self, cluster: &Cluster, id: TopicPartition) -> Result<Arc<Partition>, i16> {
        let known = cluster.partition(id).ok_or(errors::UNKNOWN_TOPIC_OR_PARTITION)?;
        let found = self.partitions.get(id);
        let here = known.replicas.contains(&self.me);
        let behind = found.as_ref().is_none_or(|found| found.view.read().leader_epoch < Some(known.leader_epoch));
        if here && behind {
            let (done, told) = oneshot::channel();
            self.shards.send(id, Event::Sync(id, Box::new(move || done.send(()).unwrap_or_default())));
            // An error is a shard that has ended: the broker is shutting down.
            let _ = told.await;
        }
        self.partitions.get(id).ok_or(errors::NOT_LEADER_OR_FOLLOWER)
    }

    async fn answer(&self, version: i16, request: Request) -> Reply {
        let response: Response = match request {
            Request::ApiVersions(request) => api_versions::answer(Listener::Broker, version, &request).into(),
            Request::Metadata(request) => metadata::answer(self, version, request).await.into(),
            Request::Fetch(request) => fetch::answer(self, version, request).await.into(),
            Request::ListOffsets(request) => list_offsets::answer(self, version, request).await.into(),
            Request::OffsetForLeaderEpoch(request) => list_offsets::end_of_epochs(self, request).await.into(),
            Request::InitProducerId(request) => producers::init(self, request).await.into(),
            Request::DescribeProducers(request) => producers::describe(self, request).await.into(),
            Request::CreateTopics(request) => return topics::forward(self, request).await,
            Request::DeleteTopics(request) => return topics::forward(self, request).await,
            Request::ElectLeaders(request) => return topics::forward(self, request).await,
            Request::UnregisterBroker(request) => return topics::forward(self, request).await,
            Request::DescribeCluster(request) => describe::cluster(self, version, &request).into(),
            Request::DescribeTopicPartitions(request) => describe::topic_partitions(self, request).into(),
            Request::DescribeConfigs(request) => configs::answer(self, version, request).into(),
            Request::FindCoordinator(request) => group::find_coordinator::answer(self, version, request).await.into(),
            Request::SyncGroup(request) => group::membership::sync(self, version, request).await.into(),
            Request::Heartbeat(request) => group::membership::heartbeat(self, request).await.into(),
            Request::LeaveGroup(request) => group::membership::leave(self, version, request).await.into(),
            Request::OffsetCommit(request) => group::offsets::commit(self, version, request).await.into(),
            Request::OffsetFetch(request) => group::offset_fetch::answer(self, version, request).await.into(),
            Request::OffsetDelete(request) => group::offsets::delete(self, request).await.into(),
            Request::ListGroups(request) => group::admin::list(self, request).await.into(),
            Request::DescribeGroups(request) => group::admin::describe(self, version, request).await.into(),
            Request::ConsumerGroupDescribe(request) => group::consumer::describe(self, request).await.into(),
            Request::DeleteGroups(request) => group::admin::delete(self, request).await.into(),
            other => return Reply::Close(format!("{} is the controller's to answer", other.key())),
        };
        Reply::Response(response)
    }
}
