//! What a controller's records say of the controller: kept beside the state, for properties to judge.

use highwater_spec::controller::{Image, Record};
use highwater_spec::values::{BrokerId, Brokers, TopicPartition};
use highwater_spec::view::History;

/// Notes what `records`, appended to a log whose fold is `before`, do to one partition and to the brokers.
/// `may_be_lossy` if an operator asked for a leader at any price.
pub fn note_records(
    history: &mut History,
    watched: TopicPartition,
    before: &Image,
    records: &[Record],
    may_be_lossy: bool,
) {
    let mut after = before.clone();
    records.iter().for_each(|record| after.apply(record));
    let gone: Brokers = records.iter().filter_map(restarted_or_left).collect();
    let mut image = before.clone();
    for record in records {
        let then = image.partition(watched).cloned();
        if let Record::BrokerRegistered { broker, registration } = record {
            let known = image.brokers.get(broker);
            let new = known.is_some_and(|known| known.incarnation != registration.incarnation);
            history.epoch_reused |= new && known.is_some_and(|known| known.epoch >= registration.epoch);
        }
        image.apply(record);
        let (Some(then), Some(now)) = (then, image.partition(watched)) else { continue };
        if then == *now {
            continue;
        }
        let raised = now.partition_epoch > then.partition_epoch && now.leader_epoch >= then.leader_epoch;
        let led_anew = now.leader == then.leader || now.leader_epoch > then.leader_epoch;
        history.epoch_reused |= !raised || !led_anew;
        if let Some(leader) = now.leader.filter(|leader| then.leader != Some(*leader)) {
            // Who has restarted or left may have lost what it had; whoever else was in sync or eligible is complete.
            let complete = then.isr.union(&then.elr).minus(&gone);
            let last_resort = complete.is_empty() && then.last_known_leader == Some(leader);
            let may_be_unclean = may_be_lossy || after.allows_unclean_election(watched.topic) || last_resort;
            let complete = complete.contains(leader);
            if !after.is_active(leader) || (!complete && !may_be_unclean) {
                history.bad_election = Some(leader);
            } else if !complete {
                // One is as good as many: what rests on clean elections rests on none being unclean.
                history.unclean_elections = 1;
            }
        }
    }
}

fn restarted_or_left(record: &Record) -> Option<BrokerId> {
    match record {
        Record::BrokerRegistered { broker, .. } | Record::BrokerUnregistered { broker } => Some(*broker),
        _ => None,
    }
}
