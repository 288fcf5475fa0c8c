//! Kafka's wire protocol: bytes to typed messages and back, for every version that Kafka 4.1 speaks.
//!
//! [`messages`] holds one table per message; the type, the codec and the [`schema`] all come from it. [`api`] lists
//! the requests that exist, [`frame`] puts a header before a message and takes it off again, [`metadata_record`] does
//! the same for what the metadata log holds. [`sample`] and [`malformed`] write valid and invalid messages from a
//! schema, so that any codec or cluster can be tried with them; [`walk`] says what each byte is for.
//!
//! Not here: what is inside a record batch (`records`), sockets (`node`), what to answer.
//!
//! No input makes decoding panic, recurse without end, or allocate more than a small multiple of its own length.
//! Source: Kafka's protocol guide, KIP-482 (flexible versions), KIP-511 (ApiVersions), the message schemas of 4.1.

pub mod api;
pub mod error;
pub mod field;
pub mod frame;
pub mod group_record;
pub mod malformed;
pub mod messages;
pub mod metadata_record;
pub mod reader;
pub mod sample;
pub mod schema;
mod table;
pub mod uuid;
pub mod walk;
pub mod writer;

pub use api::{API, Api, ApiKey, Listener, Request, RequestMessage, Response};
pub use error::{DecodeError, EncodeError, Fault, Unfit};
pub use group_record::GroupRecord;
pub use metadata_record::MetadataRecord;
pub use schema::{Schema, Versions};
pub use table::Message;
pub use uuid::Uuid;
