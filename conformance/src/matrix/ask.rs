//! How each method is asked: which commands are run on the copy, and what their output means.

use super::interrupt::Interrupt;
use super::job::{self, End, Ended};
use super::told;
use super::tree::Tree;
use super::{Break, MatrixError, Method, Place, Verdict};
use std::env;
use std::ffi::OsString;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

/// Nothing that is built here takes so long.
const BUILDING: Duration = Duration::from_secs(1800);
/// How long tests may take before they count as endless. Those on a sound tree need a tenth of it.
const TESTING: Duration = Duration::from_secs(600);
/// How long the checker may take: it has limits of its own.
const CHECKING: Duration = Duration::from_secs(3600);
/// Of each of its searches.
const SEARCH_SECONDS: &str = "600";

/// The broker's tests that need no client that others wrote: those of a node, …
const NODE_TESTS: &str = "node";
/// … and those of the layers that nodes stand on.
const LAYER_TESTS: [&str; 3] = ["records_*", "storage", "wire_*"];
/// What stands on the layers: their tests do not run it.
const ABOVE: [&str; 4] = ["impl/src/cells/", "impl/src/client/", "impl/src/door/", "impl/src/node/"];
const PROOFS: &str = "cells::proof";
/// Every scenario of the museum, then a sample of the walks.
const LOCKSTEP: &[&[&str]] = &[&["lockstep", "--fail-fast"], &["walks", "--sample", "1500", "--fail-fast"]];
/// The programs of this suite.
const CONFORM: &[&str] = &["-p", "highwater-conformance", "--bins"];

/// Each break is built once and run once: building fast matters more than running fast. With one set of options for all
/// profiles of tests, what they share is built once.
const FAST_TO_BUILD: [(&str, &str); 6] = [
    ("CARGO_PROFILE_DEV_DEBUG", "0"),
    ("CARGO_PROFILE_DEV_OPT_LEVEL", "1"),
    ("CARGO_PROFILE_RELEASE_DEBUG", "0"),
    ("CARGO_PROFILE_RELEASE_LTO", "off"),
    ("CARGO_PROFILE_RELEASE_INCREMENTAL", "true"),
    ("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "16"),
];

/// A copy of the tree, and how to ask about it.
#[derive(Debug)]
pub(super) struct Asking {
    tree: Tree,
    interrupt: Interrupt,
    cargo: OsString,
}

impl Asking {
    /// About a copy of the tree at `root`, built in `target`.
    pub(super) fn on_copy_of(root: &Path, target: Option<&Path>) -> Result<Self, MatrixError> {
        let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        Ok(Self { interrupt: Interrupt::watched()?, tree: Tree::copy(root, target)?, cargo })
    }

    /// The copy.
    pub(super) fn tree(&self) -> &Tree {
        &self.tree
    }

    /// Asks about the tree as it is.
    pub(super) fn control(&self, method: Method) -> Result<(), MatrixError> {
        match self.about(method, None)? {
            Verdict::Unnoticed => Ok(()),
            Verdict::Noticed(reason) | Verdict::Undecided(reason) => Err(MatrixError::Control { method, reason }),
        }
    }

    /// Asks about the tree as it is broken now.
    pub(super) fn about(&self, method: Method, broken: Option<&Break>) -> Result<Verdict, MatrixError> {
        match method {
            Method::Checker => self.checker(),
            Method::Property => self.property(broken),
            Method::Loom => self.tests(&["-p", "highwater", "--lib"], &[PROOFS]),
            Method::Lockstep => self.lockstep(),
            Method::Client => self.client(),
        }
    }

    fn checker(&self) -> Result<Verdict, MatrixError> {
        if let Some(unbuilt) = self.build(&["--release", "-p", "highwater-checker"])? {
            return Ok(unbuilt);
        }
        let mut check = self.built("release/highwater-check");
        check.args(["check", "--fail-fast", "--json", "--time-limit", SEARCH_SECONDS]);
        let ended = self.run(&mut check, CHECKING)?;
        Ok(match ended.end {
            End::Success => Verdict::Unnoticed,
            End::Failure => told::by_checker(&ended.text),
            End::Late => Verdict::Undecided("the checker has not ended".to_owned()),
        })
    }

    fn property(&self, broken: Option<&Break>) -> Result<Verdict, MatrixError> {
        // The specification knows nothing of its shells. They are asked where its own tests have noticed nothing.
        if broken.is_none_or(|broken| broken.place() == Place::Spec) {
            match self.tests(&["-p", "highwater-spec", "--tests"], &[])? {
                Verdict::Unnoticed => {}
                verdict => return Ok(verdict),
            }
        }
        let is_above = broken.is_some_and(|broken| ABOVE.iter().any(|folder| broken.file.starts_with(folder)));
        let layers = LAYER_TESTS.iter().filter(|_| !is_above);
        let mut shell = vec!["-p", "highwater", "--lib"];
        shell.extend([&NODE_TESTS].into_iter().chain(layers).flat_map(|name| ["--test", name]));
        self.tests(&shell, &["--skip", PROOFS])
    }

    /// Walks are asked, some of them, where the museum's scenarios have noticed nothing.
    fn lockstep(&self) -> Result<Verdict, MatrixError> {
        if let Some(unbuilt) = self.build(CONFORM)? {
            return Ok(unbuilt);
        }
        for question in LOCKSTEP {
            let ended = self.run(self.built("debug/highwater-conform").args(*question), TESTING)?;
            match ended.end {
                End::Success => {}
                End::Failure => return Ok(Verdict::Noticed(told::by_lockstep(&ended.text))),
                End::Late => return Ok(Verdict::Noticed("it does not end".to_owned())),
            }
        }
        Ok(Verdict::Unnoticed)
    }

    /// Failures, which take minutes, are asked where clients have noticed nothing.
    fn client(&self) -> Result<Verdict, MatrixError> {
        const CLIENTS: &[&str] = &["-p", "highwater-conformance", "--test", "clients"];
        const FAILURES: &[&str] = &["-p", "highwater-conformance", "--test", "failures"];
        if let Some(unbuilt) = self.build(&["-p", "highwater", "--bin", "highwater"])? {
            return Ok(unbuilt);
        }
        if let Some(unbuilt) = self.build_tests(&[CLIENTS, &FAILURES[2..]].concat())? {
            return Ok(unbuilt);
        }
        match self.run_tests(CLIENTS, &[])? {
            Verdict::Unnoticed => self.run_tests(FAILURES, &[]),
            verdict => Ok(verdict),
        }
    }

    /// What these tests say: `which` chooses programs, `filter` tests.
    fn tests(&self, which: &[&str], filter: &[&str]) -> Result<Verdict, MatrixError> {
        match self.build_tests(which)? {
            Some(unbuilt) => Ok(unbuilt),
            None => self.run_tests(which, filter),
        }
    }

    fn run_tests(&self, which: &[&str], filter: &[&str]) -> Result<Verdict, MatrixError> {
        let mut test = self.command(&self.cargo);
        test.args(["test", "--no-fail-fast"]).args(which).arg("--").args(filter);
        let ended = self.run(&mut test, TESTING)?;
        Ok(match ended.end {
            End::Success => Verdict::Unnoticed,
            End::Failure => Verdict::Noticed(told::by_tests(&ended.text)),
            End::Late => Verdict::Noticed(told::by_endless_tests(&ended.text)),
        })
    }

    /// Builds tests; what came of it if nothing did.
    fn build_tests(&self, which: &[&str]) -> Result<Option<Verdict>, MatrixError> {
        self.cargo(&[&["test", "--no-run"], which].concat())
    }

    /// Builds programs; what came of it if nothing did.
    fn build(&self, which: &[&str]) -> Result<Option<Verdict>, MatrixError> {
        self.cargo(&[&["build"], which].concat())
    }

    fn cargo(&self, arguments: &[&str]) -> Result<Option<Verdict>, MatrixError> {
        let built = self.run(self.command(&self.cargo).args(arguments).arg("--quiet"), BUILDING)?;
        Ok((built.end != End::Success)
            .then(|| Verdict::Undecided(format!("it does not compile: {}", told::compile_error(&built.text)))))
    }

    /// A program of the copy.
    fn built(&self, program: &str) -> Command {
        self.command(self.tree.target().join(program).as_os_str())
    }

    fn command(&self, program: &std::ffi::OsStr) -> Command {
        let mut command = Command::new(program);
        command.current_dir(self.tree.path()).envs(FAST_TO_BUILD);
        command.env("CARGO_TARGET_DIR", self.tree.target()).env("TMPDIR", self.tree.temporary());
        // Of the cluster and the programs that the user has chosen, none is the copy's.
        for name in ["HIGHWATER_BOOTSTRAP", "HIGHWATER_BINARY", "RUST_LOG"] {
            command.env_remove(name);
        }
        command
    }

    fn run(&self, command: &mut Command, limit: Duration) -> Result<Ended, MatrixError> {
        job::run(command, &self.tree.temporary().join("output"), limit, &self.interrupt)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn the_tests_that_are_asked_are_there() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../impl/tests");
        let entries = fs::read_dir(&folder).expect("the broker's tests").map(|entry| entry.expect("an entry").path());
        let is_program = |path: &Path| path.is_file() || path.join("main.rs").is_file();
        let programs: Vec<_> = entries
            .filter(|path| is_program(path))
            .filter_map(|path| Some(path.file_stem()?.to_str()?.to_owned()))
            .collect();
        for asked in [NODE_TESTS].into_iter().chain(LAYER_TESTS) {
            let is_asked = |program: &String| match asked.strip_suffix('*') {
                Some(prefix) => program.starts_with(prefix),
                None => program == asked,
            };
            assert!(programs.iter().any(is_asked), "{asked} is none of {programs:?}");
        }
    }
}
