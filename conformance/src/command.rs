//! Runs a program to its end: input given, output taken, killed when it doesn't end.

use std::io::{self, Read, Write};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// No program that is run here needs so long, on the slowest machine.
pub const PATIENCE: Duration = Duration::from_secs(120);
const POLL: Duration = Duration::from_millis(10);

/// What a program did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ended {
    /// Whether its exit status is 0.
    pub success: bool,
    /// What it wrote to its standard output.
    pub stdout: String,
    /// What it wrote to its standard error, and why it was killed, if it was.
    pub stderr: String,
}

/// Runs `command` with `input` as its standard input. One that runs for longer than `patience` is killed.
pub fn run(command: &mut Command, input: &[u8], patience: Duration) -> io::Result<Ended> {
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
    let (stdin, stdout, stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
    thread::scope(|scope| {
        // A program may end without having read all of its input.
        scope.spawn(move || stdin.map(|mut stdin| stdin.write_all(input)));
        let stdout = scope.spawn(move || text(stdout));
        let stderr = scope.spawn(move || text(stderr));
        let status = wait(&mut child, patience);
        let (stdout, mut stderr) = (stdout.join().unwrap_or_default(), stderr.join().unwrap_or_default());
        if status.is_none() {
            stderr.push_str(&format!("killed: it ran for more than {} s\n", patience.as_secs()));
        }
        Ok(Ended { success: status.is_some_and(|status| status.success()), stdout, stderr })
    })
}

fn wait(child: &mut Child, patience: Duration) -> Option<std::process::ExitStatus> {
    let deadline = Instant::now() + patience;
    while Instant::now() < deadline {
        if let Ok(Some(status)) = child.try_wait() {
            return Some(status);
        }
        thread::sleep(POLL);
    }
    let _ = child.kill();
    let _ = child.wait();
    None
}

fn text(stream: Option<impl Read>) -> String {
    let mut bytes = Vec::new();
    if let Some(mut stream) = stream {
        let _ = stream.read_to_end(&mut bytes); // what came before an error is all there is
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn input_goes_in_and_output_comes_out() {
        let ended = run(&mut Command::new("cat"), b"in and out", PATIENCE).unwrap();
        assert_eq!(ended, Ended { success: true, stdout: "in and out".to_owned(), stderr: String::new() });
    }

    #[test]
    fn a_program_that_does_not_end_is_killed() {
        let ended = run(Command::new("sleep").arg("1000"), b"", Duration::ZERO).unwrap();
        assert!(!ended.success && ended.stderr.contains("killed"), "{ended:?}");
    }
}
