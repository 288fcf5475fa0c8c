//! `highwater group` as its users meet it: a small cluster, and members that are processes.

mod cli;

use cli::{Cluster, signal};
use highwater::client::{Connection, ErrorCode};
use highwater::wire::messages::ConsumerGroupHeartbeatRequest;
use rustix::process::Signal;
use std::time::Duration;

/// Standard error of a command that fails.
fn refused(cluster: &Cluster, arguments: &[&str]) -> String {
    let output = cluster.run(arguments, "");
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{arguments:?}: {said}");
    assert_eq!(String::from_utf8(output.stdout).unwrap(), "", "{arguments:?}");
    said
}

/// Standard output and standard error of a command that succeeds.
fn told(cluster: &Cluster, arguments: &[&str]) -> (String, String) {
    let output = cluster.run(arguments, "");
    let [said, warned] = [output.stdout, output.stderr].map(|text| String::from_utf8(text).unwrap());
    assert!(output.status.success(), "{arguments:?}: {warned}");
    (said, warned)
}

/// What is said of a group with one member that has its share.
fn in_use(group: &str) -> String {
    let members = "stop its members first; one that was killed counts until its session ends";
    format!("highwater: group {group} is Stable with 1 member: {members}\n")
}

/// A topic `t` with so many partitions, the first of them with two records.
fn cluster_with_topic(partitions: &str) -> Cluster {
    let cluster = Cluster::start();
    cluster.ask(&["topic", "create", "--topic", "t", "--partitions", partitions], "");
    cluster.ask(&["produce", "--topic", "t", "--partition", "0"], "a\nb\n");
    cluster
}

const RESET: [&str; 6] = ["group", "reset-offsets", "--group", "g", "--topic", "t"];

fn reset<'a>(more: &[&'a str]) -> Vec<&'a str> {
    [&RESET[..], more].concat()
}

#[test]
fn a_group_with_members_is_left_alone_and_said_to_have_them() {
    let cluster = cluster_with_topic("1");
    let mut member = cluster.member(&[]);
    member.until_it_owns(&["t-0"]);
    assert_eq!(member.lines(2), ["0:a", "0:b"].map(str::to_owned).into());
    let expected = in_use("g");
    assert_eq!(refused(&cluster, &reset(&["--to", "earliest"])), expected);
    assert_eq!(refused(&cluster, &reset(&["--to", "earliest", "--execute"])), expected);
    assert_eq!(refused(&cluster, &["group", "delete", "--group", "g"]), expected);
    signal(&member.process, Signal::INT);
    assert!(member.process.wait().unwrap().success());
    cluster.ask(&["group", "delete", "--group", "g"], "");
}

#[test]
fn offsets_are_set_if_that_is_said_and_shown_if_not() {
    let cluster = cluster_with_topic("1");
    cluster.ask(&["consume", "--topic", "t", "--group", "g", "--count", "2"], "");
    let plan = "TOPIC  PARTITION  COMMITTED  NEW\nt      0          2          0\n";
    let nothing = "nothing was changed: --execute does it\n";
    let to_start = reset(&["--to", "earliest"]);
    assert_eq!(told(&cluster, &to_start), (plan.to_owned(), nothing.to_owned()));
    assert_eq!(told(&cluster, &to_start), (plan.to_owned(), nothing.to_owned()), "it is where it was");
    assert_eq!(told(&cluster, &reset(&["--to", "earliest", "--execute"])), (plan.to_owned(), String::new()));
    let next = cluster.ask(&["consume", "--topic", "t", "--group", "g", "--count", "1"], "");
    assert_eq!(next, "a\n");
}

#[test]
fn an_offset_that_a_partition_does_not_reach_becomes_its_end() {
    let cluster = cluster_with_topic("2");
    let (plan, warned) = told(&cluster, &reset(&["--to", "1", "--create", "--execute"]));
    assert_eq!(
        plan,
        "TOPIC  PARTITION  COMMITTED  NEW\nt      0          -          1\nt      1          -          0\n"
    );
    assert_eq!(warned, "t-1: offset 1 lies beyond the log's end, 0, which is taken in its place\n");
    let (described, _) = told(&cluster, &["group", "describe", "--group", "g"]);
    let row = |index: usize| described.lines().nth(2 + index).unwrap().split_whitespace().collect::<Vec<_>>();
    assert_eq!(row(0)[..5], ["t", "0", "1", "2", "1"]);
    assert_eq!(row(1)[..5], ["t", "1", "0", "0", "0"]);
}

#[test]
fn a_group_is_made_only_if_that_is_said() {
    let cluster = cluster_with_topic("1");
    let missing = "highwater: group g does not exist; `highwater group list` shows those that do";
    let or_make_it = format!("{missing}, --create makes it\n");
    assert_eq!(refused(&cluster, &reset(&["--to", "earliest", "--execute"])), or_make_it);
    assert_eq!(refused(&cluster, &reset(&["--to", "earliest"])), or_make_it);
    for command in ["describe", "delete"] {
        assert_eq!(refused(&cluster, &["group", command, "--group", "g"]), format!("{missing}\n"));
    }
    told(&cluster, &reset(&["--to", "latest", "--create"]));
    assert_eq!(refused(&cluster, &["group", "delete", "--group", "g"]), format!("{missing}\n"), "it was only shown");
    told(&cluster, &reset(&["--to", "latest", "--create", "--execute"]));
    cluster.ask(&["group", "delete", "--group", "g"], "");
}

/// Someone who joins a group of the consumer protocol, and is not heard of again.
#[tokio::main(flavor = "current_thread")]
async fn join_by_consumer_protocol(cluster: &Cluster, group: &str) {
    let mut connection = Connection::connect(&cluster.bootstrap, Duration::from_secs(60)).await.unwrap();
    let joins = ConsumerGroupHeartbeatRequest {
        group_id: group.to_owned(),
        member_id: "m".to_owned(),
        rebalance_timeout_ms: 60_000,
        subscribed_topic_names: Some(vec!["t".to_owned()]),
        topic_partitions: Some(vec![]),
        ..Default::default()
    };
    while ErrorCode(connection.call(&joins).await.unwrap().error_code) != ErrorCode::NONE {}
}

#[test]
fn the_list_tells_which_protocol_a_group_speaks() {
    let cluster = cluster_with_topic("1");
    cluster.ask(&["consume", "--topic", "t", "--group", "classic", "--count", "2"], "");
    cluster.ask(
        &["group", "reset-offsets", "--group", "no-one", "--topic", "t", "--to", "1", "--create", "--execute"],
        "",
    );
    join_by_consumer_protocol(&cluster, "new");
    let (listed, _) = told(&cluster, &["group", "list"]);
    let rows: Vec<Vec<_>> = listed.lines().map(|line| line.split_whitespace().collect()).collect();
    assert_eq!(rows[0], ["GROUP", "TYPE", "PROTOCOL", "STATE", "COORDINATOR"]);
    assert_eq!(rows[1], ["classic", "Classic", "consumer", "Empty", "1"]);
    assert_eq!(rows[2], ["new", "Consumer", "consumer", "Stable", "1"]);
    assert_eq!(rows[3], ["no-one", "Classic", "-", "Empty", "1"]);
    let said = refused(&cluster, &["group", "delete", "--group", "new"]);
    assert_eq!(said, in_use("new"));
}

#[test]
fn several_groups_are_described_and_deleted_whatever_becomes_of_one() {
    let cluster = cluster_with_topic("1");
    for group in ["a", "b", "c"] {
        cluster.ask(&["consume", "--topic", "t", "--group", group, "--count", "1"], "");
    }
    let headings = |arguments: &[&str]| -> Vec<String> {
        let (described, _) = told(&cluster, arguments);
        let heading =
            described.lines().filter_map(|line| line.strip_prefix("group ")?.split(':').next().map(str::to_owned));
        heading.collect()
    };
    assert_eq!(headings(&["group", "describe"]), ["a", "b", "c"]);
    assert_eq!(headings(&["group", "describe", "--group", "c", "--group", "a"]), ["c", "a"]);
    let said = refused(&cluster, &["group", "delete", "--group", "a", "--group", "x", "--group", "b"]);
    let missing = "group x does not exist; `highwater group list` shows those that do";
    assert_eq!(said, format!("{missing}\nhighwater: 1 of 3 groups could not be deleted\n"));
    assert_eq!(headings(&["group", "describe"]), ["c"]);
}
