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
