//! What is compared after each event: what waits, the timers, the log, the group and its offsets.

use super::names::Names;
use super::{BROKER, GROUP, GroupConductor, is_append, is_group, same};
use crate::lockstep::conductor::Outcome;
use crate::lockstep::divergence::Difference;
use crate::lockstep::plain::Told;
use bytes::Bytes;
use highwater::client::{ClientError, Connection};
use highwater::door::{Plain, What};
use highwater::node::read_group_record;
use highwater::records::{check_copied, records, split};
use highwater::wire::messages::offset_fetch::{OffsetFetchRequestGroup, OffsetFetchRequestTopics};
use highwater::wire::messages::{ListGroupsRequest, OffsetFetchRequest, OffsetFetchResponse};
use highwater_checker::group::{Coordinated, Model};
use highwater_spec::group::{FetchedOffsets, NamedPartition, Reader};
use highwater_spec::refusal::Refusal;
use std::collections::BTreeMap;
use std::error::Error;
use std::fs;
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(10);
const FIRST_SEGMENT: &str = "__consumer_offsets-0/00000000000000000000.log";
const MOST: usize = 1 << 20;

impl<W: Coordinated> GroupConductor<W> {
    /// Compares everything.
    pub(super) fn compare(&mut self) -> Outcome {
        self.nothing_else()?;
        self.compare_timers()?;
        let specified: Vec<_> = self.written.iter().map(|record| format!("{:?}", record.recast::<Told>())).collect();
        let found = self.log_in_words()?;
        same("the coordinator's log", Names::without_hashes(&specified.join("\n")), self.names.in_model(&found))?;
        let specified = W::coordinator(&self.state).list_groups().unwrap_or_default();
        let specified =
            specified.iter().map(|listed| in_list(&listed.group.0, listed.state.name(), listed.state.kind()));
        let specified = specified.collect();
        let found = self.groups()?;
        same("the groups", specified, found)?;
        let found = W::coordinator(&self.state).fetch_offsets(&Reader::default(), &GROUP.into(), None);
        let specified = offsets_in_words(&found);
        let found = self.offsets(&Reader::default(), None)?;
        same("the offsets", specified, found)
    }

    /// Nothing waits that the model does not know, and nobody has an answer too many.
    fn nothing_else(&mut self) -> Outcome {
        let appends = self.board.waiting().filter(|entry| is_append(entry)).count();
        same("the appends that wait", self.unwritten.len().to_string(), appends.to_string())?;
        let known = |what: &What| matches!(what, What::Timer(_));
        let other = self.board.waiting().find(|entry| is_group(entry) && !known(&entry.what)).cloned();
        if let Some(other) = other {
            let found = self.names.in_model(&other.what.to_string());
            return Err(Difference::new("what waits at the coordinator", "nothing but timers", found));
        }
        match self.members.answered() {
            Some(member) => Err(Difference::new(format!("what c{member} is answered"), "nothing yet", "an answer")),
            None => Ok(()),
        }
    }

    fn compare_timers(&mut self) -> Outcome {
        let mut specified: Vec<_> =
            W::timers(&self.state).iter().map(|timer| format!("{timer:?} of {GROUP}")).collect();
        let armed = self.board.waiting().filter(|entry| is_group(entry)).filter_map(|entry| match &entry.what {
            What::Timer(text) => Some(text.clone()),
            _ => None,
        });
        let armed: Vec<_> = armed.collect();
        let mut found: Vec<_> = armed.iter().map(|text| self.names.in_model(text)).collect();
        specified.sort();
        found.sort();
        same("the coordinator's timers", specified.join(", "), found.join(", "))
    }

    /// The records of the coordinator's log, in words, a line for each.
    fn log_in_words(&self) -> Result<String, Box<dyn Error>> {
        let path = self.plan.dir(BROKER).join(FIRST_SEGMENT);
        let bytes = Bytes::from(fs::read(path)?);
        let mut lines = Vec::new();
        for batch in split(bytes) {
            let (_, batch) = batch?;
            check_copied(&batch)?;
            for record in records(&batch, MOST)? {
                let record = record?;
                let record = read_group_record(&record.key.unwrap_or_default(), record.value.as_ref())?;
                lines.push(format!("{:?}", record.recast::<Plain>()));
            }
        }
        Ok(lines.join("\n"))
    }

    /// The groups that the broker lists.
    fn groups(&mut self) -> Outcome<String> {
        let answer = self.look(|mut connection| async move {
            let answer = connection.call(&ListGroupsRequest::default()).await;
            (connection, answer)
        })?;
        let listed = answer.groups.iter();
        Ok(listed.map(|group| in_list(&group.group_id, &group.group_state, &group.group_type)).collect())
    }

    /// The offsets that a broker tells, of some partitions or of all.
    pub(super) fn offsets(&mut self, reader: &Reader, partitions: Option<&[NamedPartition]>) -> Outcome<String> {
        let topics = partitions.map(|partitions| {
            let mut topics: BTreeMap<String, Vec<i32>> = BTreeMap::new();
            partitions.iter().for_each(|one| topics.entry(one.topic.to_string()).or_default().push(one.index));
            let topics = topics.into_iter();
            topics
                .map(|(name, partition_indexes)| OffsetFetchRequestTopics {
                    name,
                    partition_indexes,
                    ..Default::default()
                })
                .collect()
        });
        let group = OffsetFetchRequestGroup {
            group_id: GROUP.to_owned(),
            member_id: reader.member.as_ref().map(|member| self.names.member(member)),
            member_epoch: reader.epoch.map_or(-1, |epoch| epoch.0),
            topics,
        };
        let request = OffsetFetchRequest { groups: vec![group], ..Default::default() };
        let answer = self.look(|mut connection| async move {
            let answer = connection.call(&request).await;
            (connection, answer)
        })?;
        Ok(told_offsets(answer))
    }

    /// Asks for what changes nothing.
    fn look<T, F>(&mut self, asks: impl FnOnce(Connection) -> F + Send + 'static) -> Outcome<T>
    where
        T: Send + 'static,
        F: Future<Output = (Connection, Result<T, ClientError>)> + Send,
    {
        let (at, kept) = (self.plan.address(BROKER).to_string(), self.looking.take());
        let asking = self.members.spawn(async move {
            let connection = match kept {
                Some(connection) => connection,
                None => Connection::connect(&at, PATIENCE).await?,
            };
            let (connection, answer) = asks(connection).await;
            answer.map(|answer| (connection, answer))
        });
        self.flow_until("an answer to whoever looks".to_owned(), |_| asking.is_answered())?;
        let (connection, answer) = asking.answer()?.map_err(Box::<dyn Error>::from)?;
        self.looking = Some(connection);
        Ok(answer)
    }
}

fn in_list(group: &str, state: &str, kind: &str) -> String {
    format!("{group} is {state} ({kind}) ")
}

/// Offsets as the model finds them.
pub(super) fn offsets_in_words(found: &Result<FetchedOffsets<Model>, Refusal>) -> String {
    match found {
        Ok(found) => {
            let offset =
                |(of, found): &(NamedPartition, Option<_>)| (of.to_string(), found.as_ref().map_or(-1, offset));
            listed(found.iter().map(offset).collect())
        }
        Err(refusal) => format!("refused {}", refusal.code()),
    }
}

fn offset(committed: &highwater_spec::group::CommittedOffset<Model>) -> i64 {
    committed.offset.0
}

fn told_offsets(answer: OffsetFetchResponse) -> String {
    let Some(group) = answer.groups.into_iter().next() else { return "no group in the answer".to_owned() };
    if group.error_code != 0 {
        return format!("refused {}", group.error_code);
    }
    let of_topic = |topic: highwater::wire::messages::offset_fetch::OffsetFetchResponseTopics| {
        let name = topic.name;
        topic.partitions.into_iter().map(move |found| (name.clone(), found)).collect::<Vec<_>>()
    };
    let found = group.topics.into_iter().flat_map(of_topic).map(|(topic, found)| {
        let partition = NamedPartition { topic: topic.as_str().into(), index: found.partition_index };
        let code = if found.error_code == 0 { found.committed_offset } else { i64::from(found.error_code) - 1000 };
        (partition.to_string(), code)
    });
    listed(found.collect())
}

fn listed(mut offsets: Vec<(String, i64)>) -> String {
    offsets.sort();
    let words: Vec<_> = offsets.iter().map(|(partition, offset)| format!("{partition} {offset}")).collect();
    words.join(", ")
}
