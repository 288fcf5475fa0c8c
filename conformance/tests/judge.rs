//! `highwater-conform judge`, on files.

use std::fs;
use std::path::Path;
use std::process::Command;

const SENT: &str =
    r#"{"who":"w","began":1,"ended":2,"did":"sent","partition":["t",0],"value":"v","fate":{"acknowledged":0}}"#;
const READ: &str = r#"{"who":"a","began":3,"ended":4,"did":"polled","partition":["t",0],"offset":0,"value":"v"}"#;
const DRAINED: &str = r#"{"who":"a","began":3,"ended":4,"did":"drained","partition":["t",0],"end":0}"#;

/// The exit status, and what was said.
fn judged(dir: &Path, lines: &[&str]) -> (Option<i32>, String) {
    let file = dir.join("history.jsonl");
    fs::write(&file, lines.join("\n")).unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_highwater-conform")).arg("judge").arg(&file).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    (output.status.code(), said)
}

#[test]
fn the_exit_status_is_the_verdict() {
    let dir = tempfile::tempdir().unwrap();
    let (honest, said) = judged(dir.path(), &[SENT, READ]);
    assert_eq!(honest, Some(0), "{said}");
    assert!(said.contains("2 events") && said.contains("0 anomalies"), "{said}");
    let (lies, said) = judged(dir.path(), &[SENT, DRAINED]);
    assert_eq!(lies, Some(1), "{said}");
    assert!(said.contains("lost-write: v, acknowledged in t-0 at 0, was not delivered"), "{said}");
    let (none, said) = judged(dir.path(), &[SENT, "{}"]);
    assert_eq!(none, Some(2), "{said}");
    assert!(said.contains("line 2"), "{said}");
}

#[test]
fn a_history_of_nothing_is_none() {
    let dir = tempfile::tempdir().unwrap();
    for lines in [&[][..], &["", " "]] {
        let (status, said) = judged(dir.path(), lines);
        assert_eq!(status, Some(2), "{said}");
        assert!(said.contains("history.jsonl holds no events: there is nothing to judge"), "{said}");
    }
    let nowhere = dir.path().join("nowhere.jsonl");
    let output = Command::new(env!("CARGO_BIN_EXE_highwater-conform")).arg("judge").arg(&nowhere).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains(&format!("cannot read {}: ", nowhere.display())), "{said}");
}
