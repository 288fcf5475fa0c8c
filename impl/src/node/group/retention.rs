//! Letting coordinators forget offsets that no one has needed for long.
//!
//! A coordinator decides which go (`highwater_spec::group`); here is the clock.
//! Source: Kafka's `GroupCoordinatorShard.scheduleGroupMetadataExpiration`.

use super::host::Event;
use crate::carrier::{Durable, Timestamp};
use crate::door::Entrance;
use highwater_spec::group::{Coordinator, Input};
use highwater_spec::values::TopicPartition;
use std::collections::BTreeSet;
use std::time::Duration;

/// Lets the coordinators look for what was not needed for `retention` milliseconds, time and again.
pub async fn run(groups: Entrance<Event>, retention: i64, every: Duration) {
    loop {
        tokio::time::sleep(every).await;
        let since = Timestamp(Timestamp::now().0.saturating_sub(retention));
        let _ = groups.send(Event::UnneededSince(since));
    }
}

/// What one coordinator is to hear of each of its groups.
pub fn checks(
    partition: TopicPartition,
    coordinator: &Coordinator<Durable>,
    since: Timestamp,
) -> Vec<(TopicPartition, Input<Durable>)> {
    let at = Timestamp::now();
    let groups: BTreeSet<_> = coordinator.groups().keys().chain(coordinator.stored().keys()).cloned().collect();
    groups.into_iter().map(|group| (partition, Input::RetentionChecked { at, group, since })).collect()
}
