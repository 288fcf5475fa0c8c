//! Groups of real consumers under load, while their coordinator or a leader of what they read fails. What they and an
//! idempotent producer tell is judged.

use crate::failures::Case;
use crate::failures::cluster::Wish;
use crate::failures::stage::{ALL, Stage};
use crate::programs::{Group, Language};
use highwater_spec::values::BrokerId;
use libtest_mimic::Failed;

const PARTITIONS: i32 = 6;
const SESSION_MS: u32 = 6_000;
const READERS: [&str; 3] = ["a", "b", "c"];

pub(super) fn cases() -> Vec<Case> {
    let case = |name, fails: Fails| {
        let play = async move |stage: &mut Stage| under_load(stage, fails).await;
        Case::new(name, Wish::default(), play).needs(Language::Confluent)
    };
    vec![
        case("readers go on when their coordinator is killed", Fails { coordinator: true, sleeps: false }),
        case("readers go on when a leader is killed", Fails { coordinator: false, sleeps: false }),
        case("readers go on when their coordinator slept", Fails { coordinator: true, sleeps: true }),
    ]
}

/// Who fails, and how.
#[derive(Clone, Copy, Debug)]
struct Fails {
    /// The group's coordinator, else another broker, which leads some of what is read.
    coordinator: bool,
    /// It sleeps until others do its work, and wakes; else it is killed.
    sleeps: bool,
}

async fn under_load(stage: &mut Stage, fails: Fails) -> Result<(), Failed> {
    let addresses = stage.cluster.addresses();
    let bootstrap = addresses.iter().map(|(_, address)| address.to_string()).collect::<Vec<_>>().join(",");
    let mut group = Group::create(&bootstrap, "readers", PARTITIONS).await?;
    let outcome = read(stage, &mut group, fails).await;
    group.judge(outcome)
}

// Verifies: group.coordinator.load, group.coordinator.role, producer.state.fold, replica.produce.duplicate
async fn read(stage: &mut Stage, group: &mut Group, fails: Fails) -> Result<(), Failed> {
    let load = group.load("load")?;
    let join = |who: &&str| group.join(Language::Confluent, who, "range", SESSION_MS, None);
    let members = READERS.iter().map(join).collect::<Result<Vec<_>, _>>()?;
    group.until_shared("range", members.len()).await?;
    group.goes_on().await?;
    let coordinator = BrokerId(group.coordinator().await?);
    let broker = ALL.into_iter().find(|broker| (*broker == coordinator) == fails.coordinator).unwrap_or(coordinator);
    if fails.sleeps {
        stage.cluster.process(broker).pause()?;
        group.goes_on().await?;
        stage.cluster.process(broker).resume()?;
    } else {
        stage.kill(broker);
        group.goes_on().await?;
        stage.start(broker)?;
    }
    stage.cluster.until_all_live().await?;
    group.goes_on().await?;
    group.until_shared("range", members.len()).await?;
    load.finish()?;
    group.until_delivered().await?;
    members.into_iter().try_for_each(|member| Ok::<(), Failed>(member.finish()?))?;
    group.note_committed().await
}
