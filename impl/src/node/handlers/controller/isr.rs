//! AlterPartition: the ISRs that leaders propose.
//!
//! Source: KIP-497, KIP-903; Kafka's `ReplicationControlManager.alterPartition`.

use super::{ControllerService, code_of};
use crate::node::metadata_records::ids;
use crate::wire::messages::alter_partition;
use highwater_spec::controller::{Input, IsrChange, Reply as Answer};
use highwater_spec::replica::IsrProposal;
use highwater_spec::values::{BrokerEpoch, BrokerId, LeaderEpoch, PartitionEpoch, TopicId, TopicPartition};
use std::collections::BTreeMap;

impl ControllerService {
    pub(super) async fn alter_partition(
        &self,
        request: alter_partition::AlterPartitionRequest,
    ) -> alter_partition::AlterPartitionResponse {
        let changes: Vec<_> = changes(&request.topics).collect();
        let (broker, broker_epoch) = (BrokerId(request.broker_id), BrokerEpoch(request.broker_epoch));
        let input = move |ticket| Input::AlterPartition { ticket, broker, broker_epoch, changes: changes.clone() };
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
}

fn changes(topics: &[alter_partition::request::TopicData]) -> impl Iterator<Item = IsrChange> {
    topics.iter().flat_map(|topic| {
        topic.partitions.iter().map(|data| IsrChange {
            partition: TopicPartition { topic: topic.topic_id.into(), index: data.partition_index },
            proposal: IsrProposal {
                leader_epoch: LeaderEpoch(data.leader_epoch),
                partition_epoch: PartitionEpoch(data.partition_epoch),
                members: members(data),
            },
        })
    })
}

/// The proposed ISR, with the registration of each member that the leader saw fetch, where it says so (version 3, KIP-903).
fn members(data: &alter_partition::request::PartitionData) -> Vec<(BrokerId, Option<BrokerEpoch>)> {
    let with_epochs = data.new_isr_with_epochs.iter().map(|member| {
        let epoch = Some(member.broker_epoch).filter(|epoch| *epoch >= 0).map(BrokerEpoch);
        (BrokerId(member.broker_id), epoch)
    });
    let without = data.new_isr.iter().map(|broker| (BrokerId(*broker), None));
    if data.new_isr_with_epochs.is_empty() { without.collect() } else { with_epochs.collect() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alter_partition::request::{BrokerState, PartitionData};

    #[test]
    fn a_proposal_names_registrations_where_its_version_has_them() {
        let state = |broker_id, broker_epoch| BrokerState { broker_id, broker_epoch };
        let with = PartitionData { new_isr_with_epochs: vec![state(1, 7), state(2, -1)], ..Default::default() };
        assert_eq!(members(&with), [(BrokerId(1), Some(BrokerEpoch(7))), (BrokerId(2), None)]);
        let without = PartitionData { new_isr: vec![1, 2], ..Default::default() };
        assert_eq!(members(&without), [(BrokerId(1), None), (BrokerId(2), None)]);
    }
}
