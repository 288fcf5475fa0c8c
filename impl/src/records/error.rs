//! What can be wrong with a batch.

use super::Compression;

/// Why a batch or a record can't be taken or read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RecordError {
    /// The bytes end before the batch does. At the end of a Fetch answer this is normal: the rest wasn't sent.
    #[error("a batch of {needed} bytes ends after {present}")]
    Incomplete {
        /// The bytes that it takes, as far as can be told.
        needed: usize,
        /// The bytes that are there.
        present: usize,
    },
    /// The length field names fewer bytes than a header has.
    #[error("a batch can't be {0} bytes long")]
    Length(i32),
    /// Another format than version 2.
    #[error("batches of magic {0} are not supported, only 2")]
    Magic(i8),
    /// The contents are not what was sent.
    #[error("the batch says that its CRC-32C is {stated:#010x}, and it is {computed:#010x}")]
    Crc {
        /// The checksum in the header.
        stated: u32,
        /// The checksum of the bytes.
        computed: u32,
    },
    /// A produce without a batch.
    #[error("no batch where one is due")]
    NoBatch,
    /// A produce of more than one batch for one partition, or with bytes after it.
    #[error("{0} bytes follow the one batch that is allowed")]
    MoreThanOneBatch(usize),
    /// The batch is larger than `max.message.bytes`.
    #[error("a batch of {size} bytes, and the limit is {limit}")]
    TooLarge {
        /// Its size in bytes, header included.
        size: usize,
        /// The most that is allowed.
        limit: usize,
    },
    /// A producer's batch that doesn't begin at 0.
    #[error("a producer's batch begins at offset {0}, not at 0")]
    BaseOffset(i64),
    /// The number of records isn't the number of offsets.
    #[error("{count} records with a last offset delta of {last_offset_delta}")]
    Count {
        /// How many records the header states.
        count: i32,
        /// The last record's offset less the first's, as the header states it.
        last_offset_delta: i32,
    },
    /// A client sent a control batch.
    #[error("clients write no control records")]
    Control,
    /// A producer id without a sequence.
    #[error("sequence {0} of a batch with a producer id")]
    Sequence(i32),
    /// A compression that nobody has defined.
    #[error("compression type {0} is unknown")]
    UnknownCompression(u16),
    /// The compressed bytes can't be read.
    #[error("{compression}: {reason}")]
    Compressed {
        /// How they should be compressed.
        compression: Compression,
        /// What the decompressor says.
        reason: String,
    },
    /// Decompressed, the records are larger than the reader allows.
    #[error("the records take more than {limit} bytes when decompressed")]
    Bomb {
        /// The most that the reader allows, in bytes.
        limit: usize,
    },
    /// A record's own fields contradict each other or its batch.
    #[error("a malformed record: {0}")]
    Record(&'static str),
    /// A batch without records, or too large for its length field, was to be built.
    #[error("a batch can't hold {0}")]
    Unbuildable(&'static str),
}

impl RecordError {
    /// The error code that Kafka answers a producer with.
    #[must_use]
    pub fn code(&self) -> i16 {
        match self {
            Self::Length(_) | Self::Crc { .. } => 2, // CORRUPT_MESSAGE
            Self::TooLarge { .. } => 10,             // MESSAGE_TOO_LARGE
            Self::UnknownCompression(_) => 76,       // UNSUPPORTED_COMPRESSION_TYPE
            _ => 87,                                 // INVALID_RECORD
        }
    }
}
