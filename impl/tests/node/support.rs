//! One node in this process: broker and controller, on ports from the kernel, in a temporary directory.

pub mod group;

use highwater::client::Connection;
use highwater::config::{NodeConfig, Settings};
use highwater::node::Node;
use highwater_spec::rules::Rules;
use std::path::Path;
use std::time::Duration;
use tempfile::TempDir;
use tokio::net::TcpStream;

/// A node and its directory.
pub struct OneNode {
    node: Node,
    dir: TempDir,
}

impl OneNode {
    /// A new one.
    pub async fn start() -> Self {
        Self::start_with(&[]).await
    }

    /// A new one with other settings.
    pub async fn start_with(settings: &[(&str, &str)]) -> Self {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let node = run(dir.path(), settings).await;
        Self { node, dir }
    }

    /// Stops it cleanly and starts it again on the same directory.
    pub async fn restart(self) -> Self {
        self.node.shutdown().await;
        let node = run(self.dir.path(), &[]).await;
        Self { node, dir: self.dir }
    }

    /// Ends it as a kill does, and starts it again on the same directory, with these settings.
    pub async fn killed_and_started(self, settings: &[(&str, &str)]) -> Self {
        self.killed(|_| (), settings).await
    }

    /// Ends it as a kill does, does something to its directory, and starts it there again, with these settings.
    pub async fn killed(self, meanwhile: impl FnOnce(&Path), settings: &[(&str, &str)]) -> Self {
        self.node.abort(|| ()).await;
        meanwhile(self.dir.path());
        let node = run(self.dir.path(), settings).await;
        Self { node, dir: self.dir }
    }

    /// Stops it cleanly; its directory stays for as long as the answer does.
    pub async fn stop(self) -> TempDir {
        self.node.shutdown().await;
        self.dir
    }

    /// A client's connection.
    pub async fn connect(&self) -> Connection {
        let address = self.node.broker_address().expect("a broker listens").to_string();
        Connection::connect(&address, Duration::from_secs(10)).await.expect("a connection")
    }

    /// Where it listens.
    pub fn port(&self) -> u16 {
        self.node.broker_address().expect("a broker listens").port()
    }

    /// Its directory.
    pub fn dir(&self) -> &Path {
        self.dir.path()
    }

    /// A socket.
    pub async fn raw(&self) -> TcpStream {
        TcpStream::connect(self.node.broker_address().expect("a broker listens")).await.expect("a connection")
    }
}

async fn run(dir: &Path, more: &[(&str, &str)]) -> Node {
    let mut settings = Settings::default();
    let usual = [
        ("node.id", "1"),
        ("process.roles", "broker,controller"),
        ("listeners", "PLAINTEXT://127.0.0.1:0,CONTROLLER://127.0.0.1:0"),
        ("controller.quorum.voters", "1@127.0.0.1:0"),
        ("log.dirs", dir.to_str().expect("a path in UTF-8")),
        ("num.io.threads", "2"),
    ];
    for (name, value) in usual.iter().chain(more) {
        settings.add_flag(*name, *value);
    }
    let config = NodeConfig::read(&settings).expect("a valid configuration");
    let node = Node::start(config, Rules::KAFKA, highwater::door::Door::open()).await.expect("a node that starts");
    node.ready().await;
    node
}
