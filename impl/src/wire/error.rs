//! What can be wrong with bytes that should be a message, and with a message that should become bytes.

/// Bytes that are not the message they should be. A connection that sent them is closed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message} {field}at byte {at}: {fault}", field = Spaced(.field))]
pub struct DecodeError {
    /// The message, such as `FetchRequest`.
    pub message: &'static str,
    /// The innermost field, such as `FetchPartition.fetch_offset`; empty if no single field is to blame.
    pub field: &'static str,
    /// How many bytes of the message were understood before.
    pub at: usize,
    /// What is wrong.
    pub fault: Fault,
}

/// What is wrong with some bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// The bytes end too early, or a length reaches past their end.
    #[error("needs {needed} bytes where {left} are left")]
    Short {
        /// How many bytes it takes.
        needed: usize,
        /// How many it may have: what comes later in the message needs the rest.
        left: usize,
    },
    /// A length below −1.
    #[error("its length is {0}")]
    NegativeLength(i32),
    /// A string longer than Kafka's limit.
    #[error("a string of {0} bytes, where 32767 are allowed")]
    LongString(usize),
    /// Null in a version that has no null there.
    #[error("null, which this version does not allow")]
    Null,
    /// A string that is not UTF-8.
    #[error("not UTF-8")]
    Utf8,
    /// A varint of more than 32 bits.
    #[error("a varint of more than 32 bits")]
    Varint,
    /// Bytes after the end of the message, or of a tagged field.
    #[error("{0} bytes are left over")]
    Trailing(usize),
    /// A version that does not exist, or no longer.
    #[error("version {0} is not supported")]
    Version(i16),
    /// A request of an unknown kind.
    #[error("unknown request key {0}")]
    ApiKey(i16),
    /// A metadata record of an unknown kind.
    #[error("unknown record key {0}")]
    RecordKey(u32),
    /// A metadata record in an unknown frame.
    #[error("unknown frame version {0}")]
    FrameVersion(u32),
}

impl DecodeError {
    pub(super) fn new(at: usize, fault: Fault) -> Self {
        Self { message: "", field: "", at, fault }
    }

    /// Names the field; one that is already named lies further in and stays.
    pub(super) fn in_field(mut self, field: &'static str) -> Self {
        if self.field.is_empty() {
            self.field = field;
        }
        self
    }

    pub(super) fn in_message(mut self, message: &'static str) -> Self {
        self.message = message;
        self
    }
}

/// A message that this version cannot express.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message} {field}cannot be written: {unfit}", field = Spaced(.field))]
pub struct EncodeError {
    /// The message, such as `FetchResponse`.
    pub message: &'static str,
    /// The innermost field, such as `PartitionData.records`; empty if no single field is to blame.
    pub field: &'static str,
    /// Why not.
    pub unfit: Unfit,
}

/// Why a value cannot be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unfit {
    /// Null in a version that has no null there.
    #[error("null, which this version does not allow")]
    Null,
    /// More bytes or elements than a length can say. A string has at most 32767 bytes.
    #[error("its length is {0}")]
    Long(usize),
    /// A version that does not exist, or no longer.
    #[error("version {0} is not supported")]
    Version(i16),
}

impl EncodeError {
    pub(super) fn in_field(mut self, field: &'static str) -> Self {
        if self.field.is_empty() {
            self.field = field;
        }
        self
    }

    pub(super) fn in_message(mut self, message: &'static str) -> Self {
        self.message = message;
        self
    }
}

impl From<Unfit> for EncodeError {
    fn from(unfit: Unfit) -> Self {
        Self { message: "", field: "", unfit }
    }
}

/// A word and a space, or nothing.
struct Spaced<'a>(&'a str);

impl std::fmt::Display for Spaced<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.0.is_empty() { Ok(()) } else { write!(f, "{} ", self.0) }
    }
}
