//! A node: one process of the cluster, as broker, controller or both.
//!
//! It hosts the machines of `highwater_spec` on threads of their own, sockets on tokio, and wires them together.
//!
//! ```text
//!  client ──▶ connection ──▶ handlers ──▶ shard (replicas) ──▶ storage
//!                               ▲             │ ▲
//!                    views, logs└─────────────┘ │ assignments
//!                                         broker_host ◀── metadata_fetcher ◀── controller
//! ```

mod alive;
mod broker_host;
#[cfg(test)]
mod broker_host_tests;
mod checkpoints;
mod cleaner;
mod cluster;
mod connection;
mod controller_host;
mod delivery;
mod fetcher;
mod group;
mod handlers;
mod hosted;
mod log_configs;
mod log_dirs;
mod metadata_fetcher;
mod metadata_log;
mod metadata_records;
mod partitions;
mod producer_expiry;
mod producer_ids;
mod reach;
mod roles;
mod shard;
#[cfg(test)]
mod shard_tests;
mod tickets;
mod timers;
mod to_controller;
mod topic_configs;

pub use group::read_record as read_group_record;

use crate::config::{Endpoint, NodeConfig};
use crate::door::{Done, Door};
use crate::storage::{LogDir, MetaProperties, StorageError};
use crate::wire::Uuid;
use highwater_spec::rules::Rules;
use highwater_spec::values::TopicPartition;
use log_dirs::LogDirs;
use metadata_log::MetadataLogError;
use roles::{BrokerRole, Common, ControllerRole};
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::net::TcpListener;

/// Why a node can't start, or had to stop.
#[derive(Debug, thiserror::Error)]
pub enum NodeError {
    /// A listener's address.
    #[error("can't listen at {address}: {error}; is another process using the port?")]
    Listen {
        /// The address.
        address: Endpoint,
        /// What the system says.
        error: std::io::Error,
    },
    /// A thread.
    #[error("can't start a thread: {0}")]
    Thread(std::io::Error),
    /// The log directory.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// The metadata log.
    #[error(transparent)]
    Metadata(#[from] MetadataLogError),
    /// The controller had to stop.
    #[error("the controller stopped: {0}")]
    Controller(String),
}

/// A running node.
pub struct Node {
    broker: Option<BrokerRole>,
    controller: Option<ControllerRole>,
}

impl Node {
    /// Starts the roles that `config` names, under `rules`, behind `door`. A broker waits for its controller as long as
    /// it takes.
    ///
    /// # Errors
    /// When an address is taken, or the log directory can't be used.
    pub async fn start(config: NodeConfig, rules: Rules, door: Door) -> Result<Self, NodeError> {
        let config = Arc::new(config);
        let broker_listener = match &config.network.broker {
            Some(broker) => Some(bind(&broker.listener.endpoint).await?),
            None => None,
        };
        let controller_listener = match &config.network.controller {
            Some(controller) => Some(bind(&controller.endpoint).await?),
            None => None,
        };
        let mut quorum = config.network.quorum.endpoint.clone();
        if let Some((_, address)) = &controller_listener {
            // Also where the configuration leaves the port to the kernel.
            quorum.port = address.port();
        }
        let known = MetaProperties::load(&config.log_dirs)?.map(|found| found.cluster_id);
        let cluster_id = match (known, &controller_listener) {
            (Some(known), _) => known,
            (None, Some(_)) => Uuid(handlers::controller::random()).to_string(),
            (None, None) => roles::ask_cluster_id(&quorum).await,
        };
        let log_dirs = Arc::new(LogDirs::new(LogDir::open(&config.log_dirs, &cluster_id, config.node_id)?));
        let common = Common { config, rules, door, quorum, cluster_id, log_dirs };
        let controller = match controller_listener {
            Some((listener, address)) => Some(ControllerRole::start(&common, listener, address)?),
            None => None,
        };
        let broker = match broker_listener {
            Some((listener, address)) => Some(BrokerRole::start(&common, listener, address)?),
            None => None,
        };
        Ok(Self { broker, controller })
    }

    /// Where clients and brokers reach this node; the port is the one in use.
    #[must_use]
    pub fn broker_address(&self) -> Option<SocketAddr> {
        self.broker.as_ref().map(BrokerRole::address)
    }

    /// Where brokers reach the controller of this node; the port is the one in use.
    #[must_use]
    pub fn controller_address(&self) -> Option<SocketAddr> {
        self.controller.as_ref().map(ControllerRole::address)
    }

    /// Waits until the broker takes part in the cluster: the controller has unfenced it. A node that is no broker is
    /// ready at once. Without a controller this never ends.
    pub async fn ready(&self) {
        if let Some(broker) = &self.broker {
            broker.ready().await;
        }
    }

    /// Waits until the node has ended by itself.
    ///
    /// # Errors
    /// Why it had to.
    pub async fn wait(&self) -> Result<(), NodeError> {
        match (&self.broker, &self.controller) {
            (Some(broker), Some(controller)) => tokio::select! {
                () = broker.ended() => Ok(()),
                error = controller.failed() => Err(NodeError::Controller(error)),
            },
            (Some(broker), None) => {
                broker.ended().await;
                Ok(())
            }
            (None, Some(controller)) => Err(NodeError::Controller(controller.failed().await)),
            (None, None) => Ok(()),
        }
    }

    /// Waits until the broker has ended by itself; without one this never ends.
    pub fn ended(&self) -> impl Future<Output = ()> + Send + use<> {
        let life = self.broker.as_ref().map(BrokerRole::life);
        async move {
            match life {
                Some(mut life) => drop(life.wait_for(|life| life.ended).await),
                None => std::future::pending().await,
            }
        }
    }

    /// A test aid: the disk fails under a partition's log, as if a flush had. `done` is called when all that follows in
    /// its shard has been carried out.
    pub fn fail_disk(&self, partition: TopicPartition, done: Done) {
        match &self.broker {
            Some(broker) => broker.fail_disk(partition, done),
            None => done(),
        }
    }

    /// Asks the broker to stop cleanly; [`Self::ended`] tells when it has.
    pub fn ask_to_stop(&self) {
        if let Some(broker) = &self.broker {
            broker.ask_to_stop();
        }
    }

    /// Ends at once, as a kill does: nothing more is written, flushed or answered. `cut_off` is called when nothing can
    /// leave it any more; after that its threads are waited for.
    pub async fn abort(mut self, cut_off: impl FnOnce()) {
        if let Some(broker) = &mut self.broker {
            broker.cut_off().await;
        }
        if let Some(controller) = &mut self.controller {
            controller.cut_off().await;
        }
        cut_off();
        if let Some(broker) = self.broker {
            broker.abort().await;
        }
        if let Some(controller) = self.controller {
            controller.shutdown().await;
        }
    }

    /// Stops cleanly: the broker hands over what it leads and closes its logs, then the controller its own. Waits for
    /// the controller's consent as long as it takes; whoever is in a hurry drops this.
    pub async fn shutdown(self) {
        if let Some(broker) = self.broker {
            broker.shutdown().await;
        }
        if let Some(controller) = self.controller {
            controller.shutdown().await;
        }
    }
}

async fn bind(endpoint: &Endpoint) -> Result<(TcpListener, SocketAddr), NodeError> {
    let failed = |error| NodeError::Listen { address: endpoint.clone(), error };
    let host = if endpoint.host.is_empty() { "0.0.0.0" } else { &endpoint.host };
    let listener = TcpListener::bind((host, endpoint.port)).await.map_err(failed)?;
    let address = listener.local_addr().map_err(failed)?;
    Ok((listener, address))
}
