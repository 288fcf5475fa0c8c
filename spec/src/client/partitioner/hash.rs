//! Which partition a key belongs to: the one that Kafka's own clients choose.
//!
//! The hash is Austin Appleby's MurmurHash2 of 32 bits. Source: Kafka's `Utils.murmur2`, `Utils.toPositive`,
//! `BuiltInPartitioner.partitionForKey`.

/// `client.partitioner.key`: the hash without its sign, modulo the number of all partitions, whether or not they can be
/// reached. Of no partitions, the first.
#[must_use]
pub fn partition_for_key(key: &[u8], partitions: u32) -> i32 {
    let positive = murmur2(key).cast_unsigned() & 0x7fff_ffff;
    i32::try_from(positive % partitions.max(1)).unwrap_or(0)
}

/// The hash of a key, as a Java `int`.
#[must_use]
pub fn murmur2(data: &[u8]) -> i32 {
    const SEED: u32 = 0x9747_b28c;
    const M: u32 = 0x5bd1_e995;
    let little_endian = |bytes: &[u8]| bytes.iter().rev().fold(0, |word: u32, byte| word << 8 | u32::from(*byte));
    // Java's lengths are 32 bits wide.
    let mut hash = SEED ^ data.len() as u32;
    let mut chunks = data.chunks_exact(4);
    for chunk in &mut chunks {
        let mut word = little_endian(chunk).wrapping_mul(M);
        word ^= word >> 24;
        hash = hash.wrapping_mul(M) ^ word.wrapping_mul(M);
    }
    let rest = chunks.remainder();
    if !rest.is_empty() {
        hash = (hash ^ little_endian(rest)).wrapping_mul(M);
    }
    hash ^= hash >> 13;
    hash = hash.wrapping_mul(M);
    (hash ^ hash >> 15).cast_signed()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The cases of Kafka's own test of this hash.
    const CASES: [(&[u8], i32); 6] = [
        (b"21", -973_932_308),
        (b"foobar", -790_332_482),
        (b"a-little-bit-long-string", -985_981_536),
        (b"a-little-bit-longer-string", -1_486_304_829),
        (b"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58_897_971),
        (b"abc", 479_470_107),
    ];

    // Verifies: client.partitioner.key
    #[test]
    fn hashes_as_kafka_does() {
        for (key, hash) in CASES {
            assert_eq!(murmur2(key), hash, "{key:?}");
        }
    }

    // Verifies: client.partitioner.key
    #[test]
    fn the_sign_is_dropped_and_not_the_value_negated() {
        for (key, hash) in CASES {
            let positive = i64::from(hash).rem_euclid(1 << 31);
            for partitions in [1, 2, 3, 6, 1000] {
                assert_eq!(i64::from(partition_for_key(key, partitions)), positive % i64::from(partitions), "{key:?}");
            }
        }
        assert_eq!(partition_for_key(b"any", 0), 0, "nothing is divided by 0");
    }
}
