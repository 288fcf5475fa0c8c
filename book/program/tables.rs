//! Tables of what the specification and the checker know: the properties, and the museum.

use crate::directive::Ask;
use crate::page::Page;
use crate::render::{Known, escaped};
use crate::results::table;
use highwater_checker::museum::{EXHIBITS, Exhibit, Kind};
use highwater_spec::property::{self, Property};
use highwater_spec::scenario::Scenario;

/// Every property: what it says, when it is promised, whence it comes, and what shows that it can fail.
///
/// # Errors
/// If a property's file can't be read.
pub fn properties(known: &Known<'_>, page: &Page) -> Result<String, String> {
    let rows: Result<Vec<_>, String> =
        property::every().iter().map(|property| property_row(known, page, property)).collect();
    Ok(table(&["property", "what it says"], &rows?))
}

fn property_row(known: &Known<'_>, page: &Page, property: &Property) -> Result<Vec<String>, String> {
    let file = format!("spec/src/property/{}.rs", property.name.replace('-', "_"));
    let text = known.workspace.read(&file)?;
    let said = |what: &str| {
        let lines = text.lines().map_while(|line| line.strip_prefix("//!"));
        lines.map(str::trim).find_map(|line| line.strip_prefix(what)).map(marked).unwrap_or_default()
    };
    let guards: Vec<_> = property.guards.iter().map(|guard| format!("<code>{}</code>", guard.name)).collect();
    let can_fail = EXHIBITS.iter().fold(said("Can fail: "), |text, exhibit| {
        let named = format!("exhibit {}", exhibit.name);
        text.replace(&named, &format!("exhibit {}", scenario_link(known, page, exhibit.name)))
    });
    let more = [("promised with", guards.join(", ")), ("source", said("Source: ")), ("can fail", can_fail)];
    let more = more.iter().filter(|(_, text)| !text.is_empty());
    let more: String = more.map(|(what, text)| format!("<div class=\"aside\"><em>{what}</em> {text}</div>")).collect();
    let name = format!("<span id=\"property-{0}\">{1}<br><code>{0}</code></span>", property.name, property.number);
    Ok(vec![name, escaped(property.statement) + &more])
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
    Ok(table(&["exhibit", "what happens", "by the rules", "mended by", "steps"], &rows?))
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
        format!("<strong>{}</strong>", scenario_link(known, page, exhibit.name)),
        format!("{title}<div class=\"aside\"><em>breaks</em> {breaks}</div>"),
        format!("<code>{}</code>", escaped(&exhibit.broken.rules.to_string())),
        format!("<code>{}</code>", escaped(&mended(exhibit)).replace('=', "=<wbr>")),
        scenario.steps().count().to_string(),
    ])
}

/// What is different in the twin.
fn mended(exhibit: &Exhibit) -> String {
    let (broken, mended) = (&exhibit.broken, &exhibit.mended);
    let decisions = mended.rules.overrides(&broken.rules).into_iter().map(|(field, way)| format!("{field}={way}"));
    let (before, after) = (broken.bounds.named(), mended.bounds.named());
    // A bound that is not named is 0.
    let gone = before.iter().filter(|(name, _)| after.iter().all(|(still, _)| still != name));
    let gone = gone.map(|(name, _)| format!("{name}=0"));
    let changed = after.iter().filter(|bound| !before.contains(bound)).map(|(name, value)| format!("{name}={value}"));
    decisions.chain(changed).chain(gone).collect::<Vec<_>>().join(" ")
}
