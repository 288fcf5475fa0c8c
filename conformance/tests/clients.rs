//! Real clients against a cluster of ours; against another, if `HIGHWATER_BOOTSTRAP` names one.

use highwater_conformance::clients;
use highwater_conformance::target::Target;
use libtest_mimic::Arguments;
use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    if arguments.list {
        let nobody = Target::Given { bootstrap: String::new() };
        return clients::run(&arguments, nobody).exit_code();
    }
    match Target::of_tests() {
        Ok(target) => clients::run(&arguments, target).exit_code(),
        Err(error) => {
            eprintln!("no cluster to judge: {error}");
            ExitCode::FAILURE
        }
    }
}
