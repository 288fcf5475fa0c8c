//! Numbers that commands have measured: `book/results/*.json`.
//!
//! Each file is an object whose `command` says what wrote it. A key is a path with dots; a step into an array names the
//! element whose `name` it is, or its place from 0.

use crate::render::escaped;
use crate::workspace::Workspace;
use serde_json::Value;
use std::fmt::Write;

/// Where the files are.
pub const FOLDER: &str = "book/results";

/// A results file.
pub struct Results {
    file: String,
    command: String,
    all: Value,
}

impl Results {
    /// Reads `book/results/NAME.json`.
    ///
    /// # Errors
    /// If it is not there, is no JSON object, or does not say which command wrote it.
    pub fn read(workspace: &Workspace, name: &str) -> Result<Self, String> {
        let file = format!("{FOLDER}/{name}.json");
        let text = workspace.read(&file)?;
        let all: Value = serde_json::from_str(&text).map_err(|error| format!("{file} is no JSON: {error}"))?;
        let command = all.get("command").and_then(Value::as_str).map(str::to_owned);
        let command = command.ok_or_else(|| format!("{file} does not say which `command` wrote it"))?;
        Ok(Self { file, command, all })
    }

    /// The value of a key.
    ///
    /// # Errors
    /// Names the part of the key that is not there, and what is.
    pub fn value(&self, key: &str) -> Result<&Value, String> {
        let mut value = &self.all;
        for part in key.split('.') {
            let found = match value {
                Value::Array(elements) => {
                    let named =
                        elements.iter().find(|element| element.get("name").and_then(Value::as_str) == Some(part));
                    named.or_else(|| elements.get(part.parse::<usize>().ok()?))
                }
                _ => value.get(part),
            };
            value = found.ok_or_else(|| {
                format!("{} has no `{part}` of {key}; there are {}", self.file, names(value).join(", "))
            })?;
        }
        Ok(value)
    }

    /// A number, as it is printed.
    ///
    /// # Errors
    /// If the key is unknown, or its value is no number.
    pub fn number(&self, key: &str) -> Result<String, String> {
        let Value::Number(number) = self.value(key)? else {
            return Err(format!("{key} of {} is no number", self.file));
        };
        let command = escaped(&self.command);
        Ok(format!("<span class=\"number-of\" title=\"measured by {command}\">{}</span>", printed(number)))
    }

    /// All of it as tables: what stands for itself, then each list.
    pub fn tables(&self) -> String {
        let mut out = self.caption();
        let Value::Object(fields) = &self.all else { return out };
        let single: Vec<_> = fields.iter().filter(|(name, _)| *name != "command").collect();
        let rows: Vec<_> =
            single.iter().filter_map(|(name, value)| Some(vec![(*name).clone(), cell(value)?])).collect();
        if !rows.is_empty() {
            out += &table(&[], &rows);
        }
        for (_, value) in single {
            if let Value::Array(elements) = value {
                out += &list(elements);
            }
        }
        out
    }

    /// The mutation matrix: one row for each decision that was broken, one column for each way to notice.
    ///
    /// # Errors
    /// If the file does not have the matrix's form.
    pub fn matrix(&self) -> Result<String, String> {
        const WAYS: [&str; 5] = ["checker", "property", "loom", "lockstep", "client"];
        let breaks = self.value("breaks")?.as_array().ok_or_else(|| format!("`breaks` of {} is no list", self.file))?;
        let mut head = vec!["break", "what is broken"];
        head.extend(WAYS);
        let mut rows = Vec::new();
        for broken in breaks {
            let text = |key: &str| broken.get(key).and_then(Value::as_str).map(escaped);
            let name = text("name").ok_or_else(|| format!("a break of {} has no `name`", self.file))?;
            let mut row = vec![format!("<code>{name}</code>"), text("what").unwrap_or_default()];
            row.extend(WAYS.map(|way| match broken.get("found").and_then(|found| found.get(way)) {
                Some(Value::String(how)) => format!("<span class=\"found\">✓</span> {}", escaped(how)),
                _ => "·".to_owned(),
            }));
            rows.push(row);
        }
        Ok(self.caption() + &table(&head, &rows))
    }

    fn caption(&self) -> String {
        format!("<p class=\"caption\">Written by <code>{}</code></p>\n", escaped(&self.command))
    }
}

fn names(value: &Value) -> Vec<String> {
    match value {
        Value::Object(fields) => fields.keys().cloned().collect(),
        Value::Array(elements) => {
            elements.iter().filter_map(|element| element.get("name")?.as_str().map(str::to_owned)).collect()
        }
        _ => Vec::new(),
    }
}

fn list(elements: &[Value]) -> String {
    let mut columns: Vec<&String> = Vec::new();
    for (name, value) in elements.iter().filter_map(Value::as_object).flatten() {
        if cell(value).is_some() && !columns.contains(&name) {
            columns.push(name);
        }
    }
    if columns.is_empty() {
        return String::new();
    }
    // `name` leads, whatever the order of the file.
    columns.sort_by_key(|name| *name != "name");
    let rows: Vec<Vec<_>> = elements
        .iter()
        .map(|element| columns.iter().map(|name| element.get(*name).and_then(cell).unwrap_or_default()).collect())
        .collect();
    let head: Vec<_> = columns.iter().map(|name| name.as_str()).collect();
    table(&head, &rows)
}

/// A value that stands for itself, as HTML.
fn cell(value: &Value) -> Option<String> {
    match value {
        Value::Number(number) => Some(printed(number)),
        Value::String(text) => Some(escaped(text)),
        Value::Bool(true) => Some("yes".to_owned()),
        Value::Bool(false) => Some("no".to_owned()),
        _ => None,
    }
}

/// A table of HTML cells, in a frame that scrolls.
pub fn table(head: &[&str], rows: &[Vec<String>]) -> String {
    let mut out = "<div class=\"wide\">\n<table>\n".to_owned();
    if !head.is_empty() {
        let cells: String = head.iter().map(|name| format!("<th>{}</th>", escaped(&name.replace('_', " ")))).collect();
        let _ = writeln!(out, "<thead><tr>{cells}</tr></thead>");
    }
    out += "<tbody>\n";
    for row in rows {
        let cells: String = row.iter().map(|cell| format!("<td>{cell}</td>")).collect();
        let _ = writeln!(out, "<tr>{cells}</tr>");
    }
    out + "</tbody>\n</table>\n</div>\n"
}

/// A number with thin spaces between thousands; of a fraction, three digits at least and two behind the point at most.
fn printed(number: &serde_json::Number) -> String {
    match (number.as_u64(), number.as_f64()) {
        (Some(whole), _) => grouped(whole),
        (None, Some(value)) if value.abs() >= 100.0 => grouped(value.round() as u64),
        (None, Some(value)) if value != 0.0 && value.abs() < 0.01 => format!("{value:.0e}"),
        (None, Some(value)) => format!("{value:.2}").trim_end_matches('0').trim_end_matches('.').to_owned(),
        (None, None) => number.to_string(),
    }
}

fn grouped(number: u64) -> String {
    const THIN: char = '\u{202f}';
    let digits = number.to_string();
    let mut out = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push(THIN);
        }
        out.push(digit);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn results() -> Results {
        let text = r#"{"command": "run", "models": [{"name": "acks", "states": 1234567, "seconds": 0.25}]}"#;
        let all = serde_json::from_str(text).expect("it is JSON");
        Results { file: "book/results/check.json".into(), command: "run".into(), all }
    }

    #[test]
    fn a_key_leads_through_names_to_a_number() {
        let number = results().number("models.acks.states").expect("it is there");
        assert_eq!(number, "<span class=\"number-of\" title=\"measured by run\">1\u{202f}234\u{202f}567</span>");
        assert!(results().number("models.0.seconds").is_ok_and(|number| number.contains(">0.25<")));
    }

    #[test]
    fn what_a_key_lacks_is_named() {
        let unknown = results().number("models.kill.states");
        assert_eq!(unknown, Err("book/results/check.json has no `kill` of models.kill.states; there are acks".into()));
        assert!(results().number("command").is_err());
    }
}
