//! What people are told, and the exit status that programs get.

use std::path::Path;
use std::process::{Command, Output};

fn highwater_check(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_highwater-check")).args(args).output().expect("the binary runs")
}

fn told(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

#[track_caller]
fn says(args: &[&str], status: i32, wanted: &[&str]) {
    let output = highwater_check(args);
    let text = told(&output);
    assert_eq!(output.status.code(), Some(status), "{args:?}: {text}");
    wanted.iter().for_each(|wanted| assert!(text.contains(wanted), "{args:?} does not say {wanted:?}: {text}"));
}

#[test]
fn lists_worlds_and_exhibits() {
    says(&["list"], 0, &["three-brokers-kill", "brokers=3 records=2 kills=1", "kip-320", "breaks log-matching"]);
}

#[test]
fn an_exhibit_is_caught_and_its_twin_holds() {
    says(&["acks-1"], 0, &["caught in 5 steps", "holds", "2 passed, 0 failed"]);
    says(&["check", "kip-966"], 0, &["caught in 11 steps", "m1 was acknowledged and is in no log"]);
}

#[test]
fn a_world_that_breaks_tells_its_counterexample() {
    let args = ["three-brokers-isr", "--bounds", "records=1", "--rules", "V4_1"];
    says(&args, 1, &["BROKEN in", "0 passed, 1 failed", "breaks  quorum-superset", "> b1 learns metadata below"]);
    let text = told(&highwater_check(&args));
    let [story, table] = ["breaks  quorum-superset", "collision   the chance"].map(|part| text.find(part));
    assert!(story < table, "the story comes before what the table's columns mean: {text}");
}

#[test]
fn a_limit_is_not_a_pass() {
    says(&["three-brokers-kill", "--time-limit", "0"], 1, &["UNDECIDED: time limit", "states unexplored"]);
    if Path::new("/proc/self/statm").exists() {
        says(&["three-brokers-kill", "--memory-limit", "1"], 1, &["UNDECIDED: memory limit"]);
    }
}

#[test]
fn an_exhibit_that_is_not_caught_fails() {
    says(&["acks-1", "--bounds", "fences=0"], 1, &["NOT CAUGHT"]);
}

#[test]
fn measures_how_much_of_a_group_stops() {
    let output = highwater_check(&["stops", "--json"]);
    let parsed: serde_json::Value = serde_json::from_slice(&output.stdout).expect("it is JSON");
    let book = concat!(env!("CARGO_MANIFEST_DIR"), "/../book/results/stops.json");
    let book = std::fs::read_to_string(book).expect("the book has it");
    let update = "to update it: cargo run --release -- stops --json > book/results/stops.json";
    assert_eq!(parsed, serde_json::from_str::<serde_json::Value>(&book).expect("it is JSON"), "{update}");
}

#[test]
fn prints_json() {
    let output = highwater_check(&["kip-966", "--json"]);
    let parsed: serde_json::Value = serde_json::from_slice(&output.stdout).expect("it is JSON");
    assert_eq!(parsed["passed"], true);
    assert_eq!(parsed["results"][0]["properties"][0]["name"], "acknowledged-survives");
    assert!(parsed["results"][0]["properties"][0]["counterexample"].is_array());
    assert!(parsed["results"][1]["distinct"].as_u64() > Some(0));
}

#[test]
fn writes_a_counterexample_and_runs_it() {
    let folder = std::env::temp_dir().join(format!("highwater-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a temporary folder");
    let file = folder.join("loss.scenario");
    let name = file.to_str().expect("a readable path");
    says(&["unclean-election", "--scenario", name], 0, &["caught"]);
    says(&["run", name], 0, &["allows all of its 8 steps", "does not hold at its end"]);
    let text = std::fs::read_to_string(&file).expect("it was written");
    std::fs::write(&file, text.replace("at 0\n", "at 7\n")).expect("it can be changed");
    says(&["run", name], 1, &["line", "the specification says"]);
    says(&["run", name, "--rewrite"], 0, &["allows all"]);
    assert_eq!(std::fs::read_to_string(&file).expect("it was rewritten"), text);
    std::fs::remove_dir_all(&folder).expect("the folder can go");
}

#[test]
fn says_what_is_wrong_with_a_question() {
    says(&["three-brokers"], 2, &["no world is called \"three-brokers\"", "three-brokers-kill", "kip-320"]);
    says(&["acks", "--bounds", "kill=1"], 2, &["no bound is called \"kill\"", "kills"]);
    says(&["acks", "--bounds", "kills=10"], 2, &["more than the 9"]);
    says(&["acks", "--bounds", "kills"], 2, &["`kills` is not like `kills=2`"]);
    says(&["acks", "--rules", "V9"], 2, &["no rules are called \"V9\"", "V0_10"]);
    says(&["acks", "--rules", "KAFKA,elr=Maybe"], 2, &["elr can't be \"Maybe\"", "Off, On"]);
    says(&["run", "no-such-file"], 2, &["can't read no-such-file"]);
    says(&["--scenario", "x"], 2, &["<NAME>"]);
    says(&["controller-log", "--scenario", "/dev/null"], 0, &["1 passed", "there is no counterexample"]);
}
