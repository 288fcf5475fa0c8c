//! A replica under whatever it may hear: stale, duplicated, hostile. Beside it a disk that carries out its outputs in
//! order, that may fail in between, and that may be all that is left after a crash in between.

#[path = "support/carrier.rs"]
mod carrier;
#[path = "support/replica_input.rs"]
mod replica_input;
mod support;

use carrier::{ME, Test};
use highwater_spec::log::{Batch, EpochCache, Found, recover};
use highwater_spec::machine::Machine;
use highwater_spec::producer::{Producers, Sequenced};
use highwater_spec::replica::*;
use highwater_spec::rules::Rules;
use highwater_spec::values::*;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;
use replica_input::{input, offset};

type Result<T = ()> = std::result::Result<T, TestCaseError>;

/// What one replica's folder holds.
#[derive(Clone, Debug, Default)]
struct Disk {
    start: i64,
    /// The epoch of each record from `start` on; none where a cleaner took what was there.
    records: Vec<Option<LeaderEpoch>>,
    epochs: EpochCache,
    /// The whole batches of producers, each with its place. They are remembered when the log's start has passed them.
    sequenced: Vec<(Sequenced, Offset, u32)>,
}

impl Disk {
    fn end(&self) -> i64 {
        self.start + self.records.len() as i64
    }

    fn carry_out(&mut self, output: &Output<Test>) -> Result {
        match output {
            Output::StoreEpochs(epochs) => self.epochs = epochs.clone(),
            Output::Append(batches) => batches.iter().try_for_each(|batch| self.append(batch, batch.count))?,
            Output::Truncate { to } => {
                prop_assert!(self.start <= to.0 && to.0 <= self.end(), "a cut to {to} of {self:?}");
                self.records.truncate((to.0 - self.start) as usize);
                self.sequenced.retain(|(_, base, count)| base.plus(*count) <= *to);
            }
            Output::TruncateFully { at } => {
                self.start = at.0;
                self.records.clear();
                self.sequenced.clear();
            }
            // The shell writes down the log's start with what it publishes.
            Output::Publish(view) if !matches!(view.role, ReadRole::Offline(_)) => {
                self.records.drain(..((view.log_start.0 - self.start).max(0) as usize).min(self.records.len()));
                self.start = view.log_start.0;
            }
            Output::DeleteLog => *self = Self::default(),
            _ => {}
        }
        Ok(())
    }

    fn append(&mut self, batch: &Batch<Test>, written: u32) -> Result {
        let gap = batch.base.0 - self.end();
        prop_assert!(gap >= 0, "a batch overlaps");
        prop_assert!(self.records.iter().flatten().all(|epoch| *epoch <= batch.epoch), "epochs fall along the log");
        if written > 0 || written == batch.count {
            self.records.extend((0..gap).map(|_| None));
        }
        self.records.extend((0..written).map(|_| Some(batch.epoch)));
        let whole = batch.producer.filter(|_| written == batch.count);
        self.sequenced.extend(whole.map(|sequenced| (sequenced, batch.base, batch.count)));
        Ok(())
    }

    fn producers(&self) -> Producers {
        let mut producers = Producers::default();
        self.sequenced.iter().for_each(|(batch, base, count)| producers.appended(batch, *base, *count));
        producers
    }

    fn restarted(&self, high_watermark: Offset) -> Replica<Test> {
        let (start, end, epochs) = (Offset(self.start), Offset(self.end()), self.epochs.clone());
        let recovered = recover(Found { start, end, epochs, high_watermark, producers: self.producers() });
        let ahead = recovered.log.epochs.entries().iter().find(|entry| entry.start >= end && entry.start > start);
        assert_eq!(ahead, None, "an epoch without records is not forgotten");
        Replica::new(ME, recovered)
    }

    /// Every disk that a crash may leave: after each output, and in the middle of a write.
    fn crashed(&self, outputs: &[Output<Test>]) -> Result<Vec<Self>> {
        let mut disk = self.clone();
        let mut found = vec![disk.clone()];
        for output in outputs {
            if let Output::Append(batches) = output {
                let mut torn = disk.clone();
                for batch in batches {
                    for written in 0..batch.count {
                        let mut torn = torn.clone();
                        torn.append(batch, written)?;
                        found.push(torn);
                    }
                    torn.append(batch, batch.count)?;
                }
            }
            disk.carry_out(output)?;
            found.push(disk.clone());
        }
        Ok(found)
    }
}

/// P-1, for one replica and its disk.
fn check_state(replica: &Replica<Test>, disk: &Disk) -> Result {
    let (log, hw) = (replica.log(), replica.high_watermark());
    prop_assert!(log.start <= hw && hw <= log.end, "start {} high watermark {hw} end {}", log.start, log.end);
    prop_assert_eq!((log.start.0, log.end.0), (disk.start, disk.end()), "the log is not what the disk has");
    prop_assert!(disk.records.iter().flatten().is_sorted(), "epochs fall along the log");
    prop_assert_eq!(replica.producers(), &disk.producers(), "producers are not the fold of the log");
    let entries = log.epochs.entries();
    let increasing = entries.windows(2).all(|pair| pair[0].epoch < pair[1].epoch && pair[0].start < pair[1].start);
    prop_assert!(increasing, "epoch cache out of order: {entries:?}");
    let ahead = entries.last().filter(|last| last.start > log.end);
    prop_assert!(ahead.is_none(), "{ahead:?} begins past the end of the log, {}", log.end);
    let records = (disk.start..).zip(&disk.records).filter_map(|(offset, epoch)| Some((offset, (*epoch)?)));
    for (offset, epoch) in records {
        let cached = entries.iter().rfind(|cached| cached.start.0 <= offset).map(|cached| cached.epoch);
        prop_assert_eq!(cached, Some(epoch), "at {} of {:?}", offset, entries);
    }
    Ok(())
}

/// The offset that a producer is told, if it is told that its batch is there.
fn acked(outcome: &ProduceOutcome) -> Option<Offset> {
    match *outcome {
        ProduceOutcome::Acked { base } | ProduceOutcome::Duplicate { base, .. } => Some(base),
        ProduceOutcome::Undersized { .. } | ProduceOutcome::Refused(_) | ProduceOutcome::Unknown(_) => None,
    }
}

struct World {
    rules: Rules,
    replica: Replica<Test>,
    disk: Disk,
    /// How often each ticket was handed in and not answered yet.
    unanswered: [usize; 6],
    fetch: Option<FetchRequest>,
    proposal: Option<IsrProposal>,
    offline: bool,
}

impl World {
    fn new(rules: Rules, disk: Disk, high_watermark: Offset) -> Result<Self> {
        let replica = disk.restarted(high_watermark);
        check_state(&replica, &disk)?;
        Ok(Self { rules, replica, disk, unanswered: [0; 6], fetch: None, proposal: None, offline: false })
    }

    fn step(&mut self, input: Input<Test>) -> Result<Vec<Output<Test>>> {
        let (before, mut out) = (self.replica.clone(), Vec::new());
        self.replica.step(&self.rules, input.clone(), &mut out);
        self.check_publication(&before, &out)?;
        self.check_tickets(&before, &input, &out)?;
        if before.leader().is_some()
            && self.replica.leader().is_some()
            && before.leader_epoch() == self.replica.leader_epoch()
        {
            prop_assert!(before.high_watermark() <= self.replica.high_watermark(), "a leader's high watermark fell");
        }
        self.offline |= matches!(input, Input::Failed { .. } | Input::Deleted);
        for output in &out {
            let quiet = match output {
                Output::Publish(_) | Output::DeleteLog | Output::CancelFetch => true,
                Output::Reply { outcome, .. } => acked(outcome).is_none(),
                _ => false,
            };
            prop_assert!(quiet || !self.offline, "offline, and yet {output:?}");
            match output {
                Output::Fetch(request) => self.fetch = Some(*request),
                Output::AskLogEnds(request) => self.fetch = Some(*request),
                Output::ProposeIsr(proposal) => self.proposal = Some(proposal.clone()),
                _ => {}
            }
        }
        Ok(out)
    }

    fn check_publication(&self, before: &Replica<Test>, out: &[Output<Test>]) -> Result {
        let published = out.iter().position(|output| matches!(output, Output::Publish(_)));
        match published.map(|index| (index, &out[index])) {
            Some((index, Output::Publish(view))) => {
                let answers = out[index + 1..].iter().all(|output| matches!(output, Output::Reply { .. }));
                prop_assert!(answers, "more than answers follows the publication: {:?}", out);
                let told = out[..index]
                    .iter()
                    .any(|output| matches!(output, Output::Reply { outcome, .. } if acked(outcome).is_some()));
                prop_assert!(!told, "a producer hears before readers can see: {:?}", out);
                prop_assert_eq!(view, &self.replica.read_view());
            }
            _ => prop_assert_eq!(before.read_view(), self.replica.read_view(), "readers don't hear of a change"),
        }
        Ok(())
    }

    /// Whoever asked either waits or has been answered, once; and what is acknowledged is committed.
    fn check_tickets(&mut self, before: &Replica<Test>, input: &Input<Test>, out: &[Output<Test>]) -> Result {
        let asked: &[Produce<Test>] = if let Input::Produced(asked) = input { asked } else { &[] };
        asked.iter().for_each(|produce| self.unanswered[produce.ticket.0 as usize] += 1);
        let waited = before.leader().map_or(Vec::new(), |leader| leader.waiting.iter().copied().collect());
        let mut refused = 0;
        for output in out {
            let Output::Reply { ticket, outcome } = output else { continue };
            let left = self.unanswered[ticket.0 as usize].checked_sub(1);
            prop_assert!(left.is_some(), "{ticket} is answered and was not asked, or twice: {outcome:?}");
            self.unanswered[ticket.0 as usize] = left.unwrap();
            let is_refused = matches!(outcome, ProduceOutcome::Refused(_));
            refused += usize::from(is_refused);
            let was_asked = asked.iter().any(|produce| produce.ticket == *ticket);
            prop_assert!(!is_refused || was_asked, "{ticket} was appended, and is told that it was not");
            if let Some(base) = acked(outcome) {
                let before = waited.iter().filter(|waiting| (waiting.ticket, waiting.base) == (*ticket, base));
                let now = asked.iter().filter(|produce| produce.ticket == *ticket);
                let bounds = before.map(|waiting| waiting.required).chain(now.map(|produce| match produce.acks {
                    Acks::All => base.plus(produce.count),
                    Acks::None | Acks::Leader => Offset(0),
                }));
                let hw = self.replica.high_watermark();
                prop_assert!(bounds.min().is_some_and(|least| least <= hw), "{ticket} acknowledged too early");
            }
        }
        let appended = out.iter().map(|output| if let Output::Append(batches) = output { batches.len() } else { 0 });
        if matches!(input, Input::Produced(_)) {
            let (done, sequenced) = (appended.sum::<usize>() + refused, asked.iter().any(|one| one.producer.is_some()));
            prop_assert!(done == asked.len() || sequenced && done < asked.len(), "appended or refused, not both");
        }
        let mut waiting = [0; 6];
        let leader = self.replica.leader();
        leader.into_iter().flat_map(|leader| &leader.waiting).for_each(|found| waiting[found.ticket.0 as usize] += 1);
        prop_assert_eq!(waiting, self.unanswered, "whoever is not answered must wait");
        Ok(())
    }

    fn play(&mut self, (input, aimed, end): (Input<Test>, bool, End)) -> Result {
        let input = if aimed { self.aimed(input) } else { input };
        let offline = self.offline;
        if let Input::ProducersExpired(gone) = &input {
            self.disk.sequenced.retain(|(batch, ..)| !gone.contains(&batch.producer));
        }
        let out = self.step(input)?;
        for disk in self.disk.crashed(&out)?.iter().filter(|_| !offline) {
            let found = disk.restarted(Offset(i64::from(out.len() as u8 % 7)));
            check_state(&found, disk)?;
        }
        match end {
            _ if offline && !matches!(end, End::Crash(..)) => {}
            End::CarriedOut => {
                for output in &out {
                    self.disk.carry_out(output)?;
                    if let Output::ReadProducers { upto } = *output {
                        let said = self.step(Input::ProducersRead { upto, producers: self.disk.producers() })?;
                        prop_assert!(said.is_empty(), "nothing follows from it: {said:?}");
                    }
                }
                let deleted = out.contains(&Output::DeleteLog);
                if !deleted {
                    check_state(&self.replica, &self.disk)?;
                }
            }
            End::Fails(after) => {
                let (done, dropped) = out.split_at(after.index(out.len() + 1));
                done.iter().try_for_each(|output| self.disk.carry_out(output))?;
                let dropped = dropped.iter().filter_map(|output| match output {
                    Output::Reply { ticket, .. } => Some(*ticket),
                    _ => None,
                });
                let unanswered: Vec<_> = dropped.collect();
                unanswered.iter().for_each(|ticket| self.unanswered[ticket.0 as usize] += 1);
                self.step(Input::Failed { unanswered })?;
            }
            End::Crash(after, hw) => {
                let found = if offline { vec![self.disk.clone()] } else { self.disk.crashed(&out)? };
                *self = Self::new(self.rules, after.get(&found).clone(), hw)?;
            }
        }
        Ok(())
    }

    /// The input, made to fit what the replica is about.
    fn aimed(&self, mut input: Input<Test>) -> Input<Test> {
        let (end, epoch) = (self.replica.log().end, self.replica.leader_epoch().unwrap_or_default());
        let next = self.replica.partition_epoch().map_or(PartitionEpoch(0), PartitionEpoch::next);
        match &mut input {
            Input::Assigned(given) => {
                given.partition_epoch = next;
                given.leader_epoch = epoch.max(LeaderEpoch(epoch.0 + given.leader_epoch.0 % 2));
            }
            Input::FollowerFetched(fetch) => {
                fetch.leader_epoch = Some(epoch);
                fetch.last_fetched_epoch = self.replica.log().epochs.latest();
                fetch.offset = fetch.offset.min(end);
            }
            Input::FetchAnswered { asked, answer } => {
                *asked = self.fetch.unwrap_or(*asked);
                if let FetchAnswer::Records { batches, .. } = answer {
                    let mut at = (end, self.replica.log().epochs.latest().unwrap_or_default());
                    for batch in batches {
                        (batch.base, batch.epoch) = (at.0, batch.epoch.max(at.1));
                        at = (batch.end(), batch.epoch);
                    }
                }
            }
            Input::LogEndsAnswered { asked, .. } => *asked = self.fetch.unwrap_or(*asked),
            Input::IsrAnswered { proposal, outcome } => {
                *proposal = self.proposal.clone().unwrap_or_else(|| proposal.clone());
                if let Ok(state) = outcome {
                    (state.leader_epoch, state.partition_epoch) = (epoch, next);
                }
            }
            _ => {}
        }
        input
    }
}

#[derive(Clone, Debug)]
enum End {
    CarriedOut,
    Fails(Index),
    Crash(Index, Offset),
}

fn end() -> impl Strategy<Value = End> {
    prop_oneof![
        30 => Just(End::CarriedOut),
        1 => any::<Index>().prop_map(End::Fails),
        3 => (any::<Index>(), offset()).prop_map(|(after, hw)| End::Crash(after, hw)),
    ]
}

/// An epoch in which nothing was written is forgotten at a restart, and must not come back at the next one.
// Verifies: log.recovery.epochs
#[test]
fn an_epoch_that_ran_ahead_does_not_come_back() {
    let batch = |base| Batch { base: Offset(base), count: 1, epoch: LeaderEpoch(0), producer: None, bytes: 0 };
    let given = |leader, epoch| {
        let replicas: Brokers = [BrokerId(1), BrokerId(2), BrokerId(3)].into_iter().collect();
        Input::Assigned(Assignment {
            leader: Some(BrokerId(leader)),
            leader_epoch: LeaderEpoch(epoch),
            partition_epoch: PartitionEpoch(epoch),
            isr: replicas.clone(),
            replicas,
            min_insync_replicas: 2,
            peers: Vec::new(),
            at: 0,
        })
    };
    let play = |world: &mut World, input| world.play((input, false, End::CarriedOut)).unwrap();
    let copy = |world: &mut World, base| {
        let answer =
            FetchAnswer::Records { batches: vec![batch(base)], high_watermark: Offset(0), log_start: Offset(0) };
        play(world, Input::FetchAnswered { asked: world.fetch.unwrap(), answer });
    };
    let mut world = World::new(Rules::KAFKA, Disk::default(), Offset(0)).unwrap();
    play(&mut world, given(3, 0));
    copy(&mut world, 0);
    play(&mut world, given(1, 1)); // leads in e1 from offset 1 on, and writes nothing
    world = World::new(Rules::KAFKA, world.disk, Offset(0)).unwrap();
    play(&mut world, given(2, 2));
    copy(&mut world, 1); // b2 has another record of e0
    World::new(Rules::KAFKA, world.disk, Offset(0)).unwrap();
}

proptest! {
    #![proptest_config(support::cases(40_000))]

    // Verifies: log.recovery.epochs, log.recovery.hw, replica.storage.offline, replica.read.own,
    // producer.state.fold, replica.producers.note, replica.producers.cut
    #[test]
    fn a_replica_keeps_its_log_and_its_word(
        rules in support::rules(),
        moves in vec((input(), prop::bool::weighted(0.8), end()), 1..60),
    ) {
        let mut world = World::new(rules, Disk::default(), Offset(0))?;
        moves.into_iter().try_for_each(|next| world.play(next))?;
    }
}
