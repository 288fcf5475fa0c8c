//! Values: what was acknowledged is delivered, where it was acknowledged, in order; and nothing else is.

use super::Verdict;
use crate::histories::anomaly::{Anomaly, Kind};
use crate::histories::event::{Deed, Event, Fate, Partition};
use crate::histories::holds::Hold;
use std::collections::{BTreeMap, BTreeSet};

type Place<'a> = (&'a Partition, i64);

/// One value, as its sender knows it.
#[derive(Debug)]
struct Sent<'a> {
    event: &'a Event,
    partition: Option<&'a Partition>,
    value: &'a str,
    once: bool,
    fate: &'a Fate,
}

impl<'a> Sent<'a> {
    fn acknowledged(&self) -> Option<Place<'a>> {
        match (self.partition, self.fate) {
            (Some(partition), Fate::Acknowledged(offset)) => Some((partition, *offset)),
            _ => None,
        }
    }
}

/// What readers saw.
#[derive(Debug, Default)]
struct Seen<'a> {
    values: BTreeMap<&'a str, BTreeSet<Place<'a>>>,
    places: BTreeMap<Place<'a>, BTreeSet<&'a str>>,
    /// The highest offset that was delivered of each partition.
    last: BTreeMap<&'a Partition, i64>,
    /// The last moments at which a partition was read to its end.
    drained: BTreeMap<&'a Partition, u64>,
}

pub(super) fn judge(events: &[Event], holds: &[Hold<'_>], verdict: &mut Verdict) {
    let seen = seen(events);
    let sent = by_value(events);
    for (place, values) in seen.places.iter().filter(|(_, values)| values.len() > 1) {
        let what = format!("{} has at {} the values {values:?}", place.0, place.1);
        verdict.anomalies.push(Anomaly::new(Kind::InconsistentOffsets, what));
    }
    for value in seen.values.keys().filter(|value| !sent.contains_key(*value)) {
        verdict.anomalies.push(Anomaly::new(Kind::NeverSent, format!("{value} was delivered, and nobody sent it")));
    }
    for one in sent.values() {
        delivered(one, &seen, verdict);
    }
    in_order(&sent, verdict);
    holds.iter().for_each(|hold| forward(hold, events, verdict));
}

fn seen(events: &[Event]) -> Seen<'_> {
    let mut seen = Seen::default();
    for event in events {
        match &event.deed {
            Deed::Polled { partition, offset, value } => {
                seen.values.entry(value).or_default().insert((partition, *offset));
                seen.places.entry((partition, *offset)).or_default().insert(value);
                let last = seen.last.entry(partition).or_insert(*offset);
                *last = (*last).max(*offset);
            }
            Deed::Drained { partition, .. } => {
                let drained = seen.drained.entry(partition).or_default();
                *drained = (*drained).max(event.began);
            }
            _ => {}
        }
    }
    seen
}

fn by_value(events: &[Event]) -> BTreeMap<&str, Sent<'_>> {
    let sent = events.iter().filter_map(|event| match &event.deed {
        Deed::Sent { partition, value, once, fate } => {
            Some((value.as_str(), Sent { event, partition: partition.as_ref(), value, once: *once, fate }))
        }
        _ => None,
    });
    sent.collect()
}

/// Whether a value was delivered where it was promised, and no oftener.
fn delivered(sent: &Sent<'_>, seen: &Seen<'_>, verdict: &mut Verdict) {
    let value = sent.value;
    let Some(places) = seen.values.get(value) else { return undelivered(sent, seen, verdict) };
    let told: Vec<_> = places.iter().map(|(partition, offset)| format!("{partition} at {offset}")).collect();
    let told = told.join(" and ");
    if let Fate::Refused(why) = sent.fate {
        let what = format!("{value} was refused ({why}), and delivered from {told}");
        verdict.anomalies.push(Anomaly::new(Kind::AbortedRead, what));
    }
    match sent.acknowledged() {
        Some((partition, offset)) if !places.contains(&(partition, offset)) => {
            let what = format!("{value} was acknowledged in {partition} at {offset}, and is in {told}");
            verdict.anomalies.push(Anomaly::new(Kind::InconsistentOffsets, what));
        }
        _ if sent.once && places.len() > 1 => {
            verdict.anomalies.push(Anomaly::new(Kind::Duplicate, format!("{value} is in {told}")));
        }
        _ => {}
    }
}

/// Of what was acknowledged and not delivered it is asked whether readers have passed it.
fn undelivered(sent: &Sent<'_>, seen: &Seen<'_>, verdict: &mut Verdict) {
    if !matches!(sent.fate, Fate::Acknowledged(_)) {
        return;
    }
    let value = sent.value;
    let Some((partition, offset)) = sent.acknowledged() else { return verdict.unseen += 1 };
    let passed = seen.last.get(partition).is_some_and(|last| *last >= offset);
    let drained = seen.drained.get(partition).is_some_and(|began| *began > sent.event.ended);
    if passed || drained {
        let how = if passed { "readers have gone past it" } else { "its partition was read to the end" };
        let what = format!("{value}, acknowledged in {partition} at {offset}, was not delivered, and {how}");
        verdict.anomalies.push(Anomaly::new(Kind::LostWrite, what));
    } else {
        verdict.unseen += 1;
    }
}

/// What one sender sends later lies later: after the answer to what it sent before, and where a value is written once,
/// also while that one was under way.
fn in_order(sent: &BTreeMap<&str, Sent<'_>>, verdict: &mut Verdict) {
    let mut of_sender: BTreeMap<(&str, &Partition), Vec<(&Sent<'_>, i64)>> = BTreeMap::new();
    for one in sent.values() {
        if let Some((partition, offset)) = one.acknowledged() {
            of_sender.entry((&one.event.who, partition)).or_default().push((one, offset));
        }
    }
    for ((who, partition), mut all) in of_sender {
        all.sort_by_key(|(one, _)| one.event.began);
        let mut highest = i64::MIN;
        for (index, (later, at)) in all.iter().enumerate() {
            if highest < *at {
                highest = *at;
                continue;
            }
            let is_before = |earlier: &Sent<'_>| {
                let order = if earlier.once { earlier.event.began } else { earlier.event.ended };
                order < later.event.began
            };
            let before = all[..index].iter().rev().find(|(earlier, place)| place > at && is_before(earlier));
            if let Some((earlier, place)) = before {
                let (earlier, later) = (earlier.value, later.value);
                let what =
                    format!("{who} sent {earlier} before {later}, and in {partition} they are at {place} and {at}");
                verdict.anomalies.push(Anomaly::new(Kind::NonmonotonicSend, what));
                break;
            }
        }
    }
}

/// Within one assignment a reader goes forward.
fn forward(hold: &Hold<'_>, events: &[Event], verdict: &mut Verdict) {
    let mut last = None;
    for event in &events[hold.assigned..] {
        let Deed::Polled { partition, offset, .. } = &event.deed else { continue };
        if event.who != hold.who || partition != hold.partition || event.ended > hold.until {
            continue;
        }
        if let Some(before) = last.replace(*offset).filter(|before| before >= offset) {
            let (who, at) = (hold.who, event.ended);
            let what = format!("{who} read {partition} at {offset}, at {at}, after it had read {before}");
            verdict.anomalies.push(Anomaly::new(Kind::NonmonotonicPoll, what));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{judge, told::*};
    use super::*;

    fn drained(end: i64) -> (&'static str, Deed) {
        ("r", Deed::Drained { partition: p(0), end })
    }

    #[test]
    fn an_acknowledged_value_that_readers_pass() {
        assert_eq!(anomalies([sent("v0", 0), sent("v1", 1), polled("a", 1, "v1")]), ["lost-write"]);
        assert_eq!(anomalies([sent("v0", 0), drained(0)]), ["lost-write"]);
        assert_eq!(anomalies([drained(0), sent("v0", 0)]), [""; 0]);
        let unknown = || sent_in_vain("v0", Fate::Unknown("no answer".to_owned()));
        assert_eq!(anomalies([unknown(), sent("v1", 1), polled("a", 1, "v1")]), [""; 0]);
    }

    #[test]
    fn a_value_that_is_there_twice() {
        let twice = || [sent("v", 0), polled("a", 0, "v"), polled("a", 1, "v")];
        assert_eq!(anomalies(twice()), ["duplicate"]);
        let mut allowed = events(twice());
        if let Deed::Sent { once, .. } = &mut allowed[0].deed {
            *once = false;
        }
        assert_eq!(names(&judge(&allowed)), [""; 0], "without idempotence it is allowed");
        assert_eq!(anomalies([sent("v", 0), polled("a", 0, "v"), polled("b", 0, "v")]), [""; 0], "read again");
    }

    #[test]
    fn values_in_another_order() {
        assert_eq!(anomalies([sent("v0", 1), sent("v1", 0)]), ["nonmonotonic-send"]);
        let under_way = |is_once| {
            let mut events = events([sent("v0", 1), sent("v1", 0)]);
            events[0].ended = 5;
            for event in &mut events {
                if let Deed::Sent { once, .. } = &mut event.deed {
                    *once = is_once;
                }
            }
            names(&judge(&events))
        };
        assert_eq!(under_way(true), ["nonmonotonic-send"]);
        assert_eq!(under_way(false), [""; 0]);
    }

    #[test]
    fn a_reader_that_goes_back() {
        let read = |again| {
            [sent("v0", 0), sent("v1", 1), assigned("a", 0, &[0]), polled("a", 0, "v0"), polled("a", 1, "v1"), again]
        };
        assert_eq!(anomalies(read(polled("a", 0, "v0"))), ["nonmonotonic-poll"]);
        let anew = read(lost("a")).into_iter().chain([assigned("a", 0, &[0]), polled("a", 0, "v0")]);
        assert_eq!(anomalies(anew), [""; 0]);
    }

    #[test]
    fn a_place_with_two_values() {
        assert_eq!(
            anomalies([sent("v0", 0), sent("v1", 1), polled("a", 0, "v0"), polled("b", 0, "v1"), polled("a", 1, "v1")]),
            ["inconsistent-offsets", "duplicate"]
        );
    }

    #[test]
    fn a_value_that_is_elsewhere() {
        assert_eq!(anomalies([sent("v0", 0), polled("a", 7, "v0")]), ["inconsistent-offsets"]);
    }

    #[test]
    fn a_value_that_was_refused() {
        let refused = sent_in_vain("v", Fate::Refused("NOT_ENOUGH_REPLICAS".to_owned()));
        assert_eq!(anomalies([refused, polled("a", 0, "v")]), ["aborted-read"]);
    }

    #[test]
    fn a_value_that_nobody_sent() {
        assert_eq!(anomalies([polled("a", 0, "v")]), ["never-sent"]);
    }
}
