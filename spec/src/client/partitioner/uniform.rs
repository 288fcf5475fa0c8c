//! Records without a key, today: bytes are spread evenly, or more of them where less waits.
//!
//! A partition is kept until it has had a batch's worth of bytes, and not only until a batch is sent: otherwise a slow
//! broker, whose batches fill up while they wait, is sent more than a quick one.
//!
//! Source: KIP-794; Kafka's `BuiltInPartitioner`, `RecordAccumulator.partitionReady`.

use super::Partitions;

/// Where records without a key go.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Uniform {
    current: Option<Current>,
    load: Option<Load>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Current {
    partition: i32,
    bytes: u64,
}

/// Partitions, each with the sum of its weight and those before it (exclusive).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Load(Vec<(i32, u64)>);

impl Uniform {
    /// `client.partitioner.uniform`: the partition in use. If there is none, `draw` chooses.
    pub fn partition(&mut self, partitions: &Partitions<'_>, draw: u32) -> i32 {
        let fresh = || Current { partition: drawn(self.load.as_ref(), partitions, draw), bytes: 0 };
        self.current.get_or_insert_with(fresh).partition
    }

    /// Takes note of a record of `bytes` that went to the partition in use. Once a batch's worth has, another is due:
    /// at once if no batch there is left half full, else when twice as much has.
    pub fn appended(&mut self, bytes: u32, batch_bytes: u32, leaves_batch_open: bool) {
        let Some(current) = &mut self.current else { return };
        current.bytes = current.bytes.saturating_add(u64::from(bytes));
        let enough = u64::from(batch_bytes) * if leaves_batch_open { 2 } else { 1 };
        if current.bytes >= enough {
            self.current = None;
        }
    }

    /// `client.partitioner.adaptive`: how many batches wait for each partition that can be reached, of `count`. The next
    /// choice prefers those where fewer do; where all wait alike, nothing is preferred.
    pub fn waiting(&mut self, batches: &[(i32, u32)], count: u32) {
        let most = batches.iter().map(|(_, waiting)| *waiting).max().unwrap_or(0);
        let all_alike = batches.iter().all(|(_, waiting)| *waiting == most);
        let all_known = u32::try_from(batches.len()).is_ok_and(|known| known == count);
        if batches.is_empty() || count < 2 || all_alike && all_known {
            self.load = None;
            return;
        }
        let mut sum = 0;
        let weighted = batches.iter().map(|(partition, waiting)| {
            sum += u64::from(most) + 1 - u64::from(*waiting);
            (*partition, sum)
        });
        self.load = Some(Load(weighted.collect()));
    }
}

fn drawn(load: Option<&Load>, partitions: &Partitions<'_>, draw: u32) -> i32 {
    let weighted = load.and_then(|Load(sums)| {
        let (_, total) = *sums.last()?;
        let at = u64::from(draw) % total;
        sums.iter().find(|(_, sum)| at < *sum).map(|(partition, _)| *partition)
    });
    weighted.unwrap_or_else(|| partitions.at(draw))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    const FOUR: Partitions<'_> = Partitions { count: 4, available: &[0, 1, 2, 3] };

    // Verifies: client.partitioner.uniform
    #[test]
    fn a_partition_is_kept_for_a_batchs_worth_of_bytes() {
        let mut uniform = Uniform::default();
        assert_eq!(uniform.partition(&FOUR, 2), 2);
        uniform.appended(99, 100, false);
        assert_eq!(uniform.partition(&FOUR, 3), 2);
        uniform.appended(1, 100, true);
        assert_eq!(uniform.partition(&FOUR, 3), 2, "a batch there is half full");
        uniform.appended(0, 100, false);
        assert_eq!(uniform.partition(&FOUR, 3), 3);
        uniform.appended(200, 100, true);
        assert_eq!(uniform.partition(&FOUR, 1), 1, "twice a batch is enough in any case");
    }

    /// What a thousand draws choose, partition by partition.
    fn chosen(waiting: &[(i32, u32)], count: u32, available: &[i32]) -> BTreeMap<i32, u32> {
        let mut chosen = BTreeMap::new();
        for draw in 0..21_000 {
            let mut uniform = Uniform::default();
            uniform.waiting(waiting, count);
            *chosen.entry(uniform.partition(&Partitions { count, available }, draw)).or_default() += 1;
        }
        chosen
    }

    // Verifies: client.partitioner.adaptive
    #[test]
    fn where_less_waits_more_goes() {
        // The numbers of Kafka's own test: their weights are 1, 6, 3, 6 and 5.
        let waiting = [(0, 5), (1, 0), (2, 3), (3, 0), (4, 1)];
        let expected = [(0, 1000), (1, 6000), (2, 3000), (3, 6000), (4, 5000)];
        assert_eq!(chosen(&waiting, 5, &[0, 1, 2, 3, 4]), expected.into());
    }

    // Verifies: client.partitioner.adaptive
    #[test]
    fn who_cannot_be_reached_is_not_chosen() {
        let even = [(0, 7000), (1, 7000), (2, 7000)];
        assert_eq!(chosen(&[(0, 1), (1, 1), (2, 1)], 4, &[0, 1, 2, 3]), even.into(), "the load tells who can be");
        assert_eq!(chosen(&[(0, 1), (1, 1), (2, 1)], 3, &[0, 1, 2]), even.into(), "all alike");
        assert_eq!(chosen(&[], 4, &[1]), [(1, 21_000)].into());
        assert_eq!(chosen(&[], 3, &[]), even.into(), "if nobody can, all are as good");
    }
}
