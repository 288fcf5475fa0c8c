//! Fewer replicas in sync than `min.insync.replicas`.

use crate::failures::Case;
use crate::failures::cluster::Wish;
use crate::failures::judge::judge;
use crate::failures::stage::{ALL, Stage};
use crate::failures::until::until;
use crate::failures::writer::{Acks, WriteError, Writer};
use highwater::client::ErrorCode;
use highwater_spec::values::Offset;
use libtest_mimic::Failed;

pub(super) fn cases() -> Vec<Case> {
    vec![Case::new("too few in sync refuse acks all and take acks 1", Wish::default(), too_few)]
}

// Verifies: replica.produce.min-isr
async fn too_few(stage: &mut Stage) -> Result<(), Failed> {
    let log = stage.usual_log().await?;
    let leader = log.until_led(|_| true).await?;
    let [first, second] = *ALL.into_iter().filter(|broker| *broker != leader).collect::<Vec<_>>().as_slice() else {
        return Err("two followers are expected".into());
    };
    let mut careful = Writer::new("careful", &log, Acks::All);
    let mut trusting = Writer::new("trusting", &log, Acks::Leader);
    until("all is well", async || careful.write(3).await).await?;
    stage.kill(first);
    stage.kill(second);
    log.until_in_sync(&[leader]).await?;
    // The metadata say so before the leader's replica has heard it.
    until("acks=all is refused", async || expect_refused(careful.write(1).await)).await?;

    let end = log.end_of_copy(leader).await?;
    for _ in 0..3 {
        until("acks=all is refused", async || expect_refused(careful.write(2).await)).await?;
    }
    expect_end(log.end_of_copy(leader).await?, end)?;
    until("acks=1 is taken", async || trusting.write(2).await).await?;
    expect_end(log.end_of_copy(leader).await?, Offset(end.0 + 2))?;

    stage.start(first)?;
    until("one follower is enough", async || careful.write(1).await).await?;
    stage.start(second)?;
    log.until_in_sync(&ALL).await?;
    let values = judge(&log).await?;
    match values.iter().filter(|value| value.starts_with("trusting")).count() {
        2 => Ok(()),
        count => Err(format!("{count} values of acks=1 are there: the leader was never lost, so 2 should be").into()),
    }
}

fn expect_refused(written: Result<Offset, WriteError>) -> Result<(), String> {
    match written {
        Err(error) if error.code() == Some(ErrorCode::NOT_ENOUGH_REPLICAS) => Ok(()),
        outcome => Err(format!("{} was expected: {outcome:?}", ErrorCode::NOT_ENOUGH_REPLICAS)),
    }
}

fn expect_end(end: Offset, expected: Offset) -> Result<(), Failed> {
    match end == expected {
        true => Ok(()),
        false => Err(format!("the leader's log ends at {end}, where {expected} is expected").into()),
    }
}
