//! The flags that every client command has.

use clap::Args;
use highwater::client::{Client, Patience};
use highwater::config::Endpoint;
use std::time::Duration;

/// Where a client asks that is not told where: at Kafka's port.
pub const DEFAULT: &str = "127.0.0.1:9092";

/// Where the cluster is.
#[derive(Clone, Debug, Args)]
pub struct Server {
    /// Servers to begin with, host:port, with commas between.
    #[arg(long, value_name = "SERVERS", value_delimiter = ',', value_parser = endpoint)]
    #[arg(default_value = DEFAULT)]
    bootstrap_server: Vec<Endpoint>,
    /// Seconds to keep trying while a partition has no leader, or brokers cannot be reached any more.
    #[arg(long, value_name = "SECONDS", default_value_t = 15)]
    timeout: u32,
}

impl Server {
    /// How long to keep trying.
    pub fn timeout(&self) -> Duration {
        Duration::from_secs(self.timeout.into())
    }

    /// A client of that cluster.
    pub fn client(&self) -> Client {
        Client::new(self.bootstrap_server.clone(), Patience { success: self.timeout(), ..Patience::default() })
    }
}

fn endpoint(text: &str) -> Result<Endpoint, String> {
    let usable = |endpoint: &Endpoint| endpoint.port != 0 && !endpoint.host.is_empty();
    Endpoint::parse(text.trim()).filter(usable).ok_or_else(|| "expected host:port".to_owned())
}
