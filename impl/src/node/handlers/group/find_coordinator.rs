//! FindCoordinator: who leads the partition that has a group.
//!
//! Source: KIP-699; Kafka's `KafkaApis.handleFindCoordinatorRequest`.

use crate::node::group::placement;
use crate::node::handlers::broker::BrokerService;
use crate::node::handlers::{errors, topics};
use crate::wire::messages::find_coordinator::{Coordinator, FindCoordinatorRequest, FindCoordinatorResponse};
use highwater_spec::refusal::Refusal;

/// From this version on, several keys are asked for at once.
const BATCHED: i16 = 4;
/// The kind of key that is a group.
const GROUP: i8 = 0;

/// Answers, and has the topic made that groups are kept in.
pub async fn answer(service: &BrokerService, version: i16, request: FindCoordinatorRequest) -> FindCoordinatorResponse {
    if version >= BATCHED {
        let mut coordinators = Vec::with_capacity(request.coordinator_keys.len());
        for key in request.coordinator_keys {
            let found = find(service, request.key_type, key).await;
            coordinators.push(Coordinator { error_message: Some(String::new()), ..found });
        }
        return FindCoordinatorResponse { coordinators, ..Default::default() };
    }
    let Coordinator { node_id, host, port, error_code, error_message, .. } =
        find(service, request.key_type, request.key).await;
    FindCoordinatorResponse { error_code, error_message, node_id, host, port, ..Default::default() }
}

async fn find(service: &BrokerService, key_type: i8, key: String) -> Coordinator {
    let none = Coordinator { node_id: -1, port: -1, ..Default::default() };
    let refused = |key, error_code, message: &str| Coordinator {
        key,
        error_code,
        error_message: Some(message.to_owned()),
        ..none.clone()
    };
    if key_type != GROUP {
        return refused(key, errors::INVALID_REQUEST, "only groups have coordinators here");
    }
    let unavailable = Refusal::CoordinatorNotAvailable.code();
    let cluster = service.cluster.read();
    let Some(id) = placement::partition_of(&cluster, &key.as_str().into()) else {
        topics::create_automatically(service, std::iter::once(&placement::TOPIC.to_owned())).await;
        return refused(key, unavailable, "the topic for groups is about to be made");
    };
    let leader = cluster.partition(id).and_then(|partition| partition.leader);
    let Some((leader, endpoint)) = leader.and_then(|leader| Some((leader, cluster.live_endpoint(leader)?))) else {
        return refused(key, unavailable, "nobody leads the partition that has the group");
    };
    Coordinator {
        key,
        node_id: leader.0,
        host: endpoint.host.clone(),
        port: endpoint.port.into(),
        error_message: Some("NONE".to_owned()),
        ..Default::default()
    }
}
