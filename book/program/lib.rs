//! Builds Highwater's book, and refuses to where text and code say different things.
//!
//! The text stands in `book/src/`. What a program can know is not written there: rules are checked against the code
//! that names them and the properties and tests that verify them; code is included, diagrams are drawn from scenarios,
//! numbers come from files that commands wrote. [`book::build`] does all of it. Not here: any statement about Kafka.

pub mod book;
mod code;
pub mod complaint;
mod coverage;
mod diagram;
mod directive;
mod links;
mod lock;
mod matrix;
pub mod page;
mod prose;
mod render;
mod results;
mod rules;
pub mod serve;
mod survey;
mod tables;
pub mod take;
pub mod workspace;
