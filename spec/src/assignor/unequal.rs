//! The sticky assignor for members that do not all subscribe to the same.
//!
//! Kafka promises no more than balance and stickiness here, and its way to them (`GeneralAssignmentBuilder`) is long; this
//! one is not its way. Rules: `assignor.sticky.unequal`.

use super::sticky::Claims;
use super::{Assignment, Members, give};
use crate::group::{MemberId, NamedPartition};
use std::collections::BTreeSet;

/// `assignor.sticky.unequal`: everyone keeps what it owns and still wants; what is left goes to whoever wants it and has
/// least; then partitions move as long as a move makes two members' shares more even.
pub(super) fn assign(
    members: &Members,
    partitions: &[NamedPartition],
    claims: &Claims,
    assignment: &mut Assignment,
) -> BTreeSet<NamedPartition> {
    let wants = |id: &MemberId, partition: &NamedPartition| members[id].topics.contains(&partition.topic);
    for (id, owned) in &claims.owned {
        owned.iter().filter(|partition| wants(id, partition)).for_each(|kept| give(assignment, id, kept.clone()));
    }
    let kept: BTreeSet<_> = assignment.values().flatten().cloned().collect();
    let choices = |partition: &NamedPartition| members.keys().filter(|id| wants(id, partition)).count();
    let mut free: Vec<_> = partitions.iter().filter(|partition| !kept.contains(partition)).collect();
    free.sort_by_key(|partition| (choices(partition), (*partition).clone()));
    for partition in free {
        if let Some(to) = least(assignment, |id| wants(id, partition)) {
            give(assignment, &to, partition.clone());
        }
    }
    while let Some((partition, from, to)) = better(assignment, partitions, wants) {
        assignment.get_mut(&from).map(|share| share.remove(&partition));
        give(assignment, &to, partition);
    }
    changing_hands(members, assignment)
}

/// The member with the fewest partitions, of those that `may` have more; of as many, the first by id.
fn least(assignment: &Assignment, may: impl Fn(&MemberId) -> bool) -> Option<MemberId> {
    let candidates = assignment.iter().filter(|(id, _)| may(id));
    candidates.min_by_key(|(id, share)| (share.len(), *id)).map(|(id, _)| id.clone())
}

/// A move that makes shares more even: each one makes the sum of their squares less, so there is a last one.
fn better(
    assignment: &Assignment,
    partitions: &[NamedPartition],
    wants: impl Fn(&MemberId, &NamedPartition) -> bool,
) -> Option<(NamedPartition, MemberId, MemberId)> {
    partitions.iter().find_map(|partition| {
        let (from, share) = assignment.iter().find(|(_, share)| share.contains(partition))?;
        let to = least(assignment, |id| wants(id, partition))?;
        (share.len() > assignment[&to].len() + 1).then(|| (partition.clone(), from.clone(), to))
    })
}

/// What someone gets that another member still owns.
fn changing_hands(members: &Members, assignment: &Assignment) -> BTreeSet<NamedPartition> {
    let owned_by_another = |id: &MemberId, partition: &NamedPartition| {
        members.iter().any(|(other, member)| other != id && member.owned.contains(partition))
    };
    let gets = assignment.iter().flat_map(|(id, share)| share.iter().map(move |partition| (id, partition)));
    let new = gets.filter(|(id, partition)| !members[*id].owned.contains(*partition));
    new.filter(|(id, partition)| owned_by_another(id, partition)).map(|(_, partition)| partition.clone()).collect()
}
