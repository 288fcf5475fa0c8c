//! What a case of the script was, and what came of it.

use super::render;
use super::tree::Tree;
use serde::{Deserialize, Serialize};

/// A request and its answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
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

impl Exchange {
    /// The name of the case's chapter.
    pub fn chapter(&self) -> &str {
        self.case.split('/').next().unwrap_or_default()
    }
}

/// What came of a request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Outcome {
    /// An answer: as lines for people, and as paths with values.
    Answer {
        /// For people.
        lines: Vec<String>,
        /// For comparing.
        paths: Vec<(String, String)>,
    },
    /// An answer to bytes that are no sound request, so that it isn't known what it should be read as.
    Answered,
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
            Self::Answered => vec!["answered".to_owned()],
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

/// All of them as text, case by case. Versions of a case that got the same answer are told together.
pub fn text(exchanges: &[Exchange]) -> String {
    let mut cases: Vec<(&str, Vec<&Exchange>)> = Vec::new();
    for exchange in exchanges {
        match cases.iter_mut().find(|(case, _)| *case == exchange.case) {
            Some((_, of_case)) => of_case.push(exchange),
            None => cases.push((&exchange.case, vec![exchange])),
        }
    }
    cases.iter().map(|(case, of_case)| case_text(case, of_case)).collect()
}

fn case_text(case: &str, of_case: &[&Exchange]) -> String {
    let mut answers: Vec<(Vec<String>, Vec<&Exchange>)> = Vec::new();
    for exchange in of_case {
        let lines = exchange.outcome.lines();
        match answers.iter_mut().find(|(known, _)| *known == lines) {
            Some((_, alike)) => alike.push(exchange),
            None => answers.push((lines, vec![exchange])),
        }
    }
    let mut out = format!("\n{case}\n");
    for (lines, alike) in answers {
        let last = alike[alike.len() - 1];
        last.sent.iter().for_each(|line| out.push_str(&format!("  > {line}\n")));
        out.push_str(&versions(&alike));
        lines.iter().for_each(|line| out.push_str(&format!("  < {line}\n")));
    }
    out
}

/// The versions of some exchanges, as in `  v4-v11 v13`.
fn versions(exchanges: &[&Exchange]) -> String {
    let mut versions = exchanges.iter().filter_map(|exchange| exchange.version).collect::<Vec<_>>();
    versions.sort_unstable();
    versions.dedup();
    let runs = versions.chunk_by(|version, next| version.checked_add(1) == Some(*next));
    let told = runs.map(|run| match run {
        [first, .., last] => format!(" v{first}-v{last}"),
        [only] => format!(" v{only}"),
        [] => String::new(),
    });
    let told = told.collect::<String>();
    if told.is_empty() { told } else { format!(" {told}\n") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_with_one_answer_are_told_together() {
        let of = |version, outcome| Exchange { case: "c/a".to_owned(), version: Some(version), sent: vec![], outcome };
        let exchanges =
            [of(1, Outcome::Closed), of(2, Outcome::Closed), of(3, Outcome::NoAnswer), of(4, Outcome::Closed)];
        let expected = "\nc/a\n  v1-v2 v4\n  < closed\n  v3\n  < no answer; the next request is answered\n";
        assert_eq!(text(&exchanges), expected);
    }
}
