//! Committed offsets: accepted from members in good standing only, and kept.
//!
//! For each group and partition the offset is one register. A commit whose fate is unknown may take effect at any later
//! moment, or never.

use super::Verdict;
use crate::histories::anomaly::{Anomaly, Kind};
use crate::histories::event::{Answer, Deed, Event, Partition};
use crate::histories::holds::Hold;
use std::collections::BTreeMap;

/// One commit that was accepted, or may have been.
#[derive(Debug)]
struct Commit<'a> {
    event: &'a Event,
    offset: i64,
    generation: Option<i32>,
    deliberate: bool,
    accepted: bool,
}

impl Commit<'_> {
    /// Whether it was in force before a moment, for certain.
    fn is_before(&self, moment: u64) -> bool {
        self.accepted && self.event.ended < moment
    }
}

type Register<'a> = (Option<&'a str>, &'a Partition);

pub(super) fn judge(events: &[Event], holds: &[Hold<'_>], verdict: &mut Verdict) {
    let registers = registers(events);
    for (register, commits) in &registers {
        for commit in commits.iter().filter(|commit| commit.accepted) {
            fenced(*register, commit, events, holds, verdict);
            moved_back(*register, commit, commits, verdict);
        }
        for hold in holds.iter().filter(|hold| (Some(hold.group), hold.partition) == *register) {
            begins(hold, events, commits, verdict);
        }
    }
    for event in events {
        if let Deed::Told { partition, offset } = &event.deed {
            let commits = registers.get(&(event.group.as_deref(), partition));
            told(event, partition, *offset, commits.map_or(&[], Vec::as_slice), verdict);
        }
    }
}

fn registers(events: &[Event]) -> BTreeMap<Register<'_>, Vec<Commit<'_>>> {
    let mut registers: BTreeMap<Register<'_>, Vec<Commit<'_>>> = BTreeMap::new();
    for event in events {
        let Deed::Committed { generation, partition, offset, deliberate, answer } = &event.deed else { continue };
        let commits = registers.entry((event.group.as_deref(), partition)).or_default();
        if !matches!(answer, Answer::Refused(_)) {
            let accepted = *answer == Answer::Accepted;
            let (offset, generation, deliberate) = (*offset, *generation, *deliberate);
            commits.push(Commit { event, offset, generation, deliberate, accepted });
        }
    }
    registers
}

/// A commit that comes in an earlier generation than one that had begun by then, or from a member whose partition
/// another one had been given by then.
fn fenced(register: Register<'_>, commit: &Commit<'_>, events: &[Event], holds: &[Hold<'_>], verdict: &mut Verdict) {
    let Commit { event, offset, .. } = commit;
    let begun = |earlier: &&Event| earlier.group.as_deref() == register.0 && earlier.ended < event.began;
    let generations = events.iter().filter(begun).filter_map(|earlier| match &earlier.deed {
        Deed::Assigned { generation, .. } => *generation,
        _ => None,
    });
    let newest = generations.max();
    let own = |hold: &&Hold<'_>| (Some(hold.group), hold.partition) == register;
    let held = holds.iter().filter(own).find(|hold| hold.who == event.who && hold.covers(event.began, event.ended));
    let heir = held.and_then(|held| {
        let heirs = holds.iter().filter(own).filter(|heir| heir.who != event.who);
        heirs.into_iter().find(|heir| held.since < heir.since && heir.since < event.began)
    });
    let what = match (commit.generation, newest, heir) {
        (Some(own), Some(newest), _) if own < newest => format!("in generation {own}, when {newest} had begun"),
        (_, _, Some(heir)) => format!("when {} had had it since {}", heir.who, heir.since),
        _ => return,
    };
    let (who, partition, began) = (&event.who, register.1, event.began);
    let what = format!("{who} committed {offset} of {partition} at {began}, {what}");
    verdict.anomalies.push(Anomaly::new(Kind::FencedCommit, what));
}

/// A commit that is less than whichever one was in force before it.
fn moved_back(register: Register<'_>, commit: &Commit<'_>, commits: &[Commit<'_>], verdict: &mut Verdict) {
    let before = in_force(commits, commit.event.began);
    let Some(least) = before.iter().min_by_key(|before| before.offset) else { return };
    if commit.deliberate || commit.offset >= least.offset {
        return;
    }
    let what = format!(
        "{} committed {} of {} at {}, and {} had committed {} by {}",
        commit.event.who,
        commit.offset,
        register.1,
        commit.event.began,
        least.event.who,
        least.offset,
        least.event.ended
    );
    verdict.anomalies.push(Anomaly::new(Kind::CommitMovedBack, what));
}

/// The accepted commits of which one was the last, at a moment: they ended before it, and none began after they ended.
fn in_force<'a, 'b>(commits: &'b [Commit<'a>], moment: u64) -> Vec<&'b Commit<'a>> {
    let before = || commits.iter().filter(|commit| commit.is_before(moment));
    let Some(last) = before().map(|commit| commit.event.began).max() else { return Vec::new() };
    before().filter(|commit| commit.event.ended >= last).collect()
}

/// Every offset that someone may see who looks between two moments; none, if also nothing may be there.
fn visible(commits: &[Commit<'_>], began: u64, ended: u64) -> Vec<Option<i64>> {
    let before = commits.iter().filter(|commit| commit.is_before(began)).map(|commit| commit.event.began).max();
    let is_overwritten = |commit: &Commit<'_>| commit.accepted && before.is_some_and(|last| commit.event.ended < last);
    let may_be = commits.iter().filter(|commit| commit.event.began <= ended && !is_overwritten(commit));
    let nothing = before.is_none().then_some(None);
    may_be.map(|commit| Some(commit.offset)).chain(nothing).collect()
}

/// What was told is what may be seen.
fn told(event: &Event, partition: &Partition, offset: Option<i64>, commits: &[Commit<'_>], verdict: &mut Verdict) {
    if visible(commits, event.began, event.ended).contains(&offset) {
        return;
    }
    let was_committed = offset.is_none() || commits.iter().any(|commit| Some(commit.offset) == offset);
    let kind = if was_committed { Kind::LostCommit } else { Kind::NeverCommitted };
    let found = offset.map_or("nothing".to_owned(), |offset| offset.to_string());
    let mut expected: Vec<_> = in_force(commits, event.began).iter().map(|commit| commit.offset).collect();
    expected.dedup();
    let what = format!("{} was told {found} of {partition} at {}; in force: {expected:?}", event.who, event.ended);
    verdict.anomalies.push(Anomaly::new(kind, what));
}

/// An owner's first record isn't one from before what was committed.
fn begins(hold: &Hold<'_>, events: &[Event], commits: &[Commit<'_>], verdict: &mut Verdict) {
    let first = events.iter().skip(hold.assigned).find_map(|event| match &event.deed {
        Deed::Polled { partition, offset, .. } if event.who == hold.who && partition == hold.partition => {
            Some((event, *offset))
        }
        _ => None,
    });
    let Some((event, offset)) = first.filter(|(event, _)| event.ended <= hold.until) else { return };
    let visible = visible(commits, events[hold.assigned].began, event.ended);
    let least = visible.iter().map(|seen| seen.unwrap_or(0)).min().unwrap_or(0);
    if offset < least {
        let (who, partition, at) = (hold.who, hold.partition, event.ended);
        let what = format!("{who} began to read {partition} at {offset}, at {at}, and {least} was committed");
        verdict.anomalies.push(Anomaly::new(Kind::LostCommit, what));
    }
}

#[cfg(test)]
mod tests {
    use super::super::{judge, told::*};
    use super::*;

    fn unknown(who: &'static str, offset: i64) -> (&'static str, Deed) {
        answered(who, 0, offset, Answer::Unknown("no answer".to_owned()))
    }

    #[test]
    fn a_commit_of_an_earlier_generation() {
        let deeds = |own| [assigned("a", 1, &[0]), lost("a"), assigned("b", 2, &[1]), committed("a", own, 5)];
        assert_eq!(anomalies(deeds(1)), ["fenced-commit"]);
        assert_eq!(anomalies(deeds(2)), [""; 0]);
    }

    #[test]
    fn a_commit_of_what_another_member_has() {
        let deeds = |answer| [assigned("a", 0, &[0]), assigned("b", 0, &[0]), answered("a", 0, 5, answer), lost("a")];
        assert_eq!(anomalies(deeds(Answer::Accepted)), ["fenced-commit"]);
        assert_eq!(anomalies(deeds(Answer::Refused("UNKNOWN_MEMBER_ID".to_owned()))), [""; 0]);
        // Who gives it back commits first.
        let in_order = [assigned("a", 0, &[0]), committed("a", 0, 5), revoked("a"), assigned("b", 0, &[0])];
        assert_eq!(anomalies(in_order), [""; 0]);
    }

    #[test]
    fn a_commit_at_the_moment_of_a_rebalance_may_be_the_earlier_one() {
        let mut events = events([assigned("a", 1, &[0]), committed("a", 1, 5), assigned("b", 2, &[0]), lost("a")]);
        events[1].ended = 4;
        assert_eq!(names(&judge(&events)), [""; 0]);
    }

    #[test]
    fn a_commit_that_goes_back() {
        assert_eq!(anomalies([committed("a", 0, 5), committed("b", 0, 3)]), ["commit-moved-back"]);
        assert_eq!(anomalies([committed("a", 0, 5), unknown("a", 3), committed("b", 0, 5)]), [""; 0]);
        let mut meant = events([committed("a", 0, 5), committed("b", 0, 3)]);
        if let Deed::Committed { deliberate, .. } = &mut meant[1].deed {
            *deliberate = true;
        }
        assert_eq!(names(&judge(&meant)), [""; 0]);
    }

    #[test]
    fn commits_that_cross_have_no_order() {
        let crossing = |mut events: Vec<Event>| {
            events[1].began = 1;
            names(&judge(&events))
        };
        assert_eq!(crossing(events([committed("a", 0, 5), committed("b", 0, 3), was_told(Some(5))])), [""; 0]);
        assert_eq!(crossing(events([committed("a", 0, 5), committed("b", 0, 3), was_told(Some(3))])), [""; 0]);
    }

    #[test]
    fn an_accepted_offset_that_is_not_told() {
        assert_eq!(anomalies([committed("a", 0, 3), committed("a", 0, 5), was_told(Some(3))]), ["lost-commit"]);
        assert_eq!(anomalies([committed("a", 0, 3), was_told(None)]), ["lost-commit"]);
        assert_eq!(anomalies([committed("a", 0, 3), was_told(Some(4))]), ["never-committed"]);
        assert_eq!(anomalies([was_told(None), committed("a", 0, 3), unknown("a", 4), was_told(Some(3))]), [""; 0]);
        assert_eq!(anomalies([committed("a", 0, 3), unknown("a", 4), was_told(Some(4))]), [""; 0]);
    }

    #[test]
    fn an_owner_that_begins_before_what_was_committed() {
        let deeds = |from| [sent("x", from), committed("a", 0, 2), assigned("b", 0, &[0]), polled("b", from, "x")];
        assert_eq!(anomalies(deeds(1)), ["lost-commit"]);
        assert_eq!(anomalies(deeds(2)), [""; 0]);
    }
}
