//! Groups whose coordinator fails: the next one knows the members and every offset that was acknowledged.

use crate::failures::Case;
use crate::failures::cluster::Wish;
use crate::failures::member::{Member, coordinator};
use crate::failures::stage::{ALL, Stage};
use crate::failures::until::until;
use highwater::client::ErrorCode;
use highwater_spec::values::BrokerId;
use libtest_mimic::Failed;

const CUT: BrokerId = BrokerId(1);
const TOPIC: &str = "log";

pub(super) fn cases() -> Vec<Case> {
    let can_be_cut = Wish { can_be_cut: Some(CUT) };
    vec![
        Case::new("a group goes on when its coordinator is killed", Wish::default(), killed),
        Case::new("a group goes on after everything was killed at once", Wish::default(), everything),
        Case::new("a cut off coordinator commits nothing", can_be_cut, cut_off),
    ]
}

/// Who coordinates the group, as all of `asked` know it.
async fn until_coordinated(
    stage: &Stage,
    group: &str,
    asked: &[BrokerId],
    is_right: impl Fn(BrokerId) -> bool,
) -> Result<BrokerId, Failed> {
    until("the right broker coordinates the group", async || {
        let mut known = Vec::new();
        for broker in asked {
            let found = coordinator(stage.cluster.address(*broker), group).await;
            known.push(found.map_err(|error| format!("{broker}: {error}"))?);
        }
        match known.first() {
            Some(found) if is_right(*found) && known.iter().all(|other| other == found) => Ok(*found),
            _ => Err(format!("{known:?}")),
        }
    })
    .await
}

fn without(broker: BrokerId) -> Vec<BrokerId> {
    ALL.into_iter().filter(|other| *other != broker).collect()
}

/// The member is still in its generation at `broker`, and the group is at `offset`.
async fn expect_known(stage: &Stage, member: &Member, broker: BrokerId, offset: i64) -> Result<(), Failed> {
    let address = stage.cluster.address(broker);
    until("the member is known", async || member.heartbeat(address).await).await?;
    let found = until("offsets are told", async || member.committed(address, true).await).await?;
    if found != offset {
        return Err(format!("{offset} was acknowledged last, and {broker} says {found}").into());
    }
    until("so is everyone told", async || match member.committed(address, false).await {
        Ok(found) if found == offset => Ok(()),
        seen => Err(format!("{offset} was acknowledged last, and {broker} says {seen:?}")),
    })
    .await
}

// Verifies: group.coordinator.load, group.coordinator.role
async fn killed(stage: &mut Stage) -> Result<(), Failed> {
    stage.usual_log().await?;
    let mut now = until_coordinated(stage, "g", &ALL, |_| true).await?;
    let member = Member::join(stage.cluster.address(now), "g", TOPIC).await?;
    let mut offset = 0;
    for _ in 0..2 {
        for _ in 0..20 {
            offset += 1;
            until("it commits", async || member.commit(stage.cluster.address(now), offset).await).await?;
        }
        stage.kill(now);
        let next = until_coordinated(stage, "g", &without(now), |found| found != now).await?;
        expect_known(stage, &member, next, offset).await?;
        stage.start(now)?;
        stage.cluster.until_all_live().await?;
        // The topic's min.insync.replicas is the cluster's: the next one can be spared once this one is back.
        until_coordinated(stage, "g", &ALL, |found| found == next).await?;
        until("two are in sync again", async || member.commit(stage.cluster.address(next), offset).await).await?;
        now = next;
    }
    Ok(())
}

// Verifies: group.coordinator.load
async fn everything(stage: &mut Stage) -> Result<(), Failed> {
    stage.usual_log().await?;
    let before = until_coordinated(stage, "g", &ALL, |_| true).await?;
    let member = Member::join(stage.cluster.address(before), "g", TOPIC).await?;
    until("it commits", async || member.commit(stage.cluster.address(before), 7).await).await?;
    stage.cluster.controller().kill();
    ALL.into_iter().for_each(|broker| stage.kill(broker));
    stage.cluster.start_all()?;
    stage.cluster.until_all_live().await?;
    let after = until_coordinated(stage, "g", &ALL, |_| true).await?;
    expect_known(stage, &member, after, 7).await
}

/// Its clients still reach it. It can't promise anything, and once it has heard the news it says so.
// Verifies: group.coordinator.resign, log-backed.answer, log-backed.revert
async fn cut_off(stage: &mut Stage) -> Result<(), Failed> {
    stage.usual_log().await?;
    let group = coordinated_by(stage, CUT).await?;
    let old = stage.cluster.address(CUT);
    let member = Member::join(old, &group, TOPIC).await?;
    until("it commits", async || member.commit(old, 5).await).await?;
    stage.cluster.cut_off(CUT);
    if member.commit(old, 99).await.is_ok() {
        return Err("a coordinator that is cut off has acknowledged an offset".into());
    }
    let next = until_coordinated(stage, &group, &without(CUT), |found| found != CUT).await?;
    expect_known(stage, &member, next, 5).await?;
    until("it commits", async || member.commit(stage.cluster.address(next), 6).await).await?;
    if member.commit(old, 98).await.is_ok() {
        return Err("a coordinator that is cut off has acknowledged an offset".into());
    }
    stage.cluster.heal(CUT);
    until("the old one knows that it coordinates no more", async || {
        let said = member.heartbeat(old).await;
        match &said {
            Err(highwater::client::ClientError::Refused { code: ErrorCode::NOT_COORDINATOR, .. }) => Ok(()),
            _ => Err(format!("{said:?}")),
        }
    })
    .await?;
    expect_known(stage, &member, next, 6).await
}

/// A group whose partition a broker leads.
async fn coordinated_by(stage: &Stage, broker: BrokerId) -> Result<String, Failed> {
    for number in 0..100 {
        let group = format!("g-{number}");
        if until_coordinated(stage, &group, &ALL, |_| true).await? == broker {
            return Ok(group);
        }
    }
    Err(format!("{broker} leads no partition of the groups' topic").into())
}
