//! One TCP connection to a server, and one request at a time on it.
//!
//! The versions of requests are negotiated when the connection is made (KIP-35), also with a server that does not know
//! the version of ApiVersions that it is asked in (KIP-511). Who wants many requests under way makes many connections.

use super::{ClientError, ErrorCode};
use crate::wire::messages::api_versions::ApiVersion;
use crate::wire::messages::{ApiVersionsRequest, ApiVersionsResponse, RequestHeader, ResponseHeader};
use crate::wire::reader::Reader;
use crate::wire::writer::Writer;
use crate::wire::{EncodeError, Message, RequestMessage, Unfit, Versions};
use bytes::{Bytes, BytesMut};
use std::collections::BTreeMap;
use std::io;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// The name that servers see in a request's header, unless it has another.
const CLIENT_ID: &str = "highwater";
/// The most bytes of one answer. A batch that came in a request as large as any may be, `socket.request.max.bytes`, goes
/// out to followers with more around it; and what speaks another protocol and begins with a letter says a larger length.
const MAX_RESPONSE_BYTES: usize = 512 * 1024 * 1024 - 1;
/// What is allocated for an answer before its bytes are there.
const AHEAD_BYTES: usize = 1024 * 1024;

/// A connection whose server's versions are known.
#[derive(Debug)]
pub struct Connection {
    address: String,
    stream: BufReader<TcpStream>,
    /// What the server speaks, by key.
    spoken: BTreeMap<i16, Versions>,
    last_correlation_id: i32,
    client_id: String,
    /// Whether an answer is outstanding. If nobody waits for it any more, it would be taken for the next one.
    under_way: bool,
}

impl Connection {
    /// Connects to `address` (`host:port`) and negotiates versions; both together may take as long as `within`.
    ///
    /// # Errors
    /// [`ClientError::Unreachable`] if there is no connection, or none to a Kafka server.
    pub async fn connect(address: &str, within: Duration) -> Result<Self, ClientError> {
        let unreachable = |error| ClientError::Unreachable { address: address.to_owned(), error };
        let connected = timeout(within, Self::negotiate(address)).await;
        match connected.unwrap_or_else(|_| Err(unreachable(io::ErrorKind::TimedOut.into()))) {
            // Nothing was asked yet but who is there, so nothing can have been carried out.
            Err(ClientError::Broken { error, .. }) => Err(unreachable(error)),
            outcome => outcome,
        }
    }

    /// The connection that is held, or a new one if there is none or the server has closed it meanwhile, as servers do
    /// with whoever has long said nothing. What is written to a closed connection is lost, and whether it was is not
    /// known; so this is asked before every request.
    ///
    /// # Errors
    /// As [`Connection::connect`].
    pub async fn held_or_new(held: Option<Self>, address: &str, within: Duration) -> Result<Self, ClientError> {
        match held {
            Some(held) if !held.is_spent() => Ok(held),
            _ => Self::connect(address, within).await,
        }
    }

    async fn negotiate(address: &str) -> Result<Self, ClientError> {
        let stream = open(address).await;
        let stream = stream.map_err(|error| ClientError::Unreachable { address: address.to_owned(), error })?;
        let mut connection = Self {
            address: address.to_owned(),
            stream: BufReader::new(stream),
            spoken: BTreeMap::new(),
            last_correlation_id: 0,
            client_id: CLIENT_ID.to_owned(),
            under_way: false,
        };
        let spoken = connection.api_versions().await?;
        let range = |api: &ApiVersion| (api.api_key, Versions::between(api.min_version, api.max_version));
        connection.spoken = spoken.api_keys.iter().map(range).collect();
        Ok(connection)
    }

    /// Asks in the newest version that this client knows, and then in the newest that the server knows.
    async fn api_versions(&mut self) -> Result<ApiVersionsResponse, ClientError> {
        let request = ApiVersionsRequest {
            client_software_name: CLIENT_ID.to_owned(),
            client_software_version: env!("CARGO_PKG_VERSION").to_owned(),
        };
        let newest = ApiVersionsRequest::VERSIONS.max;
        let (version, body) = self.exchange(newest, &request).await?;
        // A refusal comes in version 0, whichever was asked for; in every version it begins with the error code.
        let refused = body.starts_with(&ErrorCode::UNSUPPORTED_VERSION.0.to_be_bytes());
        let first: ApiVersionsResponse = self.decode(if refused { 0 } else { version }, &body)?;
        if !refused {
            ErrorCode(first.error_code).of(|| self.address.clone())?;
            return Ok(first);
        }
        let theirs = first.api_keys.iter().find(|api| api.api_key == ApiVersionsRequest::KEY.code());
        let version = theirs.map_or(0, |theirs| theirs.max_version.clamp(0, newest - 1));
        let response = self.call_at(version, &request).await?;
        ErrorCode(response.error_code).of(|| self.address.clone())?;
        Ok(response)
    }

    /// Has servers see this name in the headers of requests from now on.
    pub fn set_client_id(&mut self, id: &str) {
        id.clone_into(&mut self.client_id);
    }

    /// The server, `host:port`.
    #[must_use]
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Whether the server has hung up, or sent something that nobody asked for: no request should be risked on it.
    #[must_use]
    pub fn is_spent(&self) -> bool {
        let nothing_came = |error: io::Error| error.kind() == io::ErrorKind::WouldBlock;
        self.under_way || !self.stream.get_ref().try_read(&mut [0]).is_err_and(nothing_came)
    }

    /// The version in which a request of this kind is asked: the newest that both sides speak.
    ///
    /// # Errors
    /// [`ClientError::Unsupported`] if there is none.
    pub fn version_of<R: RequestMessage>(&self) -> Result<i16, ClientError> {
        let (ours, theirs) = (R::VERSIONS, self.spoken.get(&R::KEY.code()).copied());
        let common = theirs.map(|theirs| Versions::between(ours.min.max(theirs.min), ours.max.min(theirs.max)));
        common.filter(|common| !common.is_empty()).map(|common| common.max).ok_or_else(|| ClientError::Unsupported {
            address: self.address.clone(),
            api: R::KEY.api().name,
            ours,
            theirs,
        })
    }

    /// Asks, in the version that [`Connection::version_of`] names, and waits for the answer. Fields that this version
    /// lacks are not sent.
    ///
    /// Waits as long as it takes: who wants a limit drops the future, and then the connection, which is of no use any
    /// more. A request that no answer follows (a produce with acks 0) is for [`Connection::tell`].
    ///
    /// # Errors
    /// [`ClientError::Broken`] and [`ClientError::Malformed`] end the connection. An error code in the answer is for
    /// the caller to find.
    pub async fn call<R: RequestMessage>(&mut self, request: &R) -> Result<R::Response, ClientError> {
        let version = self.version_of::<R>()?;
        self.call_at(version, request).await
    }

    /// As [`Connection::call`], in this version, whether or not the server speaks it.
    ///
    /// # Errors
    /// As for [`Connection::call`].
    pub async fn call_at<R: RequestMessage>(&mut self, version: i16, request: &R) -> Result<R::Response, ClientError> {
        let (version, body) = self.exchange(version, request).await?;
        self.decode(version, &body)
    }

    /// Sends a request that is not answered. It is with the kernel when this returns; whether it arrives is not known.
    ///
    /// # Errors
    /// [`ClientError::Broken`] ends the connection.
    pub async fn tell<R: RequestMessage>(&mut self, request: &R) -> Result<(), ClientError> {
        let version = self.version_of::<R>()?;
        self.send(version, request).await?;
        self.under_way = false;
        Ok(())
    }

    /// The version asked in, and the bytes of the answer after its header.
    async fn exchange<R: RequestMessage>(&mut self, version: i16, request: &R) -> Result<(i16, Bytes), ClientError> {
        self.send(version, request).await?;
        let frame = self.receive().await?;
        let mut reader = Reader::new(&frame);
        let header = ResponseHeader::decode_from(&mut reader, R::KEY.api().response_header_version(version));
        let header = header.map_err(|error| ClientError::Malformed { address: self.address.clone(), error })?;
        if header.correlation_id != self.last_correlation_id {
            let (asked, answered) = (self.last_correlation_id, header.correlation_id);
            return Err(self.bad_frame(format!("it answers request {answered}, where {asked} was asked")));
        }
        self.under_way = false;
        Ok((version, frame.slice(reader.position()..)))
    }

    /// Sends one frame. From here until the whole answer is there the connection serves nothing else.
    async fn send<R: RequestMessage>(&mut self, version: i16, request: &R) -> Result<(), ClientError> {
        if self.under_way {
            return Err(self.broken(io::Error::other("an earlier request on it was given up")));
        }
        self.last_correlation_id = self.last_correlation_id.wrapping_add(1);
        let frame = encode(version, self.last_correlation_id, &self.client_id, request)?;
        self.under_way = true;
        let written = self.stream.write_all(&frame).await;
        written.map_err(|error| self.broken(error))
    }

    /// Receives one frame, without its length. Memory for it is taken as it arrives.
    async fn receive(&mut self) -> Result<Bytes, ClientError> {
        let length = self.stream.read_i32().await.map_err(|error| self.broken(error))?;
        let length = usize::try_from(length).ok().filter(|length| *length <= MAX_RESPONSE_BYTES);
        let Some(length) = length else {
            return Err(self.bad_frame(format!("its length is not between 0 and {MAX_RESPONSE_BYTES} bytes")));
        };
        let mut frame = Vec::with_capacity(length.min(AHEAD_BYTES));
        let read = (&mut self.stream).take(length as u64).read_to_end(&mut frame).await;
        match read.map_err(|error| self.broken(error))? {
            read if read == length => Ok(frame.into()),
            _ => Err(self.broken(io::ErrorKind::UnexpectedEof.into())),
        }
    }

    fn decode<M: Message>(&self, version: i16, body: &Bytes) -> Result<M, ClientError> {
        M::decode(body, version).map_err(|error| ClientError::Malformed { address: self.address.clone(), error })
    }

    fn broken(&self, error: io::Error) -> ClientError {
        ClientError::Broken { address: self.address.clone(), error }
    }

    fn bad_frame(&self, problem: String) -> ClientError {
        ClientError::BadFrame { address: self.address.clone(), problem }
    }
}

async fn open(address: &str) -> io::Result<TcpStream> {
    let stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

/// A whole frame, its length included.
fn encode<R: RequestMessage>(
    version: i16,
    correlation_id: i32,
    client_id: &str,
    request: &R,
) -> Result<BytesMut, ClientError> {
    let header = RequestHeader {
        request_api_key: R::KEY.code(),
        request_api_version: version,
        correlation_id,
        client_id: Some(client_id.to_owned()),
    };
    let mut writer = Writer::default();
    writer.put(&[0; 4]);
    header.encode(&mut writer, R::KEY.api().request_header_version(version))?;
    request.encode(&mut writer, version)?;
    let mut frame = BytesMut::from(writer.into_bytes());
    let length = frame.len() - 4;
    let length = i32::try_from(length).map_err(|_| EncodeError::from(Unfit::Long(length)))?;
    frame[..4].copy_from_slice(&length.to_be_bytes());
    Ok(frame)
}
