//! Who held a partition from when to when, as far as that is certain from what members noted.

use super::event::{Deed, Event, Partition};

/// How a hold ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// The member gave it back, in good standing.
    Revoked,
    /// It found out that it had been fenced, or was killed, or left.
    Otherwise,
    /// It never said.
    Never,
}

/// A member's hold of a partition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Hold<'a> {
    pub group: &'a str,
    pub who: &'a str,
    pub partition: &'a Partition,
    pub generation: Option<i32>,
    /// Where it began among the events.
    pub assigned: usize,
    /// It had it by then.
    pub since: u64,
    /// It had it until then at least.
    pub until: u64,
    pub end: End,
}

impl Hold<'_> {
    /// Whether the member had the partition for certain, all the time between two moments.
    pub fn covers(&self, began: u64, ended: u64) -> bool {
        self.since <= began && ended <= self.until
    }

    fn is_open(&self) -> bool {
        self.end == End::Never
    }

    fn close(&mut self, at: u64, end: End) {
        self.until = at;
        self.end = end;
    }
}

/// Every hold of every member, in the order in which they began.
pub(super) fn holds(events: &[Event]) -> Vec<Hold<'_>> {
    let mut holds: Vec<Hold<'_>> = Vec::new();
    for (index, event) in events.iter().enumerate() {
        let Some(group) = event.group.as_deref() else { continue };
        let own = |hold: &&mut Hold<'_>| hold.is_open() && hold.who == event.who && hold.group == group;
        match &event.deed {
            Deed::Assigned { generation, partitions } => {
                for partition in partitions {
                    let has = holds.iter_mut().filter(own).any(|hold| hold.partition == partition);
                    if !has {
                        let (who, since) = (event.who.as_str(), event.ended);
                        let (generation, until) = (*generation, u64::MAX);
                        let assigned = index;
                        holds.push(Hold { group, who, partition, generation, assigned, since, until, end: End::Never });
                    }
                }
            }
            Deed::Revoked { partitions } | Deed::Lost { partitions } => {
                let end = if matches!(event.deed, Deed::Revoked { .. }) { End::Revoked } else { End::Otherwise };
                let named = holds.iter_mut().filter(own).filter(|hold| partitions.contains(hold.partition));
                named.for_each(|hold| hold.close(event.began, end));
            }
            Deed::Gone => holds.iter_mut().filter(own).for_each(|hold| hold.close(event.began, End::Otherwise)),
            _ => {}
        }
    }
    holds
}
