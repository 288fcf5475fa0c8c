//! One owner for each partition at a time.
//!
//! Of two members that both hold a partition the earlier one may have been fenced without knowing it yet: it finds out
//! that it *lost* the partition, or never says anything more. One that gives it back in good order was no such zombie.

use super::Verdict;
use crate::histories::anomaly::{Anomaly, Kind};
use crate::histories::event::{Deed, Event, Share};
use crate::histories::holds::{End, Hold};

pub(super) fn judge(events: &[Event], holds: &[Hold<'_>], verdict: &mut Verdict) {
    for event in events {
        if let Deed::Described { members, .. } = &event.deed {
            coordinator(event, members, verdict);
        }
    }
    for (index, earlier) in holds.iter().enumerate() {
        let of_same = |later: &&Hold<'_>| {
            later.group == earlier.group && later.partition == earlier.partition && later.who != earlier.who
        };
        // Holds are in the order of their beginnings.
        for later in holds[index + 1..].iter().filter(of_same).filter(|later| later.since < earlier.until) {
            between(earlier, later, verdict);
        }
    }
}

fn coordinator(event: &Event, members: &[Share], verdict: &mut Verdict) {
    for (index, one) in members.iter().enumerate() {
        for other in &members[index + 1..] {
            for partition in one.partitions.iter().filter(|partition| other.partitions.contains(partition)) {
                let what = format!(
                    "the coordinator of {} says at {} that {partition} is {}'s and {}'s",
                    event.group.as_deref().unwrap_or("the group"),
                    event.ended,
                    one.member,
                    other.member
                );
                verdict.anomalies.push(Anomaly::new(Kind::TwoOwners, what));
            }
        }
    }
}

fn between(earlier: &Hold<'_>, later: &Hold<'_>, verdict: &mut Verdict) {
    let same_generation = earlier.generation.is_some() && earlier.generation == later.generation;
    let why = match (same_generation, earlier.end) {
        (true, _) => format!("both in generation {}", earlier.generation.unwrap_or_default()),
        (false, End::Revoked) => format!("and {} gave it back in good order at {}", earlier.who, earlier.until),
        (false, End::Otherwise | End::Never) => return,
    };
    let what = format!(
        "{} of {} is {}'s since {} and {}'s since {}, {why}",
        later.partition, later.group, earlier.who, earlier.since, later.who, later.since
    );
    verdict.anomalies.push(Anomaly::new(Kind::TwoOwners, what));
}

#[cfg(test)]
mod tests {
    use super::super::told::*;
    use super::*;

    #[test]
    fn a_partition_that_the_coordinator_gives_to_two_members() {
        assert_eq!(anomalies([described(&[("a", &[0, 1]), ("b", &[2]), ("c", &[1])])]), ["two-owners"]);
        assert_eq!(anomalies([described(&[("a", &[0, 1]), ("b", &[2])])]), [""; 0]);
    }

    #[test]
    fn a_partition_given_to_two_members_in_one_generation() {
        assert_eq!(anomalies([assigned("a", 3, &[0]), assigned("b", 3, &[0])]), ["two-owners"]);
        assert_eq!(anomalies([assigned("a", 3, &[0]), assigned("b", 3, &[1])]), [""; 0]);
        // A static member comes back.
        assert_eq!(anomalies([assigned("a", 3, &[0]), ("a", Deed::Gone), assigned("a2", 3, &[0])]), [""; 0]);
    }

    #[test]
    fn a_member_in_good_standing_whose_partition_is_given_away() {
        let deeds = |gives_back| [assigned("a", 0, &[0]), assigned("b", 0, &[0]), gives_back];
        assert_eq!(anomalies(deeds(revoked("a"))), ["two-owners"]);
        assert_eq!(anomalies(deeds(lost("a"))), [""; 0], "a zombie");
        assert_eq!(anomalies(deeds(("a", Deed::Gone))), [""; 0], "a zombie that was killed");
        assert_eq!(anomalies([assigned("a", 0, &[0]), revoked("a"), assigned("b", 0, &[0])]), [""; 0]);
    }
}
