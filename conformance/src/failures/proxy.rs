//! A stretch of network that can be cut: everything that goes to one server through it.
//!
//! While it is cut nothing gets through in either direction, and nobody is told: connections stay, new ones are made and
//! stay silent, as when packets are lost. When it heals, what was on its way arrives, however late.

use super::port::Port;
use std::io;
use std::net::SocketAddr;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// Forwards connections to one server. Ends with this value.
#[derive(Debug)]
pub struct Proxy {
    port: Port,
    cut: watch::Sender<bool>,
    accepting: JoinHandle<()>,
}

impl Proxy {
    /// Begins to forward to `server`, whether or not it listens yet.
    ///
    /// # Errors
    /// When there is no port.
    pub async fn to(server: SocketAddr) -> io::Result<Self> {
        let port = Port::free()?;
        let listener = TcpListener::bind(port.address()).await?;
        let (cut, is_cut) = watch::channel(false);
        Ok(Self { port, cut, accepting: tokio::spawn(accept(listener, server, is_cut)) })
    }

    /// Where to connect.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.port.address()
    }

    /// Nothing gets through from now on.
    pub fn cut(&self) {
        self.cut.send_replace(true);
    }

    /// All is as it was, and what waited arrives.
    pub fn heal(&self) {
        self.cut.send_replace(false);
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn accept(listener: TcpListener, server: SocketAddr, mut is_cut: watch::Receiver<bool>) {
    while healed(&mut is_cut).await {
        let Ok((stream, _)) = listener.accept().await else { continue };
        tokio::spawn(forward(stream, server, is_cut.clone()));
    }
}

async fn forward(client: TcpStream, server: SocketAddr, mut is_cut: watch::Receiver<bool>) {
    // Refused by the server: the client sees its connection end.
    if !healed(&mut is_cut).await {
        return;
    }
    let Ok(server) = TcpStream::connect(server).await else { return };
    let _ = (client.set_nodelay(true), server.set_nodelay(true));
    let ((from_client, to_client), (from_server, to_server)) = (client.into_split(), server.into_split());
    // The end of one direction ends both: nobody here half-closes.
    tokio::select! {
        () = copy(from_client, to_server, is_cut.clone()) => {}
        () = copy(from_server, to_client, is_cut) => {}
    }
}

async fn copy(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, mut is_cut: watch::Receiver<bool>) {
    let mut buffer = vec![0; 64 << 10];
    loop {
        let read = from.read(&mut buffer).await;
        // Also the end of a connection is news that doesn't get through.
        if !healed(&mut is_cut).await {
            return;
        }
        let Ok(read @ 1..) = read else { return };
        if to.write_all(&buffer[..read]).await.is_err() {
            return;
        }
    }
}

/// Waits while it is cut. False when the proxy is gone.
async fn healed(is_cut: &mut watch::Receiver<bool>) -> bool {
    is_cut.wait_for(|cut| !cut).await.is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::time::{Duration, timeout};

    /// Long enough for what could come to come; nothing is waited for longer where all is well.
    const QUIET: Duration = Duration::from_millis(50);

    #[tokio::test]
    async fn what_is_sent_while_cut_arrives_when_healed_and_not_before() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let proxy = Proxy::to(listener.local_addr().unwrap()).await.unwrap();
        let mut client = TcpStream::connect(proxy.address()).await.unwrap();
        let (mut server, _) = listener.accept().await.unwrap();
        client.write_all(b"a").await.unwrap();
        assert_eq!(server.read_u8().await.unwrap(), b'a');

        proxy.cut();
        client.write_all(b"b").await.unwrap();
        server.write_all(b"c").await.unwrap();
        assert!(timeout(QUIET, server.read_u8()).await.is_err(), "to the server");
        assert!(timeout(QUIET, client.read_u8()).await.is_err(), "to the client");
        let _silent = TcpStream::connect(proxy.address()).await.unwrap();
        assert!(timeout(QUIET, listener.accept()).await.is_err(), "a new connection");

        proxy.heal();
        assert_eq!(server.read_u8().await.unwrap(), b'b');
        assert_eq!(client.read_u8().await.unwrap(), b'c');
        listener.accept().await.unwrap();
    }
}
