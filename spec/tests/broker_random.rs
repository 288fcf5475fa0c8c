//! A broker's process under whatever it may hear: deliveries that overlap or leave gaps, answers that are late.

mod support;

use highwater_spec::broker::*;
use highwater_spec::controller::{
    HeartbeatReply, Image, IsrChange, Partition, PartitionChange, Record, Registration, Setting,
};
use highwater_spec::machine::{Carrier, Machine};
use highwater_spec::refusal::Refusal;
use highwater_spec::replica::{self, IsrProposal, IsrState};
use highwater_spec::rules::Rules;
use highwater_spec::values::*;
use proptest::collection::vec;
use proptest::option::of;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use std::collections::BTreeSet;
use std::sync::Arc;

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Test;

impl Carrier for Test {
    type Bytes = u8;
    type Stamp = u8;
}

type Result<T = ()> = std::result::Result<T, TestCaseError>;
type Answers = Vec<(TopicPartition, std::result::Result<IsrState, Refusal>)>;

const ME: BrokerId = BrokerId(1);

struct World {
    rules: Rules,
    broker: Broker<Test>,
    log: Vec<Record>,
    /// The AlterPartition that is under way.
    in_flight: Option<Vec<IsrChange>>,
    /// The latest proposal of each partition that waits, as the replicas made them.
    unsent: Vec<(TopicPartition, IsrProposal)>,
    failed: bool,
    shutdown_asked: bool,
}

impl World {
    fn image_at(&self, end: Offset) -> Image {
        let mut image = Image::default();
        self.log[..end.0 as usize].iter().for_each(|record| image.apply(record));
        image
    }

    fn step(&mut self, input: Input<Test>) -> Result {
        let (before, mut out) = (self.broker.clone(), Vec::new());
        self.broker.step(&self.rules, input.clone(), &mut out);
        self.failed |= input == Input::ReplicaFailed;
        self.shutdown_asked |= input == Input::ShutdownAsked;
        self.check_metadata(&before, &input)?;
        self.check_proposals(&input, &out)?;
        self.check_life(&before, &input, &out)?;
        self.check_told(&before, &input, &out)
    }

    /// C-7: whatever overlaps or is missing, the image is the fold of a prefix, and a delivery that fits goes in.
    fn check_metadata(&self, before: &Broker<Test>, input: &Input<Test>) -> Result {
        let end = self.broker.metadata_end();
        prop_assert_eq!(&**self.broker.image(), &self.image_at(end), "not the fold of [0, {})", end);
        let reached = match input {
            Input::MetadataArrived { from, records, .. } if *from <= before.metadata_end() => {
                from.plus(records.len() as u32).max(before.metadata_end())
            }
            Input::SnapshotLoaded { end, .. } if !before.is_published() => (*end).max(before.metadata_end()),
            _ => before.metadata_end(),
        };
        prop_assert_eq!(end, reached);
        Ok(())
    }

    /// One AlterPartition at a time; a retry says the same again; nothing that was proposed is forgotten.
    fn check_proposals(&mut self, input: &Input<Test>, out: &[Output<Test>]) -> Result {
        if let Input::IsrProposed { partition, proposal } = input {
            self.unsent.retain(|(waiting, _)| waiting != partition);
            self.unsent.push((*partition, proposal.clone()));
        }
        let answered = matches!(input, Input::AlterPartitionAnswered(Ok(_)));
        let mut owed: BTreeSet<_> = BTreeSet::new();
        if let (true, Some(changes)) = (answered, &self.in_flight) {
            owed = changes.iter().map(|change| change.partition).collect();
            self.in_flight = None;
        }
        for output in out {
            match output {
                Output::AlterPartition { broker_epoch, changes } => {
                    prop_assert_eq!(Some(*broker_epoch), self.broker.epoch());
                    let own = changes.iter().flat_map(|change| &change.proposal.members).filter(|(id, _)| *id == ME);
                    prop_assert!(own.into_iter().all(|(_, epoch)| *epoch == self.broker.epoch()), "{changes:?}");
                    if let Some(sent) = &self.in_flight {
                        prop_assert!(*input == Input::TimerFired(Timer::AlterPartitionRetry), "two are under way");
                        prop_assert_eq!(sent, changes, "the retry says something else");
                    } else {
                        let mut sent: Vec<_> = std::mem::take(&mut self.unsent);
                        sent.sort_by_key(|(partition, _)| *partition);
                        let unsigned = changes.iter().map(|change| (change.partition, change.proposal.brokers()));
                        let proposed = sent.iter().map(|(partition, proposal)| (*partition, proposal.brokers()));
                        prop_assert!(unsigned.eq(proposed), "{changes:?} for {sent:?}");
                        self.in_flight = Some(changes.clone());
                    }
                }
                Output::Tell { partition, input: replica::Input::IsrAnswered { .. } } => {
                    prop_assert!(answered && owed.remove(partition), "{partition:?} hears an answer to nothing");
                }
                _ => {}
            }
        }
        prop_assert!(owed.is_empty(), "{owed:?} hear no answer");
        let refused = matches!(input, Input::AlterPartitionAnswered(Err(_)));
        prop_assert!(!refused || out.contains(&Output::SetTimer(Timer::AlterPartitionRetry)), "never sent again");
        prop_assert!(
            self.in_flight.is_some() || self.unsent.is_empty(),
            "nothing is under way, and {:?} wait",
            self.unsent
        );
        Ok(())
    }

    fn check_life(&self, before: &Broker<Test>, input: &Input<Test>, out: &[Output<Test>]) -> Result {
        prop_assert!(before.stage() <= self.broker.stage(), "{:?} became {:?}", before.stage(), self.broker.stage());
        prop_assert!(before.epoch().is_none() || before.epoch() == self.broker.epoch(), "registered twice");
        prop_assert!(self.broker.stage() <= Stage::Running || self.shutdown_asked, "stops unasked");
        let closes = before.stage() != Stage::Closing && self.broker.stage() == Stage::Closing;
        prop_assert_eq!(closes, out.contains(&Output::CloseLogs));
        for output in out {
            match output {
                Output::WriteCleanShutdown { epoch } => {
                    prop_assert!(*input == Input::LogsClosed && before.stage() == Stage::Closing && !self.failed);
                    prop_assert_eq!(Some(*epoch), self.broker.epoch());
                    prop_assert_eq!(out.last(), Some(&Output::Exit), "the mark comes last");
                }
                Output::Register { .. } => prop_assert_eq!(self.broker.stage(), Stage::Registering),
                Output::Heartbeat { epoch, metadata_end, want_fence, want_shutdown } => {
                    prop_assert_eq!((Some(*epoch), *metadata_end), (self.broker.epoch(), self.broker.metadata_end()));
                    let stopping = self.broker.stage() == Stage::ShuttingDown;
                    prop_assert_eq!((*want_fence, *want_shutdown), (self.failed, stopping));
                }
                Output::Exit => prop_assert!(*input == Input::LogsClosed || *input == Input::ShutdownAsked),
                _ => {}
            }
        }
        Ok(())
    }

    /// Replicas hear nothing before the first publication, which comes past the broker's own registration, and then
    /// what the whole image says; later, of every partition of theirs that changed.
    fn check_told(&self, before: &Broker<Test>, input: &Input<Test>, out: &[Output<Test>]) -> Result {
        let first = !before.is_published() && self.broker.is_published();
        let registered = self.broker.epoch().is_some_and(|epoch| self.broker.metadata_end().0 > epoch.0);
        prop_assert!(!self.broker.is_published() || registered, "published before its own registration");
        let due = match input {
            Input::RegistrationAnswered { .. } => before.epoch().is_none(),
            Input::MetadataArrived { from, .. } => *from <= before.metadata_end(),
            _ => false,
        };
        prop_assert!(self.broker.is_published() || !(registered && due), "registered, and not published");
        let (old, new) = (before.image(), self.broker.image());
        let mut must: BTreeSet<_> =
            new.partitions().filter(|(_, found)| found.replicas.contains(&ME)).map(|(id, _)| id).collect();
        must.retain(|id| self.broker.is_published() && (first || old.partition(*id) != new.partition(*id)));
        let gone = old.partitions().filter(|(_, found)| before.is_published() && found.replicas.contains(&ME));
        let gone = gone.filter(|(id, _)| new.partition(*id).is_none());
        let mut gone: BTreeSet<_> = gone.map(|(id, _)| id).collect();
        for output in out {
            let Output::Tell { partition, input: told } = output else { continue };
            match told {
                replica::Input::IsrAnswered { .. } => continue,
                replica::Input::Closing => prop_assert!(matches!(input, Input::HeartbeatAnswered(Ok(_)))),
                replica::Input::Deleted => {
                    gone.remove(partition);
                    let hosted = old.partition(*partition).is_none_or(|found| found.replicas.contains(&ME));
                    prop_assert!(hosted, "{partition:?} was never this broker's, and is to be deleted");
                }
                replica::Input::Assigned(given) => {
                    must.remove(partition);
                    let found = new.partition(*partition).unwrap();
                    prop_assert_eq!((given.leader, given.partition_epoch), (found.leader, found.partition_epoch));
                }
                replica::Input::ClusterChanged { .. } => {}
                _ => prop_assert!(false, "a broker never says {told:?}"),
            }
            prop_assert!(self.broker.is_published(), "{partition:?} hears {told:?} too early");
        }
        prop_assert!(must.is_empty() && gone.is_empty(), "{must:?} and {gone:?} don't hear of it");
        Ok(())
    }

    /// The input, as the log has it.
    fn play(&mut self, next: Move) -> Result {
        let end = self.broker.metadata_end().0 as usize;
        match next {
            // A replica leads once it was told so, which takes a registration.
            Move::Hear(Input::IsrProposed { .. }) if self.broker.epoch().is_none() => Ok(()),
            Move::Hear(input) => self.step(input),
            Move::Records { from, count, at } => {
                let from = (end + 3).saturating_sub(from).min(self.log.len());
                let records = self.log[from..(from + count).min(self.log.len())].to_vec();
                self.step(Input::MetadataArrived { from: Offset(from as i64), records, at })
            }
            Move::Snapshot(end) => {
                let end = Offset(end.index(self.log.len() + 1) as i64);
                self.step(Input::SnapshotLoaded { image: Arc::new(self.image_at(end)), end, at: 0 })
            }
            Move::Answer { omit, refused } => {
                let Some(changes) = &self.in_flight else { return Ok(()) };
                let ids = changes.iter().map(|change| change.partition).skip(usize::from(omit));
                let answers: Answers = ids.map(|id| (id, Err(refused.unwrap_or(Refusal::IneligibleReplica)))).collect();
                self.step(Input::AlterPartitionAnswered(Ok(answers)))
            }
        }
    }
}

#[derive(Clone, Debug)]
enum Move {
    Hear(Input<Test>),
    Records { from: usize, count: usize, at: u8 },
    Snapshot(Index),
    Answer { omit: bool, refused: Option<Refusal> },
}

fn broker() -> impl Strategy<Value = BrokerId> + Clone {
    (1..=3).prop_map(BrokerId)
}

fn topic() -> impl Strategy<Value = TopicId> + Clone {
    (0..=1_u8).prop_map(|topic| TopicId([topic; 16]))
}

fn partition() -> impl Strategy<Value = TopicPartition> + Clone {
    (topic(), 0..=1).prop_map(|(topic, index)| TopicPartition { topic, index })
}

fn record() -> impl Strategy<Value = Record> {
    let epoch = || (0..=4_i64).prop_map(BrokerEpoch);
    let registration =
        (broker(), epoch(), any::<bool>()).prop_map(|(broker, epoch, fenced)| Record::BrokerRegistered {
            broker,
            registration: Registration {
                incarnation: IncarnationId::default(),
                epoch,
                fenced,
                in_controlled_shutdown: false,
            },
        });
    let brokers = || vec(broker(), 0..4).prop_map(|members| members.into_iter().collect::<Brokers>());
    let created = (topic(), brokers(), of(broker())).prop_map(|(topic, isr, leader)| {
        let (replicas, elr, last_known_leader) = (isr.iter().collect(), Brokers::default(), None);
        let (leader_epoch, partition_epoch, recovering) = (LeaderEpoch(0), PartitionEpoch(0), false);
        let partition =
            Partition { replicas, isr, elr, last_known_leader, leader, leader_epoch, partition_epoch, recovering };
        Record::PartitionCreated { topic, partition }
    });
    let changed =
        (partition(), of(of(broker())), of(brokers()), of(brokers())).prop_map(|(partition, leader, isr, elr)| {
            Record::PartitionChanged { partition, change: PartitionChange { leader, isr, elr, ..Default::default() } }
        });
    prop_oneof![
        3 => registration,
        2 => (broker(), epoch(), of(any::<bool>()), any::<bool>()).prop_map(|(broker, epoch, fenced, in_controlled_shutdown)| {
            Record::BrokerChanged { broker, epoch, fenced, in_controlled_shutdown }
        }),
        1 => broker().prop_map(|broker| Record::BrokerUnregistered { broker }),
        4 => topic().prop_map(|topic| Record::TopicCreated { topic, name: "t".into() }),
        8 => created,
        8 => changed,
        1 => topic().prop_map(|topic| Record::TopicRemoved { topic }),
        1 => (of(topic()), of(1..=3_u32)).prop_map(|(topic, min_insync_replicas)| Record::ConfigChanged {
            topic, setting: Setting::MinInsyncReplicas(min_insync_replicas),
        }),
        1 => of(topic()).prop_map(|topic| Record::ElrCleared { topic }),
        1 => (broker(), epoch(), 0..9_i64).prop_map(|(broker, broker_epoch, next)| {
            Record::ProducerIdsAllocated { broker, broker_epoch, next: ProducerId(next) }
        }),
    ]
}

fn what() -> impl Strategy<Value = Move> {
    let refusal = || select(Refusal::ALL);
    let epoch = (0..=4_i64).prop_map(BrokerEpoch);
    let registered = (prop::result::maybe_err(epoch, refusal()), any::<u8>());
    let reply = (any::<bool>(), any::<bool>(), prop::bool::weighted(0.3))
        .prop_map(|(is_caught_up, is_fenced, stop)| HeartbeatReply { is_caught_up, is_fenced, should_shut_down: stop });
    let members = vec((broker(), of((0..=4_i64).prop_map(BrokerEpoch))), 0..4);
    let proposed =
        (partition(), 0..=2, 0..=3, members).prop_map(|(partition, leader_epoch, partition_epoch, members)| {
            let (leader_epoch, partition_epoch) = (LeaderEpoch(leader_epoch), PartitionEpoch(partition_epoch));
            Input::IsrProposed { partition, proposal: IsrProposal { leader_epoch, partition_epoch, members } }
        });
    let timer = select(vec![Timer::Registration, Timer::Heartbeat, Timer::AlterPartitionRetry]);
    let heard = prop_oneof![
        1 => Just(Input::Started),
        3 => registered.prop_map(|(outcome, at)| Input::RegistrationAnswered { outcome, at }),
        3 => prop::result::maybe_err(reply, refusal()).prop_map(Input::HeartbeatAnswered),
        8 => proposed,
        2 => refusal().prop_map(|refusal| Input::AlterPartitionAnswered(Err(refusal))),
        4 => timer.prop_map(Input::TimerFired),
        1 => Just(Input::ShutdownAsked),
        1 => Just(Input::LogsClosed),
        1 => Just(Input::ReplicaFailed),
    ];
    prop_oneof![
        12 => heard.prop_map(Move::Hear),
        8 => (0..=6_usize, 0..=6_usize, any::<u8>()).prop_map(|(from, count, at)| Move::Records { from, count, at }),
        1 => any::<Index>().prop_map(Move::Snapshot),
        3 => (any::<bool>(), of(refusal())).prop_map(|(omit, refused)| Move::Answer { omit, refused }),
    ]
}

proptest! {
    #![proptest_config(support::cases(20_000))]

    // Verifies: broker.metadata.*, broker.heartbeat, broker.isr.*, broker.shutdown.clean
    #[test]
    fn a_broker_keeps_its_metadata_and_its_requests_in_order(
        rules in support::rules(),
        log in vec(record(), 0..24),
        moves in vec(what(), 1..50),
    ) {
        // A topic's id is used once.
        let mut used = BTreeSet::new();
        let mut is_new = |record: &Record| if let Record::TopicCreated { topic, .. } = record { used.insert(*topic) } else { true };
        let log = log.into_iter().filter(|record| is_new(record)).collect();
        let broker = Broker::new(ME, IncarnationId::default(), None);
        let (in_flight, unsent) = (None, Vec::new());
        let mut world = World { rules, broker, log, in_flight, unsent, failed: false, shutdown_asked: false };
        moves.into_iter().try_for_each(|next| world.play(next))?;
    }
}
