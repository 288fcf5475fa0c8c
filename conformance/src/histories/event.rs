//! What one client did, or was told, or saw: the lines of a history.
//!
//! ```text
//! {"who":"w","began":1,"ended":4,"did":"sent","partition":["t",0],"value":"w 1","once":true,"fate":{"acknowledged":0}}
//! {"who":"a","group":"g","began":2,"ended":3,"did":"assigned","generation":1,"partitions":[["t",0]]}
//! {"who":"a","group":"g","began":5,"ended":6,"did":"polled","partition":["t",0],"offset":0,"value":"w 1"}
//! {"who":"a","group":"g","began":7,"ended":9,"did":"committed","partition":["t",0],"offset":1,"answer":"accepted"}
//! ```

use serde::{Deserialize, Serialize};
use std::fmt;

/// A topic's partition; in JSON `["topic", 0]`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Partition(pub String, pub i32);

impl fmt::Display for Partition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.0, self.1)
    }
}

/// Something that happened at some moment between two.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// Which client: a process of its own, that did one thing after another. Started anew, it has another name.
    pub who: String,
    /// As a member of which group, or about which.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// It didn't happen before: nanoseconds, by the clock that all events share.
    pub began: u64,
    /// It had happened by then.
    pub ended: u64,
    /// What happened.
    #[serde(flatten)]
    pub deed: Deed,
}

/// What happened. Offsets name a record, unless they say otherwise.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "did", rename_all = "kebab-case")]
pub enum Deed {
    /// A value was sent. Each value is sent by one such event of the whole history, however often its client tries.
    Sent {
        /// Where to, if the sender knows.
        partition: Option<Partition>,
        /// What.
        value: String,
        /// Whether it is promised to be written once at most: by idempotence, or because its client tries once.
        #[serde(default)]
        once: bool,
        /// What became of it.
        fate: Fate,
    },
    /// A member was given partitions, beside those that it has.
    Assigned {
        /// In which generation, if the client tells.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        generation: Option<i32>,
        /// Which.
        partitions: Vec<Partition>,
    },
    /// A member in good standing gave partitions back.
    Revoked {
        /// Which.
        partitions: Vec<Partition>,
    },
    /// A member found out that partitions were no longer its own, or can't tell this from giving them back.
    Lost {
        /// Which.
        partitions: Vec<Partition>,
    },
    /// A record was delivered.
    Polled {
        /// From where.
        partition: Partition,
        /// At which offset.
        offset: i64,
        /// What.
        value: String,
    },
    /// A member committed an offset.
    Committed {
        /// In which generation, if the client tells.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        generation: Option<i32>,
        /// Of which partition.
        partition: Partition,
        /// The first offset that isn't processed.
        offset: i64,
        /// Whether it means to go back, if it does.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        deliberate: bool,
        /// What it was told.
        answer: Answer,
    },
    /// Someone asked for a group's committed offset, and was told this.
    Told {
        /// Of which partition.
        partition: Partition,
        /// The first offset that isn't processed; none, if nothing is committed.
        offset: Option<i64>,
    },
    /// Someone asked the coordinator for its view of a group.
    Described {
        /// Kafka's name for the group's state.
        state: String,
        /// Who has what.
        members: Vec<Share>,
    },
    /// Someone read a partition to its end, whoever reads it else; all that it found there was told by `polled`.
    Drained {
        /// Which.
        partition: Partition,
        /// Its end (exclusive).
        end: i64,
    },
    /// A client was killed, or ended.
    Gone,
}

/// What became of a value that was sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fate {
    /// It is at this offset, for good.
    Acknowledged(i64),
    /// It is nowhere, for this reason.
    Refused(String),
    /// It may be there, now or later.
    Unknown(String),
}

/// What came of a commit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Answer {
    /// It is committed.
    Accepted,
    /// It is not, for this reason.
    Refused(String),
    /// It may be.
    Unknown(String),
}

/// A member's partitions, as the coordinator knows them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Share {
    /// Whose: any name that tells members apart.
    pub member: String,
    /// What it has.
    pub partitions: Vec<Partition>,
}

/// Why a text is no history.
#[derive(Debug, thiserror::Error)]
pub enum HistoryError {
    /// A line is no event.
    #[error("line {line} is no event: {why}")]
    Line {
        /// Which, from 1.
        line: usize,
        /// What is wrong with it.
        why: String,
    },
}

/// The events of a text, in the order in which they ended. Empty lines stand for nothing.
///
/// # Errors
/// When a line is no event, or ends before it begins.
pub fn read(text: &str) -> Result<Vec<Event>, HistoryError> {
    let lines = (1..).zip(text.lines()).filter(|(_, text)| !text.trim().is_empty());
    let mut events = lines
        .map(|(line, text)| event(text).map_err(|why| HistoryError::Line { line, why }))
        .collect::<Result<Vec<_>, _>>()?;
    // What one client notes at one moment keeps the order in which it noted it.
    events.sort_by_key(|event| event.ended);
    Ok(events)
}

fn event(text: &str) -> Result<Event, String> {
    let event: Event = serde_json::from_str(text).map_err(|error| error.to_string())?;
    match event.began <= event.ended {
        true => Ok(event),
        false => Err(format!("it begins at {}, and ends before, at {}", event.began, event.ended)),
    }
}

/// The events as a text, one a line.
#[must_use]
pub fn text(events: &[Event]) -> String {
    let line = |event: &Event| serde_json::to_string(event).unwrap_or_default() + "\n";
    events.iter().map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINES: &str = r#"{"who":"w","began":1,"ended":4,"did":"sent","partition":["t",0],"value":"w 1","once":true,"fate":{"acknowledged":0}}
{"who":"w","began":4,"ended":5,"did":"sent","partition":null,"value":"w 2","once":false,"fate":{"unknown":"no answer"}}
{"who":"a","group":"g","began":5,"ended":6,"did":"assigned","generation":1,"partitions":[["t",0],["t",1]]}
{"who":"a","group":"g","began":7,"ended":7,"did":"polled","partition":["t",0],"offset":0,"value":"w 1"}
{"who":"a","group":"g","began":7,"ended":9,"did":"committed","partition":["t",0],"offset":1,"answer":"accepted"}
{"who":"a","group":"g","began":9,"ended":9,"did":"committed","partition":["t",0],"offset":1,"answer":{"refused":"no"}}
{"who":"x","group":"g","began":9,"ended":9,"did":"told","partition":["t",0],"offset":null}
{"who":"x","group":"g","began":9,"ended":9,"did":"described","state":"Stable","members":[{"member":"a","partitions":[["t",0]]}]}
{"who":"x","began":9,"ended":9,"did":"drained","partition":["t",0],"end":2}
{"who":"a","group":"g","began":9,"ended":9,"did":"gone"}
"#;

    #[test]
    fn what_is_read_is_written_as_it_was() {
        assert_eq!(text(&read(LINES).unwrap()), LINES);
    }

    #[test]
    fn events_come_in_the_order_in_which_they_ended() {
        let ended = |events: &[Event]| events.iter().map(|event| event.ended).collect::<Vec<_>>();
        let backwards = LINES.lines().rev().collect::<Vec<_>>().join("\n\n");
        assert_eq!(ended(&read(&backwards).unwrap()), ended(&read(LINES).unwrap()));
    }

    #[test]
    fn a_line_that_is_no_event_is_named() {
        for (text, word) in [
            ("\n{", "line 2"),
            (r#"{"who":"a","began":1,"ended":1,"did":"slept"}"#, "slept"),
            (r#"{"who":"a","began":2,"ended":1,"did":"gone"}"#, "before"),
            (r#"{"who":"a","began":-1,"ended":1,"did":"gone"}"#, "line 1"),
            (r#"{"who":"a","began":1,"ended":1,"did":"polled","partition":["t",0],"value":"v"}"#, "offset"),
        ] {
            let refused = read(text).unwrap_err().to_string();
            assert!(refused.contains(word), "{refused}");
        }
    }
}
