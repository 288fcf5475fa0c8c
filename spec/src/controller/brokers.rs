//! A broker's life, as the controller sees it: registration, heartbeats, fencing, shutdown.
//!
//! Rules: `controller.broker.*`. Source: KIP-631, KIP-966; Kafka 4.1's `ClusterControlManager.registerBroker`,
//! `BrokerHeartbeatManager.calculateNextBrokerState`.

use super::{Controller, Heartbeat, HeartbeatReply, Output, Partition, Record, Register, Registration, Reply};
use crate::marks::{guard, rule};
use crate::refusal::Refusal;
use crate::rules::Rules;
use crate::values::{BrokerEpoch, BrokerId, Offset};

/// What the controller remembers of a broker that has been heard from lately.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Session {
    /// The registration.
    pub epoch: BrokerEpoch,
    /// The first metadata offset that it had not applied (exclusive). Kept only while some broker shuts down, since
    /// nothing else depends on it.
    pub metadata_end: Offset,
    /// The metadata offset that the others must have applied before it may stop, once its shutdown has begun.
    pub shutdown_end: Option<Offset>,
}

/// Where a broker stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum BrokerState {
    /// Barred from leading.
    Fenced,
    /// At work.
    Unfenced,
    /// Handing over what it leads.
    ControlledShutdown,
    /// Free to stop.
    ShutdownNow,
}

/// `controller.broker.next-state`: what a heartbeat makes of a broker.
#[must_use]
pub fn next_broker_state(now: BrokerState, heard: &HeartbeatFacts) -> BrokerState {
    use BrokerState::{ControlledShutdown, Fenced, ShutdownNow, Unfenced};
    match now {
        Fenced if guard!("controller.broker.next-state/stops-fenced", heard.wants_shutdown) => ShutdownNow,
        // `controller.broker.no-return`: one whose shutdown has begun takes part again as a new process only.
        Fenced if guard!("controller.broker.no-return", heard.was_shutting_down) => Fenced,
        Fenced if guard!("controller.broker.next-state/ready", !heard.wants_fence && heard.is_caught_up) => Unfenced,
        Fenced => Fenced,
        Unfenced if guard!("controller.broker.next-state/fails", heard.wants_fence) => {
            if heard.wants_shutdown {
                ShutdownNow
            } else {
                Fenced
            }
        }
        Unfenced if guard!("controller.broker.next-state/stops", heard.wants_shutdown) => {
            if guard!("controller.broker.next-state/leads", heard.leads) { ControlledShutdown } else { ShutdownNow }
        }
        Unfenced => Unfenced,
        ControlledShutdown if guard!("controller.broker.next-state/waits", heard.leads || !heard.others_know) => {
            ControlledShutdown
        }
        ControlledShutdown | ShutdownNow => ShutdownNow,
    }
}

/// What [`next_broker_state`] depends on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct HeartbeatFacts {
    /// It has applied its own registration.
    pub is_caught_up: bool,
    /// It wants to be fenced.
    pub wants_fence: bool,
    /// It wants to shut down.
    pub wants_shutdown: bool,
    /// Its controlled shutdown has begun.
    pub was_shutting_down: bool,
    /// It leads some partition.
    pub leads: bool,
    /// Every active broker has applied the changes that its shutdown brought.
    pub others_know: bool,
}

impl Controller {
    /// `controller.broker.sessions`: a newly active controller gives every broker that is not fenced a whole session's
    /// time.
    pub(super) fn begin_sessions(&mut self, out: &mut Vec<Output>) {
        rule!("controller.broker.sessions");
        let unfenced = self.image.brokers.iter().filter(|(_, found)| !found.fenced);
        let registered: Vec<_> = unfenced.map(|(broker, found)| (*broker, found.epoch)).collect();
        self.sessions.clear();
        registered.into_iter().for_each(|(broker, epoch)| self.extend_session(broker, epoch, out));
    }

    fn extend_session(&mut self, broker: BrokerId, epoch: BrokerEpoch, out: &mut Vec<Output>) {
        let fresh = Session { epoch, metadata_end: Offset::default(), shutdown_end: None };
        let session = self.sessions.entry(broker).or_insert(fresh);
        if session.epoch != epoch {
            *session = fresh;
        }
        out.push(Output::ExtendSession { broker, epoch });
    }

    /// `controller.broker.register`: one incarnation at a time; a new one gets a new epoch and starts fenced.
    pub(super) fn register(
        &mut self,
        rules: &Rules,
        asked: &Register,
        at: Offset,
        records: &mut Vec<Record>,
        out: &mut Vec<Output>,
    ) {
        let broker = asked.broker;
        let known = self.image.brokers.get(&broker).copied();
        let same_process = known.is_some_and(|known| known.incarnation == asked.incarnation);
        let has_session = known.is_some_and(|known| self.has_session(broker, known.epoch));
        if guard!("controller.broker.register/another", has_session && !same_process) {
            let reply = Reply::Refused(Refusal::DuplicateBrokerRegistration);
            return out.push(Output::Reply { ticket: asked.ticket, reply });
        }
        let registration = match known.filter(|_| guard!("controller.broker.register", same_process)) {
            Some(amended) => amended,
            None => {
                let clean = known.is_some_and(|known| asked.previous_epoch == Some(known.epoch));
                self.shut_down(rules, broker, clean, asked.choice, records);
                let place = u32::try_from(records.len()).unwrap_or(u32::MAX);
                Registration {
                    incarnation: asked.incarnation,
                    epoch: BrokerEpoch(at.plus(place).0),
                    fenced: true,
                    in_controlled_shutdown: false,
                }
            }
        };
        records.push(Record::BrokerRegistered { broker, registration });
        self.extend_session(broker, registration.epoch, out);
        out.push(Output::Reply { ticket: asked.ticket, reply: Reply::Registered(registration.epoch) });
    }

    fn has_session(&self, broker: BrokerId, epoch: BrokerEpoch) -> bool {
        self.sessions.get(&broker).is_some_and(|session| session.epoch == epoch)
    }

    /// `controller.broker.restart`: after a clean shutdown like being fenced; after any other a broker may have lost
    /// what it had, and leaves the ELR too.
    fn shut_down(
        &self,
        rules: &Rules,
        broker: BrokerId,
        clean: bool,
        choice: Option<BrokerId>,
        records: &mut Vec<Record>,
    ) {
        if guard!("controller.broker.restart", clean) || !rules.keeps_elr() {
            return self.remove_from_isrs(rules, broker, choice, records);
        }
        let concerned = |partition: &Partition| partition.isr.contains(broker) || partition.elr.contains(broker);
        self.change_partitions(
            rules,
            concerned,
            |builder| {
                let isr = builder.current_isr().without(broker);
                builder.isr(isr).unclean(Some(broker)).choice(choice)
            },
            records,
        );
    }

    fn remove_from_isrs(&self, rules: &Rules, broker: BrokerId, choice: Option<BrokerId>, records: &mut Vec<Record>) {
        self.change_partitions(
            rules,
            |partition| partition.isr.contains(broker),
            |builder| {
                let isr = builder.current_isr().without(broker);
                builder.isr(isr).leaving(Some(broker)).choice(choice)
            },
            records,
        );
    }

    /// `controller.broker.fence`: first it leaves every ISR and what it leads, then it is fenced.
    fn fence(&self, rules: &Rules, broker: BrokerId, choice: Option<BrokerId>, records: &mut Vec<Record>) {
        let Some(known) = self.image.brokers.get(&broker) else { return };
        rule!("controller.broker.fence");
        self.remove_from_isrs(rules, broker, choice, records);
        let (epoch, fenced) = (known.epoch, Some(true));
        records.push(Record::BrokerChanged { broker, epoch, fenced, in_controlled_shutdown: false });
    }

    /// `controller.broker.unfence`: first it is unfenced, then it may lead what no one leads.
    fn unfence(&self, rules: &Rules, broker: BrokerId, choice: Option<BrokerId>, records: &mut Vec<Record>) {
        let Some(known) = self.image.brokers.get(&broker) else { return };
        rule!("controller.broker.unfence");
        let (epoch, fenced) = (known.epoch, Some(false));
        records.push(Record::BrokerChanged { broker, epoch, fenced, in_controlled_shutdown: false });
        let leaderless = |partition: &Partition| partition.leader.is_none();
        self.change_partitions(rules, leaderless, |builder| builder.joining(Some(broker)).choice(choice), records);
    }

    /// `controller.broker.shutdown`: it leaves every ISR, so that leadership moves before it stops.
    fn begin_shutdown(&self, rules: &Rules, broker: BrokerId, choice: Option<BrokerId>, records: &mut Vec<Record>) {
        let Some(known) = self.image.brokers.get(&broker) else { return };
        if guard!("controller.broker.shutdown", !known.in_controlled_shutdown) {
            let epoch = known.epoch;
            records.push(Record::BrokerChanged { broker, epoch, fenced: None, in_controlled_shutdown: true });
        }
        self.remove_from_isrs(rules, broker, choice, records);
    }

    pub(super) fn heartbeat(
        &mut self,
        rules: &Rules,
        heard: &Heartbeat,
        at: Offset,
        records: &mut Vec<Record>,
        out: &mut Vec<Output>,
    ) {
        let broker = heard.broker;
        let mut answer = |reply| out.push(Output::Reply { ticket: heard.ticket, reply });
        let Some(known) = self.image.brokers.get(&broker).copied() else {
            return answer(Reply::Refused(Refusal::BrokerIdNotRegistered));
        };
        if known.epoch != heard.epoch {
            return answer(Reply::Refused(Refusal::StaleBrokerEpoch));
        }
        let now = self.broker_state(broker, &known);
        let facts = self.heartbeat_facts(heard, &known);
        let next = next_broker_state(now, &facts);
        if next != now {
            match next {
                BrokerState::Fenced | BrokerState::ShutdownNow => self.fence(rules, broker, heard.choice, records),
                BrokerState::Unfenced => self.unfence(rules, broker, heard.choice, records),
                BrokerState::ControlledShutdown => self.begin_shutdown(rules, broker, heard.choice, records),
            }
        }
        answer(Reply::Heartbeat(HeartbeatReply {
            is_caught_up: facts.is_caught_up,
            is_fenced: matches!(next, BrokerState::Fenced | BrokerState::ShutdownNow),
            should_shut_down: next == BrokerState::ShutdownNow,
        }));
        self.extend_session(broker, known.epoch, out);
        let end = at.plus(u32::try_from(records.len()).unwrap_or(u32::MAX));
        self.note_shutdown(broker, next, heard.metadata_end, end);
    }

    fn broker_state(&self, broker: BrokerId, known: &Registration) -> BrokerState {
        match known {
            Registration { fenced: true, .. } => BrokerState::Fenced,
            Registration { in_controlled_shutdown: true, .. } => BrokerState::ControlledShutdown,
            _ if self.sessions.get(&broker).is_some_and(|session| session.shutdown_end.is_some()) => {
                BrokerState::ControlledShutdown
            }
            _ => BrokerState::Unfenced,
        }
    }

    fn heartbeat_facts(&self, heard: &Heartbeat, known: &Registration) -> HeartbeatFacts {
        let session = self.sessions.get(&heard.broker);
        let shutdown_end = session.and_then(|session| session.shutdown_end).unwrap_or_default();
        let active = self.image.brokers.iter().filter(|(broker, found)| found.is_active() && **broker != heard.broker);
        let heard_end = |broker| self.sessions.get(broker).map_or(Offset::default(), |session| session.metadata_end);
        HeartbeatFacts {
            is_caught_up: heard.metadata_end.0 > known.epoch.0,
            wants_fence: heard.want_fence,
            wants_shutdown: heard.want_shutdown,
            was_shutting_down: known.in_controlled_shutdown,
            leads: self.image.partitions().any(|(_, partition)| partition.leader == Some(heard.broker)),
            others_know: active.map(|(broker, _)| heard_end(broker)).all(|end| end >= shutdown_end),
        }
    }

    /// Notes how far a broker's metadata reaches while that matters to one that shuts down.
    fn note_shutdown(&mut self, broker: BrokerId, next: BrokerState, metadata_end: Offset, end: Offset) {
        let Some(session) = self.sessions.get_mut(&broker) else { return };
        match next {
            BrokerState::ControlledShutdown => session.shutdown_end = session.shutdown_end.or(Some(end)),
            _ => session.shutdown_end = None,
        }
        session.metadata_end = metadata_end;
        if self.sessions.values().all(|session| session.shutdown_end.is_none()) {
            self.sessions.values_mut().for_each(|session| session.metadata_end = Offset::default());
        }
    }

    /// `controller.broker.expire`: silence fences.
    pub(super) fn session_expired(
        &mut self,
        rules: &Rules,
        broker: BrokerId,
        epoch: BrokerEpoch,
        choice: Option<BrokerId>,
        records: &mut Vec<Record>,
    ) {
        if guard!("controller.broker.expire/late", !self.has_session(broker, epoch)) {
            return;
        }
        self.sessions.remove(&broker);
        let known = self.image.brokers.get(&broker);
        if guard!("controller.broker.expire", known.is_some_and(|known| known.epoch == epoch && !known.fenced)) {
            self.fence(rules, broker, choice, records);
        }
    }

    /// A broker that will not come back leaves the ISRs and the ELRs.
    pub(super) fn unregister(
        &mut self,
        rules: &Rules,
        broker: BrokerId,
        choice: Option<BrokerId>,
        records: &mut Vec<Record>,
    ) -> Reply {
        if !self.image.brokers.contains_key(&broker) {
            return Reply::Refused(Refusal::BrokerIdNotRegistered);
        }
        self.shut_down(rules, broker, false, choice, records);
        records.push(Record::BrokerUnregistered { broker });
        self.sessions.remove(&broker);
        Reply::Unregistered
    }
}
