//! The smallest carrier.

use highwater_spec::group::{Measured, Record};
use highwater_spec::machine::Carrier;
use highwater_spec::values::BrokerId;

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Test;

impl Carrier for Test {
    type Bytes = u8;
    type Stamp = u8;
}

impl Measured for Test {
    /// A byte for each record, and as many as its number says for what a member carries.
    fn batch_size(records: &[Record<Self>]) -> u64 {
        let size = |record: &Record<Self>| match record {
            Record::Group { metadata: Some(metadata), .. } => {
                let of = |carried: Option<u8>| u64::from(carried.unwrap_or_default());
                let members = metadata.members.iter();
                1 + members.map(|member| of(Some(member.subscription.metadata)) + of(member.assignment)).sum::<u64>()
            }
            _ => 1,
        };
        records.iter().map(size).sum()
    }
}

/// The broker that hosts the replica.
pub const ME: BrokerId = BrokerId(1);
