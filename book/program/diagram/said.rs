//! What the `<` lines of a scenario add to its picture.

use super::story::{Icon, Item, Lane, Teller, Tone};

/// The first word: who says it.
pub fn subject(text: &str) -> &str {
    text.split(' ').next().unwrap_or_default()
}

/// The records that a line appends: `m1, m2`.
pub fn appended(text: &str) -> Option<String> {
    let (_, batches) = text.split_once(" appends ")?;
    let names = batches.split(", ").filter_map(|batch| batch.split_once('/')).map(|(name, _)| name);
    Some(names.collect::<Vec<_>>().join(", "))
}

impl Teller {
    /// Adds what these lines say, in order.
    pub(super) fn say(&mut self, outputs: &[&str]) {
        let mut rest = outputs;
        while let Some((text, behind)) = rest.split_first() {
            let words: Vec<_> = text.split(' ').collect();
            let is_controller = |text: &&&str| subject(text) == "controller";
            match words[..] {
                ["controller", ..] => {
                    let count = rest.iter().take_while(is_controller).count();
                    self.controller_says(&rest[..count]);
                    rest = &rest[count..];
                    continue;
                }
                // A heartbeat is worth an arrow if something comes of it.
                [of, "heartbeats", ref said @ ..] => {
                    let wish = said.iter().position(|word| *word == "wants").map(|at| said[at..].join(" "));
                    if wish.is_some() || behind.first().as_ref().is_some_and(is_controller) {
                        let label = wish.map_or_else(|| "heartbeat".to_owned(), |wish| format!("heartbeat: {wish}"));
                        self.arrow(Lane::Broker(of.to_owned()), Lane::Controller, &label, false);
                    }
                }
                [of, ref said @ ..] => self.broker_says(of, said),
                [] => {}
            }
            rest = behind;
        }
    }

    fn broker_says(&mut self, of: &str, said: &[&str]) {
        let lane = || Lane::Broker(of.to_owned());
        match said {
            ["answers", value, outcome @ ..] => {
                self.show(of);
                let (label, tone) = match outcome {
                    ["acknowledged", ..] => (format!("{value} acknowledged"), Tone::Good),
                    [how, why @ ..] => (format!("{value} {how}: {}", why.join(" ")), Tone::Fault),
                    [] => (format!("{value} answered"), Tone::Plain),
                };
                self.items.push(Item::Arrow { from: lane(), to: Lane::Client, label, dashed: true, tone });
            }
            ["registers", ..] => self.arrow(lane(), Lane::Controller, "register", false),
            ["truncates", "to", to] => {
                self.show_role(of);
                self.note(of, Some(Icon::Cut), &format!("truncates to {to}"), Tone::Loss);
                self.show(of);
            }
            ["begins", ..] => self.note(of, Some(Icon::Cut), &said.join(" "), Tone::Loss),
            ["deletes", ..] => self.note(of, Some(Icon::Cut), "deletes its log", Tone::Loss),
            ["exits"] => self.note(of, None, "exits", Tone::Quiet),
            ["asks", whom, ..] => {
                self.arrow(lane(), Lane::Broker((*whom).to_owned()), "where does your log end?", false);
            }
            ["fetches", "from", leader, "in", _, "at", at, ..] => {
                self.fetches.insert(of.to_owned(), ((*leader).to_owned(), (*at).to_owned()));
            }
            ["proposes", "isr", members, ..] => {
                self.proposals.insert(of.to_owned(), bare(members));
                self.note(of, None, &format!("proposes isr {}", bare(members)), Tone::Plain);
            }
            // Told by what becomes of it: appends, views, epochs, flushes, timers.
            _ => {}
        }
    }

    fn controller_says(&mut self, outputs: &[&str]) {
        let mut lines = Vec::new();
        let mut tone = Tone::Plain;
        for text in outputs {
            let said = text.strip_prefix("controller ").unwrap_or(text);
            let Some(change) = said.strip_prefix("changes ") else {
                lines.push(said.split(" as ").next().unwrap_or(said).to_owned());
                continue;
            };
            let mut sets = Vec::new();
            for (name, value) in change.split(' ').filter_map(|word| word.split_once('=')) {
                match (name, value) {
                    ("leader", "none") => {
                        tone = Tone::Fault;
                        lines.push("no leader".to_owned());
                    }
                    ("leader", _) => {
                        tone = Tone::Lead;
                        lines.push(format!("elects {}", self.leader_in_words(value)));
                    }
                    _ => sets.push(format!("{name} {value}")),
                }
            }
            lines.extend(sets);
        }
        self.items.push(Item::Note { lane: Lane::Controller, icon: None, lines, tone });
    }

    /// The elected broker with its epoch, if that is the one that the step ended with.
    fn leader_in_words(&self, elected: &str) -> String {
        if subject(&self.leader) == elected { self.leader.clone() } else { elected.to_owned() }
    }
}

/// Members without their broker epochs: `{b1,b2/r0}` as `{b1,b2}`.
fn bare(members: &str) -> String {
    let inside = members.trim_matches(['{', '}']);
    let names: Vec<_> = inside.split(',').map(|member| member.split('/').next().unwrap_or(member)).collect();
    format!("{{{}}}", names.join(","))
}
