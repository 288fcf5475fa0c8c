//! What the methods' output says, in a few words.

use super::Verdict;
use serde_json::Value;

/// How many tests are named.
const MOST_NAMED: usize = 3;

/// What the checker says when its exit status isn't 0: `output` holds its results as JSON.
pub(super) fn by_checker(output: &str) -> Verdict {
    let json = output.find('{').and_then(|at| serde_json::from_str::<Value>(&output[at..]).ok());
    let failed = json.as_ref().and_then(|json| json["results"].as_array()?.iter().find(|one| one["passed"] == false));
    let Some(failed) = failed else {
        let panicked = output.lines().skip_while(|line| !line.contains("panicked")).nth(1);
        return match panicked {
            Some(message) => Verdict::Noticed(format!("panic: {}", message.trim())),
            None => Verdict::Undecided(last_line(output)),
        };
    };
    let text = |value: &Value| value.as_str().unwrap_or("?").to_owned();
    let name = text(&failed["name"]);
    let broken = failed["properties"].as_array().into_iter().flatten().filter_map(|property| {
        let steps = property["counterexample"].as_array()?.len();
        Some((steps, text(&property["name"])))
    });
    match (broken.min(), failed["stopped_by"].as_str()) {
        (Some((steps, property)), _) => Verdict::Noticed(format!("{name}: {property} in {steps} steps")),
        (None, Some(limit)) => Verdict::Undecided(format!("{name}: {limit}")),
        (None, None) => Verdict::Noticed(format!("{name}: {}", text(&failed["verdict"]).to_lowercase())),
    }
}

/// Which tests failed.
pub(super) fn by_tests(output: &str) -> String {
    let mut failed = Vec::new();
    let mut listing = false;
    for line in output.lines() {
        match line.strip_prefix("    ") {
            Some(name) if listing => failed.push(short(name)),
            _ => listing = line == "failures:",
        }
    }
    if failed.is_empty() { last_line(output) } else { named(&failed) }
}

/// Which tests had not ended.
pub(super) fn by_endless_tests(output: &str) -> String {
    let endless =
        |line: &str| line.strip_prefix("test ")?.split_once(" has been running for").map(|(name, _)| short(name));
    let endless: Vec<_> = output.lines().filter_map(endless).collect();
    match endless.is_empty() {
        true => "it does not end".to_owned(),
        false => format!("does not end: {}", named(&endless)),
    }
}

/// The first error of a compiler.
pub(super) fn compile_error(output: &str) -> String {
    output.lines().find(|line| line.starts_with("error")).map_or_else(|| last_line(output), str::to_owned)
}

/// In which scenario or walk a cluster and the specification part, and in what.
pub(super) fn by_lockstep(output: &str) -> String {
    let scenario = |line: &str| line.split_once(".scenario: ").map(|(path, _)| path.to_owned());
    let mut last = None;
    for line in output.lines() {
        last = scenario(line).or(last);
        if let Some((_, about)) = line.split_once("parts from it here: ") {
            let name = last.as_deref().and_then(|path| path.strip_prefix("scenarios/")).unwrap_or("?");
            return format!("{name}: {about}");
        }
        if let Some((walk, about)) = line.split_once(" diverges at its step ") {
            let about = about.split_once(": ").map_or(about, |(_, about)| about);
            return format!("{walk}: {about}");
        }
    }
    last_line(output)
}

/// The last line that says something of its own: Cargo has the last word, and repeats what was run.
fn last_line(output: &str) -> String {
    let of_cargo = |line: &&str| line.starts_with("error: ") || line.starts_with('`') || line.starts_with("Running");
    let mut lines = output.lines().rev().map(str::trim).filter(|line| !line.is_empty());
    lines.find(|line| !of_cargo(line)).unwrap_or("it fails").to_owned()
}

/// A test without the modules that it is in.
fn short(name: &str) -> String {
    name.rsplit("::").next().unwrap_or(name).trim().to_owned()
}

fn named(tests: &[String]) -> String {
    let mut seen: Vec<&str> = Vec::new();
    for test in tests {
        if !seen.contains(&test.as_str()) {
            seen.push(test);
        }
    }
    let more = seen.len().saturating_sub(MOST_NAMED);
    let first = seen[..seen.len() - more].join(", ");
    if more > 0 { format!("{first} and {more} more") } else { first }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failed_tests_are_named_once_and_not_what_they_printed() {
        let output = "test a::b ... FAILED\n\nfailures:\n\n---- a::b stdout ----\n    deep\n\nfailures:\n    a::b\n    c d\n\n\
                      test result: FAILED.\nfailures:\n    a::b\n    e\n    f\n\nerror: test failed, to rerun pass `--lib`\n";
        assert_eq!(by_tests(output), "b, c d, e and 1 more");
        assert_eq!(by_tests("no cluster to judge: x\nerror: test failed, to rerun\n"), "no cluster to judge: x");
    }

    #[test]
    fn the_first_difference_of_a_replay_is_told() {
        let output = "scenarios/a.scenario: 3 events, in step\nscenarios/mended/b.scenario: highwater scenario 1\n> b1 fetches\n\n\
                      The cluster parts from it here: the log of b1\n  specified  x\n  found      y\ns/c.scenario: x\n";
        assert_eq!(by_lockstep(output), "mended/b: the log of b1");
        let walk = "walk 7 of stop diverges at its step 3: the files of b1\n  specified  x\n";
        assert_eq!(by_lockstep(walk), "walk 7 of stop: the files of b1");
        assert_eq!(by_lockstep("thread panicked\nboo\n"), "boo");
    }

    #[test]
    fn endless_tests_are_named() {
        assert_eq!(by_endless_tests("test a::b has been running for over 60 seconds\n"), "does not end: b");
        assert_eq!(by_endless_tests("running 1 test\n"), "it does not end");
    }

    #[test]
    fn the_checker_s_shortest_counterexample_is_told() {
        let result =
            |rest: &str| format!("{{\"results\":[{{\"passed\":true}},{{\"name\":\"w\",\"passed\":false,{rest}}}]}}");
        let two = "\"properties\":[{\"name\":\"p\",\"counterexample\":[1,2]},{\"name\":\"q\",\"counterexample\":[1]}]";
        assert_eq!(by_checker(&result(two)), Verdict::Noticed("w: q in 1 steps".to_owned()));
        let limit = "\"properties\":[{\"name\":\"p\",\"counterexample\":null}],\"stopped_by\":\"time limit\"";
        assert_eq!(by_checker(&result(limit)), Verdict::Undecided("w: time limit".to_owned()));
        let missed = "\"properties\":[],\"stopped_by\":null,\"verdict\":\"NOT CAUGHT\"";
        assert_eq!(by_checker(&result(missed)), Verdict::Noticed("w: not caught".to_owned()));
        assert_eq!(by_checker("thread panicked at x:\nboo\n"), Verdict::Noticed("panic: boo".to_owned()));
    }
}
