//! A consumer of one partition whose log is cut again and again, by leaders that lack some of it: what it has read is
//! always the beginning of one leader's log, whatever comes late.
//!
//! Each leader has a part of its predecessor's log. Had it records that the predecessor lacks, they could hide what was
//! cut, from Kafka's consumers as from this one (`what_comes_back_hides_what_was_cut`).

#[path = "support/cases.rs"]
mod cases;

use cases::cases;
use highwater_spec::assignor::Assignor;
use highwater_spec::client::consumer::{Config, Consumer, End, Input, Joined, Leader, Output, Place};
use highwater_spec::group::{Generation, NamedPartition};
use highwater_spec::log::EpochEnd;
use highwater_spec::machine::Machine;
use highwater_spec::refusal::Refusal;
use highwater_spec::rules::Rules;
use highwater_spec::values::{LeaderEpoch, Offset, TopicId};
use proptest::collection::vec;
use proptest::prelude::*;
use std::collections::VecDeque;

/// A record is told by the epoch that it was written in, and its number.
type Record = (usize, u32);

#[derive(Clone, Copy, Debug)]
enum Event {
    /// The leader appends a record.
    Append,
    /// Another replica leads, with so many of the records, modulo.
    Elect(usize),
    /// The consumer hears who leads.
    Hear,
    /// It fetches; whoever is asked may have heard of the last election, or not.
    Fetch { is_deposed: bool },
    /// The oldest answer on its way arrives, or the youngest.
    Arrive { is_youngest: bool },
    /// Its application asks for more.
    Poll,
    /// It commits, dies, and begins anew from there.
    Restart,
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        6 => Just(Event::Append),
        2 => any::<usize>().prop_map(Event::Elect),
        3 => Just(Event::Hear),
        6 => any::<bool>().prop_map(|is_deposed| Event::Fetch { is_deposed }),
        9 => any::<bool>().prop_map(|is_youngest| Event::Arrive { is_youngest }),
        3 => Just(Event::Poll),
        1 => Just(Event::Restart),
    ]
}

struct World {
    consumer: Consumer,
    /// The log of each leader, at its end or now; its epoch is its place.
    logs: Vec<Vec<Record>>,
    /// How many records were ever written.
    written: u32,
    /// Answers on their way, with the records that come with them.
    answers: VecDeque<(Input, Vec<Record>)>,
    /// What is there to be delivered.
    brought: Vec<Record>,
    /// What it has read, up to where it is.
    read: Vec<Record>,
    committed: Option<Place>,
    /// What it had read when it committed.
    kept: Vec<Record>,
    /// Whether batches say of which epoch they are.
    tells_epochs: bool,
    /// Whether something was read that does not continue what was read before.
    is_torn: bool,
}

fn partition() -> NamedPartition {
    NamedPartition { topic: "t".into(), index: 0 }
}

fn size(offset: Offset) -> usize {
    usize::try_from(offset.0).expect("no offset here is negative")
}

fn offset(size: usize) -> Offset {
    Offset(i64::try_from(size).expect("few records"))
}

fn epoch(index: usize) -> LeaderEpoch {
    LeaderEpoch(i32::try_from(index).expect("few leaders"))
}

impl World {
    fn new(tells_epochs: bool) -> Self {
        let mut world = Self {
            consumer: Self::consumer(),
            logs: vec![Vec::new()],
            written: 0,
            answers: VecDeque::new(),
            brought: Vec::new(),
            read: Vec::new(),
            committed: None,
            kept: Vec::new(),
            tells_epochs,
            is_torn: false,
        };
        world.join();
        world
    }

    fn consumer() -> Consumer {
        let topics = [partition().topic].into();
        let assignors = vec![Assignor::Range];
        Consumer::new(Config { instance: None, topics, assignors, reset: Some(End::Earliest), auto_commit: false })
    }

    fn join(&mut self) {
        let joined = Joined { generation: Generation(1), assignor: Assignor::Range, leads: None };
        self.step(Input::Polled);
        self.step(Input::CoordinatorFound);
        self.step(Input::JoinAnswered { member: Some("m".into()), outcome: Ok(joined) });
        self.step(Input::SyncAnswered(Ok([partition()].into())));
        self.step(Input::OffsetsAnswered(Ok([(partition(), self.committed)].into())));
    }

    fn leader(&self) -> usize {
        self.logs.len() - 1
    }

    fn log(&mut self) -> &mut Vec<Record> {
        let leader = self.leader();
        &mut self.logs[leader]
    }

    fn happens(&mut self, event: Event) {
        match event {
            Event::Append => {
                let record = (self.leader(), self.written);
                self.written += 1;
                self.log().push(record);
            }
            Event::Elect(kept) => {
                let last = &self.logs[self.leader()];
                let kept = last[..kept % (last.len() + 1)].to_vec();
                self.logs.push(kept);
            }
            Event::Hear => {
                let leader = Leader { topic: TopicId::default(), epoch: Some(epoch(self.leader())) };
                self.step(Input::LeadersSeen([(partition(), leader)].into()));
            }
            Event::Fetch { is_deposed } => self.fetch(is_deposed),
            Event::Arrive { is_youngest } => {
                let answer = if is_youngest { self.answers.pop_back() } else { self.answers.pop_front() };
                if let Some((input, records)) = answer {
                    self.brought = records;
                    self.step(input);
                }
            }
            Event::Poll => self.step(Input::Polled),
            Event::Restart => {
                self.step(Input::Polled);
                self.step(Input::CommitAsked);
                self.consumer = Self::consumer();
                self.answers.clear();
                self.read = self.kept.clone();
                self.join();
            }
        }
    }

    /// Who was deposed and has not heard of it serves those who have not heard of it either.
    fn fetch(&mut self, is_deposed: bool) {
        let Some((_, from)) = self.consumer.positions().next() else { return };
        let (partition, under) = (partition(), self.consumer.leader_epoch(&partition()));
        let asked = under.and_then(|under| usize::try_from(under.0).ok()).filter(|_| is_deposed);
        let leader = asked.unwrap_or(self.leader());
        let refusal = match under {
            Some(under) if under < epoch(leader) => Some(Refusal::FencedLeaderEpoch),
            _ if size(from) > self.logs[leader].len() => Some(Refusal::OffsetOutOfRange),
            _ => None,
        };
        if let Some(refusal) = refusal {
            let refused = Input::FetchRefused { partition, from, under, refusal };
            return self.answers.push_back((refused, Vec::new()));
        }
        let log = &self.logs[leader];
        let (upto, records) = (offset(log.len()), log[size(from)..].to_vec());
        let of_last = records.last().map(|(written, _)| epoch(*written)).filter(|_| self.tells_epochs);
        let fetched = Input::Fetched { partition, from, under, upto, epoch: of_last };
        self.answers.push_back((fetched, log.clone()));
    }

    /// As the leader of that epoch answers; if it was deposed, it may not have heard of it.
    fn end_of(&self, of: LeaderEpoch, leader: LeaderEpoch) -> Option<EpochEnd> {
        let log = &self.logs[usize::try_from(leader.0).expect("no epoch here is negative")];
        let end = log.iter().take_while(|(written, _)| epoch(*written) <= of).count();
        let found = log[..end].last().map_or(of, |(written, _)| epoch(*written));
        (of <= leader).then_some(EpochEnd { epoch: found, end: offset(end) })
    }

    fn step(&mut self, input: Input) {
        let mut outputs = Vec::new();
        self.consumer.step(&Rules::KAFKA, input, &mut outputs);
        for output in outputs {
            match output {
                Output::Deliver { from, upto, .. } => {
                    self.is_torn |= self.read[..] != self.brought[..size(from)];
                    self.read.extend(&self.brought[size(from)..size(upto)]);
                }
                Output::Truncated { diverges, .. } => self.read.truncate(diverges.map_or(0, size)),
                Output::FindEpochEnd { partition, at, leader } => {
                    let outcome = Ok(self.end_of(at.epoch.expect("an epoch is meant"), leader));
                    let answer = Input::EpochEndAnswered { partition, at, leader, outcome };
                    self.answers.push_back((answer, Vec::new()));
                }
                Output::FindOffset { partition, .. } => {
                    self.read.clear();
                    let found = Input::OffsetFound { partition, offset: Offset(0) };
                    self.answers.push_back((found, Vec::new()));
                }
                Output::Commit { offsets, .. } => {
                    self.committed = offsets.get(&partition()).copied();
                    self.kept = self.read.clone();
                }
                _ => {}
            }
        }
    }
}

fn run(tells_epochs: bool, events: &[Event]) -> World {
    let mut world = World::new(tells_epochs);
    events.iter().for_each(|event| world.happens(*event));
    world
}

fn calm_down(world: &mut World) {
    for _ in 0..4 {
        world.happens(Event::Hear);
        (0..40).for_each(|_| world.happens(Event::Arrive { is_youngest: false }));
        world.happens(Event::Fetch { is_deposed: false });
    }
    (0..40).for_each(|_| world.happens(Event::Arrive { is_youngest: false }));
}

proptest! {
    #![proptest_config(cases(2000))]

    // Verifies: client.consumer.truncation.check, client.consumer.truncation.leader, client.consumer.truncation.resume,
    // client.consumer.truncation.fence, client.consumer.truncation.stale
    #[test]
    fn what_is_read_is_the_beginning_of_one_log(events in vec(event(), 1..120)) {
        let mut world = run(true, &events);
        prop_assert!(!world.is_torn);
        calm_down(&mut world);
        let leader = world.leader();
        prop_assert!(!world.is_torn);
        prop_assert_eq!(&world.read, &world.logs[leader], "all of it in the end");
    }
}

const CUT_AND_WRITTEN_ANEW: [Event; 12] = [
    Event::Arrive { is_youngest: false },
    Event::Append,
    Event::Append,
    Event::Hear,
    Event::Fetch { is_deposed: false },
    Event::Arrive { is_youngest: false },
    Event::Elect(1),
    Event::Append,
    Event::Append,
    Event::Hear,
    Event::Fetch { is_deposed: false },
    Event::Arrive { is_youngest: false },
];

// Verifies: client.consumer.truncation.check
#[test]
fn without_epochs_a_consumer_reads_on_past_what_was_cut() {
    let mut old = run(false, &CUT_AND_WRITTEN_ANEW);
    assert!(old.is_torn, "as before KIP-320");
    calm_down(&mut old);
    let mut world = run(true, &CUT_AND_WRITTEN_ANEW);
    calm_down(&mut world);
    assert!(!world.is_torn && world.read == world.logs[1], "{:?}", world.read);
}

/// A leader that never had the epoch, but more of an older one than the consumer has read, is believed.
// Verifies: client.consumer.truncation.check
#[test]
fn what_comes_back_hides_what_was_cut() {
    let mut world = run(true, &CUT_AND_WRITTEN_ANEW[..9]);
    calm_down(&mut world);
    let (first, second) = ((0, 0), (0, 1));
    assert_eq!(world.read, [first, (1, 2), (1, 3)]);
    world.logs.push(vec![first, second, (0, 4), (2, 5)]);
    calm_down(&mut world);
    assert!(world.is_torn);
}
