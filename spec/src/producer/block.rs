//! The ids that a broker may give out to producers.
//!
//! Not here: which block a broker gets (`controller`). Source: Kafka's `RPCProducerIdManager`, `ProducerIdsBlock`.

use crate::values::ProducerId;

/// What is left of a block of ids.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct IdBlock {
    next: i64,
    /// The id after the last one (exclusive).
    end: i64,
}

impl IdBlock {
    /// The `count` ids from `first` on. An id below 0 is none: a block that has such ids is empty.
    #[must_use]
    pub fn new(first: ProducerId, count: u32) -> Self {
        let end = first.0.saturating_add(i64::from(count));
        if first.0 < 0 { Self::default() } else { Self { next: first.0, end } }
    }

    /// `producer.id.once`: an id that has not been taken before; `None` if all have.
    pub fn take(&mut self) -> Option<ProducerId> {
        let next = (self.next < self.end).then_some(ProducerId(self.next))?;
        self.next += 1;
        Some(next)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // Verifies: producer.id.once
    #[test]
    fn each_id_is_taken_once() {
        let mut block = IdBlock::new(ProducerId(1000), 3);
        let taken: Vec<_> = std::iter::from_fn(|| block.take()).collect();
        assert_eq!(taken, [1000, 1001, 1002].map(ProducerId));
        assert_eq!(block.take(), None);
        assert_eq!(IdBlock::new(ProducerId(-1), 5).take(), None, "no block at all");
        assert_eq!(IdBlock::new(ProducerId(i64::MAX), 5).take(), None, "nothing overflows");
    }
}
