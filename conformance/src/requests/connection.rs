//! One TCP connection, and bytes on it: any bytes, and what comes of them.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream, ToSocketAddrs};
use std::time::Duration;

/// Longer than any request of the script waits for its answer.
const PATIENCE: Duration = Duration::from_secs(10);
/// No answer of the script is larger.
const LARGEST: usize = 64 << 20;

/// A connection to one broker.
pub struct Connection {
    stream: TcpStream,
}

/// What a broker does next on a connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Heard {
    /// It sent a frame, here without its length.
    Frame(Vec<u8>),
    /// It closed the connection.
    Closed,
    /// Nothing, for long.
    Nothing,
}

impl Connection {
    /// Connects to `host:port`.
    pub fn open(address: &str) -> io::Result<Self> {
        let mut last = io::Error::new(ErrorKind::AddrNotAvailable, "no such address");
        for address in address.to_socket_addrs()? {
            match TcpStream::connect_timeout(&address, PATIENCE) {
                Ok(stream) => {
                    stream.set_nodelay(true)?;
                    stream.set_read_timeout(Some(PATIENCE))?;
                    stream.set_write_timeout(Some(PATIENCE))?;
                    return Ok(Self { stream });
                }
                Err(error) => last = error,
            }
        }
        Err(last)
    }

    /// Sends bytes as they are. A broker that closed already is heard of by [`hear`](Self::hear).
    pub fn send(&mut self, bytes: &[u8]) {
        let _ = self.stream.write_all(bytes);
    }

    /// Says that nothing more will be sent.
    pub fn finish(&mut self) {
        let _ = self.stream.shutdown(Shutdown::Write);
    }

    /// What the broker does next.
    pub fn hear(&mut self) -> Heard {
        self.frame().unwrap_or_else(|error| match error.kind() {
            ErrorKind::WouldBlock | ErrorKind::TimedOut => Heard::Nothing,
            _ => Heard::Closed,
        })
    }

    fn frame(&mut self) -> io::Result<Heard> {
        let mut length = [0; 4];
        self.stream.read_exact(&mut length)?;
        let length = u32::from_be_bytes(length) as usize;
        if length > LARGEST {
            return Err(ErrorKind::InvalidData.into());
        }
        let mut frame = vec![0; length];
        self.stream.read_exact(&mut frame)?;
        Ok(Heard::Frame(frame))
    }
}
