//! Elections that an administrator asks for, where they change who leads.

use crate::failures::Case;
use crate::failures::ask;
use crate::failures::cluster::Wish;
use crate::failures::judge::judge;
use crate::failures::load::Load;
use crate::failures::log::Log;
use crate::failures::stage::{ALL, Stage};
use crate::failures::until::until;
use crate::failures::writer::{Acks, Writer};
use highwater::client::{ElectionType, ErrorCode};
use highwater_spec::values::BrokerId;
use libtest_mimic::Failed;

pub(super) fn cases() -> Vec<Case> {
    vec![
        Case::new("a preferred leader that comes back leads again when asked", Wish::default(), preferred),
        Case::new("an unclean election makes a replica lead that has missed records", Wish::default(), unclean),
    ]
}

async fn preferred(stage: &mut Stage) -> Result<(), Failed> {
    let log = stage.usual_log().await?;
    let [first, _, asked] = ALL;
    let load = Load::on(&log);
    load.goes_on().await?;
    stage.kill(first);
    let between = log.until_led(|leader| leader != first).await?;
    expect(&log, asked, ElectionType::Preferred, ErrorCode::PREFERRED_LEADER_NOT_AVAILABLE).await?;
    expect(&log, asked, ElectionType::Unclean, ErrorCode::ELECTION_NOT_NEEDED).await?;
    stage.start(first)?;
    log.until_in_sync(&ALL).await?;
    load.goes_on().await?;
    if let Some(leader) = log.leader().await.filter(|leader| *leader != between) {
        return Err(format!("{leader} leads in place of {between}, and nobody asked for that").into());
    }
    expect(&log, asked, ElectionType::Preferred, ErrorCode::NONE).await?;
    log.until_led(|leader| leader == first).await?;
    expect(&log, asked, ElectionType::Preferred, ErrorCode::ELECTION_NOT_NEEDED).await?;
    load.goes_on().await?;
    load.stop().await?;
    judge(&log).await.map(drop)
}

/// The only one in sync takes a value that the other will never have, and goes.
async fn unclean(stage: &mut Stage) -> Result<(), Failed> {
    let [first, second, asked] = ALL;
    let log = stage.log("log", &[first, second], 1).await?;
    let mut kept = Writer::new("kept", &log, Acks::All);
    until("a value is acknowledged", async || kept.write(1).await).await?;
    stage.kill(second);
    log.until_in_sync(&[first]).await?;
    let mut lost = Writer::new("lost", &log, Acks::Leader);
    until("acks=1 is taken", async || lost.write(1).await).await?;
    stage.kill(first);
    log.until_leaderless().await?;
    expect(&log, asked, ElectionType::Preferred, ErrorCode::PREFERRED_LEADER_NOT_AVAILABLE).await?;
    expect(&log, asked, ElectionType::Unclean, ErrorCode::ELIGIBLE_LEADERS_NOT_AVAILABLE).await?;
    stage.start(second)?;
    let address = log.address(asked).ok_or("nobody can be asked")?;
    until("the other is alive", async || match ask::live_brokers(address).await {
        Ok(live) if live.contains(&second) => Ok(()),
        Ok(live) => Err(format!("live are {live:?}")),
        Err(error) => Err(error.to_string()),
    })
    .await?;
    expect(&log, asked, ElectionType::Preferred, ErrorCode::PREFERRED_LEADER_NOT_AVAILABLE).await?;
    expect(&log, asked, ElectionType::Unclean, ErrorCode::NONE).await?;
    log.until_led(|leader| leader == second).await?;
    stage.start(first)?;
    let values = judge(&log).await?;
    match values.iter().any(|value| value.starts_with("lost")) {
        true => Err("what only the old leader had is in the log".into()),
        false => Ok(()),
    }
}

/// An election, asked for once at one broker, ends as expected.
async fn expect(log: &Log, broker: BrokerId, election: ElectionType, expected: ErrorCode) -> Result<(), Failed> {
    let address = log.address(broker).ok_or("nobody can be asked")?;
    let code = ask::elect(address, &log.topic, election).await?;
    match code == expected {
        true => Ok(()),
        false => Err(format!("{election:?} election: {code}, where {expected} is expected").into()),
    }
}
