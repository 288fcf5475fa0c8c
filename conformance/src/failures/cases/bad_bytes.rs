//! Connections that bring no requests, or not what a request is, while clients write.

use crate::failures::Case;
use crate::failures::cluster::Wish;
use crate::failures::judge::judge;
use crate::failures::load::Load;
use crate::failures::stage::Stage;
use libtest_mimic::Failed;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::net::SocketAddr;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

const ROUNDS: u64 = 20;

pub(super) fn cases() -> Vec<Case> {
    vec![Case::new("bad bytes and idle connections disturb nobody", Wish::default(), bad_bytes)]
}

async fn bad_bytes(stage: &mut Stage) -> Result<(), Failed> {
    let log = stage.usual_log().await?;
    let load = Load::on(&log);
    load.goes_on().await?;
    let mut idle = Vec::new();
    for round in 0..ROUNDS {
        for (_, address) in stage.cluster.addresses() {
            for bytes in bad(round) {
                idle.push(throw(address, &bytes).await?);
            }
        }
    }
    // All still open from this side.
    load.goes_on().await?;
    drop(idle);
    load.goes_on().await?;
    load.stop().await?;
    judge(&log).await.map(drop)
}

async fn throw(address: SocketAddr, bytes: &[u8]) -> Result<TcpStream, Failed> {
    let mut stream = TcpStream::connect(address).await?;
    // The broker may have closed it before everything was written.
    let _ = stream.write_all(bytes).await;
    Ok(stream)
}

fn bad(round: u64) -> Vec<Vec<u8>> {
    let framed = |length: i32, body: &[u8]| [&length.to_be_bytes(), body].concat();
    let random = random(200 + round as usize);
    vec![
        Vec::new(),
        random.clone(),
        framed(random.len() as i32, &random),
        framed(i32::MAX, b"more than is allowed"),
        framed(100 << 20, b"as much as is allowed, and never sent"),
        framed(-1, b""),
        framed(0, b""),
        framed(64, b"half of it"),
        // A Produce request of version 9 that says nothing but that.
        framed(14, &[0, 0, 0, 9, 0, 0, 0, 7, 0, 1, b'c', 0, 0xff, 0xff]),
        b"GET / HTTP/1.1\r\nHost: broker\r\n\r\n".to_vec(),
    ]
}

/// Every hasher of the standard library is keyed at random.
fn random(length: usize) -> Vec<u8> {
    let eight = |_| RandomState::new().build_hasher().finish().to_be_bytes();
    (0..length.div_ceil(8)).flat_map(eight).take(length).collect()
}
