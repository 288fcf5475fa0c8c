//! The command line.

mod cli;

fn main() {
    cli::main();
}
