//! Renaming the brokers that a broker speaks of.

use super::Broker;
use crate::machine::Carrier;
use crate::symmetry::{Names, Renamed};
use std::sync::Arc;

impl<C: Carrier> Renamed for Broker<C> {
    fn renamed(&self, names: Names<'_>) -> Self {
        Self {
            me: names(self.me),
            image: Arc::new(self.image.renamed(names)),
            in_flight: self.in_flight.renamed(names),
            unsent: self.unsent.renamed(names),
            ..*self
        }
    }
}
