//! What isn't a frame, or hardly one.

use super::super::session::frame_of;
use super::{Session, SessionError};

/// ApiVersions in version 0, the smallest request: a header and nothing.
fn smallest() -> Vec<u8> {
    frame_of(18, 0, 7, false, &[])
}

pub(super) fn ask(session: &mut Session) -> Result<(), SessionError> {
    for length in [0, -1, i32::MIN, 104_857_601, i32::MAX] {
        session.ask_raw(&format!("length {length} alone"), "four bytes", &length.to_be_bytes());
    }
    for length in [0, -1, 104_857_601] {
        let bytes = [&i32::to_be_bytes(length)[..], &smallest()].concat();
        session.ask_raw(&format!("length {length}, then a sound request"), "both", &bytes);
    }
    let sound = smallest();
    for length in [0, 1, 3, 4, 5, 8, sound.len() - 1] {
        session.ask_raw(&format!("cut to {length} bytes"), "the beginning of a sound request", &sound[..length]);
    }
    session.ask_raw("HTTP", "GET / HTTP/1.1", b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
    session.ask_raw("TLS", "a TLS handshake's first bytes", b"\x16\x03\x01\x00\xc8\x01\x00\x00\xc4\x03\x03");
    for (what, body) in headers() {
        let length = (body.len() as u32).to_be_bytes();
        session.ask_raw(&format!("header: {what}"), "a frame", &[&length[..], &body].concat());
    }
    Ok(())
}

/// Headers of ApiVersions that are damaged. Sound ones are elsewhere: an answer to these would be a surprise.
fn headers() -> Vec<(&'static str, Vec<u8>)> {
    let of_version = |version: u8, rest: &[u8]| [&[0, 18, 0, version, 0, 0, 0, 7][..], rest].concat();
    vec![
        ("one byte", vec![0]),
        ("a key", vec![0, 18]),
        ("a key and a version", vec![0, 18, 0, 0]),
        ("no client id", of_version(0, &[])),
        ("client id of length -2", of_version(0, &[0xff, 0xfe])),
        ("client id that reaches past the end", of_version(0, &[0, 5, b'a'])),
        ("client id of length 32767", of_version(0, &[0x7f, 0xff, b'a'])),
        ("tagged fields missing", of_version(3, &[0xff, 0xff])),
        ("a tagged field that reaches past the end", of_version(3, &[0xff, 0xff, 1, 0, 100, 1])),
        ("a varint without end", of_version(3, &[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff])),
    ]
}
