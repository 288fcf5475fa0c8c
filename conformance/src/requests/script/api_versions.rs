//! ApiVersions, and requests of kinds and versions that don't exist.

use super::{Session, SessionError};
use highwater::wire::messages::ApiVersionsRequest;
use highwater::wire::{ApiKey, Message};

pub(super) fn ask(session: &mut Session) -> Result<(), SessionError> {
    for version in ApiVersionsRequest::VERSIONS.iter() {
        session.ask("sound", version, &named("highwater-conform", "1.0"));
    }
    let names = [("", "1.0"), ("a", ""), ("-a", "1"), ("a b", "1"), ("a", "ü"), ("a-", "1."), ("a.b-c.2", "2-3.x")];
    for (name, version) in names {
        session.ask(&format!("client software {name:?} version {version:?}"), 3, &named(name, version));
    }
    let body = named("highwater-conform", "1.0").to_bytes(4).unwrap_or_default();
    let key = ApiKey::ApiVersions.code();
    for (version, flexible) in [(5, true), (99, true), (i16::MAX, true), (-1, false), (i16::MIN, false)] {
        session.ask_unknown("version that does not exist", key, version, flexible, &body);
    }
    session.ask_unknown("version that does not exist, without a body", key, 99, true, &[]);
    for (key, version) in [(3, 99), (3, -1), (0, 2), (0, 99), (1, 3), (1, 99), (2, 0), (19, 1), (20, 0), (75, 1)] {
        session.ask_unknown(&format!("request {key} in a version that does not exist"), key, version, true, &body);
    }
    for key in [-1, 4, 5, 6, 7, 52, 53, 54, 58, 62, 63, 67, 94, 500, 9999, i16::MAX, i16::MIN] {
        session.ask_unknown(&format!("request {key}, not for clients"), key, 0, true, &body);
    }
    Ok(())
}

fn named(name: &str, version: &str) -> ApiVersionsRequest {
    ApiVersionsRequest { client_software_name: name.to_owned(), client_software_version: version.to_owned() }
}
