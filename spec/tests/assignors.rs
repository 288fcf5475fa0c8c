//! Assignors: examples, and what holds of each whatever members subscribe to and own.

#[path = "support/cases.rs"]
mod cases;

use highwater_spec::assignor::{Assignment, Assignor, Members, Remembered, ServerAssignor, Subscriber, Topics};
use highwater_spec::group::{Generation, MemberId, NamedPartition, TopicName};
use proptest::collection::{btree_map, btree_set};
use proptest::option::{of, weighted};
use proptest::prelude::*;
use proptest::sample::select;
use std::collections::BTreeSet;

type Result = std::result::Result<(), TestCaseError>;

fn on(topic: &str, index: i32) -> NamedPartition {
    NamedPartition { topic: topic.into(), index }
}

fn topics(given: &[(&str, u32)]) -> Topics {
    given.iter().map(|(name, count)| ((*name).into(), *count)).collect()
}

/// Dynamic members that subscribe to `topics` and own nothing.
fn members(ids: &[&str], topics: &[&str]) -> Members {
    let topics: BTreeSet<TopicName> = topics.iter().map(|name| (*name).into()).collect();
    ids.iter().map(|id| ((*id).into(), Subscriber { topics: topics.clone(), ..Subscriber::default() })).collect()
}

/// As in `a: t-0 t-1, b: t-2`.
fn text(assignment: &Assignment) -> String {
    let share = |share: &BTreeSet<NamedPartition>| share.iter().map(|one| format!(" {one}")).collect::<String>();
    let lines: Vec<_> = assignment.iter().map(|(id, given)| format!("{id}:{}", share(given))).collect();
    lines.join(", ")
}

/// Members that remember what they own, as a sticky one does that has just given it up.
fn assign(assignor: Assignor, members: &Members, topics: &Topics) -> Assignment {
    let remembers = |(id, member): (&MemberId, &Subscriber)| {
        let remembered = Some(Remembered { partitions: member.owned.clone(), generation: member.generation });
        (id.clone(), Subscriber { remembered, ..member.clone() })
    };
    assignor.assign(&members.iter().map(remembers).collect(), topics)
}

fn assigned(assignor: Assignor, members: &Members, of: &[(&str, u32)]) -> String {
    text(&assign(assignor, members, &topics(of)))
}

// Verifies: assignor.range
#[test]
fn range_cuts_each_topic_by_itself() {
    let three = members(&["a", "b", "c"], &["t", "u"]);
    assert_eq!(assigned(Assignor::Range, &three, &[("t", 4)]), "a: t-0 t-1, b: t-2, c: t-3");
    assert_eq!(assigned(Assignor::Range, &three, &[("t", 1), ("u", 1)]), "a: t-0 u-0, b:, c:", "and so it adds up");
    assert_eq!(assigned(Assignor::Range, &three, &[("v", 4)]), "a:, b:, c:", "no one reads it");
}

// Verifies: assignor.round-robin
#[test]
fn round_robin_passes_over_who_does_not_subscribe() {
    let mut two = members(&["a", "b"], &["t", "u"]);
    assert_eq!(assigned(Assignor::RoundRobin, &two, &[("t", 3), ("u", 2)]), "a: t-0 t-2 u-1, b: t-1 u-0");
    two.extend(members(&["c"], &["u"]));
    assert_eq!(assigned(Assignor::RoundRobin, &two, &[("t", 3), ("u", 2)]), "a: t-0 t-2, b: t-1 u-0, c: u-1");
}

// Verifies: assignor.order
#[test]
fn static_members_come_first_by_their_names() {
    let mut some = members(&["a", "b", "c"], &["t"]);
    for (id, instance) in [("b", "z"), ("c", "y")] {
        some.get_mut(&id.into()).unwrap().instance = Some(instance.into());
    }
    assert_eq!(assigned(Assignor::Range, &some, &[("t", 4)]), "a: t-3, b: t-2, c: t-0 t-1");
    assert_eq!(assigned(Assignor::RoundRobin, &some, &[("t", 4)]), "a: t-2, b: t-1, c: t-0 t-3");
}

fn owns(members: &mut Members, id: &str, indices: &[i32], generation: i32) {
    let member = members.get_mut(&id.into()).unwrap();
    member.owned = indices.iter().map(|index| on("t", *index)).collect();
    member.generation = Some(Generation(generation));
}

// Verifies: assignor.sticky.equal
#[test]
fn sticky_moves_no_more_than_it_must() {
    let mut some = members(&["a", "b", "c"], &["t"]);
    owns(&mut some, "a", &[0, 1, 2], 1);
    owns(&mut some, "b", &[3, 4], 1);
    assert_eq!(assigned(Assignor::Sticky, &some, &[("t", 5)]), "a: t-0 t-1, b: t-3 t-4, c: t-2");
    some.remove(&"a".into());
    assert_eq!(assigned(Assignor::Sticky, &some, &[("t", 5)]), "b: t-2 t-3 t-4, c: t-0 t-1");
}

// Verifies: assignor.sticky.remembered
#[test]
fn sticky_believes_what_members_remember_and_nothing_else() {
    let mut two = members(&["a", "b"], &["t"]);
    owns(&mut two, "a", &[0, 1], 2);
    owns(&mut two, "b", &[2, 3], 2);
    let count = topics(&[("t", 4)]);
    assert_eq!(text(&Assignor::Sticky.assign(&two, &count)), "a: t-0 t-2, b: t-1 t-3", "no one remembers anything");
    let mut remembers = |id: &str, indices: &[i32], generation| {
        let partitions = indices.iter().map(|index| on("t", *index)).collect();
        let remembered = Some(Remembered { partitions, generation });
        two.get_mut(&id.into()).unwrap().remembered = remembered;
        text(&Assignor::Sticky.assign(&two, &count))
    };
    assert_eq!(remembers("b", &[0, 1], None), "a: t-2 t-3, b: t-0 t-1");
    assert_eq!(remembers("a", &[1, 2], Some(Generation(1))), "a: t-1 t-2, b: t-0 t-3", "the later one is believed");
}

// Verifies: assignor.sticky.claim
#[test]
fn of_two_claims_the_later_counts_and_two_of_one_generation_none() {
    let mut some = members(&["a", "b"], &["t"]);
    owns(&mut some, "a", &[0, 1], 1);
    owns(&mut some, "b", &[1, 2], 2);
    assert_eq!(assigned(Assignor::Sticky, &some, &[("t", 4)]), "a: t-0 t-3, b: t-1 t-2");
    owns(&mut some, "a", &[0, 1], 2);
    assert_eq!(assigned(Assignor::Sticky, &some, &[("t", 4)]), "a: t-0 t-1, b: t-2 t-3");
    assert_eq!(assigned(Assignor::CooperativeSticky, &some, &[("t", 4)]), "a: t-0, b: t-2 t-3", "both may be at it");
}

// Verifies: assignor.cooperative
#[test]
fn a_partition_that_changes_hands_is_given_up_first() {
    let mut some = members(&["a", "b"], &["t"]);
    owns(&mut some, "a", &[0, 1], 1);
    assert_eq!(assigned(Assignor::CooperativeSticky, &some, &[("t", 2)]), "a: t-0, b:");
    owns(&mut some, "a", &[0], 2);
    owns(&mut some, "b", &[], 2);
    assert_eq!(assigned(Assignor::CooperativeSticky, &some, &[("t", 2)]), "a: t-0, b: t-1");
}

// Verifies: assignor.sticky.unequal
#[test]
fn sticky_evens_out_what_unequal_subscriptions_allow() {
    let mut some = members(&["a", "b"], &["t", "u"]);
    some.extend(members(&["c"], &["u"]));
    assert_eq!(assigned(Assignor::Sticky, &some, &[("t", 2), ("u", 2)]), "a: t-0 u-1, b: t-1, c: u-0");
    owns(&mut some, "a", &[0, 1], 1);
    assert_eq!(assigned(Assignor::Sticky, &some, &[("t", 2), ("u", 2)]), "a: t-0 t-1, b: u-0, c: u-1");
}

fn topic() -> impl Strategy<Value = TopicName> {
    select(vec!["t", "u", "v"]).prop_map(Into::into)
}

fn subscriber() -> impl Strategy<Value = Subscriber> {
    let owned = btree_set((topic(), -1..=5).prop_map(|(topic, index)| NamedPartition { topic, index }), 0..8);
    let generation = of((0..=2).prop_map(Generation));
    let instance = weighted(0.2, (0..1_000).prop_map(|number: i32| number.to_string().as_str().into()));
    (instance, btree_set(topic(), 1..=3), owned, generation).prop_map(|(instance, topics, owned, generation)| {
        Subscriber { instance, topics, owned, generation, remembered: None }
    })
}

/// Members of any kind, or such as all subscribe to the same.
fn group() -> impl Strategy<Value = (Members, bool)> {
    let id = select(vec!["a", "b", "c", "d", "e"]).prop_map(Into::into);
    (btree_map(id, subscriber(), 1..=5), of(btree_set(topic(), 1..=3))).prop_map(|(mut members, same)| {
        if let Some(topics) = &same {
            members.values_mut().for_each(|member| member.topics = topics.clone());
        }
        (members, same.is_some())
    })
}

fn wanted(members: &Members, topics: &Topics) -> BTreeSet<NamedPartition> {
    let wanted = topics.iter().filter(|(topic, _)| members.values().any(|member| member.topics.contains(*topic)));
    wanted.flat_map(|(topic, count)| (0..*count as i32).map(|index| on(&topic.0, index))).collect()
}

/// every partition of a subscribed topic goes to exactly one subscriber; in a cooperative round to at most one.
fn check_cover(assignor: Assignor, members: &Members, topics: &Topics, assignment: &Assignment) -> Result {
    let mut left = wanted(members, topics);
    prop_assert!(assignment.keys().eq(members.keys()));
    for (id, share) in assignment {
        for partition in share {
            prop_assert!(left.remove(partition), "{} is given twice, or does not exist", partition);
            prop_assert!(members[id].topics.contains(&partition.topic), "{} does not read {}", id, partition);
        }
    }
    prop_assert!(left.is_empty() || assignor == Assignor::CooperativeSticky, "{:?} are left", left);
    Ok(())
}

fn spread(counts: impl Iterator<Item = usize> + Clone) -> usize {
    counts.clone().max().unwrap_or(0) - counts.min().unwrap_or(0)
}

/// members that subscribe to the same get as much, or one more.
fn check_balance(assignor: Assignor, topics: &Topics, assignment: &Assignment) -> Result {
    match assignor {
        Assignor::Range => {
            for topic in topics.keys() {
                let of_topic =
                    |share: &BTreeSet<NamedPartition>| share.iter().filter(|one| one.topic == *topic).count();
                prop_assert!(spread(assignment.values().map(of_topic)) <= 1, "{}: {}", topic, text(assignment));
            }
        }
        Assignor::RoundRobin | Assignor::Sticky => {
            prop_assert!(spread(assignment.values().map(BTreeSet::len)) <= 1, "{}", text(assignment));
        }
        Assignor::CooperativeSticky => {}
    }
    Ok(())
}

/// What each member owns and no one else claims, and that exists.
fn undisputed(members: &Members, topics: &Topics) -> Assignment {
    let all = wanted(members, topics);
    let claims = |partition: &NamedPartition| members.values().filter(|one| one.owned.contains(partition)).count();
    let mine =
        |one: &Subscriber| one.owned.iter().filter(|one| all.contains(one) && claims(one) == 1).cloned().collect();
    members.iter().map(|(id, member)| (id.clone(), mine(member))).collect()
}

/// The group as it is if it has come this far honestly: of each partition one owner at most, all in one generation.
fn honest(members: &Members, topics: &Topics) -> Members {
    let owned = undisputed(members, topics);
    let honest = |(id, member): (&_, &Subscriber)| {
        let reads = |partition: &&NamedPartition| member.topics.contains(&partition.topic);
        let owned = owned[id].iter().filter(reads).cloned().collect();
        (MemberId::clone(id), Subscriber { owned, generation: Some(Generation(1)), ..member.clone() })
    };
    members.iter().map(honest).collect()
}

/// no more moves than balance needs. Who owns too much gives up what is too much; everyone else keeps all.
fn check_sticky(members: &Members, topics: &Topics) -> Result {
    let members = honest(members, topics);
    let assignment = assign(Assignor::Sticky, &members, topics);
    let count = wanted(&members, topics).len();
    let (least, one_more) = (count / members.len(), count % members.len());
    let kept: usize = members.iter().map(|(id, member)| member.owned.intersection(&assignment[id]).count()).sum();
    let mut owned: Vec<_> = members.values().map(|member| member.owned.len()).collect();
    owned.sort_by_key(|count| std::cmp::Reverse(*count));
    let may_keep = |(place, count): (usize, &usize)| (*count).min(least + usize::from(place < one_more));
    let most: usize = owned.iter().enumerate().map(may_keep).sum();
    prop_assert!(kept >= most, "kept {} of {}: {}", kept, most, text(&assignment));
    Ok(())
}

/// Where subscriptions differ no single move makes two shares more even.
fn check_no_better(members: &Members, assignment: &Assignment) -> Result {
    for share in assignment.values() {
        for partition in share {
            let others = assignment.iter().filter(|(id, _)| members[*id].topics.contains(&partition.topic));
            for (id, other) in others {
                prop_assert!(
                    share.len() <= other.len() + 1,
                    "{} had better read {}: {}",
                    id,
                    partition,
                    text(assignment)
                );
            }
        }
    }
    Ok(())
}

/// G-9: in a cooperative round no one gets what another member still says that it owns; and rounds come to an end, where
/// nothing is left over.
fn check_cooperative(members: &Members, topics: &Topics) -> Result {
    let mut members = honest(members, topics);
    for _ in 0..3 {
        let assignment = Assignor::CooperativeSticky.assign(&members, topics);
        for (id, share) in &assignment {
            for partition in share {
                let mut others = members.iter().filter(|(other, _)| *other != id);
                prop_assert!(!others.any(|(_, other)| other.owned.contains(partition)), "{}", text(&assignment));
            }
        }
        assignment.into_iter().for_each(|(id, share)| members.get_mut(&id).unwrap().owned = share);
    }
    let owned: BTreeSet<_> = members.values().flat_map(|member| member.owned.clone()).collect();
    prop_assert_eq!(owned, wanted(&members, topics), "some partitions are never given");
    Ok(())
}

proptest! {
    #![proptest_config(cases::cases(10_000))]

    // Verifies: assignor.*
    #[test]
    fn partitions_are_shared_out_evenly(
        (members, equal) in group(),
        topics in btree_map(topic(), 0..=6_u32, 0..=3),
    ) {
        for assignor in Assignor::ALL {
            let assignment = assign(assignor, &members, &topics);
            check_cover(assignor, &members, &topics, &assignment)?;
            if equal {
                check_balance(assignor, &topics, &assignment)?;
            }
            // it depends on nothing else.
            prop_assert_eq!(&assignment, &assign(assignor, &members.clone(), &topics.clone()));
        }
        match equal {
            true => check_sticky(&members, &topics)?,
            false => check_no_better(&members, &assign(Assignor::Sticky, &members, &topics))?,
        }
        check_cooperative(&members, &topics)?;
    }
}

/// A share, as in `t-0,t-1`.
fn share(text: &str) -> BTreeSet<NamedPartition> {
    let partition = |word: &str| {
        let (topic, index) = word.rsplit_once('-').unwrap();
        on(topic, index.parse().unwrap())
    };
    text.split(',').filter(|word| !word.is_empty()).map(partition).collect()
}

/// A member, as in `a /i9 t,u /t-0,t-1 2`.
fn read_member(text: &str) -> (MemberId, Subscriber) {
    let words: Vec<_> = text.split(' ').collect();
    let [id, instance, topics, owned, generation] = words[..] else { panic!("{text}") };
    let member = Subscriber {
        instance: instance.strip_prefix('/').filter(|name| !name.is_empty()).map(Into::into),
        topics: topics.split(',').map(Into::into).collect(),
        owned: share(owned.strip_prefix('/').unwrap()),
        generation: Some(Generation(generation.parse().unwrap())),
        remembered: None,
    };
    (id.into(), member)
}

/// How many lines there are; each must be as Kafka's assignor of that name has it.
fn compared(lines: &str, assign: impl Fn(&str, &Members, &Topics) -> Assignment) -> usize {
    let lines = lines.lines().filter(|line| !line.starts_with('#'));
    let compare = |line: &str| {
        let (given, expected) = line.split_once(" => ").unwrap();
        let mut given = given.split("; ");
        let name = given.next().unwrap();
        let topic = |word: &str| {
            let (name, count) = word.split_once('=').unwrap();
            (name.into(), count.parse().unwrap())
        };
        let topics: Topics = given.next().unwrap().split(',').map(topic).collect();
        let members: Members = given.map(read_member).collect();
        let got = |word: &str| {
            let (id, partitions) = word.split_once('/').unwrap();
            (id.into(), share(partitions))
        };
        let expected: Assignment = expected.split("; ").map(got).collect();
        assert_eq!(text(&assign(name, &members, &topics)), text(&expected), "{line}");
    };
    lines.map(compare).count()
}

// Verifies: assignor.range, assignor.round-robin, assignor.order, assignor.sticky.claim, assignor.sticky.equal,
// assignor.sticky.remembered, assignor.cooperative
#[test]
fn kafkas_own_assignors_do_the_same() {
    let lines = include_str!("vectors/assignments.txt");
    let named = |name: &str| Assignor::ALL.into_iter().find(|assignor| assignor.name() == name).unwrap();
    assert_eq!(compared(lines, |name, members, topics| assign(named(name), members, topics)), 600);
}

// Verifies: assignor.range, assignor.order, assignor.uniform
#[test]
fn the_assignors_of_kafkas_coordinator_do_the_same() {
    let lines = include_str!("vectors/server_assignments.txt");
    let named = |name: &str| ServerAssignor::named(name).unwrap();
    assert_eq!(compared(lines, |name, members, topics| named(name).assign(members, topics)), 300);
}

// Verifies: assignor.uniform
#[test]
fn uniform_evens_out_what_unequal_subscriptions_allow() {
    let mut some = members(&["a", "b"], &["t", "u"]);
    some.extend(members(&["c"], &["u"]));
    owns(&mut some, "a", &[0, 1], 1);
    let assignment = ServerAssignor::Uniform.assign(&some, &topics(&[("t", 2), ("u", 2)]));
    assert_eq!(text(&assignment), "a: t-0 t-1, b: u-0, c: u-1");
}
