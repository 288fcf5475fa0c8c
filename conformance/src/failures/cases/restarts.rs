//! Nodes that are stopped as their owner would, and a controller that isn't there for a while.

use crate::failures::Case;
use crate::failures::ask;
use crate::failures::cluster::Wish;
use crate::failures::judge::judge;
use crate::failures::load::Load;
use crate::failures::stage::{ALL, Stage};
use crate::failures::until::until;
use libtest_mimic::Failed;

pub(super) fn cases() -> Vec<Case> {
    vec![
        Case::new("clean restarts of one broker after another lose nothing", Wish::default(), rolling),
        Case::new("a killed controller is not missed by writers and forgets nothing", Wish::default(), controller),
    ]
}

/// Three logs, each led by another broker.
// Verifies: controller.broker.shutdown
async fn rolling(stage: &mut Stage) -> Result<(), Failed> {
    let [a, b, c] = ALL;
    let mut logs = Vec::new();
    for (topic, replicas) in [("log-a", [a, b, c]), ("log-b", [b, c, a]), ("log-c", [c, a, b])] {
        logs.push(stage.log(topic, &replicas, 2).await?);
    }
    let loads: Vec<_> = logs.iter().map(Load::on).collect();
    for broker in ALL {
        for load in &loads {
            load.goes_on().await?;
        }
        stage.cluster.process(broker).stop().await?;
        for load in &loads {
            load.goes_on().await?;
        }
        stage.start(broker)?;
        for log in &logs {
            log.until_in_sync(&ALL).await?;
        }
    }
    for load in loads {
        load.stop().await?;
    }
    for log in &logs {
        judge(log).await?;
    }
    Ok(())
}

async fn controller(stage: &mut Stage) -> Result<(), Failed> {
    let log = stage.usual_log().await?;
    let load = Load::on(&log);
    load.goes_on().await?;
    let id = log.id;
    stage.cluster.controller().kill();
    for _ in 0..5 {
        load.goes_on().await?;
    }
    stage.cluster.start_all()?;
    // That it serves again shows in a topic that it makes.
    let later = stage.log("later", &ALL, 2).await?;
    for (broker, address) in stage.cluster.addresses() {
        let known = until("the old topic is known", async || ask::topic_id(address, &log.topic).await).await?;
        if known != id {
            return Err(format!("{broker} knows the old topic by id {known}, and it was {id}").into());
        }
    }
    load.goes_on().await?;
    load.stop().await?;
    judge(&log).await?;
    judge(&later).await.map(drop)
}
