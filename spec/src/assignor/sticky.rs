//! The sticky assignor: evenly, and as before as far as that goes.
//!
//! Here members all subscribe to the same; where they do not, see `unequal`. Rules: `assignor.sticky.*`. Source: KIP-54,
//! KIP-341, KIP-792; Kafka's `AbstractStickyAssignor.ConstrainedAssignmentBuilder`.

use super::{Assignment, Members, Subscriber, Topics, all_partitions, give, unequal};
use crate::group::{MemberId, NamedPartition};
use crate::rules::{Rules, StickyClaims};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// What members own, as far as it can be believed.
pub(super) struct Claims {
    /// What each member may keep.
    pub(super) owned: Assignment,
    /// What several members claimed in one generation, so that no one may.
    pub(super) disputed: BTreeSet<NamedPartition>,
}

/// Shares out, and says which partitions change hands though someone who takes part still owns them.
pub(super) fn assign(
    rules: &Rules,
    members: &Members,
    topics: &Topics,
    assignment: &mut Assignment,
) -> BTreeSet<NamedPartition> {
    let claims = claims(rules, members, topics);
    let mut subscriptions = members.values().map(|member| &member.topics);
    let first = subscriptions.next();
    if subscriptions.all(|topics| Some(topics) == first) {
        assign_equally(&all_partitions(members, topics), &claims, assignment)
    } else {
        unequal::assign(members, &all_partitions(members, topics), &claims, assignment)
    }
}

/// `assignor.sticky.claim`: of two who claim a partition the one of the later generation owns it. Two of one generation
/// must both give it up.
fn claims(rules: &Rules, members: &Members, topics: &Topics) -> Claims {
    let latest = members.values().map(|member| member.generation).max().flatten();
    let is_believed =
        |member: &Subscriber| rules.sticky_claims == StickyClaims::OfEachPartition || member.generation == latest;
    let mut owned: Assignment = members.keys().map(|id| (id.clone(), BTreeSet::new())).collect();
    let mut disputed = BTreeSet::new();
    let mut claimants: BTreeMap<NamedPartition, &MemberId> = BTreeMap::new();
    let wanted: BTreeSet<_> = all_partitions(members, topics).into_iter().collect();
    for (id, member) in members.iter().filter(|(_, member)| is_believed(member)) {
        for partition in member.owned.intersection(&wanted) {
            let Some(other) = claimants.get(partition).copied() else {
                claimants.insert(partition.clone(), id);
                give(&mut owned, id, partition.clone());
                continue;
            };
            let earlier = members[other].generation;
            if member.generation < earlier {
                continue;
            }
            claimants.insert(partition.clone(), id);
            owned.get_mut(other).map(|share| share.remove(partition));
            if member.generation == earlier {
                disputed.insert(partition.clone());
            } else {
                give(&mut owned, id, partition.clone());
            }
        }
    }
    for share in owned.values_mut() {
        share.retain(|partition| !disputed.contains(partition));
    }
    Claims { owned, disputed }
}

/// How many partitions each member gets.
struct Quota {
    /// Everyone gets so many.
    least: usize,
    /// So many get one more.
    one_more: usize,
}

/// `assignor.sticky.equal`: everyone keeps what it owns up to its quota, and as many as may exceed the least by one do;
/// what is left goes to those below, one by one, then to those who may have one more.
fn assign_equally(
    partitions: &[NamedPartition],
    claims: &Claims,
    assignment: &mut Assignment,
) -> BTreeSet<NamedPartition> {
    let Some(least) = partitions.len().checked_div(assignment.len()) else { return BTreeSet::new() };
    let quota = Quota { least, one_more: partitions.len() % assignment.len() };
    let given_up = keep(&quota, claims, assignment);
    let kept: BTreeSet<_> = assignment.values().flatten().cloned().collect();
    let free = partitions.iter().filter(|partition| !kept.contains(partition));
    let mut changing_hands = BTreeSet::new();
    for (partition, to) in free.zip(receivers(&quota, assignment)) {
        let from_another = given_up.get(partition).is_some_and(|owner| *owner != to);
        if from_another || claims.disputed.contains(partition) {
            changing_hands.insert(partition.clone());
        }
        give(assignment, &to, partition.clone());
    }
    changing_hands
}

/// Lets every member keep up to its quota, by number and then by topic, and says who gave up what.
fn keep(quota: &Quota, claims: &Claims, assignment: &mut Assignment) -> BTreeMap<NamedPartition, MemberId> {
    let mut given_up = BTreeMap::new();
    let mut above = 0;
    for (id, owned) in &claims.owned {
        let mut owned: Vec<_> = owned.iter().cloned().collect();
        owned.sort_by_key(|partition| (partition.index, partition.topic.clone()));
        let may_exceed = owned.len() > quota.least && above < quota.one_more;
        above += usize::from(may_exceed);
        let surplus = owned.split_off(owned.len().min(quota.least + usize::from(may_exceed)));
        given_up.extend(surplus.into_iter().map(|partition| (partition, id.clone())));
        owned.into_iter().for_each(|partition| give(assignment, id, partition));
    }
    given_up
}

/// Whom the partitions that are left go to, one after the other.
fn receivers(quota: &Quota, assignment: &Assignment) -> Vec<MemberId> {
    let mut counts: BTreeMap<&MemberId, usize> = assignment.iter().map(|(id, share)| (id, share.len())).collect();
    let above = counts.values().filter(|count| **count > quota.least).count();
    let at_least = counts.iter().filter(|(_, count)| **count == quota.least).map(|(id, _)| *id);
    let mut full: VecDeque<_> = at_least.collect();
    let mut below: Vec<_> = counts.iter().filter(|(_, count)| **count < quota.least).map(|(id, _)| *id).collect();
    let mut receivers = Vec::new();
    while !below.is_empty() {
        below.retain(|id| {
            let count = counts.entry(id).or_default();
            *count += 1;
            receivers.push((*id).clone());
            if *count == quota.least {
                full.push_back(id);
            }
            *count < quota.least
        });
    }
    receivers.extend(full.into_iter().take(quota.one_more - above).cloned());
    receivers
}
