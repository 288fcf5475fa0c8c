//! `highwater produce` and `highwater consume --group` as their users meet them: processes and a small cluster.

mod cli;

use cli::{Cluster, Member, program, signal};
use highwater_spec::client::partitioner::partition_for_key;
use rustix::process::Signal;
use std::collections::{BTreeMap, BTreeSet};

impl Member {
    /// Reads what it says about its share, until it has this many.
    fn until_it_owns_so_many(&mut self, count: usize) -> BTreeSet<String> {
        while self.owns.len() != count {
            self.hear();
        }
        self.owns.clone()
    }

    /// Asks it to stop, and what it said after that.
    fn stop(mut self) -> Vec<String> {
        signal(&self.process, Signal::INT);
        let said = self.stdout.by_ref().map(Result::unwrap).collect();
        assert_eq!(self.process.wait().unwrap().code(), Some(0));
        said
    }
}

fn shares_and_hands_over(assignor: &str) {
    let cluster = Cluster::start();
    cluster.ask(&["topic", "create", "--topic", "t", "--partitions", "2"], "");
    cluster.ask(&["produce", "--topic", "t", "--partition", "0"], "a\nb\n");
    cluster.ask(&["produce", "--topic", "t", "--partition", "1"], "c\n");
    let mut first = cluster.member(&["--assignor", assignor]);
    first.until_it_owns(&["t-0", "t-1"]);
    assert_eq!(first.lines(3), ["0:a", "0:b", "1:c"].map(str::to_owned).into());

    let mut second = cluster.member(&["--assignor", assignor]);
    second.until_it_owns_so_many(1);
    let others: Vec<_> = ["t-0", "t-1"].into_iter().filter(|name| !second.owns.contains(*name)).collect();
    first.until_it_owns(&others);
    cluster.ask(&["produce", "--topic", "t", "--partitioner", "roundrobin"], "d\ne\n");
    let heard: BTreeSet<_> = first.lines(1).into_iter().chain(second.lines(1)).collect();
    assert_eq!(heard, ["0:d", "1:e"].map(str::to_owned).into());

    assert_eq!(second.stop(), Vec::<String>::new());
    first.until_it_owns(&["t-0", "t-1"]);
    assert_eq!(first.stop(), Vec::<String>::new());
    cluster.ask(&["produce", "--topic", "t", "--partition", "1"], "f\n");
    let next = cluster.ask(
        &["consume", "--topic", "t", "--group", "g", "--assignor", assignor, "--format", "%p:%s\\n", "--count", "1"],
        "",
    );
    assert_eq!(next, "1:f\n", "what was committed is not read again");
}

#[test]
fn members_share_a_topic_and_go_on_where_the_group_was() {
    shares_and_hands_over("range");
}

#[test]
fn so_do_cooperative_members() {
    shares_and_hands_over("cooperative-sticky");
}

/// Whoever comes gets what others have too much of, and whoever goes leaves what it had: the rest stays where it is.
// Verifies: client.consumer.remember, assignor.sticky.remembered
#[test]
fn sticky_members_keep_what_they_had() {
    let cluster = Cluster::start();
    cluster.ask(&["topic", "create", "--topic", "t", "--partitions", "6"], "");
    let named = |indices: &[i32]| -> BTreeSet<_> { indices.iter().map(|index| format!("t-{index}")).collect() };
    let mut first = cluster.member(&["--assignor", "sticky"]);
    first.until_it_owns_so_many(6);
    let mut second = cluster.member(&["--assignor", "sticky"]);
    assert_eq!(second.until_it_owns_so_many(3), named(&[3, 4, 5]));
    assert_eq!(first.until_it_owns_so_many(3), named(&[0, 1, 2]));
    let mut third = cluster.member(&["--assignor", "sticky"]);
    assert_eq!(third.until_it_owns_so_many(2), named(&[2, 5]));
    assert_eq!(first.until_it_owns_so_many(2), named(&[0, 1]));
    assert_eq!(second.until_it_owns_so_many(2), named(&[3, 4]));
    first.stop();
    let (two, three) = (second.until_it_owns_so_many(3), third.until_it_owns_so_many(3));
    assert!(two.is_superset(&named(&[3, 4])) && three.is_superset(&named(&[2, 5])), "{two:?}, {three:?}");
}

#[test]
fn a_group_without_offsets_begins_where_it_is_told_to() {
    let cluster = Cluster::start();
    cluster.ask(&["topic", "create", "--topic", "t"], "");
    cluster.ask(&["produce", "--topic", "t"], "a\n");
    let refused = cluster.run(&["consume", "--topic", "t", "--group", "g", "--reset", "none"], "");
    let said = String::from_utf8(refused.stderr).unwrap();
    assert!(said.contains("group g has no offset for t-0") && said.contains("--reset earliest"), "{said}");
    assert_eq!(refused.status.code(), Some(1));
    let mut latest = cluster.member(&["--reset", "latest", "--instance", "i", "--session-timeout", "10000"]);
    latest.until_it_owns(&["t-0"]);
    assert_eq!(cluster.ask(&["consume", "--topic", "t", "--group", "h", "--count", "1"], ""), "a\n");
}

#[test]
fn a_member_says_what_it_reads_and_since_when() {
    let cluster = Cluster::start();
    cluster.ask(&["topic", "create", "--topic", "t"], "");
    let output = cluster.run(&["consume", "--topic", "t", "--group", "g", "--count", "0"], "");
    assert_eq!(String::from_utf8(output.stderr).unwrap(), "", "it never joins");
    cluster.ask(&["produce", "--topic", "t"], "a\n");
    let output = cluster.run(&["consume", "--topic", "t", "--group", "g", "--count", "1"], "");
    assert_eq!(String::from_utf8(output.stderr).unwrap(), "generation 1: assigned t-0\nrevoked t-0\n");
}

#[test]
fn who_deletes_what_is_not_there_is_not_told_to_create_it() {
    let cluster = Cluster::start();
    let output = cluster.run(&["topic", "delete", "--topic", "t"], "");
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(said, "highwater: topic t does not exist; `highwater topic list` shows those that do\n");
    assert_eq!(output.status.code(), Some(1));
}

#[test]
fn keys_decide_and_numbered_records_are_written_once() {
    let cluster = Cluster::start();
    cluster.ask(&["topic", "create", "--topic", "t", "--partitions", "3"], "");
    let keys = ["21", "foobar", "a-little-bit-long-string", "abc", ""];
    let lines: String = keys.iter().map(|key| format!("{key}={key}\n")).collect();
    cluster.ask(&["produce", "--topic", "t", "--key-separator", "="], &lines);
    let found = cluster.ask(&["consume", "--topic", "t", "--until-end", "--format", "%p:%k\\n"], "");
    let found: BTreeSet<_> = found.lines().map(str::to_owned).collect();
    let expected = keys.map(|key| format!("{}:{key}", partition_for_key(key.as_bytes(), 3)));
    assert_eq!(found, expected.into());

    let many: String = (0..5000).map(|number| format!("{number}\n")).collect();
    cluster.ask(&["topic", "create", "--topic", "many", "--partitions", "3"], "");
    cluster.ask(&["produce", "--topic", "many", "--batch-size", "1000"], &many);
    let found = cluster.ask(&["consume", "--topic", "many", "--until-end", "--format", "%p %s\\n"], "");
    let mut by_partition: BTreeMap<&str, Vec<u32>> = BTreeMap::new();
    for line in found.lines() {
        let (partition, number) = line.split_once(' ').unwrap();
        by_partition.entry(partition).or_default().push(number.parse().unwrap());
    }
    assert!(by_partition.values().all(|numbers| numbers.is_sorted()), "each partition has them in order");
    let all: BTreeSet<_> = by_partition.values().flatten().collect();
    assert_eq!((all.len(), found.lines().count()), (5000, 5000));
    assert_eq!(by_partition.len(), 3, "no partition is left out");
}

#[test]
fn what_does_not_go_together_is_said() {
    let output = program(&["produce", "--topic", "t", "--acks", "1", "--idempotence", "true"]).output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(said, "highwater: an idempotent producer needs acks=all: change that, or say --idempotence false\n");
}
