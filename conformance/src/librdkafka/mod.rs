//! librdkafka's own integration tests, unmodified, against a cluster.
//!
//! They come with the crate `rdkafka-sys`, which Cargo fetches; they are built once, in the cache directory, by the
//! machine's C and C++ compilers. Which of them a cluster has to pass says [`list`]. Tests that need no broker, and those
//! that need a broken network, are none of a cluster's business. The suite takes topics to have four partitions, and Kafka's
//! own default for `min.insync.replicas`.

pub mod list;

use crate::command::{self, Ended};
use crate::programs::install::{InstallError, Program};
use libtest_mimic::{Arguments, Conclusion, Failed, Trial};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

/// The longest test takes a few minutes.
const PATIENCE: Duration = Duration::from_secs(900);
/// How much of what a test said is told when it fails.
const LAST_LINES: usize = 40;

const SUITE: Program = Program {
    name: "librdkafka-2.12.1",
    sources: &[
        (
            "Cargo.toml",
            "[package]\nname = \"librdkafka-tests\"\nversion = \"0.0.0\"\nedition = \"2021\"\n\n[lib]\npath = \"lib.rs\"\n\n\
             [dependencies]\nrdkafka-sys = \"=4.10.0\"\n\n[workspace]\n",
        ),
        ("lib.rs", "// Only what it depends on matters.\n"),
    ],
};

const BUILD: &str = "cd vendor/rdkafka-sys/librdkafka \
    && chmod +x configure lds-gen.py \
    && ./configure --disable-ssl --disable-gssapi --disable-curl --disable-zstd \
    && make -j2 -C src && make -j2 -C src-cpp && make -j2 -C tests build";

/// The suite, ready to run: the directory of its tests.
///
/// # Errors
/// When it can't be fetched or built.
pub fn install() -> Result<PathBuf, InstallError> {
    let dir = SUITE.install(|_| {
        let mut vendor = Command::new("cargo");
        vendor.args(["vendor", "--quiet", "vendor"]);
        let mut build = Command::new("sh");
        build.args(["-c", BUILD]);
        vec![vendor, build]
    })?;
    Ok(dir.join("vendor/rdkafka-sys/librdkafka/tests"))
}

/// Runs the tests that the list asks for, as far as `arguments` choose them, and reports as `cargo test` does. With
/// `all`, also those that the list leaves out.
pub fn run(arguments: &Arguments, tests: &Path, bootstrap: &str, all: bool) -> Conclusion {
    let mut entries = list::committed();
    if all {
        entries.iter_mut().for_each(|entry| entry.left_out = None);
    }
    let left_out = entries.iter().filter_map(|entry| Some((&entry.name, entry.left_out.as_ref()?)));
    left_out.for_each(|(name, reason)| eprintln!("{name} is left out: {reason}"));
    let tests: Arc<Path> = tests.into();
    let bootstrap: Arc<str> = bootstrap.into();
    let trial = |(number, names): (String, Vec<String>)| {
        let (tests, bootstrap) = (Arc::clone(&tests), Arc::clone(&bootstrap));
        Trial::test(names.join(" "), move || play(&tests, &bootstrap, &number, &names))
    };
    libtest_mimic::run(arguments, list::asked_for(&entries).into_iter().map(trial).collect())
}

/// One process for the tests of one number.
fn play(tests: &Path, bootstrap: &str, number: &str, names: &[String]) -> Result<(), Failed> {
    let settings = tempfile::Builder::new().prefix("highwater-librdkafka-").suffix(".conf").tempfile()?;
    std::fs::write(settings.path(), format!("bootstrap.servers={bootstrap}\ntest.topic.random=true\n"))?;
    let mut runner = Command::new(tests.join("test-runner"));
    // One at a time, without tests that need no broker, without a network that is broken on purpose.
    runner.args(["-p1", "-L", "-E"]).current_dir(tests);
    let libraries = format!("{0}/../src:{0}/../src-cpp", tests.display());
    runner.env("TESTS", number).env("RDKAFKA_TEST_CONF", settings.path()).env("LD_LIBRARY_PATH", libraries);
    let ended = command::run(&mut runner, b"", PATIENCE)?;
    let passed = |name: &&String| !has_passed(&ended, name);
    let failed: Vec<_> = names.iter().filter(passed).map(String::as_str).collect();
    if failed.is_empty() {
        return Ok(());
    }
    let said = format!("{}{}", ended.stdout, ended.stderr);
    let lines: Vec<_> = said.lines().collect();
    let last = lines[lines.len().saturating_sub(LAST_LINES)..].join("\n");
    Err(format!("not passed: {}\n{last}", failed.join(", ")).into())
}

/// Whether the summary says so: a test that was skipped has not passed.
fn has_passed(ended: &Ended, name: &str) -> bool {
    let columns = |line: &str| -> Vec<String> { line.split('|').map(|column| plain(column.trim())).collect() };
    let said = ended.stdout.lines().chain(ended.stderr.lines()).map(columns);
    said.filter(|columns| columns.len() > 2 && columns[1] == name).any(|columns| columns[2].starts_with("PASSED"))
}

/// Without the terminal's colours.
fn plain(text: &str) -> String {
    let mut parts = text.split('\u{1b}');
    let first = parts.next().unwrap_or_default().to_owned();
    let rest = parts.map(|part| part.split_once('m').map_or("", |(_, rest)| rest));
    (first + &rest.collect::<String>()).trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_skipped_has_not_passed() {
        let line = |state: &str| format!("\u{1b}[0m| 0012_produce_consume | \u{1b}[32m{state}\u{1b}[0m | 1.0s |\n");
        let ended = |state| Ended { success: true, stdout: line(state), stderr: String::new() };
        assert!(has_passed(&ended("PASSED"), "0012_produce_consume"));
        assert!(!has_passed(&ended("SKIPPED"), "0012_produce_consume"));
        assert!(!has_passed(&ended("PASSED"), "0012_produce"));
    }
}
