//! Raw requests — sound, at a boundary, malformed — and what a cluster makes of each.
//!
//! The [`script`] is run against one cluster ([`record`]); two clusters' answers are compared ([`compare`]). Answers
//! are read by the schema, without what differs between two runs of one cluster ([`normal`]).

pub mod batch;
pub mod compare;
mod connection;
pub mod error_names;
pub mod exchange;
pub mod normal;
pub mod permitted;
pub mod render;
pub mod script;
pub mod session;
pub mod tree;

pub use exchange::Exchange;
pub use session::{Session, SessionError};

use std::time::{SystemTime, UNIX_EPOCH};

/// Runs the script against the cluster at `bootstrap`; only the chapters whose names contain `filter`, if there is one.
/// A chapter that the cluster gives no ground to stand on ends there, and that is kept as an answer.
pub fn record(bootstrap: &str, filter: Option<&str>) -> Result<Vec<Exchange>, SessionError> {
    let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    // Of one length always: some names are as long as names may be.
    let run = format!("r{:012x}", since_1970.as_millis());
    let mut session = Session::new(bootstrap, &run)?;
    for (name, chapter) in script::CHAPTERS {
        if filter.is_none_or(|filter| name.contains(filter)) {
            session.chapter(name);
            if let Err(error) = chapter(&mut session) {
                session.broken_off(&error);
            }
        }
    }
    session.tidy()?;
    Ok(session.into_exchanges())
}
