//! One event, carried out.

use super::state::{Answer, State, Taken};
use super::{Event, World, words};
use highwater_spec::client::Code;
use highwater_spec::client::producer::{BatchId, Identity, Input, Output, Request, Timer};
use highwater_spec::machine::Machine;
use highwater_spec::producer::{Sequenced, Verdict};
use highwater_spec::refusal::Refusal;
use highwater_spec::values::{Offset, ProducerEpoch, ProducerId, Ticket, Timestamp};

type Happens = Result<(), &'static str>;

/// A state on its way to the next one.
pub(super) struct Step<'a> {
    pub(super) world: &'a World,
    pub(super) state: State,
    pub(super) trace: &'a mut Vec<String>,
}

impl Step<'_> {
    pub(super) fn spend(&mut self, event: Event) -> Happens {
        let left = match event {
            Event::Gives => &mut self.state.budget.records,
            Event::Breaks => &mut self.state.budget.breaks,
            Event::Refuses => &mut self.state.budget.refusals,
            Event::FailsOver(_) => &mut self.state.budget.failovers,
            Event::Expires(_) => &mut self.state.budget.expiries,
            _ => return Ok(()),
        };
        *left = left.checked_sub(1).ok_or("its budget is spent")?;
        Ok(())
    }

    pub(super) fn happens(&mut self, event: Event) -> Happens {
        match event {
            Event::Gives => {
                let record = Ticket(self.state.given);
                self.state.given += 1;
                // As many bytes as a batch holds: it is full at once.
                self.hears(Input::Given { partition: World::partition(), record, bytes: 1 });
            }
            Event::Handles => {
                let request = self.state.asked.pop_front().ok_or("nothing is on its way")?;
                let answer = self.take(&request);
                self.state.taken.push_back(Taken { request, answer });
            }
            Event::Refuses => {
                let request = self.state.asked.pop_front().ok_or("nothing is on its way")?;
                let answer = Answer::Now(Err(Refusal::NotEnoughReplicas.into()));
                self.state.taken.push_back(Taken { request, answer });
            }
            Event::Commits => {
                let end = self.state.leader.end();
                (self.state.leader.committed < end).then_some(()).ok_or("everything is committed")?;
                self.state.leader.committed = end;
            }
            Event::Answered => self.answered()?,
            Event::Breaks => {
                let is_busy = !self.state.asked.is_empty() || !self.state.taken.is_empty();
                is_busy.then_some(()).ok_or("nothing is under way")?;
                self.breaks();
            }
            Event::Late(connection) => {
                let requests = self.state.late.get_mut(usize::from(connection)).ok_or("there is no such connection")?;
                let request = requests.pop_front().ok_or("nothing is on its way there")?;
                self.take(&request);
            }
            Event::FailsOver(records) => self.fails_over(usize::from(records))?,
            Event::Retries => self.fires(Timer::Retry(World::partition()))?,
            Event::Expires(batch) => self.fires(Timer::Delivery(World::partition(), BatchId(batch.into())))?,
        }
        Ok(())
    }

    fn fires(&mut self, timer: Timer) -> Happens {
        self.state.timers.remove(&timer).then_some(()).ok_or("it is not set")?;
        self.hears(Input::TimerFired(timer));
        Ok(())
    }

    /// What a leader does with a request.
    fn take(&mut self, request: &Request) -> Answer {
        let leader = &mut self.state.leader;
        let numbered = request.numbers.map(|(Identity { id, epoch }, first)| Sequenced {
            producer: id,
            epoch,
            first,
            timestamp: Timestamp(0),
        });
        let (base, count) = (leader.end(), request.records.len() as u32);
        let verdict = numbered.as_ref().map(|batch| leader.known.judge(&self.world.rules, batch, count));
        let (base, end) = match verdict {
            Some(Verdict::Refused(refusal)) => {
                self.trace.push(format!("leader refuses {}: {refusal}", words::records(&request.records)));
                return Answer::Now(Err(refusal.into()));
            }
            Some(Verdict::Duplicate(written)) => {
                self.trace.push(format!("leader has {} already", words::records(&request.records)));
                (written.base, written.end)
            }
            Some(Verdict::Append) | None => {
                request.records.iter().for_each(|record| leader.append(*record, numbered));
                self.trace.push(format!("leader appends {} at {base}", words::records(&request.records)));
                (base, leader.end())
            }
        };
        if self.world.bounds.leader_acks == 1 { Answer::Now(Ok(base)) } else { Answer::WhenCommitted(base, end) }
    }

    fn answered(&mut self) -> Happens {
        let outcome = match self.state.taken.front().ok_or("nothing was answered")?.answer {
            Answer::Now(outcome) => outcome,
            Answer::WhenCommitted(base, end) => {
                (end <= self.state.leader.committed).then_some(Ok(base)).ok_or("it waits for the other replicas")?
            }
        };
        if let Some(Taken { request, .. }) = self.state.taken.pop_front() {
            self.tell(request, outcome.map(Some));
        }
        Ok(())
    }

    fn tell(&mut self, request: Request, outcome: Result<Option<Offset>, Code>) {
        let Request { partition, batch, attempt, .. } = request;
        self.hears(Input::Answered { partition, batch, attempt, outcome });
    }

    /// Nobody hears what was done on a connection that breaks, and the producer hears that it will not.
    fn breaks(&mut self) {
        let asked = std::mem::take(&mut self.state.asked);
        let taken = std::mem::take(&mut self.state.taken);
        if self.world.bounds.delays == 1 {
            self.state.late.push(asked.clone());
        }
        let open = taken.into_iter().map(|taken| taken.request).chain(asked);
        open.for_each(|request| self.tell(request, Err(Code::NETWORK_EXCEPTION)));
    }

    /// Requests that had not reached the leader before reach one that leads no more.
    fn fails_over(&mut self, records: usize) -> Happens {
        let leader = &self.state.leader;
        let has = Offset(records as i64);
        (has >= leader.committed && has <= leader.end()).then_some(()).ok_or("no replica in sync has just that")?;
        self.state.leader = leader.successor(records);
        self.breaks();
        self.state.late.clear();
        Ok(())
    }

    fn hears(&mut self, input: Input) {
        let mut outputs = Vec::new();
        self.state.producer.step(&self.world.rules, input, &mut outputs);
        for output in outputs {
            self.trace.extend(words::output(&output));
            self.carry_out(output);
        }
    }

    fn carry_out(&mut self, output: Output) {
        match output {
            // An id is given at once: without one nothing happens that could go wrong.
            Output::AskId => {
                let identity = Identity { id: ProducerId(1), epoch: ProducerEpoch(0) };
                self.hears(Input::IdAnswered(Ok(identity)));
            }
            Output::Send(request) => self.state.asked.push_back(request),
            Output::Done { records, outcome, .. } => {
                self.state.told.extend(records.into_iter().map(|record| (record, outcome)));
            }
            Output::SetTimer(timer) => drop(self.state.timers.insert(timer)),
            Output::CancelTimer(timer) => drop(self.state.timers.remove(&timer)),
            Output::FindLeader(_) | Output::Flushed => {}
        }
    }
}
