//! The verdict on a history.

mod commits;
mod owners;
mod records;

use super::anomaly::Anomaly;
use super::event::{Answer, Deed, Event, Fate};
use super::holds::holds;
use std::fmt;

/// What is to be said of a history.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Verdict {
    /// What is wrong; nothing, if a cluster that keeps its promises can have been behind it.
    pub anomalies: Vec<Anomaly>,
    /// How many values were acknowledged.
    pub acknowledged: usize,
    /// How many of them nobody saw, and nobody had to yet: no reader has passed them.
    pub unseen: usize,
    /// How many records were delivered, each as often as it was.
    pub delivered: usize,
    /// How many commits were accepted.
    pub commits: usize,
    /// How often a member was given partitions.
    pub assignments: usize,
}

/// Everything in which a history contradicts what Kafka promises. `events` are in the order in which they ended, as
/// [`read`](super::read) gives them.
#[must_use]
pub fn judge(events: &[Event]) -> Verdict {
    let count = |is_it: fn(&Deed) -> bool| events.iter().filter(|event| is_it(&event.deed)).count();
    let mut verdict = Verdict {
        acknowledged: count(|deed| matches!(deed, Deed::Sent { fate: Fate::Acknowledged(_), .. })),
        delivered: count(|deed| matches!(deed, Deed::Polled { .. })),
        commits: count(|deed| matches!(deed, Deed::Committed { answer: Answer::Accepted, .. })),
        assignments: count(|deed| matches!(deed, Deed::Assigned { .. })),
        ..Verdict::default()
    };
    let holds = holds(events);
    owners::judge(events, &holds, &mut verdict);
    commits::judge(events, &holds, &mut verdict);
    records::judge(events, &holds, &mut verdict);
    verdict
}

impl Verdict {
    /// How much there was to judge, in a line.
    #[must_use]
    pub fn counts(&self) -> String {
        let Self { anomalies, acknowledged, unseen, delivered, commits, assignments } = self;
        let anomalies = anomalies.len();
        format!(
            "{acknowledged} acknowledged ({unseen} not read yet), {delivered} delivered, {commits} commits, \
             {assignments} assignments; {anomalies} anomalies"
        )
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.anomalies.iter().try_for_each(|anomaly| writeln!(f, "{anomaly}"))?;
        f.write_str(&self.counts())
    }
}

/// Histories as tests write them: one clock tick for each event, unless a test says otherwise.
#[cfg(test)]
mod told {
    use super::super::event::{Answer, Deed, Event, Fate, Partition, Share};
    use super::{Verdict, judge};

    pub fn p(index: i32) -> Partition {
        Partition("t".to_owned(), index)
    }

    pub fn sent(value: &str, offset: i64) -> (&'static str, Deed) {
        let fate = Fate::Acknowledged(offset);
        ("w", Deed::Sent { partition: Some(p(0)), value: value.to_owned(), once: true, fate })
    }

    pub fn sent_in_vain(value: &str, fate: Fate) -> (&'static str, Deed) {
        ("w", Deed::Sent { partition: Some(p(0)), value: value.to_owned(), once: true, fate })
    }

    pub fn polled(who: &'static str, offset: i64, value: &str) -> (&'static str, Deed) {
        (who, Deed::Polled { partition: p(0), offset, value: value.to_owned() })
    }

    pub fn assigned(who: &'static str, generation: i32, indexes: &[i32]) -> (&'static str, Deed) {
        let partitions = indexes.iter().map(|index| p(*index)).collect();
        (who, Deed::Assigned { generation: Some(generation).filter(|generation| *generation > 0), partitions })
    }

    pub fn revoked(who: &'static str) -> (&'static str, Deed) {
        (who, Deed::Revoked { partitions: vec![p(0)] })
    }

    pub fn lost(who: &'static str) -> (&'static str, Deed) {
        (who, Deed::Lost { partitions: vec![p(0)] })
    }

    pub fn committed(who: &'static str, generation: i32, offset: i64) -> (&'static str, Deed) {
        answered(who, generation, offset, Answer::Accepted)
    }

    pub fn answered(who: &'static str, generation: i32, offset: i64, answer: Answer) -> (&'static str, Deed) {
        let generation = Some(generation).filter(|generation| *generation > 0);
        (who, Deed::Committed { generation, partition: p(0), offset, deliberate: false, answer })
    }

    pub fn was_told(offset: Option<i64>) -> (&'static str, Deed) {
        ("admin", Deed::Told { partition: p(0), offset })
    }

    pub fn described(shares: &[(&str, &[i32])]) -> (&'static str, Deed) {
        let share = |(member, indexes): &(&str, &[i32])| Share {
            member: (*member).to_owned(),
            partitions: indexes.iter().map(|index| p(*index)).collect(),
        };
        ("admin", Deed::Described { state: "Stable".to_owned(), members: shares.iter().map(share).collect() })
    }

    /// One after another, each with a moment of its own.
    pub fn events(deeds: impl IntoIterator<Item = (&'static str, Deed)>) -> Vec<Event> {
        let event = |(at, (who, deed)): (u64, (&str, Deed))| Event {
            who: who.to_owned(),
            group: Some("g".to_owned()),
            began: at,
            ended: at,
            deed,
        };
        (1..).zip(deeds).map(event).collect()
    }

    /// The anomalies' names.
    pub fn names(verdict: &Verdict) -> Vec<&'static str> {
        verdict.anomalies.iter().map(|anomaly| anomaly.kind.name()).collect()
    }

    pub fn anomalies(deeds: impl IntoIterator<Item = (&'static str, Deed)>) -> Vec<&'static str> {
        names(&judge(&events(deeds)))
    }
}

#[cfg(test)]
mod tests {
    use super::told::*;
    use super::*;
    use crate::histories::event::Answer;

    /// Two readers, a rebalance, a reader that is killed, and one that slept and is fenced.
    fn honest() -> Vec<(&'static str, Deed)> {
        vec![
            assigned("a", 1, &[0, 1]),
            sent("v0", 0),
            sent("v1", 1),
            polled("a", 0, "v0"),
            polled("a", 1, "v1"),
            committed("a", 1, 2),
            was_told(Some(2)),
            (revoked("a")),
            assigned("a", 2, &[1]),
            assigned("b", 2, &[0]),
            described(&[("a", &[1]), ("b", &[0])]),
            sent("v2", 2),
            polled("b", 2, "v2"),
            ("b", Deed::Gone),
            assigned("c", 3, &[0]),
            // It begins where b had committed nothing.
            polled("c", 2, "v2"),
            committed("c", 3, 3),
            // c sleeps; a has its partition by now.
            lost("a"),
            assigned("a", 4, &[0, 1]),
            answered("c", 3, 3, Answer::Refused("UNKNOWN_MEMBER_ID".to_owned())),
            sent("v3", 3),
            polled("c", 3, "v3"),
            polled("a", 3, "v3"),
            lost("c"),
            committed("a", 4, 4),
        ]
    }

    #[test]
    fn an_honest_history_has_no_anomalies() {
        let verdict = judge(&events(honest()));
        assert_eq!(verdict.anomalies, []);
        assert_eq!((verdict.acknowledged, verdict.unseen, verdict.delivered, verdict.commits), (4, 0, 6, 3));
        assert!(verdict.to_string().ends_with("5 assignments; 0 anomalies"), "{verdict}");
    }

    #[test]
    fn what_nobody_has_passed_is_unseen_and_not_lost() {
        let verdict = judge(&events([sent("v0", 0), sent("v1", 1), polled("a", 0, "v0")]));
        assert_eq!((names(&verdict), verdict.unseen), (vec![], 1));
    }
}
