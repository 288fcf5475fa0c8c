//! What a change has cost a group, by what its members told. Pure: the events of a history in, counts out.

use crate::histories::{Deed, Event, Partition};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

const NANOS_PER_MS: u64 = 1_000_000;
const MS_PER_S: f64 = 1e3;

/// Counts, from a change until the last member had what it was to have.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Cost {
    /// How long that took, in milliseconds.
    pub ms: u64,
    /// Members that had something to read, are still there, and had nothing for a while.
    pub members_stopped: usize,
    /// For how long no member had anything to read, in milliseconds.
    pub all_stopped_ms: u64,
    /// Partitions that had no owner for a while.
    pub partitions_stopped: usize,
    /// Partitions without an owner, summed over time, in seconds.
    pub partition_seconds: f64,
    /// How often a member that is still there was called because it had to give something up.
    pub revocations: usize,
}

/// Which partitions each member has, as far as it has told.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Shares<'a>(BTreeMap<&'a str, BTreeSet<i32>>);

impl<'a> Shares<'a> {
    /// After these events.
    pub(super) fn after(events: &'a [Event]) -> Self {
        let mut shares = Self::default();
        events.iter().for_each(|event| shares.hear(event));
        shares
    }

    fn hear(&mut self, event: &'a Event) {
        let who = event.who.as_str();
        match &event.deed {
            Deed::Assigned { partitions, .. } => self.0.entry(who).or_default().extend(indexes(partitions)),
            Deed::Revoked { partitions } | Deed::Lost { partitions } => {
                let gone: BTreeSet<i32> = indexes(partitions).collect();
                self.0.entry(who).or_default().retain(|index| !gone.contains(index));
            }
            Deed::Gone => drop(self.0.remove(who)),
            _ => {}
        }
    }

    /// Whether so many members have all partitions, each partition one owner, and no one has more than one more than
    /// another.
    pub(super) fn are_even(&self, members: usize, partitions: usize) -> bool {
        let sizes: Vec<_> = self.0.values().map(BTreeSet::len).filter(|size| *size > 0).collect();
        let (least, most) = (sizes.iter().min().copied(), sizes.iter().max().copied());
        let is_even = least.zip(most).is_some_and(|(least, most)| most - least <= 1);
        let is_whole = sizes.iter().sum::<usize>() == partitions && self.owned().len() == partitions;
        is_even && is_whole && sizes.len() == members.min(partitions) && self.0.len() <= members
    }

    fn owned(&self) -> BTreeSet<i32> {
        self.0.values().flatten().copied().collect()
    }

    fn has_any(&self, who: &str) -> bool {
        self.0.get(who).is_some_and(|share| !share.is_empty())
    }
}

fn indexes(partitions: &[Partition]) -> impl Iterator<Item = i32> {
    partitions.iter().map(|Partition(_, index)| *index)
}

impl Cost {
    /// Of a change at the moment `since`, in nanoseconds. `events` are in the order in which they ended, and the group was
    /// at rest before the change and is after the last of them.
    pub(super) fn of(events: &[Event], since: u64) -> Self {
        let (before, after) = events.split_at(events.partition_point(|event| event.ended < since));
        let mut shares = Shares::after(before);
        let all = shares.owned();
        let readers: BTreeSet<&str> = shares.0.keys().copied().filter(|who| shares.has_any(who)).collect();
        let mut cost = Self::default();
        let (mut stopped, mut idle) = (BTreeSet::new(), BTreeSet::new());
        let (mut at, mut all_stopped, mut without_owner) = (since, 0, 0);
        for event in after {
            let passed = event.ended - at;
            let owned = shares.owned();
            let unowned: Vec<_> = all.difference(&owned).copied().collect();
            without_owner += unowned.len() as u64 * passed;
            all_stopped += if owned.is_empty() { passed } else { 0 };
            stopped.extend(unowned);
            shares.hear(event);
            idle.extend(readers.iter().copied().filter(|who| !shares.has_any(who)));
            at = event.ended;
        }
        let stays = |who: &str| shares.0.contains_key(who);
        let gives_up = |event: &&Event| match &event.deed {
            Deed::Revoked { partitions } | Deed::Lost { partitions } => !partitions.is_empty() && stays(&event.who),
            _ => false,
        };
        cost.ms = (at - since) / NANOS_PER_MS;
        cost.all_stopped_ms = all_stopped / NANOS_PER_MS;
        cost.partition_seconds = (without_owner / NANOS_PER_MS) as f64 / MS_PER_S;
        cost.partitions_stopped = stopped.len();
        cost.members_stopped = idle.into_iter().filter(|who| stays(who)).count();
        cost.revocations = after.iter().filter(gives_up).count();
        cost
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn partitions(indexes: &[i32]) -> Vec<Partition> {
        indexes.iter().map(|index| Partition("t".to_owned(), *index)).collect()
    }

    fn assigned(indexes: &[i32]) -> Deed {
        Deed::Assigned { generation: None, partitions: partitions(indexes) }
    }

    fn revoked(indexes: &[i32]) -> Deed {
        Deed::Revoked { partitions: partitions(indexes) }
    }

    /// At so many seconds.
    fn events(told: Vec<(u64, &str, Deed)>) -> Vec<Event> {
        let event = |(second, who, deed): (u64, &str, Deed)| {
            let at = second * 1000 * NANOS_PER_MS;
            Event { who: who.to_owned(), group: Some("g".to_owned()), began: at, ended: at, deed }
        };
        told.into_iter().map(event).collect()
    }

    fn at_rest() -> Vec<(u64, &'static str, Deed)> {
        vec![(1, "a", assigned(&[0, 1])), (2, "b", assigned(&[2, 3]))]
    }

    const SINCE: u64 = 5_000 * NANOS_PER_MS;

    #[test]
    fn whoever_is_eager_stops_everything() {
        let told = events(
            at_rest()
                .into_iter()
                .chain([
                    (6, "a", revoked(&[0, 1])),
                    (7, "b", revoked(&[2, 3])),
                    (9, "a", assigned(&[0, 1])),
                    (10, "b", assigned(&[2])),
                    (10, "c", assigned(&[3])),
                ])
                .collect(),
        );
        let expected = Cost {
            ms: 5_000,
            members_stopped: 2,
            all_stopped_ms: 2_000,
            partitions_stopped: 4,
            partition_seconds: 12.0,
            revocations: 2,
        };
        assert_eq!(Cost::of(&told, SINCE), expected);
        assert!(Shares::after(&told).are_even(3, 4));
    }

    #[test]
    fn what_moves_alone_is_all_that_stops() {
        let told = events(at_rest().into_iter().chain([(6, "a", revoked(&[1])), (8, "c", assigned(&[1]))]).collect());
        let expected =
            Cost { ms: 3_000, partitions_stopped: 1, partition_seconds: 2.0, revocations: 1, ..Cost::default() };
        assert_eq!(Cost::of(&told, SINCE), expected);
    }

    #[test]
    fn whoever_goes_has_not_stopped() {
        let told = events(at_rest().into_iter().chain([(5, "b", Deed::Gone), (8, "a", assigned(&[2, 3]))]).collect());
        let expected = Cost { ms: 3_000, partitions_stopped: 2, partition_seconds: 6.0, ..Cost::default() };
        assert_eq!(Cost::of(&told, SINCE), expected);
        assert!(Shares::after(&told).are_even(1, 4));
    }

    #[test]
    fn a_group_is_not_at_rest_before_everyone_has_its_share() {
        let shared = |told| Shares::after(&events(told)).are_even(2, 4);
        assert!(shared(at_rest()));
        assert!(!shared(vec![(1, "a", assigned(&[0, 1]))]), "some have no owner");
        assert!(!shared(vec![(1, "a", assigned(&[0, 1, 2, 3]))]), "one is still to come");
        assert!(!shared(vec![(1, "a", assigned(&[0, 1, 2])), (2, "b", assigned(&[3]))]), "uneven");
        assert!(!shared(vec![(1, "a", assigned(&[0, 1])), (2, "b", assigned(&[1, 2]))]), "two owners");
        assert!(!shared([at_rest(), vec![(3, "c", assigned(&[]))]].concat()), "one is still there");
    }
}
