//! What consumers ask, as it reaches the coordinator.

use super::arrival::{BY_ARRIVAL, id_of};
use super::step::{Outcome, Step, index};
use super::{Blob, Commit, Model, Waiting, World};
use highwater_spec::assignor::Assignor;
use highwater_spec::client::consumer::Output;
use highwater_spec::group::{
    self, Client, CommitOffsets, JoinGroup, MemberId, MemberIdentity, Millis, OffsetToCommit, Protocol, Request, Role,
    Subscription, SyncGroup,
};
use highwater_spec::replicated;
use highwater_spec::values::Offset;

impl Step<'_> {
    /// The oldest request of a connection reaches the coordinator, which answers one at a time.
    pub(super) fn arrives(&mut self, member: u8) -> Outcome {
        let at = index(member);
        if self.state.waiting.values().any(|waiting| waiting.node == Some(at)) {
            return Err("an earlier request waits");
        }
        let requests = &self.state.nodes.get(at).ok_or("there is no such consumer")?.requests;
        requests.front().ok_or("nothing was asked")?;
        let Some(request) = self.node(member).requests.pop_front() else { return Ok(()) };
        self.asks(member, request, Some(at))
    }

    /// Nobody waits for the answer. Once no more can be late, nothing is.
    pub(super) fn arrives_late(&mut self, member: u8) -> Outcome {
        let node = self.state.nodes.get(index(member)).ok_or("there is no such consumer")?;
        let request = node.late.clone().ok_or("nothing is late")?;
        let all_are_here = self.state.budget.late_requests == 0;
        for (node, number) in self.state.nodes.iter_mut().zip(1..) {
            if node.late.is_some() && (all_are_here || number == member) {
                node.edit().late = None;
            }
        }
        self.asks(member, request, None)
    }

    fn asks(&mut self, member: u8, request: Output, waits: Option<usize>) -> Outcome {
        let commits = match &request {
            Output::Commit { member, generation, offsets } => {
                let offsets = offsets.iter().map(|(of, place)| (of.clone(), place.offset)).collect();
                Some(Commit { member: member.clone(), generation: *generation, offsets })
            }
            _ => None,
        };
        let ticket = self.state.waiting.keys().map(|ticket| ticket.next()).max().unwrap_or_default();
        let request = self.request(member, request)?;
        self.state.waiting.insert(ticket, Waiting { node: waits, commits });
        let asked = group::Input::Asked { ticket, at: (), group: World::group(), request };
        self.coordinate(replicated::Input::Heard(asked));
        Ok(())
    }

    /// The next id for a consumer, which may be given to it.
    fn fresh(&mut self, member: u8, is_given: bool) -> MemberId {
        let is_by_arrival = self.world.bounds.by_arrival == 1;
        let id = if is_by_arrival { self.state.arrived } else { self.state.nodes[index(member)].ids };
        if is_given {
            self.state.arrived += u8::from(is_by_arrival);
            self.node(member).ids = id + 1;
        }
        id_of(if is_by_arrival { BY_ARRIVAL } else { member }, id)
    }

    fn request(&mut self, member: u8, asked: Output) -> Result<Request<Model>, &'static str> {
        let config = self.world.config(member);
        let named = |id: Option<MemberId>| MemberIdentity { id, instance: config.instance.clone() };
        Ok(match asked {
            Output::Join { member: id, owned, generation, .. } => {
                // One that is refused at once is not given to anyone.
                let is_given = id.is_none() && self.state.coordinator.speculative().role() == Role::Active;
                let fresh = self.fresh(member, is_given);
                let blob = Blob::Subscription { topics: config.topics.clone(), owned, generation };
                let subscription = Subscription { metadata: blob, topics: Some(config.topics.clone()) };
                let protocol =
                    |assignor: &Assignor| Protocol { name: assignor.name().into(), subscription: subscription.clone() };
                Request::Join(JoinGroup {
                    member: named(id),
                    fresh,
                    client: Client { id: "c".into(), host: "h".into() },
                    session_timeout: Millis(45_000),
                    rebalance_timeout: Millis(300_000),
                    protocol_type: "consumer".into(),
                    protocols: config.assignors.iter().map(protocol).collect(),
                    knows_member_id_required: true,
                    knows_skip_assignment: true,
                })
            }
            Output::Sync { member, generation, assignments } => Request::Sync(SyncGroup {
                member: named(Some(member)),
                generation: Some(generation),
                protocol_type: None,
                protocol: None,
                assignments: assignments.into_iter().map(|(to, share)| (to, Some(Blob::Share(share)))).collect(),
            }),
            Output::Heartbeat { member, generation } => {
                Request::Heartbeat { member: named(Some(member)), generation: Some(generation) }
            }
            Output::Leave { member } => Request::Leave(vec![named(Some(member))]),
            Output::Commit { member, generation, offsets } => Request::CommitOffsets(CommitOffsets {
                member: named(member),
                generation,
                knows_group_id_not_found: true,
                offsets: offsets.into_iter().map(|(of, offset)| (of, to_commit(offset.offset))).collect(),
            }),
            _ => return Err("it is no request"),
        })
    }
}

fn to_commit(offset: Offset) -> OffsetToCommit<Model> {
    OffsetToCommit { offset, leader_epoch: None, metadata: None, metadata_length: 0 }
}
