//! The cases of kcat, the command-line client (librdkafka).

use super::{Case, Client, Stage, expect, expect_patience};
use crate::command::{self, Ended, PATIENCE};
use crate::histories::{Deed, Partition};
use crate::programs::{Group, Process};
use libtest_mimic::Failed;
use serde_json::{Value, json};
use std::process::Command;
use std::sync::LazyLock;
use std::time::Duration;

/// How long a fetch waits at the end of the log, where it is counted how many there are.
const FETCH_WAIT_MS: u64 = 500;
const QUIET: Duration = Duration::from_secs(3);

pub(super) fn cases() -> Vec<Case> {
    let mut cases = vec![
        Case::new(Client::Kcat, "kcat lists brokers and topics", lists),
        Case::new(Client::Kcat, "kcat creates a topic by writing to it", creates),
        Case::new(Client::Kcat, "kcat reads from an offset", reads_from_offset),
        Case::new(Client::Kcat, "kcat reads the last messages", reads_the_last),
        Case::new(Client::Kcat, "kcat reads between two times", reads_between_times),
        Case::new(Client::Kcat, "kcat asks for offsets", asks_for_offsets),
        Case::new(Client::Kcat, "kcat waits at the end", waits_at_end),
        Case::new(Client::Kcat, "kcat keeps keys headers and nulls", keeps_what_is_in_a_message),
        Case::new(Client::Kcat, "kcat writes a large message", writes_large),
        Case::new(Client::Kcat, "kcat is refused a message too large", is_refused_too_large),
        Case::new(Client::Kcat, "kcat does not create what it reads", does_not_create),
        Case::new(Client::Kcat, "kcat keeps the order of many messages", keeps_order),
        Case::new(Client::Kcat, "kcat goes on where its group was", goes_on),
    ];
    cases.extend(["0", "1", "all"].map(|acks| {
        let name = format!("kcat writes with acks {acks}");
        Case::new(Client::Kcat, name, move |stage| writes(stage, &["-X", &format!("acks={acks}")]))
    }));
    cases.extend(["none", "gzip", "snappy", "lz4", "zstd"].map(|codec| {
        Case::new(Client::Kcat, format!("kcat compresses with {codec}"), move |stage| writes(stage, &["-z", codec]))
    }));
    cases
}

pub(super) fn missing() -> Option<String> {
    static MISSING: LazyLock<bool> =
        LazyLock::new(|| !command::run(Command::new("kcat").arg("-V"), b"", PATIENCE).is_ok_and(|ended| ended.success));
    MISSING.then(|| "install it with `apt-get install kcat`".to_owned())
}

fn lists(stage: &Stage) -> Result<(), Failed> {
    write(stage, "a\n", &[])?;
    let listed = kcat(stage, &["-L", "-J", "-t", &stage.topic], "")?;
    let listed: Value = serde_json::from_str(&listed.stdout)?;
    expect("brokers", &listed["brokers"].as_array().map(Vec::len), &Some(3))?;
    expect("topic", &listed["topics"][0]["topic"], &json!(stage.topic))?;
    expect("in sync", &listed["topics"][0]["partitions"][0]["isrs"].as_array().map(Vec::len), &Some(3))
}

fn creates(stage: &Stage) -> Result<(), Failed> {
    write(stage, "first\n", &[])?;
    expect("values", &read(stage, &["-o", "beginning"])?, &lines(["first"]))
}

fn writes(stage: &Stage, more: &[&str]) -> Result<(), Failed> {
    let text = (0..100).map(|number| format!("{number} {}\n", "again and ".repeat(20))).collect::<String>();
    write(stage, &text, more)?;
    expect("values", &read(stage, &["-o", "beginning"])?, &lines(text.lines()))
}

fn reads_from_offset(stage: &Stage) -> Result<(), Failed> {
    write(stage, "0\n1\n2\n3\n4\n5\n", &[])?;
    expect("values", &read(stage, &["-o", "4"])?, &lines(["4", "5"]))?;
    expect("values", &read(stage, &["-o", "4", "-c", "1"])?, &lines(["4"]))
}

fn reads_the_last(stage: &Stage) -> Result<(), Failed> {
    write(stage, "0\n1\n2\n3\n4\n5\n", &[])?;
    expect("values", &read(stage, &["-o", "-2"])?, &lines(["4", "5"]))
}

/// Each line is a request of its own, with a time of its own, taken from what the broker keeps.
fn reads_between_times(stage: &Stage) -> Result<(), Failed> {
    for line in ["0\n", "1\n", "2\n", "3\n"] {
        write(stage, line, &[])?;
        std::thread::sleep(Duration::from_millis(5)); // so that no two have the same time
    }
    let kept = read(stage, &["-o", "beginning", "-f", "%T\n"])?;
    expect("messages", &kept.len(), &4)?;
    let (from, to) = (format!("s@{}", kept[1]), format!("e@{}", kept[3]));
    expect("values", &read(stage, &["-o", &from])?, &lines(["1", "2", "3"]))?;
    expect("values", &read(stage, &["-o", &from, "-o", &to])?, &lines(["1", "2"]))
}

fn asks_for_offsets(stage: &Stage) -> Result<(), Failed> {
    write(stage, "a\nb\nc\n", &[])?;
    for (time, offset) in [("-1", 3), ("-2", 0), ("0", 0)] {
        let answered = kcat(stage, &["-Q", "-t", &format!("{}:0:{time}", stage.topic)], "")?;
        expect("offset", &answered.stdout.trim(), &format!("{} [0] offset {offset}", stage.topic).as_str())?;
    }
    Ok(())
}

fn waits_at_end(stage: &Stage) -> Result<(), Failed> {
    write(stage, "a\n", &[])?;
    let wait = format!("fetch.wait.max.ms={FETCH_WAIT_MS}");
    let mut reader = Command::new("kcat");
    reader.args(["-b", &stage.bootstrap, "-C", "-u", "-t", &stage.topic, "-o", "end", "-X", &wait, "-d", "protocol"]);
    let ended = command::run(&mut reader, b"", QUIET)?; // it would wait for ever
    expect("values", &ended.stdout.as_str(), &"")?;
    let fetches = ended.stderr.lines().filter(|line| line.contains("Sent FetchRequest")).count();
    expect_patience(fetches as u64, QUIET.as_millis() as u64, FETCH_WAIT_MS)
}

fn keeps_what_is_in_a_message(stage: &Stage) -> Result<(), Failed> {
    write(stage, "k:v\n:\nключ:значение\n", &["-K:", "-Z", "-H", "a=1", "-H", "a=2"])?;
    let read = read(stage, &["-o", "beginning", "-J"])?;
    let seen = read.iter().map(|line| serde_json::from_str(line)).collect::<Result<Vec<Value>, _>>()?;
    let seen = seen.iter().map(|m| json!([m["key"], m["payload"], m["headers"]])).collect::<Vec<_>>();
    let headers = json!(["a", "1", "a", "2"]);
    let expected = [json!(["k", "v", headers]), json!([null, null, headers]), json!(["ключ", "значение", headers])];
    expect("messages", &seen, &expected.to_vec())
}

/// Near the limit of a batch (message.max.bytes, 1048588 by default).
fn writes_large(stage: &Stage) -> Result<(), Failed> {
    let value = "x".repeat(1_040_000);
    write(stage, &format!("{value}\n"), &["-X", "message.max.bytes=4000000"])?;
    let read = read(stage, &["-o", "beginning"])?;
    expect("lengths", &read.iter().map(String::len).collect::<Vec<_>>(), &vec![value.len()])?;
    expect("the value is as it was", &(read[0] == value), &true)
}

fn is_refused_too_large(stage: &Stage) -> Result<(), Failed> {
    let value = format!("{}\n", "x".repeat(1_100_000));
    let arguments = ["-P", "-t", &stage.topic, "-X", "message.max.bytes=4000000"];
    let ended = attempt(stage, &arguments, &value)?;
    expect("refused", &ended.stderr.contains("Message size too large"), &true)
}

fn does_not_create(stage: &Stage) -> Result<(), Failed> {
    let ended = attempt(stage, &["-C", "-e", "-t", &stage.topic], "")?;
    expect("refused", &ended.stderr.contains("Unknown topic or partition"), &true)?;
    expect("exit status 0", &ended.success, &false)?;
    let listed = kcat(stage, &["-L", "-J"], "")?;
    expect("created", &listed.stdout.contains(&stage.topic), &false)
}

fn keeps_order(stage: &Stage) -> Result<(), Failed> {
    let text = (0..20_000).map(|number| format!("{number}\n")).collect::<String>();
    // One request at a time: the order is to survive a retry as well.
    write(stage, &text, &["-X", "batch.num.messages=100", "-X", "max.in.flight=1"])?;
    expect("values as they were", &(read(stage, &["-o", "beginning"])? == lines(text.lines())), &true)
}

/// It commits when it ends.
fn goes_on(stage: &Stage) -> Result<(), Failed> {
    write(stage, "0\n1\n2\n3\n4\n5\n", &[])?;
    let member = |count: &str| {
        let arguments = ["-G", &stage.topic, &stage.topic, "-c", count, "-X", "auto.offset.reset=earliest"];
        kcat(stage, &arguments, "").map(|ended| lines(ended.stdout.lines()))
    };
    expect("values", &member("4")?, &lines(["0", "1", "2", "3"]))?;
    expect("values", &member("2")?, &lines(["4", "5"]))
}

/// A member of a group, beside others. It commits by itself, and tells only what it reads.
pub(super) fn member(group: &Group, strategy: &str, session_ms: u32) -> Result<Process, Failed> {
    // It ends with this thread, whatever becomes of it.
    let mut command = Command::new("setpriv");
    command.args(["--pdeathsig", "KILL", "kcat", "-b", &group.bootstrap, "-u", "-q", "-f", "%p %o %s\n"]);
    command.args(["-X", "auto.offset.reset=earliest", "-X", "heartbeat.interval.ms=500"]);
    command.args(["-X", &format!("session.timeout.ms={session_ms}")]);
    command.args(["-X", &format!("partition.assignment.strategy={strategy}")]);
    command.args(["-G", &group.name, &group.name]);
    let (who, topic, to) = ("kcat", group.name.clone(), group.recorder.clone());
    let note = move |line: &str, began| {
        let mut parts = line.splitn(3, ' ');
        let number = parts.next().and_then(|part| part.parse().ok());
        let offset = parts.next().and_then(|part| part.parse().ok());
        if let (Some(number), Some(offset), Some(value)) = (number, offset, parts.next()) {
            let partition = Partition(topic.clone(), number);
            to.note(who, Some(&topic), began, Deed::Polled { partition, offset, value: value.to_owned() });
        }
    };
    Ok(Process::start_with(&mut command, who, Some(&group.name), &group.recorder, note)?)
}

/// Writes each line as a message; fails if one is refused.
fn write(stage: &Stage, text: &str, more: &[&str]) -> Result<(), Failed> {
    kcat(stage, &[&["-P", "-t", &stage.topic], more].concat(), text).map(drop)
}

/// The lines that kcat prints about the messages up to the end of the topic.
fn read(stage: &Stage, more: &[&str]) -> Result<Vec<String>, Failed> {
    let ended = kcat(stage, &[&["-C", "-q", "-e", "-t", &stage.topic], more].concat(), "")?;
    Ok(lines(ended.stdout.lines()))
}

fn kcat(stage: &Stage, arguments: &[&str], input: &str) -> Result<Ended, Failed> {
    let ended = attempt(stage, arguments, input)?;
    if ended.success {
        return Ok(ended);
    }
    Err(format!("kcat {} failed:\n{}", arguments.join(" "), ended.stderr).into())
}

/// Runs kcat, whatever comes of it.
fn attempt(stage: &Stage, arguments: &[&str], input: &str) -> Result<Ended, Failed> {
    let mut command = Command::new("kcat");
    command.args(["-b", &stage.bootstrap]).args(arguments);
    Ok(command::run(&mut command, input.as_bytes(), PATIENCE)?)
}

fn lines<'a>(lines: impl IntoIterator<Item = &'a str>) -> Vec<String> {
    lines.into_iter().map(str::to_owned).collect()
}
