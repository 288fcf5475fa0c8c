//! `highwater serve`: one node, until it is told to stop.

use super::failure::Failure;
use super::signals::{StopSignals, die_with_parent};
use super::{key_value, output};
use clap::Args;
use highwater::config::{self, NodeConfig, Settings};
use highwater::door::Door;
use highwater::node::Node;
use highwater_spec::rules::Rules;
use std::fmt::Write;
use std::path::PathBuf;
use std::time::Duration;
use tokio::time::timeout;

/// How long a clean stop may take. It needs the controller's consent, and there may be no controller any more.
const CLEAN_STOP: Duration = Duration::from_secs(5);

/// Run one node: a broker, a controller or both.
///
/// Prints `listening …` when its ports are open and `ready …` when clients can use it.
/// Ctrl-C or SIGTERM stop it cleanly: what it leads goes to other brokers first.
#[derive(Debug, Args)]
#[command(after_long_help = settings_help())]
pub struct Serve {
    /// A file of settings in the format of Java's properties, such as Kafka's server.properties.
    file: Option<PathBuf>,
    /// A setting. It wins over the environment, which wins over the file. May be repeated.
    #[arg(long = "set", visible_alias = "override", value_name = "KEY=VALUE", value_parser = key_value)]
    settings: Vec<(String, String)>,
    /// The process that this one must not outlive.
    #[arg(long, hide = true, value_name = "PID")]
    die_with_parent: Option<u32>,
}

impl Serve {
    pub async fn run(self) -> Result<(), Failure> {
        if let Some(parent) = self.die_with_parent {
            die_with_parent(parent).map_err(|error| Failure::said(error.to_string()))?;
        }
        let config = self.config()?;
        let mut stop = StopSignals::catch()?;
        let id = config.node_id.0;
        let node = tokio::select! {
            started = Node::start(config, Rules::KAFKA, Door::open()) => started?,
            () = stop.next() => return Ok(()),
        };
        let addresses = addresses(&node);
        say(&format!("listening node={id}{addresses}"));
        let ended = tokio::select! {
            ended = serve(&node, || say(&format!("ready node={id}{addresses}"))) => ended,
            () = stop.next() => Ok(()),
        };
        stop_cleanly(node, stop).await;
        ended
    }

    fn config(&self) -> Result<NodeConfig, Failure> {
        let mut settings = Settings::default();
        if let Some(file) = &self.file {
            settings.add_file(file)?;
        }
        // Variables that are not Unicode cannot be ours.
        let unicode = |(name, value): (std::ffi::OsString, std::ffi::OsString)| {
            Some((name.into_string().ok()?, value.into_string().ok()?))
        };
        settings.add_environment(std::env::vars_os().filter_map(unicode));
        self.settings.iter().for_each(|(key, value)| settings.add_flag(key, value));
        settings.unknown().for_each(|unknown| tracing::warn!("{unknown}"));
        Ok(NodeConfig::read(&settings)?)
    }
}

async fn serve(node: &Node, ready: impl FnOnce()) -> Result<(), Failure> {
    tokio::select! {
        () = node.ready() => ready(),
        ended = node.wait() => return ended.map_err(Failure::from),
    }
    node.wait().await.map_err(Failure::from)
}

/// Whoever asks twice doesn't want to wait.
async fn stop_cleanly(node: Node, mut stop: StopSignals) {
    tokio::select! {
        stopped = timeout(CLEAN_STOP, node.shutdown()) => {
            if stopped.is_err() {
                tracing::warn!("stopped without the controller's consent, which did not come in {CLEAN_STOP:?}");
            }
        }
        () = stop.next() => tracing::warn!("stopped at once, as asked twice"),
    }
}

fn addresses(node: &Node) -> String {
    let mut text = String::new();
    for (role, address) in [("broker", node.broker_address()), ("controller", node.controller_address())] {
        if let Some(address) = address {
            let _ = write!(text, " {role}={address}");
        }
    }
    text
}

/// A node goes on serving when nobody reads what it says.
fn say(line: &str) {
    let _ = output::say(line);
}

fn settings_help() -> String {
    let mut help = "Settings, in the file or with --set (as an environment variable: HIGHWATER_NODE_ID):\n".to_owned();
    for key in config::keys() {
        let default = match key.default {
            None => "must be set".to_owned(),
            Some("") => "default: none".to_owned(),
            Some(default) => format!("default: {default}"),
        };
        let _ = write!(help, "\n  {} ({default})\n     {}\n", key.name, key.meaning);
    }
    help
}
