//! Kafka's identifiers of topics, directories and incarnations: sixteen bytes, written as text in URL-safe base64.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use highwater_spec::values::{IncarnationId, TopicId};
use std::fmt;
use std::str::FromStr;

/// Sixteen bytes that identify something.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Uuid(pub [u8; 16]);

impl Uuid {
    /// All zeros: no topic, no directory.
    pub const ZERO: Self = Self([0; 16]);
    /// The topic `__cluster_metadata`.
    pub const METADATA_TOPIC: Self = Self([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]);
}

impl fmt::Display for Uuid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&URL_SAFE_NO_PAD.encode(self.0))
    }
}

impl fmt::Debug for Uuid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Text that is not an identifier: 22 characters of URL-safe base64 without padding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not an identifier of 22 characters in URL-safe base64")]
pub struct ParseUuidError;

impl FromStr for Uuid {
    type Err = ParseUuidError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        // Longer text would be decoded whole before its length showed.
        if text.len() != 22 {
            return Err(ParseUuidError);
        }
        let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| ParseUuidError)?;
        bytes.try_into().map(Self).map_err(|_| ParseUuidError)
    }
}

macro_rules! same_bytes {
    ($($identifier:ident),*) => { $(
        impl From<$identifier> for Uuid {
            fn from(identifier: $identifier) -> Self {
                Self(identifier.0)
            }
        }

        impl From<Uuid> for $identifier {
            fn from(uuid: Uuid) -> Self {
                Self(uuid.0)
            }
        }
    )* };
}

same_bytes!(TopicId, IncarnationId);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_kafkas() {
        // Uuid.METADATA_TOPIC_ID as Kafka prints it.
        assert_eq!(Uuid::METADATA_TOPIC.to_string(), "AAAAAAAAAAAAAAAAAAAAAQ");
        assert_eq!("AAAAAAAAAAAAAAAAAAAAAQ".parse(), Ok(Uuid::METADATA_TOPIC));
        let uuid = Uuid([0xfb, 0xff, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14]);
        assert!(uuid.to_string().starts_with("-_8"), "{uuid}");
        assert_eq!(uuid.to_string().parse(), Ok(uuid));
    }

    #[test]
    fn other_text_is_refused() {
        for text in ["", "AAAA", "AAAAAAAAAAAAAAAAAAAAAQ==", "AAAAAAAAAAAAAAAAAAAA+Q", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAA"]
        {
            assert_eq!(text.parse::<Uuid>(), Err(ParseUuidError), "{text}");
        }
    }
}
