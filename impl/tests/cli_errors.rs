//! What the program says when it can't do what it is asked, and its exit status. No cluster takes part.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::{env, fs};
use tokio::net::TcpSocket;

/// The program, with none of its own variables in the environment and nothing on standard input.
fn program(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_highwater"));
    let ours = env::vars_os().map(|(name, _)| name).filter(|name| name.to_string_lossy().starts_with("HIGHWATER_"));
    ours.for_each(|name| {
        command.env_remove(name);
    });
    command.args(arguments).env_remove("RUST_LOG").env("NO_COLOR", "1").stdin(Stdio::null());
    command
}

/// Standard error of a command that fails with `status` and has no result.
fn refusal(status: i32, output: Output) -> String {
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(status), "{text}");
    assert_eq!(String::from_utf8_lossy(&output.stdout), "");
    text
}

fn refused(arguments: &[&str]) -> String {
    refusal(1, program(arguments).output().unwrap())
}

/// A properties file, and the directory that goes away with it.
fn file(text: &str) -> (tempfile::TempDir, PathBuf) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("server.properties");
    fs::write(&path, text).unwrap();
    (directory, path)
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

#[test]
fn a_node_that_lacks_a_setting_says_how_to_set_it() {
    assert_eq!(
        refused(&["serve"]),
        "highwater: node.id is not set: set it in the properties file (node.id=…), as HIGHWATER_NODE_ID or with --set \
         node.id=…\n"
    );
}

#[test]
fn the_source_that_wins_is_the_one_that_is_blamed() {
    let (_directory, path) = file("num.partitions=a\nnode.id=1\nprocess.roles=broker\n");
    let serve = ["serve", text(&path)];
    let by_file = refused(&serve);
    assert!(
        by_file.contains("server.properties:1: num.partitions=a is not valid; allowed: a whole number"),
        "{by_file}"
    );
    let output = program(&serve).env("HIGHWATER_NUM_PARTITIONS", "b").output().unwrap();
    let by_variable = refusal(1, output);
    assert!(by_variable.contains("environment variable HIGHWATER_NUM_PARTITIONS: num.partitions=b"), "{by_variable}");
    let output = program(&serve).env("HIGHWATER_NUM_PARTITIONS", "b").args(["--set", "num.partitions=c"]).output();
    let by_flag = refusal(1, output.unwrap());
    assert!(by_flag.contains("command line: num.partitions=c"), "{by_flag}");
}

#[test]
fn unknown_settings_are_warned_of_in_a_file_and_refused_as_flags() {
    let (_directory, path) = file("log.retention.hours=1\n");
    let said = refused(&["serve", text(&path)]);
    assert!(said.contains("WARN"), "{said}");
    assert!(said.contains("server.properties:1: log.retention.hours is not a setting that Highwater knows; ignored"));
    let said = refused(&["serve", "--set", "node.idd=1"]);
    assert!(said.contains("--set node.idd=…: there is no such setting; `highwater serve --help` lists them"), "{said}");
}

#[test]
fn a_file_that_is_not_there_is_named() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("nowhere.properties");
    let said = refused(&["serve", text(&path)]);
    assert!(said.contains(&format!("cannot read the properties file {}: ", path.display())), "{said}");
}

#[test]
fn a_port_that_is_taken_is_named() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let (directory, path) = file(&format!(
        "node.id=1\nprocess.roles=controller\nlisteners=CONTROLLER://127.0.0.1:{port}\n\
         controller.quorum.voters=1@127.0.0.1:{port}\n"
    ));
    let said = refused(&["serve", text(&path), "--set", &format!("log.dirs={}", directory.path().display())]);
    assert!(said.contains(&format!("can't listen at 127.0.0.1:{port}")), "{said}");
    assert!(said.contains("is another process using the port?"), "{said}");
}

#[test]
fn help_lists_every_setting() {
    let output = program(&["serve", "--help"]).output().unwrap();
    let help = String::from_utf8_lossy(&output.stdout);
    for key in highwater::config::keys() {
        assert!(help.contains(&format!("  {} (", key.name)), "{}", key.name);
    }
}

#[test]
fn a_server_that_is_not_there_is_named_and_not_waited_for() {
    // Bound, but not listening: nobody else can get the port, and nobody answers at it.
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let address = socket.local_addr().unwrap().to_string();
    let commands: [&[&str]; 11] = [
        &["group", "list"],
        &["group", "describe"],
        &["group", "delete", "--group", "g"],
        &["group", "reset-offsets", "--group", "g", "--topic", "t", "--to", "latest"],
        &["topic", "list"],
        &["topic", "create", "--topic", "t"],
        &["topic", "describe"],
        &["topic", "delete", "--topic", "t"],
        &["produce", "--topic", "t"],
        &["consume", "--topic", "t"],
        &["status"],
    ];
    for command in commands {
        let output =
            program(command).args(["--bootstrap-server", &address, "--timeout", "4294967295"]).output().unwrap();
        let expected = format!("highwater: cannot reach {address}: connection refused; is a broker running there?\n");
        assert_eq!(refusal(1, output), expected, "{command:?}");
    }
}

#[test]
fn a_command_line_that_makes_no_sense_is_not_carried_out() {
    let commands: [&[&str]; 11] = [
        &["nonsense"],
        &["group", "delete"],
        &["group", "reset-offsets", "--group", "g", "--topic", "t"],
        &["consume", "--topic", "t", "--group", "g", "--until-end"],
        &["topic", "create"],
        &["topic", "create", "--topic", "t", "--partitions", "0"],
        &["consume", "--topic", "t", "--from", "latest"],
        &["consume", "--topic", "t", "--format", "%x"],
        &["consume", "--topic", "t", "--count", "1", "--until-end"],
        &["produce", "--topic", "t", "--acks", "2"],
        &["status", "--bootstrap-server", "localhost"],
    ];
    for command in commands {
        let said = refusal(2, program(command).output().unwrap());
        assert!(said.starts_with("error: "), "{command:?}: {said}");
    }
}

#[test]
fn a_cluster_that_cannot_work_does_not_start() {
    let said = refused(&["cluster", "--set", "min.insync.replicas=0"]);
    assert!(said.contains("min.insync.replicas=0 is not valid"), "{said}");
    let said = refused(&["cluster", "--base-port", "65535"]);
    assert!(said.contains("--base-port 65535 leaves no room for 3 brokers and a controller"), "{said}");
    let (_directory, path) = file("");
    let said = refused(&["cluster", "--dir", text(&path)]);
    assert!(said.contains(&format!("cannot use --dir {}", path.display())), "{said}");
}
