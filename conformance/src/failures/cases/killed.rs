//! Processes that are killed while clients write: what they had in memory is gone, what they wrote stays.

use crate::failures::Case;
use crate::failures::cluster::Wish;
use crate::failures::judge::judge;
use crate::failures::load::Load;
use crate::failures::stage::{ALL, Stage};
use crate::failures::until::until;
use crate::failures::writer::{Acks, Writer};
use highwater_spec::values::BrokerId;
use libtest_mimic::Failed;
use std::fs;

pub(super) fn cases() -> Vec<Case> {
    vec![
        Case::new("a killed leader is replaced and comes back", Wish::default(), leader),
        Case::new("a killed leader cuts what only it had", Wish::default(), leader_with_a_tail),
        Case::new("a killed follower leaves the ISR and comes back", Wish::default(), follower),
        Case::new("everything killed at once keeps what was acknowledged", Wish::default(), everything),
    ]
}

// Verifies: controller.broker.expire, controller.elect.complete
async fn leader(stage: &mut Stage) -> Result<(), Failed> {
    let log = stage.usual_log().await?;
    let load = Load::on(&log);
    load.goes_on().await?;
    let old = log.until_led(|_| true).await?;
    stage.kill(old);
    log.until_led(|leader| leader != old).await?;
    load.goes_on().await?;
    stage.start(old)?;
    log.until_in_sync(&ALL).await?;
    load.goes_on().await?;
    load.stop().await?;
    judge(&log).await.map(drop)
}

/// The followers sleep while the leader takes values with acks=1: nobody else ever has those. When the controller misses
/// the followers, also the fetches that they had under way have long been answered.
// Verifies: replica.truncate.diverging, replica.produce.commit
async fn leader_with_a_tail(stage: &mut Stage) -> Result<(), Failed> {
    const TAIL: u32 = 20;
    let log = stage.usual_log().await?;
    let load = Load::on(&log);
    load.goes_on().await?;
    load.stop().await?;
    let old = log.until_led(|_| true).await?;
    let followers = ALL.into_iter().filter(|broker| *broker != old);
    for follower in followers.clone() {
        stage.cluster.process(follower).pause()?;
    }
    log.until_in_sync(&[old]).await?;
    let committed = log.end_of_copy(old).await?;
    let mut tail = Writer::new("tail", &log, Acks::Leader).only_to(old);
    for _ in 0..TAIL {
        until("acks=1 is taken", async || tail.write(1).await).await?;
    }
    let end = log.end_of_copy(old).await?;
    if end.0 < committed.0 + i64::from(TAIL) {
        return Err(format!("the leader's log ended at {committed}, and with {TAIL} more at {end}").into());
    }
    stage.kill(old);
    expect_on_disk(stage, old, true)?;
    for follower in followers {
        stage.cluster.process(follower).resume()?;
    }
    log.until_led(|leader| leader != old).await?;
    let load = Load::on(&log);
    load.goes_on().await?;
    stage.start(old)?;
    log.until_in_sync(&ALL).await?;
    load.stop().await?;
    let values = judge(&log).await?;
    if let Some(value) = values.iter().find(|value| value.starts_with("tail")) {
        return Err(format!("{value} was on one broker only, and is in the log").into());
    }
    expect_on_disk(stage, old, false)
}

// Verifies: controller.broker.fence, replica.isr.admit
async fn follower(stage: &mut Stage) -> Result<(), Failed> {
    let log = stage.usual_log().await?;
    let load = Load::on(&log);
    load.goes_on().await?;
    let leader = log.until_led(|_| true).await?;
    let follower = ALL.into_iter().find(|broker| *broker != leader).ok_or("nobody follows")?;
    stage.kill(follower);
    log.until_out_of_sync(follower).await?;
    load.goes_on().await?;
    stage.start(follower)?;
    log.until_in_sync(&ALL).await?;
    load.goes_on().await?;
    load.stop().await?;
    judge(&log).await.map(drop)
}

async fn everything(stage: &mut Stage) -> Result<(), Failed> {
    let log = stage.usual_log().await?;
    let load = Load::on(&log);
    load.goes_on().await?;
    stage.cluster.controller().kill();
    ALL.into_iter().for_each(|broker| stage.kill(broker));
    stage.cluster.start_all()?;
    stage.cluster.until_all_live().await?;
    load.goes_on().await?;
    load.stop().await?;
    judge(&log).await.map(drop)
}

/// Whether the tail's values are in the files of a broker.
fn expect_on_disk(stage: &Stage, broker: BrokerId, expected: bool) -> Result<(), Failed> {
    let segment = stage.cluster.log_dir(broker).join("log-0").join("00000000000000000000.log");
    let found = fs::read(&segment)?.windows(5).any(|bytes| bytes == b"tail-");
    match found == expected {
        true => Ok(()),
        false => Err(format!("the tail is in {}: {found}, where {expected} is expected", segment.display()).into()),
    }
}
