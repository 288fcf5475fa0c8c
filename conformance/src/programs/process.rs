//! A client's process: started, asked to end, killed, put to sleep, woken.

use super::recorder::Recorder;
use crate::histories::Deed;
use rustix::process::{Pid, Signal, kill_process};
use std::io::{self, BufRead, BufReader, Read, Write};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// A client that hasn't ended by then never will.
const PATIENCE: Duration = Duration::from_secs(60);
const POLL: Duration = Duration::from_millis(10);

/// A client that runs, whose events are recorded. Killed when dropped.
#[derive(Debug)]
pub struct Process {
    who: String,
    group: Option<String>,
    recorder: Recorder,
    child: Child,
    /// It ends when this does.
    stdin: Option<ChildStdin>,
    said: Arc<Mutex<String>>,
    reader: Option<JoinHandle<()>>,
}

impl Process {
    /// Starts it. Each line of its standard output is an event.
    ///
    /// # Errors
    /// When it can't be started.
    pub fn start(command: &mut Command, who: &str, group: Option<&str>, recorder: &Recorder) -> io::Result<Self> {
        let (name, to) = (who.to_owned(), recorder.clone());
        Self::start_with(command, who, group, recorder, move |line, _| to.note_line(&name, line))
    }

    /// Starts one whose output is no events: `note` makes them of its lines, and of when it was started.
    ///
    /// # Errors
    /// When it can't be started.
    pub fn start_with(
        command: &mut Command,
        who: &str,
        group: Option<&str>,
        recorder: &Recorder,
        note: impl Fn(&str, u64) + Send + 'static,
    ) -> io::Result<Self> {
        let began = Recorder::now();
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
        let (stdin, stdout, stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
        let said = Arc::new(Mutex::new(String::new()));
        let also = Arc::clone(&said);
        thread::spawn(move || stderr.into_iter().for_each(|stream| collect(stream, &also)));
        let reader = thread::spawn(move || {
            let lines = stdout.into_iter().flat_map(|stream| BufReader::new(stream).lines().map_while(Result::ok));
            lines.for_each(|line| note(&line, began));
        });
        let (who, group, recorder) = (who.to_owned(), group.map(str::to_owned), recorder.clone());
        Ok(Self { who, group, recorder, child, stdin, said, reader: Some(reader) })
    }

    /// Its name.
    #[must_use]
    pub fn who(&self) -> &str {
        &self.who
    }

    /// Writes a line to its standard input.
    ///
    /// # Errors
    /// When it has ended.
    pub fn tell(&mut self, line: &str) -> io::Result<()> {
        let stdin = self.stdin.as_mut().ok_or_else(|| io::Error::other("it was asked to end"))?;
        writeln!(stdin, "{line}")?;
        stdin.flush()
    }

    /// Asks it to end, and waits until it has. All its events are recorded then.
    ///
    /// # Errors
    /// When it doesn't end, or not with success.
    pub fn finish(mut self) -> Result<(), String> {
        self.stdin = None;
        let deadline = Instant::now() + PATIENCE;
        let status = loop {
            match self.child.try_wait() {
                Ok(Some(status)) => break status.success().then_some(()).ok_or(format!("it ended with {status}")),
                Ok(None) if Instant::now() < deadline => thread::sleep(POLL),
                Ok(None) => break Err("it was asked to end, and did not".to_owned()),
                Err(error) => break Err(error.to_string()),
            }
        };
        let outcome = status.map_err(|why| format!("{}: {why}; it said:\n{}", self.who, self.said()));
        if outcome.is_ok() {
            self.reader.take().map(JoinHandle::join);
            self.recorder.note_said(&self.who, &self.said());
        }
        outcome
    }

    /// `kill -9`. All its events are recorded then.
    pub fn kill(mut self) {
        self.end();
    }

    /// Puts it to sleep: it keeps its memory and its connections, and does nothing.
    ///
    /// # Errors
    /// When it has ended.
    pub fn pause(&self) -> io::Result<()> {
        self.signal(Signal::STOP)
    }

    /// Wakes it.
    ///
    /// # Errors
    /// When it has ended.
    pub fn resume(&self) -> io::Result<()> {
        self.signal(Signal::CONT)
    }

    /// Asks it to end by a signal, if it isn't one that ends with its input.
    ///
    /// # Errors
    /// When it has ended.
    pub fn interrupt(&self) -> io::Result<()> {
        self.signal(Signal::TERM)
    }

    /// What it has written to its standard error so far.
    #[must_use]
    pub fn said(&self) -> String {
        self.said.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn signal(&self, signal: Signal) -> io::Result<()> {
        let pid = Pid::from_raw(self.child.id().cast_signed()).ok_or_else(|| io::Error::other("no process"))?;
        Ok(kill_process(pid, signal)?)
    }

    fn end(&mut self) {
        let Some(reader) = self.reader.take() else { return };
        let began = Recorder::now();
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = reader.join();
        self.recorder.note_said(&self.who, &self.said());
        self.recorder.note(&self.who, self.group.as_deref(), began, Deed::Gone);
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.end();
    }
}

fn collect(mut stream: impl Read, into: &Mutex<String>) {
    let mut buffer = [0; 4096];
    while let Ok(count @ 1..) = stream.read(&mut buffer) {
        into.lock().unwrap_or_else(PoisonError::into_inner).push_str(&String::from_utf8_lossy(&buffer[..count]));
    }
}
