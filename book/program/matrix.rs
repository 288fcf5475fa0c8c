//! The mutation matrix: one row for each decision that was broken, one column for each way to notice.

use crate::render::escaped;
use crate::results::{Results, table};
use serde_json::Value;

const WAYS: [&str; 5] = ["checker", "property", "loom", "lockstep", "client"];

/// The matrix as HTML, a table for each part of the tree in which something was broken.
///
/// # Errors
/// If the results do not have the matrix's form.
pub fn tables(results: &Results) -> Result<String, String> {
    let breaks = results.value("breaks")?.as_array().ok_or("`breaks` is no list")?;
    let mut places: Vec<&str> = Vec::new();
    for place in breaks.iter().map(place) {
        if !places.contains(&place) {
            places.push(place);
        }
    }
    let mut out = results.caption();
    for part in places {
        let broken: Vec<_> = breaks.iter().filter(|broken| place(broken) == part).collect();
        let mut rows = broken.iter().map(|broken| row(broken)).collect::<Result<Vec<_>, _>>()?;
        rows.push(noticed(&broken));
        let first = if part.is_empty() { "what is broken".to_owned() } else { format!("what is broken in the {part}") };
        let head: Vec<_> = [first.as_str()].into_iter().chain(WAYS).collect();
        out += &format!("<div class=\"matrix\">{}</div>\n", table(&head, &rows));
    }
    Ok(out + "<p class=\"caption\">✓ notices it; – does not; empty: was not asked.</p>\n")
}

/// The part of the tree, if it is told.
fn place(broken: &Value) -> &str {
    match broken.get("place").and_then(Value::as_str) {
        Some("spec") => "specification",
        Some(place) => place,
        None => "",
    }
}

fn row(broken: &Value) -> Result<Vec<String>, String> {
    let text = |key: &str| broken.get(key).and_then(Value::as_str).map(escaped);
    let name = text("name").ok_or("a break has no `name`")?;
    let told = WAYS.iter().filter_map(|way| {
        let how = how(broken, way)?.as_str()?;
        Some(format!("<div class=\"aside\"><em>{way}</em> {}</div>", escaped(how).replace('_', "_<wbr>")))
    });
    let what = text("what").unwrap_or_default();
    let first = format!("<code>{name}</code><br>{what}{}", told.collect::<String>());
    let marks = WAYS.iter().map(|way| match how(broken, way) {
        Some(Value::String(_)) => "<span class=\"found\">✓</span>".to_owned(),
        Some(_) => "–".to_owned(),
        None => String::new(),
    });
    Ok([first].into_iter().chain(marks).collect())
}

/// What this way said: nothing if it was not asked, null if it did not notice.
fn how<'a>(broken: &'a Value, way: &str) -> Option<&'a Value> {
    broken.get("found")?.get(way)
}

/// How many of those that were asked noticed.
fn noticed(breaks: &[&Value]) -> Vec<String> {
    let counts = WAYS.iter().map(|way| {
        let asked: Vec<_> = breaks.iter().filter_map(|broken| how(broken, way)).collect();
        let found = asked.iter().filter(|how| how.is_string()).count();
        if asked.is_empty() { String::new() } else { format!("{found} of {}", asked.len()) }
    });
    ["<strong>noticed</strong>".to_owned()].into_iter().chain(counts).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_noticed_is_told_from_who_did_not_and_who_was_not_asked() {
        let text = r#"{"command": "matrix", "breaks": [
            {"name": "hw-falls", "what": "it falls", "place": "spec", "found": {"checker": "P-11", "loom": null}}
        ]}"#;
        let matrix = tables(&Results::of("book/results/matrix.json", text).expect("it is a results file"));
        let matrix = matrix.expect("it is a matrix");
        let row = "<code>hw-falls</code><br>it falls<div class=\"aside\"><em>checker</em> P-11</div></td>\
                   <td><span class=\"found\">✓</span></td><td></td><td>–</td><td></td><td></td></tr>";
        assert!(matrix.contains(row), "{matrix}");
        assert!(matrix.contains("<td>1 of 1</td><td></td><td>0 of 1</td>"), "{matrix}");
    }
}
