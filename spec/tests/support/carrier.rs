//! The smallest carrier.

use highwater_spec::machine::Carrier;
use highwater_spec::values::BrokerId;

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Test;

impl Carrier for Test {
    type Bytes = u8;
    type Stamp = u8;
}

/// The broker that hosts the replica.
pub const ME: BrokerId = BrokerId(1);
