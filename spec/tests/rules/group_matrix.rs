//! What a classic group does with each request and timer in each of its states, as tables that a reader can check
//! against Kafka's.
//!
//! `UPDATE_EXPECT=1 cargo test -p highwater-spec --test rules group_matrix` writes them anew.

use crate::carrier::Test;
use crate::coordinator::*;
use crate::table::Table;
use expect_test::{ExpectFile, expect_file};
use highwater_spec::group::*;
use highwater_spec::values::Ticket;
use std::collections::BTreeMap;

fn check(tables: &[String], expected: ExpectFile) {
    expected.assert_eq(&tables.join("\n\n"));
}

/// An event of a row; the requests of a row are asked one after the other, and the cell is about the last.
#[derive(Clone)]
enum Event {
    Ask(Request<Test>),
    Fire(Timer),
}

/// What happens: the answer, who else is answered, and where the group then stands.
fn cell(mut world: Coordination, events: &[Event]) -> String {
    let (last, first) = events.split_last().unwrap();
    for event in first {
        play(&mut world, event);
        world.commit();
    }
    let before = stands(&world);
    let parked = who_waits(&world);
    let open: Vec<_> = world.answers.iter().filter(|(_, answer)| answer.is_none()).map(|(ticket, _)| *ticket).collect();
    if matches!(last, Event::Fire(timer) if !world.timers.contains_key(timer)) {
        return "not armed".into();
    }
    let asked = play(&mut world, last);
    let at_once = asked.and_then(|ticket| world.answer(ticket).cloned());
    world.commit();
    let written = asked.and_then(|ticket| world.answer(ticket).cloned());
    let mut said = match (asked, at_once, written) {
        (None, ..) => vec![],
        (Some(_), Some(reply), _) => vec![word(&reply)],
        (Some(_), None, Some(reply)) => vec![format!("written: {}", word(&reply))],
        (Some(_), None, None) => vec!["waits".into()],
    };
    for ticket in open {
        if let Some(reply) = world.answer(ticket) {
            said.push(format!("{}: {}", parked[&ticket], word(reply)));
        }
    }
    let after = stands(&world);
    if before != after {
        said.push(format!("→ {after}"));
    }
    if said.is_empty() { "·".into() } else { said.join(", ") }
}

fn play(world: &mut Coordination, event: &Event) -> Option<Ticket> {
    match event {
        Event::Ask(request) => Some(world.ask(request.clone())),
        Event::Fire(timer) => {
            world.fire(timer.clone());
            None
        }
    }
}

fn who_waits(world: &Coordination) -> BTreeMap<Ticket, MemberId> {
    let groups = world.machine.speculative().groups().values();
    let members = groups.flat_map(|group| &group.members);
    members.filter_map(|(id, member)| Some((member.parked.as_ref()?.ticket(), id.clone()))).collect()
}

fn stands(world: &Coordination) -> String {
    match world.machine.speculative().groups().get(&group()) {
        None => "none".into(),
        Some(found) => format!("{} {}", found.state.name(), found.generation),
    }
}

fn word(reply: &Reply<Test>) -> String {
    match (reply, outcome(reply)) {
        (_, Err(refusal)) => refusal.name().into(),
        (Reply::Join { outcome: Ok(joined), .. }, _) => {
            let skip = if joined.skip_assignment { ", skips" } else { "" };
            format!("joins {} of {}{skip}", joined.generation, joined.leader.as_ref().unwrap())
        }
        (Reply::Sync(Ok(synced)), _) => match synced.assignment {
            Some(share) => format!("share {}", char::from(share)),
            None => "share none".into(),
        },
        _ => "NONE".into(),
    }
}

fn ask(request: Request<Test>) -> Vec<Event> {
    vec![Event::Ask(request)]
}

fn table(title: &str, states: &[(&str, Coordination)], rows: Vec<(&str, Vec<Event>)>) -> String {
    let mut table = Table::default();
    table.row(["event"].into_iter().chain(states.iter().map(|(name, _)| *name)));
    for (name, events) in rows {
        let cells = states.iter().map(|(_, world)| cell(world.clone(), &events));
        table.row([name.to_owned()].into_iter().chain(cells));
    }
    table.text(title)
}

/// a leads, b follows; in generation 1.
fn states() -> Vec<(&'static str, Coordination)> {
    let mut empty = Coordination::stable(&["a", "b"]);
    empty.asked(Request::Leave(vec![dynamic("a"), dynamic("b")]));
    let mut preparing = Coordination::stable(&["a", "b"]);
    preparing.ask(Request::Join(changed(join(Some("b"), "?"))));
    let mut completing = Coordination::today();
    completing.join_all(&["a", "b"]);
    completing.ask(Request::Sync(sync("b", 1)));
    let stable = Coordination::stable(&["a", "b"]);
    vec![
        ("no group", Coordination::today()),
        ("Empty g2", empty),
        ("PreparingRebalance g1, b joins", preparing),
        ("CompletingRebalance g1, b waits", completing),
        ("Stable g1", stable),
    ]
}

fn changed(join: JoinGroup<Test>) -> JoinGroup<Test> {
    JoinGroup { protocols: protocols(&["range"], 1), ..join }
}

// Verifies: group.join.*, group.sync.*, group.heartbeat, group.leave.each, group.leave.pending, group.member.known,
// group.session.expire, group.delete
#[test]
fn what_dynamic_members_hear() {
    let other = |join| JoinGroup { protocols: protocols(&["other"], 0), ..join };
    let old = |join| JoinGroup { knows_member_id_required: false, ..join };
    let assignments = || ["a", "b"].map(|id| (id.into(), Some(id.as_bytes()[0]))).to_vec();
    let handed_in = |generation| Request::Sync(SyncGroup { assignments: assignments(), ..sync("a", generation) });
    let pending = Event::Ask(Request::Join(join(None, "p")));
    let joins = |join| ask(Request::Join(join));
    let rows = vec![
        ("join, no id", joins(join(None, "c"))),
        ("join, no id, version 3", joins(old(join(None, "c")))),
        ("join, other protocol", joins(other(join(None, "c")))),
        ("join, other type", joins(JoinGroup { protocol_type: "connect".into(), ..join(None, "c") })),
        ("join, leader", joins(join(Some("a"), "?"))),
        ("join, leader, changed", joins(changed(join(Some("a"), "?")))),
        ("join, follower", joins(join(Some("b"), "?"))),
        ("join, follower, changed", joins(changed(join(Some("b"), "?")))),
        ("join, unknown id", joins(join(Some("x"), "?"))),
        ("join, pending id", vec![pending.clone(), Event::Ask(Request::Join(join(Some("p"), "?")))]),
        ("sync, leader", ask(handed_in(1))),
        ("sync, follower", ask(Request::Sync(sync("b", 1)))),
        ("sync, old generation", ask(Request::Sync(sync("b", 0)))),
        ("sync, other protocol", ask(Request::Sync(SyncGroup { protocol: Some("x".into()), ..sync("b", 1) }))),
        ("sync, unknown id", ask(Request::Sync(sync("x", 1)))),
        ("heartbeat", ask(heartbeat("b", 1))),
        ("heartbeat, old generation", ask(heartbeat("b", 0))),
        ("heartbeat, unknown id", ask(heartbeat("x", 1))),
        ("leave, leader", ask(Request::Leave(vec![dynamic("a")]))),
        ("leave, follower", ask(Request::Leave(vec![dynamic("b")]))),
        ("leave, both", ask(Request::Leave(vec![dynamic("a"), dynamic("b")]))),
        ("leave, unknown id", ask(Request::Leave(vec![dynamic("x")]))),
        ("leave, pending id", vec![pending, Event::Ask(Request::Leave(vec![dynamic("p")]))]),
        ("delete", ask(Request::Delete)),
        ("session of the leader ends", vec![Event::Fire(Timer::Session("a".into()))]),
        ("session of the follower ends", vec![Event::Fire(Timer::Session("b".into()))]),
        ("time to join is over", vec![Event::Fire(Timer::Join)]),
        ("time to sync is over", vec![Event::Fire(Timer::Sync)]),
    ];
    let table = table("a leads, b follows", &states(), rows);
    check(&[table], expect_file!["../snapshots/group_dynamic.txt"]);
}

/// a, called i, leads; b, called j, follows; in generation 1.
fn static_states() -> Vec<(&'static str, Coordination)> {
    let mut completing = Coordination::today();
    completing.ask(Request::Join(join_fixed("", "i", "a")));
    completing.ask(Request::Join(join_fixed("", "j", "b")));
    completing.begin_generation();
    let mut stable = completing.clone();
    stable.sync_all();
    let mut preparing = stable.clone();
    preparing.ask(Request::Join(changed(join_fixed("b", "j", "?"))));
    completing.sync_only(&["b".into()].into());
    vec![
        ("PreparingRebalance g1, b joins", preparing),
        ("CompletingRebalance g1, b waits", completing),
        ("Stable g1", stable),
    ]
}

// Verifies: group.join.static, group.join.skip-assignment, group.member.fence, group.leave.static
#[test]
fn what_static_members_hear() {
    let joins = |join| ask(Request::Join(join));
    let other = |join| JoinGroup { protocols: protocols(&["other", "range"], 0), ..join };
    let old = |join| JoinGroup { knows_skip_assignment: false, ..join };
    let syncs = |member| ask(Request::Sync(SyncGroup { member, ..sync("", 1) }));
    let beats = |member| ask(Request::Heartbeat { member, generation: Some(Generation(1)) });
    let leaves = |member| ask(Request::Leave(vec![member]));
    let again = |then: Request<Test>| vec![Event::Ask(Request::Join(join_fixed("", "j", "c"))), Event::Ask(then)];
    let rows = vec![
        ("join, no id, leader again", joins(join_fixed("", "i", "c"))),
        ("join, no id, leader again, version 8", joins(old(join_fixed("", "i", "c")))),
        ("join, no id, follower again", joins(join_fixed("", "j", "c"))),
        ("join, no id, follower again, changed", joins(changed(join_fixed("", "j", "c")))),
        ("join, no id, follower again, likes another protocol", joins(other(join_fixed("", "j", "c")))),
        ("join, no id, new instance", joins(join_fixed("", "k", "c"))),
        ("join, id of another instance", joins(join_fixed("a", "j", "?"))),
        ("join, unknown instance", joins(join_fixed("a", "k", "?"))),
        ("sync", syncs(fixed("b", "j"))),
        ("sync, id of another", syncs(fixed("a", "j"))),
        ("… of a life that has ended", again(Request::Sync(SyncGroup { member: fixed("b", "j"), ..sync("", 1) }))),
        ("heartbeat, without its instance", beats(dynamic("b"))),
        ("heartbeat, id of another", beats(fixed("a", "j"))),
        ("leave, by instance", leaves(fixed("", "j"))),
        ("leave, unknown instance", leaves(fixed("", "k"))),
        ("leave, id of another", leaves(fixed("a", "j"))),
        ("time to join is over", vec![Event::Fire(Timer::Join)]),
    ];
    let table = table("a (instance i) leads, b (instance j) follows", &static_states(), rows);
    check(&[table], expect_file!["../snapshots/group_static.txt"]);
}

// Verifies: group.offset.fence, group.offset.completing, group.offset.simple, group.offset.delete
#[test]
fn who_may_commit_and_forget_offsets() {
    let commits = |commit| ask(Request::CommitOffsets(commit));
    let forgets = |topic| ask(Request::DeleteOffsets { partitions: vec![on(topic, 0)] });
    let old = |commit| CommitOffsets { knows_group_id_not_found: false, ..commit };
    let fixed = |id, instance| CommitOffsets { member: fixed(id, instance), ..commit("", Some(1), 1) };
    let rows = vec![
        ("commit", commits(commit("b", Some(1), 1))),
        ("commit, old generation", commits(commit("b", Some(0), 1))),
        ("commit, version 8, old generation", commits(old(commit("b", Some(0), 1)))),
        ("commit, later generation", commits(commit("b", Some(9), 1))),
        ("commit, unknown id", commits(commit("x", Some(1), 1))),
        ("commit, unknown instance", commits(fixed("b", "i"))),
        ("commit, no generation", commits(commit("b", None, 1))),
        ("commit, no one", commits(commit("", None, 1))),
        ("commit, no one, a generation", commits(commit("", Some(1), 1))),
        ("forget, topic that is read", forgets("t")),
        ("forget, another topic", forgets("u")),
    ];
    let table = table("a leads, b follows; they read topic t", &states(), rows);
    check(&[table], expect_file!["../snapshots/group_offsets.txt"]);
}
