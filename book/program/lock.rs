//! `book/rules.lock`: which sentence of a rule was last held against which verifications.
//!
//! A line for each rule: its id, the hash of its sentence, the hash of what verifies it. Where either is not what the
//! book and the code now say, somebody has to look again, and accept.

use crate::complaint::Complaint;
use crate::page::Page;
use crate::rules::{self, Rule, Rules};
use crate::survey::{Survey, Verifier, matches};
use std::collections::BTreeMap;

/// Where it is.
pub const FILE: &str = "book/rules.lock";

const HEAD: &str = "# A rule, the hash of its sentence, and the hash of what verifies it. Written by\n\
                    # cargo run -p highwater-book -- --accept ID…\n";

/// What was accepted, by id: the two hashes.
type Accepted = BTreeMap<String, (String, String)>;

/// Complains of every rule that is not as it was accepted.
pub fn judge(lock: &str, rules: &Rules, pages: &[Page], survey: &Survey, complaints: &mut Vec<Complaint>) {
    let accepted = match read(lock) {
        Ok(accepted) => accepted,
        Err(line) => {
            complaints.push(Complaint::at(
                FILE,
                line,
                "a line is an id and two hashes; restore the file, or remove it",
            ));
            return;
        }
    };
    for rule in rules.values() {
        let (sentence, verified) = hashes(rule, survey);
        let news = match accepted.get(&rule.id) {
            None => "it is new",
            Some((before, _)) if *before != sentence => "its sentence has changed",
            Some((_, before)) if *before != verified => "what verifies it has changed",
            Some(_) => continue,
        };
        let by: Vec<_> = rules::verifiers(&rule.id, survey).into_iter().map(Verifier::in_words).collect();
        let by = if by.is_empty() { "nothing verifies it yet".to_owned() } else { by.join(", ") };
        let what = format!(
            "stale: {0}: {news}; read its sentence and its verification ({by}) again, then `cargo run -p highwater-book -- --accept {0}`",
            rule.id
        );
        complaints.push(Complaint::at(&pages[rule.page].file, rule.line, what));
    }
    for (index, line) in lock.lines().enumerate() {
        let id = line.split(' ').next().unwrap_or_default();
        if accepted.contains_key(id) && !rules.contains_key(id) {
            let what = format!(
                "stale: the book states {id} no more; `cargo run -p highwater-book -- --accept {id}` forgets it"
            );
            complaints.push(Complaint::at(FILE, index + 1, what));
        }
    }
}

/// The lock after the rules of these ids were accepted; `*` at the end of an id stands for all that begin so.
///
/// # Errors
/// If the lock can't be read, or an id is unknown.
pub fn accept(lock: &str, ids: &[String], rules: &Rules, survey: &Survey) -> Result<String, String> {
    let mut accepted = read(lock).map_err(|line| format!("{FILE}:{line}: this is no line of a lock"))?;
    for pattern in ids {
        let stated: Vec<_> = rules.values().filter(|rule| matches(pattern, &rule.id)).collect();
        let known = accepted.len();
        accepted.retain(|id, _| !matches(pattern, id) || rules.contains_key(id));
        if stated.is_empty() && accepted.len() == known {
            return Err(format!("the book states no rule {pattern}"));
        }
        accepted.extend(stated.into_iter().map(|rule| (rule.id.clone(), hashes(rule, survey))));
    }
    let lines = accepted.iter().map(|(id, (sentence, verified))| format!("{id} {sentence} {verified}\n"));
    Ok(HEAD.to_owned() + &lines.collect::<String>())
}

/// The number of the first line that can't be read, if there is one.
fn read(lock: &str) -> Result<Accepted, usize> {
    let lines = lock.lines().enumerate().filter(|(_, line)| !line.starts_with('#') && !line.is_empty());
    let entry = |(index, line): (usize, &str)| match line.split(' ').collect::<Vec<_>>()[..] {
        [id, sentence, verified] => Ok((id.to_owned(), (sentence.to_owned(), verified.to_owned()))),
        _ => Err(index + 1),
    };
    lines.map(entry).collect()
}

fn hashes(rule: &Rule, survey: &Survey) -> (String, String) {
    let verifiers: Vec<_> = rules::verifiers(&rule.id, survey).into_iter().map(Verifier::in_words).collect();
    (hash(&rule.sentence), hash(&verifiers.join("\n")))
}

/// FNV-1a: it need only differ by chance, and never change.
fn hash(text: &str) -> String {
    let step = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3);
    format!("{:016x}", text.bytes().fold(0xcbf2_9ce4_8422_2325, step))
}
