//! A leadership: what the leader of a partition knows of its followers.
//!
//! Rules: `replica.lead.*`, `replica.fetch.*`. Source: Kafka's `Partition.makeLeader`, `Replica.updateFetchStateOrThrow`.

use super::{Answer, Ask, Assignment, FollowerFetch, Isr, Output, Reader, Replica, Role, Timer, Waiting};
use crate::machine::Carrier;
use crate::marks::guard;
use crate::rules::{IsrBrokerEpoch, Rules};
use crate::values::{BrokerEpoch, BrokerId, Brokers, Offset};
use std::collections::VecDeque;

/// A leader's own state.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Leader<C: Carrier> {
    /// The log end offset when this leadership began: everything below it may have been committed.
    pub epoch_start: Offset,
    /// The topic's `min.insync.replicas`, at most the number of replicas.
    pub min_insync_replicas: usize,
    /// Who is in sync.
    pub isr: Isr,
    /// How far each other replica has come, by id.
    pub progress: Vec<Progress<C>>,
    /// The producers that wait for their records to be committed, in the order of their records.
    pub waiting: VecDeque<Waiting>,
}

/// What the metadata log says of a broker that has a copy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Peer {
    /// The broker.
    pub broker: BrokerId,
    /// Its present registration.
    pub epoch: BrokerEpoch,
    /// Whether it is neither fenced nor shutting down.
    pub active: bool,
}

/// How far one follower has come.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Progress<C: Carrier> {
    /// The follower.
    pub replica: BrokerId,
    /// Its registration, as the metadata log has it.
    pub peer: Option<Peer>,
    /// Its log end offset (exclusive), from its last fetch in this leadership.
    pub end: Option<Offset>,
    /// The broker epoch of that fetch; the inner `None` is a fetch of a version without it.
    pub broker_epoch: Option<Option<BrokerEpoch>>,
    /// When that fetch came, and where the leader's log ended then (exclusive).
    pub previous: Option<(C::Stamp, Offset)>,
    /// Whether `replica.lag.time.max.ms` has passed since it was last caught up.
    pub lagging: bool,
}

impl<C: Carrier> Progress<C> {
    fn new(replica: BrokerId) -> Self {
        Self { replica, peer: None, end: None, broker_epoch: None, previous: None, lagging: true }
    }

    /// At the end of the leader's log, or there not long ago.
    pub(super) fn is_caught_up(&self, log_end: Offset) -> bool {
        self.end == Some(log_end) || !self.lagging
    }
}

impl<C: Carrier> Leader<C> {
    /// The other replicas.
    #[must_use]
    pub fn assigned(&self) -> Brokers {
        self.progress.iter().map(|progress| progress.replica).collect()
    }

    /// A follower's log end offset (exclusive); `None` until it has fetched in this leadership.
    #[must_use]
    pub fn end_of(&self, replica: BrokerId) -> Option<Offset> {
        self.progress_of(replica).and_then(|progress| progress.end)
    }

    pub(super) fn progress_mut(&mut self, replica: BrokerId) -> Option<&mut Progress<C>> {
        self.progress.iter_mut().find(|progress| progress.replica == replica)
    }

    fn progress_of(&self, replica: BrokerId) -> Option<&Progress<C>> {
        self.progress.iter().find(|progress| progress.replica == replica)
    }

    pub(super) fn fetched_broker_epoch(&self, replica: BrokerId) -> Option<BrokerEpoch> {
        self.progress_of(replica).and_then(|progress| progress.broker_epoch.flatten())
    }

    /// `replica.isr.eligible`: neither fenced nor shutting down, and of the incarnation that fetched (KIP-841, KIP-903).
    pub(super) fn is_isr_eligible(&self, rules: &Rules, replica: BrokerId) -> bool {
        let Some(progress) = self.progress_of(replica) else { return false };
        let Some(peer) = progress.peer.filter(|peer| guard!("replica.isr.eligible/active", peer.active)) else {
            return false;
        };
        match rules.isr_broker_epoch {
            IsrBrokerEpoch::Unchecked => true,
            IsrBrokerEpoch::Checked => {
                let same = |fetched: Option<BrokerEpoch>| fetched.is_none_or(|epoch| epoch == peer.epoch);
                guard!("replica.isr.eligible", progress.broker_epoch.is_some_and(same))
            }
        }
    }

    /// Keeps the progress of those who stay, and begins that of those who come.
    fn reassign(&mut self, me: BrokerId, replicas: &Brokers, peers: &[Peer]) {
        let mut known = std::mem::take(&mut self.progress);
        for replica in replicas.iter().filter(|replica| *replica != me) {
            let kept = known.iter().position(|progress| progress.replica == replica);
            self.progress.push(kept.map_or_else(|| Progress::new(replica), |index| known.swap_remove(index)));
        }
        self.note_peers(peers);
    }

    /// A new epoch: followers in sync get `replica.lag.time.max.ms` to show themselves.
    fn begin(&mut self, at: C::Stamp, out: &mut Vec<Output<C>>) {
        for progress in &mut self.progress {
            progress.lagging = !self.isr.committed().contains(progress.replica);
            progress.previous = None;
            if !progress.lagging {
                out.push(Output::SetTimer { timer: Timer::Lag(progress.replica), from: Some(at) });
            }
        }
    }

    fn note_peers(&mut self, peers: &[Peer]) {
        for progress in &mut self.progress {
            progress.peer = peers.iter().copied().find(|peer| peer.broker == progress.replica);
        }
    }
}

impl<C: Carrier> Replica<C> {
    /// `replica.lead.begin`: a leader keeps its log whole, marks where its epoch begins before anything is written in
    /// it, and forgets what it knew of its followers. `replica.isr.override`: metadata settles a pending ISR change.
    pub(super) fn lead(&mut self, rules: &Rules, given: Assignment<C>, new_epoch: bool, out: &mut Vec<Output<C>>) {
        if matches!(self.role, Role::Follower(_)) {
            out.push(Output::CancelFetch);
        }
        let was_leader = matches!(self.role, Role::Leader(_));
        let mut leader = match std::mem::replace(&mut self.role, Role::Unassigned) {
            Role::Leader(leader) => leader,
            _ => Leader {
                epoch_start: self.log.end,
                min_insync_replicas: given.min_insync_replicas,
                isr: Isr::Committed(Brokers::default()),
                progress: Vec::new(),
                waiting: VecDeque::new(),
            },
        };
        guard!("replica.isr.override", leader.isr.is_pending());
        leader.isr = Isr::Committed(given.isr);
        leader.min_insync_replicas = given.min_insync_replicas;
        leader.reassign(self.me, &given.replicas, &given.peers);
        if guard!("replica.lead.begin", new_epoch || !was_leader) {
            leader.epoch_start = self.log.end;
            leader.begin(given.at, out);
            self.log.epochs.assign(given.leader_epoch, self.log.end);
            out.push(Output::StoreEpochs(self.log.epochs.clone()));
        }
        self.role = Role::Leader(leader);
        self.watch_lagging(out);
        self.raise_high_watermark(rules, out);
    }

    /// What the metadata log says of the other brokers; it may let a follower join at its next fetch.
    /// A pending ISR change stays pending: nothing was said of it.
    pub(super) fn cluster_changed(&mut self, peers: &[Peer], min_insync_replicas: usize) {
        if let Role::Leader(leader) = &mut self.role {
            leader.note_peers(peers);
            leader.min_insync_replicas = min_insync_replicas;
        }
    }

    /// `replica.fetch.ack`: a fetch at an offset acknowledges everything below it: the fetch is the ack. One whose log
    /// parts from this one, or of another epoch or an earlier incarnation, acknowledges nothing.
    pub(super) fn follower_fetched(&mut self, rules: &Rules, fetch: FollowerFetch<C>, out: &mut Vec<Output<C>>) {
        let ask = Ask {
            reader: Reader::Follower(fetch.replica),
            leader_epoch: fetch.leader_epoch,
            offset: fetch.offset,
            last_fetched_epoch: fetch.last_fetched_epoch,
        };
        let Answer::Read { .. } = self.read_view().answer(rules, &ask) else { return };
        let log_end = self.log.end;
        let Role::Leader(leader) = &mut self.role else { return };
        let Some(progress) = leader.progress_mut(fetch.replica) else { return };
        if rules.isr_broker_epoch == IsrBrokerEpoch::Checked && is_of_an_earlier_incarnation(&fetch, progress.peer) {
            return;
        }
        let caught_up = if guard!("replica.fetch.ack", fetch.offset >= log_end) {
            Some(fetch.at)
        } else {
            progress.previous.filter(|(_, end)| fetch.offset >= *end).map(|(at, _)| at)
        };
        // Set, not raised: a follower that has been cut back is behind again.
        progress.end = Some(fetch.offset);
        progress.broker_epoch = Some(fetch.broker_epoch);
        progress.previous = Some((fetch.at, log_end));
        if guard!("replica.fetch.ack/caught-up", caught_up.is_some()) {
            progress.lagging = false;
            out.push(Output::SetTimer { timer: Timer::Lag(fetch.replica), from: caught_up });
        }
        self.propose_isr_expansion(rules, fetch.replica, out);
        self.raise_high_watermark(rules, out);
    }
}

/// `replica.fetch.incarnation`: the metadata log knows a later registration than the one that sent this fetch.
fn is_of_an_earlier_incarnation<C: Carrier>(fetch: &FollowerFetch<C>, peer: Option<Peer>) -> bool {
    let is_earlier = matches!((fetch.broker_epoch, peer), (Some(sent), Some(peer)) if peer.epoch > sent);
    guard!("replica.fetch.incarnation", is_earlier)
}
