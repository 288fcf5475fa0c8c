//! Ports for servers that stop and start again.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use tokio::net::TcpSocket;

/// A port that the kernel chose, and gives to nobody else for as long as this value lives.
///
/// The socket is bound and never listens: a server that sets `SO_REUSEADDR`, as servers do, can still listen there,
/// time and again, and no connection going out takes the port in between. What can take it is a child that this process
/// starts just then: it holds the server's socket as well, until it runs its program.
#[derive(Debug)]
pub struct Port {
    number: u16,
    _held: TcpSocket,
}

impl Port {
    /// One that is free.
    ///
    /// # Errors
    /// When the system has none.
    pub fn free() -> io::Result<Self> {
        let held = TcpSocket::new_v4()?;
        held.set_reuseaddr(true)?;
        held.bind((Ipv4Addr::LOCALHOST, 0).into())?;
        Ok(Self { number: held.local_addr()?.port(), _held: held })
    }

    /// Its address on this machine.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        (Ipv4Addr::LOCALHOST, self.number).into()
    }
}
