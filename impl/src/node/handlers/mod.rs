//! What a node answers: one file per kind of request. Handlers look things up and hand things over; decisions are the
//! machines'.

mod accept;
mod api_versions;
pub mod broker;
mod configs;
pub mod controller;
pub mod describe;
mod duplicates;
mod errors;
mod fetch;
mod group;
mod list_offsets;
mod looking;
mod metadata;
mod produce;
mod producers;
mod topics;
