//! Waits until clients can produce: every broker tells of every other.

use super::state::{Node, State};
use super::{Error, node};
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::time::{Duration, Instant};

const PATIENCE: Duration = Duration::from_secs(90);
const POLL: Duration = Duration::from_millis(100);
const ANSWER_TIMEOUT: Duration = Duration::from_secs(5);

/// A Metadata request (version 0, about no topic that exists): length, key 3, version 0, correlation id 1, no client
/// id, one topic with an invalid name, so that none is created.
const METADATA: [u8; 21] = *b"\0\0\0\x11\0\x03\0\0\0\0\0\x01\xff\xff\0\0\0\x01\0\x01/";

/// Waits until each node tells of all. Fails as soon as one has ended.
pub(super) fn wait(dir: &Path, state: &State) -> Result<(), Error> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let why = match state.nodes.iter().find_map(|node| not_ready(node, state.nodes.len())) {
            None => return Ok(()),
            Some(why) => why,
        };
        if let Some(ended) = state.nodes.iter().find(|node| !node::is_running(node)) {
            return Err(Error::Died { node: ended.id, log: node::log(dir, ended), said: node::said(dir, ended) });
        }
        if Instant::now() > deadline {
            return Err(Error::NotReady { seconds: PATIENCE.as_secs(), why, dir: dir.to_path_buf() });
        }
        std::thread::sleep(POLL);
    }
}

fn not_ready(node: &Node, all: usize) -> Option<String> {
    match brokers_known_to(node) {
        Ok(known) if known == all => None,
        Ok(known) => Some(format!("node {} knows {known} brokers of {all}", node.id)),
        Err(error) => Some(format!("node {} does not answer: {error}", node.id)),
    }
}

/// How many brokers this one's metadata names: those that are registered and not fenced.
fn brokers_known_to(node: &Node) -> io::Result<usize> {
    let address = SocketAddr::from(([127, 0, 0, 1], node.port));
    let mut stream = TcpStream::connect_timeout(&address, ANSWER_TIMEOUT)?;
    stream.set_read_timeout(Some(ANSWER_TIMEOUT))?;
    stream.write_all(&METADATA)?;
    let mut start = [0; 12]; // length, correlation id, number of brokers
    stream.read_exact(&mut start)?;
    let count = i32::from_be_bytes([start[8], start[9], start[10], start[11]]);
    Ok(usize::try_from(count).unwrap_or(0))
}
