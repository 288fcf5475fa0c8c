//! What `highwater-conform apache-kafka` says where something is missing. No Java is needed for that.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Output};

/// Runs the command with nothing on the path but what lies in `programs`.
fn conform(dir: &Path, programs: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_highwater-conform"));
    command.args(["--cache-dir"]).arg(dir.join("cache")).arg("apache-kafka").args(arguments);
    command.env("PATH", programs).env_remove("JAVA_HOME").output().unwrap()
}

/// A program that says which Java it is.
fn pretend_java(programs: &Path, version: &str) {
    let path = programs.join("java");
    fs::write(&path, format!("#!/bin/sh\necho 'openjdk version \"{version}\"' >&2\n")).unwrap();
    fs::set_permissions(&path, Permissions::from_mode(0o755)).unwrap();
}

fn refusal(dir: &Path, programs: &Path) -> String {
    let output = conform(dir, programs, &["up"]);
    assert_eq!(output.status.code(), Some(2));
    String::from_utf8(output.stderr).unwrap()
}

/// One test, not several: a program just written can't be run while another thread starts a process.
#[test]
fn what_is_missing_is_named_with_the_command_that_installs_it() {
    let dir = tempfile::tempdir().unwrap();
    let programs = dir.path().join("programs");
    fs::create_dir(&programs).unwrap();
    let status = conform(dir.path(), &programs, &["status"]);
    assert_eq!(status.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&status.stdout).contains("no cluster"));
    assert_eq!(conform(dir.path(), &programs, &["down"]).status.code(), Some(0));
    let without_java = refusal(dir.path(), &programs);
    assert!(without_java.contains("Java") && without_java.contains("apt-get install openjdk-17"), "{without_java}");
    pretend_java(&programs, "11.0.1");
    let with_old_java = refusal(dir.path(), &programs);
    assert!(with_old_java.contains("Java 17 or later") && with_old_java.contains("11.0.1"), "{with_old_java}");
    pretend_java(&programs, "21.0.1");
    let without_maven = refusal(dir.path(), &programs);
    assert!(without_maven.contains("apt-get install maven"), "{without_maven}");
}
