//! Letting coordinators forget offsets that no one has needed for long.
//!
//! A coordinator says since when each is not needed (`highwater_spec::group`), and decides what goes; here is the clock.
//! Source: Kafka's `GroupCoordinatorShard.scheduleGroupMetadataExpiration`.

use super::host::Event;
use crate::carrier::{Durable, Timestamp};
use crate::door::Entrance;
use highwater_spec::group::{Coordinator, Input};
use highwater_spec::values::TopicPartition;
use std::time::Duration;

/// Lets the coordinators look for what was not needed for `retention` milliseconds, time and again.
pub async fn run(groups: Entrance<Event>, retention: i64, every: Duration) {
    loop {
        tokio::time::sleep(every).await;
        let since = Timestamp(Timestamp::now().0.saturating_sub(retention));
        let _ = groups.send(Event::UnneededSince(since));
    }
}

/// What one coordinator is to hear: of each of its groups, the offsets that are not needed at least since then.
pub fn checks(
    partition: TopicPartition,
    coordinator: &Coordinator<Durable>,
    since: Timestamp,
) -> Vec<(TopicPartition, Input<Durable>)> {
    let at = Timestamp::now();
    let of_group = coordinator.unneeded().map(|(group, unneeded)| {
        let passed = unneeded.into_iter().filter(|(_, from)| *from <= since).map(|(partition, _)| partition);
        let (group, passed) = (group.clone(), passed.collect());
        (partition, Input::RetentionChecked { at, group, passed })
    });
    of_group.collect()
}
