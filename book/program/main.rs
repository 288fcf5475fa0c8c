//! `highwater-book`: builds the book, says what is wrong with it, serves it.

use clap::Parser;
use highwater_book::serve::Served;
use highwater_book::workspace::Workspace;
use highwater_book::{book, take};
use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Builds Highwater's book. The exit status is 0 if nothing is wrong with it, 1 if something is, and 2 if it could not
/// be built.
#[derive(Debug, Parser)]
#[command(name = "highwater-book", version)]
struct Args {
    /// Serve it, and build it anew whenever its sources have changed
    #[arg(long)]
    serve: bool,
    /// Where the browser finds it
    #[arg(long, default_value = "127.0.0.1:3000", requires = "serve")]
    address: String,
    /// Say that these rules' sentences and what verifies them were read, and fit: ids, or beginnings that end in `*`
    #[arg(long, value_name = "ID", num_args = 1.., conflicts_with = "serve")]
    accept: Vec<String>,
    /// Store what a command printed as the results NAME: `--take check FILE`, of `cargo run --release -- --json`
    #[arg(long, value_names = ["NAME", "FILE"], num_args = 2, conflicts_with_all = ["serve", "accept"])]
    take: Vec<String>,
    /// The workspace
    #[arg(long, value_name = "FOLDER", default_value = concat!(env!("CARGO_MANIFEST_DIR"), "/.."), hide_default_value = true)]
    workspace: PathBuf,
    /// Where to write the book [default: target/book in the workspace]
    #[arg(long, value_name = "FOLDER")]
    into: Option<PathBuf>,
}

fn main() -> ExitCode {
    match answer(&Args::parse()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("highwater-book: {error}");
            ExitCode::from(2)
        }
    }
}

fn answer(args: &Args) -> Result<bool, String> {
    let folder = args.workspace.canonicalize().map_err(|error| format!("{}: {error}", args.workspace.display()))?;
    let workspace = Workspace::at(folder);
    if let [name, file] = &args.take[..] {
        return taken(&workspace, name, file);
    }
    if !args.accept.is_empty() {
        book::accept(&workspace, &args.accept)?;
    }
    let into = args.into.clone().unwrap_or_else(|| workspace.path("target/book"));
    let is_well = build(&workspace, &into)?;
    if args.serve { serve(workspace, into, &args.address) } else { Ok(is_well) }
}

fn build(workspace: &Workspace, into: &Path) -> Result<bool, String> {
    let complaints = book::build(workspace, into)?;
    complaints.iter().for_each(|complaint| eprintln!("{complaint}"));
    println!("{}", into.join("index.html").display());
    match complaints.len() {
        0 => Ok(true),
        count => {
            let complaints = if count == 1 { "complaint" } else { "complaints" };
            eprintln!("highwater-book: {count} {complaints}; the book was written as far as it goes");
            Ok(false)
        }
    }
}

fn serve(workspace: Workspace, into: PathBuf, address: &str) -> Result<bool, String> {
    let failed = |error| format!("can't listen at {address}: {error}; `--address 127.0.0.1:0` finds a free port");
    let listener = TcpListener::bind(address).map_err(failed)?;
    let at = listener.local_addr().map_err(failed)?;
    println!("http://{at}/ (Ctrl-C ends it)");
    Served::new(workspace, into).run(&listener).map_err(failed)?;
    Ok(true)
}

fn taken(workspace: &Workspace, name: &str, file: &str) -> Result<bool, String> {
    if name != "check" {
        return Err(format!("only `check` is taken, not {name}; others write their results themselves"));
    }
    let printed = fs::read_to_string(file).map_err(|error| format!("can't read {file}: {error}"))?;
    let results = take::check(&printed).map_err(|what| format!("{file}: {what}"))?;
    let path = workspace.path("book/results/check.json");
    fs::create_dir_all(workspace.path("book/results"))
        .and_then(|()| fs::write(&path, results))
        .map_err(|error| format!("can't write {}: {error}", path.display()))?;
    println!("{}", path.display());
    Ok(true)
}
