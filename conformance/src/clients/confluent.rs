//! The cases of confluent-kafka, librdkafka's client for Python. The scripts in `clients/` do; this judges.

use super::{Case, Client, Stage, expect, expect_patience};
use crate::command::{self, PATIENCE};
use libtest_mimic::Failed;
use serde_json::{Value, json};
use std::io;
use std::path::PathBuf;
use std::process::Command;
use std::sync::LazyLock;
use tempfile::TempDir;

/// Which scripts there are; `python3 DIR` runs the first.
const SCRIPTS: [(&str, &str); 7] = [
    ("__main__.py", include_str!("../../clients/__main__.py")),
    ("common.py", include_str!("../../clients/common.py")),
    ("admin.py", include_str!("../../clients/admin.py")),
    ("consume.py", include_str!("../../clients/consume.py")),
    ("group.py", include_str!("../../clients/group.py")),
    ("group_consumer.py", include_str!("../../clients/group_consumer.py")),
    ("produce.py", include_str!("../../clients/produce.py")),
];

/// How long a fetch waits at the end of the log, where it is counted how many there are.
const FETCH_WAIT_MS: u64 = 500;

/// The cases: the script's function, its argument, what it must see.
pub(super) fn cases() -> Vec<Case> {
    let same = || json!({"offsets": true, "same": true});
    let mut cases = vec![
        case(
            "metadata",
            "",
            json!({"brokers": 3, "controller": true, "cluster_id": true,
                                    "partitions": [[0, 3, 3, true], [1, 3, 3, true]]}),
        ),
        case("describe_cluster", "", json!({"nodes": 3, "controller": true})),
        case("create_topics", "", topics_created()),
        case(
            "delete_topic",
            "",
            json!({"deleted": null, "gone": true, "again": "UNKNOWN_TOPIC_OR_PART", "outcomes": [0]}),
        ),
        case("elect_leaders", "", leaders_elected()),
        case("topic_configs", "", json!({"segment.bytes": ["1048576", false], "cleanup.policy": ["delete", true]})),
        case(
            "broker_configs",
            "",
            json!({"num.partitions": "1", "default.replication.factor": "3",
                                          "auto.create.topics.enable": "true", "message.max.bytes": "1048588"}),
        ),
        case("unknown_configs", "", json!({"error": "UNKNOWN_TOPIC_OR_PART"})),
        case("list_offsets", "", json!({"earliest": 0, "latest": 3, "max": 0})),
        case("from_beginning", "", json!({"values": ["a", "b"]})),
        case("from_offset", "", json!({"values": ["7", "8", "9"], "offsets": [7, 8, 9]})),
        case("from_timestamp", "", json!({"found": [0, 0, 1, 3, -1], "values": ["2", "3"]})),
        case("watermarks", "", json!({"empty": [0, 0], "written": [0, 2]})),
        case("out_of_range", "", json!({"error": "_AUTO_OFFSET_RESET"})),
        case("unknown_topic", "", json!({"error": "UNKNOWN_TOPIC_OR_PART", "exists": false})),
        case("auto_creation", "", json!({"outcomes": [0], "replicas": [3]})),
        case("round_trip", "", round_trip()),
        case("large", "1000000", json!({"outcomes": [0], "same": true})),
        case("large", "1500000", json!({"outcomes": ["MSG_SIZE_TOO_LARGE"], "same": null})),
        case("many_partitions", "32", same()),
        case("many_messages", "20000", same()),
        case("unknown_partition", "", json!({"outcomes": ["_UNKNOWN_PARTITION"]})),
        Case::new(Client::ConfluentKafka, "confluent waits_at_end", waits_at_end),
    ];
    cases.extend(of_groups());
    cases.extend(super::consumer_protocol::cases());
    cases.extend(["none", "gzip", "snappy", "lz4", "zstd"].map(|codec| case("compression", codec, same())));
    // Without acknowledgements, offsets aren't told.
    for (acks, outcomes) in [("0", json!([null, null, null])), ("1", json!([0, 1, 2])), ("all", json!([0, 1, 2]))] {
        cases.push(case("acks", acks, json!({"outcomes": outcomes, "values": ["a", "b", "c"]})));
    }
    cases
}

fn of_groups() -> Vec<Case> {
    // What librdkafka says where nothing is committed.
    const NONE: i32 = -1001;
    let shared = || json!({"read": 40, "values": 40});
    vec![
        case("group_goes_on", "", json!({"read": ["0", "1", "2"], "rest": ["3", "4"]})),
        case("group_shares", "range", shared()),
        case("group_shares", "roundrobin", shared()),
        case("group_shares", "cooperative-sticky", shared()),
        case("group_takes_over", "", json!({"said": "committed", "read": ["1", "2", "3"]})),
        case("group_static", "", json!({"same": true, "heard": 0})),
        case(
            "group_commits",
            "",
            json!({"committed": [[NONE, null], [7, "note"]], "unknown": "UNKNOWN_TOPIC_OR_PART"}),
        ),
        case("group_zombie", "", json!({"refused": true, "committed": 1})),
        case("group_admin", "", group_administered()),
    ]
}

fn group_administered() -> Value {
    json!({"described": ["STABLE", "range", 1], "read": [0, 1], "stable": ["STABLE"], "busy": "NON_EMPTY_GROUP",
           "empty": ["EMPTY"], "offsets": [[0, 0], [1, 9]], "gone": null, "after": []})
}

fn topics_created() -> Value {
    json!({"validated": null, "created": null, "again": "TOPIC_ALREADY_EXISTS", "bad name": "TOPIC_EXCEPTION",
           "too many replicas": "INVALID_REPLICATION_FACTOR", "unknown setting": "INVALID_CONFIG",
           "bad setting": "INVALID_CONFIG"})
}

fn leaders_elected() -> Value {
    let each = json!([[0, "ELECTION_NOT_NEEDED"], [1, "ELECTION_NOT_NEEDED"], [2, "UNKNOWN_TOPIC_OR_PART"]]);
    json!({"preferred": each, "unclean": each, "all": []})
}

fn round_trip() -> Value {
    let first = json!(["k", "v", [["h", "1"], ["h", "2"], ["none", null], ["empty", ""]]]);
    let seen = json!([first, [null, "", []], ["", null, []], ["ключ", "значение", []]]);
    json!({"outcomes": [0, 1, 2, 3], "seen": seen, "timestamp": [1, 1_234_567_890_123_i64]})
}

pub(super) fn case(function: &'static str, argument: &'static str, expected: Value) -> Case {
    let name = format!("confluent {function} {argument}");
    Case::new(Client::ConfluentKafka, name.trim(), move |stage| {
        expect(function, &seen(stage, function, argument)?, &expected)
    })
}

fn waits_at_end(stage: &Stage) -> Result<(), Failed> {
    let seen = seen(stage, "waits_at_end", &FETCH_WAIT_MS.to_string())?;
    expect("the record that ends the wait", &seen["value"], &json!("at last"))?;
    let number = |name: &str| seen[name].as_u64().ok_or(format!("{name}: no number in {seen}"));
    expect_patience(number("fetches")?, number("waited_ms")?, FETCH_WAIT_MS)
}

/// What the script's function saw.
fn seen(stage: &Stage, function: &str, argument: &str) -> Result<Value, Failed> {
    let scripts = SCRIPT_DIR.as_ref().map_err(|error| format!("the scripts can't be written: {error}"))?;
    let mut script = Command::new(python());
    script.arg("-B").arg(scripts.path()).args([function, &stage.bootstrap, &stage.topic]);
    script.args(Some(argument).filter(|argument| !argument.is_empty()));
    let ended = command::run(&mut script, b"", PATIENCE)?;
    match serde_json::from_str(&ended.stdout) {
        Ok(seen) if ended.success => Ok(seen),
        _ => Err(format!("{function} failed:\n{}{}", ended.stdout, ended.stderr).into()),
    }
}

static SCRIPT_DIR: LazyLock<io::Result<TempDir>> = LazyLock::new(|| {
    let dir = tempfile::tempdir()?;
    for (name, text) in SCRIPTS {
        std::fs::write(dir.path().join(name), text)?;
    }
    Ok(dir)
});

/// The environment in the cache directory, if there is one, else the system's Python.
fn python() -> PathBuf {
    let own = environment().map(|environment| environment.join("bin/python3"));
    own.filter(|python| python.exists()).unwrap_or_else(|| PathBuf::from("python3"))
}

fn environment() -> Option<PathBuf> {
    crate::cache_dir().map(|cache| cache.join("python"))
}

pub(super) fn missing() -> Option<String> {
    static MISSING: LazyLock<Option<String>> = LazyLock::new(|| {
        let asked = command::run(Command::new(python()).args(["-c", "import confluent_kafka"]), b"", PATIENCE);
        if asked.is_ok_and(|ended| ended.success) {
            return None;
        }
        let environment = environment().unwrap_or_else(|| PathBuf::from("python"));
        let environment = environment.display();
        Some(format!(
            "install it with `python3 -m venv {environment} && {environment}/bin/pip install confluent-kafka`"
        ))
    });
    MISSING.clone()
}
