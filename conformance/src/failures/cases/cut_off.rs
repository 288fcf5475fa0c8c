//! A leader that doesn't know that it leads no more: cut off from the others and the controller, or asleep. Its clients
//! still reach it.

use crate::failures::Case;
use crate::failures::ask::{self, View};
use crate::failures::cluster::Wish;
use crate::failures::judge::judge;
use crate::failures::load::Load;
use crate::failures::log::Log;
use crate::failures::stage::{ALL, Stage};
use crate::failures::until::until;
use crate::failures::writer::{Acks, Writer};
use highwater::client::ErrorCode;
use highwater_spec::values::BrokerId;
use libtest_mimic::Failed;

const CUT: BrokerId = BrokerId(1);

pub(super) fn cases() -> Vec<Case> {
    let can_be_cut = Wish { can_be_cut: Some(CUT) };
    vec![
        Case::new("a cut off leader acknowledges nothing and steps down", can_be_cut, leader),
        Case::new("a follower cut off from the controller leaves the ISR and comes back", can_be_cut, follower),
        Case::new("a leader that slept has missed an election", Wish::default(), sleeper),
    ]
}

// Verifies: replica.produce.timeout, replica.read.bound, replica.truncate.diverging
async fn leader(stage: &mut Stage) -> Result<(), Failed> {
    let log = stage.usual_log().await?;
    log.until_led(|leader| leader == CUT).await?;
    let load = Load::on(&log);
    load.goes_on().await?;
    stage.cluster.cut_off(CUT);
    tempt(&log).await?;
    log.until_led(|leader| leader != CUT).await?;
    load.goes_on().await?;
    tempt(&log).await?;
    stage.cluster.heal(CUT);
    log.until_in_sync(&ALL).await?;
    until_it_knows(&log).await?;
    load.goes_on().await?;
    load.stop().await?;
    expect_untempted(&judge(&log).await?)
}

/// Writes to the leader that is cut off: with acks=1 it takes everything, with acks=all it can't promise anything, and
/// none of it is shown to consumers.
async fn tempt(log: &Log) -> Result<(), Failed> {
    let mut trusting = Writer::new("trusting", log, Acks::Leader).only_to(CUT);
    let mut careful = Writer::new("careful", log, Acks::All).only_to(CUT);
    let only_here = until("acks=1 is taken", async || trusting.write(1).await).await?;
    for _ in 0..2 {
        let promised = until("acks=all is answered", async || match careful.write(1).await {
            Ok(offset) => Ok(Some(offset)),
            Err(error) if error.code() == Some(ErrorCode::REQUEST_TIMED_OUT) => Ok(None),
            Err(error) => Err(error),
        });
        if let Some(offset) = promised.await? {
            return Err(format!("a leader that is cut off has acknowledged offset {offset}").into());
        }
    }
    let address = log.address(CUT).ok_or("nobody knows the old leader")?;
    let readable = until("consumers are told the end", async || ask::end(address, &log.topic, View::Consumer).await);
    match readable.await? {
        end if end > only_here => {
            Err(format!("consumers read to {end}, and from {only_here} on nothing is committed").into())
        }
        _ => Ok(()),
    }
}

/// Waits until the old leader tells its clients that it leads no more.
async fn until_it_knows(log: &Log) -> Result<(), Failed> {
    let mut late = Writer::new("late", log, Acks::All).only_to(CUT);
    until("the old leader refuses", async || match late.write(1).await {
        Err(error) if error.code() == Some(ErrorCode::NOT_LEADER_OR_FOLLOWER) => Ok(()),
        outcome => Err(format!("{outcome:?}")),
    })
    .await
}

/// What only the leader that was cut off had is nowhere.
fn expect_untempted(values: &[String]) -> Result<(), Failed> {
    let lonely = |value: &&String| value.starts_with("trusting") || value.starts_with("careful");
    match values.iter().find(lonely) {
        Some(value) => Err(format!("{value} was never on a second broker, and is in the log").into()),
        None => Ok(()),
    }
}

async fn follower(stage: &mut Stage) -> Result<(), Failed> {
    let leads = [BrokerId(2), BrokerId(3), CUT];
    let log = stage.log("log", &leads, 2).await?;
    let load = Load::on(&log);
    load.goes_on().await?;
    stage.cluster.cut_off(CUT);
    log.as_known_without(CUT).until_out_of_sync(CUT).await?;
    load.goes_on().await?;
    stage.cluster.heal(CUT);
    log.until_in_sync(&ALL).await?;
    load.goes_on().await?;
    load.stop().await?;
    judge(&log).await.map(drop)
}

/// It wakes with requests waiting for it, and with what it thought before.
async fn sleeper(stage: &mut Stage) -> Result<(), Failed> {
    let log = stage.usual_log().await?;
    let load = Load::on(&log);
    load.goes_on().await?;
    let old = log.until_led(|_| true).await?;
    stage.cluster.process(old).pause()?;
    log.until_led(|leader| leader != old).await?;
    load.goes_on().await?;
    let mut late = Writer::new("late", &log, Acks::All).only_to(old);
    let (late, awake) = tokio::join!(late.write(1), async {
        load.goes_on().await?;
        stage.cluster.process(old).resume()
    });
    awake?;
    drop(late); // What became of it is noted. If it was promised, it is looked for.
    log.until_in_sync(&ALL).await?;
    load.goes_on().await?;
    load.stop().await?;
    judge(&log).await.map(drop)
}
