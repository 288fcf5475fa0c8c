//! What a case of the script was, and what came of it.

use super::render;
use super::tree::Tree;
use serde::Serialize;

/// A request and its answer.
#[derive(Clone, Debug, Serialize)]
pub struct Exchange {
    /// The case: the API and what is tried, such as `metadata/unknown topic`.
    pub case: String,
    /// The request's version, if it has one.
    pub version: Option<i16>,
    /// The request, for people.
    pub sent: Vec<String>,
    /// What came of it.
    pub outcome: Outcome,
}

/// What came of a request.
#[derive(Clone, Debug, Serialize)]
pub enum Outcome {
    /// An answer: as lines for people, and as paths with values.
    Answer {
        /// For people.
        lines: Vec<String>,
        /// For comparing.
        paths: Vec<(String, String)>,
    },
    /// The broker closed the connection.
    Closed,
    /// The broker went on to the next request of the connection, without an answer.
    NoAnswer,
    /// The broker did nothing at all, for long.
    Nothing,
    /// The broker sent a frame that is no answer to this.
    Garbage {
        /// Why not.
        why: String,
    },
}

impl Outcome {
    /// An answer.
    pub(super) fn answer(tree: &Tree) -> Self {
        Self::Answer { lines: render::lines(tree), paths: render::paths(tree) }
    }

    /// For people.
    pub fn lines(&self) -> Vec<String> {
        match self {
            Self::Answer { lines, .. } => lines.clone(),
            Self::Closed => vec!["closed".to_owned()],
            Self::NoAnswer => vec!["no answer; the next request is answered".to_owned()],
            Self::Nothing => vec!["nothing happens".to_owned()],
            Self::Garbage { why } => vec![format!("garbage: {why}")],
        }
    }

    /// For comparing: each value with the path to it. What is no answer has the empty path.
    pub fn paths(&self) -> Vec<(String, String)> {
        match self {
            Self::Answer { paths, .. } => paths.clone(),
            other => vec![(String::new(), other.lines().concat())],
        }
    }
}

/// All of them as text. Versions of one case that got the same answer are told together.
pub fn text(exchanges: &[Exchange]) -> String {
    let mut out = String::new();
    let mut rest = exchanges;
    while let Some(first) = rest.first() {
        let alike = |other: &&Exchange| other.case == first.case && other.outcome.lines() == first.outcome.lines();
        let (told, after) = rest.split_at(rest.iter().take_while(alike).count());
        out.push_str(&heading(told));
        for line in &told[told.len() - 1].sent {
            out.push_str(&format!("  > {line}\n"));
        }
        for line in first.outcome.lines() {
            out.push_str(&format!("  < {line}\n"));
        }
        rest = after;
    }
    out
}

/// The case's name and the versions that are told of, as in `fetch/at the end v4-v11`.
fn heading(told: &[Exchange]) -> String {
    let versions = told.iter().filter_map(|exchange| exchange.version).collect::<Vec<_>>();
    let case = &told[0].case;
    match versions[..] {
        [] => format!("\n{case}\n"),
        [only] => format!("\n{case} v{only}\n"),
        [first, .., last] => format!("\n{case} v{first}-v{last}\n"),
    }
}
