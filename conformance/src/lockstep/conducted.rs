//! A node that is a process of its own: what `highwater-node` does.

use super::board::Note;
use super::gate::Gate;
use super::wire::{Order, Word};
use highwater::config::{NodeConfig, Settings};
use highwater::door::Door;
use highwater::node::Node;
use highwater_spec::rules::Rules;
use highwater_spec::values::{TopicId, TopicPartition};
use std::error::Error;
use std::io::{self, BufRead, Write};
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver};
use std::thread;
use tokio::runtime::Runtime;

/// Runs a node until it ends; under a conductor, until that is gone.
///
/// # Errors
/// When it can't start, or has to stop.
pub fn run(settings: &[(String, String)], rules: Rules, conduct: Option<u8>) -> Result<(), Box<dyn Error>> {
    let mut read = Settings::default();
    for (name, value) in settings {
        read.add_flag(name, value);
    }
    let config = NodeConfig::read(&read)?;
    let runtime = Runtime::new()?;
    match conduct {
        Some(number) => conducted(&runtime, config, rules, [number; 16]),
        None => {
            let node = runtime.block_on(Node::start(config, rules, Door::open()))?;
            Ok(runtime.block_on(node.wait())?)
        }
    }
}

fn conducted(runtime: &Runtime, config: NodeConfig, rules: Rules, incarnation: [u8; 16]) -> Result<(), Box<dyn Error>> {
    let gate = Arc::new(Gate::new(config.node_id, incarnation, Box::new(|note| say(&note.into()))));
    let id = config.node_id;
    let orders = orders();
    let started = runtime.block_on(Node::start(config, rules, Door::kept(Arc::clone(&gate) as Arc<_>)));
    let node = match started {
        Ok(node) => node,
        Err(error) => {
            say(&Word::Failed(error.to_string()));
            return Err(error.into());
        }
    };
    say(&Word::Started);
    let ended = node.ended();
    runtime.spawn(async move {
        ended.await;
        say(&Note::Ended(id).into());
    });
    for order in orders {
        match order {
            Order::Pass(number) => gate.pass(number),
            Order::Discard(number) => gate.discard(number),
            Order::StopAfter(outputs) => gate.stop_after(outputs),
            Order::Stop => node.ask_to_stop(),
            Order::FailDisk { topic, index, number } => {
                let gate = Arc::clone(&gate);
                let partition = TopicPartition { topic: TopicId(topic), index };
                node.fail_disk(partition, Box::new(move || gate.done(number)));
            }
        }
    }
    Ok(())
}

/// What the conductor orders. When it is gone nothing is left to do, and nobody to do it for: the process ends.
fn orders() -> Receiver<Order> {
    let (given, orders) = mpsc::channel();
    thread::spawn(move || {
        for line in io::stdin().lock().lines().map_while(Result::ok) {
            match serde_json::from_str(&line) {
                Ok(order) => drop(given.send(order)),
                Err(error) => {
                    eprintln!("highwater-node: `{line}` is no order of a conductor: {error}");
                    std::process::exit(1);
                }
            }
        }
        std::process::exit(0);
    });
    orders
}

fn say(word: &Word) {
    let line = serde_json::to_string(word).expect("words are JSON");
    // A conductor that is gone hears nothing; the end of its orders ends this process.
    let _ = writeln!(io::stdout().lock(), "{line}");
}
