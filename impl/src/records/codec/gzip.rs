//! gzip, one member or several.

use super::{Failure, read_bounded};
use flate2::read::MultiGzDecoder;
use flate2::write::GzEncoder;
use std::io::Write;

pub(super) fn decompress(contents: &[u8], limit: usize) -> Result<Vec<u8>, Failure> {
    let mut out = Vec::new();
    read_bounded(MultiGzDecoder::new(contents), &mut out, limit)?;
    Ok(out)
}

pub(super) fn compress(records: &[u8]) -> Result<Vec<u8>, String> {
    let mut encoder = GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(records).and_then(|()| encoder.finish()).map_err(|error| error.to_string())
}
