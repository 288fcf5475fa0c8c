//! What a group of the consumer protocol does with each request and timer in each of its states, as a table that a
//! reader can check against Kafka's.
//!
//! `UPDATE_EXPECT=1 cargo test -p highwater-spec --test rules consumer_matrix` writes it anew.

use crate::carrier::Test;
use crate::coordinator::*;
use crate::members::*;
use crate::table::Table;
use expect_test::expect_file;
use highwater_spec::group::*;

const TOPIC: &[(&str, u32)] = &[("t", 2)];

/// An event of a row.
enum Event {
    Ask(Request<Test>),
    Fire(Timer),
}

fn states() -> Vec<(&'static str, Coordination)> {
    let mut classic = Coordination::stable(&["x"]);
    classic.change_topics(TOPIC);
    let mut classic_empty = classic.clone();
    classic_empty.asked(Request::Leave(vec![dynamic("x")]));
    let stable = Coordination::settled(TOPIC, &["a", "b"]);
    let mut unrevoked = Coordination::settled(TOPIC, &["a"]);
    unrevoked.told(joins("b"));
    unrevoked.told(stays("a", 1, &[0, 1]));
    let mut assigning = stable.clone();
    assigning.beats(beat("b", Purpose::Leave)).unwrap();
    let mut empty = assigning.clone();
    empty.beats(beat("a", Purpose::Leave)).unwrap();
    vec![
        ("no group", Coordination::knowing(TOPIC)),
        ("classic, no members", classic_empty),
        ("classic, x", classic),
        ("a e1 gives up 1, b e2 waits", unrevoked),
        ("a e2 has 0, b e2 has 1", stable),
        ("a e2 has 0, b has left", assigning),
        ("both have left", empty),
    ]
}

/// The answer, and where the group then stands if that is somewhere else.
fn cell(mut world: Coordination, event: &Event) -> String {
    let before = stands(&world);
    let said = match event {
        Event::Ask(request) => {
            let ticket = world.ask(request.clone());
            world.commit();
            world.answer(ticket).map_or("waits".into(), word)
        }
        Event::Fire(timer) if !world.timers.contains_key(timer) => return "not armed".into(),
        Event::Fire(timer) => {
            world.fire(timer.clone());
            world.commit();
            String::new()
        }
    };
    let after = stands(&world);
    let moved = if before == after { String::new() } else { format!("→ {after}") };
    match (said.is_empty(), moved.is_empty()) {
        (false, false) => format!("{said}, {moved}"),
        (true, true) => "·".into(),
        _ => said + &moved,
    }
}

fn stands(world: &Coordination) -> String {
    let coordinator = world.machine.speculative();
    match (coordinator.consumer_group(&group()), coordinator.groups().get(&group())) {
        (Some(found), _) => format!("{} {}", found.state().name(), found.epoch),
        (None, Some(found)) => format!("classic {} {}", found.state.name(), found.generation),
        (None, None) => "none".into(),
    }
}

fn word(reply: &Reply<Test>) -> String {
    match (reply, outcome(reply)) {
        (_, Err(refusal)) => refusal.name().into(),
        (Reply::ConsumerHeartbeat(Ok(Some(told))), _) => {
            let share = |share: &Share| share.iter().map(|partition| partition.index.to_string()).collect::<Vec<_>>();
            let has = told.assigned.as_ref().map(|assigned| format!(" has {{{}}}", share(assigned).join(", ")));
            format!("{}{}", told.epoch, has.unwrap_or_default())
        }
        _ => "NONE".into(),
    }
}

// Verifies: group.consumer.fence, group.consumer.create, group.consumer.kind, group.consumer.offset.commit,
// group.consumer.offset.fetch, group.consumer.leave
#[test]
fn what_consumer_groups_do() {
    let beats = |beat| Event::Ask(Request::ConsumerHeartbeat(beat));
    let fetches = |id: &str, epoch| {
        let reader = Reader { member: Some(id.into()), epoch: Some(GroupEpoch(epoch)) };
        Event::Ask(Request::FetchStableOffsets { reader, partitions: None })
    };
    let commits = |id, epoch| Event::Ask(Request::CommitOffsets(commit(id, epoch, 1)));
    let rows = vec![
        ("c joins", beats(joins("c"))),
        ("a joins", beats(joins("a"))),
        ("a stays at e1, owns 0 and 1", beats(stays("a", 1, &[0, 1]))),
        ("a stays at e1, owns 0", beats(stays("a", 1, &[0]))),
        ("a stays at e2, owns 0", beats(stays("a", 2, &[0]))),
        ("a stays at e2, does not say", beats(beat("a", Purpose::Stay(GroupEpoch(2))))),
        ("b stays at e2, owns nothing", beats(stays("b", 2, &[]))),
        ("a stays at e9", beats(stays("a", 9, &[]))),
        ("a leaves", beats(beat("a", Purpose::Leave))),
        ("a's session ends", Event::Fire(Timer::Session("a".into()))),
        ("a has had time to give up", Event::Fire(Timer::Revocation("a".into()))),
        ("a commits at e1", commits("a", Some(1))),
        ("a commits at e2", commits("a", Some(2))),
        ("no one commits", commits("", None)),
        ("a fetches offsets at e1", fetches("a", 1)),
        ("a fetches offsets at e2", fetches("a", 2)),
        (
            "anyone fetches offsets",
            Event::Ask(Request::FetchStableOffsets { reader: Reader::default(), partitions: None }),
        ),
        ("classic join, no id", Event::Ask(Request::Join(join(None, "y")))),
        ("classic join, unknown id", Event::Ask(Request::Join(join(Some("y"), "?")))),
        ("classic heartbeat of a", Event::Ask(heartbeat("a", 2))),
        ("classic sync of a", Event::Ask(Request::Sync(sync("a", 2)))),
        ("classic leave of a", Event::Ask(Request::Leave(vec![dynamic("a")]))),
        ("the group is deleted", Event::Ask(Request::Delete)),
    ];
    let states = states();
    let mut table = Table::default();
    table.row(["event"].into_iter().chain(states.iter().map(|(name, _)| *name)));
    for (name, event) in rows {
        let cells = states.iter().map(|(_, world)| cell(world.clone(), &event));
        table.row([name.to_owned()].into_iter().chain(cells));
    }
    let text = table.text("members a, b and c read topic t, which has two partitions");
    expect_file!["../snapshots/consumer.txt"].assert_eq(&text);
}
