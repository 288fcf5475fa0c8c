//! The rules that the book states: a line `r[id]`, and the paragraph below it.

use crate::complaint::Complaint;
use crate::page::Page;
use crate::survey::{Mention, Survey, Verifier, is_id, matches};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

/// A rule, and where the book states it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// Its id.
    pub id: String,
    /// Which page states it.
    pub page: usize,
    /// The line of its id, from 1.
    pub line: usize,
    /// The bytes of the line of its id.
    pub mark: Range<usize>,
    /// The bytes of what it says.
    pub body: Range<usize>,
    /// What it says, with one space between words.
    pub sentence: String,
}

/// Every rule by its id, the first statement of each.
pub type Rules = BTreeMap<String, Rule>;

/// The rules of all pages; what is stated twice, or not at all behind its id, is complained of.
pub fn read(pages: &[Page], complaints: &mut Vec<Complaint>) -> Rules {
    let mut rules = Rules::new();
    for rule in pages.iter().enumerate().flat_map(|(index, page)| in_page(index, page)) {
        let file = &pages[rule.page].file;
        if !is_id(&rule.id) {
            let what = format!("`{}` is no id: small letters and hyphens, with dots between words", rule.id);
            complaints.push(Complaint::at(file, rule.line, what));
        } else if rule.sentence.is_empty() {
            let what = format!("{} says nothing; write its sentence on the next line", rule.id);
            complaints.push(Complaint::at(file, rule.line, what));
        } else if let Some(first) = rules.get(&rule.id) {
            let (first, page) = (first.line, &pages[first.page].file);
            let what = format!("duplicate: {} is stated already, in {page}:{first}; keep one of the two", rule.id);
            complaints.push(Complaint::at(file, rule.line, what));
        } else {
            rules.insert(rule.id.clone(), rule);
        }
    }
    rules
}

fn in_page(index: usize, page: &Page) -> Vec<Rule> {
    let lines: Vec<_> = page.lines().collect();
    let mut found = Vec::new();
    for (number, (start, line)) in lines.iter().enumerate() {
        let id = line.strip_prefix("r[").and_then(|rest| rest.trim_end().strip_suffix(']'));
        let Some(id) = id.filter(|_| !page.is_code(*start)) else { continue };
        let body = lines[number + 1..].iter().take_while(|(_, line)| !line.trim().is_empty());
        let begin = start + line.len();
        let end = body.last().map_or(begin, |(at, line)| at + line.len());
        let sentence = page.text[begin..end].split_whitespace().collect::<Vec<_>>().join(" ");
        let mark = *start..begin;
        found.push(Rule { id: id.to_owned(), page: index, line: number + 1, mark, body: begin..end, sentence });
    }
    found
}

/// The first words of the ids.
pub fn subjects(rules: &Rules) -> BTreeSet<String> {
    rules.keys().filter_map(|id| id.split('.').next()).map(str::to_owned).collect()
}

/// Where a rule is carried out.
pub fn places<'a>(id: &str, survey: &'a Survey) -> Vec<&'a Mention> {
    survey.mentions.iter().filter(|mention| mention.id == id && mention.is_in_a_machine()).collect()
}

/// What verifies a rule: properties first, each once.
pub fn verifiers<'a>(id: &str, survey: &'a Survey) -> BTreeSet<&'a Verifier> {
    let claims = survey.verifications.iter().filter(|claim| claim.ids.iter().any(|pattern| matches(pattern, id)));
    claims.map(|claim| &claim.by).collect()
}

/// Complains of what the code names and the book doesn't, and the other way round.
pub fn judge(rules: &Rules, pages: &[Page], survey: &Survey, complaints: &mut Vec<Complaint>) {
    // `a.b.*` may be what a file calls its rules when there is only `a.b`.
    let is_stated = |pattern: &str| match pattern.strip_suffix(".*") {
        Some(id) => rules.contains_key(id) || rules.keys().any(|id| matches(pattern, id)),
        None => rules.contains_key(pattern),
    };
    let named = survey.mentions.iter().map(|mention| (&mention.file, mention.line, &mention.id));
    let claimed =
        survey.verifications.iter().flat_map(|claim| claim.ids.iter().map(|id| (&claim.file, claim.line, id)));
    for (file, line, id) in named.chain(claimed).filter(|(_, _, id)| !is_stated(id)) {
        let what = format!("unknown: the book states no rule {id}; state it in a chapter, or mend the name here");
        complaints.push(Complaint::at(file, line, what));
    }
    for rule in rules.values() {
        let file = &pages[rule.page].file;
        if places(&rule.id, survey).is_empty() {
            let what = format!(
                "unverified: no code names {0}; put `{0}` into a comment of the code that carries it out, in spec/src or impl/src",
                rule.id
            );
            complaints.push(Complaint::at(file, rule.line, what));
        }
        if verifiers(&rule.id, survey).is_empty() {
            let what = format!(
                "unverified: nothing verifies {0}; a property's `//! Verifies:` or a test's `// Verifies: {0}` says what does",
                rule.id
            );
            complaints.push(Complaint::at(file, rule.line, what));
        }
    }
}
