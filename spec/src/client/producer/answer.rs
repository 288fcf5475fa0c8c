//! What comes of a batch: it is written, sent again, or given up.
//!
//! Source: Kafka's `Sender.completeBatch`, `TransactionManager.canRetry`, `handleFailedBatch`, `maybeResolveSequences`,
//! `bumpIdempotentProducerEpoch`.

use super::queue::{Batch, Queue, State};
use super::{BatchId, Code, Identity, Outcome, Output, Producer, Timer, Whoami};
use crate::group::NamedPartition;
use crate::values::{Offset, ProducerEpoch};

/// What to do about a refusal.
enum Remedy {
    Retry,
    /// Retry, and number everything anew in another epoch.
    RetryAnew,
    Fail,
}

impl Producer {
    /// `client.producer.late`: an answer to another attempt than the last, or to what was given up, is no news.
    pub(super) fn answered(
        &mut self,
        partition: &NamedPartition,
        batch: BatchId,
        attempt: u32,
        outcome: Result<Option<Offset>, Code>,
        out: &mut Vec<Output>,
    ) {
        let Some(queue) = self.queues.get_mut(partition) else { return };
        let Some(at) = queue.position(batch) else { return };
        if queue.batches[at].state != State::InFlight || queue.batches[at].attempts != attempt {
            return;
        }
        match outcome {
            Ok(base) => self.complete(partition, at, base, out),
            // `client.producer.duplicate`: written before, and nobody knows any more where.
            Err(Code::DUPLICATE_SEQUENCE_NUMBER) => self.complete(partition, at, None, out),
            Err(code) => self.refused(partition, at, code, out),
        }
    }

    fn complete(&mut self, partition: &NamedPartition, at: usize, base: Option<Offset>, out: &mut Vec<Output>) {
        let Some(queue) = self.queues.get_mut(partition) else { return };
        let Some(batch) = queue.batches.remove(at) else { return };
        queue.acknowledge(&batch);
        out.push(Output::CancelTimer(Timer::Delivery(partition.clone(), batch.id)));
        out.push(done(partition, &batch, Outcome::Acked(base)));
    }

    fn refused(&mut self, partition: &NamedPartition, at: usize, code: Code, out: &mut Vec<Output>) {
        let Some(queue) = self.queues.get_mut(partition) else { return };
        let batch = &mut queue.batches[at];
        batch.is_in_doubt |= code.leaves_doubt();
        if code == Code::MESSAGE_TOO_LARGE && batch.count() > 1 {
            return self.split(partition, at, out);
        }
        let has_tries = batch.attempts <= self.config.retries;
        let remedy = if has_tries { remedy(queue, at, code, self.config.idempotent) } else { Remedy::Fail };
        match remedy {
            Remedy::Fail => return self.fail(partition, at, code, out),
            Remedy::Retry => {}
            Remedy::RetryAnew => drop(self.bumps.insert(partition.clone())),
        }
        Self::send_again(queue, at, self.config.idempotent);
        queue.backs_off = true;
        out.push(Output::FindLeader(partition.clone()));
        out.push(Output::SetTimer(Timer::Retry(partition.clone())));
    }

    /// `client.producer.retry`: a batch with numbers keeps its place; one without goes before all that wait, even before
    /// one that was sent earlier and failed earlier.
    fn send_again(queue: &mut Queue, at: usize, idempotent: bool) {
        queue.batches[at].state = State::Ready;
        if !idempotent && let Some(batch) = queue.batches.remove(at) {
            queue.batches.push_front(batch);
        }
    }

    fn split(&mut self, partition: &NamedPartition, at: usize, out: &mut Vec<Output>) {
        let Some(queue) = self.queues.get_mut(partition) else { return };
        let Some(batch) = queue.batches.remove(at) else { return };
        self.last_batch.0 += 1;
        let (first, second) = batch.split(self.last_batch);
        out.push(Output::SetTimer(Timer::Delivery(partition.clone(), second.id)));
        queue.batches.insert(at, second);
        queue.batches.insert(at, first);
    }

    /// `client.producer.fail`: a batch that is refused for good is lost, and its numbers with it: what follows is
    /// numbered anew. `client.producer.fail.tries`: one that may only not be tried again may have been written; but not
    /// one that is out of order, before which numbers are missing.
    fn fail(&mut self, partition: &NamedPartition, at: usize, code: Code, out: &mut Vec<Output>) {
        let Some(queue) = self.queues.get_mut(partition) else { return };
        let Some(batch) = queue.batches.remove(at) else { return };
        out.push(Output::CancelTimer(Timer::Delivery(partition.clone(), batch.id)));
        out.push(done(partition, &batch, given_up(&batch, code)));
        if is_fatal(code) {
            return self.fail_all(code, out);
        }
        let is_lost = code == Code::OUT_OF_ORDER_SEQUENCE_NUMBER || batch.attempts <= self.config.retries;
        if batch.first.is_some() && is_lost {
            self.bumps.insert(partition.clone());
        } else {
            queue.leave_unresolved(&batch);
        }
    }

    /// `client.producer.fatal`: a refusal that is about the producer, and not the batch, ends everything.
    pub(super) fn fail_all(&mut self, code: Code, out: &mut Vec<Output>) {
        self.fatal = Some(code);
        for (partition, queue) in std::mem::take(&mut self.queues) {
            for mut batch in queue.batches {
                batch.is_in_doubt |= batch.state == State::InFlight;
                out.push(Output::CancelTimer(Timer::Delivery(partition.clone(), batch.id)));
                out.push(done(&partition, &batch, given_up(&batch, code)));
            }
        }
    }

    /// `client.producer.expire`: a batch that is not done within `delivery.timeout.ms` is given up, wherever it is.
    pub(super) fn expire(&mut self, partition: &NamedPartition, batch: BatchId, out: &mut Vec<Output>) {
        let Some(queue) = self.queues.get_mut(partition) else { return };
        let Some(mut batch) = queue.position(batch).and_then(|at| queue.batches.remove(at)) else { return };
        batch.is_in_doubt |= batch.state == State::InFlight;
        queue.leave_unresolved(&batch);
        if batch.state == State::Open {
            out.push(Output::CancelTimer(Timer::Linger(partition.clone())));
        }
        out.push(done(partition, &batch, given_up(&batch, Code::REQUEST_TIMED_OUT)));
    }

    /// `client.producer.resolve`: if what followed was written, so was what was given up; or else another epoch begins.
    pub(super) fn resolve(&mut self) {
        for (partition, queue) in &mut self.queues {
            if queue.resolve() == Some(false) {
                self.bumps.insert(partition.clone());
            }
        }
    }

    /// `client.producer.bump`: the next epoch begins. The partitions that need it are numbered anew at once, the others
    /// go on under the earlier one until what they have under way is done.
    pub(super) fn bump(&mut self, out: &mut Vec<Output>) {
        let partitions = std::mem::take(&mut self.bumps);
        let Whoami::Known(current) = self.whoami else { return };
        if partitions.is_empty() {
            return;
        }
        // `client.producer.exhausted`: after the last epoch comes another id.
        let next = (current.epoch != ProducerEpoch(i16::MAX))
            .then(|| Identity { id: current.id, epoch: current.epoch.next() });
        self.whoami = next.map_or(Whoami::Unknown, Whoami::Known);
        for partition in &partitions {
            match (self.queues.get_mut(partition), next) {
                (Some(queue), Some(next)) => queue.begin_anew(next),
                (Some(queue), None) => queue.forget_numbers(),
                (None, _) => {}
            }
        }
        self.ask_id(out);
    }
}

/// `client.producer.retry`: what may pass is sent again. `client.producer.gap`: so is a batch before which numbers are
/// missing; if that can't be because an earlier one still waits, they are gone for ever, and another epoch begins.
fn remedy(queue: &Queue, at: usize, code: Code, idempotent: bool) -> Remedy {
    let batch = &queue.batches[at];
    let is_next = batch.first == Some(queue.acked);
    match (code, queue.unresolved) {
        (Code::UNKNOWN_PRODUCER_ID, _) if idempotent && batch.is_renumbered => Remedy::Retry,
        (Code::UNKNOWN_PRODUCER_ID, _) if idempotent => Remedy::RetryAnew,
        (Code::OUT_OF_ORDER_SEQUENCE_NUMBER, None) if idempotent && (batch.is_renumbered || !is_next) => Remedy::Retry,
        (Code::OUT_OF_ORDER_SEQUENCE_NUMBER, None) if idempotent => Remedy::RetryAnew,
        (Code::OUT_OF_ORDER_SEQUENCE_NUMBER, lost) if idempotent && lost == batch.first => Remedy::RetryAnew,
        (Code::OUT_OF_ORDER_SEQUENCE_NUMBER, _) if idempotent => Remedy::Retry,
        _ if code.is_retriable() => Remedy::Retry,
        _ => Remedy::Fail,
    }
}

fn is_fatal(code: Code) -> bool {
    matches!(
        code,
        Code::CLUSTER_AUTHORIZATION_FAILED
            | Code::UNSUPPORTED_VERSION
            | Code::TRANSACTIONAL_ID_AUTHORIZATION_FAILED
            | Code::PRODUCER_FENCED
    )
}

/// `client.producer.outcome`: what may have been carried out is never said to have been refused.
fn given_up(batch: &Batch, code: Code) -> Outcome {
    if batch.is_in_doubt { Outcome::Unknown(code) } else { Outcome::Refused(code) }
}

fn done(partition: &NamedPartition, batch: &Batch, outcome: Outcome) -> Output {
    Output::Done { partition: partition.clone(), records: batch.tickets(), outcome }
}
