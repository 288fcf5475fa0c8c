//! The log that a case writes to: the only partition of a topic, where its copies are, and what writers were told.

use super::ask::{self, Placement, View};
use super::history::History;
use super::until::until;
use highwater::wire::Uuid;
use highwater_spec::values::{BrokerId, Offset};
use libtest_mimic::Failed;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::timeout;

/// A broker that hasn't answered by then is passed over: it is asleep, or gone.
const PATIENCE: Duration = Duration::from_millis(500);

/// A log. Clones are of the same.
#[derive(Clone, Debug)]
pub struct Log {
    /// Its topic.
    pub topic: Arc<str>,
    /// Its topic's id.
    pub id: Uuid,
    /// What writers were told.
    pub history: History,
    /// Who has a copy, in the order of the assignment.
    pub replicas: Arc<[BrokerId]>,
    brokers: Arc<[(BrokerId, SocketAddr)]>,
}

impl Log {
    /// Makes a topic with copies on `replicas`, of which the first leads, and waits until every broker knows of it.
    /// `brokers` is where each of the cluster's brokers is.
    ///
    /// # Errors
    /// When it isn't made.
    pub async fn create(
        topic: &str,
        replicas: &[BrokerId],
        min_insync_replicas: usize,
        brokers: Vec<(BrokerId, SocketAddr)>,
    ) -> Result<Self, Failed> {
        let (_, first) = brokers.first().ok_or("there are no brokers")?;
        let create = async || ask::create(*first, topic, replicas, min_insync_replicas).await;
        until("the topic is made", create).await?;
        let log = Self {
            topic: topic.into(),
            id: until("the topic is known", async || ask::topic_id(*first, topic).await).await?,
            history: History::default(),
            replicas: replicas.into(),
            brokers: brokers.into(),
        };
        log.until_in_sync(replicas).await?;
        Ok(log)
    }

    /// The same log, without asking `broker` about it: one that is cut off doesn't hear the news.
    #[must_use]
    pub fn as_known_without(&self, broker: BrokerId) -> Self {
        Self { brokers: self.brokers.iter().copied().filter(|(id, _)| *id != broker).collect(), ..self.clone() }
    }

    /// Where a test reaches a broker.
    #[must_use]
    pub fn address(&self, broker: BrokerId) -> Option<SocketAddr> {
        self.brokers.iter().find(|(id, _)| *id == broker).map(|(_, address)| *address)
    }

    /// What the brokers that answer know, as far as they know the latest leader epoch that any of them knows.
    pub async fn placements(&self) -> Vec<Placement> {
        let asked = self.brokers.iter().map(|(_, address)| {
            let (address, topic) = (*address, Arc::clone(&self.topic));
            tokio::spawn(async move { timeout(PATIENCE, ask::placement(address, &topic)).await })
        });
        let mut known = Vec::new();
        for answer in asked.collect::<Vec<_>>() {
            if let Ok(Ok(Ok(placement))) = answer.await {
                known.push(placement);
            }
        }
        let latest = known.iter().map(|placement| placement.leader_epoch).max();
        known.retain(|placement| Some(placement.leader_epoch) == latest);
        known
    }

    /// Who leads, if anyone does.
    pub async fn leader(&self) -> Option<BrokerId> {
        self.placements().await.first()?.leader
    }

    /// Waits until all brokers that answer know a leader to whom `is_right` applies.
    ///
    /// # Errors
    /// When there is none.
    pub async fn until_led(&self, is_right: impl Fn(BrokerId) -> bool) -> Result<BrokerId, Failed> {
        let right = |placement: &Placement| placement.leader.is_some_and(&is_right);
        let placements = self.until_placed("the right broker leads", right).await?;
        placements.first().and_then(|placement| placement.leader).ok_or_else(|| "nobody leads".into())
    }

    /// Waits until all brokers that answer know that nobody leads.
    ///
    /// # Errors
    /// When somebody does.
    pub async fn until_leaderless(&self) -> Result<(), Failed> {
        self.until_placed("nobody leads", |placement| placement.leader.is_none()).await.map(drop)
    }

    /// Waits until all brokers that answer know that exactly these are in sync.
    ///
    /// # Errors
    /// When they aren't.
    pub async fn until_in_sync(&self, brokers: &[BrokerId]) -> Result<(), Failed> {
        let mut wanted = brokers.to_vec();
        wanted.sort_unstable();
        let right = |placement: &Placement| placement.leader.is_some() && placement.isr == wanted;
        self.until_placed(&format!("in sync are {}", ids(&wanted)), right).await.map(drop)
    }

    /// Waits until all brokers that answer know that `broker` isn't in sync.
    ///
    /// # Errors
    /// When it is.
    pub async fn until_out_of_sync(&self, broker: BrokerId) -> Result<(), Failed> {
        let right = |placement: &Placement| !placement.isr.contains(&broker);
        self.until_placed(&format!("{broker} isn't in sync"), right).await.map(drop)
    }

    async fn until_placed(&self, what: &str, is_right: impl Fn(&Placement) -> bool) -> Result<Vec<Placement>, Failed> {
        until(&format!("{what} ({})", self.topic), async || {
            let known = self.placements().await;
            match !known.is_empty() && known.iter().all(&is_right) {
                true => Ok(known),
                false => Err(format!("{known:?}")),
            }
        })
        .await
    }

    /// Where one broker's copy ends (exclusive), committed or not.
    ///
    /// # Errors
    /// When the broker doesn't say.
    pub async fn end_of_copy(&self, broker: BrokerId) -> Result<Offset, Failed> {
        let address = self.address(broker).ok_or("there is no such broker")?;
        until("a broker tells where its copy ends", async || ask::end(address, &self.topic, View::Copy).await).await
    }
}

fn ids(brokers: &[BrokerId]) -> String {
    brokers.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}
