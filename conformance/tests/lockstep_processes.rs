//! A cluster of processes in lockstep with the model: `kill -9` for a crash, cut files for a loss of power.

use highwater_conformance::lockstep::scenarios::MENDED;
use highwater_conformance::lockstep::{Ensemble, Script};
use std::path::PathBuf;

#[test]
fn a_cluster_of_processes_does_what_the_mended_scenarios_tell() {
    let program = PathBuf::from(env!("CARGO_BIN_EXE_highwater-node"));
    let ensemble = Ensemble::in_process().unwrap().with_program(program);
    for told in MENDED {
        let script = Script::read(told.text).unwrap_or_else(|error| panic!("{}: {error}", told.name));
        script.play(&ensemble).unwrap_or_else(|divergence| panic!("{}: {divergence}", told.name));
    }
}
