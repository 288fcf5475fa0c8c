//! A member of a group whose log is cut while it is away: it is told, and goes on where the logs part.
//!
//! The broker is killed, and the end of the log's file with it, as when power fails before it was flushed. More is
//! written then than was lost, so that the offset alone tells nothing.

use crate::support::{OneNode, group};
use bytes::Bytes;
use highwater::client::consumer::{Consumer, News, Sessions, Settings};
use highwater::client::{Acks, Client, NewTopic, Partition, Patience};
use highwater::config::Endpoint;
use highwater::records::{BatchBuilder, split};
use highwater_spec::assignor::Assignor;
use highwater_spec::client::consumer::{Config, End, Failure};
use highwater_spec::values::Offset;
use std::path::Path;
use std::time::Duration;

/// How many records are read, and how many of them are left.
const READ: usize = 5;
const LEFT: usize = 2;

fn client(node: &OneNode) -> Client {
    Client::new(vec![Endpoint { host: "127.0.0.1".to_owned(), port: node.port() }], Patience::default())
}

fn partition() -> Partition {
    Partition { topic: "t".to_owned(), index: 0 }
}

/// Writes these, each in a batch of its own.
async fn produce(client: &mut Client, values: impl IntoIterator<Item = String>) {
    for value in values {
        let mut builder = BatchBuilder::new();
        builder.push(0, None, Some(value.as_bytes()), &[]).expect("a record that fits");
        let batch = builder.build().expect("a batch that fits");
        client.produce(&partition(), Acks::All, Duration::from_secs(5), batch).await.expect("an offset");
    }
}

fn consumer(node: &OneNode, reset: Option<End>) -> Consumer {
    let endpoint = Endpoint { host: "127.0.0.1".to_owned(), port: node.port() };
    let topics = ["t".into()].into();
    let config = Config { instance: None, topics, assignors: vec![Assignor::Range], reset, auto_commit: true };
    let sessions = Sessions { session: Duration::from_secs(30), poll: Duration::from_secs(30) };
    let (heartbeat, commit) = (Duration::from_secs(3), Duration::from_secs(5));
    let settings = Settings { group: "g".to_owned(), config, sessions, heartbeat, commit };
    Consumer::new(move || Client::new(vec![endpoint.clone()], Patience::default()), settings)
}

/// What a consumer has told.
#[derive(Debug, Default, PartialEq)]
struct Told {
    values: Vec<(i64, String)>,
    truncated: Vec<(i64, Option<i64>)>,
    failure: Option<Failure>,
}

/// Reads until there is a record of this offset, or it fails; commits, and leaves.
async fn read(mut consumer: Consumer, last: i64) -> Told {
    let mut told = Told::default();
    consumer.poll();
    loop {
        let event = consumer.happens().await;
        let is_time = consumer.handle(event, usize::MAX);
        while let Some(news) = consumer.news() {
            match news {
                News::Records(_, records) => told.values.extend(records.into_iter().map(|record| {
                    let value = record.value.as_deref().unwrap_or_default();
                    (record.offset.0, String::from_utf8_lossy(value).into_owned())
                })),
                News::Truncated(_, at, diverges) => told.truncated.push((at.0, diverges.map(|offset| offset.0))),
                News::Failed(failure) => told.failure = Some(failure),
                News::Ended => {
                    consumer.gone().await;
                    return told;
                }
                _ => {}
            }
        }
        if told.failure.is_some() {
            consumer.gone().await;
            return told;
        }
        if told.values.last().is_some_and(|(offset, _)| *offset == last) {
            consumer.close();
        } else if is_time {
            consumer.poll();
        }
    }
}

/// Takes all batches but the first ones away.
fn cut(dir: &Path, left: usize) {
    let file = dir.join("t-0/00000000000000000000.log");
    let bytes = Bytes::from(std::fs::read(&file).expect("a log"));
    let sizes = split(bytes).map(|batch| batch.expect("a batch").1.len());
    let size = sizes.take(left).sum::<usize>();
    let file = std::fs::File::options().write(true).open(file).expect("a log");
    file.set_len(size as u64).expect("a shorter log");
}

fn values(of: &str, offsets: std::ops::Range<usize>) -> Vec<(i64, String)> {
    offsets.map(|offset| (i64::try_from(offset).expect("few"), format!("{of} {offset}"))).collect()
}

// Verifies: client.consumer.truncation.check, client.consumer.truncation.resume, client.consumer.truncation.fail
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_comes_back_hears_that_what_it_had_read_was_cut() {
    // The killed node's session is waited for.
    let sessions = [("broker.session.timeout.ms", "1000"), ("broker.heartbeat.interval.ms", "100")];
    let settings = [&group::SETTINGS[..], &sessions].concat();
    let node = OneNode::start_with(&settings).await;
    let mut producer = client(&node);
    let topic = NewTopic { name: "t".to_owned(), partitions: Some(1), ..NewTopic::default() };
    producer.create_topic(topic).await.expect("a new topic");
    produce(&mut producer, (0..READ).map(|offset| format!("before {offset}"))).await;
    let told = read(consumer(&node, Some(End::Earliest)), READ as i64 - 1).await;
    assert_eq!(told, Told { values: values("before", 0..READ), ..Told::default() });
    drop(producer);

    let node = node.killed(|dir| cut(dir, LEFT), &settings).await;
    group::until_coordinated(&mut node.connect().await, "g").await;
    let mut producer = client(&node);
    produce(&mut producer, (LEFT..READ + 3).map(|offset| format!("after {offset}"))).await;

    let (at, diverges) = (Offset(READ as i64), Some(Offset(LEFT as i64)));
    let told = read(consumer(&node, None), READ as i64 + 2).await;
    let named = highwater_spec::group::NamedPartition { topic: "t".into(), index: 0 };
    let failure = Some(Failure::Truncated { partition: named, at, diverges });
    assert_eq!(told, Told { failure, ..Told::default() });

    let told = read(consumer(&node, Some(End::Latest)), READ as i64 + 2).await;
    let truncated = vec![(READ as i64, Some(LEFT as i64))];
    assert_eq!(told, Told { values: values("after", LEFT..READ + 3), truncated, failure: None });
    drop(producer);
    node.stop().await;
}
