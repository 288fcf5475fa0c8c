//! Which rule is where: in the code, in properties, in tests, in scenarios; and which requirements are answered.

use crate::directive::Ask;
use crate::page::Page;
use crate::render::{self, Known, escaped, relative};
use crate::results;
use crate::rules::{self, Rule};
use crate::survey::{Mention, Verifier};
use crate::tables::scenario_link;
use highwater_spec::scenario::{Expects, Scenario};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;

/// A scenario and the property that it speaks of.
type Stories = Vec<(String, String)>;

/// All of it as HTML: a summary by chapter, a table for each, and the requirements.
pub fn table(known: &Known<'_>, page: &Page) -> String {
    let stories = stories(known);
    let mut summary = Vec::new();
    let mut chapters = String::new();
    for (index, chapter) in known.pages.iter().enumerate() {
        let stated: Vec<_> = known.rules.values().filter(|rule| rule.page == index).collect();
        if stated.is_empty() {
            continue;
        }
        summary.push(counts(known, page, chapter, &stated));
        let rows: Vec<_> = stated.iter().map(|rule| row(known, page, rule, &stories)).collect();
        chapters += &format!("<h2>{}</h2>\n", escaped(&chapter.title));
        let table = results::table(&["rule, and where it is carried out", "properties", "tests", "scenarios"], &rows);
        chapters += &format!("<div class=\"coverage\">{table}</div>\n");
    }
    let all: Vec<_> = known.rules.values().collect();
    let mut total = counts(known, page, page, &all);
    total[0] = "<strong>all</strong>".to_owned();
    summary.push(total);
    let head = ["chapter", "rules", "in the code", "by a property", "by a test", "by both"];
    results::table(&head, &summary) + &chapters + &requirements(known, page)
}

fn counts(known: &Known<'_>, page: &Page, chapter: &Page, stated: &[&Rule]) -> Vec<String> {
    let count = |which: &dyn Fn(&Rule) -> bool| stated.iter().filter(|rule| which(rule)).count().to_string();
    let by = |rule: &Rule, property: bool| {
        let mut verifiers = rules::verifiers(&rule.id, known.survey).into_iter();
        verifiers.any(|by| matches!(by, Verifier::Property(_)) == property)
    };
    let link =
        format!("<a href=\"{}\">{}</a>", relative(&page.path, &render::html(&chapter.path)), escaped(&chapter.title));
    vec![
        link,
        stated.len().to_string(),
        count(&|rule| !rules::places(&rule.id, known.survey).is_empty()),
        count(&|rule| by(rule, true)),
        count(&|rule| by(rule, false)),
        count(&|rule| by(rule, true) && by(rule, false)),
    ]
}

fn row(known: &Known<'_>, page: &Page, rule: &Rule, stories: &Stories) -> Vec<String> {
    let verifiers = rules::verifiers(&rule.id, known.survey);
    let (properties, tests): (Vec<_>, Vec<_>) = verifiers.iter().partition(|by| matches!(by, Verifier::Property(_)));
    let listed = |verifiers: Vec<&&Verifier>| {
        verifiers.into_iter().map(|by| render::verifier(known, page, by)).collect::<Vec<_>>().join("<br>")
    };
    let speaks_of = |property: &str| verifiers.contains(&Verifier::Property(property.to_owned()));
    let told = stories.iter().filter(|(_, property)| speaks_of(property));
    let told: Vec<_> = told.map(|(name, _)| scenario_link(known, page, name)).collect();
    let places = rules::places(&rule.id, known.survey);
    let place = |place: &&Mention| format!("<div class=\"aside\"><code>{}:{}</code></div>", place.file, place.line);
    let places: String = places.iter().map(place).collect();
    let there = relative(&page.path, &render::html(&known.pages[rule.page].path));
    let link = format!("<a href=\"{there}#r-{0}\"><code>{0}</code></a>", rule.id);
    vec![link + &places, listed(properties), listed(tests), told.join("<br>")]
}

/// The scenarios of the workspace; one that can't be read belongs to no rule, and fails elsewhere.
fn stories(known: &Known<'_>) -> Stories {
    let entries = fs::read_dir(known.workspace.path("scenarios")).into_iter().flatten().flatten();
    let names = entries.filter_map(|entry| entry.file_name().to_str()?.strip_suffix(".scenario").map(str::to_owned));
    let names: BTreeSet<_> = names.collect();
    let spoken_of = |name: String| {
        let text = known.workspace.read(&format!("scenarios/{name}.scenario")).ok()?;
        match text.parse::<Scenario>().ok()?.expects? {
            Expects::Breaks(property) | Expects::Holds(property) => Some((name, property.as_str().to_owned())),
        }
    };
    names.into_iter().filter_map(spoken_of).collect()
}

fn requirements(known: &Known<'_>, page: &Page) -> String {
    let cited = known.asking(|ask| match ask {
        Ask::Requirement(id) => Some(id.clone()),
        _ => None,
    });
    let mut first = BTreeMap::new();
    for (there, id) in cited {
        let number: u32 = id.trim_start_matches('R').parse().unwrap_or(u32::MAX);
        first.entry(number).or_insert((id, there));
    }
    let links = first.values().map(|(id, there)| {
        format!("<a href=\"{}#requirement-{id}\">{id}</a>", relative(&page.path, &render::html(&there.path)))
    });
    let links: Vec<_> = links.collect();
    match links.len() {
        0 => String::new(),
        count => format!("<h2>Requirements answered</h2>\n<p>{count}: {}</p>\n", links.join(", ")),
    }
}
