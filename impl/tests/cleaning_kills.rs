//! A broker process that is killed while it cleans, again and again, at any moment: whatever it acknowledged keeps its
//! offset, and of each key the last value is there.
//!
//! A test program of its own, since it starts processes.

use bytes::Bytes;
use highwater::client::{Acks, Client, LATEST, NewTopic, Partition, Patience};
use highwater::config::Endpoint;
use highwater::records::{BatchBuilder, records, split};
use highwater_spec::values::Offset;
use std::collections::{BTreeMap, BTreeSet};
use std::hash::{BuildHasher, Hasher, RandomState};
use std::io::{BufRead, BufReader, Lines};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::Duration;
use tempfile::TempDir;

/// How often it is killed while it serves.
const ROUNDS: u64 = 12;
/// How long after it has begun to clean it is killed at the latest, in microseconds.
const LATEST_KILL: u64 = 50_000;
const KEYS: u64 = 5;
/// How many updates there are in a segment, before it is cleaned.
const PER_SEGMENT: u64 = 8;

/// Some number below this; a failure says which ones were drawn.
fn below(bound: u64) -> u64 {
    RandomState::new().build_hasher().finish() % bound
}

/// A broker's process, which ends with this.
struct Broker {
    process: Child,
    stdout: Lines<BufReader<ChildStdout>>,
}

impl Drop for Broker {
    fn drop(&mut self) {
        self.kill();
    }
}

impl Broker {
    fn start(dir: &Path) -> Self {
        let log_dirs = format!("log.dirs={}", dir.display());
        let settings = [
            "node.id=1",
            "process.roles=broker,controller",
            "listeners=PLAINTEXT://127.0.0.1:0,CONTROLLER://127.0.0.1:0",
            "controller.quorum.voters=1@127.0.0.1:0",
            "log.cleaner.backoff.ms=1",
            "num.io.threads=1",
            // The last process's session is waited for.
            "broker.session.timeout.ms=1000",
            "broker.heartbeat.interval.ms=100",
            &log_dirs,
        ];
        let mut command = Command::new(env!("CARGO_BIN_EXE_highwater"));
        command.arg("serve").args(settings.iter().flat_map(|setting| ["--set", setting]));
        command.args(["--die-with-parent", &std::process::id().to_string()]);
        let mut process =
            command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("a process");
        let stdout = BufReader::new(process.stdout.take().expect("its output")).lines();
        Self { process, stdout }
    }

    /// Where it listens, once it says this word.
    fn until(&mut self, word: &str) -> Endpoint {
        loop {
            let line = self.stdout.next().expect("it goes on").expect("text");
            if let Some(said) = line.strip_prefix(word) {
                let address = said.split(' ').find_map(|part| part.strip_prefix("broker=")).expect("an address");
                let (host, port) = address.rsplit_once(':').expect("a port");
                return Endpoint { host: host.to_owned(), port: port.parse().expect("a number") };
            }
        }
    }

    fn kill(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn partition() -> Partition {
    Partition { topic: "t".to_owned(), index: 0 }
}

/// What was written at each offset, as far as the broker has said so: the number of the update.
#[derive(Debug, Default)]
struct Written {
    at: BTreeMap<i64, u64>,
    /// What was never answered: it is written next, or it is not.
    unknown: Option<u64>,
    updates: u64,
}

fn key(update: u64) -> String {
    format!("k{}", update % KEYS)
}

/// Now and then one is a second later than the last, and begins a segment.
fn batch(update: u64) -> Bytes {
    let mut builder = BatchBuilder::new();
    let time = i64::try_from(1000 * (update / PER_SEGMENT)).expect("few updates");
    builder.push(time, Some(key(update).as_bytes()), Some(update.to_string().as_bytes()), &[]).expect("it fits");
    builder.build().expect("a batch that fits")
}

impl Written {
    /// Writes the next update. Whether it was acknowledged.
    async fn write(&mut self, client: &mut Client) -> bool {
        let update = self.updates;
        self.updates += 1;
        // Segments that end faster than they can be flushed are not cleaned.
        tokio::time::sleep(Duration::from_millis(1)).await;
        match client.produce(&partition(), Acks::All, Duration::from_secs(5), batch(update)).await {
            Ok(offset) => drop(self.at.insert(offset.expect("an offset").0, update)),
            Err(_) => self.unknown = Some(update),
        }
        self.unknown.is_none()
    }

    /// Compares what is there with what was written. How many records are left.
    fn compare(&mut self, found: &[(i64, String, u64)]) -> usize {
        let next = self.at.last_key_value().map_or(0, |(offset, _)| offset + 1);
        if let (Some(update), Some((offset, ..))) = (self.unknown.take(), found.last())
            && *offset >= next
        {
            self.at.insert(*offset, update);
        }
        for (offset, of, update) in found {
            assert_eq!((self.at.get(offset), of), (Some(update), &key(*update)), "at {offset} of {found:?}");
        }
        let offsets: Vec<_> = found.iter().map(|(offset, ..)| *offset).collect();
        assert!(offsets.is_sorted_by(|one, other| one < other), "{offsets:?}");
        let last: BTreeMap<_, _> = self.at.iter().map(|(offset, update)| (key(*update), *offset)).collect();
        let lost: BTreeSet<_> = last.values().filter(|offset| !offsets.contains(offset)).collect();
        assert!(lost.is_empty(), "the last values of some keys, {lost:?}, are not in {found:?}");
        found.len()
    }
}

/// Every record: offset, key and update.
async fn read(client: &mut Client) -> Vec<(i64, String, u64)> {
    let end = client.offset_at(&partition(), LATEST).await.expect("a log").expect("an end");
    let (leader, _) = client.leader(&partition()).await.expect("a leader");
    let (mut found, mut next) = (Vec::new(), Offset(0));
    while next < end {
        let fetched = client.fetch(leader, &[(partition(), next)].into(), Duration::ZERO).await.expect("an answer");
        let fetched = fetched[&partition()].as_ref().expect("records");
        for batch in split(fetched.records.clone()) {
            let (header, batch) = batch.expect("a whole batch");
            for record in records(&batch, 1 << 20).expect("records") {
                let record = record.expect("a record");
                let text = |bytes: Option<Bytes>| String::from_utf8(bytes.expect("bytes").to_vec()).expect("text");
                found.push((record.offset.0, text(record.key), text(record.value).parse().expect("a number")));
            }
            next = header.next_offset();
        }
    }
    found
}

/// Cleaned segments hold few of those that they are written from, so that there are many.
async fn create(client: &mut Client) {
    let settings = [
        ("cleanup.policy", "compact"),
        ("segment.ms", "1"),
        ("segment.index.bytes", "120"),
        ("min.cleanable.dirty.ratio", "0.01"),
    ];
    let configs = settings.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
    let topic = NewTopic { name: "t".to_owned(), partitions: Some(1), configs, ..NewTopic::default() };
    client.create_topic(topic).await.expect("a new topic");
}

fn client(endpoint: &Endpoint) -> Client {
    Client::new(vec![endpoint.clone()], Patience::default())
}

/// Whether the broker is writing segments anew, or putting them in their place.
fn is_cleaning(dir: &Path) -> bool {
    let names = std::fs::read_dir(dir.join("t-0")).expect("a log").map(|entry| entry.expect("a name").file_name());
    let mut endings = names.filter_map(|name| name.to_str()?.rsplit('.').next().map(str::to_owned));
    endings.any(|ending| ["cleaned", "swap"].contains(&ending.as_str()))
}

/// Writes until the broker cleans, and on until it is killed, so long after that.
async fn write_until_killed(
    broker: &mut Broker,
    dir: &Path,
    endpoint: &Endpoint,
    written: &mut Written,
    later: Duration,
) {
    // Who asks again after it was killed asks nobody.
    let mut client = Client::new(vec![endpoint.clone()], Patience { success: Duration::ZERO, ..Patience::default() });
    while !is_cleaning(dir) {
        assert!(written.write(&mut client).await, "nobody has killed it yet");
    }
    let writes = async { while written.write(&mut client).await {} };
    let kills = async {
        tokio::time::sleep(later).await;
        broker.kill();
    };
    tokio::join!(writes, kills);
}

// Verifies: log.clean.latest, log.clean.place
#[tokio::test]
async fn a_log_that_was_being_cleaned_has_each_last_value_at_its_place() {
    let dir: TempDir = tempfile::tempdir().expect("a temporary directory");
    let mut written = Written::default();
    for round in 0..ROUNDS {
        if round % 3 == 2 {
            let mut broker = Broker::start(dir.path());
            broker.until("listening");
        }
        let mut broker = Broker::start(dir.path());
        let endpoint = broker.until("ready");
        let mut client = client(&endpoint);
        if round == 0 {
            create(&mut client).await;
        }
        let left = written.compare(&read(&mut client).await);
        let later = Duration::from_micros(below(LATEST_KILL));
        eprintln!("round {round}: {left} records of {}, killed after {later:?} of cleaning", written.at.len());
        write_until_killed(&mut broker, dir.path(), &endpoint, &mut written, later).await;
    }
    let mut broker = Broker::start(dir.path());
    let mut client = client(&broker.until("ready"));
    let mut left = written.compare(&read(&mut client).await);
    while 4 * left > written.at.len() {
        written.write(&mut client).await;
        left = written.compare(&read(&mut client).await);
    }
}
