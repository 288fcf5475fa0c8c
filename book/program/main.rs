//! `highwater-book`: builds the book, and says what is wrong with it.

use clap::Parser;
use highwater_book::book;
use highwater_book::workspace::Workspace;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Builds Highwater's book.
#[derive(Debug, Parser)]
#[command(name = "highwater-book", version)]
struct Args {
    /// The workspace
    #[arg(long, value_name = "FOLDER", default_value = concat!(env!("CARGO_MANIFEST_DIR"), "/.."), hide_default_value = true)]
    workspace: PathBuf,
    /// Where to write the book [default: target/book in the workspace]
    #[arg(long, value_name = "FOLDER")]
    into: Option<PathBuf>,
}

fn main() -> ExitCode {
    let args = Args::parse();
    let workspace = Workspace::at(&args.workspace);
    let into = args.into.unwrap_or_else(|| workspace.path("target/book"));
    match build(&workspace, &into) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("highwater-book: {error}");
            ExitCode::from(2)
        }
    }
}

fn build(workspace: &Workspace, into: &Path) -> Result<bool, String> {
    let complaints = book::build(workspace, into)?;
    complaints.iter().for_each(|complaint| eprintln!("{complaint}"));
    let index = into.join("index.html");
    println!("{}", index.canonicalize().unwrap_or(index).display());
    match complaints.len() {
        0 => Ok(true),
        count => {
            eprintln!("highwater-book: {count} complaints; the book was written as far as it goes");
            Ok(false)
        }
    }
}
