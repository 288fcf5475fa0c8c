//! A page with its directives carried out: Markdown in, Markdown with HTML out.

use crate::code::{self, Excerpt};
use crate::complaint::Complaint;
use crate::diagram;
use crate::directive::{self, Ask, Directive, Part};
use crate::page::Page;
use crate::rules::{self, Rule, Rules};
use crate::survey::{Survey, Verifier};
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
}

/// The page at `index`, and what is wrong with it.
pub fn page(known: &Known<'_>, index: usize, complaints: &mut Vec<Complaint>) -> String {
    let page = &known.pages[index];
    let mut edits = Vec::new();
    for rule in known.rules.values().filter(|rule| rule.page == index) {
        edits.push((rule.mark.clone(), rule_head(rule)));
        edits.push((rule.body.end..rule.body.end, rule_links(known, rule)));
    }
    for directive in directive::read(page, complaints) {
        let text = carry_out(known, page, &directive).unwrap_or_else(|what| {
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
        out.push_str(&text[at..range.start]);
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
        Ask::Requirement(id) => requirement(id),
        Ask::Code(..) | Ask::Scenario(_) if !directive.alone => Err("give it a line of its own".to_owned()),
        Ask::Code(file, part) => included(known.workspace, file, part),
        Ask::Scenario(name) => scenario(known.workspace, name),
        _ => Err("not yet".to_owned()),
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

fn rule_links(known: &Known<'_>, rule: &Rule) -> String {
    let places = rules::places(&rule.id, known.survey);
    let places: Vec<_> = places.iter().map(|place| format!("<code>{}:{}</code>", place.file, place.line)).collect();
    let verifiers: Vec<_> = rules::verifiers(&rule.id, known.survey).into_iter().map(verifier).collect();
    let mut text = "\n\n<div class=\"rule-links\">".to_owned();
    for (what, links) in [("carried out in", places), ("verified by", verifiers)] {
        if !links.is_empty() {
            let _ = write!(text, "<div><span>{what}</span> {}</div>", links.join(", "));
        }
    }
    text + "</div>\n</div>\n"
}

fn verifier(by: &Verifier) -> String {
    match by {
        Verifier::Property(name) => format!("property {name}"),
        Verifier::Test(name) => format!("<code>{}</code>", escaped(name)),
    }
}

fn rule_link(known: &Known<'_>, page: &Page, id: &str) -> Result<String, String> {
    let rule = known.rules.get(id).ok_or_else(|| format!("unknown: the book states no rule {id}"))?;
    Ok(format!("[`{id}`]({}#r-{id})", relative(&page.path, &known.pages[rule.page].path)))
}

/// The path from one page to another.
fn relative(from: &str, to: &str) -> String {
    let up = from.matches('/').count();
    "../".repeat(up) + to
}

fn requirement(id: &str) -> Result<String, String> {
    let number = id.strip_prefix('R').filter(|digits| !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit()));
    number.ok_or_else(|| format!("`{id}` is no requirement such as R1"))?;
    Ok(format!("<span class=\"requirement\" title=\"answers requirement {id}\">{id}</span>"))
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
