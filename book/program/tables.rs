//! Tables of what the specification and the checker know: the properties, the worlds, and the museum.

use crate::directive::Ask;
use crate::page::Page;
use crate::render::{Known, escaped};
use crate::results::{Results, table};
use highwater_checker::catalog::{Entry, WORLDS};
use highwater_checker::museum::{self, EXHIBITS, Exhibit, Kind};
use highwater_spec::property::cleaning::OF_CLEANING;
use highwater_spec::property::consumer_group::{self, ConsumerProperty};
use highwater_spec::property::group::{self, GroupProperty};
use highwater_spec::property::producing::OF_PRODUCING;
use highwater_spec::property::reading::OF_READING;
use highwater_spec::property::{self, Property};
use highwater_spec::scenario::Scenario;

const PROPERTY_HEAD: [&str; 2] = ["property", "what it says"];

/// Every property: what it says, when it is promised, whence it comes, and what shows that it can fail. Those of other
/// worlds than replication's share a file for each kind.
///
/// # Errors
/// If a property's file can't be read.
pub fn properties(known: &Known<'_>, page: &Page) -> Result<String, String> {
    let rows: Result<Vec<_>, String> =
        property::every().iter().map(|property| property_row(known, page, property)).collect();
    let plain = |number: &str, name: &str, statement: &str| promised_row(number, name, statement, true);
    let group = group::EVERY.iter().map(|GroupProperty { number, name, statement, .. }| {
        promised_row(number, name, statement, group::OF_A_GROUP.iter().any(|promised| promised.name == *name))
    });
    let consumers = consumer_group::EVERY.iter().map(|ConsumerProperty { number, name, statement, .. }| {
        promised_row(
            number,
            name,
            statement,
            consumer_group::OF_CONSUMERS.iter().any(|promised| promised.name == *name),
        )
    });
    let cleaning = OF_CLEANING.iter().map(|property| plain(property.number, property.name, property.statement));
    let producing = OF_PRODUCING.iter().map(|property| plain(property.number, property.name, property.statement));
    let reading = OF_READING.iter().map(|property| plain(property.number, property.name, property.statement));
    let more = [
        of_kind(known, "group", "a group", group.collect())?,
        of_kind(known, "consumer_group", "a group of the consumer protocol", consumers.collect())?,
        of_kind(known, "cleaning", "a compacted log", cleaning.collect())?,
        of_kind(known, "producing", "what a producer writes", producing.collect())?,
        of_kind(known, "reading", "what a consumer reads", reading.collect())?,
    ];
    Ok(table(&PROPERTY_HEAD, &rows?) + &more.concat())
}

/// The properties of a kind of world that share `file`.
fn of_kind(known: &Known<'_>, file: &str, of: &str, rows: Vec<Vec<String>>) -> Result<String, String> {
    let text = known.workspace.read(&format!("spec/src/property/{file}.rs"))?;
    let source = asides(&[("source", said(&text, "Source: "))]);
    let head = format!("<h3 id=\"property-{}\">Properties of {of}</h3>", file.replace('_', "-"));
    Ok(format!("{head}\n{}{source}", table(&PROPERTY_HEAD, &rows)))
}

/// A property that is promised in every world of its kind, or nowhere.
fn promised_row(number: &str, name: &str, statement: &str, is_promised: bool) -> Vec<String> {
    let promised = if is_promised { "" } else { "nowhere" };
    vec![property_name(number, name), escaped(statement) + &asides(&[("promised", promised.to_owned())])]
}

fn property_row(known: &Known<'_>, page: &Page, property: &Property) -> Result<Vec<String>, String> {
    let text = known.workspace.read(&format!("spec/src/property/{}.rs", property.name.replace('-', "_")))?;
    let guards: Vec<_> = property.guards.iter().map(|guard| format!("<code>{}</code>", guard.name)).collect();
    let can_fail = EXHIBITS.iter().fold(said(&text, "Can fail: "), |text, exhibit| {
        let named = format!("exhibit {}", exhibit.name);
        text.replace(&named, &format!("exhibit {}", scenario_link(known, page, exhibit.name)))
    });
    let more =
        asides(&[("promised with", guards.join(", ")), ("source", said(&text, "Source: ")), ("can fail", can_fail)]);
    Ok(vec![property_name(property.number, property.name), escaped(property.statement) + &more])
}

fn property_name(number: &str, name: &str) -> String {
    format!("<span id=\"property-{name}\">{number}<br><code>{name}</code></span>")
}

/// What the head of a property's file says behind `what`, as HTML.
fn said(text: &str, what: &str) -> String {
    let lines = text.lines().map_while(|line| line.strip_prefix("//!"));
    lines.map(str::trim).find_map(|line| line.strip_prefix(what)).map(marked).unwrap_or_default()
}

fn asides(more: &[(&str, String)]) -> String {
    let more = more.iter().filter(|(_, text)| !text.is_empty());
    more.map(|(what, text)| format!("<div class=\"aside\"><em>{what}</em> {text}</div>")).collect()
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

/// Every world: what may happen in it, how much of that, and what a run without `--deep` has found.
///
/// # Errors
/// If the checker's results lack one.
pub fn worlds(known: &Known<'_>) -> Result<String, String> {
    let results = Results::read(known.workspace, "check")?;
    let row = |world: &Entry| {
        let found = |what: &str| match world.deep {
            true => Ok("<code>--deep</code>".to_owned()),
            false => results.number(&format!("models.{}.{what}", world.name)),
        };
        let bounds = asides(&[("bounds", format!("<code>{}</code>", escaped(&world.bounds())))]);
        Ok(vec![
            format!("<code>{}</code>", world.name),
            escaped(world.about) + &bounds,
            found("states")?,
            found("depth")?,
        ])
    };
    let rows: Result<Vec<_>, String> = WORLDS.iter().map(row).collect();
    Ok(table(&["world", "what may happen", "states", "depth"], &rows?) + &results.caption())
}

/// Every exhibit of the museum: what breaks by which rules, how soon, and which change mends it.
///
/// # Errors
/// If an exhibit has no scenario.
pub fn exhibits(known: &Known<'_>, page: &Page) -> Result<String, String> {
    let rows: Result<Vec<_>, String> = museum::all().map(|exhibit| exhibit_row(known, page, &exhibit)).collect();
    Ok(table(&["exhibit", "what happens", "by the rules", "mended by", "steps"], &rows?))
}

fn exhibit_row(known: &Known<'_>, page: &Page, exhibit: &Exhibit) -> Result<Vec<String>, String> {
    let file = format!("scenarios/{}.scenario", exhibit.name);
    let text = known.workspace.read(&file)?;
    let scenario: Scenario = text.parse().map_err(|error| format!("{file}: {error:?}"))?;
    let name = exhibit.broken.property();
    let breaks = known.link(page, name, &format!("property-{name}"), |ask| matches!(ask, Ask::Properties));
    let title = match exhibit.kind {
        Kind::Bug => escaped(exhibit.title),
        Kind::ExpectedLoss => format!("no bug: {}", escaped(exhibit.title)),
    };
    Ok(vec![
        format!("<strong>{}</strong>", scenario_link(known, page, exhibit.name)),
        format!("{title}<div class=\"aside\"><em>breaks</em> {breaks}</div>"),
        format!("<code>{}</code>", escaped(&exhibit.broken.rules().to_string())),
        format!("<code>{}</code>", escaped(&changes(exhibit)).replace('=', "=<wbr>")),
        scenario.steps().count().to_string(),
    ])
}

/// What is different in the twin.
fn changes(Exhibit { broken, mended, .. }: &Exhibit) -> String {
    let decisions = mended.rules().overrides(&broken.rules()).into_iter().map(|(field, way)| format!("{field}={way}"));
    let (before, after) = (broken.bounds(), mended.bounds());
    // A bound that is not named is 0.
    let gone = before.iter().filter(|(name, _)| after.iter().all(|(still, _)| still != name));
    let gone = gone.map(|(name, _)| format!("{name}=0"));
    let changed = after.iter().filter(|bound| !before.contains(bound)).map(|(name, value)| format!("{name}={value}"));
    decisions.chain(changed).chain(gone).collect::<Vec<_>>().join(" ")
}
