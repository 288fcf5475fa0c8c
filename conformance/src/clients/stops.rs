//! How much of a group of three stops when one member comes, and when it leaves: everything, or what moves.

use super::{Case, Client, Stage, expect};
use crate::programs::Language;
use crate::stops::{self, Change, Ground, Protocol};
use libtest_mimic::Failed;

const MEMBERS: usize = 3;
/// Three have four each, and give up one each when a fourth comes.
const PARTITIONS: i32 = 12;
/// What a fourth member has.
const MOVES: usize = 3;
const HEARTBEAT_MS: u32 = 500;
const SESSION_MS: u32 = 30_000;

pub(super) fn cases() -> Vec<Case> {
    let case = |protocol: Protocol| {
        let name = format!("a group of the {} protocol stops as little as it must", protocol.name());
        Case::new(Client::Of(Language::Confluent), name, move |stage: &Stage| stop(stage, protocol))
    };
    Protocol::ALL.map(case).into()
}

// Verifies: group.consumer.reconcile.revoke, group.consumer.reconcile.wait, group.consumer.leave
fn stop(stage: &Stage, protocol: Protocol) -> Result<(), Failed> {
    let ground = Ground {
        bootstrap: stage.bootstrap.clone(),
        partitions: PARTITIONS,
        heartbeat_ms: HEARTBEAT_MS,
        session_ms: SESSION_MS,
    };
    for stop in stops::measured(&ground, &stage.topic, protocol, MEMBERS, &[Change::Joins, Change::Leaves])? {
        let seen = (stop.cost.partitions_stopped, stop.cost.members_stopped, stop.cost.revocations);
        let expected = match (protocol, stop.change) {
            (Protocol::Eager, _) => (PARTITIONS as usize, MEMBERS, MEMBERS),
            (_, Change::Joins) => (MOVES, 0, MEMBERS),
            _ => (MOVES, 0, 0),
        };
        expect(&format!("partitions and members that stop, and revocations, of {}", stop.name), &seen, &expected)?;
    }
    Ok(())
}
