//! `--filter` and `--list` of `highwater-conform`. No cluster takes part: nobody is asked.

use std::fs;
use std::process::Command;

/// The exit status, standard output, and standard error.
fn conform(arguments: &[&str]) -> (Option<i32>, String, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_highwater-conform")).args(arguments).output().unwrap();
    let [said, complained] = [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).unwrap());
    (output.status.code(), said, complained)
}

const CLUSTER: [&str; 2] = ["--bootstrap-server", "127.0.0.1:1"];
const CLUSTERS: [&str; 4] = ["--left", "127.0.0.1:1", "--right", "127.0.0.1:1"];

#[test]
fn a_filter_that_leaves_nothing_is_refused() {
    let cases: [(&str, &[&str], &str); 3] =
        [("clients", &CLUSTER, "case"), ("requests", &CLUSTER, "chapter"), ("compare", &CLUSTERS, "chapter")];
    for (command, clusters, what) in cases {
        let refusal = format!("error: no {what} has \"no-such\" in its name; --list names them all\n");
        let expected = (Some(2), String::new(), refusal);
        assert_eq!(conform(&[&[command, "--filter", "no-such"], clusters].concat()), expected);
        assert_eq!(conform(&[command, "--filter", "no-such", "--list"]), expected);
    }
}

#[test]
fn chapters_and_cases_are_listed_without_a_cluster() {
    for command in ["requests", "compare"] {
        let (status, all, _) = conform(&[command, "--list"]);
        assert_eq!(status, Some(0));
        assert!(all.lines().any(|name| name == "fetch") && all.lines().any(|name| name == "malformed"), "{all}");
        let (_, some, _) = conform(&[command, "--list", "--filter", "fetch"]);
        assert_eq!(some, "fetch\nfetch-sessions\n");
    }
    let (status, some, complained) = conform(&["clients", "--list", "--filter", "kcat"]);
    assert_eq!(status, Some(0), "{complained}");
    assert!(!some.is_empty() && some.lines().all(|name| name.starts_with("[kcat] ")), "{some}");
}

#[test]
fn recorded_answers_to_nothing_are_not_compared() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("answers.json");
    fs::write(&path, "[]").unwrap();
    let file = path.to_str().unwrap();
    let (status, said, complained) = conform(&["compare", "--left", file, "--right", file]);
    assert_eq!((status, said.as_str()), (Some(2), ""));
    assert_eq!(complained, format!("error: {file} holds no answers to what is asked\n"));
}
