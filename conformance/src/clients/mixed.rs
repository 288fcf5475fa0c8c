//! Groups whose members are different clients: they share the partitions among themselves, whichever of them leads.
//! Each also writes, with its default settings. What happens to them is recorded and judged.

use super::{Case, Client, Stage, expect, kcat};
use crate::histories::Deed;
use crate::programs::{Group, Language, Process};
use libtest_mimic::Failed;

const PARTITIONS: i32 = 12;
/// What each producer writes.
const COUNT: u32 = 25;
/// The least that brokers allow by default.
const SESSION_MS: u32 = 6_000;
/// Nobody who comes back meanwhile is missed.
const STATIC_SESSION_MS: u32 = 60_000;
/// Those that can be static members.
const STATIC: &[Language] = &[Language::Java, Language::KafkaPython, Language::FranzGo, Language::Confluent];
/// Those that have the sticky assignor without cooperation.
const STICKY: &[Language] = &[Language::Java, Language::KafkaPython, Language::FranzGo];

pub(super) fn cases() -> Vec<Case> {
    vec![
        recorded(&Language::ALL, Some(Client::Kcat), "mixed group shares by range", async |group| {
            shared(group, "range", &Language::ALL, true).await
        }),
        recorded(STICKY, None, "mixed group shares by sticky", async |group| {
            shared(group, "sticky", STICKY, false).await
        }),
        recorded(STATIC, None, "mixed group shares by cooperative-sticky", async |group| {
            shared(group, "cooperative-sticky", STATIC, false).await
        }),
        recorded(STATIC, None, "mixed static members come back", async |group| come_back(group, STATIC).await),
        recorded(&[Language::Confluent], None, "recorded group loses a member under load", killed),
        recorded(&[Language::Confluent], None, "recorded group has a member that slept too long", slept),
    ]
}

/// A case whose history is judged, whatever else it asks for.
pub(super) fn recorded(
    languages: &[Language],
    also: Option<Client>,
    name: &str,
    run: impl AsyncFnOnce(&mut Group) -> Result<(), Failed> + Send + 'static,
) -> Case {
    let clients = languages.iter().copied().map(Client::Of).chain(also).collect();
    let play = move |stage: &Stage| {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(async {
            let mut group = Group::create(&stage.bootstrap, &stage.topic, PARTITIONS).await?;
            let outcome = run(&mut group).await;
            group.judge(outcome)
        })
    };
    Case { clients, name: name.to_owned(), run: Box::new(play) }
}

/// All read; one is killed; one leaves; the others read all, all the time.
// Verifies: group.protocol.vote, group.session.expire, group.leave.each
async fn shared(group: &mut Group, strategy: &str, languages: &[Language], with_kcat: bool) -> Result<(), Failed> {
    let mut members = Vec::new();
    for language in languages {
        members.push(group.join(*language, language.name(), strategy, SESSION_MS, None)?);
    }
    let kcat = with_kcat.then(|| kcat::member(group, strategy, SESSION_MS)).transpose()?;
    let all = members.len() + usize::from(with_kcat);
    group.until_shared(strategy, all).await?;
    group.write(languages, "first", COUNT)?;
    group.until_delivered().await?;
    members.remove(0).kill();
    group.write(&languages[1..2], "second", COUNT)?;
    group.until_shared(strategy, all - 1).await?;
    group.until_delivered().await?;
    members.remove(0).finish()?;
    group.until_shared(strategy, all - 2).await?;
    group.write(&languages[2..3], "third", COUNT)?;
    group.until_delivered().await?;
    match kcat {
        // It doesn't tell what it commits.
        Some(kcat) => {
            kcat.interrupt()?;
            kcat.finish()?;
        }
        None => group.note_committed().await?,
    }
    finish(members)
}

/// Each is killed and started anew: it gets what it had, and the others hear nothing of it.
// Verifies: group.join.static
async fn come_back(group: &mut Group, languages: &[Language]) -> Result<(), Failed> {
    let mut members = Vec::new();
    for language in languages {
        let name = language.name();
        members.push(group.join(*language, name, "range", STATIC_SESSION_MS, Some(name))?);
    }
    group.until_shared("range", members.len()).await?;
    group.write(&languages[..1], "first", COUNT)?;
    group.until_delivered().await?;
    let before = group.recorder.events().len();
    for language in languages {
        let (name, again) = (language.name(), format!("{}-again", language.name()));
        members.remove(0).kill();
        members.push(group.join(*language, &again, "range", STATIC_SESSION_MS, Some(name))?);
        let (had, has) = (group.until_assigned(name).await?, group.until_assigned(&again).await?);
        expect(&format!("what {name} has when it comes back"), &has, &had)?;
    }
    group.write(&languages[..1], "second", COUNT)?;
    group.until_delivered().await?;
    for event in group.recorder.events().split_off(before) {
        let moves = matches!(event.deed, Deed::Assigned { .. } | Deed::Revoked { .. } | Deed::Lost { .. });
        if moves && !event.who.ends_with("-again") {
            return Err(format!("{} heard that another one came back: {:?}", event.who, event.deed).into());
        }
    }
    finish(members)
}

/// A member is killed while it reads what is being written; another one takes its place.
// Verifies: group.session.expire, group.join.new
async fn killed(group: &mut Group) -> Result<(), Failed> {
    let (load, mut members) = under_load(group).await?;
    members.remove(0).kill();
    group.until_shared("range", 2).await?;
    group.goes_on().await?;
    members.push(group.join(Language::Confluent, "d", "range", SESSION_MS, None)?);
    group.until_shared("range", 3).await?;
    group.goes_on().await?;
    ended(group, load, members).await
}

/// A member sleeps for longer than its session, and others read its partitions; it wakes with records in its hands.
// Verifies: group.session.expire, group.member.known, group.offset.fence
async fn slept(group: &mut Group) -> Result<(), Failed> {
    let (load, members) = under_load(group).await?;
    members[0].pause()?;
    group.until_shared("range", 2).await?;
    group.goes_on().await?;
    members[0].resume()?;
    group.until_lost("a").await?;
    group.until_shared("range", 3).await?;
    group.goes_on().await?;
    ended(group, load, members).await
}

async fn under_load(group: &mut Group) -> Result<(Process, Vec<Process>), Failed> {
    let load = group.load("load")?;
    let join = |who: &&str| group.join(Language::Confluent, who, "range", SESSION_MS, None);
    let members = ["a", "b", "c"].iter().map(join).collect::<Result<Vec<_>, _>>()?;
    group.until_shared("range", members.len()).await?;
    group.goes_on().await?;
    Ok((load, members))
}

async fn ended(group: &mut Group, load: Process, members: Vec<Process>) -> Result<(), Failed> {
    load.finish()?;
    group.until_delivered().await?;
    finish(members)?;
    group.note_committed().await
}

fn finish(members: Vec<Process>) -> Result<(), Failed> {
    members.into_iter().try_for_each(|member| Ok(member.finish()?))
}
