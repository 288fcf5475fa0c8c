//! Small programs of real clients in several languages, each a process of its own that tells what happens to it as the
//! events of a [history](crate::histories).
//!
//! All of them take the same arguments ([`Language`]), and are fetched by their languages' ordinary tools in fixed
//! versions ([`install`]). The sources are in `conformance/clients/members/`.
//!
//! Not here: what is expected of them. The judge of histories judges them, too.

mod group;
pub mod install;
mod language;
mod process;
mod recorder;

pub use group::Group;
pub use language::{Language, Member};
pub use process::Process;
pub use recorder::Recorder;
