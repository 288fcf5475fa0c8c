//! One member's way to its target: first it gives up, then it gets.
//!
//! Rules: `group.consumer.reconcile.*`. Source: Kafka's `CurrentAssignmentBuilder`.

use super::{ConsumerGroup, Current, GroupEpoch, Progress, Share};
use crate::marks::{guard, rule};
use crate::rules::Rules;

/// Where a member stands that owns `owned` (`None`: it does not say) and is to have `target`.
pub(super) fn reconciled(
    rules: &Rules,
    group: &ConsumerGroup,
    current: &Current,
    target_epoch: GroupEpoch,
    target: &Share,
    owned: Option<&Share>,
) -> Current {
    if guard!("group.consumer.reconcile.assign/there", current.has_reached(target_epoch)) {
        return current.clone();
    }
    let epoch = current.epoch.unwrap_or_default();
    let from = match current.progress {
        Progress::Stable | Progress::UnreleasedPartitions => epoch,
        // `group.consumer.reconcile.revoke`: it stays where it is until it says that it has given up.
        Progress::UnrevokedPartitions
            if guard!("group.consumer.reconcile.revoke/waits", may_own(owned, &current.revoked)) =>
        {
            return current.clone();
        }
        Progress::UnrevokedPartitions => epoch.next(),
        Progress::Unknown => target_epoch,
    };
    next(rules, group, current, from, target_epoch, target, owned)
}

/// `group.consumer.reconcile.assign`: it gets what is free at once. `group.consumer.reconcile.wait`: what others have
/// yet to give up it gets later.
fn next(
    rules: &Rules,
    group: &ConsumerGroup,
    current: &Current,
    from: GroupEpoch,
    target_epoch: GroupEpoch,
    target: &Share,
    owned: Option<&Share>,
) -> Current {
    let previous = current.epoch.unwrap_or_default();
    let kept: Share = current.assigned.intersection(target).copied().collect();
    let revoked: Share = current.assigned.difference(target).copied().collect();
    if guard!("group.consumer.reconcile.revoke", !revoked.is_empty() && may_own(owned, &revoked)) {
        let progress = Progress::UnrevokedPartitions;
        return Current { epoch: Some(from), previous, progress, assigned: kept, revoked };
    }
    let (unreleased, free): (Share, Share) =
        target.difference(&kept).copied().partition(|partition| group.is_owned(rules, *partition));
    rule!("group.consumer.reconcile.assign");
    let waits = guard!("group.consumer.reconcile.wait", !unreleased.is_empty());
    let progress = if waits { Progress::UnreleasedPartitions } else { Progress::Stable };
    let assigned = kept.union(&free).copied().collect();
    Current { epoch: Some(target_epoch), previous, progress, assigned, revoked: Share::new() }
}

/// Whether a member may still have some of `partitions`. One that does not say may.
fn may_own(owned: Option<&Share>, partitions: &Share) -> bool {
    owned.is_none_or(|owned| !owned.is_disjoint(partitions))
}
