//! Into which segments the rest of a cleaned log goes.
//!
//! Source: Kafka's `Cleaner.groupSegmentsBySize`.

use crate::values::Offset;

/// How large the segments of a topic may grow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct GroupLimits {
    /// `segment.bytes`.
    pub segment_bytes: u64,
    /// `segment.index.bytes`.
    pub index_bytes: u64,
}

/// The largest offset within a segment, counted from its base, that an index entry can hold.
const MAX_RELATIVE_OFFSET: i64 = i32::MAX as i64;

/// `log.clean.group`: neighbours become one segment while together they are no larger than one may be, and their
/// offsets can be told in its index.
///
/// `segments` by base offset, each with the bytes of its batches and of its larger index; `upto` is where the last of
/// them ends (exclusive). The answer is how many of them make up each new segment, in order.
#[must_use]
pub fn grouped(segments: &[(Offset, u64, u64)], upto: Offset, limits: &GroupLimits) -> Vec<usize> {
    let mut groups: Vec<Group> = Vec::new();
    for (index, (base, bytes, index_bytes)) in segments.iter().enumerate() {
        let end = segments.get(index + 1).map_or(upto, |(next, _, _)| *next);
        match groups.last_mut().filter(|group| group.has_room(end, *bytes, *index_bytes, limits)) {
            Some(group) => {
                group.count += 1;
                group.bytes = group.bytes.saturating_add(*bytes);
                group.index_bytes = group.index_bytes.saturating_add(*index_bytes);
            }
            None => groups.push(Group { base: *base, count: 1, bytes: *bytes, index_bytes: *index_bytes }),
        }
    }
    groups.into_iter().map(|group| group.count).collect()
}

struct Group {
    base: Offset,
    count: usize,
    bytes: u64,
    index_bytes: u64,
}

impl Group {
    fn has_room(&self, end: Offset, bytes: u64, index_bytes: u64, limits: &GroupLimits) -> bool {
        self.bytes.saturating_add(bytes) <= limits.segment_bytes
            && self.index_bytes.saturating_add(index_bytes) <= limits.index_bytes
            && end.0.saturating_sub(1).saturating_sub(self.base.0) <= MAX_RELATIVE_OFFSET
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: GroupLimits = GroupLimits { segment_bytes: 100, index_bytes: 20 };

    fn segments(of: &[(i64, u64, u64)]) -> Vec<(Offset, u64, u64)> {
        of.iter().map(|(base, bytes, index)| (Offset(*base), *bytes, *index)).collect()
    }

    // Verifies: log.clean.group
    #[test]
    fn neighbours_share_a_segment_while_there_is_room() {
        let small = segments(&[(0, 40, 4), (10, 60, 4), (20, 1, 4), (30, 99, 4)]);
        assert_eq!(grouped(&small, Offset(40), &LIMITS), [2, 2]);
        let indexed = segments(&[(0, 1, 10), (10, 1, 10), (20, 1, 1)]);
        assert_eq!(grouped(&indexed, Offset(30), &LIMITS), [2, 1]);
        let wide = segments(&[(0, 1, 1), (10, 1, 1)]);
        let last = Offset(MAX_RELATIVE_OFFSET);
        assert_eq!(grouped(&wide, last.next(), &LIMITS), [2]);
        assert_eq!(grouped(&wide, last.plus(2), &LIMITS), [1, 1]);
        let large = segments(&[(0, 500, 1), (10, 0, 0)]);
        assert_eq!(grouped(&large, Offset(20), &LIMITS), [1, 1], "larger than a segment may be, as a lone batch was");
    }
}
