//! Groups whose members are different clients: they share the partitions among themselves, whichever of them leads.
//! Each also writes, with its default settings. What happens to them is recorded and judged.

use super::{Case, Client, Stage, kcat};
use crate::failures::until::until;
use crate::histories::{self, Deed, Partition};
use crate::programs::{Language, Member, Process, Recorder};
use highwater::client::{GroupDescription, NewTopic, Patience};
use highwater::config::Endpoint;
use libtest_mimic::Failed;
use std::collections::BTreeSet;
use tokio::runtime::Runtime;

const PARTITIONS: i32 = 12;
/// What each producer writes.
const COUNT: u32 = 25;
/// The least that brokers allow by default.
const SESSION_MS: u32 = 6_000;
/// Nobody who comes back meanwhile is missed.
const STATIC_SESSION_MS: u32 = 60_000;

pub(super) fn cases() -> Vec<Case> {
    use Language::{Confluent, FranzGo, Java, KafkaPython};
    let shares = |strategy: &'static str, languages: &'static [Language], with_kcat: bool| {
        let name = format!("mixed group shares by {strategy}");
        several(languages, with_kcat, name, move |group| shared(group, strategy, languages, with_kcat))
    };
    const STATIC: &[Language] = &[Java, KafkaPython, FranzGo, Confluent];
    vec![
        shares("range", &Language::ALL, true),
        shares("sticky", &[Java, KafkaPython, FranzGo], false),
        shares("cooperative-sticky", STATIC, false),
        several(STATIC, false, "mixed static members come back".to_owned(), |group| come_back(group, STATIC)),
    ]
}

fn several(
    languages: &[Language],
    with_kcat: bool,
    name: String,
    run: impl FnOnce(&mut Group<'_>) -> Result<(), Failed> + Send + 'static,
) -> Case {
    let kcat = with_kcat.then_some(Client::Kcat);
    let clients = languages.iter().copied().map(Client::Of).chain(kcat).collect();
    let run = Box::new(move |stage: &Stage| {
        let mut group = Group::of(stage)?;
        let outcome = run(&mut group).map_err(|failed| failed.message().unwrap_or("it failed").to_owned());
        group.judge(outcome)
    });
    Case { clients, name, run }
}

/// All read; one is killed; one leaves; the others read all, all the time.
fn shared(group: &mut Group<'_>, strategy: &str, languages: &[Language], with_kcat: bool) -> Result<(), Failed> {
    let mut members = Vec::new();
    for language in languages {
        members.push(group.join(*language, language.name(), strategy, SESSION_MS, None)?);
    }
    let kcat = with_kcat.then(|| kcat::member(group.stage, &group.recorder, strategy, SESSION_MS)).transpose()?;
    let all = members.len() + usize::from(with_kcat);
    group.until_shared(strategy, all)?;
    group.write(languages, "first")?;
    group.until_delivered()?;
    members.remove(0).kill();
    group.write(&languages[1..2], "second")?;
    group.until_shared(strategy, all - 1)?;
    group.until_delivered()?;
    members.remove(0).finish()?;
    group.until_shared(strategy, all - 2)?;
    group.write(&languages[2..3], "third")?;
    group.until_delivered()?;
    if let Some(kcat) = kcat {
        kcat.interrupt()?;
        kcat.finish()?;
    }
    members.into_iter().try_for_each(|member| Ok(member.finish()?))
}

/// Each is killed and started anew: it gets what it had, and the others hear nothing of it.
fn come_back(group: &mut Group<'_>, languages: &[Language]) -> Result<(), Failed> {
    let mut members = Vec::new();
    for language in languages {
        let name = language.name();
        members.push(group.join(*language, name, "range", STATIC_SESSION_MS, Some(name))?);
    }
    group.until_shared("range", members.len())?;
    group.write(&languages[..1], "first")?;
    group.until_delivered()?;
    let shared = group.recorder.events().len();
    for language in languages {
        let (name, again) = (language.name(), format!("{}-again", language.name()));
        members.remove(0).kill();
        members.push(group.join(*language, &again, "range", STATIC_SESSION_MS, Some(name))?);
        let had = group.until_assigned(name)?;
        let has = group.until_assigned(&again)?;
        super::expect(&format!("what {name} has when it comes back"), &has, &had)?;
    }
    group.write(&languages[..1], "second")?;
    group.until_delivered()?;
    for event in group.recorder.events().split_off(shared) {
        let moves = matches!(event.deed, Deed::Assigned { .. } | Deed::Revoked { .. } | Deed::Lost { .. });
        if moves && !event.who.ends_with("-again") {
            return Err(format!("{} heard that another one came back: {:?}", event.who, event.deed).into());
        }
    }
    members.into_iter().try_for_each(|member| Ok(member.finish()?))
}

/// One group, of the name of the topic that it reads.
struct Group<'a> {
    stage: &'a Stage,
    recorder: Recorder,
    runtime: Runtime,
    client: highwater::client::Client,
}

impl<'a> Group<'a> {
    fn of(stage: &'a Stage) -> Result<Self, Failed> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let bootstrap = stage.bootstrap.split(',').map(Endpoint::parse).collect::<Option<_>>();
        let bootstrap = bootstrap.ok_or_else(|| format!("{}: no addresses", stage.bootstrap))?;
        let mut client = highwater::client::Client::new(bootstrap, Patience::default());
        let topic = NewTopic { name: stage.topic.clone(), partitions: Some(PARTITIONS), ..NewTopic::default() };
        runtime.block_on(client.create_topic(topic))?;
        Ok(Self { stage, recorder: Recorder::default(), runtime, client })
    }

    fn join(
        &self,
        language: Language,
        who: &str,
        strategy: &str,
        session_ms: u32,
        instance: Option<&str>,
    ) -> Result<Process, Failed> {
        let Stage { bootstrap, topic } = self.stage;
        let member = Member { bootstrap, group: topic, topic, who, strategy, session_ms, instance };
        Ok(Process::start(&mut language.member(&member)?, who, Some(topic), &self.recorder)?)
    }

    /// All of them write at the same time.
    fn write(&self, languages: &[Language], what: &str) -> Result<(), Failed> {
        let Stage { bootstrap, topic } = self.stage;
        let mut writers = Vec::new();
        for language in languages {
            let who = format!("{}-writes-{what}", language.name());
            let mut command = language.producer(bootstrap, topic, &who, COUNT)?;
            writers.push(Process::start(&mut command, &who, None, &self.recorder)?);
        }
        writers.into_iter().try_for_each(Process::finish)?;
        let expected = COUNT as usize * languages.len();
        let acknowledged = self.acknowledged(what);
        match acknowledged == expected {
            true => Ok(()),
            false => Err(format!("of {expected} values {acknowledged} were acknowledged").into()),
        }
    }

    fn acknowledged(&self, what: &str) -> usize {
        let events = self.recorder.events();
        let of_these = events.iter().filter(|event| event.who.ends_with(&format!("-writes-{what}")));
        let is_acknowledged = |deed: &Deed| matches!(deed, Deed::Sent { fate: histories::Fate::Acknowledged(_), .. });
        of_these.filter(|event| is_acknowledged(&event.deed)).count()
    }

    /// Waits until the coordinator says that so many members share all partitions.
    fn until_shared(&mut self, strategy: &str, count: usize) -> Result<(), Failed> {
        let Self { stage, recorder, runtime, client } = self;
        let group = stage.topic.as_str();
        runtime.block_on(until("all members share the partitions", async || {
            let began = Recorder::now();
            let described = client.describe_group(group).await.map_err(|error| error.to_string())?;
            recorder.note_description(group, began, &described);
            match is_shared(&described, strategy, count) {
                true => Ok(()),
                false => Err(format!("{described:?}")),
            }
        }))
    }

    fn until_delivered(&self) -> Result<(), Failed> {
        self.runtime.block_on(until("everything is delivered", async || match self.recorder.undelivered() {
            left if left.is_empty() => Ok(()),
            left => Err(format!("not delivered: {left:?}")),
        }))
    }

    /// Waits until a member was given partitions; those that it has by now.
    fn until_assigned(&self, who: &str) -> Result<BTreeSet<Partition>, Failed> {
        self.runtime.block_on(until(&format!("{who} is given partitions"), async || {
            let events = self.recorder.events();
            let given = events.iter().rev().filter(|event| event.who == who).find_map(|event| match &event.deed {
                Deed::Assigned { partitions, .. } => Some(partitions.iter().cloned().collect()),
                _ => None,
            });
            given.ok_or("it has none")
        }))
    }

    /// The outcome, and what the judge says of the history. The history of a failure is kept.
    fn judge(&self, outcome: Result<(), String>) -> Result<(), Failed> {
        let (verdict, strange) = self.recorder.verdict();
        let anomalies = verdict.anomalies.iter().take(8).map(ToString::to_string);
        let faults: Vec<_> = outcome.err().into_iter().chain(anomalies).chain(strange).collect();
        if faults.is_empty() {
            return Ok(());
        }
        let kept = tempfile::Builder::new().prefix("highwater-history-").suffix(".jsonl").tempfile()?.keep()?.1;
        std::fs::write(&kept, histories::text(&self.recorder.events()))?;
        Err(format!("{}\n{verdict}\nthe history is in {}", faults.join("\n"), kept.display()).into())
    }
}

fn is_shared(described: &GroupDescription, strategy: &str, count: usize) -> bool {
    let owned: Vec<_> = described.members.iter().flat_map(|member| &member.partitions).collect();
    let once: BTreeSet<_> = owned.iter().collect();
    let all = usize::try_from(PARTITIONS).unwrap_or_default();
    described.state == "Stable"
        && described.protocol == strategy
        && described.members.len() == count
        && (owned.len(), once.len()) == (all, all)
}
