//! One event, carried out.

use super::state::{Asked, Question, State};
use super::{Event, World, words};
use highwater_spec::assignor::Assignor;
use highwater_spec::client::consumer::{Input, Joined, Leader, Output};
use highwater_spec::group::Generation;
use highwater_spec::machine::Machine;
use highwater_spec::replica::{Answer, Ask, Reader};
use highwater_spec::rules::FetchFencing;
use highwater_spec::values::{LeaderEpoch, Offset, TopicId};
use highwater_spec::view::Entry;

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
            Event::Writes => &mut self.state.budget.records,
            Event::Leads(..) => &mut self.state.budget.elections,
            Event::Restarts => &mut self.state.budget.restarts,
            _ => return Ok(()),
        };
        *left = left.checked_sub(1).ok_or("its budget is spent")?;
        Ok(())
    }

    pub(super) fn happens(&mut self, event: Event) -> Happens {
        match event {
            Event::Writes => {
                let entry = Entry { epoch: self.state.epoch(), value: self.state.written };
                self.state.written += 1;
                self.state.logs.last_mut().ok_or("nobody leads")?.push(entry);
            }
            Event::Leads(of, keeps) => self.leads(of, keeps.into())?,
            Event::Hears(epoch) => {
                (usize::from(epoch) < self.state.logs.len()).then_some(()).ok_or("there is no such epoch yet")?;
                // Brokers that do not compare epochs do not tell consumers of them. Where they do, the epoch says whom is
                // asked.
                let tells = self.world.rules.fetch_fencing == FetchFencing::LeaderEpoch;
                self.state.heard = Some(if tells { 0 } else { epoch });
                let epoch = tells.then_some(LeaderEpoch(epoch.into()));
                let leader = Leader { topic: TopicId::default(), epoch };
                self.hears(Input::LeadersSeen([(World::partition(), leader)].into()), &[]);
            }
            Event::Fetches => self.fetches()?,
            Event::Answers(nth, epoch) => self.answers(nth.into(), epoch)?,
            Event::Arrives(nth) => self.arrives(nth.into())?,
            Event::Polls => self.hears(Input::Polled, &[]),
            Event::Commits => self.hears(Input::CommitAsked, &[]),
            Event::Restarts => {
                self.state.consumer = self.world.consumer();
                (self.state.heard, self.state.questions) = (None, Vec::new());
                self.state.read = self.state.kept.clone();
                self.joins();
            }
        }
        Ok(())
    }

    fn leads(&mut self, of: Option<u8>, keeps: usize) -> Happens {
        let logs = &mut self.state.logs;
        let last = logs.len() - 1;
        let of = of.map_or(last, usize::from);
        let log = logs.get(of).filter(|log| keeps <= log.len()).ok_or("no replica has just that")?;
        let log = log[..keeps].to_vec();
        logs.push(log);
        Ok(())
    }

    fn fetches(&mut self) -> Happens {
        self.state.heard.ok_or("it knows nobody to ask")?;
        let is_fetch = |question: &&Question| matches!(question.asked, Asked::Records(..));
        let under_way = self.state.questions.iter().filter(is_fetch).count();
        (under_way < usize::from(self.world.bounds.in_flight)).then_some(()).ok_or("it waits for records already")?;
        let consumer = &self.state.consumer;
        let (partition, from) = consumer.positions().next().ok_or("it does not know from where")?;
        let asked = Asked::Records(from, consumer.leader_epoch(partition));
        self.asks(asked);
        Ok(())
    }

    /// Nobody asks again while the same question is under way.
    fn asks(&mut self, asked: Asked) {
        let questions = &mut self.state.questions;
        if questions.iter().all(|question| question.asked != asked) {
            questions.push(Question { asked, answer: None });
            questions.sort_by_key(|question| question.asked);
        }
    }

    /// A broker that led once answers as one that has not heard of its successor. One that has refuses, as the successor
    /// does.
    fn answers(&mut self, nth: usize, epoch: u8) -> Happens {
        let view = self.state.view(epoch).ok_or("there is no such epoch yet")?;
        let open = self.state.questions.get_mut(nth).filter(|question| question.answer.is_none());
        let question = open.ok_or("no such question is open")?;
        let (rules, partition) = (&self.world.rules, World::partition());
        let mut records = Vec::new();
        let input = match question.asked {
            // Who names no epoch asks the broker of which it has heard, which may lead once more by now.
            Asked::Records(_, None) if Some(epoch) < self.state.heard => return Err("it has not heard of that one"),
            Asked::Records(from, under) => {
                let ask = Ask { reader: Reader::Consumer, leader_epoch: under, offset: from, last_fetched_epoch: None };
                match view.answer(rules, &ask) {
                    Answer::Read { upto, .. } => {
                        let log = (0..).map(Offset).zip(self.state.logs[usize::from(epoch)].iter().copied());
                        records.extend(log.filter(|(at, _)| (from..upto).contains(at)));
                        let epoch = records.last().map(|(_, entry)| entry.epoch);
                        Input::Fetched { partition, from, under, upto, epoch }
                    }
                    Answer::Refused(refusal) => Input::FetchRefused { partition, from, under, refusal },
                    Answer::Diverging(_) => return Err("a consumer does not ask where logs part"),
                }
            }
            Asked::EpochEnd(at, leader) => {
                let epoch = at.epoch.ok_or("a question for no epoch")?;
                let outcome = view.end_of_epoch(rules, Reader::Consumer, Some(leader), epoch);
                Input::EpochEndAnswered { partition, at, leader, outcome }
            }
        };
        self.trace.extend(words::answer(&input));
        question.answer = Some((input, records));
        Ok(())
    }

    fn arrives(&mut self, nth: usize) -> Happens {
        let answered = self.state.questions.get(nth).and_then(|question| question.answer.clone());
        let (input, records) = answered.ok_or("no such question is answered")?;
        self.state.questions.remove(nth);
        self.hears(input, &records);
        Ok(())
    }

    /// The consumer becomes its group's only member. Its coordinator answers at once: groups are another world's concern.
    pub(super) fn joins(&mut self) {
        let joined = Joined { generation: Generation(1), assignor: Assignor::Range, leads: None };
        self.hears(Input::Polled, &[]);
        self.hears(Input::CoordinatorFound, &[]);
        self.hears(Input::JoinAnswered { member: Some("m".into()), outcome: Ok(joined) }, &[]);
        self.hears(Input::SyncAnswered(Ok([World::partition()].into())), &[]);
    }

    fn hears(&mut self, input: Input, records: &[(Offset, Entry)]) {
        let mut outputs = Vec::new();
        self.state.consumer.step(&self.world.rules, input, &mut outputs);
        for output in outputs {
            self.trace.extend(words::output(&output));
            self.carry_out(output, records);
        }
    }

    fn carry_out(&mut self, output: Output, records: &[(Offset, Entry)]) {
        match output {
            Output::Deliver { from, upto, .. } => {
                self.state.read.retain(|(at, _)| *at < from);
                self.state.read.extend(records.iter().filter(|(at, _)| (from..upto).contains(at)));
            }
            Output::Truncated { diverges, .. } => {
                let end = diverges.unwrap_or_default();
                self.state.read.retain(|(at, _)| *at < end);
            }
            Output::FindEpochEnd { at, leader, .. } => {
                self.asks(Asked::EpochEnd(at, leader));
            }
            Output::FetchOffsets(partitions) => {
                let committed = partitions.into_iter().map(|partition| (partition, self.state.committed)).collect();
                self.hears(Input::OffsetsAnswered(Ok(committed)), &[]);
            }
            Output::FindOffset { partition, .. } => {
                self.hears(Input::OffsetFound { partition, offset: Offset(0) }, &[]);
            }
            Output::Commit { generation, offsets, .. } => {
                if let Some(place) = offsets.get(&World::partition()) {
                    self.state.committed = Some(*place);
                    let read = self.state.read.iter().copied();
                    self.state.kept = read.filter(|(at, _)| *at < place.offset).collect();
                }
                self.hears(Input::CommitAnswered { generation, outcome: Ok(()) }, &[]);
            }
            _ => {}
        }
    }
}
