//! Power cuts: a process is gone, and so is a part of what it wrote and hadn't flushed.

use crate::failures::Case;
use crate::failures::ask;
use crate::failures::cluster::Wish;
use crate::failures::judge::judge;
use crate::failures::load::Load;
use crate::failures::log::Log;
use crate::failures::stage::{ALL, Stage};
use crate::failures::until::until;
use highwater::storage::power_cut;
use highwater_spec::values::BrokerId;
use libtest_mimic::Failed;
use std::hash::{BuildHasher, Hasher, RandomState};

pub(super) fn cases() -> Vec<Case> {
    vec![
        Case::new("power cuts of one node after another lose nothing", Wish::default(), one_after_another),
        Case::new("a power cut of two nodes of three loses nothing with min ISR 3", Wish::default(), two_at_once),
        Case::new("a power cut after a clean stop loses nothing", Wish::default(), after_a_clean_stop),
        Case::new("an eligible replica that lost power is eligible no more", Wish::default(), eligible),
    ]
}

// Verifies: controller.broker.restart
async fn one_after_another(stage: &mut Stage) -> Result<(), Failed> {
    let log = stage.usual_log().await?;
    let load = Load::on(&log);
    for broker in ALL {
        load.goes_on().await?;
        cut(stage, &log, &[broker])?;
        load.goes_on().await?;
        stage.start(broker)?;
        log.until_in_sync(&ALL).await?;
    }
    // The leader, whoever that is by now, and back before it is missed.
    load.goes_on().await?;
    let leader = log.until_led(|_| true).await?;
    cut(stage, &log, &[leader])?;
    stage.start(leader)?;
    load.goes_on().await?;
    load.stop().await?;
    judge(&log).await.map(drop)
}

async fn two_at_once(stage: &mut Stage) -> Result<(), Failed> {
    let log = stage.log("log", &ALL, 3).await?;
    let load = Load::on(&log);
    load.goes_on().await?;
    let leader = log.until_led(|_| true).await?;
    let other = ALL.into_iter().find(|broker| *broker != leader).ok_or("nobody follows")?;
    cut(stage, &log, &[leader, other])?;
    stage.start(leader)?;
    stage.start(other)?;
    log.until_in_sync(&ALL).await?;
    load.goes_on().await?;
    load.stop().await?;
    judge(&log).await.map(drop)
}

/// What was stopped cleanly has been flushed, and says so by itself: no other node is there to help.
// Verifies: broker.shutdown.clean
async fn after_a_clean_stop(stage: &mut Stage) -> Result<(), Failed> {
    let log = stage.usual_log().await?;
    let load = Load::on(&log);
    load.goes_on().await?;
    load.stop().await?;
    for broker in ALL {
        stage.cluster.process(broker).stop().await?;
    }
    cut(stage, &log, &ALL)?;
    stage.cluster.start_all()?;
    judge(&log).await.map(drop)
}

/// KIP-966: of three, one is gone, one was in sync until its power was cut, and the leader sleeps. Alone, the second
/// must not lead: it may lack what it has acknowledged.
// Verifies: controller.elr.unclean-restart, controller.elect.complete
async fn eligible(stage: &mut Stage) -> Result<(), Failed> {
    let log = stage.usual_log().await?;
    let load = Load::on(&log);
    load.goes_on().await?;
    let leader = log.until_led(|_| true).await?;
    let [gone, eligible] = *ALL.into_iter().filter(|broker| *broker != leader).collect::<Vec<_>>().as_slice() else {
        return Err("two followers are expected".into());
    };
    stage.kill(gone);
    log.until_out_of_sync(gone).await?;
    load.goes_on().await?;
    load.stop().await?;
    cut(stage, &log, &[eligible])?;
    log.until_in_sync(&[leader]).await?;
    stage.cluster.process(leader).pause()?;
    stage.start(eligible)?;
    let address = stage.cluster.address(eligible);
    until("it is the only broker that is live", async || match ask::live_brokers(address).await {
        Ok(live) if live == [eligible] => Ok(()),
        seen => Err(format!("{seen:?}")),
    })
    .await?;
    if let Some(elected) = ask::placement(address, &log.topic).await?.leader {
        return Err(format!("{elected} leads, though none of those that are live is sure to have everything").into());
    }
    stage.cluster.process(leader).resume()?;
    stage.start(gone)?;
    judge(&log).await.map(drop)
}

/// Of each file that wasn't flushed a piece of any length stays.
fn cut(stage: &mut Stage, log: &Log, brokers: &[BrokerId]) -> Result<(), Failed> {
    brokers.iter().for_each(|broker| stage.kill(*broker));
    for broker in brokers {
        power_cut(stage.cluster.log_dir(*broker), |bytes| random() % (bytes + 1))
            .map_err(|error| format!("{} on {broker}: {error}", log.topic))?;
    }
    Ok(())
}

/// Every hasher of the standard library is keyed at random.
fn random() -> u64 {
    RandomState::new().build_hasher().finish()
}
