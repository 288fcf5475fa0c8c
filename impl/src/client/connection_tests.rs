//! A connection against a server that is a few lines of script.

use super::{ClientError, Connection};
use crate::wire::messages::api_versions::ApiVersion;
use crate::wire::messages::{ApiVersionsResponse, DescribeClusterRequest, DescribeClusterResponse, MetadataRequest};
use crate::wire::{ApiKey, Request, Response, frame};
use bytes::Bytes;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream};

const LONG: Duration = Duration::from_secs(60);

/// The other end of a connection.
struct Server(TcpStream);

impl Server {
    async fn accept(listener: &TcpListener) -> Self {
        Self(listener.accept().await.unwrap().0)
    }

    /// The next request's version, correlation id and content.
    async fn asked(&mut self) -> (i16, i32, Option<Request>) {
        let length = self.0.read_i32().await.unwrap();
        let mut request = vec![0; usize::try_from(length).unwrap()];
        self.0.read_exact(&mut request).await.unwrap();
        let request = Bytes::from(request);
        let header = frame::header(&request).unwrap();
        let content = frame::decode_request(&request).ok().map(|(_, content)| content);
        (header.request_api_version, header.correlation_id, content)
    }

    async fn answer(&mut self, version: i16, correlation_id: i32, response: impl Into<Response>) {
        let bytes = frame::encode_response(version, correlation_id, &response.into()).unwrap();
        self.0.write_all(&bytes).await.unwrap();
    }

    async fn negotiate(&mut self) {
        let (version, correlation_id, _) = self.asked().await;
        self.answer(version, correlation_id, versions(0)).await;
    }
}

/// Knows ApiVersions up to 2, DescribeCluster 1 and Metadata in a future version.
fn versions(error_code: i16) -> ApiVersionsResponse {
    let known = [(ApiKey::ApiVersions, 0, 2), (ApiKey::DescribeCluster, 0, 1), (ApiKey::Metadata, 900, 901)];
    let range = |(key, min_version, max_version): (ApiKey, i16, i16)| ApiVersion {
        api_key: key.code(),
        min_version,
        max_version,
    };
    ApiVersionsResponse { error_code, api_keys: known.map(range).into(), ..Default::default() }
}

fn named(cluster: &str) -> DescribeClusterResponse {
    DescribeClusterResponse { cluster_id: cluster.to_owned(), ..Default::default() }
}

async fn listening() -> (TcpListener, String) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    (listener, address)
}

/// Both ends of a connection that has been negotiated.
async fn pair() -> (Connection, Server) {
    let (listener, address) = listening().await;
    let serve = async {
        let mut server = Server::accept(&listener).await;
        server.negotiate().await;
        server
    };
    let (connection, server) = tokio::join!(Connection::connect(&address, LONG), serve);
    (connection.unwrap(), server)
}

async fn describe(connection: &mut Connection) -> Result<String, ClientError> {
    connection.call(&DescribeClusterRequest::default()).await.map(|response| response.cluster_id)
}

#[tokio::test]
async fn the_newest_common_version_is_asked() {
    let (mut connection, mut server) = pair().await;
    assert_eq!(connection.version_of::<DescribeClusterRequest>().unwrap(), 1);
    let serve = async {
        for name in ["first", "second"] {
            let (version, correlation_id, request) = server.asked().await;
            assert_eq!((version, request.unwrap().key()), (1, ApiKey::DescribeCluster));
            server.answer(1, correlation_id, named(name)).await;
        }
    };
    let ask = async { (describe(&mut connection).await.unwrap(), describe(&mut connection).await.unwrap()) };
    assert_eq!(tokio::join!(ask, serve).0, ("first".to_owned(), "second".to_owned()));
}

#[tokio::test]
async fn a_request_without_common_version_is_not_asked() {
    let (mut connection, _server) = pair().await;
    let error = connection.call(&MetadataRequest::default()).await.unwrap_err();
    let expected = format!("{} does not speak Metadata in versions 0-13, only 900-901", connection.address());
    assert_eq!(error.to_string(), expected);
    assert!(error.had_no_effect());
}

#[tokio::test]
async fn an_older_server_is_asked_for_its_versions_again() {
    let (listener, address) = listening().await;
    let serve = async {
        let mut server = Server::accept(&listener).await;
        let (version, correlation_id, _) = server.asked().await;
        assert!(version > 2);
        server.answer(0, correlation_id, versions(35)).await;
        let (version, correlation_id, _) = server.asked().await;
        assert_eq!(version, 2, "the newest that it said it knows");
        server.answer(2, correlation_id, versions(0)).await;
    };
    let (connection, ()) = tokio::join!(Connection::connect(&address, LONG), serve);
    assert_eq!(connection.unwrap().version_of::<DescribeClusterRequest>().unwrap(), 1);
}

#[tokio::test]
async fn nobody_there_is_said_so() {
    // Bound, but not listening: nobody else can get the port, and nobody answers at it.
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let address = socket.local_addr().unwrap().to_string();
    let error = Connection::connect(&address, LONG).await.unwrap_err();
    let expected = format!("cannot reach {address}: connection refused; is a broker running there?");
    assert_eq!(error.to_string(), expected);
    assert!(error.had_no_effect());
}

#[tokio::test]
async fn someone_who_hangs_up_or_keeps_silent_is_no_broker() {
    let (listener, address) = listening().await;
    let serve = async { drop(Server::accept(&listener).await) };
    let (outcome, ()) = tokio::join!(Connection::connect(&address, LONG), serve);
    let error = outcome.unwrap_err().to_string();
    assert!(error.starts_with(&format!("cannot reach {address}: ")), "{error}");
    assert!(error.ends_with("; does something else listen there?"), "{error}");

    let outcome = Connection::connect(&address, Duration::from_millis(1)).await;
    let expected = format!("cannot reach {address}: timed out; does something else listen there?");
    assert_eq!(outcome.unwrap_err().to_string(), expected);
}

#[tokio::test]
async fn a_server_that_hangs_up_may_have_done_it_all_the_same() {
    let (mut connection, mut server) = pair().await;
    let serve = async move {
        server.asked().await;
    };
    let (outcome, ()) = tokio::join!(describe(&mut connection), serve);
    let error = outcome.unwrap_err();
    assert_eq!(
        error.to_string(),
        format!("the connection to {} broke: closed by the other side", connection.address())
    );
    assert!(!error.had_no_effect());
}

#[tokio::test]
async fn a_connection_that_the_server_closed_is_spent_and_another_is_made() {
    let (listener, address) = listening().await;
    let serve = async || {
        let mut server = Server::accept(&listener).await;
        server.negotiate().await;
        server
    };
    let (connection, server) = tokio::join!(Connection::held_or_new(None, &address, LONG), serve());
    let connection = connection.unwrap();
    assert!(!connection.is_spent());
    // One that stands is kept: nobody accepts another.
    let connection = Connection::held_or_new(Some(connection), &address, LONG).await.unwrap();
    drop(server);
    while !connection.is_spent() {
        tokio::task::yield_now().await;
    }
    let again = Connection::held_or_new(Some(connection), &address, LONG);
    let (again, _server) = tokio::join!(again, serve());
    assert!(!again.unwrap().is_spent());
}

#[tokio::test]
async fn half_an_answer_is_none() {
    let (mut connection, mut server) = pair().await;
    let serve = async move {
        let (version, correlation_id, _) = server.asked().await;
        let whole = frame::encode_response(version, correlation_id, &named("whole").into()).unwrap();
        server.0.write_all(&whole[..whole.len() - 1]).await.unwrap();
    };
    let (outcome, ()) = tokio::join!(describe(&mut connection), serve);
    assert!(matches!(outcome, Err(ClientError::Broken { .. })), "{outcome:?}");
}

#[tokio::test]
async fn an_answer_to_something_else_ends_the_connection() {
    for (other, named_request) in [(1, 3), (-1, 1)] {
        let (mut connection, mut server) = pair().await;
        let serve = async {
            let (version, correlation_id, _) = server.asked().await;
            server.answer(version, correlation_id + other, named("to something else")).await;
        };
        let (outcome, ()) = tokio::join!(describe(&mut connection), serve);
        let error = outcome.unwrap_err().to_string();
        let expected = format!("sent what is no answer: it answers request {named_request}, where 2 was asked");
        assert!(error.ends_with(&expected), "{error}");
        assert!(matches!(describe(&mut connection).await, Err(ClientError::Broken { .. })));
    }
}

#[tokio::test]
async fn a_request_that_was_given_up_ends_the_connection() {
    let (mut connection, mut server) = pair().await;
    {
        let ask = describe(&mut connection);
        tokio::pin!(ask);
        let asked = tokio::select! {
            _ = &mut ask => panic!("nobody answered"),
            asked = server.asked() => asked,
        };
        server.answer(asked.0, asked.1, named("too late")).await;
    }
    let error = describe(&mut connection).await.unwrap_err().to_string();
    assert!(error.ends_with("an earlier request on it was given up"), "{error}");
}

#[tokio::test]
async fn impossible_lengths_are_refused_before_memory_is_taken() {
    for length in [-1, i32::MIN, i32::MAX] {
        let (mut connection, mut server) = pair().await;
        let serve = async {
            server.asked().await;
            server.0.write_all(&length.to_be_bytes()).await.unwrap();
        };
        let (outcome, ()) = tokio::join!(describe(&mut connection), serve);
        assert!(matches!(outcome, Err(ClientError::BadFrame { .. })), "{length}: {outcome:?}");
    }
}

#[tokio::test]
async fn a_request_without_answer_leaves_the_connection_free() {
    let (mut connection, mut server) = pair().await;
    let serve = async {
        let (_, first, _) = server.asked().await;
        let (version, second, _) = server.asked().await;
        assert_ne!(first, second);
        server.answer(version, second, named("second")).await;
    };
    let ask = async {
        connection.tell(&DescribeClusterRequest::default()).await.unwrap();
        describe(&mut connection).await.unwrap()
    };
    assert_eq!(tokio::join!(ask, serve).0, "second");
}
