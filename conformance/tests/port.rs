//! Ports that are held, in a process of their own: see [`Port`] for what a child would do to them.

use highwater_conformance::failures::port::Port;
use std::net::{TcpListener, TcpStream};

#[test]
fn a_server_can_listen_again_and_again_where_a_port_is_held() {
    let port = Port::free().unwrap();
    for _ in 0..3 {
        let listener = TcpListener::bind(port.address()).unwrap();
        let _client = TcpStream::connect(port.address()).unwrap();
        drop(listener.accept().unwrap());
    }
    assert!(TcpStream::connect(port.address()).is_err(), "nobody listens");
}
