//! The model's messages as a door tells them.

use super::group::encoded;
use highwater_checker::group::{self, Blob};
use highwater_checker::replication::Model;
use highwater_spec::machine::{Carrier, Recast};

/// A carrier as a door's [`highwater::door::Plain`], for what the model carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Told {}

impl Carrier for Told {
    type Bytes = Vec<String>;
    type Stamp = ();
}

impl Recast<Model> for Told {
    fn bytes(from: &u8) -> Vec<String> {
        vec![record(*from)]
    }

    fn stamp((): ()) {}
}

impl Recast<group::Model> for Told {
    fn bytes(from: &Blob) -> Vec<String> {
        vec![encoded(from).escape_ascii().to_string()]
    }

    fn stamp((): ()) {}
}

/// What a record of the model says on the cluster.
pub fn record(value: u8) -> String {
    format!("m{value}")
}
