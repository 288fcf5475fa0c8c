//! Groups in which a consumer of ours is a member beside others.
//!
//! Members that share out by `sticky` tell their leader what they were given last in bytes of their own
//! (`StickyAssignor`'s user data): whoever leads must be able to read everyone's. The others are Java's. What kafka-python
//! 3.0 says stands behind a version that nobody else writes, and franz-go 1.20 forgets its share when it gives it up, so
//! that nobody lets them keep theirs.

use super::mixed::recorded;
use super::{Case, expect};
use crate::programs::{Group, Language};
use highwater::client::consumer::{Consumer, News, Sessions, Settings};
use highwater::client::{Client, Patience};
use highwater::config::Endpoint;
use highwater_spec::assignor::Assignor;
use highwater_spec::client::consumer::{Config, End};
use libtest_mimic::Failed;
use std::thread::{self, JoinHandle};
use std::time::Duration;
use tokio::sync::oneshot;

const STICKY: &str = "sticky";
/// The least that brokers allow by default.
const SESSION_MS: u32 = 6_000;

pub(super) fn cases() -> Vec<Case> {
    vec![
        recorded(&[Language::Java], None, "sticky group led by a consumer of ours keeps its shares", led_by_ours),
        recorded(&[Language::Java], None, "sticky group led by another client keeps our shares", led_by_another),
    ]
}

/// The first to come leads for as long as it stays.
// Verifies: assignor.sticky.remembered, client.consumer.remember
async fn led_by_ours(group: &mut Group) -> Result<(), Failed> {
    let ours = Ours::join(group)?;
    group.until_shared(STICKY, 1).await?;
    let java = |group: &Group, who| group.join(Language::Java, who, STICKY, SESSION_MS, None);
    let mut others = vec![java(group, "first")?, java(group, "second")?];
    let one_more = async |group: &Group| {
        others.push(java(group, "third")?);
        Ok(())
    };
    keep(group, one_more).await?;
    others.into_iter().try_for_each(|member| member.finish())?;
    ours.finish()
}

// Verifies: assignor.sticky.remembered, client.consumer.remember
async fn led_by_another(group: &mut Group) -> Result<(), Failed> {
    let first = group.join(Language::Java, "first", STICKY, SESSION_MS, None)?;
    group.until_shared(STICKY, 1).await?;
    let mut ours = vec![Ours::join(group)?, Ours::join(group)?];
    let one_more = async |group: &Group| {
        ours.push(Ours::join(group)?);
        Ok(())
    };
    keep(group, one_more).await?;
    ours.into_iter().try_for_each(Ours::finish)?;
    Ok(first.finish()?)
}

/// Of the three that are there each gives up only what is too much when one more comes.
async fn keep(group: &mut Group, comes: impl AsyncFnOnce(&Group) -> Result<(), Failed>) -> Result<(), Failed> {
    group.until_shared(STICKY, 3).await?;
    let before = group.shares().await?;
    comes(group).await?;
    group.until_shared(STICKY, 4).await?;
    let after = group.shares().await?;
    for (member, had) in before {
        let has = after.get(&member).ok_or_else(|| format!("{member} is gone"))?;
        expect(&format!("what {member} has that it had not"), &has.difference(&had).count(), &0)?;
    }
    Ok(())
}

/// A consumer of ours, on a thread of its own. It ends with this.
struct Ours {
    stop: oneshot::Sender<()>,
    thread: JoinHandle<Result<(), String>>,
}

impl Ours {
    fn join(group: &Group) -> Result<Self, Failed> {
        let addresses = group.bootstrap.split(',').map(Endpoint::parse).collect::<Option<Vec<_>>>();
        let addresses = addresses.ok_or_else(|| format!("{}: no addresses", group.bootstrap))?;
        let config = Config {
            instance: None,
            topics: [group.name.as_str().into()].into(),
            assignors: vec![Assignor::Sticky],
            reset: Some(End::Earliest),
            auto_commit: true,
        };
        let (session, second) = (Duration::from_millis(SESSION_MS.into()), Duration::from_secs(1));
        let sessions = Sessions { session, poll: Duration::from_secs(300) };
        let settings = Settings { group: group.name.clone(), config, sessions, heartbeat: second / 2, commit: second };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let (stop, stopped) = oneshot::channel();
        let thread = thread::spawn(move || {
            runtime.block_on(async {
                let mut consumer = Consumer::new(move || Client::new(addresses.clone(), Patience::default()), settings);
                let outcome = read(&mut consumer, stopped).await;
                consumer.gone().await;
                outcome
            })
        });
        Ok(Self { stop, thread })
    }

    /// Asks it to end, and waits until it has.
    fn finish(self) -> Result<(), Failed> {
        drop(self.stop);
        self.thread.join().map_err(|_| "a consumer of ours panicked")?.map_err(Failed::from)
    }
}

/// Reads until it is told to stop, and leaves then.
async fn read(consumer: &mut Consumer, mut stopped: oneshot::Receiver<()>) -> Result<(), String> {
    let mut is_closing = false;
    consumer.poll();
    loop {
        tokio::select! {
            _ = &mut stopped, if !is_closing => {
                consumer.close();
                is_closing = true;
            }
            event = consumer.happens() => {
                if consumer.handle(event, usize::MAX) && !is_closing {
                    consumer.poll();
                }
            }
        }
        while let Some(news) = consumer.news() {
            match news {
                News::Ended => return Ok(()),
                News::Failed(failure) => return Err(format!("a consumer of ours: {failure:?}")),
                _ => {}
            }
        }
    }
}
