//! One client's connection: requests come in, answers leave in the same order.
//!
//! A request is begun when it arrives (a produce is with its shard before the next request is read), and answered when
//! those before it are. What a connection may have under way is bounded, in requests and in bytes: a client that does
//! not read its answers is read no further. Bytes that are no request close the connection, with one line in the log.

use crate::wire::messages::RequestHeader;
use crate::wire::{ApiKey, DecodeError, EncodeError, Fault, Listener, Request, Response, frame};
use bytes::{Buf, Bytes, BytesMut};
use std::future::Future;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt, Interest};
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio::time::{sleep, timeout};

/// The most bytes of a request that carries no records. What is made of it takes a multiple of them.
const MOST_WITHOUT_RECORDS: usize = 8 << 20;

/// How often it is looked whether a client that is read no further is still there.
const GONE: Duration = Duration::from_secs(1);

/// How a request ends.
pub enum Reply {
    /// With this answer.
    Response(Response),
    /// Without one (a produce with acks=0).
    Nothing,
    /// With the end of the connection, for this reason.
    Close(String),
}

/// The rest of a request that was begun.
pub type Pending = Pin<Box<dyn Future<Output = Reply> + Send>>;

/// Whoever answers requests.
pub trait Service: Send + Sync + 'static {
    /// Which requests it knows.
    fn listener(&self) -> Listener;

    /// Begins a request. What must happen in the order of arrival happens now; the rest when it is awaited.
    fn begin(self: Arc<Self>, header: &RequestHeader, request: Request, from: SocketAddr) -> Pending;

    /// The answer to an ApiVersions request of a version that does not exist (KIP-511).
    fn unsupported_api_versions(&self) -> Response;
}

/// What one connection may use.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// `socket.request.max.bytes`: the size of one request, in bytes.
    pub request_bytes: usize,
    /// How many bytes of requests may be under way. One request larger than that may be, alone.
    pub bytes_under_way: usize,
    /// How many requests may be under way.
    pub requests_under_way: usize,
    /// `connections.max.idle.ms`: how long a connection may say nothing, or take for one request.
    pub idle: Duration,
}

/// Why a connection was closed by this side.
#[derive(Debug, thiserror::Error)]
enum Closed {
    #[error("{0}")]
    Io(#[from] std::io::Error),
    #[error("a request of {0} bytes, where {1} are allowed")]
    TooLarge(i64, usize),
    #[error("not a request: {0}")]
    Malformed(#[from] DecodeError),
    #[error("{0} is not served on this listener")]
    NotHere(ApiKey),
    #[error("an answer that does not fit: {0}")]
    Unfit(#[from] EncodeError),
    #[error("nothing came for {} ms (connections.max.idle.ms)", .0.as_millis())]
    Idle(Duration),
    #[error("{0}")]
    Refused(String),
}

/// A request that is under way, and what it takes.
struct UnderWay {
    version: i16,
    correlation_id: i32,
    pending: Pending,
    _bytes: OwnedSemaphorePermit,
}

/// Serves one connection until either side ends it.
pub async fn serve<S: Service>(stream: TcpStream, from: SocketAddr, service: Arc<S>, limits: Limits) {
    let _ = stream.set_nodelay(true);
    let (reading, writing) = stream.into_split();
    let (begun, under_way) = mpsc::channel(limits.requests_under_way);
    let outcome = tokio::select! {
        outcome = read(reading, from, service, limits, begun) => outcome,
        outcome = write(writing, under_way) => outcome,
    };
    match outcome {
        Ok(()) => {}
        Err(error @ Closed::Idle(_)) => tracing::debug!(%from, %error, "connection closed"),
        Err(Closed::Io(error)) => tracing::debug!(%from, %error, "connection lost"),
        Err(error) => tracing::warn!(%from, %error, "connection closed"),
    }
}

async fn read<S: Service>(
    mut stream: OwnedReadHalf,
    from: SocketAddr,
    service: Arc<S>,
    limits: Limits,
    begun: mpsc::Sender<UnderWay>,
) -> Result<(), Closed> {
    let bytes_under_way = Arc::new(Semaphore::new(limits.bytes_under_way));
    let mut buffer = BytesMut::new();
    loop {
        let next = timeout(limits.idle, read_length(&mut stream, &mut buffer, limits.request_bytes)).await;
        let Some(length) = next.map_err(|_| Closed::Idle(limits.idle))?? else { return Ok(()) };
        let permits = u32::try_from(length.min(limits.bytes_under_way)).unwrap_or(u32::MAX);
        let free = Arc::clone(&bytes_under_way).acquire_many_owned(permits);
        let Some(Ok(bytes)) = unless_gone(&stream, free).await else { return Ok(()) };
        let frame = timeout(limits.idle, read_frame(&mut stream, &mut buffer, length)).await;
        let frame = frame.map_err(|_| Closed::Idle(limits.idle))??;
        let begin = begin(&service, &frame, from)?;
        let (version, correlation_id, pending) = begin;
        let under_way = UnderWay { version, correlation_id, pending, _bytes: bytes };
        let Some(Ok(())) = unless_gone(&stream, begun.send(under_way)).await else { return Ok(()) };
    }
}

/// Waits until there is room for another request, or the client is gone: while it waits, nobody reads, and so nobody
/// would see the end.
async fn unless_gone<T>(stream: &OwnedReadHalf, room: impl Future<Output = T>) -> Option<T> {
    tokio::pin!(room);
    loop {
        tokio::select! {
            room = &mut room => return Some(room),
            () = sleep(GONE) => {
                let ready = timeout(Duration::ZERO, stream.ready(Interest::READABLE)).await;
                if ready.is_ok_and(|ready| ready.is_ok_and(|ready| ready.is_read_closed())) {
                    return None;
                }
            }
        }
    }
}

/// The length of the next frame; `None` when the client has no more.
async fn read_length(stream: &mut OwnedReadHalf, buffer: &mut BytesMut, most: usize) -> Result<Option<usize>, Closed> {
    while buffer.len() < 4 {
        if stream.read_buf(buffer).await? == 0 {
            return Ok(None);
        }
    }
    let length = buffer.get_i32();
    match usize::try_from(length) {
        Ok(length) if length <= most => Ok(Some(length)),
        _ => Err(Closed::TooLarge(length.into(), most)),
    }
}

/// The next frame. Memory grows with what has come, not with what was announced.
async fn read_frame(stream: &mut OwnedReadHalf, buffer: &mut BytesMut, length: usize) -> Result<Bytes, Closed> {
    while buffer.len() < length {
        if stream.read_buf(buffer).await? == 0 {
            return Err(Closed::Refused(format!(
                "it ended within a request, after {} of {length} bytes",
                buffer.len()
            )));
        }
    }
    Ok(buffer.split_to(length).freeze())
}

fn begin<S: Service>(service: &Arc<S>, bytes: &Bytes, from: SocketAddr) -> Result<(i16, i32, Pending), Closed> {
    let header = frame::header(bytes)?;
    if bytes.len() > MOST_WITHOUT_RECORDS && header.request_api_key != ApiKey::Produce.code() {
        return Err(Closed::TooLarge(bytes.len() as i64, MOST_WITHOUT_RECORDS));
    }
    let key = ApiKey::from_code(header.request_api_key).filter(|key| key.api().listeners.contains(&service.listener()));
    let (version, correlation_id) = (header.request_api_version, header.correlation_id);
    match frame::decode_request(bytes) {
        Ok((header, request)) => {
            let key = key.ok_or_else(|| Closed::NotHere(request.key()))?;
            tracing::trace!(%from, %key, version, "request");
            Ok((version, correlation_id, Arc::clone(service).begin(&header, request, from)))
        }
        Err(DecodeError { fault: Fault::Version(_), .. }) if key == Some(ApiKey::ApiVersions) => {
            let response = service.unsupported_api_versions();
            Ok((0, correlation_id, Box::pin(async { Reply::Response(response) })))
        }
        Err(error) => Err(error.into()),
    }
}

async fn write(mut stream: OwnedWriteHalf, mut under_way: mpsc::Receiver<UnderWay>) -> Result<(), Closed> {
    while let Some(UnderWay { version, correlation_id, pending, _bytes }) = under_way.recv().await {
        match pending.await {
            Reply::Response(response) => {
                let bytes = frame::encode_response(version, correlation_id, &response)?;
                stream.write_all(&bytes).await?;
            }
            Reply::Nothing => {}
            Reply::Close(reason) => return Err(Closed::Refused(reason)),
        }
    }
    Ok(())
}
