//! What the `=` lines of a scenario say of brokers, as far as it is drawn.

use std::collections::BTreeSet;

/// One record in a log: `m1` of epoch `e0`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its value's name.
    pub name: String,
    /// Its leader epoch's name.
    pub epoch: String,
}

/// What a broker takes itself for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Role {
    /// It runs and knows of no role yet.
    #[default]
    Unassigned,
    /// It leads in this epoch.
    Leads(String),
    /// It follows: whom, and in which epoch.
    Follows(String),
    /// It serves no more, and why.
    Offline(String),
    /// Its process does not run.
    Down,
}

/// A broker.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Broker {
    /// Its role.
    pub role: Role,
    /// Its log.
    pub log: Vec<Entry>,
    /// Its high watermark (exclusive), while it runs.
    pub high_watermark: Option<usize>,
}

/// One `=` line.
pub enum Seen {
    /// A broker, by its name.
    Broker(String, Broker),
    /// The controller: the leader and its epoch.
    Controller {
        /// `b1 e0`, or `none e1`.
        leader: String,
    },
    /// A fetch under way.
    Fetch {
        /// Who fetches.
        of: String,
        /// From whom.
        to: String,
        /// From which offset on, if it is told.
        at: Option<String>,
    },
    /// The values that were promised to someone.
    Promised(BTreeSet<String>),
    /// Something that is not drawn.
    Other,
}

/// Reads a line.
pub fn seen(text: &str) -> Seen {
    let parts: Vec<_> = text.split("; ").collect();
    let words: Vec<_> = text.split_whitespace().collect();
    match words[..] {
        ["controller", ..] => {
            let leader = parts.iter().find_map(|part| part.strip_prefix("leader "));
            let leader: Vec<_> = leader.unwrap_or("none").split(' ').take(2).collect();
            Seen::Controller { leader: leader.join(" ") }
        }
        ["fetch", "of", of, "to", to, ref rest @ ..] => {
            let at = rest.strip_prefix(&["at"]).and_then(|rest| rest.first());
            Seen::Fetch { of: of.to_owned(), to: to.to_owned(), at: at.map(|at| (*at).to_owned()) }
        }
        ["committed", ..] => Seen::Promised(promised(&parts)),
        [name, ..] if is_broker(name) => Seen::Broker(name.to_owned(), broker(&parts)),
        _ => Seen::Other,
    }
}

/// Whether a word is a broker's name.
pub fn is_broker(word: &str) -> bool {
    word.strip_prefix('b').is_some_and(|digits| !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()))
}

fn broker(parts: &[&str]) -> Broker {
    let words: Vec<_> = parts.first().copied().unwrap_or_default().split(' ').skip(1).collect();
    let role = match words[..] {
        ["leads", epoch, ..] => Role::Leads(epoch.to_owned()),
        ["follows", ref whom @ ..] => Role::Follows(whom.join(" ")),
        ["is", "down", ..] => Role::Down,
        ["is", "offline", ref why @ ..] => Role::Offline(why.join(" ")),
        _ => Role::Unassigned,
    };
    let part = |prefix: &str| parts.iter().find_map(|part| part.strip_prefix(prefix));
    let log = part("log ").filter(|log| *log != "empty").map(entries).unwrap_or_default();
    Broker { role, log, high_watermark: part("hw ").and_then(|hw| hw.parse().ok()) }
}

fn entries(text: &str) -> Vec<Entry> {
    let entries = text.split(' ').filter_map(|entry| entry.split_once('/'));
    entries.map(|(name, epoch)| Entry { name: name.to_owned(), epoch: epoch.to_owned() }).collect()
}

fn promised(parts: &[&str]) -> BTreeSet<String> {
    let lists = parts.iter().filter(|part| part.starts_with("committed") || part.starts_with("acknowledged"));
    let values = lists.flat_map(|part| part.split(' ').skip(1));
    values.map(|value| value.split('/').next().unwrap_or(value).to_owned()).filter(|value| value != "empty").collect()
}
