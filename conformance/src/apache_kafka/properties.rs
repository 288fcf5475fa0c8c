//! The settings of a node, in Kafka's names.

use super::Error;
use super::state::{Node, State};
use std::fs;
use std::path::{Path, PathBuf};

/// What every node has. Timings are short, and what isn't tried here is small.
const COMMON: &str = "\
process.roles=broker,controller
controller.listener.names=CONTROLLER
inter.broker.listener.name=PLAINTEXT
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT
broker.heartbeat.interval.ms=100
broker.session.timeout.ms=1500
replica.lag.time.max.ms=3000
replica.fetch.backoff.ms=100
replica.high.watermark.checkpoint.interval.ms=1000
num.partitions=1
default.replication.factor=3
min.insync.replicas=2
auto.create.topics.enable=true
unclean.leader.election.enable=false
offsets.topic.num.partitions=1
offsets.topic.replication.factor=1
transaction.state.log.num.partitions=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
share.coordinator.state.topic.num.partitions=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
group.initial.rebalance.delay.ms=0
log.cleaner.dedupe.buffer.size=4194304
num.network.threads=2
num.io.threads=4
";

const LOG4J: &str = "\
status = error
rootLogger.level = info
rootLogger.appenderRef.console.ref = console
appender.console.type = Console
appender.console.name = console
appender.console.layout.type = PatternLayout
appender.console.layout.pattern = [%d] %p %m (%c)%n
";

/// Writes the settings of every node.
pub(super) fn write(dir: &Path, state: &State) -> Result<(), Error> {
    for node in &state.nodes {
        let text = of(node, state, &data(dir, node));
        fs::write(&node.properties, text).map_err(Error::io("write", &node.properties))?;
    }
    Ok(())
}

/// Writes those of logging.
pub(super) fn write_log4j(dir: &Path) -> Result<(), Error> {
    let log4j = log4j(dir);
    fs::write(&log4j, LOG4J).map_err(Error::io("write", &log4j))
}

/// The settings of the logging.
pub(super) fn log4j(dir: &Path) -> PathBuf {
    dir.join("log4j2.properties")
}

/// Where a node keeps its logs.
pub(super) fn data(dir: &Path, node: &Node) -> PathBuf {
    dir.join(format!("node-{}", node.id))
}

fn of(node: &Node, state: &State, data: &Path) -> String {
    let voter = |node: &Node| format!("{}@127.0.0.1:{}", node.id, node.controller_port);
    let voters = state.nodes.iter().map(voter).collect::<Vec<_>>().join(",");
    let (id, port, controller_port, data) = (node.id, node.port, node.controller_port, data.display());
    format!(
        "{COMMON}node.id={id}\n\
         listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller_port}\n\
         advertised.listeners=PLAINTEXT://127.0.0.1:{port}\n\
         controller.quorum.voters={voters}\n\
         log.dirs={data}\n"
    )
}
