//! A producer and two partitions, with connections that break and leaders that change at any moment: what the
//! application is told is true, and whoever numbers its records has each of them once and in order.

#[path = "support/cases.rs"]
mod cases;

use highwater_spec::client::Code;
use highwater_spec::client::producer::{Config, Identity, Input, Outcome, Output, Producer, Request, Timer};
use highwater_spec::group::NamedPartition;
use highwater_spec::machine::Machine;
use highwater_spec::producer::{Producers, Sequenced, Verdict};
use highwater_spec::rules::Rules;
use highwater_spec::values::{Offset, ProducerEpoch, ProducerId, Ticket, Timestamp};
use proptest::collection::vec;
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

type Answer = (Request, Result<Option<Offset>, Code>);

/// What a client can meet.
#[derive(Clone, Copy, Debug)]
enum Event {
    /// The application gives a record for this partition.
    Give(i32),
    /// The leader of this partition carries out the next request on its connection.
    Handle(i32),
    /// The next answer on that connection arrives.
    Answer(i32),
    /// The connection breaks: what was sent may be carried out later, or never.
    Break(i32),
    /// The leader is deposed: it refuses all that is on the connection, until that is made anew.
    Depose(i32),
    /// A request on a broken connection is carried out after all, or lost.
    Late { is_lost: bool },
    /// One of the timers that are armed is due.
    Fire(usize),
    /// An id is given out, or not yet.
    Id { is_loading: bool },
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        6 => (0..2).prop_map(Event::Give),
        6 => (0..2).prop_map(Event::Handle),
        5 => (0..2).prop_map(Event::Answer),
        2 => (0..2).prop_map(Event::Break),
        1 => (0..2).prop_map(Event::Depose),
        3 => any::<bool>().prop_map(|is_lost| Event::Late { is_lost }),
        4 => (0..20_usize).prop_map(Event::Fire),
        2 => any::<bool>().prop_map(|is_loading| Event::Id { is_loading }),
    ]
}

/// One partition's log, and the connection to its leader.
#[derive(Default)]
struct Leader {
    known: Producers,
    log: Vec<Ticket>,
    asked: VecDeque<Request>,
    answers: VecDeque<Answer>,
    is_deposed: bool,
}

struct World {
    producer: Producer,
    leaders: [Leader; 2],
    /// Requests on broken connections, each in its order.
    late: VecDeque<(usize, VecDeque<Request>)>,
    timers: BTreeSet<Timer>,
    wants_id: bool,
    ids: i64,
    given: [Vec<Ticket>; 2],
    done: BTreeMap<Ticket, (Outcome, u32)>,
    is_flushed: bool,
    /// Whether batches may be given up.
    expires: bool,
}

fn partition(index: usize) -> NamedPartition {
    NamedPartition { topic: "t".into(), index: index as i32 }
}

impl Leader {
    fn end(&self) -> Offset {
        Offset(self.log.len() as i64)
    }

    fn append(&mut self, request: &Request) -> Result<Option<Offset>, Code> {
        let (base, count) = (self.end(), request.records.len() as u32);
        if let Some((Identity { id, epoch }, first)) = request.numbers {
            let batch = Sequenced { producer: id, epoch, first, timestamp: Timestamp(0) };
            match self.known.judge(&Rules::KAFKA, &batch, count) {
                Verdict::Append => self.known.appended(&batch, base, count),
                Verdict::Duplicate(written) => return Ok(Some(written.base)),
                Verdict::Refused(refusal) => return Err(refusal.into()),
            }
        }
        self.log.extend(&request.records);
        Ok(Some(base))
    }
}

impl World {
    fn new(config: Config, expires: bool) -> Self {
        Self {
            producer: Producer::new(config),
            leaders: Default::default(),
            late: VecDeque::new(),
            timers: BTreeSet::new(),
            wants_id: false,
            ids: 0,
            given: Default::default(),
            done: BTreeMap::new(),
            is_flushed: false,
            expires,
        }
    }

    fn step(&mut self, input: Input) {
        let mut out = Vec::new();
        self.producer.step(&Rules::KAFKA, input, &mut out);
        for output in out {
            match output {
                Output::AskId => self.wants_id = true,
                Output::Send(request) => {
                    self.leaders[request.partition.index as usize].asked.push_back(request);
                }
                Output::FindLeader(_) => {}
                Output::Done { records, outcome, .. } => {
                    for (index, record) in (0..).zip(records) {
                        assert!(self.done.insert(record, (outcome, index)).is_none(), "{record} is done twice");
                    }
                }
                Output::Flushed => self.is_flushed = true,
                Output::SetTimer(timer) => drop(self.timers.insert(timer)),
                Output::CancelTimer(timer) => drop(self.timers.remove(&timer)),
            }
        }
    }

    fn happens(&mut self, event: Event) {
        match event {
            Event::Give(index) => {
                let record = Ticket(self.given.iter().map(Vec::len).sum::<usize>() as u32);
                self.given[index as usize].push(record);
                self.step(Input::Given { partition: partition(index as usize), record, bytes: 1 });
            }
            Event::Handle(index) => self.handle(index as usize),
            Event::Answer(index) => {
                if let Some((request, outcome)) = self.leaders[index as usize].answers.pop_front() {
                    self.answer(request, outcome);
                }
            }
            Event::Break(index) => self.disconnect(index as usize),
            Event::Depose(index) => self.leaders[index as usize].is_deposed = true,
            Event::Late { is_lost } => self.late(is_lost),
            Event::Fire(at) => self.fire(at),
            Event::Id { is_loading } => self.give_id(is_loading),
        }
    }

    fn handle(&mut self, index: usize) {
        let leader = &mut self.leaders[index];
        let Some(request) = leader.asked.pop_front() else { return };
        let outcome = if leader.is_deposed { Err(Code::NOT_LEADER_OR_FOLLOWER) } else { leader.append(&request) };
        leader.answers.push_back((request, outcome));
    }

    fn answer(&mut self, request: Request, outcome: Result<Option<Offset>, Code>) {
        let Request { partition, batch, attempt, .. } = request;
        self.step(Input::Answered { partition, batch, attempt, outcome });
    }

    fn disconnect(&mut self, index: usize) {
        let leader = &mut self.leaders[index];
        let was_deposed = std::mem::take(&mut leader.is_deposed);
        let [asked, answers] = [
            std::mem::take(&mut leader.asked).into(),
            Vec::from(std::mem::take(&mut leader.answers)).into_iter().map(|(request, _)| request).collect::<Vec<_>>(),
        ];
        // Who was deposed before carries nothing out later either.
        if !was_deposed {
            self.late.push_back((index, VecDeque::from(asked.clone())));
        }
        for request in answers.into_iter().chain(asked) {
            self.answer(request, Err(Code::NETWORK_EXCEPTION));
        }
    }

    fn late(&mut self, is_lost: bool) {
        let Some((index, mut requests)) = self.late.pop_front() else { return };
        if let Some(request) = requests.pop_front().filter(|_| !is_lost) {
            // Nobody hears the answer.
            let _ = self.leaders[index].append(&request);
        }
        if !requests.is_empty() && !is_lost {
            self.late.push_back((index, requests));
        }
    }

    fn fire(&mut self, at: usize) {
        let may_fire = |timer: &&Timer| self.expires || !matches!(timer, Timer::Delivery(..));
        let timers: Vec<_> = self.timers.iter().filter(may_fire).cloned().collect();
        if let Some(timer) = timers.get(at % timers.len().max(1)) {
            self.timers.remove(timer);
            self.step(Input::TimerFired(timer.clone()));
        }
    }

    fn give_id(&mut self, is_loading: bool) {
        if !std::mem::take(&mut self.wants_id) {
            return;
        }
        let identity = Identity { id: ProducerId(self.ids), epoch: ProducerEpoch(0) };
        self.ids += 1;
        let loading = Code(14);
        self.step(Input::IdAnswered(if is_loading { Err(loading) } else { Ok(identity) }));
    }

    /// Nothing goes wrong any more, until everything is done.
    fn calm_down(&mut self) {
        (0..2)
            .filter(|index| self.leaders[*index].is_deposed)
            .collect::<Vec<_>>()
            .into_iter()
            .for_each(|index| self.disconnect(index));
        self.late.clear();
        self.step(Input::FlushAsked);
        for round in 0.. {
            if self.is_flushed {
                return;
            }
            assert!(round < 1000, "it never ends: {:?}", self.producer);
            self.give_id(false);
            (0..2).for_each(|index| (0..9).for_each(|_| self.handle(index)));
            (0..9).for_each(|_| [0, 1].into_iter().for_each(|index| self.happens(Event::Answer(index))));
            // A batch between two that were given up may have to be given up too.
            let is_due = |timer: &&Timer| self.expires && round > 50 || !matches!(timer, Timer::Delivery(..));
            let due: Vec<_> = self.timers.iter().filter(is_due).cloned().collect();
            for timer in due {
                self.timers.remove(&timer);
                self.step(Input::TimerFired(timer));
            }
        }
    }

    /// How often each record is in its log.
    fn copies(&self, index: usize, record: Ticket) -> usize {
        self.leaders[index].log.iter().filter(|written| **written == record).count()
    }
}

/// Everything is done; what was acknowledged is there, and what was refused is not.
fn what_it_says_is_true(world: &World) -> Result<(), TestCaseError> {
    for index in 0..2 {
        for record in &world.given[index] {
            let Some((outcome, place)) = world.done.get(record) else { panic!("{record} is not done") };
            let copies = world.copies(index, *record);
            match outcome {
                Outcome::Acked(base) => {
                    prop_assert!(copies > 0, "{record} was acknowledged and is lost");
                    let at = base.map(|base| base.plus(*place).0 as usize);
                    prop_assert!(
                        at.is_none_or(|at| world.leaders[index].log[at] == *record),
                        "{record} is not at {at:?}"
                    );
                }
                Outcome::Refused(_) => prop_assert_eq!(copies, 0, "{} was refused", record),
                Outcome::Unknown(_) => {}
            }
        }
    }
    let left: Vec<_> =
        world.timers.iter().filter(|timer| matches!(timer, Timer::Linger(_) | Timer::Delivery(..))).collect();
    prop_assert!(left.is_empty(), "{:?} are left", left);
    Ok(())
}

fn config(max_in_flight: usize, idempotent: bool) -> Config {
    Config { idempotent, max_in_flight, batch_bytes: 2, ..Config::KAFKA }
}

fn run(config: Config, expires: bool, events: Vec<Event>) -> World {
    let mut world = World::new(config, expires);
    events.into_iter().for_each(|event| world.happens(event));
    world.calm_down();
    world
}

proptest! {
    #![proptest_config(cases::cases(4_000))]

    // Verifies: client.producer.number, client.producer.retry, client.producer.retry.order, client.producer.gap,
    // client.producer.outcome, client.producer.late, client.producer.in-flight
    #[test]
    fn numbered_records_are_there_once_and_in_order(in_flight in 1..6_usize, events in vec(event(), 1..120)) {
        let world = run(config(in_flight, true), false, events);
        what_it_says_is_true(&world)?;
        for index in 0..2 {
            prop_assert_eq!(&world.leaders[index].log, &world.given[index], "each once, as they were given");
        }
    }

    // Verifies: client.producer.expire, client.producer.expire.wait, client.producer.resolve, client.producer.outcome
    #[test]
    fn what_is_said_is_true_even_if_batches_are_given_up(in_flight in 1..6_usize, events in vec(event(), 1..120)) {
        what_it_says_is_true(&run(config(in_flight, true), true, events))?;
    }

    // Verifies: client.producer.retry, client.producer.in-flight
    #[test]
    fn without_numbers_one_at_a_time_keeps_the_order(events in vec(event(), 1..120)) {
        // What is carried out late comes after what was sent later.
        let in_time = |event: &Event| !matches!(event, Event::Late { is_lost: false });
        let world = run(config(1, false), false, events.into_iter().filter(in_time).collect());
        what_it_says_is_true(&world)?;
        for index in 0..2 {
            let mut seen = BTreeSet::new();
            let firsts: Vec<_> =
                world.leaders[index].log.iter().filter(|record| seen.insert(**record)).copied().collect();
            prop_assert_eq!(&firsts, &world.given[index]);
        }
    }
}

const TWO_RECORDS: [Event; 2] = [Event::Give(0), Event::Give(0)];

fn log(world: &World) -> Vec<u32> {
    world.leaders[0].log.iter().map(|record| record.0).collect()
}

// Verifies: client.producer.retry, client.producer.number
#[test]
fn a_lost_answer_makes_a_duplicate_of_what_has_no_number() {
    let lost_answer =
        || [&TWO_RECORDS[..], &[Event::Id { is_loading: false }, Event::Handle(0), Event::Break(0)]].concat();
    assert_eq!(log(&run(config(5, false), false, lost_answer())), [0, 1, 0, 1]);
    assert_eq!(log(&run(config(5, true), false, lost_answer())), [0, 1]);
}

// Verifies: client.producer.retry, client.producer.retry.order, client.producer.in-flight
#[test]
fn with_more_than_one_under_way_what_has_no_number_changes_places() {
    let refused_first = |config| {
        let mut world = World::new(config, false);
        let four_records = [TWO_RECORDS, TWO_RECORDS].concat();
        let events =
            [&TWO_RECORDS[..], &[Event::Id { is_loading: false }, Event::Handle(0), Event::Answer(0)]].concat();
        events.into_iter().chain(four_records).for_each(|event| world.happens(event));
        world.leaders[0].is_deposed = true;
        world.happens(Event::Handle(0));
        world.leaders[0].is_deposed = false;
        world.happens(Event::Handle(0));
        world.calm_down();
        log(&world)
    };
    assert_eq!(refused_first(config(5, false)), [0, 1, 4, 5, 2, 3]);
    assert_eq!(refused_first(config(1, false)), [0, 1, 2, 3, 4, 5]);
    assert_eq!(refused_first(config(5, true)), [0, 1, 2, 3, 4, 5]);
}

/// A leader that knows nothing of a producer takes any number: so the very first batch can be overtaken, and stays behind
/// for ever. Kafka's clients and brokers do the same.
// Verifies: client.producer.expire, client.producer.gap
#[test]
fn the_first_batch_of_all_may_be_overtaken() {
    let mut world = World::new(config(2, true), true);
    let events = [&TWO_RECORDS[..], &[Event::Id { is_loading: false }], &TWO_RECORDS].concat();
    events.into_iter().for_each(|event| world.happens(event));
    world.leaders[0].is_deposed = true;
    world.happens(Event::Handle(0));
    world.leaders[0].is_deposed = false;
    for _ in 0..20 {
        (0..2).for_each(|_| [Event::Handle(0), Event::Answer(0)].into_iter().for_each(|event| world.happens(event)));
        world.step(Input::TimerFired(Timer::Retry(partition(0))));
    }
    assert_eq!(log(&world), [2, 3]);
    assert_eq!(world.done.keys().copied().collect::<Vec<_>>(), [Ticket(2), Ticket(3)]);
    let delivery = world.timers.iter().find(|timer| matches!(timer, Timer::Delivery(..))).cloned();
    world.step(Input::TimerFired(delivery.expect("it has a deadline")));
    world.calm_down();
    assert!(matches!(world.done[&Ticket(0)], (Outcome::Unknown(Code::REQUEST_TIMED_OUT), 0)));
}
