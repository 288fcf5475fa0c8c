//! A tree as lines for people, and as paths with values for comparing.

use super::error_names;
use super::tree::Tree;
use std::cmp::Ordering;
use std::fmt::Write as _;

/// The lines that show a tree: a structure's plain values on one line, what has parts of its own below it.
pub fn lines(tree: &Tree) -> Vec<String> {
    let mut out = Vec::new();
    show(tree, 0, &mut out);
    out
}

fn show(tree: &Tree, depth: usize, out: &mut Vec<String>) {
    let indent = "  ".repeat(depth);
    let Tree::Struct(fields) = tree else {
        out.push(format!("{indent}{}", plain(tree).unwrap_or_default()));
        return;
    };
    let mut line = indent.clone();
    for (name, value) in fields {
        if let Some(text) = plain(value) {
            let space = if line.len() > indent.len() { " " } else { "" };
            let _ = write!(line, "{space}{name}={text}{}", meaning(name, value));
        }
    }
    out.push(line);
    for (name, value) in fields.iter().filter(|(_, value)| plain(value).is_none()) {
        out.push(format!("{indent}  {name}:"));
        match value {
            Tree::List(values) => values.iter().for_each(|value| show(value, depth + 2, out)),
            _ => show(value, depth + 2, out),
        }
    }
}

/// A value that fits into a line; none if it has structures inside.
fn plain(tree: &Tree) -> Option<String> {
    Some(match tree {
        Tree::Null => "null".to_owned(),
        Tree::Bool(value) => value.to_string(),
        Tree::Int(value) => value.to_string(),
        Tree::Float(value) => value.to_string(),
        Tree::Text(text) if text.starts_with('<') => text.clone(),
        Tree::Text(text) => format!("{text:?}"),
        Tree::Id(id) => format!("<id {}>", hex(id)),
        Tree::Bytes(bytes) if bytes.len() > 100 => format!("<{} bytes>", bytes.len()),
        Tree::Bytes(bytes) => format!("<{}>", hex(bytes)),
        Tree::List(values) if values.iter().any(Tree::is_struct) => return None,
        Tree::List(values) => {
            format!("[{}]", values.iter().filter_map(plain).collect::<Vec<_>>().join(", "))
        }
        Tree::Struct(_) => return None,
    })
}

/// The name of an error, where a value is one.
fn meaning(field: &str, value: &Tree) -> String {
    match value {
        Tree::Int(code) if *code != 0 && field.ends_with("error_code") => {
            error_names::name(*code).map(|name| format!(" {name}")).unwrap_or_default()
        }
        _ => String::new(),
    }
}

/// Bytes as hexadecimal digits.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Which fields say of which thing an element of a list tells.
const KEYS: [&str; 12] = [
    "api_key",
    "name",
    "topic",
    "topic_name",
    "topic_id",
    "resource_name",
    "partition_index",
    "partition",
    "index",
    "node_id",
    "broker_id",
    "base_offset",
];

/// The value of a path that leads to an element with parts of its own.
pub const PRESENT: &str = "present";

/// Each plain value with the path to it, such as `topics[a].partitions[0].leader_epoch`; and each element.
pub fn paths(tree: &Tree) -> Vec<(String, String)> {
    let mut out = Vec::new();
    walk(tree, String::new(), &mut out);
    out
}

fn walk(tree: &Tree, path: String, out: &mut Vec<(String, String)>) {
    match tree {
        Tree::Struct(fields) => {
            for (name, value) in fields {
                let dot = if path.is_empty() { "" } else { "." };
                let text = format!("{path}{dot}{name}");
                walk(value, text, out);
            }
        }
        Tree::List(values) if values.iter().any(Tree::is_struct) => {
            let mut seen = Vec::new();
            for value in values {
                let key = key(value);
                let times = seen.iter().filter(|other| **other == key).count();
                let again = if times == 0 { String::new() } else { format!("#{}", times + 1) };
                let path = format!("{path}[{key}{again}]");
                out.push((path.clone(), PRESENT.to_owned()));
                walk(value, path, out);
                seen.push(key);
            }
        }
        _ => out.push((path, plain(tree).unwrap_or_default())),
    }
}

/// In which order elements are told when their own order means nothing.
pub fn order(left: &Tree, right: &Tree) -> Ordering {
    let number = |tree: &Tree| KEYS.iter().find_map(|key| tree.int(key));
    let by_number = number(left).cmp(&number(right));
    by_number.then_with(|| key(left).cmp(&key(right))).then_with(|| paths(left).cmp(&paths(right)))
}

fn key(value: &Tree) -> String {
    let named = KEYS.iter().filter_map(|key| value.field(key)).find(|value| **value != Tree::Null);
    match named {
        Some(Tree::Text(text)) => text.clone(),
        Some(value) => plain(value).unwrap_or_default(),
        None => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree() -> Tree {
        let partition = |index| Tree::Struct(vec![("partition_index", Tree::Int(index)), ("error_code", Tree::Int(3))]);
        let partitions = Tree::List(vec![partition(0), partition(0)]);
        let topic = Tree::Struct(vec![("name", Tree::Text("a".to_owned())), ("partitions", partitions)]);
        Tree::Struct(vec![("topics", Tree::List(vec![topic])), ("throttle_time_ms", Tree::Int(0))])
    }

    #[test]
    fn lines_nest() {
        let expected = [
            "throttle_time_ms=0",
            "  topics:",
            "    name=\"a\"",
            "      partitions:",
            "        partition_index=0 error_code=3 UNKNOWN_TOPIC_OR_PARTITION",
            "        partition_index=0 error_code=3 UNKNOWN_TOPIC_OR_PARTITION",
        ];
        assert_eq!(lines(&tree()), expected);
    }

    #[test]
    fn paths_name_elements_and_count_those_of_one_name() {
        let paths = paths(&tree()).into_iter().map(|(path, _)| path).collect::<Vec<_>>();
        assert!(paths.contains(&"topics[a].partitions[0].error_code".to_owned()), "{paths:?}");
        assert!(paths.contains(&"topics[a].partitions[0#2].error_code".to_owned()), "{paths:?}");
    }
}
