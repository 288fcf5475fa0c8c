//! Making states that can't be told apart one state.

use super::World;
use super::state::{State, broker_at, index};
use crate::shared::{PERMUTATIONS, digest};
use highwater_spec::property::Property;
use highwater_spec::symmetry::Renamed;
use highwater_spec::values::{BrokerId, Offset};

/// A fingerprint of a state as it is.
pub fn fingerprint(state: &State) -> u64 {
    let nodes: Vec<_> = state.nodes.iter().map(|node| node.digest()).collect();
    digest(&(state.controller.digest(), nodes, state.links.digest(), state.history.digest(), state.budget))
}

/// A fingerprint that renaming brokers does not change: the least of those under every permutation of names.
pub fn symmetric_fingerprint(state: &State) -> u64 {
    let brokers = state.nodes.len();
    let permutations = PERMUTATIONS_OF_THREE.iter().enumerate();
    let those = permutations.filter(|(_, places)| places[brokers..].iter().copied().eq(brokers..places.len()));
    those.map(|(number, places)| renamed_fingerprint(state, number, places)).min().unwrap_or_default()
}

/// Where each of three brokers goes. Those that leave the last ones in place are the permutations of fewer.
const PERMUTATIONS_OF_THREE: [[usize; 3]; PERMUTATIONS] =
    [[0, 1, 2], [1, 0, 2], [0, 2, 1], [1, 2, 0], [2, 0, 1], [2, 1, 0]];

fn renamed_fingerprint(state: &State, number: usize, places: &[usize; 3]) -> u64 {
    let names = |broker: BrokerId| places.get(index(broker)).map_or(broker, |place| broker_at(*place));
    let mut nodes = [0; 3];
    for (node, place) in state.nodes.iter().zip(places) {
        nodes[*place] = node.digest_renamed(number, |node| node.renamed(&names));
    }
    let controller = state.controller.digest_renamed(number, |node| node.renamed(&names));
    let links = state.links.digest_renamed(number, |links| links.renamed(&names));
    digest(&(controller, nodes, links, state.history.digest(), state.budget))
}

impl World {
    /// Drops what nothing can read any more.
    pub(super) fn reduce(&self, state: &mut State) {
        self.forget_count(state);
        if self.bounds.raw == 1 {
            return;
        }
        forget_heard_metadata(state);
        self.forget_history_without_promise(state);
    }

    /// How many lossy crashes there were beyond the ones that void every promise is no one's concern.
    fn forget_count(&self, state: &mut State) {
        if state.history.lossy_crashes > self.bounds.min_isr {
            state.history.edit().lossy_crashes = self.bounds.min_isr;
        }
    }

    /// What was promised matters while the guards of the promise are met; one that is not met never is again.
    fn forget_history_without_promise(&self, state: &mut State) {
        let promised = state.history.unclean_elections == 0 && state.history.lossy_crashes < self.bounds.min_isr;
        let remembered = promised || self.properties.iter().any(Property::is_unconditional);
        if !remembered && !state.history.committed.is_empty() {
            let history = state.history.edit();
            history.committed.clear();
            history.acknowledged.clear();
        }
    }
}

/// Records that every running broker has heard; one that starts loads a snapshot.
fn forget_heard_metadata(state: &mut State) {
    let heard = state.nodes.iter().filter_map(|node| Some(node.process.as_ref()?.broker.metadata_end())).min();
    let upto = heard.unwrap_or(state.controller.end()).max(state.controller.base);
    let count = usize::try_from(upto.0 - state.controller.base.0).unwrap_or(0);
    if count > 0 {
        let node = state.controller.edit();
        node.log.drain(..count);
        node.base = Offset(upto.0);
    }
}
