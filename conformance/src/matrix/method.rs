//! The methods that are asked, and what each can see at all.

use super::{Break, Place};
use std::fmt;

/// A way to notice that something is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, clap::ValueEnum)]
pub enum Method {
    /// The model checker, with its default worlds and the museum.
    Checker,
    /// Tests beside the code, random inputs, tests on files and sockets of one process; no clients that others wrote.
    Property,
    /// Proofs of the cells that threads share, under every order in which they can meet.
    Loom,
    /// Real nodes that replay scenarios step by step.
    Lockstep,
    /// Real clients, and failures of processes under load.
    Client,
}

impl Method {
    /// Every method, in the order of the columns.
    pub const ALL: [Self; 5] = [Self::Checker, Self::Property, Self::Loom, Self::Lockstep, Self::Client];

    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Checker => "checker",
            Self::Property => "property",
            Self::Loom => "loom",
            Self::Lockstep => "lockstep",
            Self::Client => "client",
        }
    }

    /// Whether the code that the method runs has the break in it. The checker runs the specification only, loom the cells.
    #[must_use]
    pub fn concerns(self, broken: &Break) -> bool {
        match self {
            Self::Checker => broken.place() == Place::Spec,
            Self::Loom => broken.file.starts_with("impl/src/cells/"),
            Self::Property | Self::Lockstep | Self::Client => true,
        }
    }
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
