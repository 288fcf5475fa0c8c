//! What a replica hears, handed on by another carrier: field by field the same.

use super::{Assignment, FetchAnswer, FollowerFetch, Input, Produce};
use crate::machine::{Carrier, Recast};

impl<C: Carrier> Input<C> {
    /// The same fact.
    #[must_use]
    pub fn recast<D: Recast<C>>(&self) -> Input<D> {
        match self {
            Self::Assigned(assignment) => Input::Assigned(assignment.recast()),
            Self::ClusterChanged { peers, min_insync_replicas } => {
                Input::ClusterChanged { peers: peers.clone(), min_insync_replicas: *min_insync_replicas }
            }
            Self::Produced(requests) => Input::Produced(requests.iter().map(Produce::recast).collect()),
            Self::ProduceTimedOut(ticket) => Input::ProduceTimedOut(*ticket),
            Self::FollowerFetched(fetch) => Input::FollowerFetched(fetch.recast()),
            Self::FetchAnswered { asked, answer } => Input::FetchAnswered { asked: *asked, answer: answer.recast() },
            Self::LogEndsAnswered { asked, start, end } => {
                Input::LogEndsAnswered { asked: *asked, start: *start, end: *end }
            }
            Self::IsrAnswered { proposal, outcome } => {
                Input::IsrAnswered { proposal: proposal.clone(), outcome: outcome.clone() }
            }
            Self::ProducersRead { upto, producers } => {
                Input::ProducersRead { upto: *upto, producers: producers.clone() }
            }
            Self::ProducersExpired(ids) => Input::ProducersExpired(ids.clone()),
            Self::TimerFired(timer) => Input::TimerFired(*timer),
            Self::Closing => Input::Closing,
            Self::Failed { unanswered } => Input::Failed { unanswered: unanswered.clone() },
            Self::Deleted => Input::Deleted,
        }
    }
}

impl<C: Carrier> Assignment<C> {
    fn recast<D: Recast<C>>(&self) -> Assignment<D> {
        Assignment {
            leader: self.leader,
            leader_epoch: self.leader_epoch,
            partition_epoch: self.partition_epoch,
            replicas: self.replicas.clone(),
            isr: self.isr.clone(),
            min_insync_replicas: self.min_insync_replicas,
            peers: self.peers.clone(),
            at: D::stamp(self.at),
        }
    }
}

impl<C: Carrier> Produce<C> {
    fn recast<D: Recast<C>>(&self) -> Produce<D> {
        let Self { ticket, acks, count, producer, ref bytes } = *self;
        Produce { ticket, acks, count, producer, bytes: D::bytes(bytes) }
    }
}

impl<C: Carrier> FetchAnswer<C> {
    fn recast<D: Recast<C>>(&self) -> FetchAnswer<D> {
        match self {
            Self::Records { batches, high_watermark, log_start } => FetchAnswer::Records {
                batches: batches.iter().map(|batch| batch.recast()).collect(),
                high_watermark: *high_watermark,
                log_start: *log_start,
            },
            Self::Diverging(end) => FetchAnswer::Diverging(*end),
            Self::Refused(refusal) => FetchAnswer::Refused(*refusal),
        }
    }
}

impl<C: Carrier> FollowerFetch<C> {
    fn recast<D: Recast<C>>(&self) -> FollowerFetch<D> {
        FollowerFetch {
            replica: self.replica,
            broker_epoch: self.broker_epoch,
            leader_epoch: self.leader_epoch,
            offset: self.offset,
            last_fetched_epoch: self.last_fetched_epoch,
            at: D::stamp(self.at),
        }
    }
}
