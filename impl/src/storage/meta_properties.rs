//! `meta.properties`: whose a log directory is.
//!
//! Source: Kafka's `MetaProperties`, version 1; KIP-858 for directory ids.

use super::StorageError;
use super::durable;
use super::error::Context;
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use highwater_spec::values::BrokerId;
use std::collections::BTreeMap;
use std::io;
use std::path::Path;

const NAME: &str = "meta.properties";

/// A log directory's identity.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MetaProperties {
    /// `cluster.id`.
    pub cluster_id: String,
    /// `node.id`.
    pub node_id: BrokerId,
    /// `directory.id`, which no other directory has.
    pub directory_id: [u8; 16],
}

impl MetaProperties {
    /// The identity of a new directory.
    pub(super) fn new(cluster_id: &str, node_id: BrokerId) -> io::Result<Self> {
        Ok(Self { cluster_id: cluster_id.to_owned(), node_id, directory_id: random_id()? })
    }

    pub(super) fn store(&self, folder: &Path) -> Result<(), StorageError> {
        let Self { cluster_id, node_id, directory_id } = self;
        let (node, directory) = (node_id.0, id_text(*directory_id));
        let text = format!("cluster.id={cluster_id}\ndirectory.id={directory}\nnode.id={node}\nversion=1\n");
        durable::replace(folder, NAME, &text)
    }

    /// The identity; none if the directory has none yet.
    pub fn load(folder: &Path) -> Result<Option<Self>, StorageError> {
        let path = folder.join(NAME);
        let Some(text) = durable::read(&path)? else { return Ok(None) };
        let properties = properties(&text);
        let malformed = |key: &str| {
            let line = properties.get(key).map_or(1, |(line, _)| *line);
            StorageError::Malformed { path: path.clone(), line, reason: format!("a valid {key} is expected") }
        };
        let get = |key: &'static str| properties.get(key).map(|(_, value)| *value).ok_or_else(|| malformed(key));
        if get("version")? != "1" {
            return Err(malformed("version"));
        }
        let node_id = get("node.id")?.parse().ok().filter(|id| *id >= 0).ok_or_else(|| malformed("node.id"))?;
        let mut found = Self::new(get("cluster.id")?, BrokerId(node_id)).context("name", folder)?;
        match get("directory.id") {
            Ok(id) => found.directory_id = parse_id(id).ok_or_else(|| malformed("directory.id"))?,
            Err(_) => found.store(folder)?, // it was made before directories had ids
        }
        Ok(Some(found))
    }
}

/// The keys of a properties file, each with its line and value.
fn properties(text: &str) -> BTreeMap<&str, (usize, &str)> {
    let lines = text.lines().enumerate().filter(|(_, line)| !line.trim_start().starts_with(['#', '!']));
    let pairs = lines.filter_map(|(index, line)| Some((index + 1, line.split_once(['=', ':'])?)));
    pairs.map(|(line, (key, value))| (key.trim(), (line, value.trim()))).collect()
}

/// An id as Kafka writes it: 22 letters.
pub(super) fn id_text(id: [u8; 16]) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(id)
}

pub(super) fn parse_id(text: &str) -> Option<[u8; 16]> {
    BASE64_URL_SAFE_NO_PAD.decode(text).ok()?.try_into().ok()
}

/// A random id (a UUID of version 4) whose text begins with no dash, so that no command line takes it for a flag.
pub(super) fn random_id() -> io::Result<[u8; 16]> {
    loop {
        let mut id = [0; 16];
        getrandom::fill(&mut id).map_err(io::Error::other)?;
        id[6] = id[6] & 0x0f | 0x40;
        id[8] = id[8] & 0x3f | 0x80;
        if !id_text(id).starts_with('-') {
            return Ok(id);
        }
    }
}
