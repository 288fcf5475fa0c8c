//! Whether clients can use a cluster: every broker, asked by itself, knows all the others.

use highwater::client::{Client, Patience};
use highwater::config::Endpoint;
use std::time::Duration;
use tokio::time::sleep;

/// How often to ask.
const EVERY: Duration = Duration::from_millis(20);

/// Waits until each of `brokers` tells clients of as many brokers as there are. A fenced one is not told of.
pub async fn all_brokers_known(brokers: &[Endpoint]) {
    for broker in brokers {
        let mut client = Client::new(vec![broker.clone()], Patience::default());
        while !knows(&mut client, brokers.len()).await {
            sleep(EVERY).await;
        }
    }
}

async fn knows(client: &mut Client, count: usize) -> bool {
    client.metadata(Some(&[])).await.is_ok_and(|metadata| metadata.brokers.len() == count)
}
