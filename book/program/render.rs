//! A page with its directives carried out: Markdown in, Markdown with HTML out.

use crate::code::{self, Excerpt};
use crate::complaint::Complaint;
use crate::coverage;
use crate::diagram;
use crate::directive::{Ask, Directive, Part};
use crate::matrix;
use crate::page::Page;
use crate::results::Results;
use crate::rules::{self, Rule, Rules};
use crate::survey::{Survey, Verifier};
use crate::tables;
use crate::workspace::Workspace;
use std::fmt::Write;
use std::ops::Range;

/// All that a page may ask about.
pub struct Known<'a> {
    /// The files.
    pub workspace: &'a Workspace,
    /// The whole book.
    pub pages: &'a [Page],
    /// What it states.
    pub rules: &'a Rules,
    /// What the code says of it.
    pub survey: &'a Survey,
    /// What each page asks for.
    pub directives: &'a [Vec<Directive>],
}

impl Known<'_> {
    /// The pages that ask for something, with what they ask.
    pub fn asking<'b, T>(&'b self, which: impl Fn(&'b Ask) -> Option<T>) -> impl Iterator<Item = (&'b Page, T)> {
        let all = self.pages.iter().zip(self.directives);
        let asks = all.flat_map(|(page, directives)| directives.iter().map(move |directive| (page, &directive.ask)));
        asks.filter_map(move |(page, ask)| Some((page, which(ask)?)))
    }

    /// A link to `anchor`, which is where this page asks for something, or else another; just the text if none does.
    pub fn link(&self, from: &Page, text: &str, anchor: &str, asked: impl Fn(&Ask) -> bool) -> String {
        let asking: Vec<_> = self.asking(|ask| asked(ask).then_some(())).map(|(page, ())| page).collect();
        match asking.iter().find(|page| page.path == from.path).or(asking.first()) {
            Some(page) => format!("<a href=\"{}#{anchor}\">{text}</a>", relative(&from.path, &html(&page.path))),
            None => text.to_owned(),
        }
    }
}

/// The page that is written for a file of Markdown.
pub fn html(path: &str) -> String {
    let path = path.strip_suffix(".md").unwrap_or(path);
    match path.strip_suffix("README") {
        Some(folder) if folder.is_empty() || folder.ends_with('/') => format!("{folder}index.html"),
        _ => format!("{path}.html"),
    }
}

/// The page at `index`, and what is wrong with it.
pub fn page(known: &Known<'_>, index: usize, complaints: &mut Vec<Complaint>) -> String {
    let page = &known.pages[index];
    let mut edits = Vec::new();
    for rule in known.rules.values().filter(|rule| rule.page == index) {
        edits.push((rule.mark.clone(), rule_head(rule)));
        edits.push((rule.body.end..rule.body.end, rule_links(known, page, rule)));
    }
    for directive in &known.directives[index] {
        let text = carry_out(known, page, directive).unwrap_or_else(|what| {
            complaints.push(Complaint::at(&page.file, directive.line, &what));
            format!("<strong class=\"wrong\">{}</strong>", escaped(&what))
        });
        edits.push((directive.range.clone(), text));
    }
    edited(&page.text, edits)
}

fn edited(text: &str, mut edits: Vec<(Range<usize>, String)>) -> String {
    edits.sort_by_key(|(range, _)| (range.start, range.end));
    let mut out = String::new();
    let mut at = 0;
    for (range, replacement) in edits {
        // One that begins inside another has nothing left to replace.
        let Some(between) = text.get(at..range.start) else { continue };
        out.push_str(between);
        out.push_str(&replacement);
        at = range.end;
    }
    out.push_str(&text[at..]);
    out
}

fn carry_out(known: &Known<'_>, page: &Page, directive: &Directive) -> Result<String, String> {
    match &directive.ask {
        Ask::Rule(id) => rule_link(known, page, id),
        Ask::Fact(fact, source) => {
            Ok(format!("<span class=\"fact\" title=\"{}\">{}</span>", escaped(source), escaped(fact)))
        }
        Ask::Number(file, key) => Results::read(known.workspace, file)?.number(key),
        Ask::Requirement(id) => requirement(known, page, directive, id),
        _ if !directive.alone => Err("give it a line of its own".to_owned()),
        Ask::Code(file, part) => included(known.workspace, file, part),
        Ask::Scenario(name) => scenario(known.workspace, name),
        Ask::Results(file) => Ok(Results::read(known.workspace, file)?.tables()),
        Ask::Matrix => matrix::tables(&Results::read(known.workspace, "matrix")?),
        Ask::Worlds => tables::worlds(known),
        Ask::Exhibits => tables::exhibits(known, page),
        Ask::Properties => tables::properties(known, page),
        Ask::Coverage => Ok(coverage::table(known, page)),
    }
}

/// Text as HTML has it.
pub fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

fn rule_head(rule: &Rule) -> String {
    let id = &rule.id;
    format!("<div class=\"rule\" id=\"r-{id}\">\n<a class=\"rule-id\" href=\"#r-{id}\">{id}</a>\n\n")
}

fn rule_links(known: &Known<'_>, page: &Page, rule: &Rule) -> String {
    let places = rules::places(&rule.id, known.survey);
    let places: Vec<_> = places.iter().map(|place| format!("<code>{}:{}</code>", place.file, place.line)).collect();
    let verifiers: Vec<_> =
        rules::verifiers(&rule.id, known.survey).into_iter().map(|by| verifier(known, page, by)).collect();
    let mut text = "\n\n<div class=\"rule-links\">".to_owned();
    for (what, links) in [("carried out in", places), ("verified by", verifiers)] {
        if !links.is_empty() {
            let _ = write!(text, "<div><span>{what}</span> {}</div>", links.join(", "));
        }
    }
    text + "</div>\n</div>\n"
}

/// What verifies a rule, as HTML.
pub fn verifier(known: &Known<'_>, page: &Page, by: &Verifier) -> String {
    match by {
        Verifier::Property(name) => {
            known.link(page, name, &format!("property-{name}"), |ask| matches!(ask, Ask::Properties))
        }
        // Long names may break between their words.
        Verifier::Test(name) => {
            format!("<code>{}</code>", escaped(name).replace('_', "_<wbr>").replace('/', "/<wbr>"))
        }
    }
}

fn rule_link(known: &Known<'_>, page: &Page, id: &str) -> Result<String, String> {
    let rule = known.rules.get(id).ok_or_else(|| format!("unknown: the book states no rule {id}"))?;
    Ok(format!("[`{id}`]({}#r-{id})", relative(&page.path, &known.pages[rule.page].path)))
}

/// The path from one page to another.
pub fn relative(from: &str, to: &str) -> String {
    "../".repeat(from.matches('/').count()) + to
}

/// A citation; the first of each requirement can be linked to.
fn requirement(known: &Known<'_>, page: &Page, here: &Directive, id: &str) -> Result<String, String> {
    let number = id.strip_prefix('R').filter(|digits| !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit()));
    number.ok_or_else(|| format!("`{id}` is no requirement such as R1"))?;
    let all =
        known.pages.iter().zip(known.directives).flat_map(|(page, asked)| asked.iter().map(move |ask| (page, ask)));
    let first = all.into_iter().find(|(_, directive)| directive.ask == here.ask);
    let is_first = first.is_some_and(|(first, directive)| first.path == page.path && directive.range == here.range);
    let anchor = if is_first { format!(" id=\"requirement-{id}\"") } else { String::new() };
    Ok(format!("<span class=\"requirement\"{anchor} title=\"answers requirement {id}\">{id}</span>"))
}

fn included(workspace: &Workspace, file: &str, part: &Part) -> Result<String, String> {
    let text = workspace.read(file)?;
    let Excerpt { line, text } = code::excerpt(&text, part).map_err(|what| format!("{file} {what}"))?;
    let language = file.rsplit_once('.').map_or("text", |(_, extension)| match extension {
        "rs" => "rust",
        "scenario" => "text",
        other => other,
    });
    Ok(format!("<div class=\"code-from\">{file}:{line}</div>\n\n```{language}\n{text}\n```\n"))
}

fn scenario(workspace: &Workspace, name: &str) -> Result<String, String> {
    let file = format!("scenarios/{name}.scenario");
    let text = workspace.read(&file)?;
    let drawn = diagram::drawn(name, &text).map_err(|what| format!("{file}{what}"))?;
    Ok(format!(
        "{drawn}\n\n<details class=\"scenario-text\"><summary>The same as text: <code>{file}</code></summary>\n\n```text\n{}\n```\n\n</details>\n",
        text.trim_end()
    ))
}
