//! Members of a consumer group, who do as they are told.

use crate::coordinator::{Coordination, REBALANCE, dynamic, fixed, group};
use highwater_spec::group::*;
use highwater_spec::refusal::Refusal;
use highwater_spec::values::{TopicId, TopicPartition};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Topics, each with its number of partitions. Their ids are made of the first bytes of their names.
pub fn topics(known: &[(&str, u32)]) -> KnownTopics {
    let known = known.iter().map(|(name, partitions)| {
        let known = KnownTopic { id: topic_id(name), partitions: *partitions };
        (TopicName::from(*name), known)
    });
    known.collect()
}

pub fn topic_id(name: &str) -> TopicId {
    TopicId([name.as_bytes()[0]; 16])
}

/// Partitions of topic t.
pub fn of_t(indices: &[i32]) -> Share {
    indices.iter().map(|index| TopicPartition { topic: topic_id("t"), index: *index }).collect()
}

/// A member that says nothing but for what.
pub fn beat(id: &str, purpose: Purpose) -> ConsumerHeartbeat {
    ConsumerHeartbeat {
        member: dynamic(id),
        fresh: None,
        client: Client { id: "c".into(), host: "h".into() },
        purpose,
        rack: None,
        rebalance_timeout: None,
        topics: None,
        regex: None,
        assignor: None,
        owned: None,
    }
}

/// Joins, to read t.
pub fn joins(id: &str) -> ConsumerHeartbeat {
    ConsumerHeartbeat {
        rebalance_timeout: Some(REBALANCE),
        topics: Some(["t".into()].into()),
        owned: Some(Share::new()),
        ..beat(id, Purpose::Join)
    }
}

/// A static member joins.
pub fn joins_fixed(id: &str, instance: &str) -> ConsumerHeartbeat {
    ConsumerHeartbeat { member: fixed(id, instance), ..joins(id) }
}

/// Stays, and says what of t it owns.
pub fn stays(id: &str, epoch: i32, owned: &[i32]) -> ConsumerHeartbeat {
    ConsumerHeartbeat { owned: Some(of_t(owned)), ..beat(id, Purpose::Stay(GroupEpoch(epoch))) }
}

impl Coordination {
    /// A coordinator that knows of topics.
    pub fn knowing(known: &[(&str, u32)]) -> Self {
        let mut world = Self::today();
        world.change_topics(known);
        world
    }

    pub fn change_topics(&mut self, known: &[(&str, u32)]) {
        self.topics = Arc::new(topics(known));
        self.hear(Input::TopicsChanged { topics: Arc::clone(&self.topics) });
    }

    /// What a heartbeat is answered.
    pub fn beats(&mut self, beat: ConsumerHeartbeat) -> Result<Option<Reconciled>, Refusal> {
        match self.asked(Request::ConsumerHeartbeat(beat)) {
            Reply::ConsumerHeartbeat(outcome) => outcome,
            other => panic!("{other:?} answers a heartbeat"),
        }
    }

    /// The epoch and the partitions of t that a member hears of; no partitions: as before.
    pub fn told(&mut self, beat: ConsumerHeartbeat) -> (i32, Option<Vec<i32>>) {
        let reply = self.beats(beat).expect("it is in the group").expect("it stays");
        let share = reply.assigned.map(|share| share.iter().map(|partition| partition.index).collect());
        (reply.epoch.0, share)
    }

    pub fn consumers(&self) -> &ConsumerGroup {
        self.machine.speculative().consumer_group(&group()).expect("a consumer group")
    }

    /// Members that join one after the other, and do as they are told until all have arrived.
    pub fn settled(known: &[(&str, u32)], ids: &[&str]) -> Self {
        let mut world = Self::knowing(known);
        for id in ids {
            world.beats(joins(id)).expect("it joins");
            world.settle();
        }
        world
    }

    /// Members give up and take what they are told to, until all have arrived.
    pub fn settle(&mut self) {
        let mut owned: BTreeMap<MemberId, Share> = BTreeMap::new();
        for _ in 0..20 {
            for (id, member) in self.consumers().members.clone() {
                let Some(epoch) = member.current.epoch else { continue };
                let instance = member.metadata.instance.clone();
                let beat = ConsumerHeartbeat {
                    member: MemberIdentity { id: Some(id.clone()), instance },
                    owned: Some(owned.get(&id).unwrap_or(&member.current.assigned).clone()),
                    ..beat("", Purpose::Stay(epoch))
                };
                let reply = self.beats(beat).expect("it is in the group").expect("it stays");
                if let Some(share) = reply.assigned {
                    owned.insert(id, share);
                }
            }
        }
    }

    /// What each member has of t.
    pub fn shares(&self) -> Vec<(String, Vec<i32>)> {
        let of = |(id, member): (&MemberId, &ConsumerMember)| {
            (id.to_string(), member.current.assigned.iter().map(|partition| partition.index).collect())
        };
        self.consumers().members.iter().map(of).collect()
    }
}
