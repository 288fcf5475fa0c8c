//! Tables of what the specification and the checker know: the properties, and the museum.

use crate::directive::Ask;
use crate::page::Page;
use crate::render::{Known, escaped};
use crate::results::table;
use highwater_checker::museum::{EXHIBITS, Exhibit, Kind};
use highwater_spec::property::{self, Property};
use highwater_spec::rules::Rules;
use highwater_spec::scenario::Scenario;

/// Every property: what it says, when it is promised, whence it comes, and what shows that it can fail.
///
/// # Errors
/// If a property's file can't be read.
pub fn properties(known: &Known<'_>, page: &Page) -> Result<String, String> {
    let rows: Result<Vec<_>, String> =
        property::every().iter().map(|property| property_row(known, page, property)).collect();
    Ok(table(&["number", "property", "what it says", "source", "can fail"], &rows?))
}

fn property_row(known: &Known<'_>, page: &Page, property: &Property) -> Result<Vec<String>, String> {
    let file = format!("spec/src/property/{}.rs", property.name.replace('-', "_"));
    let text = known.workspace.read(&file)?;
    let said = |what: &str| {
        let lines = text.lines().map_while(|line| line.strip_prefix("//!"));
        lines.map(str::trim).find_map(|line| line.strip_prefix(what)).map(marked).unwrap_or_default()
    };
    let guards: Vec<_> = property.guards.iter().map(|guard| format!("<code>{}</code>", guard.name)).collect();
    let when = if guards.is_empty() { String::new() } else { format!("<br>promised with {}", guards.join(", ")) };
    let name = format!("<span id=\"property-{0}\"><code>{0}</code></span>", property.name);
    let can_fail = said("Can fail: ");
    let can_fail = EXHIBITS.iter().fold(can_fail, |text, exhibit| {
        let named = format!("exhibit {}", exhibit.name);
        text.replace(&named, &format!("exhibit {}", scenario_link(known, page, exhibit.name)))
    });
    Ok(vec![property.number.to_owned(), name, escaped(property.statement) + &when, said("Source: "), can_fail])
}

/// A comment's text as HTML, with its code marked.
fn marked(text: &str) -> String {
    let parts = text.trim_end_matches('.').split('`').enumerate();
    let parts =
        parts.map(|(at, part)| if at % 2 == 1 { format!("<code>{}</code>", escaped(part)) } else { escaped(part) });
    parts.collect()
}

/// A link to where the scenario is drawn, if it is.
pub fn scenario_link(known: &Known<'_>, page: &Page, name: &str) -> String {
    known.link(page, name, &format!("scenario-{name}"), |ask| *ask == Ask::Scenario(name.to_owned()))
}

/// Every exhibit of the museum: what breaks by which rules, how soon, and which change mends it.
///
/// # Errors
/// If an exhibit has no scenario.
pub fn exhibits(known: &Known<'_>, page: &Page) -> Result<String, String> {
    let rows: Result<Vec<_>, String> = EXHIBITS.iter().map(|exhibit| exhibit_row(known, page, exhibit)).collect();
    Ok(table(&["exhibit", "what happens", "rules", "mended by", "breaks", "steps"], &rows?))
}

fn exhibit_row(known: &Known<'_>, page: &Page, exhibit: &Exhibit) -> Result<Vec<String>, String> {
    let file = format!("scenarios/{}.scenario", exhibit.name);
    let text = known.workspace.read(&file)?;
    let scenario: Scenario = text.parse().map_err(|error| format!("{file}: {error:?}"))?;
    let broken = exhibit.broken.property.name;
    let breaks = known.link(page, broken, &format!("property-{broken}"), |ask| matches!(ask, Ask::Properties));
    let title = match exhibit.kind {
        Kind::Bug => escaped(exhibit.title),
        Kind::ExpectedLoss => format!("no bug: {}", escaped(exhibit.title)),
    };
    Ok(vec![
        scenario_link(known, page, exhibit.name),
        title,
        format!("<code>{}</code>", escaped(&exhibit.broken.rules.to_string())),
        format!("<code>{}</code>", escaped(&mended(exhibit))),
        breaks,
        scenario.steps().count().to_string(),
    ])
}

/// What is different in the twin.
fn mended(exhibit: &Exhibit) -> String {
    let fields =
        |rules: &Rules| rules.described().1.into_iter().map(|(name, way)| format!("{name}={way}")).collect::<Vec<_>>();
    let (before, after) = (fields(&exhibit.broken.rules), fields(&exhibit.mended.rules));
    let mut changed: Vec<_> = after.into_iter().filter(|field| !before.contains(field)).collect();
    let (before, after) = (exhibit.broken.bounds.named(), exhibit.mended.bounds.named());
    changed.extend(
        after.into_iter().filter(|bound| !before.contains(bound)).map(|(name, value)| format!("{name}={value}")),
    );
    changed.join(" ")
}
