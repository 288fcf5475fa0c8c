//! The group coordinator under whatever it may hear, over a log that may be committed to any point and may lose its
//! tail and its leader.

use crate::carrier::Test;
use crate::coordinator::{self, Coordination, on, outcome, protocols};
use highwater_spec::group::*;
use highwater_spec::replicated;
use highwater_spec::values::{Offset, Ticket};
use proptest::collection::vec;
use proptest::option::of;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use std::collections::BTreeMap;

type Result<T = ()> = std::result::Result<T, TestCaseError>;

#[derive(Clone, Debug)]
enum Move {
    /// A request; `true` if it is made to fit what the coordinator knows.
    Ask(Request<Test>, bool, Index),
    /// An armed timer is due.
    Fire(Index),
    /// A timer that may not be armed is.
    FireAny(Timer),
    /// It is time to forget what no one needs.
    CheckRetention,
    /// The log takes no more than this at once.
    Limit(u64),
    /// Part of what is written is committed.
    Commit(Index),
    FailOver,
}

struct World {
    world: Coordination,
    fresh: u32,
    /// The offset of each partition that was acknowledged last.
    acknowledged: BTreeMap<NamedPartition, Option<Offset>>,
    /// What each open request would write, by partition.
    open: BTreeMap<Ticket, Vec<(NamedPartition, Option<Offset>)>>,
    generation: Generation,
}

impl World {
    fn play(&mut self, what: Move) -> Result {
        let reloads = matches!(what, Move::FailOver);
        match what {
            Move::Ask(request, fits, at) => self.ask(request, fits, at),
            Move::Fire(at) => {
                let armed: Vec<_> = self.world.timers.keys().cloned().collect();
                if !armed.is_empty() {
                    self.world.fire(at.get(&armed).clone());
                }
            }
            Move::FireAny(timer) => {
                self.world.timers.remove(&timer);
                self.world.hear(Input::TimerFired { at: 0, group: coordinator::group(), timer });
            }
            Move::CheckRetention => self.check_retention(),
            Move::Limit(max_batch) => self.world.hear(Input::LimitChanged { max_batch }),
            Move::Commit(upto) => {
                let machine = &self.world.machine;
                let left = (machine.end().0 - machine.committed_end().0) as usize;
                let upto = machine.committed_end().plus(upto.index(left + 1) as u32);
                self.world.step(replicated::Input::Committed { upto });
            }
            Move::FailOver => self.world.fail_over(),
        }
        self.note_answers();
        self.check(reloads)
    }

    /// What is forgotten then is forgotten for good.
    fn check_retention(&mut self) {
        self.world.commit();
        self.note_answers();
        let forgotten = self.world.would_forget(0);
        self.acknowledged.extend(forgotten.into_iter().map(|partition| (partition, None)));
        self.world.hear(Input::RetentionChecked { at: 0, group: coordinator::group(), since: 0 });
        self.world.commit();
    }

    fn ask(&mut self, mut request: Request<Test>, fits: bool, at: Index) {
        if fits {
            self.fit(&mut request, at);
        }
        if let Request::Join(join) = &mut request {
            self.fresh += 1;
            join.fresh = format!("m{}", self.fresh).as_str().into();
        }
        let writes = match &request {
            Request::CommitOffsets(commit) => {
                commit.offsets.iter().map(|(partition, given)| (partition.clone(), Some(given.offset))).collect()
            }
            Request::DeleteOffsets { partitions } => {
                partitions.iter().map(|partition| (partition.clone(), None)).collect()
            }
            Request::Delete => (0..=1).map(|index| (on("t", index), None)).collect(),
            _ => Vec::new(),
        };
        let ticket = self.world.ask(request);
        self.open.insert(ticket, writes);
    }

    /// The request, made to come from someone who is in the group and knows its generation.
    fn fit(&self, request: &mut Request<Test>, at: Index) {
        let Some(found) = self.world.machine.speculative().groups().get(&coordinator::group()) else { return };
        let members = found.members.iter().map(|(id, member)| (Some(id.clone()), member.instance.clone()));
        let pending = found.pending.iter().map(|id| (Some(id.clone()), None));
        let known: Vec<_> = members.chain(pending).collect();
        let Some((id, instance)) = (!known.is_empty()).then(|| at.get(&known).clone()) else { return };
        let one = MemberIdentity { id, instance };
        let now = Some(found.generation);
        match request {
            Request::Join(join) => join.member = one,
            Request::Sync(sync) => {
                let shares = found.members.keys().map(|id| (id.clone(), Some(1)));
                (sync.member, sync.generation, sync.assignments) = (one, now, shares.collect());
            }
            Request::Heartbeat { member, generation } => (*member, *generation) = (one, now),
            Request::Leave(members) => members.push(one),
            Request::CommitOffsets(commit) => (commit.member, commit.generation) = (one, now),
            Request::ConsumerHeartbeat(_)
            | Request::FetchStableOffsets { .. }
            | Request::DeleteOffsets { .. }
            | Request::Delete => {}
        }
    }

    /// What was acknowledged is what must be found later.
    fn note_answers(&mut self) {
        let answered: Vec<_> =
            self.open.keys().copied().filter(|ticket| self.world.answer(*ticket).is_some()).collect();
        for ticket in answered {
            let writes = self.open.remove(&ticket).unwrap_or_default();
            let reply = self.world.answer(ticket).unwrap();
            let each = match reply {
                Reply::CommitOffsets(Ok(each)) | Reply::DeleteOffsets(Ok(each)) => {
                    each.iter().map(|(_, outcome)| outcome.is_ok()).collect()
                }
                _ => vec![outcome(reply).is_ok(); writes.len()],
            };
            let done = writes.into_iter().zip(each).filter(|(_, done)| *done);
            self.acknowledged.extend(done.map(|(write, _)| write));
        }
    }

    fn check(&mut self, reloads: bool) -> Result {
        let machine = &self.world.machine;
        let found =
            machine.fetch_offsets(&Reader::default(), &coordinator::group(), Some(&[on("t", 0), on("t", 1)])).unwrap();
        for (partition, committed) in found {
            let offset = committed.map(|committed| committed.offset);
            let acknowledged = self.acknowledged.get(&partition).copied().flatten();
            prop_assert_eq!(offset, acknowledged, "of {}", partition);
        }
        let group = machine.speculative().groups().get(&coordinator::group());
        let generation = group.map_or(Generation(0), |group| group.generation);
        prop_assert!(reloads || group.is_none() || generation >= self.generation, "the generation went back");
        self.generation = generation;
        group.map_or(Ok(()), |group| self.check_group(group))
    }

    fn check_group(&self, group: &ClassicGroup<Test>) -> Result {
        let is_member = |id: &MemberId| group.members.contains_key(id);
        prop_assert_eq!(group.leader.is_some(), !group.members.is_empty(), "{:#?}", group);
        prop_assert!(group.leader.iter().all(is_member), "{:#?}", group);
        prop_assert!(!group.pending.iter().any(is_member), "{:#?}", group);
        prop_assert_eq!(group.initial.is_some() && group.state != State::PreparingRebalance, false, "{:#?}", group);
        let mut instances: Vec<_> = group.members.values().filter_map(|member| member.instance.clone()).collect();
        let all = instances.len();
        instances.dedup();
        prop_assert_eq!(instances.len(), all, "one life of each static member: {:#?}", group);
        match group.state {
            State::Empty => prop_assert!(group.members.is_empty()),
            State::PreparingRebalance => prop_assert!(self.world.timers.contains_key(&Timer::Join), "{:#?}", group),
            State::CompletingRebalance | State::Stable => {
                prop_assert!(!group.members.is_empty() && group.protocol.is_some(), "{:#?}", group);
            }
        }
        for (id, member) in &group.members {
            let waits = matches!(&member.parked, Some(Parked::Join { reentry: None, .. }));
            prop_assert!(!waits || group.state == State::PreparingRebalance, "{} waits for nothing: {:#?}", id, group);
            let excused = member.parked.is_some() || group.state == State::PreparingRebalance;
            let watched = self.world.timers.contains_key(&Timer::Session(id.clone()));
            prop_assert!(excused || watched, "{} may be silent for ever: {:#?}", id, group);
        }
        Ok(())
    }

    /// Nothing that is asked is left unanswered, whatever waits: time passes, and leadership ends.
    fn finish(mut self) -> Result {
        self.world.commit();
        self.world.step(replicated::Input::Reverted);
        let open: Vec<_> = self.world.answers.iter().filter(|(_, answer)| answer.is_none()).collect();
        prop_assert!(open.is_empty(), "never answered: {:?}", open);
        Ok(())
    }
}

fn member() -> impl Strategy<Value = MemberIdentity> {
    let id = of((1..=4).prop_map(|number| MemberId::from(format!("m{number}").as_str())));
    (id, instance()).prop_map(|(id, instance)| MemberIdentity { id, instance })
}

fn instance() -> impl Strategy<Value = Option<InstanceId>> {
    select(vec![None, None, Some("i"), Some("j")]).prop_map(|name| name.map(Into::into))
}

fn join() -> impl Strategy<Value = JoinGroup<Test>> {
    let names = select(vec![vec!["x"], vec!["x", "y"], vec!["y", "x"], vec!["z"], vec![]]);
    let member = prop_oneof![2 => instance().prop_map(|instance| MemberIdentity { id: None, instance }), 1 => member()];
    let timeouts = (select(vec![5, 6_000, 10_000]), select(vec![-1, 1_000, 60_000]));
    let flags = (prop::bool::weighted(0.5), any::<bool>(), prop::bool::weighted(0.05));
    (member, names, 0..2_u8, timeouts, flags).prop_map(|(member, names, says, timeouts, flags)| JoinGroup {
        member,
        session_timeout: Millis(timeouts.0),
        rebalance_timeout: Millis(timeouts.1),
        protocol_type: if flags.2 { "connect" } else { "consumer" }.into(),
        protocols: protocols(&names, says),
        knows_member_id_required: flags.0,
        knows_skip_assignment: flags.1,
        ..coordinator::join(None, "?")
    })
}

fn request() -> impl Strategy<Value = Request<Test>> {
    let generation = || of((0..=3).prop_map(Generation));
    let partition = || (0..=1).prop_map(|index| on("t", index));
    let given = (0..=9_i64, select(vec![0, 0, 5_000])).prop_map(|(offset, metadata_length)| OffsetToCommit {
        offset: Offset(offset),
        leader_epoch: None,
        metadata: None,
        metadata_length,
    });
    let assignments = vec(((1..=4).prop_map(|number| format!("m{number}").as_str().into()), of(0..2_u8)), 0..3);
    let name = || of(select(vec!["x", "y", "consumer"]));
    prop_oneof![
        12 => join().prop_map(Request::Join),
        8 => (member(), generation(), name(), assignments).prop_map(|(member, generation, protocol, assignments)| {
            let protocol = protocol.map(Into::into);
            Request::Sync(SyncGroup { member, generation, protocol_type: None, protocol, assignments })
        }),
        4 => (member(), generation()).prop_map(|(member, generation)| Request::Heartbeat { member, generation }),
        2 => vec(member(), 0..3).prop_map(Request::Leave),
        5 => (member(), generation(), any::<bool>(), vec((partition(), given), 0..3)).prop_map(
            |(member, generation, knows_group_id_not_found, offsets)| {
                Request::CommitOffsets(CommitOffsets { member, generation, knows_group_id_not_found, offsets })
            }
        ),
        1 => of(vec(partition(), 0..2)).prop_map(|partitions| Request::FetchStableOffsets { reader: Reader::default(), partitions }),
        1 => vec(partition(), 0..2).prop_map(|partitions| Request::DeleteOffsets { partitions }),
        1 => Just(Request::Delete),
    ]
}

fn what() -> impl Strategy<Value = Move> {
    let timer = prop_oneof![
        (1..=4).prop_map(|number| Timer::Session(format!("m{number}").as_str().into())),
        Just(Timer::Join),
        Just(Timer::Sync)
    ];
    prop_oneof![
        24 => (request(), prop::bool::weighted(0.75), any::<Index>())
            .prop_map(|(request, fits, at)| Move::Ask(request, fits, at)),
        8 => any::<Index>().prop_map(Move::Fire),
        1 => timer.prop_map(Move::FireAny),
        8 => any::<Index>().prop_map(Move::Commit),
        1 => Just(Move::CheckRetention),
        1 => select(vec![0, 1, 2, 3, 5, u64::MAX, u64::MAX]).prop_map(Move::Limit),
        1 => Just(Move::FailOver),
    ]
}

proptest! {
    #![proptest_config(crate::cases::cases(10_000))]

    // Verifies: group.*, log-backed.*
    #[test]
    fn the_coordinator_keeps_its_word_and_forgets_no_one(
        max_size in select(vec![2, 3, u32::MAX]),
        moves in vec(what(), 1..80),
    ) {
        let world = Coordination::new(Config { max_size, ..Config::default() });
        let (acknowledged, open, generation) = (BTreeMap::new(), BTreeMap::new(), Generation(0));
        let mut world = World { world, fresh: 0, acknowledged, open, generation };
        moves.into_iter().try_for_each(|next| world.play(next))?;
        world.finish()?;
    }
}
