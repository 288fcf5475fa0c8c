//! What nobody should have written by hand: above all numbers, as a measurement has to come from a results file.
//!
//! Complained of is a number of three digits or more, and any number with a unit. Not: years, versions, names such as
//! KIP-966, and what stands in code.

use crate::complaint::Complaint;
use crate::directive::Directive;
use crate::page::Page;
use pulldown_cmark::{Event, Options, Parser};

const UNITS: [&str; 43] = [
    "ns",
    "µs",
    "us",
    "ms",
    "s",
    "min",
    "h",
    "second",
    "seconds",
    "minute",
    "minutes",
    "hour",
    "hours",
    "day",
    "days",
    "millisecond",
    "milliseconds",
    "B",
    "kB",
    "KB",
    "KiB",
    "MB",
    "MiB",
    "GB",
    "GiB",
    "TB",
    "byte",
    "bytes",
    "%",
    "percent",
    "×",
    "x",
    "times",
    "k",
    "M",
    "state",
    "states",
    "step",
    "steps",
    "edge",
    "edges",
    "cases",
    "runs",
];

/// Complains of every such number of a page, and of the marks of a merge.
pub fn judge(page: &Page, directives: &[Directive], complaints: &mut Vec<Complaint>) {
    let marks = page.lines().filter(|(_, line)| ["<<<<<<< ", ">>>>>>> "].iter().any(|mark| line.starts_with(mark)));
    complaints
        .extend(marks.map(|(at, _)| Complaint::at(&page.file, page.line_at(at), "a merge was left half done here")));
    let events = Parser::new_ext(&page.text, Options::ENABLE_TABLES | Options::ENABLE_FOOTNOTES).into_offset_iter();
    for (event, range) in events {
        let Event::Text(_) = event else { continue };
        if page.is_code(range.start) {
            continue;
        }
        let asked = |at: usize| directives.iter().any(|directive| directive.range.contains(&at));
        for (at, number) in measured(&page.text[range.clone()]).into_iter().map(|(at, word)| (range.start + at, word)) {
            if !asked(at) {
                let what = format!(
                    "`{number}` has no results file; write `{{{{number file key}}}}`, or `{{{{fact {number} | its source}}}}` if nobody measured it"
                );
                complaints.push(Complaint::at(&page.file, page.line_at(at), what));
            }
        }
    }
}

/// The numbers that look measured, and where.
fn measured(text: &str) -> Vec<(usize, String)> {
    let words: Vec<_> = words(text).collect();
    let mut found = Vec::new();
    for (index, (at, word)) in words.iter().enumerate() {
        let length = word.len() - word.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.' || c == ',').len();
        let (number, suffix) = word.split_at(length);
        let number = number.trim_end_matches(['.', ',']);
        if !number.starts_with(|c: char| c.is_ascii_digit()) {
            continue;
        }
        let next = words.get(index + 1).map_or("", |(_, word)| word);
        // A comma or a full stop behind the number ends its phrase.
        let phrase_ends = length > number.len() && suffix.is_empty();
        let unit = if suffix.is_empty() { next } else { suffix.trim_start_matches(['-', '‑']) };
        let has_unit = !phrase_ends && UNITS.contains(&unit.trim_end_matches(['.', ',', ';', ':']));
        if has_unit || is_long(number) {
            found.push((*at, (*number).to_owned()));
        }
    }
    found
}

/// Words without the brackets and quotes before them, and where they begin.
fn words(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut from = 0;
    text.split(|c: char| c.is_whitespace() || matches!(c, '–' | '/' | '…')).map(move |word| {
        let at = from;
        from += word.len() + text[from + word.len()..].chars().next().map_or(0, char::len_utf8);
        let bare = word.trim_start_matches(['(', '[', '"', '\'', '~', '≈', '<', '>', '+', '=', '≤', '≥']);
        (at + word.len() - bare.len(), bare.trim_end_matches([')', ']', '"', '\'', '!', '?']))
    })
}

/// Three digits or more, and neither a year nor a version.
fn is_long(number: &str) -> bool {
    let digits = number.bytes().filter(u8::is_ascii_digit).count();
    let is_year = number.parse().is_ok_and(|year: u32| (1980..2050).contains(&year));
    digits >= 3 && !is_year && !number.contains('.')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Vec<String> {
        measured(text).into_iter().map(|(_, number)| number).collect()
    }

    #[test]
    fn a_measurement_is_told_from_other_numbers() {
        assert_eq!(found("explores 323 484 states in 2.7 s, with 69 MiB"), ["323", "484", "2.7", "69"]);
        assert_eq!(found("caught in 15 steps (or 17k, 10ms, 40%)"), ["15", "17", "10", "40"]);
        assert_eq!(found("about 1,000 records; a port 9092."), ["1,000", "9092"]);
        let others =
            "In 2017, KIP-101 came with Kafka 0.11, then 4.1.1; see R94, P-8, 2 brokers, 3 records, b1, step 2, 5.";
        assert_eq!(found(others), [""; 0]);
    }
}
