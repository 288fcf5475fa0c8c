//! The 16 bits that say how a batch is to be read.

use super::RecordError;
use std::fmt;

const COMPRESSION: u16 = 0b111;
const LOG_APPEND_TIME: u16 = 1 << 3;
const TRANSACTIONAL: u16 = 1 << 4;
const CONTROL: u16 = 1 << 5;
const DELETE_HORIZON: u16 = 1 << 6;

/// A batch's attributes; bits 7 to 15 mean nothing yet and are kept as they came.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Attributes(pub u16);

impl Attributes {
    /// How the records are compressed.
    ///
    /// # Errors
    /// [`RecordError::UnknownCompression`] for the three numbers that stand for nothing.
    pub fn compression(self) -> Result<Compression, RecordError> {
        match self.0 & COMPRESSION {
            0 => Ok(Compression::None),
            1 => Ok(Compression::Gzip),
            2 => Ok(Compression::Snappy),
            3 => Ok(Compression::Lz4),
            4 => Ok(Compression::Zstd),
            other => Err(RecordError::UnknownCompression(other)),
        }
    }

    /// Whose clock the timestamps come from.
    #[must_use]
    pub fn timestamp_type(self) -> TimestampType {
        if self.0 & LOG_APPEND_TIME == 0 { TimestampType::CreateTime } else { TimestampType::LogAppendTime }
    }

    /// Whether the batch belongs to a transaction.
    #[must_use]
    pub fn is_transactional(self) -> bool {
        self.0 & TRANSACTIONAL != 0
    }

    /// Whether its records are markers for brokers and consumers, not data.
    #[must_use]
    pub fn is_control(self) -> bool {
        self.0 & CONTROL != 0
    }

    /// Whether the base timestamp is the time from which tombstones may be removed (KIP-534).
    #[must_use]
    pub fn has_delete_horizon(self) -> bool {
        self.0 & DELETE_HORIZON != 0
    }

    /// These attributes, with or without a time from which tombstones may be removed.
    #[must_use]
    pub fn with_delete_horizon(self, has: bool) -> Self {
        Self(if has { self.0 | DELETE_HORIZON } else { self.0 & !DELETE_HORIZON })
    }

    /// These attributes with another compression.
    #[must_use]
    pub fn with_compression(self, compression: Compression) -> Self {
        Self(self.0 & !COMPRESSION | compression as u16)
    }

    /// These attributes, for a batch of a transaction.
    #[must_use]
    pub fn transactional(self) -> Self {
        Self(self.0 | TRANSACTIONAL)
    }

    /// These attributes, for a control batch.
    #[must_use]
    pub fn control(self) -> Self {
        Self(self.0 | CONTROL)
    }

    /// These attributes, for a batch whose timestamps are the broker's.
    #[must_use]
    pub fn log_append_time(self) -> Self {
        Self(self.0 | LOG_APPEND_TIME)
    }

    /// These attributes, for a batch whose timestamps are its producer's.
    #[must_use]
    pub fn create_time(self) -> Self {
        Self(self.0 & !LOG_APPEND_TIME)
    }
}

/// How a batch's records are compressed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Compression {
    /// Not at all.
    #[default]
    None,
    /// gzip.
    Gzip,
    /// Snappy, in the blocks of snappy-java or bare.
    Snappy,
    /// An LZ4 frame.
    Lz4,
    /// Zstandard.
    Zstd,
}

impl Compression {
    /// The name in `compression.type`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Gzip => "gzip",
            Self::Snappy => "snappy",
            Self::Lz4 => "lz4",
            Self::Zstd => "zstd",
        }
    }
}

impl fmt::Display for Compression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Whose clock a batch's timestamps come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TimestampType {
    /// The producer's.
    CreateTime,
    /// The broker's, one for the whole batch.
    LogAppendTime,
}
