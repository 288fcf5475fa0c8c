//! The book in a browser: a server of files for one reader, who may be writing.
//!
//! Before a page is sent, whatever was changed since it was built is built again. Not a server for the world.

use crate::book;
use crate::workspace::Workspace;
use std::io::{self, BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime};
use std::{fs, thread};

/// What the book is made from.
const SOURCES: [&str; 6] = ["book", "scenarios", "spec", "impl", "checker", "conformance"];

/// How long a browser may take to ask, or to listen.
const PATIENCE: Duration = Duration::from_secs(10);

/// A book that is served.
pub struct Served {
    workspace: Workspace,
    folder: PathBuf,
    built: Mutex<Option<SystemTime>>,
}

impl Served {
    /// The book of a workspace, as it was just built into a folder.
    pub fn new(workspace: Workspace, folder: PathBuf) -> Self {
        let built = Mutex::new(changed(&workspace));
        Self { workspace, folder, built }
    }

    /// Answers browsers, each on a thread of its own, for ever.
    ///
    /// # Errors
    /// If the listener can't hand out connections any more.
    pub fn run(&self, listener: &TcpListener) -> io::Result<()> {
        thread::scope(|scope| {
            for stream in listener.incoming() {
                let stream = stream?;
                scope.spawn(move || {
                    // Who has gone away needs no answer.
                    let _ = self.answer(stream);
                });
            }
            Ok(())
        })
    }

    /// Builds what has changed, and says on stderr what is wrong with it.
    fn refresh(&self) {
        let mut built = self.built.lock().unwrap_or_else(PoisonError::into_inner);
        let changed = changed(&self.workspace);
        if *built == changed {
            return;
        }
        match book::build(&self.workspace, &self.folder) {
            Ok(complaints) => complaints.iter().for_each(|complaint| eprintln!("{complaint}")),
            Err(error) => eprintln!("highwater-book: {error}"),
        }
        *built = changed;
    }

    fn answer(&self, mut stream: TcpStream) -> io::Result<()> {
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        let mut first = String::new();
        let mut head = BufReader::new(io::Read::take(&stream, 1 << 16));
        head.read_line(&mut first)?;
        // The rest of the head is read, so that closing does not reset the connection.
        let mut line = String::new();
        while head.read_line(&mut line)? > 2 {
            line.clear();
        }
        let mut words = first.split(' ');
        let (Some("GET" | "HEAD"), Some(target)) = (words.next(), words.next()) else {
            return stream
                .write_all(b"HTTP/1.1 405 Method Not Allowed\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
        };
        let (status, path) = match file_of(&self.folder, target) {
            Some(path) => {
                if path.extension().is_some_and(|extension| extension == "html") {
                    self.refresh();
                }
                ("200 OK", path)
            }
            None => ("404 Not Found", self.folder.join("404.html")),
        };
        let body = fs::read(&path).unwrap_or_default();
        let length = body.len();
        let head = format!(
            "HTTP/1.1 {status}\r\nContent-Type: {}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n",
            content_type(&path)
        );
        stream.write_all(head.as_bytes())?;
        if first.starts_with("GET") { stream.write_all(&body) } else { Ok(()) }
    }
}

/// The file that a browser asks for, if it is there, and in the folder.
fn file_of(folder: &Path, target: &str) -> Option<PathBuf> {
    let path = target.split(['?', '#']).next()?.strip_prefix('/')?;
    let path = if path.is_empty() { "index.html" } else { path };
    // An empty first part would begin at the root of the disk.
    let is_plain = path.split('/').all(|part| !part.is_empty() && part != ".." && !part.contains(['\\', '\0']));
    let file = folder.join(path);
    (is_plain && file.is_file()).then_some(file)
}

fn content_type(path: &Path) -> &'static str {
    match path.extension().and_then(|extension| extension.to_str()).unwrap_or_default() {
        "html" => "text/html; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "js" => "text/javascript; charset=utf-8",
        "json" => "application/json",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "woff2" => "font/woff2",
        _ => "application/octet-stream",
    }
}

/// When anything that the book is made from was last changed.
fn changed(workspace: &Workspace) -> Option<SystemTime> {
    SOURCES.iter().filter_map(|folder| newest(&workspace.path(folder))).max()
}

/// When anything in a folder was last changed.
fn newest(folder: &Path) -> Option<SystemTime> {
    let entries = fs::read_dir(folder).ok()?.flatten();
    let times = entries.filter_map(|entry| {
        let metadata = entry.metadata().ok()?;
        let own = metadata.modified().ok();
        if metadata.is_dir() { newest(&entry.path()).max(own) } else { own }
    });
    times.max()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read;

    fn asked(folder: &Path, request: &str) -> String {
        let served = Served::new(Workspace::at(folder), folder.to_owned());
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
        let mut browser = TcpStream::connect(listener.local_addr().expect("it listens")).expect("it listens");
        browser.write_all(request.as_bytes()).expect("it reads");
        served.answer(listener.accept().expect("somebody asks").0).expect("it answers");
        let mut answer = String::new();
        browser.read_to_string(&mut answer).expect("it is text");
        answer
    }

    #[test]
    fn files_of_the_book_are_served_and_no_others() {
        let outer = tempfile::tempdir().expect("a folder");
        let folder = outer.path().join("book");
        fs::create_dir(&folder).expect("a folder");
        fs::write(outer.path().join("secret.css"), "secret").expect("a file");
        fs::write(folder.join("a.css"), "body {}").expect("a file");
        let answer = asked(&folder, "GET /a.css?1 HTTP/1.1\r\nHost: x\r\n\r\n");
        assert!(answer.starts_with("HTTP/1.1 200 OK\r\nContent-Type: text/css"), "{answer}");
        assert!(answer.ends_with("\r\n\r\nbody {}"), "{answer}");
        assert!(asked(&folder, "GET /b.css HTTP/1.1\r\n\r\n").starts_with("HTTP/1.1 404"));
        assert!(asked(&folder, "GET /../secret.css HTTP/1.1\r\n\r\n").starts_with("HTTP/1.1 404"));
        assert!(asked(&folder, "GET //etc/passwd HTTP/1.1\r\n\r\n").starts_with("HTTP/1.1 404"));
        assert!(asked(&folder, "POST /a.css HTTP/1.1\r\n\r\n").starts_with("HTTP/1.1 405"));
    }
}
