//! The lines of standard input.

use super::failure::Failure;
use bytes::Bytes;
use std::io::{self, BufRead};
use std::thread;
use tokio::sync::mpsc;

/// Lines that are read ahead.
const AHEAD: usize = 1000;

/// The number of a line, from 1, and what it says, without its end.
pub type Line = (usize, Bytes);

/// Reads in a thread of its own: standard input may keep silent while answers come.
pub fn read_lines() -> mpsc::Receiver<Result<Line, Failure>> {
    let (sender, receiver) = mpsc::channel(AHEAD);
    thread::spawn(move || {
        let mut input = io::stdin().lock();
        for number in 1.. {
            let mut line = Vec::new();
            let read = input.read_until(b'\n', &mut line);
            let read = read.map_err(|error| Failure::said(format!("cannot read standard input: {error}")));
            if matches!(read, Ok(0)) {
                return;
            }
            line.pop_if(|last| *last == b'\n');
            if sender.blocking_send(read.map(|_| (number, line.into()))).is_err() {
                return;
            }
        }
    });
    receiver
}
