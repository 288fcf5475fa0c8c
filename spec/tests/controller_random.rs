//! The controller under whatever it may hear, over a log that may be committed to any point and may lose its tail.

mod support;

use highwater_spec::controller::*;
use highwater_spec::machine::Machine;
use highwater_spec::property::{ISR_FENCED, ISR_SHAPE, LEADER_IN_ISR};
use highwater_spec::replica::IsrProposal;
use highwater_spec::replicated::{self, Replicated};
use highwater_spec::rules::Rules;
use highwater_spec::values::*;
use highwater_spec::view::{History, View};
use proptest::collection::vec;
use proptest::option::of;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use std::collections::VecDeque;
use std::sync::Arc;

type Result<T = ()> = std::result::Result<T, TestCaseError>;

/// C-1, C-2 and C-3.
fn check_image(image: &Image) -> Result {
    let (partition, metadata_end, history) = (TopicPartition::default(), Offset(0), &History::default());
    let view = View { partition, metadata: image, metadata_end, replicas: &[], sequenced: &[], history };
    for property in [ISR_SHAPE, LEADER_IN_ISR, ISR_FENCED] {
        let verdict = (property.check)(&view);
        prop_assert_eq!(verdict, Ok(()), "{} in {:#?}", property.number, image);
    }
    Ok(())
}

/// C-5 and C-6, for one record at one offset.
fn check_epochs(before: &Image, after: &Image, at: Offset) -> Result {
    for (id, old) in before.partitions() {
        let Some(new) = after.partition(id) else { continue };
        let changed = old != new;
        prop_assert!(!changed || new.partition_epoch > old.partition_epoch, "{old:?} became {new:?}");
        prop_assert!(new.leader_epoch >= old.leader_epoch);
        prop_assert!(old.leader == new.leader || new.leader_epoch > old.leader_epoch, "{old:?} became {new:?}");
    }
    for (broker, new) in &after.brokers {
        let old = before.brokers.get(broker);
        if old.is_none_or(|old| old.incarnation != new.incarnation) {
            prop_assert_eq!((new.epoch, new.fenced), (BrokerEpoch(at.0), true), "{} registered at {}", broker, at);
        } else {
            prop_assert_eq!(old.map(|old| old.epoch), Some(new.epoch));
        }
    }
    Ok(())
}

struct World {
    rules: Rules,
    machine: Replicated<Controller>,
    /// The image after each record of the log, the one that it began with first; it began at `base`.
    images: Vec<Image>,
    base: Offset,
    /// The furthest that was said to be committed.
    committed: Offset,
    /// Who waits for an answer, and where the log ended when it was decided.
    waiting: VecDeque<(Ticket, Offset)>,
    tickets: u32,
    /// Every producer id below was given to some broker (exclusive).
    given: ProducerId,
}

impl World {
    fn new(rules: Rules, image: Image, base: Offset) -> Self {
        let machine = Replicated::new(Controller::new(Arc::new(image.clone())), base);
        let (images, waiting) = (vec![image], VecDeque::new());
        let given = ProducerId(0);
        Self { rules, machine, images, base, committed: base, waiting, tickets: 0, given }
    }

    fn image_at(&self, end: Offset) -> &Image {
        &self.images[(end.0 - self.base.0) as usize]
    }

    fn hear(&mut self, input: Input) -> Result {
        let ticket = ticket_of(&input);
        self.waiting.extend(ticket.map(|ticket| (ticket, Offset(i64::MAX))));
        self.step(replicated::Input::Heard(input))
    }

    fn step(&mut self, input: replicated::Input<Input>) -> Result {
        let mut out = Vec::new();
        self.machine.step(&self.rules, input, &mut out);
        // A step that decides is answered where the log ends after it.
        let end = self.machine.end();
        self.waiting.iter_mut().filter(|(_, at)| at.0 == i64::MAX).for_each(|(_, at)| *at = end);
        for output in out {
            match output {
                replicated::Output::Append { base, records } => {
                    prop_assert_eq!(base.0, self.base.0 + self.images.len() as i64 - 1, "the log has a gap");
                    prop_assert!(!records.is_empty());
                    for (record, at) in records.iter().zip(base.0..) {
                        let mut image = self.images.last().unwrap().clone();
                        image.apply(record);
                        check_epochs(self.images.last().unwrap(), &image, Offset(at))?;
                        self.images.push(image);
                    }
                }
                replicated::Output::Do(Output::Reply { ticket, reply }) => {
                    self.check_producer_ids(&reply)?;
                    let next = self.waiting.pop_front();
                    let due = next.is_some_and(|(waits, at)| waits == ticket && at <= self.committed);
                    prop_assert!(due, "{ticket} is answered, and {next:?} is next; {} committed", self.committed);
                }
                replicated::Output::Do(Output::ExtendSession { .. }) => {}
            }
        }
        let (committed, spoken) = (self.machine.committed(), self.machine.speculative());
        prop_assert!(self.machine.committed_end() <= self.committed.max(self.base));
        prop_assert_eq!(end.0, self.base.0 + self.images.len() as i64 - 1);
        prop_assert_eq!(&**committed.image(), self.image_at(self.machine.committed_end()), "not the fold of the log");
        prop_assert_eq!(&**spoken.image(), self.image_at(end), "not the fold of the log");
        check_image(committed.image())?;
        check_image(spoken.image())
    }

    /// No producer id is given out twice.
    fn check_producer_ids(&mut self, reply: &Reply) -> Result {
        if let Reply::ProducerIds { first, count } = *reply {
            prop_assert!(first >= self.given, "{first} is one of those below {}", self.given);
            self.given = ProducerId(first.0 + i64::from(count));
        }
        Ok(())
    }

    fn play(&mut self, (what, aimed): (Move, bool)) -> Result {
        match what {
            Move::Hear(input) => {
                let input = if aimed { self.aimed(input) } else { input };
                self.tickets += 1;
                self.hear(with_ticket(input, Ticket(self.tickets)))
            }
            Move::Commit(upto) => {
                let left = (self.machine.end().0 - self.machine.committed_end().0) as usize;
                let upto = self.machine.committed_end().plus(upto.index(left + 1) as u32);
                self.committed = self.committed.max(upto);
                self.step(replicated::Input::Committed { upto })
            }
            Move::Revert => {
                self.waiting.clear();
                self.images.truncate((self.machine.committed_end().0 - self.base.0) as usize + 1);
                self.committed = self.machine.committed_end();
                self.step(replicated::Input::Reverted)
            }
        }
    }

    /// The input, made to fit what the controller knows.
    fn aimed(&self, mut input: Input) -> Input {
        let image = self.machine.speculative().image();
        let epoch_of = |broker: BrokerId| image.brokers.get(&broker).map_or(BrokerEpoch(0), |found| found.epoch);
        match &mut input {
            Input::Register(asked) => asked.previous_epoch = asked.previous_epoch.and(Some(epoch_of(asked.broker))),
            Input::Heartbeat(heard) => {
                heard.epoch = epoch_of(heard.broker);
                heard.metadata_end = self.machine.end();
            }
            Input::AllocateProducerIds { broker, broker_epoch, .. } => *broker_epoch = epoch_of(*broker),
            Input::SessionExpired { broker, epoch, .. } => *epoch = epoch_of(*broker),
            Input::AlterPartition { broker, broker_epoch, changes, .. } => {
                let found = changes.first().and_then(|change| image.partition(change.partition));
                *broker = found.and_then(|found| found.leader).unwrap_or(*broker);
                *broker_epoch = epoch_of(*broker);
                for change in changes {
                    let Some(found) = image.partition(change.partition) else { continue };
                    let members = change.proposal.members.iter().map(|(member, _)| *member);
                    let members: Brokers = members.chain([*broker]).filter(|id| found.replicas.contains(id)).collect();
                    change.proposal = IsrProposal {
                        leader_epoch: found.leader_epoch,
                        partition_epoch: found.partition_epoch,
                        members: members.iter().map(|member| (member, Some(epoch_of(member)))).collect(),
                    };
                }
            }
            _ => {}
        }
        input
    }
}

fn ticket_of(input: &Input) -> Option<Ticket> {
    match input {
        Input::Register(asked) => Some(asked.ticket),
        Input::Heartbeat(heard) => Some(heard.ticket),
        Input::Unregister { ticket, .. }
        | Input::AlterPartition { ticket, .. }
        | Input::AllocateProducerIds { ticket, .. }
        | Input::ElectLeader { ticket, .. }
        | Input::CreateTopic { ticket, .. }
        | Input::DeleteTopic { ticket, .. }
        | Input::Configure { ticket, .. } => Some(*ticket),
        Input::Activated | Input::SessionExpired { .. } | Input::LeaderlessChecked { .. } => None,
    }
}

fn with_ticket(mut input: Input, own: Ticket) -> Input {
    match &mut input {
        Input::Register(asked) => asked.ticket = own,
        Input::Heartbeat(heard) => heard.ticket = own,
        Input::Unregister { ticket, .. }
        | Input::AlterPartition { ticket, .. }
        | Input::AllocateProducerIds { ticket, .. }
        | Input::ElectLeader { ticket, .. }
        | Input::CreateTopic { ticket, .. }
        | Input::DeleteTopic { ticket, .. }
        | Input::Configure { ticket, .. } => *ticket = own,
        Input::Activated | Input::SessionExpired { .. } | Input::LeaderlessChecked { .. } => {}
    }
    input
}

#[derive(Clone, Debug)]
enum Move {
    Hear(Input),
    Commit(Index),
    Revert,
}

/// Three brokers, not fenced, and a topic of two partitions on them.
fn populated() -> (Image, Offset) {
    let brokers = (1..=3_i32).map(|id| {
        let (incarnation, epoch) = (IncarnationId([0; 16]), BrokerEpoch(i64::from(id)));
        (BrokerId(id), Registration { incarnation, epoch, fenced: false, in_controlled_shutdown: false })
    });
    let ids: Vec<_> = (1..=3).map(BrokerId).collect();
    let partition = Partition {
        replicas: ids.clone(),
        isr: ids.into_iter().collect(),
        elr: Brokers::default(),
        last_known_leader: None,
        leader: Some(BrokerId(1)),
        leader_epoch: LeaderEpoch(0),
        partition_epoch: PartitionEpoch(0),
        recovering: false,
    };
    let config = Config { min_insync_replicas: Some(2), ..Config::default() };
    let topic = Topic { name: "a".into(), partitions: vec![partition.clone(), partition], config };
    let topics = [(TopicId([0; 16]), topic)].into_iter().collect();
    (Image { brokers: brokers.collect(), topics, ..Image::default() }, Offset(8))
}

fn broker() -> impl Strategy<Value = BrokerId> + Clone {
    (1..=4).prop_map(BrokerId)
}

fn input() -> impl Strategy<Value = Input> {
    let ticket = Ticket(0);
    let choice = || of(broker());
    let topic = || prop_oneof![3 => Just(TopicId([0; 16])), 1 => Just(TopicId([1; 16]))];
    let partition = || (topic(), -1..=2_i32).prop_map(|(topic, index)| TopicPartition { topic, index });
    let epoch = || (0..=12_i64).prop_map(BrokerEpoch);
    let incarnation = (0..=2_u8).prop_map(|process| IncarnationId([process; 16]));
    let config = || (of(0..=3_u32), of(any::<bool>()));
    let config = move || {
        config().prop_map(|(min, unclean)| Config {
            min_insync_replicas: min,
            unclean_leader_election: unclean,
            ..Config::default()
        })
    };
    let members = vec((broker(), of(epoch())), 0..4);
    let change =
        (partition(), 0..=4, 0..=4, members).prop_map(|(partition, leader_epoch, partition_epoch, members)| {
            let (leader_epoch, partition_epoch) = (LeaderEpoch(leader_epoch), PartitionEpoch(partition_epoch));
            IsrChange { partition, proposal: IsrProposal { leader_epoch, partition_epoch, members } }
        });
    let name = select(vec!["a", "b", "a.b", "a_b", ".", ""]);
    let assignment = vec(vec(broker(), 0..4), 0..3);
    let create = (topic(), name, 0..=2_i32, 0..=4_i16, any::<u32>(), assignment, config());
    let create = create.prop_map(|(id, name, partitions, replication_factor, first, assignment, config)| CreateTopic {
        id,
        name: name.into(),
        partitions,
        replication_factor,
        first,
        assignment,
        config,
        validate_only: false,
    });
    let election = select(vec![Election::Online, Election::Preferred, Election::Unclean]);
    let want = || prop::bool::weighted(0.15);
    prop_oneof![
        1 => Just(Input::Activated),
        4 => (broker(), incarnation, of(epoch()), choice()).prop_map(move |(broker, incarnation, previous_epoch, choice)| {
            Input::Register(Register { ticket, broker, incarnation, previous_epoch, choice })
        }),
        10 => (broker(), epoch(), 0..=20_i64, want(), want(), choice()).prop_map(move |(broker, epoch, end, fence, stop, choice)| {
            let (metadata_end, want_fence, want_shutdown) = (Offset(end), fence, stop);
            Input::Heartbeat(Heartbeat { ticket, broker, epoch, metadata_end, want_fence, want_shutdown, choice })
        }),
        4 => (broker(), epoch(), choice()).prop_map(|(broker, epoch, choice)| Input::SessionExpired { broker, epoch, choice }),
        1 => (broker(), choice()).prop_map(move |(broker, choice)| Input::Unregister { ticket, broker, choice }),
        10 => (broker(), epoch(), vec(change, 0..3)).prop_map(move |(broker, broker_epoch, changes)| {
            Input::AlterPartition { ticket, broker, broker_epoch, changes }
        }),
        4 => (partition(), election, choice()).prop_map(move |(partition, election, choice)| {
            Input::ElectLeader { ticket, partition, election, choice }
        }),
        2 => (broker(), epoch()).prop_map(move |(broker, broker_epoch)| {
            Input::AllocateProducerIds { ticket, broker, broker_epoch }
        }),
        2 => choice().prop_map(|choice| Input::LeaderlessChecked { choice }),
        3 => create.prop_map(move |topic| Input::CreateTopic { ticket, topic }),
        1 => topic().prop_map(move |topic| Input::DeleteTopic { ticket, topic }),
        2 => (of(topic()), config()).prop_map(move |(topic, config)| Input::Configure { ticket, topic, config }),
    ]
}

fn what() -> impl Strategy<Value = Move> {
    prop_oneof![
        16 => input().prop_map(Move::Hear),
        6 => any::<Index>().prop_map(Move::Commit),
        1 => Just(Move::Revert),
    ]
}

proptest! {
    #![proptest_config(support::cases(20_000))]

    // Verifies: log-backed.*, controller.epochs, controller.broker.register, controller.producer-ids.once
    #[test]
    fn the_controller_keeps_its_log_and_its_word(
        rules in support::rules(),
        empty in prop::bool::weighted(0.2),
        moves in vec((what(), prop::bool::weighted(0.8)), 1..80),
    ) {
        let (image, base) = if empty { (Image::default(), Offset(0)) } else { populated() };
        let mut world = World::new(rules, image, base);
        world.hear(Input::Activated)?;
        moves.into_iter().try_for_each(|next| world.play(next))?;
        world.committed = world.machine.end();
        world.step(replicated::Input::Committed { upto: world.committed })?;
        prop_assert!(world.waiting.is_empty(), "never answered: {:?}", world.waiting);
    }
}
