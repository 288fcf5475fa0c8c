//! One group of recorded members, the topic that it reads, and what one waits for in it.

use super::language::{Language, Member};
use super::process::Process;
use super::recorder::Recorder;
use crate::failures::until::until;
use crate::histories::{self, Deed, Partition};
use highwater::client::{Client, GroupDescription, NewTopic, Patience};
use highwater::config::Endpoint;
use libtest_mimic::Failed;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

/// How many anomalies of a history are told.
const MOST_TOLD: usize = 8;
/// So many more acknowledged values, and a load goes on.
const GOES_ON: usize = 60;

/// A group, of the name of the topic that it reads.
#[derive(Debug)]
pub struct Group {
    /// The cluster's addresses.
    pub bootstrap: String,
    /// The topic, and the group.
    pub name: String,
    /// What has happened.
    pub recorder: Recorder,
    partitions: usize,
    client: Client,
}

impl Group {
    /// Makes the topic.
    ///
    /// # Errors
    /// When it isn't made.
    pub async fn create(bootstrap: &str, name: &str, partitions: i32) -> Result<Self, Failed> {
        let addresses = bootstrap.split(',').map(Endpoint::parse).collect::<Option<_>>();
        let addresses = addresses.ok_or_else(|| format!("{bootstrap}: no addresses"))?;
        let mut client = Client::new(addresses, Patience::default());
        let topic = NewTopic {
            name: name.to_owned(),
            partitions: Some(partitions),
            replication_factor: Some(3),
            configs: Vec::new(),
        };
        client.create_topic(topic).await?;
        let (bootstrap, name, recorder) = (bootstrap.to_owned(), name.to_owned(), Recorder::default());
        Ok(Self { bootstrap, name, recorder, partitions: usize::try_from(partitions)?, client })
    }

    /// Starts a member.
    ///
    /// # Errors
    /// When its client can't be had.
    pub fn join(
        &self,
        language: Language,
        who: &str,
        strategy: &str,
        session_ms: u32,
        instance: Option<&str>,
    ) -> Result<Process, Failed> {
        let Self { bootstrap, name, .. } = self;
        let member = Member { bootstrap, group: name, topic: name, who, strategy, session_ms, instance };
        Ok(Process::start(&mut language.member(&member)?, who, Some(name), &self.recorder)?)
    }

    /// Starts an idempotent producer, which writes until it is asked to end.
    ///
    /// # Errors
    /// When its client can't be had.
    pub fn load(&self, who: &str) -> Result<Process, Failed> {
        let mut command = Language::load(&self.bootstrap, &self.name, who)?;
        Ok(Process::start(&mut command, who, None, &self.recorder)?)
    }

    /// Has a producer of each language write `count` values, all at the same time. Their names end in `what`.
    ///
    /// # Errors
    /// When one of them isn't acknowledged.
    pub fn write(&self, languages: &[Language], what: &str, count: u32) -> Result<(), Failed> {
        let mut writers = Vec::new();
        for language in languages {
            let who = format!("{}-writes-{what}", language.name());
            let mut command = language.producer(&self.bootstrap, &self.name, &who, count)?;
            writers.push(Process::start(&mut command, &who, None, &self.recorder)?);
        }
        writers.into_iter().try_for_each(Process::finish)?;
        let expected = count as usize * languages.len();
        let acknowledged = self.recorder.acknowledged(|who| who.ends_with(&format!("-writes-{what}"))).len();
        match acknowledged == expected {
            true => Ok(()),
            false => Err(format!("of {expected} values {acknowledged} were acknowledged").into()),
        }
    }

    /// Waits until values are acknowledged that were sent after this call, and they and all before are delivered.
    ///
    /// # Errors
    /// When they aren't.
    pub async fn goes_on(&self) -> Result<(), Failed> {
        let enough = self.recorder.acknowledged(|_| true).len() + GOES_ON;
        until("the load goes on", async || match self.recorder.acknowledged(|_| true).len() {
            acknowledged if acknowledged >= enough => Ok(()),
            acknowledged => Err(format!("{acknowledged} of {enough} acknowledged")),
        })
        .await?;
        self.until_delivered().await
    }

    /// Waits until everything is delivered that is acknowledged by now.
    ///
    /// # Errors
    /// When something isn't.
    pub async fn until_delivered(&self) -> Result<(), Failed> {
        let all = self.recorder.acknowledged(|_| true);
        until("everything is delivered", async || match self.recorder.undelivered(all.clone()) {
            left if left.is_empty() => Ok(()),
            left => Err(format!("not delivered: {left:?}")),
        })
        .await
    }

    /// Waits until the coordinator says that so many members share all partitions. Each answer is noted.
    ///
    /// # Errors
    /// When they don't.
    pub async fn until_shared(&mut self, strategy: &str, count: usize) -> Result<(), Failed> {
        let Self { name, recorder, partitions, client, .. } = self;
        until(&format!("{count} members share the partitions"), async || {
            let began = Recorder::now();
            let described = client.describe_group(name).await.map_err(|error| error.to_string())?;
            recorder.note_description(name, began, &described);
            match is_shared(&described, strategy, count, *partitions) {
                true => Ok(()),
                false => Err(format!("{described:?}")),
            }
        })
        .await
    }

    /// What each member reads, by its id, as the coordinator has it.
    ///
    /// # Errors
    /// When nobody tells.
    pub async fn shares(&mut self) -> Result<BTreeMap<String, BTreeSet<i32>>, Failed> {
        let Self { name, client, .. } = self;
        let described = until("the group is described", async || client.describe_group(name).await).await?;
        let share = |member: highwater::client::GroupMember| {
            (member.id, member.partitions.into_iter().map(|partition| partition.index).collect())
        };
        Ok(described.members.into_iter().map(share).collect())
    }

    /// Waits until a member was given partitions; those that it was given last.
    ///
    /// # Errors
    /// When it isn't given any.
    pub async fn until_assigned(&self, who: &str) -> Result<BTreeSet<Partition>, Failed> {
        until(&format!("{who} is given partitions"), async || {
            let events = self.recorder.events();
            let given = events.iter().rev().filter(|event| event.who == who).find_map(|event| match &event.deed {
                Deed::Assigned { partitions, .. } => Some(partitions.iter().cloned().collect()),
                _ => None,
            });
            given.ok_or("it has none")
        })
        .await
    }

    /// Waits until a member has found out that it lost its partitions.
    ///
    /// # Errors
    /// When it doesn't.
    pub async fn until_lost(&self, who: &str) -> Result<(), Failed> {
        until(&format!("{who} finds out that it is no member any more"), async || {
            let events = self.recorder.events();
            let lost = |event: &histories::Event| event.who == who && matches!(event.deed, Deed::Lost { .. });
            events.iter().any(lost).then_some(()).ok_or("it has not")
        })
        .await
    }

    /// The broker that coordinates the group, by id.
    ///
    /// # Errors
    /// When nobody does.
    pub async fn coordinator(&mut self) -> Result<i32, Failed> {
        let Self { name, client, .. } = self;
        until("the group has a coordinator", async || client.describe_group(name).await.map(|found| found.coordinator))
            .await
    }

    /// Notes which offsets are committed.
    ///
    /// # Errors
    /// When nobody tells.
    pub async fn note_committed(&mut self) -> Result<(), Failed> {
        let Self { name, client, .. } = self;
        let began = Recorder::now();
        let committed = until("offsets are told", async || client.committed_offsets(name).await).await?;
        for (of, offset) in committed {
            let partition = Partition(of.topic, of.index);
            self.recorder.note("admin", Some(&self.name), began, Deed::Told { partition, offset: Some(offset.0) });
        }
        Ok(())
    }

    /// The outcome, and what the judge says of the history. The history of a failure is kept.
    ///
    /// # Errors
    /// When either isn't as it should be.
    pub fn judge(&self, outcome: Result<(), Failed>) -> Result<(), Failed> {
        let (verdict, strange) = self.recorder.verdict();
        let failed = outcome.err().map(|failed| failed.message().unwrap_or("it failed").to_owned());
        let anomalies = verdict.anomalies.iter().take(MOST_TOLD).map(ToString::to_string);
        let faults: Vec<_> = failed.into_iter().chain(anomalies).chain(strange).collect();
        if faults.is_empty() {
            return Ok(());
        }
        let kept = tempfile::Builder::new().prefix("highwater-history-").suffix(".jsonl").tempfile()?.keep()?.1;
        std::fs::write(&kept, histories::text(&self.recorder.events()))?;
        let mut told = faults.join("\n");
        for said in self.recorder.said() {
            let _ = write!(told, "\n{said}");
        }
        Err(format!("{told}\n{}\nthe history is in {}", verdict.counts(), kept.display()).into())
    }
}

fn is_shared(described: &GroupDescription, strategy: &str, count: usize, partitions: usize) -> bool {
    let owned: Vec<_> = described.members.iter().flat_map(|member| &member.partitions).collect();
    let once: BTreeSet<_> = owned.iter().collect();
    described.state == "Stable"
        && described.protocol == strategy
        && described.members.len() == count
        && (owned.len(), once.len()) == (partitions, partitions)
}
