//! The group coordinator: who is in a group, who reads what, and up to where it has been read.
//!
//! One [`Coordinator`] leads one partition of `__consumer_offsets`, and with it every group whose id hashes there. What
//! it must not lose it writes into that partition: offsets, and classic groups that have come to rest. The rest (who
//! waits, who is about to join, a rebalance under way) lives in memory only, and a new coordinator starts without it.
//!
//! A shell makes a [`Coordinator`], folds in what the log has, and wraps it in [`Replicated`]; then it says
//! [`Input::Elected`] and [`Input::Loaded`], and hands over what clients ask. When leadership is lost, or an append
//! fails ([`Appended::ended`]), it says `Reverted`, and what then leads starts so again.
//!
//! Not here: how partitions are shared out (`assignor`; a classic group's leader, a client, does it), how the partition
//! is replicated (`replica`). Rules: `group.*`. Source: KIP-62, KIP-345, KIP-394, KIP-814; Kafka's
//! `GroupMetadataManager`, `ClassicGroup`, `OffsetMetadataManager`, `GroupCoordinatorService`.

mod append;
mod classic;
mod config;
mod consumer;
mod join;
mod limit;
mod message;
mod names;
mod offsets;
mod read;
mod rebalance;
mod recast;
mod record;
mod retention;
mod session;
mod sync;
mod tenure;
mod turn;

pub use append::{Aftermath, Appended};
pub use classic::{ClassicGroup, ClassicMember, Initial, Parked, Reentry, State};
pub use config::Config;
pub use consumer::{
    ConsumerGroup, ConsumerHeartbeat, ConsumerMember, ConsumerRecord, ConsumerState, Current, DescribedConsumerGroup,
    GroupEpoch, GroupEpochs, KnownTopic, KnownTopics, MemberDetails, MetadataHash, Progress, Purpose, Reader,
    Reconciled, Share,
};
pub use limit::Measured;
pub use message::{
    CommitOffsets, FetchedOffsets, Input, JoinGroup, Joined, MemberIdentity, MemberResults, OffsetToCommit, Output,
    PartitionResults, Protocol, Reply, Request, SyncGroup, Synced, Timer,
};
pub use names::{
    Client, Generation, GroupId, InstanceId, MemberId, Millis, NamedPartition, ProtocolName, ProtocolType, TopicName,
};

pub use read::{DescribedGroup, DescribedMember, ListedGroup, ListedState};
pub use record::{CommittedOffset, GroupMetadata, MemberMetadata, Record, Subscription};
pub use tenure::Tenure;

use crate::machine::Carrier;
use crate::marks::{guard, rule};
use crate::refusal::Refusal;
use crate::replicated::{Decision, LogBacked, Replicated};
use crate::rules::Rules;
use crate::values::{Offset, Ticket};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use turn::Turn;

/// The group coordinator of one partition, over its log.
pub type ReplicatedCoordinator<C> = Replicated<Coordinator<C>>;

/// The group coordinator of one partition.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Coordinator<C: Carrier> {
    config: Config,
    /// What the log says of each group.
    stored: BTreeMap<GroupId, Stored<C>>,
    /// Whether this coordinator may answer. Not in the log.
    role: Role,
    /// The topics that there are. Not in the log.
    topics: Arc<KnownTopics>,
    /// The consumer groups for which the topics have not been looked at since they changed. Not in the log.
    unseen: BTreeSet<GroupId>,
    /// The classic groups as they live. Not in the log.
    classic: BTreeMap<GroupId, ClassicGroup<C>>,
}

/// What the log says of one group.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Stored<C: Carrier> {
    /// The classic group when it was last at rest; `None` for one that only has offsets.
    pub metadata: Option<Arc<GroupMetadata<C>>>,
    /// The group of the consumer protocol.
    pub consumer: Option<ConsumerGroup>,
    /// Its offsets.
    pub offsets: BTreeMap<NamedPartition, CommittedOffset<C>>,
}

/// Whether a coordinator may answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Role {
    /// Another broker leads the partition.
    Resigned,
    /// This broker leads it and still reads it.
    Loading,
    /// This broker leads it and has read all of it.
    Active,
}

impl<C: Measured> Coordinator<C> {
    /// A coordinator of a log that is empty. What a log has is folded in with [`LogBacked::apply`], record by record,
    /// before [`Input::Loaded`].
    #[must_use]
    pub fn new(config: Config) -> Self {
        Self {
            config,
            stored: BTreeMap::new(),
            role: Role::Resigned,
            topics: Arc::default(),
            unseen: BTreeSet::new(),
            classic: BTreeMap::new(),
        }
    }

    /// Whether it may answer.
    #[must_use]
    pub fn role(&self) -> Role {
        self.role
    }

    /// What the log says of each group.
    #[must_use]
    pub fn stored(&self) -> &BTreeMap<GroupId, Stored<C>> {
        &self.stored
    }

    /// The classic groups as they live; none before it is active.
    #[must_use]
    pub fn groups(&self) -> &BTreeMap<GroupId, ClassicGroup<C>> {
        &self.classic
    }

    /// `group.coordinator.role`: only an active coordinator decides. While one loads, a member that says that it is
    /// alive is believed.
    fn not_active(&self, request: &Request<C>) -> Option<Reply<C>> {
        if guard!("group.coordinator.role", self.role == Role::Active) {
            return None;
        }
        let is_loading = guard!("group.coordinator.role/loading", self.role == Role::Loading);
        Some(match request {
            Request::Heartbeat { .. } if is_loading => Reply::Heartbeat(Ok(())),
            _ if is_loading => request.refused(Refusal::CoordinatorLoadInProgress),
            _ => request.refused(Refusal::NotCoordinator),
        })
    }

    /// `group.coordinator.load`: groups come back as they were last written, at rest, and every member has its whole
    /// session before it. A group with more members than it may have rebalances, so that some can commit and leave.
    fn loaded(&mut self, at: C::Stamp, decision: &mut Decision<Self>) {
        rule!("group.coordinator.load");
        self.role = Role::Active;
        let classic = self.stored.iter().filter(|(_, stored)| stored.consumer.is_none());
        self.classic = classic.map(|(id, stored)| (id.clone(), ClassicGroup::stored(stored))).collect();
        for (id, group) in self.stored.iter().filter_map(|(id, stored)| Some((id, stored.consumer.as_ref()?))) {
            group.restart_timers(&mut Turn::new(&self.config, at, id, decision));
        }
        self.look_at_topics();
        let max_size = self.config.max_size;
        for (id, group) in &mut self.classic {
            let mut turn = Turn::new(&self.config, at, id, decision);
            group.restart_sessions(&mut turn);
            if guard!("group.coordinator.load/too-many", group.members.len() > max_size as usize) {
                group.prepare_rebalance(&mut turn);
            }
        }
    }

    fn look_at_topics(&mut self) {
        let groups = self.stored.iter().filter(|(_, stored)| stored.consumer.is_some());
        self.unseen = groups.map(|(id, _)| id.clone()).collect();
    }

    /// The group of an id, if it is of the consumer protocol.
    #[must_use]
    pub fn consumer_group(&self, id: &GroupId) -> Option<&ConsumerGroup> {
        self.stored.get(id)?.consumer.as_ref()
    }

    fn refuse_parked(&self, out: &mut Vec<Output<C>>) {
        let parked = self.classic.values().flat_map(ClassicGroup::parked);
        out.extend(parked.map(|(member, parked)| {
            let reply = parked.refused(Some(member), Refusal::NotCoordinator);
            Output::Reply { ticket: parked.ticket(), reply }
        }));
    }

    fn asked(&mut self, rules: &Rules, ticket: Ticket, request: Request<C>, turn: &mut Turn<'_, C>) {
        match request {
            Request::Join(join) => self.join(rules, ticket, join, turn),
            Request::Sync(sync) => self.sync(ticket, sync, turn),
            Request::Heartbeat { member, generation } => {
                let outcome = self.heartbeat(&member, generation, turn);
                turn.reply(ticket, Reply::Heartbeat(outcome));
            }
            Request::ConsumerHeartbeat(beat) => {
                let outcome = self.consumer_heartbeat(rules, &beat, turn);
                turn.reply(ticket, Reply::ConsumerHeartbeat(outcome));
            }
            Request::Leave(members) => {
                let outcome = self.leave(members, turn);
                turn.reply(ticket, Reply::Leave(outcome));
            }
            Request::CommitOffsets(commit) => {
                let outcome = self.commit_offsets(rules, commit, turn);
                turn.reply(ticket, Reply::CommitOffsets(outcome));
            }
            Request::FetchStableOffsets { reader, partitions } => {
                let outcome = self.offsets_for(&reader, turn.group, partitions.as_deref());
                turn.reply(ticket, Reply::FetchOffsets(outcome));
            }
            Request::DeleteOffsets { partitions } => {
                let outcome = self.delete_offsets(partitions, turn);
                turn.reply(ticket, Reply::DeleteOffsets(outcome));
            }
            Request::Delete => {
                let outcome = self.delete(turn);
                turn.reply(ticket, Reply::Delete(outcome));
            }
        }
    }

    /// `group.delete`: a group without members can be forgotten, its offsets with it.
    fn delete(&mut self, turn: &mut Turn<'_, C>) -> Result<(), Refusal> {
        let (consumer, classic) = (self.consumer_group(turn.group), self.classic.get(turn.group));
        let is_empty = match (consumer, classic) {
            (Some(group), _) => group.members.is_empty(),
            (None, Some(group)) => group.state == State::Empty,
            (None, None) => {
                rule!("group.delete/unknown");
                return Err(Refusal::GroupIdNotFound);
            }
        };
        if !guard!("group.delete", is_empty) {
            return Err(Refusal::NonEmptyGroup);
        }
        let offsets = self.stored.get(turn.group).into_iter().flat_map(|stored| stored.offsets.keys());
        offsets.for_each(|partition| turn.write_offset(partition.clone(), None));
        consumer.into_iter().for_each(|group| group.forget_all(turn));
        classic.into_iter().for_each(|group| group.forget(turn));
        Ok(())
    }
}

impl<C: Measured> LogBacked for Coordinator<C> {
    type Input = Input<C>;
    type Record = Record<C>;
    type Output = Output<C>;

    fn decide(&mut self, rules: &Rules, input: Input<C>, _at: Offset, decision: &mut Decision<Self>) {
        let config = self.config;
        match input {
            Input::TopicsChanged { topics } => {
                self.topics = topics;
                self.look_at_topics();
            }
            Input::LimitChanged { max_batch } => self.config.max_batch = max_batch,
            Input::Elected => {
                self.refuse_parked(&mut decision.outputs);
                self.classic.clear();
                self.role = Role::Loading;
            }
            Input::Loaded { at } => {
                self.refuse_parked(&mut decision.outputs);
                self.loaded(at, decision);
            }
            Input::Asked { ticket, at, group, request } => {
                let mut turn = Turn::new(&config, at, &group, decision);
                match self.not_active(&request) {
                    Some(reply) => turn.reply(ticket, reply),
                    None => {
                        let refused = request.refused(Refusal::UnknownServerError);
                        let is_new = !self.classic.contains_key(&group);
                        self.asked(rules, ticket, request, &mut turn);
                        self.stay_within_limit(Some((ticket, refused)), is_new, &mut turn);
                    }
                }
            }
            Input::RetentionChecked { at, group, since } => {
                self.retention_checked(since, &mut Turn::new(&config, at, &group, decision));
            }
            Input::TimerFired { at, group, timer } => {
                let mut turn = Turn::new(&config, at, &group, decision);
                match self.classic.get_mut(&group) {
                    Some(found) => found.timer_fired(&timer, &mut turn),
                    None => self.consumer_timer_fired(&timer, &mut turn),
                }
                self.stay_within_limit(None, false, &mut turn);
            }
        }
    }

    fn apply(&mut self, record: &Record<C>) {
        let stored = self.stored.entry(record.group().clone()).or_default();
        match record {
            Record::Group { metadata: Some(metadata), .. } => {
                stored.metadata = Some(metadata.clone());
                stored.consumer = None;
            }
            Record::Group { metadata: None, group } => {
                stored.metadata = None;
                self.classic.remove(group);
            }
            Record::Offset { partition, committed: Some(committed), .. } => {
                stored.offsets.insert(partition.clone(), committed.clone());
            }
            Record::Offset { partition, committed: None, .. } => {
                stored.offsets.remove(partition);
            }
            Record::Consumer { record, .. } => ConsumerGroup::apply(&mut stored.consumer, record),
        }
        if stored.metadata.is_none() && stored.consumer.is_none() && stored.offsets.is_empty() {
            self.stored.remove(record.group());
        }
    }

    /// `group.coordinator.at-once`: who waits to join or for a share hears as soon as it is decided, and timers are set
    /// then; neither rests on what the log says.
    fn waits(output: &Output<C>) -> bool {
        match output {
            Output::Reply { reply, .. } => {
                !guard!("group.coordinator.at-once", matches!(reply, Reply::Join { .. } | Reply::Sync(_)))
            }
            Output::SetTimer { .. } | Output::CancelTimer { .. } | Output::CancelAllTimers => false,
        }
    }

    fn written(&mut self, record: &Record<C>, out: &mut Vec<Output<C>>) {
        let Record::Group { group, metadata: Some(metadata) } = record else { return };
        if let Some(found) = self.classic.get_mut(group) {
            found.written(group, metadata, out);
        }
    }

    /// `group.coordinator.resign`: whoever waits when leadership of the log is lost is sent to the next coordinator.
    fn lost(&self, unsaid: Vec<Output<C>>, out: &mut Vec<Output<C>>) {
        rule!("group.coordinator.resign");
        out.push(Output::CancelAllTimers);
        let unsaid = unsaid.into_iter().filter_map(|output| match output {
            Output::Reply { ticket, reply } => {
                Some(Output::Reply { ticket, reply: reply.refused(Refusal::NotCoordinator) })
            }
            Output::SetTimer { .. } | Output::CancelTimer { .. } | Output::CancelAllTimers => None,
        });
        out.extend(unsaid);
        self.refuse_parked(out);
    }
}

impl<C: Carrier> Default for Stored<C> {
    fn default() -> Self {
        Self { metadata: None, consumer: None, offsets: BTreeMap::new() }
    }
}
