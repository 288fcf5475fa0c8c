//! What waits for answers while a consumer goes on: a task for its coordinator, a thread for the leaders.

use super::Settings;
use super::coordinator::Coordinator;
use super::reader::{self, Ask, Told};
use crate::client::Client;
use highwater_spec::client::consumer::{Input, Output};
use std::io;
use tokio::sync::mpsc::{self, UnboundedReceiver, UnboundedSender};
use tokio::task::JoinHandle;

/// Asks the leaders, one thing after the other, until nobody has a question.
pub(super) fn read(
    mut client: Client,
    mut asks: UnboundedReceiver<Ask>,
    tell: &UnboundedSender<Told>,
) -> io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        while let Some(ask) = asks.recv().await {
            if tell.send(reader::ask(&mut client, ask).await).is_err() {
                return Ok(());
            }
        }
        Ok(())
    })
}

pub(super) fn new_coordinator(client: Client, settings: &Settings) -> Coordinator {
    let (group, config, sessions) = (settings.group.clone(), settings.config.clone(), settings.sessions);
    Coordinator { client, group, config, sessions, connection: None, assignor: None }
}

pub(super) fn spawn_coordinator(
    client: Client,
    settings: &Settings,
    life: u64,
    answer: UnboundedSender<(u64, Vec<Input>)>,
) -> (UnboundedSender<Output>, JoinHandle<()>) {
    let (sender, mut outputs) = mpsc::unbounded_channel();
    let mut coordinator = new_coordinator(client, settings);
    let task = tokio::spawn(async move {
        while let Some(output) = outputs.recv().await {
            if answer.send((life, coordinator.ask(output).await)).is_err() {
                return;
            }
        }
    });
    (sender, task)
}
