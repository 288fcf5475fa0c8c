//! What is compared after each event, apart from what waits at doors: timers, answers, files, what a consumer reads, and
//! what the properties say of it all.

use super::client::Told as Answer;
use super::conductor::{Conductor, in_words, is_always_armed, is_producers, wanted};
use super::disk;
use super::divergence::Difference;
use super::expected::serves;
use highwater::door::What;
use highwater_checker::replication::index;
use highwater_spec::property::{self, Verdict};
use highwater_spec::replica::{Answer as Read, Ask, Reader};
use highwater_spec::values::{BrokerId, Offset};
use std::collections::BTreeMap;
use std::sync::Arc;

impl Conductor {
    /// Compares what is not at doors.
    pub(super) fn compare(&mut self) -> Result<(), Difference> {
        self.compare_timers()?;
        self.compare_answers()?;
        for broker in self.state.brokers().collect::<Vec<_>>() {
            let node = self.state.node(broker);
            let (specified, files) = (disk::of_model(&node.disk), self.files(broker));
            let (down, checkpoint) = (node.process.is_none(), node.disk.checkpoint);
            let opened = node.process.as_ref().is_some_and(|process| process.broker.is_published());
            let found = files.told(opened).unwrap_or_else(|error| error.to_string());
            if specified != found {
                return Err(Difference::new(format!("the files of {broker}"), specified, found));
            }
            let written = files.checkpoint()?;
            if down && written != checkpoint {
                let about = format!("the checkpoint of {broker}");
                return Err(Difference::new(about, checkpoint.to_string(), written.to_string()));
            }
            self.compare_reading(broker)?;
        }
        self.judge()
    }

    fn compare_timers(&mut self) -> Result<(), Difference> {
        let mut specified: Vec<_> = self.timers.iter().map(in_words).collect();
        for broker in self.state.brokers() {
            let leader = self.state.process(broker).and_then(|process| process.replica.leader());
            let waiting = leader.map_or(0, |leader| leader.waiting.len());
            specified.extend((0..waiting).map(|_| format!("{broker}: a producer's")));
        }
        let armed = self.board.waiting().filter_map(|entry| match &entry.what {
            What::Timer(_) if is_producers(&entry.what) => Some(format!("{}: a producer's", entry.node)),
            What::Timer(text) if is_always_armed(text) || text.starts_with("MaxWait") => None,
            What::Timer(_) => Some(in_words(&wanted(entry))),
            _ => None,
        });
        let mut found: Vec<_> = armed.collect();
        specified.sort();
        found.sort();
        match specified == found {
            true => Ok(()),
            false => Err(Difference::new("the timers that are armed", specified.join(", "), found.join(", "))),
        }
    }

    fn compare_answers(&mut self) -> Result<(), Difference> {
        let differ = |value: u8, specified: &[Answer], found: &[Answer]| {
            let about = format!("the answer for m{value}");
            Err(Difference::new(about, answers_in_words(specified), answers_in_words(found)))
        };
        for (value, specified) in &mut self.told {
            specified.sort_unstable();
            let found = self.clients.wait_for_answers(*value, specified.len());
            if found != *specified {
                return differ(*value, specified, &found);
            }
        }
        for (value, found) in self.clients.answers() {
            if !self.told.contains_key(&value) {
                return differ(value, &[], &found);
            }
        }
        Ok(())
    }

    /// What a consumer reads from the beginning.
    fn compare_reading(&mut self, broker: BrokerId) -> Result<(), Difference> {
        let Some(process) = self.state.process(broker).filter(|_| serves(&self.state, broker)) else { return Ok(()) };
        let ask = Ask { reader: Reader::Consumer, leader_epoch: None, offset: Offset(0), last_fetched_epoch: None };
        let specified = match process.published.answer(&self.world.rules, &ask) {
            Read::Refused(refusal) => format!("is refused {}", refusal.code()),
            Read::Diverging(_) => "is told where logs part".to_owned(),
            Read::Read { upto, high_watermark, .. } => {
                let log = &self.state.node(broker).disk.log;
                let upto = usize::try_from(upto.0).unwrap_or(0).min(log.len());
                let read: Vec<_> =
                    log[..upto].iter().map(|entry| format!("m{}/{}", entry.value, entry.epoch)).collect();
                let read = if read.is_empty() { "nothing".to_owned() } else { read.join(" ") };
                format!("reads {read} below {high_watermark}")
            }
        };
        let (board, nodes) = (&mut self.board, &mut self.nodes);
        // A broker may want to be sure that its replica has heard what it was told.
        let found = self.clients.read(broker, self.plan.address(broker), || {
            while let Some(free) = board.free() {
                board.passes(&free);
                nodes.pass(free.node, free.number);
            }
        });
        let found = found.unwrap_or_else(|error| format!("gets no answer: {error}"));
        match specified == found {
            true => Ok(()),
            false => Err(Difference::new(format!("what a consumer reads at {broker}"), specified, found)),
        }
    }

    /// The properties, of what was observed: the files, and what producers were told. Where the rules in force break one,
    /// the cluster breaks it in the same way.
    fn judge(&mut self) -> Result<(), Difference> {
        let mut observed = self.state.clone();
        for broker in self.state.brokers() {
            let log = self.files(broker).log()?;
            observed.nodes[index(broker)].edit().disk.log = Arc::new(log);
        }
        let history = observed.history.edit();
        let told = |acknowledged: &mut Vec<u64>, told: &BTreeMap<u8, Vec<Answer>>| {
            acknowledged.retain(|value| u8::try_from(*value).is_ok_and(|value| told.contains_key(&value)));
        };
        let answers = self.clients.answers();
        told(&mut history.acknowledged, &answers);
        told(&mut history.acknowledged_by_leader, &answers);
        for property in property::ALL {
            let specified = self.world.view(&self.state, |view| property.judge(view));
            let found = self.world.view(&observed, |view| property.judge(view));
            if specified != found {
                let about = format!("the property {}", property.name);
                return Err(Difference::new(about, verdict(&specified), verdict(&found)));
            }
        }
        Ok(())
    }
}

fn verdict(verdict: &Verdict) -> String {
    match verdict {
        Verdict::Holds => "holds".to_owned(),
        Verdict::Unguarded => "promises nothing here".to_owned(),
        Verdict::Violated(reason) => reason.clone(),
    }
}

fn answers_in_words(answers: &[Answer]) -> String {
    let in_words = |answer: &Answer| match answer {
        (0, offset) => format!("acknowledged at {offset}"),
        (code, _) => format!("error {code}"),
    };
    match answers {
        [] => "none".to_owned(),
        _ => answers.iter().map(in_words).collect::<Vec<_>>().join(", "),
    }
}
