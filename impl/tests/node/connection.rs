//! What a broker does with a connection: order, bounds, and bytes that are no request.

use crate::support::OneNode;
use bytes::{BufMut, BytesMut};
use highwater::wire::messages::fetch::{FetchPartition, FetchTopic};
use highwater::wire::messages::metadata::MetadataRequestTopic;
use highwater::wire::messages::{ApiVersionsRequest, FetchRequest, MetadataRequest};
use highwater::wire::{Message, Request, RequestMessage, frame};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

async fn frame_of(stream: &mut TcpStream) -> Option<BytesMut> {
    let length = tokio::time::timeout(Duration::from_secs(20), stream.read_i32()).await.expect("an end").ok()?;
    let mut frame = BytesMut::zeroed(usize::try_from(length).expect("a length"));
    stream.read_exact(&mut frame).await.ok()?;
    Some(frame)
}

async fn is_closed(stream: &mut TcpStream) -> bool {
    frame_of(stream).await.is_none()
}

fn metadata(correlation_id: i32) -> bytes::Bytes {
    let request = Request::from(MetadataRequest::default());
    frame::encode_request(9, correlation_id, Some("test"), &request).expect("a request that fits")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn answers_leave_in_the_order_of_the_requests() {
    let node = OneNode::start().await;
    let mut stream = node.raw().await;
    let mut all = BytesMut::new();
    (0..200).for_each(|number| all.put(metadata(number)));
    let (mut reading, mut writing) = stream.split();
    let sent = async {
        writing.write_all(&all).await.expect("the broker reads on");
        Ok::<_, std::io::Error>(())
    };
    let received = async {
        for number in 0..200 {
            let length = reading.read_i32().await?;
            let mut frame = vec![0; usize::try_from(length).expect("a length")];
            reading.read_exact(&mut frame).await?;
            assert_eq!(frame[..4], i32::to_be_bytes(number), "the correlation id comes first");
        }
        Ok(())
    };
    tokio::try_join!(sent, received).expect("200 answers");
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bytes_that_are_no_request_close_their_connection_and_no_other() {
    let node = OneNode::start().await;
    let mut good = node.raw().await;
    let length_only = |length: i32| length.to_be_bytes().to_vec();
    let mut unknown_key = vec![0, 0, 0, 10];
    unknown_key.extend([0x7f, 0xff, 0, 0, 0, 0, 0, 1, 0xff, 0xff]);
    let mut bad_version = metadata(1).to_vec();
    bad_version[6..8].copy_from_slice(&[0x7f, 0xff]);
    let mut cut = metadata(1).to_vec();
    let shorter = i32::try_from(cut.len()).expect("a length") - 5;
    cut[..4].copy_from_slice(&shorter.to_be_bytes());
    cut.truncate(cut.len() - 1);
    let cases = [
        ("zero length", length_only(0)),
        ("negative length", length_only(-1)),
        ("too long", length_only(i32::MAX)),
        ("text", b"GET / HTTP/1.1\r\n\r\n".to_vec()),
        ("unknown key", unknown_key),
        ("unknown version", bad_version),
        ("cut", cut),
    ];
    for (name, bytes) in cases {
        let mut stream = node.raw().await;
        stream.write_all(&bytes).await.expect("the broker listens");
        assert!(is_closed(&mut stream).await, "{name}");
    }
    good.write_all(&metadata(7)).await.expect("still open");
    assert!(frame_of(&mut good).await.is_some(), "others are not disturbed");
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_api_versions_request_of_the_future_is_told_what_there_is() {
    let node = OneNode::start().await;
    let mut stream = node.raw().await;
    let request = Request::from(ApiVersionsRequest::default());
    let newest = ApiVersionsRequest::VERSIONS.max;
    let mut bytes = frame::encode_request(newest, 5, None, &request).expect("a request that fits").to_vec();
    bytes[6..8].copy_from_slice(&99_i16.to_be_bytes());
    stream.write_all(&bytes).await.expect("the broker listens");
    let answer = frame_of(&mut stream).await.expect("an answer").freeze();
    let (_, response) = frame::decode_response(ApiVersionsRequest::KEY, 0, &answer).expect("in version 0");
    let highwater::wire::Response::ApiVersions(response) = response else { panic!("{response:?}") };
    assert_eq!(response.error_code, 35);
    assert_eq!(response.api_keys.len(), 1);
    assert_eq!((response.api_keys[0].api_key, response.api_keys[0].max_version), (18, newest));
    node.stop().await;
}

/// Who leaves is let go, also while more is under way than is read, and answers are far off.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_leaves_takes_its_requests_along() {
    let node = OneNode::start_with(&[("queued.max.requests.per.connection", "2")]).await;
    let mut stream = node.raw().await;
    let request = FetchRequest {
        max_wait_ms: i32::MAX,
        min_bytes: i32::MAX,
        topics: vec![unknown_to_be()],
        ..Default::default()
    };
    let mut known = node.connect().await;
    let asked = MetadataRequest { topics: Some(vec![wanted()]), allow_auto_topic_creation: true, ..Default::default() };
    while known.call(&asked).await.expect("an answer").topics[0].error_code != 0 {}
    let request = Request::from(request);
    for number in 0..8 {
        let frame = frame::encode_request(12, number, None, &request).expect("a request that fits");
        stream.write_all(&frame).await.expect("the broker listens");
    }
    drop(stream);
    let port = node.port();
    let left = || left_behind(port);
    for _ in 0..600 {
        if left() == 0 {
            node.stop().await;
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("{} connections are kept for clients that are gone", left());
}

fn wanted() -> MetadataRequestTopic {
    MetadataRequestTopic { name: Some("t".to_owned()), ..Default::default() }
}

fn unknown_to_be() -> FetchTopic {
    let partition = FetchPartition { partition_max_bytes: 1, ..Default::default() };
    FetchTopic { topic: "t".to_owned(), partitions: vec![partition], ..Default::default() }
}

/// Sockets of this port whose other end has closed.
fn left_behind(port: u16) -> usize {
    let table = std::fs::read_to_string("/proc/net/tcp").expect("Linux tells");
    let closing = |line: &&str| {
        let mut fields = line.split_whitespace().skip(1);
        let local = fields.next().is_some_and(|local| local.ends_with(&format!(":{port:04X}")));
        local && fields.nth(1) == Some("08")
    };
    table.lines().filter(closing).count()
}

/// A client that sends and never reads is read no further: what it sends piles up in its own socket, not here.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_reads_nothing_is_read_no_further() {
    let node = OneNode::start_with(&[("queued.max.requests.per.connection", "4")]).await;
    let stream = node.raw().await;
    let mut sent = 0_usize;
    let request = metadata(1);
    // Both sides' socket buffers hold some megabytes; far more than that must not fit.
    loop {
        match tokio::time::timeout(Duration::from_millis(500), stream.writable()).await {
            Err(_) => break,
            Ok(writable) => writable.expect("an open connection"),
        }
        match stream.try_write(&request.repeat(64)) {
            Ok(count) => sent += count,
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {}
            Err(error) => panic!("{error}"),
        }
        assert!(sent < 64 << 20, "the broker reads what it can't answer");
    }
    let mut other = node.raw().await;
    other.write_all(&metadata(1)).await.expect("the broker listens");
    assert!(frame_of(&mut other).await.is_some(), "others are served");
    node.stop().await;
}
