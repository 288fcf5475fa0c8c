//! How processes end: killed, stopped between two outputs, or by themselves; and what goes with them.

use super::board::Entry;
use super::conductor::{Conductor, Outcome};
use super::divergence::Difference;
use super::expected::Wanted;
use super::nodes::CONTROLLER;
use highwater::door::{Place, What};
use highwater_checker::replication::State;
use highwater_spec::scenario::{Event, What as Happens};
use highwater_spec::values::{BrokerId, Offset};

impl Conductor {
    /// What ends with the event.
    pub(super) fn end(&mut self, event: &Event, dies: Option<BrokerId>, after: &State) -> Outcome {
        if let Some(broker) = dies {
            self.until(format!("{broker}"), "stops between two outputs", |board| board.has_stopped(broker))?;
            let replies = |entry: &&Entry| entry.node == broker && matches!(entry.what, What::Reply(_));
            let early = self.board.waiting().find(replies).map(|entry| entry.what.to_string());
            if let Some(early) = early {
                return Err(Difference::new(format!("the answers of {broker}"), "none yet", early));
            }
            self.kill(broker, Offset(0))?;
        }
        match event.what {
            Happens::Killed { broker, checkpoint } => self.dies(broker, checkpoint)?,
            Happens::LosesPower { broker, keeps, checkpoint } => {
                if self.state.process(broker).is_some() {
                    self.dies(broker, checkpoint)?;
                }
                self.files(broker).lose_power(keeps)?;
            }
            Happens::LosesDisk(broker) => {
                self.dies(broker, Offset(0))?;
                self.files(broker).lose_all().map_err(Box::from)?;
            }
            _ => {}
        }
        for broker in self.state.brokers().filter(|broker| Some(*broker) != dies) {
            let ended = self.state.process(broker).is_some() && after.process(broker).is_none();
            if ended
                && !matches!(event.what, Happens::Killed { .. } | Happens::LosesPower { .. } | Happens::LosesDisk(_))
            {
                self.until(format!("{broker}"), "ends by itself", |board| board.has_ended(broker))?;
                self.forget(broker)?;
            }
        }
        Ok(())
    }

    /// Writes the high watermark down, as the broker does now and then, and kills it.
    fn dies(&mut self, broker: BrokerId, checkpoint: Offset) -> Outcome {
        let what = What::Timer("HighWatermarks".to_owned());
        let entry = self.await_entry(&Wanted { node: broker, at: Place::Broker, what })?;
        self.pass(&entry);
        self.finish()?;
        let written = self.files(broker).checkpoint()?;
        let known = self.state.process(broker).map(|process| process.replica.high_watermark());
        if known != Some(written) {
            let specified = known.map_or("none".to_owned(), |known| known.to_string());
            return Err(Difference::new(format!("the checkpoint of {broker}"), specified, written.to_string()));
        }
        self.kill(broker, checkpoint)
    }

    fn kill(&mut self, broker: BrokerId, checkpoint: Offset) -> Outcome {
        self.nodes.kill(broker);
        self.files(broker).set_checkpoint(checkpoint).map_err(Box::from)?;
        self.forget(broker)
    }

    /// A process has ended.
    fn forget(&mut self, broker: BrokerId) -> Outcome {
        self.nodes.kill(broker);
        self.board.clear(broker);
        self.clients.forget(broker);
        self.timers.retain(|timer| timer.node != broker);
        // What it had asked is not carried out; its connections are seen to have broken before anything else happens.
        let (follower, asks) = (format!("Follower({broker:?})"), format!("replica: {broker:?},"));
        let request = format!("broker: {broker:?},");
        let is_its = move |entry: &Entry| match &entry.what {
            What::Input(text) => text.contains(&asks) || entry.node == CONTROLLER && text.contains(&request),
            _ => false,
        };
        let entries: Vec<_> = self.board.waiting().filter(|entry| is_its(entry)).cloned().collect();
        entries.iter().for_each(|entry| self.discard(entry));
        self.until(format!("the fetches of {broker}"), "end with it", move |board| {
            !board.waiting().any(|entry| match &entry.what {
                What::Look(text) | What::Timer(text) => text.contains(&follower),
                _ => false,
            })
        })
    }
}
