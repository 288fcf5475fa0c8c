//! The states of one level, in order, cut into chunks for the workers.

/// States that a worker takes at a time; limits are tested in between.
const CHUNK: usize = 64;

/// A state and its fingerprint.
pub(super) struct Node<State> {
    pub(super) fingerprint: u64,
    pub(super) state: State,
}

/// States of one level, or of a part of it.
pub(super) struct Level<State> {
    chunks: Vec<Vec<Node<State>>>,
}

impl<State> Default for Level<State> {
    fn default() -> Self {
        Level { chunks: Vec::new() }
    }
}

impl<State> Level<State> {
    /// How many states there are.
    pub(super) fn len(&self) -> usize {
        self.chunks.iter().map(Vec::len).sum()
    }

    /// Adds a state at the end.
    pub(super) fn push(&mut self, node: Node<State>) {
        match self.chunks.last_mut() {
            Some(last) if last.len() < CHUNK => last.push(node),
            _ => {
                let mut chunk = Vec::with_capacity(CHUNK);
                chunk.push(node);
                self.chunks.push(chunk);
            }
        }
    }

    /// Adds states at the end, without leaving chunks much smaller than need be.
    pub(super) fn append(&mut self, more: Level<State>) {
        for mut chunk in more.chunks {
            match self.chunks.last_mut() {
                Some(last) if last.len() + chunk.len() <= CHUNK => last.append(&mut chunk),
                _ => self.chunks.push(chunk),
            }
        }
    }

    /// The chunks, in order.
    pub(super) fn into_chunks(self) -> impl Iterator<Item = Vec<Node<State>>> {
        self.chunks.into_iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn level(states: std::ops::Range<u64>) -> Level<u64> {
        let mut level = Level::default();
        states.for_each(|state| level.push(Node { fingerprint: state, state }));
        level
    }

    #[test]
    fn states_stay_in_order_in_chunks_worth_having() {
        let mut all = level(0..150);
        (15..100).for_each(|tens| all.append(level(tens * 10..tens * 10 + 10)));
        assert_eq!(all.len(), 1000);
        let chunks: Vec<_> = all.into_chunks().collect();
        assert!(chunks.len() <= 2 * 1000 / CHUNK);
        assert!(chunks.iter().all(|chunk| chunk.len() <= CHUNK));
        let states: Vec<_> = chunks.iter().flatten().map(|node| node.state).collect();
        assert_eq!(states, (0..1000).collect::<Vec<_>>());
    }
}
